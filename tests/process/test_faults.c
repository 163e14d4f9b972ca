/* Each open, read, write, rename and spawn of drctl's process layer and of the shim fails once, one
 * after the other. Whatever comes of it must be true: no success that is none, no effect twice, no
 * line lost without a word, and a cause that is named. */
#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "scratch.h"

enum { LINES = 101, CALLS_LIMIT = 200 };
#define PRINTS "seq 1 100; echo error >&2; exit 3"
static const char at_once[] = "echo x >> effects; " PRINTS;

/* Long enough for the shim to have a guard, and then in many reads. */
static const char with_guard[] = "echo x >> effects; sleep 0.4; for i in 1 2 3 4 5; do seq 1 10; "
                                 "sleep 0.01; done; seq 1 50; echo error >&2; exit 3";

struct trial {
    const char *command;
    char *folder; /* holds task/, effects, fault.log */
    char *fault;  /* DRCTL_FAULT */
    bool in_shim; /* else in drctl */
};

static const char *need(const char *variable)
{
    const char *value = getenv(variable);
    if (value == NULL) {
        fail_msg("%s is not set", variable);
    }
    return value;
}

/* A shim that fails: the environment of the real one is empty, so it is set on the way. */
static void write_failing_shim(const struct trial *trial)
{
    char *script =
        memory_format("#!/bin/sh\nexport LD_PRELOAD=%s DRCTL_FAULT=%s "
                      "DRCTL_FAULT_LOG=%s/fault.log DRCTL_FAULT_ONCE=1 "
                      "ASAN_OPTIONS=%s\nexec %s \"$@\"\n",
                      need("DRCTL_FAULT_LIBRARY"), trial->fault, trial->folder,
                      "verify_asan_link_order=0:detect_leaks=0", need("DRCTL_SHIM_DYNAMIC"));
    char *path = scratch_path(trial->folder, "shim");
    scratch_write(trial->folder, "shim", script);
    chmod(path, 0700);
    free(path);
    free(script);
}

static pid_t spawn_run_one(const struct trial *trial, const char *how, bool faulty, int out)
{
    char *task = scratch_path(trial->folder, "task");
    const char *argv[] = {need("DRCTL_RUN_ONE"), how, task, trial->folder, "sh", "-c",
                          trial->command,        NULL};
    bool in_shim = faulty && trial->in_shim;
    char *shim = in_shim ? scratch_path(trial->folder, "shim") : memory_text(need("DRCTL_SHIM"));
    char *environment[] = {
        memory_format("DRCTL_SHIM=%s", shim),
        memory_format("ASAN_OPTIONS=verify_asan_link_order=0:detect_leaks=0"),
        memory_format("LD_PRELOAD=%s", faulty && !in_shim ? need("DRCTL_FAULT_LIBRARY") : ""),
        memory_format("DRCTL_FAULT=%s", trial->fault),
        memory_format("DRCTL_FAULT_LOG=%s/fault.log", trial->folder),
        NULL,
    };
    posix_spawn_file_actions_t actions;
    pid_t pid;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
    assert_int_equal(posix_spawn(&pid, argv[0], &actions, NULL, (char *const *)argv, environment),
                     0);
    posix_spawn_file_actions_destroy(&actions);
    for (size_t i = 0; environment[i] != NULL; i++) {
        free(environment[i]);
    }
    free(shim);
    free(task);
    return pid;
}

