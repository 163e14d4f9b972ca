/* A timer that fires once: the one way in net/ to say "later", so that a callback never runs inside
 * the call that asked for it. */
#ifndef DRCTL_NET_ONESHOT_H
#define DRCTL_NET_ONESHOT_H

#include <stdint.h>
#include <uv.h>

struct oneshot;

/* A timer that is not started yet. fire() runs on the loop. */
struct oneshot *oneshot_new(uv_loop_t *loop, void (*fire)(void *context), void *context);

/* Starts it anew; 0 means as soon as the loop comes round. */
void oneshot_start(struct oneshot *oneshot, int64_t delay_ms);

void oneshot_stop(struct oneshot *oneshot);

/* Stops it for good; allowed from inside fire(). NULL is accepted. The memory is given back when
 * the loop has come round once more. */
void oneshot_free(struct oneshot *oneshot);

#endif
