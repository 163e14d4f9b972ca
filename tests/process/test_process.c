/* Starting a command, following it, and how its end is told. */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "follower.h"
#include "scratch.h"

static void delivers_both_streams_and_the_exit_code(void **state)
{
    struct follower *follower = *state;
    int64_t before_ns = clock_wall_ns();
    follower_run_shell(follower, "echo one; echo two >&2; echo three; exit 7");
    assert_string_equal(buffer_text(&follower->text[CRI_STDOUT]), "one\nthree\n");
    assert_string_equal(buffer_text(&follower->text[CRI_STDERR]), "two\n");
    assert_int_equal(follower->result.outcome, PROCESS_EXITED);
    assert_int_equal(follower->result.exit_code, 7);
    assert_true(follower->result.started_at_ns >= before_ns);
    assert_true(follower->result.ended_at_ns >= follower->result.started_at_ns);
    assert_true(follower->result.ended_at_ns <= clock_wall_ns());
    assert_false(follower->result.output_still_open);
    assert_true(follower->result.max_rss_bytes > 100000);
    assert_int_equal(follower->result.log_bytes, follower->next_offset);
}

static void tells_the_signal_that_ended_it(void **state)
{
    struct follower *follower = *state;
    follower_run_shell(follower, "kill -USR1 $$");
    assert_int_equal(follower->result.outcome, PROCESS_SIGNALLED);
    assert_int_equal(follower->result.signal_number, SIGUSR1);
    assert_false(follower->result.oom_killed);
}

static void passes_argv_environment_cwd_and_stdin_exactly(void **state)
{
    struct follower *follower = *state;
    const char *environment[] = {"PATH=/usr/bin:/bin", "ODD=a b\n\"c\"", NULL};
    const char *argv[] = {
        "sh", "-c", "printf '%s|' \"$@\" \"$ODD\" \"$PWD\"; cat; umask; echo $(env | wc -l)",
        "sh", "",   "a b",
        "*",  "'",  NULL};
    scratch_write(follower->folder, "in", "from stdin\n");
    char *input = scratch_path(follower->folder, "in");
    char *expected;
    follower->spec.environment = environment;
    follower->spec.stdin_path = input;
    follower_start(follower, argv);
    follower_run(follower);
    assert_true(
        asprintf(&expected, "|a b|*|'|a b\n\"c\"|%s|from stdin\n0077\n4\n", follower->folder) > 0);
    assert_string_equal(buffer_text(&follower->text[CRI_STDOUT]), expected);
    free(expected);
    free(input);
}

static void gives_the_command_three_descriptors_and_a_session_of_its_own(void **state)
{
    struct follower *follower = *state;
    int leaked = open("/dev/null", O_RDONLY); /* as a careless library would */
    /* 3 is the directory that ls reads. Signals 32 and 33 are libc's own; posix_spawn() leaves them
     * ignored. */
    follower_run_shell(follower, "ls /proc/self/fd | tr '\\n' ' '; "
                                 "set -- $(cat /proc/$$/stat); [ $1 = $5 ] && [ $1 = $6 ] && "
                                 "echo own; for m in $(grep -E 'Sig(Blk|Ign)' /proc/$$/status | "
                                 "cut -f2); do echo $((0x$m & 0x7fffffff)); done");
    close(leaked);
    assert_string_equal(buffer_text(&follower->text[CRI_STDOUT]), "0 1 2 3 own\n0\n0\n");
}

static void task_directory_is_private(void **state)
{
    struct follower *follower = *state;
    static const char *const names[] = {"", "lock", "output.log", "exit.json"};
    follower_run_shell(follower, "echo text");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char *path = scratch_path(follower->task, names[i]);
        struct stat status;
        assert_int_equal(stat(path, &status), 0);
        assert_int_equal(status.st_mode & 077, 0);
        free(path);
    }
}

static int start_error(struct follower *follower, const char *const *argv, struct error *err)
{
    static const struct process_callbacks none = {0};
    follower->spec.argv = argv;
    return process_start(follower->host, &follower->spec, &none, NULL, &follower->process, err);
}

