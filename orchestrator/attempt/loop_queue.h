/* How other threads ask the event loop to do something. */
#ifndef DRCTL_ATTEMPT_LOOP_QUEUE_H
#define DRCTL_ATTEMPT_LOOP_QUEUE_H

#include <uv.h>

struct loop_queue;

/* Called on the loop's thread. The queue keeps the loop alive until it is closed. */
struct loop_queue *loop_queue_new(uv_loop_t *loop);

uv_loop_t *loop_queue_loop(const struct loop_queue *queue);

/* Calls function(data) on the loop's thread, in the order of the posts. From any thread. */
void loop_queue_post(struct loop_queue *queue, void (*function)(void *data), void *data);

/* On the loop's thread, when nobody posts any more; frees itself once the loop has let go of it. */
void loop_queue_close(struct loop_queue *queue);

#endif
