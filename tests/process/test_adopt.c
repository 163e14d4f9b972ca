/* What is found when drctl, the shim or both were killed, and that the way on loses nothing. */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "follower.h"
#include "scratch.h"

static enum process_state inspect(const struct follower *follower)
{
    enum process_state state = PROCESS_STATE_ABSENT;
    assert_int_equal(process_inspect(follower->task, &state, NULL), 0);
    return state;
}

static void sleep_ms(int64_t duration_ms)
{
    nanosleep(&(struct timespec){duration_ms / 1000, duration_ms % 1000 * 1000000}, NULL);
}

static void wait_for_state(const struct follower *follower, enum process_state state)
{
    for (int tries = 0; inspect(follower) != state; tries++) {
        assert_true(tries < 1000);
        sleep_ms(10);
    }
}

/* Numbers 1 to 5 at once, 6 to 10 when the file "go" appears. */
static const char two_halves[] =
    "seq 1 5; while ! [ -e go ]; do sleep 0.02; done; seq 6 10; exit 9";
static const char all_ten[] = "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n";

static void start_first_half(struct follower *follower)
{
    follower->stop_after_lines = 5;
    follower_start_shell(follower, two_halves);
    follower_run(follower);
    assert_int_equal(follower->lines, 5);
}

static void follow_second_half(struct follower *follower)
{
    follower->stop_after_lines = 0;
    process_continue(follower->process);
    follower_run(follower);
}

/* Waits until so many shims hold the task: one, and after a moment its guard. */
static void wait_for_shims(const struct follower *follower, size_t count, int pids[FOLLOWER_SHIMS])
{
    for (int tries = 0; follower_shims(follower, pids) != count; tries++) {
        assert_true(tries < 1000);
        sleep_ms(5);
    }
}

/* Shim and guard, at once; zombies have no command line. */
static void kill_shims(const struct follower *follower)
{
    int pids[FOLLOWER_SHIMS];
    size_t count;
    while ((count = follower_shims(follower, pids)) != 0) {
        for (size_t i = 0; i < count; i++) {
            kill(pids[i], SIGKILL);
        }
        sleep_ms(1);
    }
}

/* Whether the kernel tells how a process ended that is not our child (Linux 6.15). */
static void assert_ended_with(const struct follower *follower, int exit_code)
{
    if (follower->result.outcome != PROCESS_LOST) {
        assert_int_equal(follower->result.outcome, PROCESS_EXITED);
        assert_int_equal(follower->result.exit_code, exit_code);
    } else {
        assert_non_null(strstr(follower->message, "shim was killed"));
    }
}

static bool has_shim_and_guard(const struct follower *follower)
{
    int pids[FOLLOWER_SHIMS];
    return follower_shims(follower, pids) == 2;
}

static void running_command_is_followed_on_from_any_offset(void **state)
{
    struct follower *follower = *state;
    follower->stop_after_lines = 3;
    follower_start_shell(follower, two_halves);
    follower_run(follower);
    uint64_t offset = follower->next_offset;
    follower_forget(follower);
    assert_int_equal(inspect(follower), PROCESS_STATE_RUNNING);
    scratch_write(follower->folder, "go", "");
    follower_adopt(follower, offset);
    follower_run(follower);
    assert_string_equal(buffer_text(&follower->text[CRI_STDOUT]), "4\n5\n6\n7\n8\n9\n10\n");
    assert_int_equal(follower->result.exit_code, 9);
}

static void finished_command_is_delivered_whole_and_again(void **state)
{
    struct follower *follower = *state;
    scratch_write(follower->folder, "go", "");
    follower_run_shell(follower, two_halves);
    assert_int_equal(inspect(follower), PROCESS_STATE_FINISHED);
    for (int again = 0; again < 2; again++) {
        follower_forget(follower);
        follower_adopt(follower, 0);
        assert_false(follower->done); /* never from inside the call */
        follower_run(follower);
        assert_string_equal(buffer_text(&follower->text[CRI_STDOUT]), all_ten);
        assert_int_equal(follower->result.exit_code, 9);
    }
}

