/* journal/journal: grouping, durability, locking, and a disk that refuses. The linker puts the
 * wrappers below in front of the real calls, so that each of them can be made to fail. (ftruncate
 * is called ftruncate64 where file offsets are asked to be 64 bits wide.) */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/json.h"
#include "journal/journal.h"
#include "sample.h"
#include "scratch.h"

/* --- faults -------------------------------------------------------------------------------------
 */

enum call { CALL_WRITE, CALL_FDATASYNC, CALL_FTRUNCATE, CALL_KINDS };

static struct {
    int made[CALL_KINDS];
    int failing[CALL_KINDS]; /* so many of the next calls of this kind fail */
    int fail_nth;            /* the nth call of any kind from now fails; 0: none */
    int errno_value;
} faults;

ssize_t __real_write(int descriptor, const void *bytes, size_t size_bytes);
int __real_fdatasync(int descriptor);
int __real_ftruncate64(int descriptor, off_t size_bytes);
ssize_t __wrap_write(int descriptor, const void *bytes, size_t size_bytes);
int __wrap_fdatasync(int descriptor);
int __wrap_ftruncate64(int descriptor, off_t size_bytes);

static bool fails(enum call call)
{
    faults.made[call]++;
    errno = faults.errno_value;
    if (faults.failing[call] > 0) {
        faults.failing[call]--;
        return true;
    }
    return faults.fail_nth > 0 && --faults.fail_nth == 0;
}

static bool is_regular(int descriptor)
{
    struct stat status;
    return fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode);
}

/* A full disk takes a part first, as the real one does. libuv's own writes to its wake-up
 * descriptors are left alone. */
ssize_t __wrap_write(int descriptor, const void *bytes, size_t size_bytes)
{
    if (!is_regular(descriptor) || !fails(CALL_WRITE)) {
        return __real_write(descriptor, bytes, size_bytes);
    }
    (void)!__real_write(descriptor, bytes, size_bytes / 2);
    errno = faults.errno_value;
    return -1;
}

int __wrap_fdatasync(int descriptor)
{
    return fails(CALL_FDATASYNC) ? -1 : __real_fdatasync(descriptor);
}

int __wrap_ftruncate64(int descriptor, off_t size_bytes)
{
    return fails(CALL_FTRUNCATE) ? -1 : __real_ftruncate64(descriptor, size_bytes);
}

/* --- a journal on a loop ------------------------------------------------------------------------
 */

struct fixture {
    char *folder;
    char *path;
    uv_loop_t loop;
    struct journal *journal;
    int done;   /* callbacks without error, checked to come in order */
    int failed; /* callbacks with one */
    int stalls;
    int closed;
    int durable_at_done; /* events in the file when the last callback came */
};

static int setup(void **state)
{
    memset(&faults, 0, sizeof faults);
    faults.errno_value = ENOSPC;
    struct fixture *fixture = memory_new(1, sizeof *fixture);
    fixture->folder = scratch_new();
    fixture->path = scratch_path(fixture->folder, "journal.jsonl");
    uv_loop_init(&fixture->loop);
    assert_int_equal(journal_create(fixture->path, &fixture->loop, &fixture->journal, NULL), 0);
    *state = fixture;
    return 0;
}

static void on_closed(void *data)
{
    struct fixture *fixture = data;
    fixture->closed++;
    fixture->journal = NULL;
}

static void close_and_run(struct fixture *fixture)
{
    journal_close(fixture->journal, on_closed, fixture);
    assert_int_equal(fixture->closed, 0);
    uv_run(&fixture->loop, UV_RUN_DEFAULT);
    assert_int_equal(fixture->closed, 1);
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;
    memset(&faults, 0, sizeof faults);
    if (fixture->journal != NULL) {
        journal_close(fixture->journal, NULL, NULL);
        uv_run(&fixture->loop, UV_RUN_DEFAULT);
    }
    assert_int_equal(uv_loop_close(&fixture->loop), 0);
    scratch_free(fixture->folder);
    free(fixture->path);
    free(fixture);
    return 0;
}

struct append {
    struct fixture *fixture;
    int number;
};

static int count_event(const struct journal_event *event, void *data, struct error *err)
{
    (void)err;
    int *count = data;
    (*count)++;
    assert_int_equal(json_get_integer(event->json, "number", 0), *count);
    return 0;
}

