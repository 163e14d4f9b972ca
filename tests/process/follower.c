/* Test support: a process on a loop of its own. */
#include "follower.h"

#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/memory.h"
#include "scratch.h"

enum { FOLLOWER_LIMIT_MS = 60000 };

static const char *const plain_environment[] = {"PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
                                                "LC_ALL=C", NULL};

int follower_setup(void **state)
{
    struct follower *follower = memory_new(1, sizeof *follower);
    struct error err = ERROR_INIT;
    follower->folder = scratch_new();
    follower->task = scratch_path(follower->folder, "task");
    follower->spec.environment = plain_environment;
    follower->spec.cwd = follower->folder;
    follower->spec.directory = follower->task;
    assert_int_equal(uv_loop_init(&follower->loop), 0);
    if (process_host_open(&follower->loop, NULL, &follower->host, &err) != 0) {
        fail_msg("%s", err.message);
    }
    *state = follower;
    return 0;
}

int follower_teardown(void **state)
{
    struct follower *follower = *state;
    process_free(follower->process);
    process_host_close(follower->host, NULL, NULL);
    uv_run(&follower->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&follower->loop), 0);
    for (int i = 0; i < CRI_STREAM_COUNT; i++) {
        buffer_release(&follower->text[i]);
    }
    free(follower->message);
    free(follower->task);
    scratch_free(follower->folder);
    free(follower);
    return 0;
}

static void on_line(struct process *process, const struct process_line *line, void *context)
{
    struct follower *follower = context;
    struct buffer *text = &follower->text[line->record.stream];
    assert_true(line->offset >= follower->next_offset);
    assert_true(line->next_offset > line->offset);
    assert_false(follower->done);
    buffer_append_span(text, line->record.text);
    if (line->record.partial) {
        follower->parts++;
    } else {
        buffer_append_char(text, '\n');
        follower->lines++;
    }
    follower->next_offset = line->next_offset;
    if (follower->on_line != NULL) {
        follower->on_line(follower, line);
    }
    if (follower->stop_after_lines != 0 && follower->lines == follower->stop_after_lines) {
        process_pause(process);
        uv_stop(&follower->loop);
    }
}

static void on_gap(struct process *process, uint64_t from_offset, uint64_t to_offset, void *context)
{
    struct follower *follower = context;
    (void)process;
    assert_true(to_offset > from_offset);
    follower->gap_bytes += to_offset - from_offset;
    follower->next_offset = to_offset;
}

static void on_done(struct process *process, const struct process_result *result, void *context)
{
    struct follower *follower = context;
    assert_ptr_equal(process, follower->process);
    assert_false(follower->done);
    follower->done = true;
    follower->result = *result;
    follower->result.message = follower->message = memory_text(result->message);
    uv_stop(&follower->loop);
}

static const struct process_callbacks callbacks = {on_line, on_gap, on_done};

void follower_start(struct follower *follower, const char *const *argv)
{
    struct error err = ERROR_INIT;
    follower->spec.argv = argv;
    if (process_start(follower->host, &follower->spec, &callbacks, follower, &follower->process,
                      &err) != 0) {
        fail_msg("%s", err.message);
    }
}

void follower_start_shell(struct follower *follower, const char *script)
{
    const char *argv[] = {"sh", "-c", script, NULL};
    follower_start(follower, argv);
}

void follower_adopt(struct follower *follower, uint64_t from_offset)
{
    struct error err = ERROR_INIT;
    follower->next_offset = from_offset;
    if (process_adopt(follower->host, &follower->spec, from_offset, &callbacks, follower,
                      &follower->process, &err) != 0) {
        fail_msg("%s", err.message);
    }
}

static void on_limit(uv_timer_t *timer)
{
    (void)timer;
    fail_msg("nothing came for %d ms", FOLLOWER_LIMIT_MS);
}

static void run_loop(struct follower *follower, uint64_t limit_ms, uv_timer_cb limit)
{
    uv_timer_t timer;
    uv_timer_init(&follower->loop, &timer);
    timer.data = follower;
    uv_timer_start(&timer, limit, limit_ms, 0);
    uv_run(&follower->loop, UV_RUN_DEFAULT);
    uv_close((uv_handle_t *)&timer, NULL);
    uv_run(&follower->loop, UV_RUN_NOWAIT);
}

void follower_run(struct follower *follower)
{
    run_loop(follower, FOLLOWER_LIMIT_MS, on_limit);
}

void follower_run_shell(struct follower *follower, const char *script)
{
    follower_start_shell(follower, script);
    follower_run(follower);
    assert_true(follower->done);
}

static void on_tick(uv_timer_t *timer)
{
    struct follower *follower = timer->data;
    uv_stop(&follower->loop);
}

void follower_run_until(struct follower *follower, bool (*holds)(const struct follower *))
{
    for (int ticks = 0; !holds(follower); ticks++) {
        assert_true(ticks < FOLLOWER_LIMIT_MS / 10);
        run_loop(follower, 10, on_tick);
    }
}

void follower_forget(struct follower *follower)
{
    process_free(follower->process);
    follower->process = NULL;
    for (int i = 0; i < CRI_STREAM_COUNT; i++) {
        buffer_clear(&follower->text[i]);
    }
    free(follower->message);
    follower->message = NULL;
    follower->lines = follower->parts = follower->stop_after_lines = 0;
    follower->next_offset = follower->gap_bytes = 0;
    follower->done = false;
}

static bool read_command_line(const char *pid, char text[4096], size_t *ret_size_bytes)
{
    char path[300];
    snprintf(path, sizeof path, "/proc/%s/cmdline", pid);
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t size = descriptor >= 0 ? read(descriptor, text, 4095) : -1;
    if (descriptor >= 0) {
        close(descriptor);
    }
    text[size > 0 ? size : 0] = '\0';
    *ret_size_bytes = size > 0 ? (size_t)size : 0;
    return size > 0;
}

/* In the order of their pids, which mostly is that of their age. */
static size_t find_processes(const char *program, const char *text, int pids[FOLLOWER_SHIMS])
{
    size_t count = 0;
    DIR *directory = opendir("/proc");
    struct dirent *entry;
    assert_non_null(directory);
    while ((entry = readdir(directory)) != NULL) {
        char line[4096];
        size_t size_bytes;
        int pid = (int)strtol(entry->d_name, NULL, 10);
        if (pid <= 0 || pid == getpid() || !read_command_line(entry->d_name, line, &size_bytes)) {
            continue;
        }
        if ((program == NULL || strcmp(line, program) == 0) &&
            memmem(line, size_bytes, text, strlen(text)) != NULL) {
            if (count < FOLLOWER_SHIMS) {
                pids[count] = pid;
            }
            count++;
        }
    }
    closedir(directory);
    return count;
}

size_t follower_shims(const struct follower *follower, int pids[FOLLOWER_SHIMS])
{
    return find_processes("drctl-shim", follower->task, pids);
}

size_t follower_count_processes(const char *text)
{
    int pids[FOLLOWER_SHIMS];
    return find_processes(NULL, text, pids);
}
