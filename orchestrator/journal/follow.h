/* Following a journal live, from its first event: history first, then what is appended, in the same
 * way and through the same proof as a replay. For attach, status and the views of another process.
 */
#ifndef DRCTL_JOURNAL_FOLLOW_H
#define DRCTL_JOURNAL_FOLLOW_H

#include <uv.h>

#include "base/compiler.h"
#include "base/error.h"
#include "journal/replay.h"

struct journal_follower;

/* Each is called from the loop, never from within journal_follow(). caught_up is called once, when
 * the history that was there has been handed out. failed (damage, I/O) is the last call. */
struct journal_follow_callbacks {
    void (*event)(void *data, const struct journal_event *event);
    void (*caught_up)(void *data);
    void (*failed)(void *data, const struct error *err);
};

/* The callbacks are copied. */
MUST_USE int journal_follow(uv_loop_t *loop, const char *path,
                            const struct journal_follow_callbacks *callbacks, void *data,
                            struct journal_follower **ret_follower, struct error *err);

/* Stops: no callback after this call, from within a callback as well. It frees itself when the loop
 * has closed its handles. NULL is accepted. */
void journal_follower_close(struct journal_follower *follower);

#endif
