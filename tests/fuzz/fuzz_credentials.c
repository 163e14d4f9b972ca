/* What files and helpers say about credentials: no crash, and no message that quotes a value. The
 * first byte chooses the reader. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "net/aws_config.h"
#include "net/credential_answer.h"
#include "net/shell_words.h"

#define CANARY "S3CR3T"

static void check_message(struct error *err)
{
    if (err->message != NULL && strstr(err->message, CANARY) != NULL) {
        abort();
    }
    error_release(err);
}

static void read_config(struct span text)
{
    struct error err = ERROR_INIT;
    json_t *sections = aws_config_parse(text, "config", &err);
    json_decref(sections);
    check_message(&err);
}

static void read_answer(struct span text,
                        int (*read)(struct span text, struct credentials *ret_credentials,
                                    struct error *err))
{
    struct error err = ERROR_INIT;
    struct credentials credentials;
    if (read(text, &credentials, &err) == 0) {
        if (credentials.access_key == NULL || credentials.secret_key == NULL) {
            abort();
        }
        credentials_release(&credentials);
    }
    check_message(&err);
}

static void read_words(struct span text)
{
    struct shell_words words;
    if (shell_words_split(text, &words, NULL) == 0) {
        shell_words_release(&words);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
    if (size_bytes == 0) {
        return 0;
    }
    struct span text = span_of((const char *)data + 1, size_bytes - 1);
    switch (data[0] % 5) {
    case 0:
        read_config(text);
        break;
    case 1:
        read_answer(text, credential_answer_process);
        break;
    case 2:
        read_answer(text, credential_answer_metadata);
        break;
    case 3:
        read_answer(text, credential_answer_sts);
        break;
    default:
        read_words(text);
    }
    return 0;
}
