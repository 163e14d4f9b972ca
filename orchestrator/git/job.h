/* A conversation with a remote on a thread of its own, so that the caller can leave it when it
 * hangs: libgit2 1.5 waits for a silent server for ever and cannot be interrupted while it does.
 *
 * An abandoned job goes on by itself until its socket gives up. It therefore owns everything that
 * it touches (its context), works in a folder that nobody else knows, and cleans up behind itself.
 */
#ifndef DRCTL_GIT_JOB_H
#define DRCTL_GIT_JOB_H

#include <stdbool.h>

#include "base/compiler.h"
#include "base/error.h"
#include "git/repo.h"

struct job;

struct job_work {
    int (*run)(struct job *job, void *context, struct error *err);
    void (*free_context)(void *context); /* called for an abandoned job, on its thread */
};

/* Runs work to its end and returns what it returns, with *context still the caller's. When the
 * access's owner cancels (ERROR_CANCELLED) or nothing moves for its stall time (ERROR_TIMEOUT), the
 * job is left to itself, *context becomes NULL and -1 is returned. */
MUST_USE int job_run(const struct repo_access *access, const struct job_work *work, void **context,
                     struct error *err);

/* For the job's thread: there was progress. */
void job_touch(struct job *job);

/* For the job's thread: progress, and a line about it for people. */
void job_say(struct job *job, const char *format, ...) PRINTF_LIKE(2, 3);

/* For the job's thread: nobody wants the result any more; libgit2's callbacks return -1 then. */
bool job_is_stopping(struct job *job);

#endif
