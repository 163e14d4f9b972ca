/* CRI records, one by one and put together to lines. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "process/cri_log.h"

static void record_is_parsed(void **state)
{
    (void)state;
    struct cri_record record;
    assert_true(cri_parse(span_of_text("2026-11-22T22:03:01.123456789Z stderr P a b "), &record));
    assert_int_equal(record.at_ns, INT64_C(1795384981123456789));
    assert_int_equal(record.stream, CRI_STDERR);
    assert_true(record.partial);
    assert_true(span_is(record.text, "a b "));
    assert_true(cri_parse(span_of_text("2026-11-22T22:03:02.000000001Z stdout F "), &record));
    assert_int_equal(record.at_ns, INT64_C(1795384982000000001));
    assert_int_equal(record.text.size_bytes, 0);
}

static void anything_else_is_refused(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "",
        "text",
        "2026-11-22T22:03:01.123456789Z stdout F",
        "2026-11-22T22:03:01.12345678Z stdout F text",
        "2026-11-22T22:03:01.123456789Z stdout X text",
        "2026-11-22T22:03:01.123456789Z stdin  F text",
        "2026-11-22T22:03:01.123456789+00:00 stdout F text",
        "2026-11-22t22:03:01.123456789Z stdout F text",
        "2026-13-22T22:03:01.123456789Z stdout F text",
        "2026-11-22T22:03:01.12345678xZ stdout F text",
        "2026-11-22T22:03:01.1234567892026-11-22T22:03:01.123456789Z stdout F text",
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        struct cri_record record;
        if (cri_parse(span_of_text(lines[i]), &record)) {
            fail_msg("%s", lines[i]);
        }
    }
}

static struct cri_record part(enum cri_stream stream, bool partial, const char *text)
{
    return (struct cri_record){0, stream, partial, span_of_text(text)};
}

static void parts_of_both_streams_become_lines(void **state)
{
    (void)state;
    struct cri_lines lines = {0};
    struct span line;
    struct cri_record records[] = {
        part(CRI_STDOUT, true, "a"),     part(CRI_STDERR, false, "whole"),
        part(CRI_STDOUT, true, "b"),     part(CRI_STDOUT, false, "c"),
        part(CRI_STDOUT, false, "next"), part(CRI_STDERR, true, "rest")};
    const char *expected[] = {NULL, "whole", NULL, "abc", "next", NULL};
    for (size_t i = 0; i < sizeof records / sizeof *records; i++) {
        assert_int_equal(cri_lines_add(&lines, &records[i], &line), expected[i] != NULL);
        assert_true(expected[i] == NULL || span_is(line, expected[i]));
    }
    assert_false(cri_lines_end(&lines, CRI_STDOUT, &line));
    assert_true(cri_lines_end(&lines, CRI_STDERR, &line));
    assert_true(span_is(line, "rest"));
    assert_false(cri_lines_end(&lines, CRI_STDERR, &line));
    cri_lines_release(&lines);
}

static void endless_line_is_handed_on_in_pieces(void **state)
{
    (void)state;
    struct cri_lines lines = {.limit_bytes = 8};
    struct cri_record record = part(CRI_STDOUT, true, "abcde");
    struct span line;
    assert_false(cri_lines_add(&lines, &record, &line));
    assert_true(cri_lines_add(&lines, &record, &line));
    assert_true(span_is(line, "abcdeabcde"));
    assert_false(cri_lines_add(&lines, &record, &line));
    cri_lines_release(&lines);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(record_is_parsed),
        cmocka_unit_test(anything_else_is_refused),
        cmocka_unit_test(parts_of_both_streams_become_lines),
        cmocka_unit_test(endless_line_is_handed_on_in_pieces),
    };
    return cmocka_run_group_tests_name("cri_log", tests, NULL, NULL);
}