static void missing_program_is_refused_before_anything_starts(void **state)
{
    struct follower *follower = *state;
    struct error err = ERROR_INIT;
    const char *argv[] = {"no-such-program", NULL};
    assert_int_equal(start_error(follower, argv, &err), -1);
    assert_int_equal(err.code, ERROR_NOT_FOUND);
    assert_non_null(strstr(err.message, "no-such-program"));
    assert_int_equal(access(follower->task, F_OK), -1);
    error_release(&err);
}

static void missing_shim_is_said_before_anything_starts(void **state)
{
    struct follower *follower = *state;
    struct error err = ERROR_INIT;
    struct process_host *host;
    assert_int_equal(process_host_open(&follower->loop, "/no/such/shim", &host, &err), -1);
    assert_int_equal(err.code, ERROR_NOT_READY);
    assert_non_null(strstr(err.message, "/no/such/shim"));
    error_release(&err);
}

static void missing_cwd_is_refused_before_anything_starts(void **state)
{
    struct follower *follower = *state;
    struct error err = ERROR_INIT;
    const char *argv[] = {"true", NULL};
    follower->spec.cwd = "/no/such/folder";
    assert_int_equal(start_error(follower, argv, &err), -1);
    assert_int_equal(err.code, ERROR_NOT_FOUND);
    assert_non_null(strstr(err.message, "/no/such/folder"));
    error_release(&err);
}

static void short_secret_is_refused(void **state)
{
    struct follower *follower = *state;
    struct error err = ERROR_INIT;
    const char *argv[] = {"true", NULL};
    struct span secret = span_of_text("abc");
    follower->spec.secrets = &secret;
    follower->spec.secret_count = 1;
    assert_int_equal(start_error(follower, argv, &err), -1);
    assert_int_equal(err.code, ERROR_INVALID);
    error_release(&err);
}

static void task_directory_is_used_once(void **state)
{
    struct follower *follower = *state;
    struct error err = ERROR_INIT;
    const char *argv[] = {"true", NULL};
    follower_run_shell(follower, "true");
    follower_forget(follower);
    assert_int_equal(start_error(follower, argv, &err), -1);
    assert_int_equal(err.code, ERROR_LOCKED);
    error_release(&err);
}

static void program_that_cannot_execute_is_told_with_the_reason(void **state)
{
    struct follower *follower = *state;
    char *path = scratch_path(follower->folder, "broken");
    const char *argv[] = {path, NULL};
    scratch_write(follower->folder, "broken", "#!/no/such/interpreter\n");
    chmod(path, 0700);
    follower_start(follower, argv);
    follower_run(follower);
    assert_int_equal(follower->result.outcome, PROCESS_NOT_STARTED);
    assert_string_equal(follower->result.message, "cannot execute: No such file or directory");
    free(path);
}

static void missing_stdin_is_told_with_the_reason(void **state)
{
    struct follower *follower = *state;
    follower->spec.stdin_path = "/no/such/file";
    follower_run_shell(follower, "echo never");
    assert_int_equal(follower->result.outcome, PROCESS_NOT_STARTED);
    assert_non_null(strstr(follower->result.message, "standard input"));
    assert_int_equal(follower->lines, 0);
}

static void secrets_are_taken_out_across_writes(void **state)
{
    struct follower *follower = *state;
    struct span secrets[] = {span_of_text("hunter2!"), span_of_text("correct horse")};
    follower->spec.secrets = secrets;
    follower->spec.secret_count = 2;
    follower_run_shell(follower, "printf 'a hunt'; sleep 0.3; printf 'er2! b\\n'; "
                                 "printf correct%%20horse, | cat; "
                                 "printf 'correct horse' | base64; echo hunter >&2");
    assert_string_equal(buffer_text(&follower->text[CRI_STDOUT]), "a *** b\n***,***==\n");
    assert_string_equal(buffer_text(&follower->text[CRI_STDERR]), "hunter\n");
}

