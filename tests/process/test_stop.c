/* Stopping a command step by step, and what each signal reaches. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "follower.h"

/* Says "ready", then what it is told, and does not end by itself. */
#define STUBBORN(traps)                                                                            \
    traps "; echo ready; i=0; while [ $i -lt 600 ]; do sleep 0.05; i=$((i + 1)); done"

static void start_and_wait_for_line(struct follower *follower, const char *script)
{
    follower->stop_after_lines = 1;
    follower_start_shell(follower, script);
    follower_run(follower);
    follower->stop_after_lines = 0;
    process_continue(follower->process);
}

static void stop(struct follower *follower, int64_t interrupt_grace_ms, int64_t terminate_grace_ms)
{
    struct process_stop_policy policy = {interrupt_grace_ms, terminate_grace_ms};
    process_stop(follower->process, &policy);
}

static void interrupt_ends_an_obedient_command(void **state)
{
    struct follower *follower = *state;
    start_and_wait_for_line(follower, STUBBORN("trap 'echo bye; exit 5' INT"));
    stop(follower, -1, -1);
    follower_run(follower);
    assert_string_equal(buffer_text(&follower->text[CRI_STDOUT]), "ready\nbye\n");
    assert_int_equal(follower->result.exit_code, 5);
}

static void interrupt_is_sent_once_however_often_stop_is_asked(void **state)
{
    struct follower *follower = *state;
    start_and_wait_for_line(follower, STUBBORN("trap 'echo int' INT; trap 'exit 6' TERM"));
    for (int i = 0; i < 3; i++) {
        stop(follower, 300, -1);
    }
    follower_run(follower);
    assert_string_equal(buffer_text(&follower->text[CRI_STDOUT]), "ready\nint\n");
    assert_int_equal(follower->result.exit_code, 6);
}

static void interrupt_reaches_the_command_alone(void **state)
{
    struct follower *follower = *state;
    /* A background job would ignore SIGINT: a subshell that resets it stands for a provider. */
    start_and_wait_for_line(follower,
                            "perl -e '$SIG{INT} = sub { print \"provider hit\\n\"; exit }; $| = 1; "
                            "print \"ready\\n\"; sleep 1; print \"provider done\\n\"' & "
                            "trap 'wait; exit 7' INT; wait; wait; exit 8");
    stop(follower, -1, -1);
    follower_run(follower);
    assert_string_equal(buffer_text(&follower->text[CRI_STDOUT]), "ready\nprovider done\n");
    assert_int_equal(follower->result.exit_code, 7);
}

static void command_that_ignores_signals_is_killed_after_its_graces(void **state)
{
    struct follower *follower = *state;
    int64_t start_ns = clock_monotonic_ns();
    start_and_wait_for_line(follower, STUBBORN("trap 'echo int' INT; trap 'echo term' TERM"));
    stop(follower, 200, 200);
    follower_run(follower);
    assert_string_equal(buffer_text(&follower->text[CRI_STDOUT]), "ready\nint\nterm\n");
    assert_int_equal(follower->result.outcome, PROCESS_SIGNALLED);
    assert_int_equal(follower->result.signal_number, SIGKILL);
    assert_false(follower->result.oom_killed);
    assert_true(clock_monotonic_ns() - start_ns >= 400 * CLOCK_NS_PER_MS);
}

static void kill_takes_the_whole_group(void **state)
{
    struct follower *follower = *state;
    start_and_wait_for_line(follower, "sleep 987.125 & sleep 987.125 & echo ready; wait");
    assert_int_equal(follower_count_processes("987.125"), 3);
    assert_int_equal(process_kill(follower->process, NULL), 0);
    follower_run(follower);
    assert_int_equal(follower->result.signal_number, SIGKILL);
    assert_false(follower->result.output_still_open);
    assert_int_equal(follower_count_processes("987.125"), 0);
}

static void unlimited_grace_waits(void **state)
{
    struct follower *follower = *state;
    start_and_wait_for_line(follower, "trap 'sleep 0.7; echo released; exit 0' INT; echo ready; "
                                      "while :; do sleep 0.05; done");
    stop(follower, -1, 0);
    follower_run(follower);
    assert_string_equal(buffer_text(&follower->text[CRI_STDOUT]), "ready\nreleased\n");
    assert_int_equal(follower->result.outcome, PROCESS_EXITED);
}

static void stop_before_the_command_is_there_still_reaches_it(void **state)
{
    struct follower *follower = *state;
    follower_start_shell(follower, "sleep 30");
    stop(follower, 0, 0);
    follower_run(follower);
    assert_int_equal(follower->result.outcome, PROCESS_SIGNALLED);
}

