/* What all processes of a loop share: one inotify descriptor, one idle handle,
 * one nursery of shims.
 * Nothing is polled: the kernel says when a log grew, exit.json appeared or a lock was let go, and
 * the idle handle runs only while something is left to read. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/file.h"
#include "process/process_internal.h"

enum {
    HOST_HANDLES = 2,
    HOST_EVENT_BYTES = 64 * 1024,
    HOST_WATCH_MASK = IN_MODIFY | IN_MOVED_TO | IN_CLOSE_WRITE | IN_ONLYDIR,
};

/* --- looking at processes --- */

static void dispatch(struct process_host *host)
{
    bool more = false;
    host->dispatching = true;
    for (struct process *process = host->first; process != NULL; process = process->next) {
        if (process->dirty && !process->paused && !process->freed) {
            process_advance(process);
        }
    }
    host->dispatching = false;
    host_sweep(host);
    for (struct process *process = host->first; process != NULL; process = process->next) {
        more |= process->dirty && !process->paused;
    }
    if (!more && !host->closing) {
        uv_idle_stop(&host->idle);
    }
}

static void on_idle(uv_idle_t *idle)
{
    dispatch(idle->data);
}

void host_wake(struct process *process)
{
    process->dirty = true;
    if (!process->paused && !process->host->closing) {
        uv_idle_start(&process->host->idle, on_idle);
    }
}

/* --- inotify --- */

static void note_event(struct process *process, const struct inotify_event *event)
{
    const char *name = event->len > 0 ? event->name : "";
    process->dirty = true;
    if (strcmp(name, "exit.json") == 0) {
        process->ended |= (event->mask & IN_MOVED_TO) != 0;
    } else if (strcmp(name, "lock") == 0) {
        bool closed = (event->mask & IN_CLOSE_WRITE) != 0 && !process->ended;
        process->unsettled |= closed;
        process->lock_closed |= closed;
    } else if (strncmp(name, "output.", 7) == 0 && strcmp(name, "output.log") != 0) {
        process->pieces_seen = true;
    }
}

/* Events were lost: every question is open again. */
static void note_overflow(struct process_host *host)
{
    for (struct process *process = host->first; process != NULL; process = process->next) {
        process->unsettled = !process->ended;
        process->pieces_seen = process->dirty = true;
    }
}

static void note_events(struct process_host *host, const char *bytes, size_t size_bytes)
{
    const struct inotify_event *event;
    for (size_t at = 0; at + sizeof *event <= size_bytes; at += sizeof *event + event->len) {
        event = (const struct inotify_event *)(const void *)(bytes + at);
        if ((event->mask & IN_Q_OVERFLOW) != 0) {
            note_overflow(host);
        }
        for (struct process *process = host->first; process != NULL; process = process->next) {
            if (process->watch == event->wd) {
                note_event(process, event);
            }
        }
    }
}

static void on_inotify(uv_poll_t *poll, int status, int events)
{
    static _Alignas(struct inotify_event) char bytes[HOST_EVENT_BYTES];
    struct process_host *host = poll->data;
    ssize_t size;
    (void)status;
    (void)events;
    while ((size = read(host->inotify, bytes, sizeof bytes)) > 0) {
        note_events(host, bytes, (size_t)size);
    }
    dispatch(host);
    for (struct process *process = host->first; process != NULL; process = process->next) {
        if (process->dirty && !process->paused) {
            host_wake(process);
        }
    }
}

int host_watch(struct process *process, struct error *err)
{
    struct process_host *host = process->host;
    process->watch = inotify_add_watch(host->inotify, process->directory_path, HOST_WATCH_MASK);
    if (process->watch < 0) {
        return error_set_errno(err, errno, "cannot watch %s", process->directory_path);
    }
    if (host->watched++ == 0) {
        uv_ref((uv_handle_t *)&host->poll);
    }
    return 0;
}

/* All watches of one directory are one watch to the kernel. */
static bool is_watched(const struct process_host *host, int watch)
{
    const struct process *process = host->first;
    while (process != NULL && process->watch != watch) {
        process = process->next;
    }
    return process != NULL;
}

void host_unwatch(struct process *process)
{
    struct process_host *host = process->host;
    if (process->watch < 0) {
        return;
    }
    int watch = process->watch;
    process->watch = -1;
    if (!is_watched(host, watch)) {
        inotify_rm_watch(host->inotify, watch);
    }
    if (--host->watched == 0 && !host->closing) {
        uv_unref((uv_handle_t *)&host->poll);
    }
}

/* --- opening --- */

static char *beside_this_program(const char *relative)
{
    char self[4096];
    ssize_t size = readlink("/proc/self/exe", self, sizeof self - 1);
    self[size > 0 ? size : 0] = '\0';
    char *slash = strrchr(self, '/');
    if (slash == NULL) {
        return NULL;
    }
    *slash = '\0';
    return file_join(self, relative);
}

