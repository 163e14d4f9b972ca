/* The remote lock of a run while drctl works on it: taken before anything starts, renewed as a sign
 * of life, given up when the run has ended. */
#ifndef DRCTL_RUNTIME_REMOTE_LOCK_KEEPER_H
#define DRCTL_RUNTIME_REMOTE_LOCK_KEEPER_H

#include <stdbool.h>

#include "base/compiler.h"
#include "base/error.h"

struct run;
struct remote_lock_keeper;

/* Takes the lock that the run's site names (blocking; before the loop runs) and begins to renew it.
 * *ret_keeper is NULL when there is none to keep. ERROR_LOCKED when another run has it,
 * ERROR_NOT_READY when it stands in a region that the recovery must do without. */
MUST_USE int remote_lock_keeper_open(struct run *run, struct remote_lock_keeper **ret_keeper,
                                     struct error *err);

/* Stops renewing; on the loop. NULL is accepted. */
void remote_lock_keeper_close(struct remote_lock_keeper *keeper);

/* After the loop has ended: gives the lock up when the run is over, and frees the keeper. */
MUST_USE int remote_lock_keeper_free(struct remote_lock_keeper *keeper, bool run_is_over,
                                     struct error *err);

#endif