/* A drctl of its own process: reports where it is after each line, until it is killed. */
static void be_another_drctl(struct follower *outer, int report)
{
    void *state = NULL;
    struct follower *follower;
    follower_setup(&state);
    follower = state;
    follower->spec.directory = outer->task;
    follower->spec.cwd = outer->folder;
    follower->stop_after_lines = 4;
    follower_start_shell(follower, two_halves);
    follower_run(follower);
    assert_int_equal(write(report, &follower->next_offset, sizeof follower->next_offset),
                     sizeof follower->next_offset);
    rmdir(follower->folder);
    pause();
}

static void killing_drctl_harms_nothing_and_loses_nothing(void **state)
{
    struct follower *follower = *state;
    uint64_t offset = 0;
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    pid_t drctl = fork();
    if (drctl == 0) {
        setpgid(0, 0);
        be_another_drctl(follower, ends[1]);
        _exit(0);
    }
    assert_int_equal(read(ends[0], &offset, sizeof offset), sizeof offset);
    assert_int_equal(kill(-drctl, SIGKILL), 0);
    assert_int_equal(waitpid(drctl, NULL, 0), drctl);
    assert_int_equal(inspect(follower), PROCESS_STATE_RUNNING);
    scratch_write(follower->folder, "go", "");
    follower_adopt(follower, offset);
    follower_run(follower);
    assert_string_equal(buffer_text(&follower->text[CRI_STDOUT]), "5\n6\n7\n8\n9\n10\n");
    assert_int_equal(follower->result.exit_code, 9);
    close(ends[0]);
    close(ends[1]);
}

static void killed_shims_are_replaced_while_followed(void **state)
{
    struct follower *follower = *state;
    start_first_half(follower);
    kill_shims(follower);
    follower->stop_after_lines = 0;
    process_continue(follower->process);
    follower->on_line = NULL;
    follower_run_until(follower, has_shim_and_guard);
    scratch_write(follower->folder, "go", "");
    follower_run(follower);
    assert_string_equal(buffer_text(&follower->text[CRI_STDOUT]), all_ten);
    assert_false(follower->result.output_lost);
    assert_ended_with(follower, 9);
}

static void guard_of_a_killed_shim_loses_nothing(void **state)
{
    struct follower *follower = *state;
    int pids[FOLLOWER_SHIMS];
    start_first_half(follower);
    wait_for_shims(follower, 2, pids);
    scratch_write(follower->folder, "go", "");
    kill(pids[0], SIGKILL); /* the command prints and ends before anybody else could come */
    follow_second_half(follower);
    assert_string_equal(buffer_text(&follower->text[CRI_STDOUT]), all_ten);
    assert_ended_with(follower, 9);
}

static void guards_replace_each_other(void **state)
{
    struct follower *follower = *state;
    int pids[FOLLOWER_SHIMS];
    start_first_half(follower);
    for (int kills = 0; kills < 3; kills++) {
        wait_for_shims(follower, 2, pids);
        kill(pids[0], SIGKILL);
        wait_for_shims(follower, 1, pids);
        assert_int_equal(inspect(follower), PROCESS_STATE_RUNNING);
    }
    scratch_write(follower->folder, "go", "");
    follow_second_half(follower);
    assert_string_equal(buffer_text(&follower->text[CRI_STDOUT]), all_ten);
    assert_ended_with(follower, 9);
    wait_for_shims(follower, 0, pids);
}

static void killed_guard_is_replaced(void **state)
{
    struct follower *follower = *state;
    int pids[FOLLOWER_SHIMS];
    start_first_half(follower);
    wait_for_shims(follower, 2, pids);
    int first_guard = pids[1];
    kill(first_guard, SIGKILL);
    wait_for_shims(follower, 1, pids);
    wait_for_shims(follower, 2, pids);
    assert_int_not_equal(pids[1], first_guard);
    scratch_write(follower->folder, "go", "");
    follow_second_half(follower);
    assert_int_equal(follower->result.exit_code, 9);
    assert_string_equal(buffer_text(&follower->text[CRI_STDOUT]), all_ten);
}

