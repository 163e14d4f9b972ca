/* A review as a document. The order of its parts is written once; a form says how a heading, a
 * paragraph, a table look. Whatever comes from a run is escaped by the form. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/text.h"
#include "view/report.h"

struct form {
    const char *start;
    const char *end;
    void (*escape)(struct buffer *out, const char *text);
    const char *heading[2];
    const char *paragraph[2];
    const char *item[2];
    const char *block[2]; /* of lines as they were printed */
    const char *list[2];
    const char *table[2];
    const char *row[2];
    const char *cell[2];
    const char *rule; /* between a table's head and its rows, for each column; "" */
};

struct writer {
    const struct form *form;
    struct buffer *out;
};

/* --- forms ----------------------------------------------------------------------------------- */

static void escape_markdown(struct buffer *out, const char *text)
{
    CLEANUP(buffer_release) struct buffer safe = BUFFER_INIT;
    text_append_safe(&safe, span_of_text(text), false);
    for (const char *at = buffer_text(&safe); *at != '\0'; at++) {
        if (strchr("\\`*_{}[]<>|#&", *at) != NULL) {
            buffer_append_char(out, '\\');
        }
        buffer_append_char(out, *at);
    }
}

static void escape_html(struct buffer *out, const char *text)
{
    CLEANUP(buffer_release) struct buffer safe = BUFFER_INIT;
    text_append_safe(&safe, span_of_text(text), false);
    for (const char *at = buffer_text(&safe); *at != '\0'; at++) {
        switch (*at) {
        case '&':
            buffer_append_text(out, "&amp;");
            break;
        case '<':
            buffer_append_text(out, "&lt;");
            break;
        case '>':
            buffer_append_text(out, "&gt;");
            break;
        case '"':
            buffer_append_text(out, "&quot;");
            break;
        case '\'':
            buffer_append_text(out, "&#39;");
            break;
        default:
            buffer_append_char(out, *at);
        }
    }
}

static const struct form markdown = {
    .start = "",
    .end = "",
    .escape = escape_markdown,
    .heading = {"\n## ", "\n\n"},
    .paragraph = {"", "\n"},
    .item = {"- ", "\n"},
    .block = {"      ", "\n"},
    .list = {"\n", ""},
    .table = {"", ""},
    .row = {"|", "\n"},
    .cell = {" ", " |"},
    .rule = "---|",
};

static const struct form html = {
    .start = "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
             "<meta name=\"viewport\" content=\"width=device-width\">"
             "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
             "style-src 'unsafe-inline'\">"
             "<title>Post-incident review</title><style>"
             "body{font:15px/1.5 sans-serif;max-width:70em;margin:2em auto;padding:0 1em}"
             "table{border-collapse:collapse;width:100%}"
             "td{border-bottom:1px solid #ccc;padding:.2em .6em;vertical-align:top}"
             "tr:first-child td{font-weight:bold}"
             "code{display:block;white-space:pre-wrap;background:#f4f4f4;padding:0 .6em}"
             "</style></head><body>\n",
    .end = "</body></html>\n",
    .escape = escape_html,
    .heading = {"<h2>", "</h2>\n"},
    .paragraph = {"<p>", "</p>\n"},
    .item = {"<li>", "</li>\n"},
    .block = {"<code>", "</code>\n"},
    .list = {"<ul>\n", "</ul>\n"},
    .table = {"<table>\n", "</table>\n"},
    .row = {"<tr>", "</tr>\n"},
    .cell = {"<td>", "</td>"},
    .rule = "",
};

/* --- parts ----------------------------------------------------------------------------------- */

static void put(const struct writer *writer, const char *const around[2], const char *format, ...)
    PRINTF_LIKE(3, 4);

static void put(const struct writer *writer, const char *const around[2], const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    CLEANUP(memory_cleanup) char *text = memory_format_v(format, arguments);
    va_end(arguments);
    buffer_append_text(writer->out, around[0]);
    writer->form->escape(writer->out, text);
    buffer_append_text(writer->out, around[1]);
}

static void row(const struct writer *writer, const char *const *cells)
{
    buffer_append_text(writer->out, writer->form->row[0]);
    for (; *cells != NULL; cells++) {
        put(writer, writer->form->cell, "%s", *cells);
    }
    buffer_append_text(writer->out, writer->form->row[1]);
}

static void table(const struct writer *writer, const char *const *titles)
{
    buffer_append_text(writer->out, writer->form->table[0]);
    row(writer, titles);
    if (writer->form->rule[0] != '\0') {
        buffer_append_text(writer->out, writer->form->row[0]);
        for (; *titles != NULL; titles++) {
            buffer_append_text(writer->out, writer->form->rule);
        }
        buffer_append_text(writer->out, writer->form->row[1]);
    }
}

static void end_table(const struct writer *writer)
{
    buffer_append_text(writer->out, writer->form->table[1]);
}

static const char *text_of(const json_t *value, const char *key)
{
    const char *text = json_get_text(value, key);
    return text != NULL ? text : "";
}

