/* A uv_timer_t that owns itself between oneshot_free() and its close callback. */
#include "net/oneshot.h"

#include <stdlib.h>

#include "base/memory.h"

struct oneshot {
    uv_timer_t timer;
    void (*fire)(void *context);
    void *context;
};

static void on_timer(uv_timer_t *timer)
{
    struct oneshot *oneshot = timer->data;
    oneshot->fire(oneshot->context);
}

struct oneshot *oneshot_new(uv_loop_t *loop, void (*fire)(void *context), void *context)
{
    struct oneshot *oneshot = memory_new(1, sizeof *oneshot);
    uv_timer_init(loop, &oneshot->timer);
    oneshot->timer.data = oneshot;
    oneshot->fire = fire;
    oneshot->context = context;
    return oneshot;
}

void oneshot_start(struct oneshot *oneshot, int64_t delay_ms)
{
    /* The loop's idea of now may be old after long work; a delay counts from the real now. */
    uv_update_time(oneshot->timer.loop);
    uv_timer_start(&oneshot->timer, on_timer, delay_ms > 0 ? (uint64_t)delay_ms : 0, 0);
}

void oneshot_stop(struct oneshot *oneshot)
{
    uv_timer_stop(&oneshot->timer);
}

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

void oneshot_free(struct oneshot *oneshot)
{
    if (oneshot != NULL) {
        uv_close((uv_handle_t *)&oneshot->timer, on_closed);
    }
}
