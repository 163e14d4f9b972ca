/* The calendar for people and for Prometheus. In the latter a series that cannot be known is left
 * out: a zero would look like an excellent recovery. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/text.h"
#include "runtime/drill_calendar.h"

static char *duration_text(const json_t *row, const char *name)
{
    const json_t *value = json_object_get(row, name);
    return json_is_integer(value) ? clock_format_duration(json_integer_value(value) * 1000)
                                  : memory_text("-");
}

/* "42m of 1h", and what it means. */
static void append_against(struct buffer *out, const json_t *row, const char *name,
                           const char *limit, const char *met)
{
    CLEANUP(memory_cleanup) char *value = duration_text(row, name);
    CLEANUP(memory_cleanup) char *most = duration_text(row, limit);
    bool is_missed = json_is_false(json_object_get(row, met));
    CLEANUP(memory_cleanup)
    char *cell = memory_format("%s of %s%s", value, most, is_missed ? " MISSED" : "");
    buffer_append_format(out, "  %-24s", cell);
}

static void append_day(struct buffer *out, const json_t *row, const char *name)
{
    const char *text = json_get_text(row, name);
    buffer_append_format(out, "  %-10.10s", text != NULL ? text : "never");
}

static void append_row(struct buffer *out, const json_t *row)
{
    CLEANUP(buffer_release) struct buffer id = BUFFER_INIT;
    text_append_safe(&id, span_of_text(json_get_text(row, "id")), false);
    buffer_append_format(out, "%-16s  %-7s", buffer_text(&id), json_get_text(row, "status"));
    append_day(out, row, "last");
    append_day(out, row, "next");
    append_against(out, row, "took_s", "rto_s", "rto_met");
    append_against(out, row, "data_age_s", "rpo_s", "rpo_met");
    const json_t *trend = json_object_get(row, "trend_percent");
    if (json_is_integer(trend)) {
        buffer_append_format(out, "  %+d%%", (int)json_integer_value(trend));
    }
    json_int_t failed = json_get_integer(row, "failed_since", 0);
    if (failed > 0) {
        buffer_append_format(out, "  %d failed since", (int)failed);
    }
    if (json_get_text(row, "plan") == NULL) {
        buffer_append_text(out, "  no plan");
    }
    buffer_append_char(out, '\n');
}

void drill_calendar_append_table(struct buffer *out, const json_t *rows)
{
    buffer_append_format(out, "%-16s  %-7s  %-10s  %-10s  %-24s  %-24s  %s\n", "DRILL", "STATUS",
                         "LAST", "NEXT", "TOOK, OF RTO", "DATA AGE, OF RPO", "TREND");
    size_t index;
    json_t *row;
    json_array_foreach (rows, index, row) {
        append_row(out, row);
    }
}

/* --- Prometheus ------------------------------------------------------------------------------ */

enum value_kind { VALUE_NUMBER, VALUE_TIME, VALUE_OVERDUE };

static const struct metric {
    const char *name;
    const char *help;
    const char *key;
    enum value_kind kind;
} metrics[] = {
    {"drctl_drill_overdue", "Whether the drill is overdue.", "status", VALUE_OVERDUE},
    {"drctl_drill_last_success_timestamp_seconds", "When the last drill that succeeded began.",
     "last", VALUE_TIME},
    {"drctl_drill_next_timestamp_seconds", "When the drill has to be done.", "next", VALUE_TIME},
    {"drctl_drill_duration_seconds", "How long the recovery of the last drill took.", "took_s",
     VALUE_NUMBER},
    {"drctl_drill_rto_seconds", "How long it may take.", "rto_s", VALUE_NUMBER},
    {"drctl_drill_data_age_seconds", "How old the data of the last drill was.", "data_age_s",
     VALUE_NUMBER},
    {"drctl_drill_rpo_seconds", "How old it may be.", "rpo_s", VALUE_NUMBER},
    {"drctl_drill_failures_since_success", "Drills that failed since the last success.",
     "failed_since", VALUE_NUMBER},
};

static bool metric_value(const struct metric *metric, const json_t *row, json_int_t *ret)
{
    const json_t *value = json_object_get(row, metric->key);
    int64_t at_ns;
    switch (metric->kind) {
    case VALUE_NUMBER:
        *ret = json_integer_value(value);
        return json_is_integer(value);
    case VALUE_OVERDUE:
        *ret = strcmp(json_string_value(value), "overdue") == 0;
        return true;
    case VALUE_TIME:
        if (!json_is_string(value) ||
            clock_parse_rfc3339(json_string_value(value), &at_ns, NULL) != 0) {
            return false;
        }
        *ret = at_ns / CLOCK_NS_PER_S;
        return true;
    }
    return false;
}

static void append_label(struct buffer *out, const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '\n') {
            buffer_append_text(out, "\\n");
            continue;
        }
        if (*text == '"' || *text == '\\') {
            buffer_append_char(out, '\\');
        }
        buffer_append_char(out, *text);
    }
}

void drill_calendar_append_metrics(struct buffer *out, const json_t *rows, int64_t now_ns)
{
    for (size_t i = 0; i < ARRAY_SIZE(metrics); i++) {
        buffer_append_format(out, "# HELP %s %s\n# TYPE %s gauge\n", metrics[i].name,
                             metrics[i].help, metrics[i].name);
        size_t index;
        json_t *row;
        json_array_foreach (rows, index, row) {
            json_int_t value;
            if (metric_value(&metrics[i], row, &value)) {
                buffer_append_format(out, "%s{drill=\"", metrics[i].name);
                append_label(out, json_get_text(row, "id"));
                buffer_append_format(out, "\"} %lld\n", (long long)value);
            }
        }
    }
    buffer_append_format(out,
                         "# HELP drctl_drills_checked_timestamp_seconds When this was written.\n"
                         "# TYPE drctl_drills_checked_timestamp_seconds gauge\n"
                         "drctl_drills_checked_timestamp_seconds %lld\n",
                         (long long)(now_ns / CLOCK_NS_PER_S));
}