static void secret_is_in_no_file_and_in_no_argument(void **state)
{
    struct follower *follower = *state;
    static const char canary[] = "canary-7f3a9c51d2";
    struct span secret = span_of_text(canary);
    const char *environment[] = {"PATH=/usr/bin:/bin", "TOKEN=canary-7f3a9c51d2", NULL};
    follower->spec.environment = environment;
    follower->spec.secrets = &secret;
    follower->spec.secret_count = 1;
    follower->stop_after_lines = 1;
    follower_start_shell(follower, "echo x$TOKEN; printf $TOKEN | base64 >&2; sleep 0.3; "
                                   "printf canary-7f; sleep 0.3; echo 3a9c51d2");
    follower_run(follower);
    assert_int_equal(follower_count_processes(canary), 0);
    follower->stop_after_lines = 0;
    process_continue(follower->process);
    follower_run(follower);
    assert_string_equal(buffer_text(&follower->text[CRI_STDOUT]), "x***\n***\n");
    const char *argv[] = {"sh", "-c", "! grep -r -e canary -e Y2FuYXJ5 .", NULL};
    free(scratch_run(follower->folder, argv));
}

/* Needs a memory cgroup of version 1, whose kills the kernel counts for the machine as a whole. */
static void command_killed_for_memory_is_recognised(void **state)
{
    struct follower *follower = *state;
    char cgroup[] = "/sys/fs/cgroup/memory/drctl-test-XXXXXX";
    char *script;
    if (mkdtemp(cgroup) == NULL) {
        skip();
    }
    assert_true(asprintf(&script,
                         "echo 20000000 >%s/memory.limit_in_bytes && echo $$ >%s/cgroup.procs && "
                         "exec perl -e '$x = \"a\" x 300000000'",
                         cgroup, cgroup) > 0);
    follower_run_shell(follower, script);
    free(script);
    rmdir(cgroup);
    assert_int_equal(follower->result.outcome, PROCESS_SIGNALLED);
    assert_int_equal(follower->result.signal_number, SIGKILL);
    assert_true(follower->result.oom_killed);
    assert_non_null(strstr(follower->message, "memory"));
}

static void kill_by_somebody_else_is_not_taken_for_lack_of_memory(void **state)
{
    struct follower *follower = *state;
    follower_run_shell(follower, "kill -KILL $$");
    assert_int_equal(follower->result.signal_number, SIGKILL);
    assert_false(follower->result.oom_killed);
}

/* The process that forks the shims: our child whose argument is blank. */
static int find_nursery(struct follower *follower)
{
    char *script;
    assert_true(asprintf(&script, "pgrep -P %d drctl-shim || true", (int)getpid()) > 0);
    const char *argv[] = {"sh", "-c", script, NULL};
    char *text = scratch_run(follower->folder, argv);
    int pid = (int)strtol(text, NULL, 10);
    free(text);
    free(script);
    return pid;
}

static void killed_nursery_is_replaced_and_its_shims_go_on(void **state)
{
    struct follower *follower = *state;
    follower->stop_after_lines = 1;
    follower_start_shell(follower, "echo before; sleep 0.3; echo after; exit 3");
    follower_run(follower);
    assert_int_equal(kill(find_nursery(follower), SIGKILL), 0);
    follower->stop_after_lines = 0;
    process_continue(follower->process);
    follower_run(follower);
    assert_int_equal(follower->result.exit_code, 3);
    assert_int_equal(follower->lines, 2);
    follower_forget(follower);
    follower->spec.directory = follower->folder;
    follower_run_shell(follower, "exit 4");
    assert_int_equal(follower->result.exit_code, 4);
}

static void nothing_of_a_closed_host_is_left_but_what_runs(void **state)
{
    struct follower *follower = *state;
    follower_start_shell(follower, "sleep 0.3; echo done > mark");
    process_host_close(follower->host, NULL, NULL); /* at once: the request is still on its way */
    follower->process = NULL;
    uv_run(&follower->loop, UV_RUN_DEFAULT);
    assert_int_equal(find_nursery(follower), 0);
    assert_int_equal(process_host_open(&follower->loop, NULL, &follower->host, NULL), 0);
    follower_adopt(follower, 0);
    follower_run(follower);
    assert_int_equal(follower->result.outcome, PROCESS_EXITED);
    char *mark = scratch_path(follower->folder, "mark");
    assert_int_equal(access(mark, F_OK), 0);
    free(mark);
}

