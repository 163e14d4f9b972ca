/* drctl drills: the calendar of the site file against the runs that this machine knows. `drills
 * run` becomes `drctl run` with the drill's plan and inputs, so that a drill is a run like any
 * other, by hand or by cron. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "commands/plan_loading.h"
#include "commands/run_reading.h"
#include "runtime/drill_calendar.h"
#include "runtime/state_directory.h"

enum { OVERDUE_STATUS = 4 };

static const struct command_option options[] = {
    {"site", 's', "FILE", false,
     "facts about the organisation (default: $DRCTL_SITE, ./site.yaml)"},
    {"prometheus", 0, "FILE", false, "write the calendar there for monitoring, as a whole"},
    {"input", 'i', "NAME=VALUE", true, "drills run: a further input of the plan"},
    {"yes", 'y', NULL, false, "drills run: approve what asks for an approval"},
    {NULL, 0, NULL, false, NULL},
};

/* --- what was done --------------------------------------------------------------------------- */

/* Until the last of the plan's objectives was reached, else to the end of the run. */
static int64_t took_ns(const struct fold *fold)
{
    int64_t reached_ns = 0;
    vector_each (const struct fold_objective *, objective, &fold->objectives) {
        int64_t its_ns = fold_reached_ns(fold, objective);
        reached_ns = its_ns > reached_ns ? its_ns : reached_ns;
    }
    return (reached_ns != 0 ? reached_ns : fold->ended_at_ns) - fold->first_at_ns;
}

/* The oldest data that the run used, in seconds; null when it said nothing about it. */
static json_t *data_age(const struct fold *fold)
{
    json_int_t oldest = -1;
    vector_each (const struct fold_step *, step, &fold->steps) {
        size_t index;
        json_t *fact;
        json_array_foreach (step->facts, index, fact) {
            const char *kind = json_get_text(fact, "kind");
            const json_t *age = json_object_get(json_object_get(fact, "value"), "age_s");
            if (kind != NULL && strcmp(kind, "data.age") == 0 && json_is_number(age)) {
                json_int_t its = (json_int_t)json_number_value(age);
                oldest = its > oldest ? its : oldest;
            }
        }
    }
    return oldest >= 0 ? json_integer(oldest) : json_null();
}

static json_t *describe_run(const struct run_reading *reading, const struct fold *fold)
{
    char started[CLOCK_RFC3339_SIZE];
    clock_format_rfc3339_ms(fold->first_at_ns, started);
    json_t *inputs = json_object_get(reading->context.values, "inputs");
    return json_pack("{s:s, s:s, s:O, s:s, s:s, s:I, s:o}", "run", reading->id, "plan",
                     reading->plan->name, "inputs", inputs, "started_at", started, "outcome",
                     fold->outcome, "took_s", (json_int_t)(took_ns(fold) / CLOCK_NS_PER_S),
                     "data_age_s", data_age(fold));
}

/* A run that is damaged or still goes on is no evidence of anything, and neither is a dry one. */
static void add_run(json_t *runs, const struct invocation *invocation, const char *id)
{
    struct run_reading reading;
    struct error err = ERROR_INIT;
    if (run_reading_open(&reading, invocation, id, &err) == 0 && reading.plan != NULL) {
        struct fold fold = {0};
        fold_plan(&fold, reading.plan);
        if (run_reading_fold(&reading, &fold, &err) == 0 && fold.outcome != NULL &&
            !json_is_true(json_object_get(fold.created, "dry_run"))) {
            json_array_append_new(runs, describe_run(&reading, &fold));
        }
        fold_release(&fold);
    }
    if (error_is_set(&err)) {
        fprintf(stderr, "drctl: run %s is left out: %s\n", id, err.message);
    }
    error_release(&err);
    run_reading_release(&reading);
}

static int read_runs(const struct invocation *invocation, json_t **ret_runs, struct error *err)
{
    CLEANUP(memory_cleanup) char *state = NULL;
    struct state_runs list = {0};
    if (state_directory(invocation_value(invocation, "state-dir"), &state, err) != 0 ||
        state_list_runs(state, &list, err) != 0) {
        return -1;
    }
    *ret_runs = json_array();
    vector_each (char *const *, id, &list.ids) {
        add_run(*ret_runs, invocation, *id);
    }
    state_runs_release(&list);
    return 0;
}

/* --- the calendar ---------------------------------------------------------------------------- */

static int write_metrics(const char *path, const json_t *rows, int64_t now_ns, struct error *err)
{
    CLEANUP(buffer_release) struct buffer text = BUFFER_INIT;
    drill_calendar_append_metrics(&text, rows, now_ns);
    return file_write(path, buffer_span(&text), 0644, FILE_ATOMIC, err);
}

