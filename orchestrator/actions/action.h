/* An action: one const struct in a file of its own, and the table of all of them. What the struct
 * says about parameters and outputs is all that validation, documentation, the JSON Schema and
 * completion know. */
#ifndef DRCTL_ACTIONS_ACTION_H
#define DRCTL_ACTIONS_ACTION_H

#include <stddef.h>
#include <stdint.h>

#include "attempt/attempt.h"
#include "plan/catalogue.h"

struct action {
    struct action_description description; /* plan/catalogue.h */

    /* Does the work. 0 with its outputs set, or -1 with err. See attempt.h for what happens when it
     * is interrupted. Called for a dry run as well, unless description.mutates is set and
     * shows_dry_run is not: then the runtime only shows the arguments. */
    int (*run)(struct attempt *attempt, struct error *err);

    /* Undoes what run() did, from what it remembered; NULL when there is nothing to undo. Looks
     * first, changes only what is still as run() left it, and may be repeated until it succeeds. */
    int (*undo)(struct attempt *attempt, struct error *err);

    /* What an interrupted attempt means and what a resume does, in one or two sentences; shown by
     * `drctl actions NAME`. */
    const char *interrupted;

    bool destroys;      /* as an `undo` it takes away data: a rollback wants the step named */
    bool shows_dry_run; /* run() knows attempt_is_dry_run() and makes no change then */
};

/* All actions, sorted by name. */
extern const struct action *const actions[];
extern const size_t actions_count;

/* By its name in `uses`; NULL when there is none. */
const struct action *action_find(const char *name);

/* The table as the plan layer wants it. */
const struct plan_catalogue *actions_catalogue(void);

#endif