static int events_in_file(const char *path)
{
    int count = 0;
    assert_int_equal(journal_replay(path, count_event, &count, NULL, NULL), 0);
    return count;
}

static void on_done(void *data, const struct error *err)
{
    struct append *append = data;
    struct fixture *fixture = append->fixture;
    assert_int_equal(append->number, fixture->done + fixture->failed + 1);
    if (err == NULL) {
        fixture->done++;
    } else {
        fixture->failed++;
        assert_int_equal(err->code, ERROR_IO);
    }
    fixture->durable_at_done = events_in_file(fixture->path);
    free(append);
}

static void append_one(struct fixture *fixture, int number, enum journal_durability durability)
{
    struct append *append = memory_new(1, sizeof *append);
    *append = (struct append){fixture, number};
    CLEANUP(json_cleanup) json_t *event = sample_event(number);
    assert_int_equal(journal_append(fixture->journal, event, durability, on_done, append, NULL), 0);
}

static void append_many(struct fixture *fixture, int from, int to)
{
    for (int number = from; number <= to; number++) {
        append_one(fixture, number, JOURNAL_DURABLE);
    }
}

static void on_stall(void *data, const struct error *err)
{
    struct fixture *fixture = data;
    fixture->stalls++;
    assert_int_equal(err->code, ERROR_IO);
    assert_non_null(strstr(err->message, fixture->path));
}

static void run(struct fixture *fixture)
{
    uv_run(&fixture->loop, UV_RUN_DEFAULT);
}

/* --- grouping -----------------------------------------------------------------------------------
 */

static void appends_of_one_turn_share_one_fsync(void **state)
{
    struct fixture *fixture = *state;
    append_many(fixture, 1, 50);
    assert_int_equal(fixture->done, 0);
    run(fixture);
    assert_int_equal(fixture->done, 50);
    assert_int_equal(faults.made[CALL_FDATASYNC], 1);
    assert_int_equal(faults.made[CALL_WRITE], 1);
    assert_int_equal(journal_last_seq(fixture->journal), 50);
}

static void done_comes_after_the_event_is_in_the_file(void **state)
{
    struct fixture *fixture = *state;
    append_one(fixture, 1, JOURNAL_DURABLE);
    assert_int_equal(events_in_file(fixture->path), 0);
    run(fixture);
    assert_int_equal(fixture->durable_at_done, 1);
}

static void append_another(void *data, const struct error *err)
{
    struct fixture *fixture = data;
    assert_null(err);
    if (++fixture->done < 5) {
        CLEANUP(json_cleanup) json_t *event = sample_event(fixture->done + 1);
        assert_int_equal(
            journal_append(fixture->journal, event, JOURNAL_DURABLE, append_another, fixture, NULL),
            0);
    }
}

static void a_callback_can_append(void **state)
{
    struct fixture *fixture = *state;
    CLEANUP(json_cleanup) json_t *event = sample_event(1);
    assert_int_equal(
        journal_append(fixture->journal, event, JOURNAL_DURABLE, append_another, fixture, NULL), 0);
    run(fixture);
    assert_int_equal(events_in_file(fixture->path), 5);
}

static void relaxed_events_are_visible_without_an_fsync(void **state)
{
    struct fixture *fixture = *state;
    append_one(fixture, 1, JOURNAL_RELAXED);
    append_one(fixture, 2, JOURNAL_RELAXED);
    run(fixture);
    assert_int_equal(fixture->done, 2);
    assert_int_equal(events_in_file(fixture->path), 2);
    assert_int_equal(faults.made[CALL_FDATASYNC], 0);
    append_one(fixture, 3, JOURNAL_DURABLE);
    run(fixture);
    assert_int_equal(faults.made[CALL_FDATASYNC], 1);
    assert_int_equal(events_in_file(fixture->path), 3);
}

static void closing_makes_relaxed_events_durable(void **state)
{
    struct fixture *fixture = *state;
    append_one(fixture, 1, JOURNAL_RELAXED);
    close_and_run(fixture);
    assert_int_equal(fixture->done, 1);
    assert_int_equal(faults.made[CALL_FDATASYNC], 1);
}

