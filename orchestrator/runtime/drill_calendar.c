/* A drill counts only when its run succeeded: one that failed has shown that the recovery does not
 * work, and leaves the drill due. One that was never done is overdue from the start. "3 months" are
 * months of the calendar; a day that the month does not have is its last one. */
#include "runtime/drill_calendar.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/json.h"

enum { TREND_RUNS = 5, LEAD_PART = 10, MOST_UNITS = 1200 };

/* --- time ------------------------------------------------------------------------------------ */

struct period {
    int months;
    int64_t ms; /* beside them */
};

static const struct unit {
    const char *name; /* without a final s */
    int months;
    int days;
} units[] = {{"day", 0, 1}, {"week", 0, 7}, {"month", 1, 0}, {"quarter", 3, 0}, {"year", 12, 0}};

static const int64_t day_ms = INT64_C(86400000);

static int parse_period(const char *text, struct period *ret, struct error *err)
{
    char *end = NULL;
    long count = text != NULL ? strtol(text, &end, 10) : 0;
    for (size_t i = 0; end != NULL && *end == ' ' && i < ARRAY_SIZE(units); i++) {
        const char *name = end + strspn(end, " ");
        size_t size = strlen(units[i].name);
        bool is_it = strncmp(name, units[i].name, size) == 0 &&
                     (name[size] == '\0' || strcmp(name + size, "s") == 0);
        if (is_it && count > 0 && count <= MOST_UNITS) {
            *ret = (struct period){units[i].months * (int)count, units[i].days * count * day_ms};
            return 0;
        }
    }
    int64_t ms;
    if (text == NULL || clock_parse_duration(text, &ms, NULL) != 0 || ms <= 0) {
        error_set(err, ERROR_INVALID, "`every` is \"%s\", which is no period",
                  text != NULL ? text : "");
        return error_hint(err, "write 3 months, 2 weeks, 1 year or 90d");
    }
    *ret = (struct period){0, ms};
    return 0;
}

static int days_of_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return days[month] + (month == 1 && leap);
}

static int64_t add_period(int64_t at_ns, const struct period *period)
{
    time_t seconds = (time_t)(at_ns / CLOCK_NS_PER_S);
    struct tm date;
    gmtime_r(&seconds, &date);
    int months = date.tm_year * 12 + date.tm_mon + period->months;
    date.tm_year = months / 12;
    date.tm_mon = months % 12;
    int last = days_of_month(date.tm_year + 1900, date.tm_mon);
    date.tm_mday = date.tm_mday < last ? date.tm_mday : last;
    return (int64_t)timegm(&date) * CLOCK_NS_PER_S + period->ms * CLOCK_NS_PER_MS;
}

static json_t *json_time(int64_t at_ns)
{
    char text[CLOCK_RFC3339_SIZE];
    clock_format_rfc3339_ms(at_ns, text);
    memcpy(text + 19, "Z", 2);
    return json_string(text);
}

/* --- a drill's runs -------------------------------------------------------------------------- */

static bool is_run_of(const json_t *run, const json_t *drill)
{
    const char *plan = json_get_text(drill, "plan");
    const char *its = json_get_text(run, "plan");
    if (plan == NULL || its == NULL || strcmp(plan, its) != 0) {
        return false;
    }
    const char *name;
    json_t *value;
    json_object_foreach (json_object_get(drill, "inputs"), name, value) {
        if (!json_equal(value, json_object_get(json_object_get(run, "inputs"), name))) {
            return false;
        }
    }
    return true;
}

static bool has_succeeded(const json_t *run)
{
    const char *outcome = json_get_text(run, "outcome");
    return outcome != NULL && strcmp(outcome, "succeeded") == 0;
}

struct history {
    const json_t *last;            /* that succeeded; NULL */
    json_int_t took_s[TREND_RUNS]; /* of those that succeeded before it, the newest ones */
    size_t done;                   /* all that succeeded */
    size_t failed_since;
};

static void read_history(const json_t *runs, const json_t *drill, struct history *history)
{
    size_t index;
    json_t *run;
    json_array_foreach (runs, index, run) {
        if (!is_run_of(run, drill)) {
            continue;
        }
        if (!has_succeeded(run)) {
            history->failed_since++;
            continue;
        }
        if (history->last != NULL) {
            history->took_s[(history->done - 1) % TREND_RUNS] =
                json_get_integer(history->last, "took_s", 0);
        }
        history->last = run;
        history->done++;
        history->failed_since = 0;
    }
}

/* How much longer the last one took than the ones before it on average. */
static json_t *trend_of(const struct history *history)
{
    size_t count = history->done > 0 ? history->done - 1 : 0;
    count = count < TREND_RUNS ? count : TREND_RUNS;
    json_int_t sum = 0;
    for (size_t i = 0; i < count; i++) {
        sum += history->took_s[i];
    }
    if (sum == 0) {
        return json_null();
    }
    json_int_t mean_100 = sum * 100 / (json_int_t)count;
    json_int_t took = json_get_integer(history->last, "took_s", 0);
    return json_integer((took * 10000 - mean_100 * 100) / mean_100);
}

