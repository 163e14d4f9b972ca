/* A watch is always on the deepest folder that exists. After it was set, the next deeper one is
 * looked for once more: what appears later is told by the watch, what appeared before is found by
 * the look, so nothing falls between them. */
#include "runtime/log_watch.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"

enum { FALLBACK_INTERVAL_MS = 1000 };

struct log_watch {
    uv_fs_event_t notice;
    uv_timer_t fallback;
    int open_handles;
    size_t root_bytes;
    char *directory;
    size_t watched_bytes; /* so much of the path is watched; 0: nothing is */
    void (*changed)(void *data);
    void *data;
};

static size_t deepest(const struct log_watch *watch)
{
    CLEANUP(memory_cleanup) char *path = memory_text(watch->directory);
    size_t size_bytes = strlen(path);
    while (size_bytes > watch->root_bytes && !file_exists(path)) {
        while (path[size_bytes] != '/') {
            size_bytes--;
        }
        path[size_bytes] = '\0';
        size_bytes = strlen(path);
        while (size_bytes > watch->root_bytes && path[size_bytes - 1] == '/') {
            path[--size_bytes] = '\0';
        }
    }
    return size_bytes;
}

static void on_change(uv_fs_event_t *notice, const char *name, int events, int status);

static void on_fallback(uv_timer_t *timer)
{
    struct log_watch *watch = timer->data;
    watch->changed(watch->data);
}

static void aim(struct log_watch *watch)
{
    size_t size_bytes;
    while ((size_bytes = deepest(watch)) != watch->watched_bytes) {
        CLEANUP(memory_cleanup) char *path = memory_text_n(watch->directory, size_bytes);
        uv_fs_event_stop(&watch->notice);
        watch->watched_bytes = size_bytes;
        if (uv_fs_event_start(&watch->notice, on_change, path, 0) != 0) {
            uv_timer_start(&watch->fallback, on_fallback, FALLBACK_INTERVAL_MS,
                           FALLBACK_INTERVAL_MS);
        }
    }
}

static void on_change(uv_fs_event_t *notice, const char *name, int events, int status)
{
    (void)name;
    (void)events;
    (void)status;
    struct log_watch *watch = notice->data;
    aim(watch);
    watch->changed(watch->data);
}

struct log_watch *log_watch_new(uv_loop_t *loop, const char *root, const char *directory,
                                void (*changed)(void *data), void *data)
{
    struct log_watch *watch = memory_new(1, sizeof *watch);
    watch->root_bytes = strlen(root);
    watch->directory = memory_text(directory);
    watch->changed = changed;
    watch->data = data;
    uv_fs_event_init(loop, &watch->notice);
    uv_timer_init(loop, &watch->fallback);
    watch->notice.data = watch->fallback.data = watch;
    watch->open_handles = 2;
    aim(watch);
    return watch;
}

static void on_closed(uv_handle_t *handle)
{
    struct log_watch *watch = handle->data;
    if (--watch->open_handles == 0) {
        free(watch->directory);
        free(watch);
    }
}

void log_watch_close(struct log_watch *watch)
{
    if (watch != NULL) {
        uv_close((uv_handle_t *)&watch->notice, on_closed);
        uv_close((uv_handle_t *)&watch->fallback, on_closed);
    }
}
