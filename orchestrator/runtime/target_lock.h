/* One recovery of a target at a time on this machine: the file STATE/locks/TARGET.json names the
 * run that has it. A target stays taken until its run has ended, also while no drctl works on it:
 * its children may be at work. */
#ifndef DRCTL_RUNTIME_TARGET_LOCK_H
#define DRCTL_RUNTIME_TARGET_LOCK_H

#include "base/compiler.h"
#include "base/error.h"

/* Takes the target for a run, or finds it taken by the same run. ERROR_LOCKED says which run has
 * it, since when and how far it is. */
MUST_USE int target_lock_take(const char *state, const char *target, const char *run_id,
                              const char *operator_name, struct error *err);

/* Gives it up when this run has it. */
MUST_USE int target_lock_release(const char *state, const char *target, const char *run_id,
                                 struct error *err);

#endif
