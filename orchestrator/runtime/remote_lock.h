/* One recovery of a target at a time among all machines: a lock in the region that survives, named
 * in the site file as
 *
 *   lock: {type: s3, bucket: B, prefix: drctl/locks/, region: R}      an object, put If-None-Match
 *   lock: {type: dynamodb, table: T, region: R}                       an item, put on a condition
 *
 * It says who holds it: {run, operator, host, since, renewed_at, steps_done}. It never expires by
 * itself: a run that nobody has ended may have children at work. Calls block; none is made on a
 * run's loop. */
#ifndef DRCTL_RUNTIME_REMOTE_LOCK_H
#define DRCTL_RUNTIME_REMOTE_LOCK_H

#include <jansson.h>

#include "base/compiler.h"
#include "base/error.h"

struct remote_lock;

/* From a site's values: *ret_lock is NULL when the site names none. ERROR_INVALID when what it
 * names is not a lock. */
MUST_USE int remote_lock_new(const json_t *site, const char *target, struct remote_lock **ret_lock,
                             struct error *err);
void remote_lock_free(struct remote_lock *lock);

const char *remote_lock_region(const struct remote_lock *lock);

/* Takes it for the run that holder names, or finds it taken by that same run. ERROR_LOCKED says who
 * has it, since when, and how far that run is. */
MUST_USE int remote_lock_take(const struct remote_lock *lock, const json_t *holder,
                              struct error *err);

/* Writes the holder anew while it is ours: a sign of life, and of how far the run is. ERROR_LOCKED
 * when it is not ours any more. */
MUST_USE int remote_lock_renew(const struct remote_lock *lock, const json_t *holder,
                               struct error *err);

/* Gives it up when the run has it; otherwise does nothing. */
MUST_USE int remote_lock_release(const struct remote_lock *lock, const char *run_id,
                                 struct error *err);

/* Puts on record, beside the lock, that somebody breaks it. */
MUST_USE int remote_lock_record_break(const struct remote_lock *lock, const json_t *holder,
                                      const char *who, const char *why, struct error *err);

/* Who holds it; a new reference, json_null() when nobody does, NULL with err. */
MUST_USE json_t *remote_lock_read(const struct remote_lock *lock, struct error *err);

#endif
