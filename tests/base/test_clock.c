/* base/clock: civil time against the C library's, and durations as people write them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/random.h"

static int64_t parse(const char *text)
{
    int64_t at_ns;
    CLEANUP(error_release) struct error err = ERROR_INIT;
    if (clock_parse_rfc3339(text, &at_ns, &err) != 0) {
        fail_msg("%s", err.message);
    }
    return at_ns;
}

static void formatting_and_parsing_agree_with_the_c_library(void **state)
{
    (void)state;
    for (int i = 0; i < 20000; i++) {
        int64_t seconds = (int64_t)random_below(UINT64_C(9214646400)); /* up to the year 2261 */
        int64_t nanosecond = (int64_t)random_below(1000000000);
        time_t time = (time_t)seconds;
        struct tm civil;
        gmtime_r(&time, &civil);
        char day[32];
        assert_true(strftime(day, sizeof day, "%Y-%m-%dT%H:%M:%S", &civil) > 0);
        CLEANUP(memory_cleanup)
        char *expected = memory_format("%s.%09dZ", day, (int)nanosecond);
        char text[CLOCK_RFC3339_SIZE];
        int64_t at_ns = seconds * CLOCK_NS_PER_S + nanosecond;
        clock_format_rfc3339_ns(at_ns, text);
        assert_string_equal(text, expected);
        assert_int_equal(parse(text), at_ns);
    }
}

static void milliseconds_are_cut_and_not_rounded(void **state)
{
    (void)state;
    char text[CLOCK_RFC3339_SIZE];
    clock_format_rfc3339_ms(parse("2026-11-22T22:03:01.999999999Z"), text);
    assert_string_equal(text, "2026-11-22T22:03:01.999Z");
}

static void offsets_and_fractions_are_understood(void **state)
{
    (void)state;
    int64_t noon = parse("2026-11-22T12:00:00Z");
    assert_int_equal(parse("2026-11-22T14:30:00+02:30"), noon);
    assert_int_equal(parse("2026-11-22T04:00:00-0800"), noon);
    assert_int_equal(parse("2026-11-22t12:00:00z"), noon);
    assert_int_equal(parse("2026-11-22 12:00:00Z"), noon);
    assert_int_equal(parse("2026-11-22T12:00:00.5Z"), noon + CLOCK_NS_PER_S / 2);
    assert_int_equal(parse("2026-11-22T12:00:00.000000001999Z"), noon + 1);
    assert_int_equal(parse("2024-02-29T00:00:00Z") + 86400 * CLOCK_NS_PER_S,
                     parse("2024-03-01T00:00:00Z"));
    assert_int_equal(parse("1970-01-01T00:00:00Z"), 0);
}

static void what_is_no_time_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "2026-11-22",
        "2026-11-22T12:00:00",
        "2026-11-22T12:00:00 Z",
        "2026-13-01T00:00:00Z",
        "2026-02-29T00:00:00Z",
        "2026-00-10T00:00:00Z",
        "2026-01-00T00:00:00Z",
        "2026-01-01T24:00:00Z",
        "2026-01-01T00:60:00Z",
        "2026-01-01T00:00:61Z",
        "2026-01-01T00:00:00.Z",
        "2026-01-01T00:00:00+24:00",
        "2026-01-01T00:00:00Zx",
        "1969-12-31T23:59:59Z",
        "2262-01-01T00:00:00Z",
        "26-01-01T00:00:00Z",
        "yesterday",
    };
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        int64_t at_ns = 42;
        CLEANUP(error_release) struct error err = ERROR_INIT;
        if (clock_parse_rfc3339(bad[i], &at_ns, &err) == 0) {
            fail_msg("'%s' was taken", bad[i]);
        }
        assert_int_equal(err.code, ERROR_INVALID);
        assert_int_equal(at_ns, 42);
    }
}

static void durations_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t ms;
    } good[] = {
        {"500ms", 500},     {"90s", 90000},        {"5m", 300000},
        {"1h30m", 5400000}, {"2d", 172800000},     {"1d2h3m4s5ms", 93784005},
        {"0s", 0},          {"366d", 31622400000}, {"8784h", 31622400000},
    };
    for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
        int64_t ms;
        assert_int_equal(clock_parse_duration(good[i].text, &ms, NULL), 0);
        assert_int_equal(ms, good[i].ms);
    }
}

static void durations_that_would_be_a_guess_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "5",
        "m",
        "5x",
        "5 m",
        "-5m",
        "1m1h",
        "1h1h",
        "1.5h",
        "5min",
        "367d",
        "366d1ms",
        "99999999999999999999s",
        "5m ",
        "0x10s",
    };
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        int64_t ms = 42;
        CLEANUP(error_release) struct error err = ERROR_INIT;
        if (clock_parse_duration(bad[i], &ms, &err) == 0) {
            fail_msg("'%s' was taken", bad[i]);
        }
        assert_int_equal(err.code, ERROR_INVALID);
        assert_int_equal(ms, 42);
    }
}

static void durations_are_said_as_a_person_would(void **state)
{
    (void)state;
    static const struct {
        int64_t ms;
        const char *text;
    } said[] = {
        {-1, "0ms"},       {999, "999ms"},     {12345, "12.3s"},      {59999, "59.9s"},
        {245000, "4m05s"}, {5400000, "1h30m"}, {172799000, "47h59m"}, {180000000, "2d02h"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(said); i++) {
        CLEANUP(memory_cleanup) char *text = clock_format_duration(said[i].ms);
        assert_string_equal(text, said[i].text);
    }
}

static void the_monotonic_clock_goes_on(void **state)
{
    (void)state;
    int64_t before = clock_monotonic_ns();
    assert_true(clock_monotonic_ns() >= before);
    assert_true(clock_wall_ns() > parse("2020-01-01T00:00:00Z"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(formatting_and_parsing_agree_with_the_c_library),
        cmocka_unit_test(milliseconds_are_cut_and_not_rounded),
        cmocka_unit_test(offsets_and_fractions_are_understood),
        cmocka_unit_test(what_is_no_time_is_refused),
        cmocka_unit_test(durations_are_read),
        cmocka_unit_test(durations_that_would_be_a_guess_are_refused),
        cmocka_unit_test(durations_are_said_as_a_person_would),
        cmocka_unit_test(the_monotonic_clock_goes_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
