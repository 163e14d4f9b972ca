/* Undoing a run: what it did becomes the steps of a plan of its own, newest first, which is then
 * run, resumed and reported on like every other. */
#ifndef DRCTL_RUNTIME_ROLLBACK_H
#define DRCTL_RUNTIME_ROLLBACK_H

#include <jansson.h>

#include "base/compiler.h"
#include "base/error.h"

struct rollback {
    char *plan_text; /* the plan, JSON */
    char *plan_file; /* where the undone run's plan was: paths are relative to it */
    json_t *undone;  /* array of {step, action, attempts}: what will be undone, newest first */
    json_t *kept;    /* array of {step, action}: what was done and cannot be undone by drctl */
};

void rollback_release(struct rollback *rollback);

/* Reads a run that is over (or was left; not one that a drctl works on) and plans its undoing.
 * Steps whose undo destroys data are refused unless `destroy` (NULL-terminated) names them:
 * ERROR_REFUSED lists them. ERROR_NOT_FOUND when there is nothing to undo. */
MUST_USE int rollback_plan(const char *state, const char *run_id, const char *const *destroy,
                           struct rollback *ret_rollback, struct error *err);

#endif
