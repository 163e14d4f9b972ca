/* What goes into a command and comes out of it, for the actions that run any command. */
#include "actions/capture.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"

const char *const capture_choices[] = {"text", "lines", "json", NULL};

static json_t *lines_of(struct span text)
{
    json_t *lines = json_array();
    while (text.size_bytes > 0) {
        const char *end = memchr(text.data, '\n', text.size_bytes);
        size_t size_bytes = end != NULL ? (size_t)(end - text.data) : text.size_bytes;
        if (json_array_append_new(lines, json_stringn(text.data, size_bytes)) != 0) {
            json_decref(lines);
            return NULL;
        }
        size_bytes += end != NULL;
        text = span_of(text.data + size_bytes, text.size_bytes - size_bytes);
    }
    return lines;
}

static json_t *text_of(struct span text)
{
    while (text.size_bytes > 0 && text.data[text.size_bytes - 1] == '\n') {
        text.size_bytes--;
    }
    return json_stringn(text.size_bytes > 0 ? text.data : "", text.size_bytes);
}

int capture_take(const char *capture, const struct attempt_result *result, json_t **ret_value,
                 struct error *err)
{
    struct span text = buffer_span(&result->out);
    json_t *value = capture == NULL || result->found_done ? json_null()
                    : strcmp(capture, "json") == 0        ? json_parse(text, "stdout", err)
                    : strcmp(capture, "lines") == 0       ? lines_of(text)
                                                          : text_of(text);
    if (value == NULL) {
        return error_set(err, ERROR_INVALID, "what it printed is not valid UTF-8");
    }
    *ret_value = value;
    return 0;
}

int capture_write_stdin(struct attempt *attempt, char **ret_path, struct error *err)
{
    const char *text = attempt_text(attempt, "stdin");
    if (text == NULL) {
        return 0;
    }
    char *path = file_join(attempt_directory(attempt), "stdin");
    if (file_write(path, span_of_text(text), FILE_PRIVATE_MODE, FILE_ATOMIC, err) != 0) {
        free(path);
        return -1;
    }
    *ret_path = path;
    return 0;
}
