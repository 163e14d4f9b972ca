/* Looking on at a run from its journal and its logs, whoever works on it, or nobody. */
#ifndef DRCTL_COMMANDS_FOLLOWING_H
#define DRCTL_COMMANDS_FOLLOWING_H

#include "commands/command.h"
#include "commands/run_reading.h"

struct following {
    const struct invocation *invocation;
    const char *step; /* lines of this step alone; NULL: of all */
    size_t attempt;   /* lines of this attempt alone; 0: of all */
    bool lines_only;  /* no events, no summary */
    bool long_times;  /* whole time stamps in front of lines */
    bool follow;      /* go on until the run has ended; else show what is there */
    bool keyboard;    /* take decisions from the terminal */
};

/* Shows it on stdout. Returns the exit status: that of the run when it ended and events were
 * wanted, else 0; or -1 with err. */
MUST_USE int follow_run(const struct run_reading *reading, const struct following *following,
                        struct error *err);

#endif
