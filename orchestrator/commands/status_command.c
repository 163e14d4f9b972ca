/* drctl status and drctl runs: from the journals alone. */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "commands/run_reading.h"
#include "runtime/state_directory.h"
#include "view/summary.h"

static int run_status(const struct invocation *invocation, struct error *err)
{
    struct run_reading reading;
    struct fold fold = {0};
    int result = run_reading_open(&reading, invocation, invocation_argument(invocation, 0), err);
    if (result == 0) {
        fold_plan(&fold, reading.plan);
        result = run_reading_fold(&reading, &fold, err);
    }
    if (result == 0 && wants_json(invocation)) {
        print_json(summary_json(&fold, clock_wall_ns()));
    } else if (result == 0) {
        struct buffer text = BUFFER_INIT;
        summary_append(&text, &fold, clock_wall_ns());
        fputs(buffer_text(&text), stdout);
        buffer_release(&text);
    }
    fold_release(&fold);
    run_reading_release(&reading);
    return result;
}

static void print_run(const char *id, const struct fold *fold, const struct error *err)
{
    if (error_is_set(err)) {
        printf("%-44s  damaged: %s\n", id, err->message);
        return;
    }
    char at[CLOCK_RFC3339_SIZE];
    clock_format_rfc3339_ms(fold->first_at_ns, at);
    const char *target = json_get_text(fold->created, "target");
    printf("%-44s  %.19sZ  %-20s  %s\n", id, at, fold_status(fold), target != NULL ? target : "");
}

static int run_runs(const struct invocation *invocation, struct error *err)
{
    CLEANUP(memory_cleanup) char *state = NULL;
    struct state_runs runs = {0};
    if (state_directory(invocation_value(invocation, "state-dir"), &state, err) != 0 ||
        state_list_runs(state, &runs, err) != 0) {
        return -1;
    }
    json_t *list = json_array();
    vector_each (char *const *, id, &runs.ids) {
        struct fold fold = {0};
        struct error damage = ERROR_INIT;
        CLEANUP(memory_cleanup) char *directory = state_run_directory(state, *id);
        CLEANUP(memory_cleanup) char *journal = file_join(directory, "journal.jsonl");
        IGNORE(fold_journal(&fold, journal, &damage)); /* print_run() says it */
        if (wants_json(invocation)) {
            json_array_append_new(list,
                                  json_pack("{s:s, s:s, s:s?}", "run", *id, "status",
                                            error_is_set(&damage) ? "damaged" : fold_status(&fold),
                                            "target", json_get_text(fold.created, "target")));
        } else {
            print_run(*id, &fold, &damage);
        }
        error_release(&damage);
        fold_release(&fold);
    }
    if (wants_json(invocation)) {
        print_json(list);
    } else {
        json_decref(list);
    }
    state_runs_release(&runs);
    return 0;
}

const struct command command_status = {
    .name = "status",
    .arguments = "[RUN]",
    .summary = "where a run is (default: the last one)",
    .least_arguments = 0,
    .most_arguments = 1,
    .run = run_status,
};

const struct command command_runs = {
    .name = "runs",
    .arguments = "",
    .summary = "the runs that this machine knows",
    .least_arguments = 0,
    .most_arguments = 0,
    .run = run_runs,
};