/* "2026-11-22 22:03:01" */
static char *time_of(const json_t *value, const char *key)
{
    char *text = memory_format("%.19s", text_of(value, key));
    if (strlen(text) == 19) {
        text[10] = ' ';
    }
    return text;
}

static char *duration_of(const json_t *value, const char *key)
{
    json_int_t duration_ms = json_get_integer(value, key, -1);
    return duration_ms < 0 ? memory_text("-") : clock_format_duration(duration_ms);
}

static void write_head(const struct writer *writer, const json_t *review)
{
    CLEANUP(memory_cleanup) char *incident = time_of(review, "incident_at");
    CLEANUP(memory_cleanup) char *started = time_of(review, "started_at");
    CLEANUP(memory_cleanup) char *ended = time_of(review, "ended_at");
    CLEANUP(memory_cleanup) char *lasted = duration_of(review, "duration_ms");
    CLEANUP(memory_cleanup) char *waited = duration_of(review, "waited_ms");
    const struct form *form = writer->form;
    const char *const title[] = {form == &html ? "<h1>" : "# ", form == &html ? "</h1>\n" : "\n\n"};
    put(writer, title, "Post-incident review: %s", text_of(review, "plan"));
    buffer_append_text(writer->out, form == &html ? form->list[0] : "");
    put(writer, form->item, "Run: %s%s", text_of(review, "run"),
        json_is_true(json_object_get(review, "dry_run")) ? " (dry run: nothing was changed)" : "");
    put(writer, form->item, "Target: %s", text_of(review, "target"));
    put(writer, form->item, "Outcome: %s after %s", text_of(review, "status"), lasted);
    put(writer, form->item, "Incident: %s; run: %s to %s (UTC)", incident, started,
        ended[0] != '\0' ? ended : "(not over)");
    put(writer, form->item, "Started by: %s", text_of(review, "operator"));
    put(writer, form->item, "Time spent waiting for people: %s", waited);
    buffer_append_text(writer->out, form == &html ? form->list[1] : "");
}

static void write_objectives(const struct writer *writer, const json_t *review)
{
    static const char *const titles[] = {"Component", "RTO",      "Took", "",
                                         "RPO",       "Data age", "",     NULL};
    put(writer, writer->form->heading, "Objectives");
    if (json_array_size(json_object_get(review, "objectives")) == 0) {
        put(writer, writer->form->paragraph, "The plan has no objectives.");
        return;
    }
    table(writer, titles);
    size_t index;
    json_t *objective;
    json_array_foreach (json_object_get(review, "objectives"), index, objective) {
        CLEANUP(memory_cleanup) char *rto = duration_of(objective, "rto_ms");
        CLEANUP(memory_cleanup) char *took = duration_of(objective, "took_ms");
        CLEANUP(memory_cleanup) char *rpo = duration_of(objective, "rpo_ms");
        CLEANUP(memory_cleanup) char *age = duration_of(objective, "age_ms");
        const char *const cells[] = {text_of(objective, "component"), rto, took,
                                     text_of(objective, "rto"),       rpo, age,
                                     text_of(objective, "rpo"),       NULL};
        row(writer, cells);
    }
    end_table(writer);
}

static void write_steps(const struct writer *writer, const json_t *review)
{
    static const char *const titles[] = {"Step", "Action", "State", "Attempts", "Duration", NULL};
    put(writer, writer->form->heading, "Steps");
    table(writer, titles);
    size_t index;
    json_t *step;
    json_array_foreach (json_object_get(review, "steps"), index, step) {
        CLEANUP(memory_cleanup) char *lasted = duration_of(step, "duration_ms");
        CLEANUP(memory_cleanup)
        char *attempts = memory_format("%lld", (long long)json_get_integer(step, "attempts", 0));
        const char *reason = json_get_text(step, "reason");
        CLEANUP(memory_cleanup)
        char *state = memory_format("%s%s%s%s", text_of(step, "state"), reason != NULL ? " (" : "",
                                    reason != NULL ? reason : "", reason != NULL ? ")" : "");
        const char *const cells[] = {
            text_of(step, "name"), text_of(step, "uses"), state, attempts, lasted, NULL};
        row(writer, cells);
    }
    end_table(writer);
}

/* The entries of a list: time, step, and two further texts. */
static void write_entries(const struct writer *writer, const json_t *entries, const char *heading,
                          const char *const *titles, const char *const *keys)
{
    put(writer, writer->form->heading, "%s", heading);
    if (json_array_size(entries) == 0) {
        put(writer, writer->form->paragraph, "None.");
        return;
    }
    table(writer, titles);
    size_t index;
    json_t *entry;
    json_array_foreach (entries, index, entry) {
        CLEANUP(memory_cleanup) char *at = time_of(entry, "at");
        const char *cells[6] = {at};
        char *made[6] = {NULL};
        size_t count = 1;
        for (const char *const *key = keys; *key != NULL; key++, count++) {
            const json_t *value = json_object_get(entry, *key);
            made[count] = json_is_string(value) ? memory_text(json_string_value(value))
                          : value == NULL || json_is_null(value) ? memory_text("")
                                                                 : json_canonical(value);
            cells[count] = made[count];
        }
        row(writer, cells);
        for (size_t i = 1; i < count; i++) {
            free(made[i]);
        }
    }
    end_table(writer);
}