static int show(const struct invocation *invocation, const struct site *site, struct error *err)
{
    CLEANUP(json_cleanup) json_t *runs = NULL;
    CLEANUP(json_cleanup) json_t *rows = NULL;
    int64_t now_ns = clock_wall_ns();
    const char *metrics = invocation_value(invocation, "prometheus");
    if (read_runs(invocation, &runs, err) != 0 ||
        drill_calendar(site->values, runs, now_ns, &rows, err) != 0 ||
        (metrics != NULL && write_metrics(metrics, rows, now_ns, err) != 0)) {
        return -1;
    }
    if (wants_json(invocation)) {
        print_json(json_incref(rows));
    } else {
        CLEANUP(buffer_release) struct buffer text = BUFFER_INIT;
        drill_calendar_append_table(&text, rows);
        fputs(buffer_text(&text), stdout);
    }
    return drill_calendar_is_overdue(rows) ? OVERDUE_STATUS : 0;
}

/* --- drills run ------------------------------------------------------------------------------ */

struct words {
    VECTOR(char *)
    items;
};

static void add_word(struct words *words, const char *option, const char *value)
{
    if (value != NULL) {
        vector_push(&words->items, memory_text(option));
        vector_push(&words->items, memory_text(value));
    }
}

static void add_inputs(struct words *words, const json_t *inputs)
{
    const char *name;
    json_t *value;
    json_object_foreach ((json_t *)(uintptr_t)inputs, name, value) {
        CLEANUP(memory_cleanup)
        char *text =
            json_is_string(value) ? memory_text(json_string_value(value)) : json_canonical(value);
        CLEANUP(memory_cleanup) char *pair = memory_format("%s=%s", name, text);
        add_word(words, "--input", pair);
    }
}

static const json_t *find_drill(const json_t *drills, const char *id)
{
    size_t index;
    json_t *drill;
    json_array_foreach (drills, index, drill) {
        const char *its = json_get_text(drill, "id");
        if (its != NULL && strcmp(its, id) == 0) {
            return drill;
        }
    }
    return NULL;
}

static int find_plan(const json_t *drills, const char *id, const json_t **ret_drill,
                     struct error *err)
{
    *ret_drill = find_drill(drills, id);
    if (*ret_drill == NULL) {
        error_set(err, ERROR_USAGE, "the site has no drill \"%s\"", id);
        return error_hint(err, "`drctl drills` lists them");
    }
    return json_get_text(*ret_drill, "plan") != NULL
               ? 0
               : error_set(err, ERROR_NOT_READY, "the site names no `plan` for the drill \"%s\"",
                           id);
}

/* Becomes `drctl run`. */
static int run_drill(const struct invocation *invocation, const struct site *site, const char *id,
                     struct error *err)
{
    const json_t *drill;
    if (find_plan(json_object_get(site->values, "drills"), id, &drill, err) != 0) {
        return -1;
    }
    struct words words = {0};
    add_word(&words, "drctl", "run");
    vector_push(&words.items, memory_text(json_get_text(drill, "plan")));
    add_word(&words, "--site", invocation_value(invocation, "site"));
    add_word(&words, "--state-dir", invocation_value(invocation, "state-dir"));
    add_word(&words, "--output", invocation_value(invocation, "output"));
    add_inputs(&words, json_object_get(drill, "inputs"));
    const char *const *inputs = invocation_values(invocation, "input");
    for (; inputs != NULL && *inputs != NULL; inputs++) {
        add_word(&words, "--input", *inputs);
    }
    if (invocation_flag(invocation, "yes")) {
        vector_push(&words.items, memory_text("--yes"));
    }
    vector_push(&words.items, NULL);
    execv("/proc/self/exe", words.items.items);
    int reason = errno;
    vector_each (char **, word, &words.items) {
        free(*word);
    }
    vector_release(&words.items);
    return error_set(err, ERROR_IO, "drctl run cannot be started: %s", strerror(reason));
}

static int run(const struct invocation *invocation, struct error *err)
{
    const char *verb = invocation_argument(invocation, 0);
    const char *id = invocation_argument(invocation, 1);
    if (verb != NULL && (strcmp(verb, "run") != 0 || id == NULL)) {
        return error_set(err, ERROR_USAGE, "it is `drctl drills` or `drctl drills run ID`");
    }
    struct site *site = NULL;
    int status = site_load(invocation, &site, err);
    if (status == 0 && (site == NULL || json_object_get(site->values, "drills") == NULL)) {
        error_set(err, ERROR_NOT_READY, "no site file with `drills` is there");
        status = error_hint(err, "name it with --site");
    } else if (status == 0) {
        status = verb == NULL ? show(invocation, site, err) : run_drill(invocation, site, id, err);
    }
    site_free(site);
    return status;
}

const struct command command_drills = {
    .name = "drills",
    .arguments = "[run ID]",
    .summary = "which drills are due, how the last ones went, and to do one",
    .doc =
        "The site file's `drills` say what has to be rehearsed and how often; the runs that this "
        "machine knows say what was done. Exit status 4 when one is overdue.",
    .least_arguments = 0,
    .most_arguments = 2,
    .options = options,
    .run = run,
};