static void orphan_is_taken_over_with_what_it_printed_meanwhile(void **state)
{
    struct follower *follower = *state;
    struct span secret = span_of_text("hunter2!");
    follower->spec.secrets = &secret;
    follower->spec.secret_count = 1;
    follower->stop_after_lines = 1;
    follower_start_shell(follower, "echo start; while ! [ -e go ]; do sleep 0.02; done; "
                                   "seq 1 50000; echo hunter2! >&2; exit 4");
    follower_run(follower);
    uint64_t offset = follower->next_offset;
    follower_forget(follower);
    kill_shims(follower);
    scratch_write(follower->folder, "go", "");
    wait_for_state(follower, PROCESS_STATE_ORPHANED);
    sleep_ms(100); /* it fills its pipe and waits: no SIGPIPE */
    assert_int_equal(inspect(follower), PROCESS_STATE_ORPHANED);
    follower_adopt(follower, offset);
    follower_run(follower);
    assert_int_equal(follower->lines, 50001);
    assert_int_equal(follower->text[CRI_STDOUT].size_bytes, 288894);
    assert_string_equal(buffer_text(&follower->text[CRI_STDERR]), "***\n");
    assert_ended_with(follower, 4);
}

static bool is_orphaned(const struct follower *follower)
{
    return inspect(follower) == PROCESS_STATE_ORPHANED;
}

static bool is_lost(const struct follower *follower)
{
    return inspect(follower) == PROCESS_STATE_LOST;
}

static void killed_shim_and_command_are_lost(void **state)
{
    struct follower *follower = *state;
    start_first_half(follower);
    int child = process_child_pid(follower->process);
    follower_forget(follower);
    kill_shims(follower);
    follower_run_until(follower, is_orphaned);
    assert_int_equal(kill(child, SIGKILL), 0);
    follower_run_until(follower, is_lost);
    follower_adopt(follower, 0);
    follower_run(follower);
    assert_int_equal(follower->result.outcome, PROCESS_LOST);
    assert_int_equal(follower->lines, 5);
    assert_true(follower->result.started_at_ns > 0);
    assert_non_null(follower->message);
}

/* The pipes go before anybody comes, as when a command ends while it is being adopted. */
static void output_that_nobody_read_is_known_to_be_missing(void **state)
{
    struct follower *follower = *state;
    follower->stop_after_lines = 1;
    follower_start_shell(follower, "echo start; while ! [ -e go ]; do sleep 0.02; done; seq 50; "
                                   "exec >&- 2>&-; : > closed; "
                                   "while ! [ -e end ]; do sleep 0.02; done; exit 9");
    follower_run(follower);
    follower_forget(follower);
    kill_shims(follower);
    scratch_write(follower->folder, "go", "");
    char *closed = scratch_path(follower->folder, "closed");
    for (int tries = 0; access(closed, F_OK) != 0; tries++) {
        assert_true(tries < 1000);
        sleep_ms(5);
    }
    free(closed);
    follower->stop_after_lines = 0;
    follower_adopt(follower, 0);
    scratch_write(follower->folder, "end", "");
    follower_run(follower);
    assert_ended_with(follower, 9);
    assert_string_equal(buffer_text(&follower->text[CRI_STDOUT]), "start\n");
    assert_true(follower->result.output_lost);
}

static void write_lock(const struct follower *follower, const char *boot_id, const char *child)
{
    char *text;
    assert_true(asprintf(&text, "drctl-task 1 %s\n%s", boot_id, child) > 0);
    scratch_write(follower->folder, "task/lock", text);
    free(text);
}

static char *read_boot_id(void)
{
    char *boot_id = scratch_read("/proc/sys/kernel/random/boot_id", NULL);
    boot_id[strcspn(boot_id, "\n")] = '\0';
    return boot_id;
}

static void task_that_never_executed_says_so_and_can_be_started(void **state)
{
    struct follower *follower = *state;
    char *boot_id = read_boot_id();
    write_lock(follower, boot_id, "");
    free(boot_id);
    assert_int_equal(inspect(follower), PROCESS_STATE_ABSENT);
    follower_adopt(follower, 0);
    follower_run(follower);
    assert_int_equal(follower->result.outcome, PROCESS_NEVER_STARTED);
    follower_forget(follower);
    follower_run_shell(follower, "echo now");
    assert_int_equal(follower->result.outcome, PROCESS_EXITED);
}