static void prompt_without_newline_is_seen(void **state)
{
    struct follower *follower = *state;
    follower_run_shell(follower, "printf 'Enter a value: '; sleep 0.6; echo yes");
    assert_int_equal(follower->parts, 1);
    assert_string_equal(buffer_text(&follower->text[CRI_STDOUT]), "Enter a value: yes\n");
}

static void line_without_end_comes_in_parts(void **state)
{
    struct follower *follower = *state;
    follower_run_shell(follower, "head -c 1000000 /dev/zero | tr '\\0' x");
    assert_int_equal(follower->lines, 0);
    assert_true(follower->parts >= 1000000 / CRI_TEXT_LIMIT_BYTES);
    assert_int_equal(follower->text[CRI_STDOUT].size_bytes, 1000000);
}

static void pause_once(struct follower *follower, const struct process_line *line)
{
    (void)line;
    if (follower->lines % 1000 == 0) {
        process_pause(follower->process);
        uv_stop(&follower->loop);
    }
}

static void paused_reader_loses_nothing(void **state)
{
    struct follower *follower = *state;
    follower->on_line = pause_once;
    follower_start_shell(follower, "seq 1 20000; sleep 0.1; seq 20001 30000");
    while (!follower->done) {
        follower_run(follower);
        process_continue(follower->process);
    }
    assert_int_equal(follower->lines, 30000);
    assert_int_equal(follower->text[CRI_STDOUT].size_bytes, 168894);
}

static void many_side_by_side_end_each_once(void **state)
{
    struct follower *first = *state;
    enum { COUNT = 50 };
    static struct follower followers[COUNT];
    memset(followers, 0, sizeof followers);
    for (int i = 0; i < COUNT; i++) {
        followers[i].host = first->host;
        followers[i].spec = first->spec;
        assert_true(asprintf(&followers[i].task, "%s/t%d", first->folder, i) > 0);
        followers[i].spec.directory = followers[i].task;
        followers[i].loop = first->loop; /* only for uv_stop, which then does nothing */
        follower_start_shell(&followers[i], "echo $PPID; exit 3");
    }
    uv_run(&first->loop, UV_RUN_DEFAULT);
    for (int i = 0; i < COUNT; i++) {
        assert_true(followers[i].done);
        assert_int_equal(followers[i].result.exit_code, 3);
        assert_int_equal(followers[i].lines, 1);
        process_free(followers[i].process);
        buffer_release(&followers[i].text[CRI_STDOUT]);
        free(followers[i].task);
    }
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, follower_setup, follower_teardown)
    const struct CMUnitTest tests[] = {
        TEST(delivers_both_streams_and_the_exit_code),
        TEST(tells_the_signal_that_ended_it),
        TEST(passes_argv_environment_cwd_and_stdin_exactly),
        TEST(gives_the_command_three_descriptors_and_a_session_of_its_own),
        TEST(task_directory_is_private),
        TEST(missing_program_is_refused_before_anything_starts),
        TEST(missing_shim_is_said_before_anything_starts),
        TEST(missing_cwd_is_refused_before_anything_starts),
        TEST(short_secret_is_refused),
        TEST(task_directory_is_used_once),
        TEST(program_that_cannot_execute_is_told_with_the_reason),
        TEST(missing_stdin_is_told_with_the_reason),
        TEST(secrets_are_taken_out_across_writes),
        TEST(secret_is_in_no_file_and_in_no_argument),
        TEST(command_killed_for_memory_is_recognised),
        TEST(kill_by_somebody_else_is_not_taken_for_lack_of_memory),
        TEST(killed_nursery_is_replaced_and_its_shims_go_on),
        TEST(nothing_of_a_closed_host_is_left_but_what_runs),
        TEST(prompt_without_newline_is_seen),
        TEST(line_without_end_comes_in_parts),
        TEST(paused_reader_loses_nothing),
        TEST(many_side_by_side_end_each_once),
    };
    return cmocka_run_group_tests_name("process", tests, NULL, NULL);
}
