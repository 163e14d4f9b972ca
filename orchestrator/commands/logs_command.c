/* drctl logs: what the steps of a run printed, in the order of time. */
#include <stdlib.h>
#include <string.h>

#include "base/nearest.h"
#include "commands/following.h"

static const struct command_option options[] = {
    {"attempt", 0, "N", false, "of this attempt alone"},
    {"follow", 'f', NULL, false, "go on until the run has ended"},
    {"timestamps", 't', NULL, false, "with whole time stamps"},
    {NULL, 0, NULL, false, NULL},
};

static int parse_attempt(const struct invocation *invocation, size_t *ret_attempt,
                         struct error *err)
{
    const char *given = invocation_value(invocation, "attempt");
    if (given == NULL) {
        return 0;
    }
    char *end;
    long attempt = strtol(given, &end, 10);
    if (*end != '\0' || attempt < 1) {
        return error_set(err, ERROR_USAGE, "--attempt is a number from 1 on, not '%s'", given);
    }
    *ret_attempt = (size_t)attempt;
    return 0;
}

static int check_step(const struct run_reading *reading, const char *step, struct error *err)
{
    struct fold fold = {0};
    fold_plan(&fold, reading->plan);
    int result = run_reading_fold(reading, &fold, err);
    if (result == 0 && fold_find(&fold, step) == NULL) {
        struct nearest nearest;
        nearest_init(&nearest, step);
        vector_each (const struct fold_step *, known, &fold.steps) {
            nearest_offer(&nearest, known->name);
        }
        result = error_set(err, ERROR_USAGE, "the run has no step '%s'", step);
        if (nearest.best != NULL) {
            error_hint(err, "did you mean %s?", nearest.best);
        }
    }
    fold_release(&fold);
    return result;
}

static int show(const struct run_reading *reading, const struct invocation *invocation,
                struct error *err)
{
    struct following following = {
        .invocation = invocation,
        .step = invocation_argument(invocation, 1),
        .lines_only = true,
        .long_times = invocation_flag(invocation, "timestamps"),
        .follow = invocation_flag(invocation, "follow"),
    };
    if (parse_attempt(invocation, &following.attempt, err) != 0 ||
        (following.step != NULL && check_step(reading, following.step, err) != 0)) {
        return -1;
    }
    return follow_run(reading, &following, err);
}

static int run(const struct invocation *invocation, struct error *err)
{
    struct run_reading reading;
    int status = run_reading_open(&reading, invocation, invocation_argument(invocation, 0), err);
    if (status == 0) {
        status = show(&reading, invocation, err);
    }
    run_reading_release(&reading);
    return status;
}

const struct command command_logs = {
    .name = "logs",
    .arguments = "RUN [STEP]",
    .summary = "what the steps of a run printed, in the order of time",
    .least_arguments = 1,
    .most_arguments = 2,
    .options = options,
    .run = run,
};
