/* drctl attach: a run, from any terminal. */
#include "commands/following.h"

static const struct command_option options[] = {
    {"no-follow", 0, NULL, false, "show what is there and end"},
    {NULL, 0, NULL, false, NULL},
};

static int run(const struct invocation *invocation, struct error *err)
{
    struct run_reading reading;
    int status = run_reading_open(&reading, invocation, invocation_argument(invocation, 0), err);
    if (status == 0) {
        struct following following = {
            .invocation = invocation,
            .follow = !invocation_flag(invocation, "no-follow"),
            .keyboard = true,
        };
        status = follow_run(&reading, &following, err);
    }
    run_reading_release(&reading);
    return status;
}

const struct command command_attach = {
    .name = "attach",
    .arguments = "[RUN]",
    .summary =
        "watch a run from any terminal: what happened, then what happens (default: the last)",
    .doc = "Answers to its questions can be typed, as at the terminal that started it. Ctrl-C ends "
           "the\nwatching, not the run. The exit status is the run's.",
    .least_arguments = 0,
    .most_arguments = 1,
    .options = options,
    .run = run,
};