static void write_errors(const struct writer *writer, const json_t *review)
{
    const json_t *errors = json_object_get(review, "errors");
    put(writer, writer->form->heading, "Errors");
    if (json_array_size(errors) == 0) {
        put(writer, writer->form->paragraph, "None.");
    }
    size_t index;
    json_t *error;
    json_array_foreach (errors, index, error) {
        CLEANUP(memory_cleanup) char *at = time_of(error, "at");
        const char *hint = json_get_text(error, "hint");
        put(writer, writer->form->paragraph, "%s %s, attempt %lld: %s", at, text_of(error, "step"),
            (long long)json_get_integer(error, "attempt", 1), text_of(error, "message"));
        if (hint != NULL) {
            put(writer, writer->form->paragraph, "(%s)", hint);
        }
        size_t line_index;
        json_t *line;
        buffer_append_text(writer->out, writer->form == &markdown ? "\n" : "");
        json_array_foreach (json_object_get(error, "tail"), line_index, line) {
            buffer_append_text(writer->out, writer->form->block[0]);
            if (writer->form == &markdown) {
                text_append_safe(writer->out, span_of_text(json_string_value(line)), false);
            } else {
                writer->form->escape(writer->out, json_string_value(line));
            }
            buffer_append_text(writer->out, writer->form->block[1]);
        }
    }
}

/* What was not measured is not known to be met. */
static size_t missed(const json_t *review)
{
    size_t count = 0;
    size_t index;
    json_t *objective;
    json_array_foreach (json_object_get(review, "objectives"), index, objective) {
        count += strcmp(text_of(objective, "rto"), "missed") == 0;
        count += strcmp(text_of(objective, "rto"), "not reached") == 0;
        count += strcmp(text_of(objective, "rpo"), "missed") == 0;
        count += strcmp(text_of(objective, "rpo"), "not measured") == 0;
    }
    return count;
}

/* The five points of the runbook. What the journal knows is filled in; the rest is for people. */
static void write_checklist(const struct writer *writer, const json_t *review)
{
    const struct form *form = writer->form;
    const char *const done[] = {form == &html ? "<li>&#9745; " : "- [x] ", form->item[1]};
    const char *const open[] = {form == &html ? "<li>&#9744; " : "- [ ] ", form->item[1]};
    size_t errors = json_array_size(json_object_get(review, "errors"));
    size_t count = missed(review);
    put(writer, form->heading, "Review");
    buffer_append_text(writer->out, form == &html ? form->list[0] : "");
    put(writer, done, "Document the incident timeline: see Timeline, %zu entries",
        json_array_size(json_object_get(review, "timeline")));
    put(writer, open, "Identify root cause: (to be written)");
    put(writer, open, "Update runbook based on lessons learned: %zu failed attempts to look at",
        errors);
    put(writer, open, "Improve automation where possible: %zu decisions were taken by people",
        json_array_size(json_object_get(review, "decisions")));
    if (count > 0) {
        put(writer, open,
            "Update RTO/RPO if objectives weren't met: %zu were missed or not measured", count);
    } else {
        put(writer, done, "Update RTO/RPO if objectives weren't met: all were met");
    }
    buffer_append_text(writer->out, form == &html ? form->list[1] : "");
}

static void write_review(const struct writer *writer, const json_t *review)
{
    static const char *const decision_titles[] = {"At (UTC)", "Step", "Who", "What", "Why", NULL};
    static const char *const decision_keys[] = {"step", "who", "what", "why", NULL};
    static const char *const change_titles[] = {"At (UTC)", "Step", "What", "Value", NULL};
    static const char *const change_keys[] = {"step", "kind", "value", NULL};
    static const char *const timeline_titles[] = {"At (UTC)", "Step", "What", NULL};
    static const char *const timeline_keys[] = {"step", "what", NULL};
    buffer_append_text(writer->out, writer->form->start);
    write_head(writer, review);
    write_objectives(writer, review);
    write_checklist(writer, review);
    write_entries(writer, json_object_get(review, "decisions"), "Who decided what", decision_titles,
                  decision_keys);
    write_entries(writer, json_object_get(review, "changes"), "What changed, and facts",
                  change_titles, change_keys);
    write_steps(writer, review);
    write_errors(writer, review);
    write_entries(writer, json_object_get(review, "timeline"), "Timeline", timeline_titles,
                  timeline_keys);
    buffer_append_text(writer->out, writer->form->end);
}

void report_markdown(struct buffer *out, const json_t *review)
{
    const struct writer writer = {&markdown, out};
    write_review(&writer, review);
}

void report_html(struct buffer *out, const json_t *review)
{
    const struct writer writer = {&html, out};
    write_review(&writer, review);
}
