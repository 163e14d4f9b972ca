/* A run that is worked on in this process, seen from this terminal: its events go to a view, and
 * what the person types goes to the run. */
#ifndef DRCTL_COMMANDS_WATCHING_H
#define DRCTL_COMMANDS_WATCHING_H

#include "commands/command.h"
#include "runtime/run.h"

#define WATCHING_OPTIONS                                                                           \
    {"yes", 'y', NULL, false, "approve what asks for an approval"},                                \
        {"approve", 0, "STEP", true, "approve this step beforehand"},                              \
        {"stay", 0, NULL, false, "wait for people instead of leaving with exit status 8"},         \
    {                                                                                              \
        "parallel", 'p', "N", false, "steps at one time (default 16)"                              \
    }

/* Opens the run, works on it until it ends or is left, shows it, and prints the summary. secrets:
 * an object name → text for secret inputs; NULL for none. Returns the exit status, or -1 with err.
 */
int watch_run(const struct invocation *invocation, const char *state, const char *id,
              enum run_mode mode, const json_t *secrets, struct error *err);

#endif
