/* shlex.split() in POSIX mode: single quotes keep everything, in double quotes a backslash counts
 * before '"' and '\' only, outside it takes the next character as it is. */
#include "net/shell_words.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

/* Appends the quotation that starts at text.data[at]; the offset behind it, or 0 without its end.
 */
static size_t take_quoted(struct span text, size_t at, struct buffer *word)
{
    char quote = text.data[at++];
    for (; at < text.size_bytes && text.data[at] != quote; at++) {
        bool escapes = quote == '"' && text.data[at] == '\\' && at + 1 < text.size_bytes &&
                       (text.data[at + 1] == '"' || text.data[at + 1] == '\\');
        at += escapes ? 1 : 0;
        buffer_append_char(word, text.data[at]);
    }
    return at < text.size_bytes ? at + 1 : 0;
}

/* Appends the word that starts at `at`; the offset behind it, or 0 when it has no end. */
static size_t take_word(struct span text, size_t at, struct buffer *word)
{
    while (at != 0 && at < text.size_bytes && !is_blank(text.data[at])) {
        char byte = text.data[at];
        if (byte == '\'' || byte == '"') {
            at = take_quoted(text, at, word);
        } else if (byte == '\\' && at + 1 == text.size_bytes) {
            return 0;
        } else {
            at += byte == '\\' ? 1 : 0;
            buffer_append_char(word, text.data[at++]);
        }
    }
    return at;
}

int shell_words_split(struct span text, struct shell_words *ret_words, struct error *err)
{
    /* A blank in front lets offset 0 mean "no end". */
    CLEANUP(buffer_release) struct buffer padded = BUFFER_INIT;
    buffer_append_char(&padded, ' ');
    buffer_append_span(&padded, text);
    text = buffer_span(&padded);
    struct shell_words words = {0};
    for (size_t at = 1; at < text.size_bytes;) {
        if (is_blank(text.data[at])) {
            at++;
            continue;
        }
        struct buffer word = BUFFER_INIT;
        at = take_word(text, at, &word);
        vector_push(&words.list, buffer_take(&word));
        if (at == 0) {
            shell_words_release(&words);
            return error_set(err, ERROR_INVALID, "a quotation without its end");
        }
    }
    *ret_words = words;
    return 0;
}

void shell_words_release(struct shell_words *words)
{
    vector_each (char **, word, &words->list) {
        free(*word);
    }
    vector_release(&words->list);
}
