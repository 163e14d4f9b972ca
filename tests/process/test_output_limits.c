/* Output that is more, longer, stranger or more persistent than anybody wants. */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "follower.h"
#include "scratch.h"

enum { KIB = 1024, MIB = 1024 * 1024 };

static uint64_t folder_size(const struct follower *follower)
{
    const char *argv[] = {"du", "-sb", follower->task, NULL};
    char *text = scratch_run(follower->folder, argv);
    uint64_t size_bytes = strtoull(text, NULL, 10);
    free(text);
    return size_bytes;
}

static void head_and_tail_of_a_huge_output_are_kept(void **state)
{
    struct follower *follower = *state;
    follower->spec.log_head_bytes = 256 * KIB;
    follower->spec.log_tail_bytes = 128 * KIB;
    follower_start_shell(follower, "seq 1 400000");
    follower_forget(follower);
    for (enum process_state now = PROCESS_STATE_RUNNING; now != PROCESS_STATE_FINISHED;) {
        assert_int_equal(process_inspect(follower->task, &now, NULL), 0);
        usleep(10000);
    }
    assert_true(folder_size(follower) < 1 * MIB);
    follower_adopt(follower, 0);
    follower_run(follower);
    const char *text = buffer_text(&follower->text[CRI_STDOUT]);
    assert_int_equal(strncmp(text, "1\n2\n3\n", 6), 0);
    assert_string_equal(text + strlen(text) - 14, "399999\n400000\n");
    assert_true(follower->result.dropped_bytes > 10 * MIB);
    assert_int_equal(follower->result.dropped_bytes, follower->gap_bytes);
    assert_int_equal(follower->result.log_bytes, follower->next_offset);
}

static void live_reader_gets_all_or_is_told_of_gaps(void **state)
{
    struct follower *follower = *state;
    follower->spec.log_head_bytes = 64 * KIB;
    follower->spec.log_tail_bytes = 4 * MIB;
    follower_run_shell(follower, "seq 1 300000");
    assert_true(follower->result.log_bytes > 13 * MIB);
    if (follower->gap_bytes == 0) {
        assert_int_equal(follower->lines, 300000);
    }
    const char *text = buffer_text(&follower->text[CRI_STDOUT]);
    assert_string_equal(text + strlen(text) - 7, "300000\n");
}

static void later_pieces_are_found_by_offset(void **state)
{
    struct follower *follower = *state;
    follower->spec.log_head_bytes = 64 * KIB;
    follower->spec.log_tail_bytes = 256 * KIB;
    follower->stop_after_lines = 5000;
    follower_start_shell(follower, "seq 1 5000; sleep 0.2; seq 5001 8000; sleep 0.2");
    follower_run(follower);
    uint64_t offset = follower->next_offset;
    assert_true(offset > 64 * KIB);
    follower_forget(follower);
    follower_adopt(follower, offset);
    follower_run(follower);
    assert_int_equal(follower->lines, 3000);
    assert_int_equal(strncmp(buffer_text(&follower->text[CRI_STDOUT]), "5001\n", 5), 0);
    assert_int_equal(follower->gap_bytes, 0);
}

static void daemon_that_keeps_the_output_open_is_not_waited_for(void **state)
{
    struct follower *follower = *state;
    follower->spec.output_grace_ms = 300;
    int64_t start_ns = clock_monotonic_ns();
    follower_run_shell(follower, "setsid sleep 654.25 & echo started; exit 0");
    assert_true(follower->result.output_still_open);
    assert_int_equal(follower->result.exit_code, 0);
    assert_string_equal(buffer_text(&follower->text[CRI_STDOUT]), "started\n");
    assert_true(clock_monotonic_ns() - start_ns < 20 * CLOCK_NS_PER_S);
    const char *argv[] = {"pkill", "-f", "sleep 654.25", NULL};
    free(scratch_run(follower->folder, argv));
}

static void output_of_a_short_lived_rest_is_kept(void **state)
{
    struct follower *follower = *state;
    follower_run_shell(follower, "(sleep 0.3; echo late) & exit 0");
    assert_string_equal(buffer_text(&follower->text[CRI_STDOUT]), "late\n");
    assert_false(follower->result.output_still_open);
}

static void command_that_closes_its_output_runs_on(void **state)
{
    struct follower *follower = *state;
    follower_run_shell(follower, "echo text; exec >&- 2>&-; sleep 0.3; exit 4");
    assert_int_equal(follower->result.exit_code, 4);
    assert_true(follower->result.ended_at_ns - follower->result.started_at_ns >=
                300 * CLOCK_NS_PER_MS);
}

static void orphans_are_reaped_while_the_command_runs(void **state)
{
    struct follower *follower = *state;
    /* The grandchildren outlive their parents, so the shim, their subreaper, gets their zombies. */
    follower_run_shell(follower, "for i in 1 2 3 4 5; do (sleep 0.01 &); done; sleep 0.4; "
                                 "ps -o stat= --ppid $PPID | grep -c Z; exit 0");
    assert_string_equal(buffer_text(&follower->text[CRI_STDOUT]), "0\n");
}

/* A file size limit stands for a full disk: it takes part of a record, then nothing, for good. */
static void full_disk_costs_lines_but_never_the_command(void **state)
{
    struct follower *follower = *state;
    struct rlimit before;
    struct rlimit small;
    getrlimit(RLIMIT_FSIZE, &before);
    small = before;
    small.rlim_cur = 2000000;
    setrlimit(RLIMIT_FSIZE, &small);
    follower_start_shell(follower, "seq 1 100000; exit 3");
    setrlimit(RLIMIT_FSIZE, &before);
    follower_run(follower);
    assert_int_equal(follower->result.exit_code, 3);
    assert_true(follower->lines > 30000);
    assert_int_equal(follower->lines + follower->result.lost_records, 100000);
    assert_non_null(strstr(follower->message, "could not be written: File too large"));
    assert_true(follower->result.log_bytes <= 2000000);
}

static void binary_output_comes_as_it_is(void **state)
{
    struct follower *follower = *state;
    follower_run_shell(follower, "printf '\\000\\377\\033[31m\\r\\n\\n'");
    assert_int_equal(follower->lines, 2);
    assert_int_equal(follower->text[CRI_STDOUT].size_bytes, 10);
    assert_memory_equal(follower->text[CRI_STDOUT].data, "\0\377\033[31m\r\n\n", 10);
}

static void empty_output_is_no_line(void **state)
{
    struct follower *follower = *state;
    follower_run_shell(follower, "exit 0");
    assert_int_equal(follower->lines + follower->parts, 0);
    assert_int_equal(follower->result.log_bytes, 0);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, follower_setup, follower_teardown)
    const struct CMUnitTest tests[] = {
        TEST(head_and_tail_of_a_huge_output_are_kept),
        TEST(live_reader_gets_all_or_is_told_of_gaps),
        TEST(later_pieces_are_found_by_offset),
        TEST(daemon_that_keeps_the_output_open_is_not_waited_for),
        TEST(output_of_a_short_lived_rest_is_kept),
        TEST(command_that_closes_its_output_runs_on),
        TEST(orphans_are_reaped_while_the_command_runs),
        TEST(full_disk_costs_lines_but_never_the_command),
        TEST(binary_output_comes_as_it_is),
        TEST(empty_output_is_no_line),
    };
    return cmocka_run_group_tests_name("output_limits", tests, NULL, NULL);
}