static void closing_waits_for_all_appends(void **state)
{
    struct fixture *fixture = *state;
    append_many(fixture, 1, 3);
    uv_run(&fixture->loop, UV_RUN_NOWAIT);
    append_many(fixture, 4, 6);
    close_and_run(fixture);
    assert_int_equal(fixture->done, 6);
    assert_int_equal(events_in_file(fixture->path), 6);
}

static void close_in_callback(void *data, const struct error *err)
{
    (void)err;
    struct fixture *fixture = data;
    fixture->done++;
    journal_close(fixture->journal, on_closed, fixture);
}

static void a_done_callback_can_close(void **state)
{
    struct fixture *fixture = *state;
    CLEANUP(json_cleanup) json_t *first = sample_event(1);
    CLEANUP(json_cleanup) json_t *second = sample_event(2);
    assert_int_equal(
        journal_append(fixture->journal, first, JOURNAL_DURABLE, close_in_callback, fixture, NULL),
        0);
    assert_int_equal(journal_append(fixture->journal, second, JOURNAL_DURABLE, NULL, NULL, NULL),
                     0);
    run(fixture);
    assert_int_equal(fixture->closed, 1);
    assert_int_equal(fixture->done, 1);
    assert_int_equal(events_in_file(fixture->path), 2);
}

static void a_reopened_journal_goes_on_with_its_chain(void **state)
{
    struct fixture *fixture = *state;
    append_many(fixture, 1, 3);
    close_and_run(fixture);
    int count = 0;
    assert_int_equal(journal_open(fixture->path, &fixture->loop, count_event, &count,
                                  &fixture->journal, NULL, NULL),
                     0);
    assert_int_equal(count, 3);
    append_many(fixture, 4, 6);
    run(fixture);
    assert_int_equal(events_in_file(fixture->path), 6);
}

/* --- who may write ------------------------------------------------------------------------------
 */