static void other_process_with_the_same_pid_is_not_the_command(void **state)
{
    struct follower *follower = *state;
    char *boot_id = read_boot_id();
    char child[128];
    snprintf(child, sizeof child, "child %d 1700000000000000000 1000 2000 7 8\n", getpid());
    write_lock(follower, boot_id, child);
    free(boot_id);
    assert_int_equal(inspect(follower), PROCESS_STATE_LOST);
    follower_adopt(follower, 0);
    assert_int_equal(process_kill(follower->process, NULL), -1);
    assert_int_equal(process_signal(follower->process, SIGTERM, NULL), -1);
    follower_run(follower);
    assert_int_equal(follower->result.outcome, PROCESS_LOST);
    assert_int_equal(follower->result.started_at_ns, INT64_C(1700000000000000000));
}

static void restart_of_the_machine_is_recognised(void **state)
{
    struct follower *follower = *state;
    char child[128];
    snprintf(child, sizeof child, "child %d 5 0 %jd 7 8\n", getpid(), (intmax_t)INT64_MAX);
    write_lock(follower, "00000000-0000-0000-0000-000000000000", child);
    assert_int_equal(inspect(follower), PROCESS_STATE_LOST);
    follower_adopt(follower, 0);
    follower_run(follower);
    assert_int_equal(follower->result.outcome, PROCESS_LOST);
    assert_non_null(strstr(follower->message, "restarted"));
}

static void torn_record_of_a_killed_shim_is_passed_over(void **state)
{
    struct follower *follower = *state;
    write_lock(follower, "00000000-0000-0000-0000-000000000000", "child 1 5 1 2 7 8\n");
    scratch_write(follower->folder, "task/output.log",
                  "2026-11-22T22:03:01.123456789Z stdout F whole\n2026-11-22T22:03:0");
    follower_adopt(follower, 0);
    follower_run(follower);
    assert_string_equal(buffer_text(&follower->text[CRI_STDOUT]), "whole\n");
}

static void missing_task_directory_is_not_found(void **state)
{
    struct follower *follower = *state;
    static const struct process_callbacks none = {0};
    struct error err = ERROR_INIT;
    assert_int_equal(
        process_adopt(follower->host, &follower->spec, 0, &none, NULL, &follower->process, &err),
        -1);
    assert_int_equal(err.code, ERROR_NOT_FOUND);
    error_release(&err);
}

static void only_one_shim_holds_a_task(void **state)
{
    struct follower *follower = *state;
    struct error err = ERROR_INIT;
    static const struct process_callbacks none = {0};
    struct process *second = NULL;
    start_first_half(follower);
    const char *argv[] = {"true", NULL};
    follower->spec.argv = argv;
    assert_int_equal(process_start(follower->host, &follower->spec, &none, NULL, &second, &err),
                     -1);
    assert_int_equal(err.code, ERROR_LOCKED);
    error_release(&err);
    scratch_write(follower->folder, "go", "");
    follow_second_half(follower);
    assert_string_equal(buffer_text(&follower->text[CRI_STDOUT]), all_ten);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, follower_setup, follower_teardown)
    const struct CMUnitTest tests[] = {
        TEST(running_command_is_followed_on_from_any_offset),
        TEST(finished_command_is_delivered_whole_and_again),
        TEST(killing_drctl_harms_nothing_and_loses_nothing),
        TEST(killed_shims_are_replaced_while_followed),
        TEST(guard_of_a_killed_shim_loses_nothing),
        TEST(guards_replace_each_other),
        TEST(killed_guard_is_replaced),
        TEST(orphan_is_taken_over_with_what_it_printed_meanwhile),
        TEST(killed_shim_and_command_are_lost),
        TEST(output_that_nobody_read_is_known_to_be_missing),
        TEST(task_that_never_executed_says_so_and_can_be_started),
        TEST(other_process_with_the_same_pid_is_not_the_command),
        TEST(restart_of_the_machine_is_recognised),
        TEST(torn_record_of_a_killed_shim_is_passed_over),
        TEST(missing_task_directory_is_not_found),
        TEST(only_one_shim_holds_a_task),
    };
    return cmocka_run_group_tests_name("adopt", tests, NULL, NULL);
}