/* Its one line; "" when it crashed. The caller frees it. */
static char *run_one(const struct trial *trial, const char *how, bool faulty)
{
    struct buffer line = BUFFER_INIT;
    int ends[2];
    int status;
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    pid_t pid = spawn_run_one(trial, how, faulty, ends[1]);
    close(ends[1]);
    for (ssize_t size = 1; size > 0;) {
        size = read(ends[0], buffer_reserve(&line, 512), 512);
        buffer_advance(&line, size > 0 ? (size_t)size : 0);
    }
    close(ends[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return buffer_take(&line);
}

static size_t count_effects(const struct trial *trial)
{
    char *path = scratch_path(trial->folder, "effects");
    size_t size_bytes = 0;
    if (access(path, F_OK) == 0) {
        free(scratch_read(path, &size_bytes));
    }
    free(path);
    return size_bytes / 2; /* "x\n" */
}

/* Did the fault come to pass, or were there fewer calls than that? */
static bool has_fired(const struct trial *trial)
{
    char *path = scratch_path(trial->folder, "fault.log");
    char *log = access(path, F_OK) == 0 ? scratch_read(path, NULL) : memory_text("");
    bool fired = strstr(log, "fired ") != NULL;
    free(log);
    free(path);
    return fired;
}

static bool starts_with(const char *line, const char *start)
{
    return strncmp(line, start, strlen(start)) == 0;
}

/* The status may be lost when a shim without a guard is killed in the instant in which the command
 * ends; the output is not. */
static void check_ended(const struct trial *trial, const char *line)
{
    int code;
    size_t lines;
    size_t parts;
    size_t lost;
    int at = 0;
    bool known = starts_with(line, "exited ");
    assert_int_equal(sscanf(line, "%*s %d %zu %zu %zu %n", &code, &lines, &parts, &lost, &at), 4);
    assert_int_equal(code, known ? 3 : 0);
    assert_int_equal(count_effects(trial), 1);
    if (lost == 0) {
        assert_int_equal(lines, LINES);
        assert_true(!known || strcmp(line + at, "-\n") == 0);
    } else {
        assert_true(lines <= LINES);
        assert_non_null(strstr(line, "could not be written: No space left on device"));
    }
}

static void check_not_started(const struct trial *trial, const char *line)
{
    assert_true(starts_with(line, "not_started ") || starts_with(line, "never_started ") ||
                starts_with(line, "error "));
    assert_int_equal(count_effects(trial), 0);
    assert_true(strchr(line, ':') != NULL || starts_with(line, "never_started "));
}

/* What another drctl, without a fault, then finds must be the same truth. */
static void check_afterwards(const struct trial *trial, const char *line)
{
    char *again = run_one(trial, "adopt", false);
    if (starts_with(line, "exited ") || starts_with(line, "lost ")) {
        assert_string_equal(again, line);
    } else {
        assert_true(starts_with(again, "not_started ") || starts_with(again, "never_started ") ||
                    starts_with(again, "error not_found"));
    }
    free(again);
}

/* One call fails. False when there were fewer calls. */
static bool try_fault(const char *command, bool in_shim, const char *kind, int number,
                      const char *rest)
{
    struct trial trial = {.command = command, .in_shim = in_shim, .folder = scratch_new()};
    trial.fault = memory_format("%s:%d:%s", kind, number, rest);
    write_failing_shim(&trial);
    char *line = run_one(&trial, "start", true);
    bool fired = has_fired(&trial);
    print_message("%s %s: %s", in_shim ? "shim" : "drctl", trial.fault, line);
    if (starts_with(line, "exited ") ||
        (strstr(rest, "KILL") != NULL && starts_with(line, "lost "))) {
        check_ended(&trial, line);
    } else {
        check_not_started(&trial, line);
    }
    check_afterwards(&trial, line);
    free(line);
    free(trial.fault);
    scratch_free(trial.folder);
    return fired;
}

static void try_each_of(const char *command, bool in_shim, const char *kind, const char *rest)
{
    int number = 1;
    while (try_fault(command, in_shim, kind, number, rest)) {
        assert_true(++number < CALLS_LIMIT);
    }
    assert_true(number > 1); /* a campaign without a fault would prove nothing */
}

static void try_each(bool in_shim, const char *kind, const char *rest)
{
    try_each_of(at_once, in_shim, kind, rest);
}

static void each_open_of_drctl_fails_once(void **state)
{
    (void)state;
    try_each(false, "open", "EMFILE");
}

static void each_read_of_drctl_fails_once(void **state)
{
    (void)state;
    try_each(false, "read", "EIO:task/");
    try_each(false, "read", "EIO:inotify");
}

static void each_write_of_drctl_fails_once(void **state)
{
    (void)state;
    try_each(false, "write", "ENOSPC:task/");
    try_each(false, "write", "ENOSPC:memfd");
}

static void each_mkdir_and_spawn_of_drctl_fails_once(void **state)
{
    (void)state;
    try_each(false, "mkdir", "ENOSPC");
    try_each(false, "spawn", "EAGAIN");
}

static void each_open_of_the_shim_fails_once(void **state)
{
    (void)state;
    try_each(true, "open", "EMFILE");
}

static void each_read_of_the_shim_fails_once(void **state)
{
    (void)state;
    try_each(true, "read", "EIO");
}

static void each_write_of_the_shim_fails_once(void **state)
{
    (void)state;
    try_each(true, "write", "ENOSPC");
}

static void each_rename_of_the_shim_fails_once(void **state)
{
    (void)state;
    try_each(true, "rename", "ENOSPC");
}

/* The shim is killed before and after each call that moves output or the exit status: drctl, or the
 * guard, has another shim go on in the midst of it. */
static void kill_at_each(const char *command)
{
    static const char *const deaths[] = {"KILL", "KILLAFTER"};
    for (size_t i = 0; i < 2; i++) {
        char *pipe_read = memory_format("%s:pipe:", deaths[i]);
        char *log_write = memory_format("%s:output.log", deaths[i]);
        char *exit_write = memory_format("%s:exit.json", deaths[i]);
        try_each_of(command, true, "read", pipe_read);
        try_each_of(command, true, "write", log_write);
        try_each_of(command, true, "write", exit_write);
        try_each_of(command, true, "rename", exit_write);
        free(pipe_read);
        free(log_write);
        free(exit_write);
    }
}

static void shim_killed_at_each_call_is_followed_by_another(void **state)
{
    (void)state;
    kill_at_each(at_once);
}

static void shim_killed_at_each_call_is_followed_by_its_guard(void **state)
{
    (void)state;
    kill_at_each(with_guard);
}

static void fork_of_the_shim_fails_once(void **state)
{
    (void)state;
    try_each(true, "spawn", "EAGAIN");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_open_of_drctl_fails_once),
        cmocka_unit_test(each_read_of_drctl_fails_once),
        cmocka_unit_test(each_write_of_drctl_fails_once),
        cmocka_unit_test(each_mkdir_and_spawn_of_drctl_fails_once),
        cmocka_unit_test(each_open_of_the_shim_fails_once),
        cmocka_unit_test(each_read_of_the_shim_fails_once),
        cmocka_unit_test(each_write_of_the_shim_fails_once),
        cmocka_unit_test(fork_of_the_shim_fails_once),
        cmocka_unit_test(each_rename_of_the_shim_fails_once),
        cmocka_unit_test(shim_killed_at_each_call_is_followed_by_another),
        cmocka_unit_test(shim_killed_at_each_call_is_followed_by_its_guard),
    };
    return cmocka_run_group_tests_name("process_faults", tests, NULL, NULL);
}