/* --- a row ----------------------------------------------------------------------------------- */

/* In seconds; null for "none", "N/A" or nothing. */
static json_t *objective_of(const json_t *site, const json_t *drill, const char *name)
{
    const char *environment = json_get_text(drill, "environment");
    const char *objective = json_get_text(drill, "objective");
    const json_t *found = json_object_get(json_object_get(json_object_get(site, "environments"),
                                                          environment != NULL ? environment : ""),
                                          "objectives");
    found = json_object_get(found, objective != NULL ? objective : "");
    const char *text = json_get_text(drill, name);
    text = text != NULL ? text : json_get_text(found, name);
    int64_t ms;
    return text != NULL && clock_parse_duration(text, &ms, NULL) == 0 ? json_integer(ms / 1000)
                                                                      : json_null();
}

static void set_measured(json_t *row, const json_t *run, const char *name, const char *limit,
                         const char *met)
{
    json_t *value = json_object_get(run, name);
    const json_t *most = json_object_get(row, limit);
    bool known = json_is_integer(value) && json_is_integer(most);
    json_object_set_new(row, name, json_is_integer(value) ? json_incref(value) : json_null());
    json_object_set_new(row, met,
                        known ? json_boolean(json_integer_value(value) <= json_integer_value(most))
                              : json_null());
}

static int set_times(json_t *row, const struct history *history, const struct period *period,
                     int64_t now_ns, struct error *err)
{
    int64_t last_ns = 0;
    const char *started = json_get_text(history->last, "started_at");
    if (history->last == NULL) {
        json_object_set_new(row, "status", json_string("overdue"));
        json_object_set_new(row, "last", json_null());
        json_object_set_new(row, "next", json_time(now_ns));
        return 0;
    }
    if (started == NULL || clock_parse_rfc3339(started, &last_ns, err) != 0) {
        return error_set(err, ERROR_DAMAGED, "a run does not say when it started");
    }
    int64_t next_ns = add_period(last_ns, period);
    bool soon = now_ns > next_ns - (next_ns - last_ns) / LEAD_PART;
    json_object_set_new(row, "status",
                        json_string(now_ns > next_ns ? "overdue" : (soon ? "due" : "ok")));
    json_object_set_new(row, "last", json_time(last_ns));
    json_object_set_new(row, "next", json_time(next_ns));
    return 0;
}

static int make_row(const json_t *site, const json_t *drill, const json_t *runs, int64_t now_ns,
                    json_t *row, struct error *err)
{
    struct period period;
    struct history history = {0};
    if (json_get_text(drill, "id") == NULL) {
        return error_set(err, ERROR_INVALID, "a drill has no `id`");
    }
    if (parse_period(json_get_text(drill, "every"), &period, err) != 0) {
        return error_context(err, "drill %s", json_get_text(drill, "id"));
    }
    static const char *const texts[] = {"id", "summary", "plan", "every"};
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        const char *text = json_get_text(drill, texts[i]);
        json_object_set_new(row, texts[i], text != NULL ? json_string(text) : json_null());
    }
    read_history(runs, drill, &history);
    if (set_times(row, &history, &period, now_ns, err) != 0) {
        return -1;
    }
    const char *run = json_get_text(history.last, "run");
    json_object_set_new(row, "run", run != NULL ? json_string(run) : json_null());
    json_object_set_new(row, "done", json_integer((json_int_t)history.done));
    json_object_set_new(row, "failed_since", json_integer((json_int_t)history.failed_since));
    json_object_set_new(row, "rto_s", objective_of(site, drill, "rto"));
    json_object_set_new(row, "rpo_s", objective_of(site, drill, "rpo"));
    set_measured(row, history.last, "took_s", "rto_s", "rto_met");
    set_measured(row, history.last, "data_age_s", "rpo_s", "rpo_met");
    json_object_set_new(row, "trend_percent", trend_of(&history));
    return 0;
}

int drill_calendar(const json_t *site, const json_t *runs, int64_t now_ns, json_t **ret_rows,
                   struct error *err)
{
    CLEANUP(json_cleanup) json_t *rows = json_array();
    size_t index;
    json_t *drill;
    json_array_foreach (json_object_get(site, "drills"), index, drill) {
        json_t *row = json_object();
        json_array_append_new(rows, row);
        if (make_row(site, drill, runs, now_ns, row, err) != 0) {
            return -1;
        }
    }
    *ret_rows = json_incref(rows);
    return 0;
}

bool drill_calendar_is_overdue(const json_t *rows)
{
    size_t index;
    json_t *row;
    json_array_foreach (rows, index, row) {
        if (strcmp(json_get_text(row, "status"), "overdue") == 0) {
            return true;
        }
    }
    return false;
}
