/* The programs get no terminal and nothing to read, and a proxy or a dead network cannot hold them
 * up for longer than the deadline. */
#include "commands/tool_probe.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "base/buffer.h"
#include "base/file.h"

enum { DEADLINE_MS = 10 * 1000, ANSWER_LIMIT_BYTES = 64 * 1024 };

struct probe {
    uv_process_t process;
    uv_pipe_t pipe;
    struct buffer text;
    bool running;
};

struct probing {
    uv_loop_t loop;
    uv_timer_t deadline;
    struct probe *probes;
    size_t count;
    size_t open; /* processes and pipes */
};

static void one_less(struct probing *probing)
{
    if (--probing->open == 0) {
        uv_timer_stop(&probing->deadline);
    }
}

static void on_exit_(uv_process_t *process, int64_t status, int signal_number)
{
    (void)status;
    (void)signal_number;
    struct probing *probing = process->loop->data;
    struct probe *probe = process->data;
    probe->running = false;
    uv_close((uv_handle_t *)process, NULL);
    one_less(probing);
}

static void allocate(uv_handle_t *handle, size_t suggested_bytes, uv_buf_t *ret_buffer)
{
    (void)suggested_bytes;
    struct probe *probe = handle->data;
    *ret_buffer = uv_buf_init(buffer_reserve(&probe->text, 4096), 4096);
}

static void on_read(uv_stream_t *stream, ssize_t size, const uv_buf_t *part)
{
    (void)part;
    struct probe *probe = stream->data;
    if (size > 0) {
        buffer_advance(&probe->text, (size_t)size);
    }
    if ((size < 0 || probe->text.size_bytes > ANSWER_LIMIT_BYTES) &&
        !uv_is_closing((uv_handle_t *)stream)) {
        uv_close((uv_handle_t *)stream, NULL);
        one_less(stream->loop->data);
    }
}

static void on_deadline(uv_timer_t *timer)
{
    struct probing *probing = timer->loop->data;
    for (size_t i = 0; i < probing->count; i++) {
        struct probe *probe = &probing->probes[i];
        if (probe->running) {
            uv_process_kill(&probe->process, 9);
        }
        if (probe->pipe.data != NULL && !uv_is_closing((uv_handle_t *)&probe->pipe)) {
            uv_close((uv_handle_t *)&probe->pipe, NULL);
            one_less(probing);
        }
    }
}

static char *find_program(const char *name)
{
    const char *path = getenv("PATH");
    while (path != NULL && *path != '\0') {
        size_t size_bytes = strcspn(path, ":");
        CLEANUP(memory_cleanup) char *folder = memory_text_n(path, size_bytes);
        char *file = file_join(folder, name);
        uv_fs_t request;
        int status = uv_fs_access(NULL, &request, file, 1 /* X_OK */, NULL);
        uv_fs_req_cleanup(&request);
        if (status == 0) {
            return file;
        }
        free(file);
        path += size_bytes + (path[size_bytes] == ':');
    }
    return NULL;
}

static void start(struct probing *probing, struct probe *probe, const struct tool *tool, char *file)
{
    char *argv[ARRAY_SIZE(tool->arguments) + 2] = {(char *)tool->name};
    for (size_t i = 0; i < ARRAY_SIZE(tool->arguments) && tool->arguments[i] != NULL; i++) {
        argv[i + 1] = (char *)tool->arguments[i];
    }
    uv_pipe_init(&probing->loop, &probe->pipe, 0);
    probe->pipe.data = probe->process.data = probe;
    uv_stdio_container_t streams[3] = {
        {.flags = UV_IGNORE},
        {.flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE, .data.stream = (uv_stream_t *)&probe->pipe},
        {.flags = UV_IGNORE},
    };
    uv_process_options_t options = {
        .exit_cb = on_exit_, .file = file, .args = argv, .stdio = streams, .stdio_count = 3};
    if (uv_spawn(&probing->loop, &probe->process, &options) != 0) {
        uv_close((uv_handle_t *)&probe->pipe, NULL);
        uv_close((uv_handle_t *)&probe->process, NULL);
        return;
    }
    probe->running = true;
    probing->open += 2;
    uv_read_start((uv_stream_t *)&probe->pipe, allocate, on_read);
}

void tools_probe(const struct tool *tools, size_t count, struct tool_answer *ret_answers)
{
    struct probing probing = {.probes = memory_new(count, sizeof(struct probe)), .count = count};
    uv_loop_init(&probing.loop);
    probing.loop.data = &probing;
    uv_timer_init(&probing.loop, &probing.deadline);
    uv_timer_start(&probing.deadline, on_deadline, DEADLINE_MS, 0);
    for (size_t i = 0; i < count; i++) {
        ret_answers[i] = (struct tool_answer){.path = find_program(tools[i].name)};
        if (ret_answers[i].path != NULL) {
            start(&probing, &probing.probes[i], &tools[i], ret_answers[i].path);
        }
    }
    if (probing.open == 0) {
        uv_timer_stop(&probing.deadline);
    }
    uv_run(&probing.loop, UV_RUN_DEFAULT);
    uv_close((uv_handle_t *)&probing.deadline, NULL);
    uv_run(&probing.loop, UV_RUN_DEFAULT);
    uv_loop_close(&probing.loop);
    for (size_t i = 0; i < count; i++) {
        ret_answers[i].version = version_find(buffer_text(&probing.probes[i].text));
        buffer_release(&probing.probes[i].text);
    }
    free(probing.probes);
}

void tool_answer_release(struct tool_answer *answer)
{
    free(answer->path);
    free(answer->version);
}

/* --- versions -------------------------------------------------------------------------------- */

int version_compare(const char *a, const char *b)
{
    while (*a != '\0' || *b != '\0') {
        char *a_end;
        char *b_end;
        unsigned long a_number = strtoul(a, &a_end, 10);
        unsigned long b_number = strtoul(b, &b_end, 10);
        if (a_number != b_number) {
            return a_number < b_number ? -1 : 1;
        }
        a = *a_end == '.' ? a_end + 1 : "";
        b = *b_end == '.' ? b_end + 1 : "";
    }
    return 0;
}

char *version_find(const char *text)
{
    for (const char *at = text; *at != '\0'; at++) {
        size_t size_bytes = strspn(at, "0123456789.");
        bool starts = isdigit((unsigned char)*at) != 0;
        if (starts && memchr(at, '.', size_bytes) != NULL) {
            while (at[size_bytes - 1] == '.') {
                size_bytes--;
            }
            return memory_text_n(at, size_bytes);
        }
        at += starts ? size_bytes - 1 : 0;
    }
    return NULL;
}
