/* journal/replay: what a reader accepts, and that it notices everything else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "journal/journal.h"
#include "journal/replay.h"
#include "sample.h"
#include "scratch.h"

enum { SAMPLE_LINES = 12 };

/* Thousands of journals are written here, and none has to survive a power cut. */
int __wrap_fdatasync(int descriptor);

int __wrap_fdatasync(int descriptor)
{
    (void)descriptor;
    return 0;
}

/* As a new file: some file systems flush one that is truncated and written again. */
static void replace_file(const char *path, const char *text, size_t size_bytes)
{
    unlink(path);
    scratch_write_bytes(path, text, size_bytes);
}

static int count_events(const struct journal_event *event, void *data, struct error *err)
{
    (void)err;
    uint64_t *count = data;
    (*count)++;
    assert_int_equal(event->seq, *count);
    assert_int_equal(event->line, *count);
    assert_int_equal(json_get_integer(event->json, "number", 0), *count);
    assert_string_equal(event->type, "sample.happened");
    return 0;
}

static void every_event_comes_back_in_order(void **state)
{
    CLEANUP(memory_cleanup) char *path = sample_journal(*state, SAMPLE_LINES);
    uint64_t count = 0;
    struct journal_tail tail;
    assert_int_equal(journal_replay(path, count_events, &count, &tail, NULL), 0);
    assert_int_equal(count, SAMPLE_LINES);
    assert_int_equal(tail.size_bytes, 0);
}

static int stop_at_three(const struct journal_event *event, void *data, struct error *err)
{
    (void)data;
    return event->seq < 3 ? 0 : error_set(err, ERROR_REFUSED, "three is enough");
}

static void a_visitor_can_stop_the_replay(void **state)
{
    CLEANUP(memory_cleanup) char *path = sample_journal(*state, SAMPLE_LINES);
    CLEANUP(error_release) struct error err = ERROR_INIT;
    assert_int_equal(journal_replay(path, stop_at_three, NULL, NULL, &err), -1);
    assert_int_equal(err.code, ERROR_REFUSED);
}

static void a_missing_journal_is_not_found(void **state)
{
    CLEANUP(memory_cleanup) char *path = scratch_path(*state, "none.jsonl");
    struct journal_summary summary;
    CLEANUP(error_release) struct error err = ERROR_INIT;
    assert_int_equal(journal_verify(path, &summary, &err), -1);
    assert_int_equal(err.code, ERROR_NOT_FOUND);
}

static void a_symbolic_link_is_refused(void **state)
{
    CLEANUP(memory_cleanup) char *path = sample_journal(*state, 1);
    CLEANUP(memory_cleanup) char *link = scratch_path(*state, "link.jsonl");
    assert_int_equal(symlink(path, link), 0);
    struct journal_summary summary;
    CLEANUP(error_release) struct error err = ERROR_INIT;
    assert_int_equal(journal_verify(link, &summary, &err), -1);
    assert_int_equal(err.code, ERROR_REFUSED);
}

static void verification_names_the_head_of_the_chain(void **state)
{
    CLEANUP(memory_cleanup) char *path = sample_journal(*state, SAMPLE_LINES);
    struct journal_summary summary;
    assert_int_equal(journal_verify(path, &summary, NULL), 0);
    assert_int_equal(summary.events, SAMPLE_LINES);
    assert_true(summary.first_at_ns <= summary.last_at_ns);
    CLEANUP(memory_cleanup) char *text = scratch_read(path, NULL);
    size_t start = sample_line_offset(text, SAMPLE_LINES);
    char head[DIGEST_HEX_SIZE];
    digest_sha256_hex(span_of(text + start, strlen(text + start) - 1), head);
    assert_string_equal(summary.head, head);
}

static void an_empty_journal_verifies(void **state)
{
    CLEANUP(memory_cleanup) char *path = sample_journal(*state, 0);
    struct journal_summary summary;
    assert_int_equal(journal_verify(path, &summary, NULL), 0);
    assert_int_equal(summary.events, 0);
}

/* --- damage -------------------------------------------------------------------------------------
 */

static void assert_damaged_at(const char *path, size_t line)
{
    struct journal_summary summary;
    CLEANUP(error_release) struct error err = ERROR_INIT;
    if (journal_verify(path, &summary, &err) == 0) {
        fail_msg("damage in line %zu was not noticed", line);
    }
    assert_int_equal(err.code, ERROR_DAMAGED);
    assert_int_equal(err.line, line);
    assert_string_equal(err.file, path);
}

