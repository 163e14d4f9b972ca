/* What terraform prints with -json, one object a line. Types that are not known are shown by their
 * message, as its documentation asks of readers. */
#include "base/ui_line.h"

#include <string.h>

#include "base/json.h"

enum { UI_LINE_LIMIT_BYTES = 1024 * 1024 }; /* an emergency dump of a state can be any length */

static bool is_hidden(const char *type)
{
    static const char *const hidden[] = {"version", "refresh_complete", "outputs"};
    for (size_t i = 0; i < ARRAY_SIZE(hidden); i++) {
        if (strcmp(hidden[i], type) == 0) {
            return true;
        }
    }
    return false;
}

/* Details come wrapped for a terminal; the line breaks in them mean nothing. */
static void append_folded(struct buffer *out, const char *text)
{
    for (; *text != '\0'; text++) {
        bool blank = *text == '\n' || *text == ' ';
        bool double_blank = blank && out->size_bytes > 0 && out->data[out->size_bytes - 1] == ' ';
        if (!double_blank) {
            buffer_append_char(out, blank ? ' ' : *text);
        }
    }
}

static void append_diagnostic(struct buffer *out, const json_t *diagnostic)
{
    const char *detail = json_get_text(diagnostic, "detail");
    const char *address = json_get_text(diagnostic, "address");
    const json_t *range = json_object_get(diagnostic, "range");
    const char *file = json_get_text(range, "filename");
    if (detail != NULL && detail[0] != '\0') {
        buffer_append_text(out, ": ");
        append_folded(out, detail);
    }
    if (address != NULL && address[0] != '\0') {
        buffer_append_format(out, " [%s]", address);
    }
    if (file != NULL) {
        buffer_append_format(out, " (%s:%" JSON_INTEGER_FORMAT ")", file,
                             json_get_integer(json_object_get(range, "start"), "line", 0));
    }
}

enum ui_line_kind ui_line_append(struct buffer *out, struct span line)
{
    if (!span_starts_with(line, "{\"@level\":")) {
        return UI_LINE_PLAIN;
    }
    if (line.size_bytes > UI_LINE_LIMIT_BYTES) {
        buffer_append_format(out, "(a message of %zu bytes, which is in the log)", line.size_bytes);
        return UI_LINE_TEXT;
    }
    CLEANUP(json_cleanup) json_t *value = json_parse(line, "line", NULL);
    const char *message = json_get_text(value, "@message");
    const char *type = json_get_text(value, "type");
    if (message == NULL) {
        return UI_LINE_PLAIN;
    }
    if (type != NULL && is_hidden(type)) {
        return UI_LINE_HIDDEN;
    }
    append_folded(out, message);
    append_diagnostic(out, json_object_get(value, "diagnostic"));
    return UI_LINE_TEXT;
}
