/* The program is over when it exited *and* its output has ended, in either order; a child of its
 * own may keep the output open, so the deadline holds for both. */
#include "net/capture.h"

#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "net/oneshot.h"

/* A credential document is 2 KiB; a session token of 64 KiB would not fit a request any more. */
enum { OUTPUT_LIMIT_BYTES = 256 * 1024, CHUNK_BYTES = 8192 };

struct capture {
    uv_process_t process;
    uv_pipe_t pipe;
    struct oneshot *timer; /* the deadline; then what calls done() */
    char *program;
    int64_t timeout_ms;
    bool exited;
    bool output_ended;
    bool ended;
    unsigned open_handles; /* of process and pipe */
    struct buffer out;
    char chunk[CHUNK_BYTES];
    struct error err;
    capture_done *done; /* NULL when it was forgotten */
    void *context;
};

static void maybe_free(struct capture *capture)
{
    if (capture->open_handles == 0 && capture->timer == NULL) {
        if (capture->out.data != NULL) {
            explicit_bzero(capture->out.data, capture->out.capacity_bytes);
        }
        explicit_bzero(capture->chunk, sizeof capture->chunk);
        buffer_release(&capture->out);
        error_release(&capture->err);
        free(capture->program);
        free(capture);
    }
}

static void on_closed(uv_handle_t *handle)
{
    struct capture *capture = handle->data;
    capture->open_handles--;
    maybe_free(capture);
}

static void close_handle(uv_handle_t *handle)
{
    if (!uv_is_closing(handle)) {
        uv_close(handle, on_closed);
    }
}

static void capture_end(struct capture *capture)
{
    if (!capture->ended) {
        capture->ended = true;
        if (!capture->exited && uv_is_active((uv_handle_t *)&capture->process)) {
            uv_process_kill(&capture->process, SIGKILL);
        }
        close_handle((uv_handle_t *)&capture->pipe);
        oneshot_start(capture->timer, 0);
    }
}

static void end_when_over(struct capture *capture)
{
    if (capture->exited && capture->output_ended) {
        capture_end(capture);
    }
}

static void on_timer(void *context)
{
    struct capture *capture = context;
    if (!capture->ended) {
        CLEANUP(memory_cleanup) char *within = clock_format_duration(capture->timeout_ms);
        error_set(&capture->err, ERROR_TIMEOUT, "%s did not end within %s", capture->program,
                  within);
        capture_end(capture);
        return;
    }
    oneshot_free(capture->timer);
    capture->timer = NULL;
    if (capture->done != NULL) {
        capture->done(capture->context, &capture->out, &capture->err);
    }
    maybe_free(capture);
}

static void on_exit_of_child(uv_process_t *process, int64_t status, int signal)
{
    struct capture *capture = process->data;
    capture->exited = true;
    if (signal != 0) {
        error_set(&capture->err, ERROR_FAILED, "%s was ended by signal %d", capture->program,
                  signal);
    } else if (status != 0) {
        error_set(&capture->err, ERROR_FAILED, "%s ended with exit status %lld", capture->program,
                  (long long)status);
    }
    close_handle((uv_handle_t *)process);
    end_when_over(capture);
}

static void on_room_wanted(uv_handle_t *handle, size_t suggested, uv_buf_t *room)
{
    (void)suggested;
    struct capture *capture = handle->data;
    *room = uv_buf_init(capture->chunk, sizeof capture->chunk);
}

static void on_output(uv_stream_t *stream, ssize_t size, const uv_buf_t *room)
{
    struct capture *capture = stream->data;
    if (size < 0) {
        capture->output_ended = true;
        end_when_over(capture);
    } else if (capture->out.size_bytes + (size_t)size > OUTPUT_LIMIT_BYTES) {
        error_set(&capture->err, ERROR_FAILED, "%s prints more than %d bytes", capture->program,
                  OUTPUT_LIMIT_BYTES);
        capture_end(capture);
    } else {
        /* All room at once: growing would leave copies of secrets behind in freed memory. */
        buffer_reserve(&capture->out, OUTPUT_LIMIT_BYTES + 1 - capture->out.size_bytes);
        buffer_append(&capture->out, room->base, (size_t)size);
    }
}

static void spawn(struct capture *capture, const char *const *argv, char *const *environment)
{
    uv_stdio_container_t stdio[3] = {
        {.flags = UV_IGNORE},
        {.flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE, .data.stream = (uv_stream_t *)&capture->pipe},
        {.flags = UV_IGNORE},
    };
    uv_process_options_t options = {
        .exit_cb = on_exit_of_child,
        .file = argv[0],
        .args = (char **)(uintptr_t)argv,
        .env = (char **)(uintptr_t)environment,
        .stdio = stdio,
        .stdio_count = 3,
    };
    int status = uv_spawn(capture->pipe.loop, &capture->process, &options);
    if (status != 0) {
        capture->exited = true;
        close_handle((uv_handle_t *)&capture->process);
        error_set(&capture->err, ERROR_NOT_READY, "%s cannot be started: %s", capture->program,
                  uv_strerror(status));
        capture_end(capture);
    } else if (uv_read_start((uv_stream_t *)&capture->pipe, on_room_wanted, on_output) != 0) {
        capture->output_ended = true;
    }
}

struct capture *capture_start(uv_loop_t *loop, const char *const *argv, char *const *environment,
                              int64_t timeout_ms, capture_done *done, void *context)
{
    struct capture *capture = memory_new(1, sizeof *capture);
    capture->program = memory_text(argv[0]);
    capture->timeout_ms = timeout_ms;
    capture->done = done;
    capture->context = context;
    capture->process.data = capture;
    uv_pipe_init(loop, &capture->pipe, 0);
    capture->pipe.data = capture;
    capture->open_handles = 2;
    capture->timer = oneshot_new(loop, on_timer, capture);
    oneshot_start(capture->timer, timeout_ms);
    spawn(capture, argv, environment);
    return capture;
}

void capture_forget(struct capture *capture)
{
    capture->done = NULL;
    capture_end(capture);
}
