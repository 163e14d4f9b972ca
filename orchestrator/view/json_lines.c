/* The stream for programs: one JSON object a line. An event has the same bytes whether it comes
 * from the run or from its journal: seq, at, type first, and without what chains the journal's
 * lines. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "view/view.h"

struct json_view {
    struct view view;
    int descriptor;
};

static void write_value(struct view *view, json_t *value)
{
    const struct json_view *json = (const struct json_view *)view;
    struct buffer text = BUFFER_INIT;
    json_append(&text, value);
    buffer_append_char(&text, '\n');
    IGNORE(file_write_all(json->descriptor, text.data, text.size_bytes, NULL));
    buffer_release(&text);
    json_decref(value);
}

static void show_event(struct view *view, const json_t *event)
{
    static const char *const first[] = {"seq", "at", "type"};
    json_t *shown = json_object();
    for (size_t i = 0; i < ARRAY_SIZE(first); i++) {
        json_object_set(shown, first[i], json_object_get(event, first[i]));
    }
    const char *key;
    json_t *value;
    json_object_foreach ((json_t *)event, key, value) {
        if (strcmp(key, "prev") != 0 && strcmp(key, "hash") != 0) {
            json_object_set(shown, key, value);
        }
    }
    write_value(view, json_pack("{s:o}", "event", shown));
}

static void show_line(struct view *view, const struct view_line *line)
{
    char at[CLOCK_RFC3339_SIZE];
    clock_format_rfc3339_ns(line->at_ns, at);
    struct buffer text = BUFFER_INIT;
    if (text_valid_utf8_prefix(line->text) == line->text.size_bytes) {
        buffer_append_span(&text, line->text);
    } else {
        text_append_safe(&text, line->text, false);
    }
    write_value(view,
                json_pack("{s:{s:s, s:I, s:s?, s:s, s:s, s:s%}}", "output", "step", line->step,
                          "attempt", (json_int_t)line->attempt, "task", line->task, "at", at,
                          "stream", line->is_stderr ? "stderr" : "stdout", "text",
                          buffer_text(&text), text.size_bytes));
    buffer_release(&text);
}

static void show_notice(struct view *view, const char *text)
{
    write_value(view, json_pack("{s:s}", "notice", text));
}

static void release(struct view *view)
{
    free(view);
}

struct view *view_json_new(int descriptor)
{
    struct json_view *json = memory_new(1, sizeof *json);
    json->view = (struct view){
        .event = show_event, .line = show_line, .notice = show_notice, .release = release};
    json->descriptor = descriptor;
    return &json->view;
}