static void adopted_command_can_be_stopped(void **state)
{
    struct follower *follower = *state;
    start_and_wait_for_line(follower, STUBBORN("trap 'exit 5' INT"));
    follower_forget(follower);
    follower_adopt(follower, 0);
    stop(follower, -1, -1);
    follower_run(follower);
    assert_int_equal(follower->result.exit_code, 5);
}

static void what_a_stopped_command_leaves_behind_is_ended_as_well(void **state)
{
    struct follower *follower = *state;
    start_and_wait_for_line(follower, "sleep 987.25 >/dev/null 2>&1 & echo ready; wait");
    assert_int_equal(follower_count_processes("987.25"), 2);
    stop(follower, -1, -1);
    follower_run(follower);
    assert_int_equal(follower->result.signal_number, SIGINT);
    assert_int_equal(follower_count_processes("987.25"), 0);
}

static void what_is_left_behind_and_ignores_signals_is_killed_after_its_grace(void **state)
{
    struct follower *follower = *state;
    start_and_wait_for_line(follower,
                            "sh -c 'trap \"\" TERM; echo ready; while :; do sleep 0.0519; "
                            "done' >&2 & sleep 0.2; echo ready; wait");
    stop(follower, -1, 300);
    follower_run(follower);
    assert_int_equal(follower->result.signal_number, SIGINT);
    assert_int_equal(follower_count_processes("0.0519"), 0);
}

static void what_a_command_that_was_not_stopped_leaves_behind_goes_on(void **state)
{
    struct follower *follower = *state;
    follower_run_shell(follower, "sleep 1.987 >/dev/null 2>&1 & exit 0");
    assert_int_equal(follower_count_processes("1.987"), 1);
}

static void ended_command_cannot_be_signalled(void **state)
{
    struct follower *follower = *state;
    struct error err = ERROR_INIT;
    follower_run_shell(follower, "exit 0");
    assert_int_equal(process_signal(follower->process, SIGTERM, &err), -1);
    assert_int_equal(err.code, ERROR_NOT_READY);
    assert_int_equal(process_kill(follower->process, NULL), -1);
    error_release(&err);
}

static void freeing_leaves_the_command_running(void **state)
{
    struct follower *follower = *state;
    start_and_wait_for_line(follower, "echo ready; sleep 0.5; echo after; exit 3");
    stop(follower, 100000, 0); /* its timer goes with the process */
    follower_forget(follower);
    follower_adopt(follower, 0);
    follower_run(follower);
    assert_int_equal(follower->result.outcome, PROCESS_SIGNALLED);
    assert_int_equal(follower->result.signal_number, SIGINT);
}

static void terminal_signals_do_not_reach_shim_or_command(void **state)
{
    struct follower *follower = *state;
    int pids[FOLLOWER_SHIMS];
    start_and_wait_for_line(follower, "echo ready; sleep 0.5; exit 3");
    assert_true(follower_shims(follower, pids) >= 1);
    const int signals[] = {SIGHUP, SIGINT, SIGTERM, SIGQUIT, SIGPIPE, SIGTSTP};
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
        assert_int_equal(kill(-pids[0], signals[i]), 0);
    }
    follower_run(follower);
    assert_int_equal(follower->result.outcome, PROCESS_EXITED);
    assert_int_equal(follower->result.exit_code, 3);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, follower_setup, follower_teardown)
    const struct CMUnitTest tests[] = {
        TEST(interrupt_ends_an_obedient_command),
        TEST(interrupt_is_sent_once_however_often_stop_is_asked),
        TEST(interrupt_reaches_the_command_alone),
        TEST(command_that_ignores_signals_is_killed_after_its_graces),
        TEST(kill_takes_the_whole_group),
        TEST(unlimited_grace_waits),
        TEST(stop_before_the_command_is_there_still_reaches_it),
        TEST(adopted_command_can_be_stopped),
        TEST(what_a_stopped_command_leaves_behind_is_ended_as_well),
        TEST(what_is_left_behind_and_ignores_signals_is_killed_after_its_grace),
        TEST(what_a_command_that_was_not_stopped_leaves_behind_goes_on),
        TEST(ended_command_cannot_be_signalled),
        TEST(freeing_leaves_the_command_running),
        TEST(terminal_signals_do_not_reach_shim_or_command),
    };
    return cmocka_run_group_tests_name("stop", tests, NULL, NULL);
}
