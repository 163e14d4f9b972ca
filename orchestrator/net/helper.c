/* The program is over when it exited *and* its output has ended, in either order; a child of its
 * own may keep the output open, so the deadline holds for both. */
#include "net/helper.h"

#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "net/oneshot.h"

/* A credential document is 2 KiB; a session token of 64 KiB would not fit a request any more. */
enum { OUTPUT_LIMIT_BYTES = 256 * 1024, CHUNK_BYTES = 8192 };

struct helper {
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
    helper_done *done; /* NULL when it was forgotten */
    void *context;
};

static void maybe_free(struct helper *helper)
{
    if (helper->open_handles == 0 && helper->timer == NULL) {
        if (helper->out.data != NULL) {
            explicit_bzero(helper->out.data, helper->out.capacity_bytes);
        }
        explicit_bzero(helper->chunk, sizeof helper->chunk);
        buffer_release(&helper->out);
        error_release(&helper->err);
        free(helper->program);
        free(helper);
    }
}

static void on_closed(uv_handle_t *handle)
{
    struct helper *helper = handle->data;
    helper->open_handles--;
    maybe_free(helper);
}

static void close_handle(uv_handle_t *handle)
{
    if (!uv_is_closing(handle)) {
        uv_close(handle, on_closed);
    }
}

static void helper_end(struct helper *helper)
{
    if (!helper->ended) {
        helper->ended = true;
        if (!helper->exited && uv_is_active((uv_handle_t *)&helper->process)) {
            uv_process_kill(&helper->process, SIGKILL);
        }
        close_handle((uv_handle_t *)&helper->pipe);
        oneshot_start(helper->timer, 0);
    }
}

static void end_when_over(struct helper *helper)
{
    if (helper->exited && helper->output_ended) {
        helper_end(helper);
    }
}

static void on_timer(void *context)
{
    struct helper *helper = context;
    if (!helper->ended) {
        CLEANUP(memory_cleanup) char *within = clock_format_duration(helper->timeout_ms);
        error_set(&helper->err, ERROR_TIMEOUT, "%s did not end within %s", helper->program, within);
        helper_end(helper);
        return;
    }
    oneshot_free(helper->timer);
    helper->timer = NULL;
    if (helper->done != NULL) {
        helper->done(helper->context, &helper->out, &helper->err);
    }
    maybe_free(helper);
}

static void on_exit_of_child(uv_process_t *process, int64_t status, int signal)
{
    struct helper *helper = process->data;
    helper->exited = true;
    if (signal != 0) {
        error_set(&helper->err, ERROR_FAILED, "%s was ended by signal %d", helper->program, signal);
    } else if (status != 0) {
        error_set(&helper->err, ERROR_FAILED, "%s ended with exit status %lld", helper->program,
                  (long long)status);
    }
    close_handle((uv_handle_t *)process);
    end_when_over(helper);
}

static void on_room_wanted(uv_handle_t *handle, size_t suggested, uv_buf_t *room)
{
    (void)suggested;
    struct helper *helper = handle->data;
    *room = uv_buf_init(helper->chunk, sizeof helper->chunk);
}

static void on_output(uv_stream_t *stream, ssize_t size, const uv_buf_t *room)
{
    struct helper *helper = stream->data;
    if (size < 0) {
        helper->output_ended = true;
        end_when_over(helper);
    } else if (helper->out.size_bytes + (size_t)size > OUTPUT_LIMIT_BYTES) {
        error_set(&helper->err, ERROR_FAILED, "%s prints more than %d bytes", helper->program,
                  OUTPUT_LIMIT_BYTES);
        helper_end(helper);
    } else {
        /* All room at once: growing would leave copies of secrets behind in freed memory. */
        buffer_reserve(&helper->out, OUTPUT_LIMIT_BYTES + 1 - helper->out.size_bytes);
        buffer_append(&helper->out, room->base, (size_t)size);
    }
}

static void spawn(struct helper *helper, const char *const *argv, char *const *environment)
{
    uv_stdio_container_t stdio[3] = {
        {.flags = UV_IGNORE},
        {.flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE, .data.stream = (uv_stream_t *)&helper->pipe},
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
    int status = uv_spawn(helper->pipe.loop, &helper->process, &options);
    if (status != 0) {
        helper->exited = true;
        close_handle((uv_handle_t *)&helper->process);
        error_set(&helper->err, ERROR_NOT_READY, "%s cannot be started: %s", helper->program,
                  uv_strerror(status));
        helper_end(helper);
    } else if (uv_read_start((uv_stream_t *)&helper->pipe, on_room_wanted, on_output) != 0) {
        helper->output_ended = true;
    }
}

struct helper *helper_start(uv_loop_t *loop, const char *const *argv, char *const *environment,
                            int64_t timeout_ms, helper_done *done, void *context)
{
    struct helper *helper = memory_new(1, sizeof *helper);
    helper->program = memory_text(argv[0]);
    helper->timeout_ms = timeout_ms;
    helper->done = done;
    helper->context = context;
    helper->process.data = helper;
    uv_pipe_init(loop, &helper->pipe, 0);
    helper->pipe.data = helper;
    helper->open_handles = 2;
    helper->timer = oneshot_new(loop, on_timer, helper);
    oneshot_start(helper->timer, timeout_ms);
    spawn(helper, argv, environment);
    return helper;
}

void helper_forget(struct helper *helper)
{
    helper->done = NULL;
    helper_end(helper);
}