static void the_file_is_private(void **state)
{
    struct fixture *fixture = *state;
    struct stat status;
    assert_int_equal(stat(fixture->path, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0600);
}

static void a_second_writer_is_locked_out(void **state)
{
    struct fixture *fixture = *state;
    struct journal *second;
    CLEANUP(error_release) struct error err = ERROR_INIT;
    assert_int_equal(journal_open(fixture->path, NULL, NULL, NULL, &second, NULL, &err), -1);
    assert_int_equal(err.code, ERROR_LOCKED);
}

static void the_lock_dies_with_its_process(void **state)
{
    struct fixture *fixture = *state;
    append_one(fixture, 1, JOURNAL_DURABLE);
    close_and_run(fixture);
    struct journal *journal;
    pid_t child = fork();
    if (child == 0) {
        _exit(journal_open(fixture->path, NULL, NULL, NULL, &journal, NULL, NULL) == 0 ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(journal_open(fixture->path, NULL, NULL, NULL, &journal, NULL, NULL), 0);
    journal_close(journal, NULL, NULL);
}

static void an_existing_journal_is_not_created_again(void **state)
{
    struct fixture *fixture = *state;
    struct journal *second;
    CLEANUP(error_release) struct error err = ERROR_INIT;
    assert_int_equal(journal_create(fixture->path, NULL, &second, &err), -1);
    assert_int_equal(err.code, ERROR_REFUSED);
}

static void a_link_in_place_of_the_journal_is_refused(void **state)
{
    struct fixture *fixture = *state;
    CLEANUP(memory_cleanup) char *link = scratch_path(fixture->folder, "link.jsonl");
    assert_int_equal(symlink(fixture->path, link), 0);
    struct journal *second;
    CLEANUP(error_release) struct error err = ERROR_INIT;
    assert_int_equal(journal_open(link, NULL, NULL, NULL, &second, NULL, &err), -1);
    assert_int_equal(err.code, ERROR_REFUSED);
}

static void a_damaged_journal_is_not_opened(void **state)
{
    struct fixture *fixture = *state;
    append_many(fixture, 1, 3);
    close_and_run(fixture);
    size_t size_bytes;
    CLEANUP(memory_cleanup) char *text = scratch_read(fixture->path, &size_bytes);
    text[sample_line_offset(text, 2) + 30] ^= 1;
    scratch_write_bytes(fixture->path, text, size_bytes);
    struct journal *journal;
    CLEANUP(error_release) struct error err = ERROR_INIT;
    assert_int_equal(journal_open(fixture->path, NULL, NULL, NULL, &journal, NULL, &err), -1);
    assert_int_equal(err.code, ERROR_DAMAGED);
    assert_int_equal(err.line, 2);
    size_t after_bytes;
    CLEANUP(memory_cleanup) char *after = scratch_read(fixture->path, &after_bytes);
    assert_int_equal(after_bytes, size_bytes);
    assert_memory_equal(after, text, size_bytes);
}

/* --- a disk that refuses ------------------------------------------------------------------------
 */

static void a_full_disk_stalls_and_a_retry_loses_nothing(void **state)
{
    struct fixture *fixture = *state;
    journal_on_stall(fixture->journal, on_stall, fixture);
    append_many(fixture, 1, 3);
    run(fixture);
    faults.failing[CALL_WRITE] = 1;
    append_many(fixture, 4, 8);
    run(fixture);
    assert_int_equal(fixture->stalls, 1);
    assert_true(journal_is_stalled(fixture->journal));
    assert_int_equal(fixture->done, 3);
    struct journal_summary summary;
    assert_int_equal(journal_verify(fixture->path, &summary, NULL), 0);
    assert_int_equal(summary.events, 3);
    assert_int_equal(summary.tail.size_bytes, 0);

    append_many(fixture, 9, 10);
    run(fixture);
    assert_int_equal(fixture->done, 3);
    journal_retry(fixture->journal);
    run(fixture);
    assert_false(journal_is_stalled(fixture->journal));
    assert_int_equal(fixture->done, 10);
    assert_int_equal(events_in_file(fixture->path), 10);
}

static void after_a_failed_fsync_everything_is_written_again(void **state)
{
    struct fixture *fixture = *state;
    journal_on_stall(fixture->journal, on_stall, fixture);
    append_one(fixture, 1, JOURNAL_RELAXED);
    run(fixture);
    faults.errno_value = EIO;
    faults.failing[CALL_FDATASYNC] = 1;
    append_one(fixture, 2, JOURNAL_DURABLE);
    run(fixture);
    assert_int_equal(fixture->stalls, 1);
    assert_int_equal(events_in_file(fixture->path), 0);
    journal_retry(fixture->journal);
    run(fixture);
    assert_int_equal(fixture->done, 2);
    assert_int_equal(events_in_file(fixture->path), 2);
}

static void a_tail_that_cannot_be_cut_at_once_is_cut_later(void **state)
{
    struct fixture *fixture = *state;
    journal_on_stall(fixture->journal, on_stall, fixture);
    faults.failing[CALL_WRITE] = 1;
    faults.failing[CALL_FTRUNCATE] = 2;
    append_many(fixture, 1, 4);
    run(fixture);
    journal_retry(fixture->journal);
    run(fixture);
    assert_int_equal(fixture->stalls, 2);
    journal_retry(fixture->journal);
    run(fixture);
    assert_int_equal(fixture->done, 4);
    assert_int_equal(events_in_file(fixture->path), 4);
}

static void closing_a_stalled_journal_says_what_was_not_written(void **state)
{
    struct fixture *fixture = *state;
    append_many(fixture, 1, 2);
    run(fixture);
    faults.failing[CALL_WRITE] = 1;
    append_many(fixture, 3, 5);
    run(fixture);
    append_many(fixture, 6, 6);
    close_and_run(fixture);
    assert_int_equal(fixture->done, 2);
    assert_int_equal(fixture->failed, 4);
    assert_int_equal(events_in_file(fixture->path), 2);
}

static void a_stall_callback_can_close(void **state)
{
    struct fixture *fixture = *state;
    journal_on_stall(fixture->journal, close_in_callback, fixture);
    faults.failing[CALL_WRITE] = 1;
    append_one(fixture, 1, JOURNAL_DURABLE);
    fixture->done = -1; /* the stall makes it 0 */
    run(fixture);
    assert_int_equal(fixture->closed, 1);
    assert_int_equal(fixture->failed, 1);
}

static void retry_at_once(void *data, const struct error *err)
{
    (void)err;
    struct fixture *fixture = data;
    fixture->stalls++;
    journal_retry(fixture->journal);
}

/* Each write, fsync and truncation fails once in turn. */
static void whichever_call_fails_once_nothing_is_lost_or_reordered(void **state)
{
    for (int nth = 1; nth <= 14; nth++) {
        struct fixture *fixture = *state;
        journal_on_stall(fixture->journal, retry_at_once, fixture);
        faults.fail_nth = nth;
        for (int number = 1; number <= 6; number++) {
            append_one(fixture, number, number % 3 == 1 ? JOURNAL_RELAXED : JOURNAL_DURABLE);
            uv_run(&fixture->loop, UV_RUN_ONCE);
        }
        run(fixture);
        assert_int_equal(fixture->done, 6);
        close_and_run(fixture);
        assert_int_equal(events_in_file(fixture->path), 6);
        teardown(state);
        setup(state);
    }
}

/* --- without a loop -----------------------------------------------------------------------------
 */

static void without_a_loop_a_failed_append_leaves_no_trace(void **state)
{
    struct fixture *fixture = *state;
    close_and_run(fixture);
    struct journal *journal;
    assert_int_equal(journal_open(fixture->path, NULL, NULL, NULL, &journal, NULL, NULL), 0);
    for (int kind = CALL_WRITE; kind <= CALL_FDATASYNC; kind++) {
        faults.failing[kind] = 1;
        CLEANUP(json_cleanup) json_t *lost = sample_event(99);
        CLEANUP(error_release) struct error err = ERROR_INIT;
        assert_int_equal(journal_append_now(journal, lost, &err), -1);
        assert_int_equal(err.code, ERROR_IO);
        CLEANUP(json_cleanup) json_t *kept = sample_event(kind + 1);
        assert_int_equal(journal_append_now(journal, kept, NULL), 0);
    }
    journal_close(journal, NULL, NULL);
    assert_int_equal(events_in_file(fixture->path), 2);
}

static void a_hundred_thousand_events_are_written_and_read_back(void **state)
{
    struct fixture *fixture = *state;
    for (int number = 1; number <= 100000; number++) {
        CLEANUP(json_cleanup) json_t *event = sample_event(number);
        assert_int_equal(journal_append(fixture->journal, event,
                                        number % 10 == 0 ? JOURNAL_DURABLE : JOURNAL_RELAXED, NULL,
                                        NULL, NULL),
                         0);
        if (number % 1000 == 0) {
            run(fixture);
        }
    }
    close_and_run(fixture);
    assert_int_equal(events_in_file(fixture->path), 100000);
}

int main(void)
{
#define JOURNAL_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        JOURNAL_TEST(appends_of_one_turn_share_one_fsync),
        JOURNAL_TEST(done_comes_after_the_event_is_in_the_file),
        JOURNAL_TEST(a_callback_can_append),
        JOURNAL_TEST(relaxed_events_are_visible_without_an_fsync),
        JOURNAL_TEST(closing_makes_relaxed_events_durable),
        JOURNAL_TEST(closing_waits_for_all_appends),
        JOURNAL_TEST(a_done_callback_can_close),
        JOURNAL_TEST(a_reopened_journal_goes_on_with_its_chain),
        JOURNAL_TEST(the_file_is_private),
        JOURNAL_TEST(a_second_writer_is_locked_out),
        JOURNAL_TEST(the_lock_dies_with_its_process),
        JOURNAL_TEST(an_existing_journal_is_not_created_again),
        JOURNAL_TEST(a_link_in_place_of_the_journal_is_refused),
        JOURNAL_TEST(a_damaged_journal_is_not_opened),
        JOURNAL_TEST(a_full_disk_stalls_and_a_retry_loses_nothing),
        JOURNAL_TEST(after_a_failed_fsync_everything_is_written_again),
        JOURNAL_TEST(a_tail_that_cannot_be_cut_at_once_is_cut_later),
        JOURNAL_TEST(closing_a_stalled_journal_says_what_was_not_written),
        JOURNAL_TEST(a_stall_callback_can_close),
        JOURNAL_TEST(whichever_call_fails_once_nothing_is_lost_or_reordered),
        JOURNAL_TEST(without_a_loop_a_failed_append_leaves_no_trace),
        JOURNAL_TEST(a_hundred_thousand_events_are_written_and_read_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