static char *on_path(void)
{
    const char *path = getenv("PATH");
    CLEANUP(memory_cleanup) char *variable = memory_format("PATH=%s", path != NULL ? path : "");
    const char *argv[] = {"drctl-shim", NULL};
    const char *environment[] = {variable, NULL};
    struct process_spec spec = {.argv = argv, .environment = environment};
    char *found = NULL;
    return spawn_find_program(&spec, &found, NULL) == 0 ? found : NULL;
}

static char *find_shim(void)
{
    static const char *const places[] = {"drctl-shim", "../libexec/drctl/drctl-shim"};
    const char *named = getenv("DRCTL_SHIM");
    if (named != NULL && *named != '\0') {
        return memory_text(named);
    }
    for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
        char *path = beside_this_program(places[i]);
        if (path != NULL && access(path, X_OK) == 0) {
            return path;
        }
        free(path);
    }
    return on_path();
}

/* The kernel counts its OOM kills for each memory cgroup (v2), and for the machine as a whole. */
static void open_oom_counter(struct process_host *host)
{
    CLEANUP(buffer_release) struct buffer text = BUFFER_INIT;
    CLEANUP(error_release) struct error ignored = ERROR_INIT;
    CLEANUP(file_close_cleanup) int cgroup = open("/proc/self/cgroup", O_RDONLY | O_CLOEXEC);
    const char *unified = NULL;
    if (cgroup >= 0 && file_read_descriptor(cgroup, HOST_READ_BYTES, &text, &ignored) == 0) {
        unified = strstr(buffer_text(&text), "0::/");
    }
    if (unified != NULL) {
        host->oom_path = memory_format("/sys/fs/cgroup%.*s/memory.events",
                                       (int)strcspn(unified + 3, "\n"), unified + 3);
        host->oom_counter = open(host->oom_path, O_RDONLY | O_CLOEXEC);
    }
    if (host->oom_counter < 0) {
        free(host->oom_path);
        host->oom_path = memory_text("/proc/vmstat");
        host->oom_counter = open(host->oom_path, O_RDONLY | O_CLOEXEC);
    }
}

static void release(struct process_host *host)
{
    spawn_stop(host);
    file_close_cleanup(&host->inotify);
    file_close_cleanup(&host->null);
    file_close_cleanup(&host->oom_counter);
    free(host->shim_path);
    free(host->oom_path);
    free(host->read_buffer);
    free(host);
}

static int open_descriptors(struct process_host *host, struct error *err)
{
    host->inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (host->inotify < 0) {
        return error_set_errno(err, errno, "cannot watch task directories");
    }
    host->null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (host->null < 0) {
        return error_set_errno(err, errno, "cannot open /dev/null");
    }
    open_oom_counter(host);
    return 0;
}

static void start_handles(struct process_host *host)
{
    host->poll.data = host->idle.data = host;
    host->open_handles = HOST_HANDLES;
    uv_idle_init(host->loop, &host->idle);
    uv_poll_start(&host->poll, UV_READABLE, on_inotify);
    uv_unref((uv_handle_t *)&host->poll);
}

static void on_handle_closed(uv_handle_t *handle)
{
    struct process_host *host = handle->data;
    if (--host->open_handles == 0) {
        if (host->closed != NULL) {
            host->closed(host->closed_context);
        }
        release(host);
    }
}

int process_host_open(uv_loop_t *loop, const char *shim_path, struct process_host **ret_host,
                      struct error *err)
{
    struct process_host *host = memory_new(1, sizeof *host);
    host->loop = loop;
    host->inotify = host->null = host->oom_counter = host->nursery = -1;
    host->shim_path = shim_path != NULL ? memory_text(shim_path) : find_shim();
    host->read_buffer = memory_new(1, HOST_READ_BYTES);
    int result;
    if (host->shim_path == NULL) {
        result = error_set(err, ERROR_NOT_READY, "the program drctl-shim is missing");
    } else if (access(host->shim_path, X_OK) != 0) {
        result = error_set(err, ERROR_NOT_READY, "the shim %s cannot be executed: %s",
                           host->shim_path, strerror(errno));
    } else {
        result = open_descriptors(host, err);
    }
    if (result == 0 && uv_poll_init(loop, &host->poll, host->inotify) != 0) {
        result = error_set(err, ERROR_IO, "cannot watch task directories from the loop");
    }
    if (result != 0) {
        release(host);
        return error_context(err, "cannot prepare for running commands");
    }
    start_handles(host);
    *ret_host = host;
    return 0;
}

void process_host_close(struct process_host *host, void (*done)(void *context), void *context)
{
    for (struct process *process = host->first; process != NULL;) {
        struct process *next = process->next;
        process_free(process);
        process = next;
    }
    host->closing = true;
    host->closed = done;
    host->closed_context = context;
    uv_close((uv_handle_t *)&host->poll, on_handle_closed);
    uv_close((uv_handle_t *)&host->idle, on_handle_closed);
}