static void flip_every_bit_of_line(const char *folder, int line)
{
    CLEANUP(memory_cleanup) char *path = sample_journal(folder, SAMPLE_LINES);
    size_t size_bytes;
    CLEANUP(memory_cleanup) char *text = scratch_read(path, &size_bytes);
    size_t start = sample_line_offset(text, line);
    size_t end = sample_line_offset(text, line + 1);
    for (size_t at = start; at < end; at++) {
        for (int bit = 0; bit < 8; bit++) {
            text[at] = (char)(text[at] ^ (1 << bit));
            replace_file(path, text, size_bytes);
            assert_damaged_at(path, (size_t)line);
            text[at] = (char)(text[at] ^ (1 << bit));
        }
    }
}

static void every_flipped_bit_of_a_middle_line_is_found(void **state)
{
    flip_every_bit_of_line(*state, SAMPLE_LINES / 2);
}

static void every_flipped_bit_of_the_last_line_is_found(void **state)
{
    flip_every_bit_of_line(*state, SAMPLE_LINES);
}

static void every_flipped_bit_of_the_first_line_is_found(void **state)
{
    flip_every_bit_of_line(*state, 1);
}

static void a_line_that_was_taken_out_is_missed(void **state)
{
    CLEANUP(memory_cleanup) char *path = sample_journal(*state, SAMPLE_LINES);
    size_t size_bytes;
    CLEANUP(memory_cleanup) char *text = scratch_read(path, &size_bytes);
    size_t from = sample_line_offset(text, 4);
    size_t to = sample_line_offset(text, 5);
    memmove(text + from, text + to, size_bytes - to);
    scratch_write_bytes(path, text, size_bytes - (to - from));
    assert_damaged_at(path, 4);
}

static void a_line_that_was_doubled_is_noticed(void **state)
{
    CLEANUP(memory_cleanup) char *path = sample_journal(*state, 2);
    size_t size_bytes;
    CLEANUP(memory_cleanup) char *text = scratch_read(path, &size_bytes);
    CLEANUP(memory_cleanup)
    char *doubled = memory_format("%s%s", text, text + sample_line_offset(text, 2));
    scratch_write_bytes(path, doubled, strlen(doubled));
    assert_damaged_at(path, 3);
}

/* Somebody who alters a line and mends its own hash is found by the line after it. */
static void a_forged_line_breaks_the_chain(void **state)
{
    CLEANUP(memory_cleanup) char *path = sample_journal(*state, 3);
    CLEANUP(memory_cleanup) char *text = scratch_read(path, NULL);
    char *line = text + sample_line_offset(text, 2);
    char *number = strstr(line, "\"number\":2");
    number[strlen("\"number\":")] = '9';
    char *hash = strstr(line, ",\"hash\":\"");
    char forged[DIGEST_HEX_SIZE];
    digest_sha256_hex(span_of(line, (size_t)(hash - line)), forged);
    memcpy(hash + strlen(",\"hash\":\""), forged, DIGEST_HEX_SIZE - 1);
    scratch_write_bytes(path, text, strlen(text));
    assert_damaged_at(path, 3);
}

static void a_line_without_end_is_damage_and_not_a_torn_tail(void **state)
{
    CLEANUP(memory_cleanup) char *path = scratch_path(*state, "journal.jsonl");
    size_t size_bytes = JOURNAL_LINE_LIMIT_BYTES + 1024 * 1024;
    CLEANUP(memory_cleanup) char *text = memory_new(size_bytes, 1);
    memset(text, 'x', size_bytes);
    scratch_write_bytes(path, text, size_bytes);
    assert_damaged_at(path, 1);
}

/* --- torn tails ---------------------------------------------------------------------------------
 */

static void check_cut(const char *path, const char *text, size_t size_bytes)
{
    replace_file(path, text, size_bytes);
    uint64_t whole_lines = 0;
    size_t end_of_lines = 0;
    for (size_t i = 0; i < size_bytes; i++) {
        if (text[i] == '\n') {
            whole_lines++;
            end_of_lines = i + 1;
        }
    }
    bool lacks_newline = size_bytes > end_of_lines && text[size_bytes] == '\n';

    struct journal_summary summary;
    assert_int_equal(journal_verify(path, &summary, NULL), 0);
    assert_int_equal(summary.events, whole_lines);
    assert_int_equal(summary.tail.offset_bytes, end_of_lines);
    assert_int_equal(summary.tail.size_bytes, size_bytes - end_of_lines);

    uint64_t count = 0;
    struct journal *journal;
    struct journal_tail torn;
    assert_int_equal(journal_open(path, NULL, count_events, &count, &journal, &torn, NULL), 0);
    assert_int_equal(count, whole_lines + lacks_newline);
    assert_int_equal(torn.size_bytes, size_bytes - end_of_lines);
    CLEANUP(json_cleanup) json_t *event = sample_event((int)count + 1);
    assert_int_equal(journal_append_now(journal, event, NULL), 0);
    journal_close(journal, NULL, NULL);

    uint64_t again = 0;
    assert_int_equal(journal_replay(path, count_events, &again, NULL, NULL), 0);
    assert_int_equal(again, count + 1);
}

