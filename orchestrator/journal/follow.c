/* A follower is a reader that is woken when the file changes. inotify says when; a slow timer
 * stands beside it, since network file systems and exhausted watch limits never say. All reading
 * happens in the idle handle's callback and in slices, so that a long history does not hold up the
 * loop. */
#include "journal/follow.h"

#include <stdlib.h>

#include "base/memory.h"

enum {
    EVENTS_PER_SLICE = 512,
    POLL_INTERVAL_MS = 1000,
};

struct journal_follower {
    struct journal_reader *reader;
    struct journal_follow_callbacks callbacks;
    void *data;
    uv_idle_t reading;
    uv_timer_t poll;
    uv_fs_event_t watch;
    int open_handles;
    bool closing;
    bool caught_up;
};

static void stop_reading(struct journal_follower *follower)
{
    uv_idle_stop(&follower->reading);
    if (!follower->caught_up) {
        follower->caught_up = true;
        follower->callbacks.caught_up(follower->data);
    }
}

static void fail(struct journal_follower *follower, struct error *err)
{
    uv_idle_stop(&follower->reading);
    uv_timer_stop(&follower->poll);
    uv_fs_event_stop(&follower->watch);
    follower->callbacks.failed(follower->data, err);
    error_release(err);
}

static void read_slice(uv_idle_t *handle)
{
    struct journal_follower *follower = handle->data;
    for (int i = 0; i < EVENTS_PER_SLICE && !follower->closing; i++) {
        struct journal_event event;
        struct error err = ERROR_INIT;
        int got = journal_reader_next(follower->reader, &event, &err);
        if (got < 0) {
            fail(follower, &err);
            return;
        }
        if (got == 0) {
            stop_reading(follower);
            return;
        }
        follower->callbacks.event(follower->data, &event);
    }
}

static void wake(struct journal_follower *follower)
{
    uv_idle_start(&follower->reading, read_slice);
}

static void on_change(uv_fs_event_t *handle, const char *name, int events, int status)
{
    (void)name;
    (void)events;
    (void)status;
    wake(handle->data);
}

static void on_poll(uv_timer_t *handle)
{
    wake(handle->data);
}

int journal_follow(uv_loop_t *loop, const char *path,
                   const struct journal_follow_callbacks *callbacks, void *data,
                   struct journal_follower **ret_follower, struct error *err)
{
    struct journal_reader *reader;
    if (journal_reader_open(path, &reader, err) != 0) {
        return -1;
    }
    struct journal_follower *follower = memory_new(1, sizeof *follower);
    follower->reader = reader;
    follower->callbacks = *callbacks;
    follower->data = data;
    uv_idle_init(loop, &follower->reading);
    uv_timer_init(loop, &follower->poll);
    uv_fs_event_init(loop, &follower->watch);
    follower->reading.data = follower->poll.data = follower->watch.data = follower;
    follower->open_handles = 3;
    uv_timer_start(&follower->poll, on_poll, POLL_INTERVAL_MS, POLL_INTERVAL_MS);
    (void)uv_fs_event_start(&follower->watch, on_change, path, 0);
    wake(follower);
    *ret_follower = follower;
    return 0;
}

static void on_handle_closed(uv_handle_t *handle)
{
    struct journal_follower *follower = handle->data;
    if (--follower->open_handles == 0) {
        journal_reader_free(follower->reader);
        free(follower);
    }
}

void journal_follower_close(struct journal_follower *follower)
{
    if (follower == NULL || follower->closing) {
        return;
    }
    follower->closing = true;
    uv_close((uv_handle_t *)&follower->reading, on_handle_closed);
    uv_close((uv_handle_t *)&follower->poll, on_handle_closed);
    uv_close((uv_handle_t *)&follower->watch, on_handle_closed);
}