static void a_journal_cut_at_any_byte_of_its_last_kilobyte_is_mended(void **state)
{
    CLEANUP(memory_cleanup) char *path = sample_journal(*state, SAMPLE_LINES);
    size_t size_bytes;
    CLEANUP(memory_cleanup) char *text = scratch_read(path, &size_bytes);
    assert_true(size_bytes > 1024);
    for (size_t cut = size_bytes - 1024; cut < size_bytes; cut++) {
        check_cut(path, text, cut);
    }
}

static void nuls_behind_a_power_cut_are_a_torn_tail(void **state)
{
    CLEANUP(memory_cleanup) char *path = sample_journal(*state, 3);
    size_t size_bytes;
    CLEANUP(memory_cleanup) char *text = scratch_read(path, &size_bytes);
    CLEANUP(memory_cleanup) char *longer = memory_new(size_bytes + 4096, 1);
    memcpy(longer, text, size_bytes - 1); /* without the last newline */
    scratch_write_bytes(path, longer, size_bytes + 4096);
    uint64_t count = 0;
    struct journal *journal;
    assert_int_equal(journal_open(path, NULL, count_events, &count, &journal, NULL, NULL), 0);
    journal_close(journal, NULL, NULL);
    assert_int_equal(count, 3);
    size_t mended_bytes;
    CLEANUP(memory_cleanup) char *mended = scratch_read(path, &mended_bytes);
    assert_int_equal(mended_bytes, size_bytes);
    assert_string_equal(mended, text);
}

static void a_reader_sees_what_is_appended_after_it_came_to_the_end(void **state)
{
    CLEANUP(memory_cleanup) char *path = sample_journal(*state, 2);
    size_t size_bytes;
    CLEANUP(memory_cleanup) char *text = scratch_read(path, &size_bytes);
    size_t second = sample_line_offset(text, 2);
    scratch_write_bytes(path, text, second + 10);

    struct journal_reader *reader;
    struct journal_event event;
    assert_int_equal(journal_reader_open(path, &reader, NULL), 0);
    assert_int_equal(journal_reader_next(reader, &event, NULL), 1);
    assert_int_equal(journal_reader_next(reader, &event, NULL), 0);
    assert_int_equal(journal_reader_tail(reader).size_bytes, 10);
    scratch_write_bytes(path, text, size_bytes);
    assert_int_equal(journal_reader_next(reader, &event, NULL), 1);
    assert_int_equal(event.seq, 2);
    assert_int_equal(event.offset_bytes, second);
    assert_int_equal(journal_reader_next(reader, &event, NULL), 0);
    journal_reader_free(reader);
}

static void damage_stays_damage(void **state)
{
    CLEANUP(memory_cleanup) char *path = scratch_path(*state, "journal.jsonl");
    scratch_write_bytes(path, "nonsense\n", 9);
    struct journal_reader *reader;
    struct journal_event event;
    assert_int_equal(journal_reader_open(path, &reader, NULL), 0);
    assert_int_equal(journal_reader_next(reader, &event, NULL), -1);
    scratch_write_bytes(path, "", 0);
    assert_int_equal(journal_reader_next(reader, &event, NULL), -1);
    journal_reader_free(reader);
}

int main(void)
{
#define SCRATCH_TEST(test) cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown)
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(every_event_comes_back_in_order),
        SCRATCH_TEST(a_visitor_can_stop_the_replay),
        SCRATCH_TEST(a_missing_journal_is_not_found),
        SCRATCH_TEST(a_symbolic_link_is_refused),
        SCRATCH_TEST(verification_names_the_head_of_the_chain),
        SCRATCH_TEST(an_empty_journal_verifies),
        SCRATCH_TEST(every_flipped_bit_of_a_middle_line_is_found),
        SCRATCH_TEST(every_flipped_bit_of_the_last_line_is_found),
        SCRATCH_TEST(every_flipped_bit_of_the_first_line_is_found),
        SCRATCH_TEST(a_line_that_was_taken_out_is_missed),
        SCRATCH_TEST(a_line_that_was_doubled_is_noticed),
        SCRATCH_TEST(a_forged_line_breaks_the_chain),
        SCRATCH_TEST(a_line_without_end_is_damage_and_not_a_torn_tail),
        SCRATCH_TEST(a_journal_cut_at_any_byte_of_its_last_kilobyte_is_mended),
        SCRATCH_TEST(nuls_behind_a_power_cut_are_a_torn_tail),
        SCRATCH_TEST(a_reader_sees_what_is_appended_after_it_came_to_the_end),
        SCRATCH_TEST(damage_stays_damage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
