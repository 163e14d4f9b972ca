/* base/text: nothing that a terminal would obey gets through. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "base/random.h"
#include "base/text.h"

static void assert_shown(const char *text, const char *expected)
{
    CLEANUP(buffer_release) struct buffer out = BUFFER_INIT;
    text_append_safe(&out, span_of_text(text), true);
    assert_string_equal(buffer_text(&out), expected);
}

static void ordinary_text_stays_as_it_is(void **state)
{
    (void)state;
    assert_shown("caf\xc3\xa9\t\xe2\x82\xac \xf0\x9f\x98\x80\nnext", "caf\xc3\xa9\t\xe2\x82\xac "
                                                                     "\xf0\x9f\x98\x80\nnext");
}

static void escape_sequences_are_dropped_whole(void **state)
{
    (void)state;
    assert_shown("a\x1b[1;31mb\x1b[0mc", "abc");
    assert_shown("a\x1b[?25l\x1b[2J\x1b[Hb", "ab");
    assert_shown("a\x1b]0;title\x07z", "az");
    assert_shown("a\x1b]52;c;c2VjcmV0\x1b\\z", "az");
    assert_shown("a\x1bP1$r\x1b\\z", "az");
    assert_shown("a\x1b_apc\x1b\\z", "az");
    assert_shown("a\x1b(Bz", "az");
    assert_shown("a\x1b"
                 "cz",
                 "az");
    assert_shown("a\x1b", "a");
    assert_shown("a\x1b[1;3", "a");
}

/* Otherwise three bytes in a file could hide the rest of it from who has to approve a change. */
static void an_unclosed_sequence_does_not_swallow_the_next_line(void **state)
{
    (void)state;
    assert_shown("a\x1b]0;title\nshown", "a\nshown");
    assert_shown("a\x1b[1;2\nshown", "a\nshown");
    assert_shown("a\x1bPdcs\nshown", "a\nshown");
    assert_shown("a\x1b\nshown", "a\nshown");
    assert_shown("a\x1b(\nshown", "a\nshown");
}

static void other_controls_are_made_visible(void **state)
{
    (void)state;
    assert_shown("a\rb\bc\x07", "a\\x0db\\x08c\\x07");
    assert_shown("\x7f", "\\x7f");
    assert_shown("\xc2\x9b"
                 "31m",
                 "\\xc2\\x9b31m");
}

static void text_cannot_be_turned_around(void **state)
{
    (void)state;
    assert_shown("a\xe2\x80\xae"
                 "b",
                 "a\\xe2\\x80\\xaeb");
    assert_shown("a\xe2\x81\xa6"
                 "b",
                 "a\\xe2\\x81\\xa6b");
    assert_shown("a\xe2\x80\xa9"
                 "b",
                 "a\xe2\x80\xa9"
                 "b");
}

static void invalid_bytes_are_made_visible(void **state)
{
    (void)state;
    assert_shown("a\xff\xc3", "a\\xff\\xc3");
    assert_shown("\xed\xa0\x80", "\\xed\\xa0\\x80");
}

static void line_feeds_can_be_kept_in_one_line(void **state)
{
    (void)state;
    CLEANUP(buffer_release) struct buffer out = BUFFER_INIT;
    text_append_safe(&out, span_of_text("a\nb\n"), false);
    assert_string_equal(buffer_text(&out), "a\\nb\\n");
}

static void whatever_comes_in_only_text_comes_out(void **state)
{
    (void)state;
    for (int round = 0; round < 20000; round++) {
        unsigned char bytes[24];
        size_t size = (size_t)random_below(sizeof bytes + 1);
        random_bytes(bytes, sizeof bytes);
        for (size_t i = 0; i < size; i++) {
            bytes[i] =
                random_below(3) == 0 ? (unsigned char)"\x1b[]P\x07\n"[random_below(6)] : bytes[i];
        }
        CLEANUP(buffer_release) struct buffer out = BUFFER_INIT;
        text_append_safe(&out, span_of((const char *)bytes, size), false);
        assert_int_equal(text_valid_utf8_prefix(buffer_span(&out)), out.size_bytes);
        for (size_t i = 0; i < out.size_bytes; i++) {
            unsigned char byte = (unsigned char)out.data[i];
            assert_true((byte >= 0x20 && byte != 0x7f) || byte == '\t');
        }
    }
}

static void the_valid_prefix_ends_where_rfc_3629_is_broken(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t valid;
    } cases[] = {
        {"", 0},
        {"abc", 3},
        {"\xc3\xa9", 2},
        {"a\xc3", 1},            /* cut off */
        {"a\x80", 1},            /* a continuation alone */
        {"\xc0\xaf", 0},         /* overlong */
        {"\xe0\x80\xaf", 0},     /* overlong */
        {"\xf0\x80\x80\xaf", 0}, /* overlong */
        {"\xed\xa0\x80", 0},     /* surrogate */
        {"\xed\x9f\xbf", 3},     /* the last before the surrogates */
        {"\xf4\x8f\xbf\xbf", 4}, /* U+10FFFF */
        {"\xf4\x90\x80\x80", 0}, /* beyond it */
        {"\xf5\x80\x80\x80", 0},
        {"ok\xff", 2},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        assert_int_equal(text_valid_utf8_prefix(span_of_text(cases[i].text)), cases[i].valid);
    }
}

static void positions_count_lines_and_characters(void **state)
{
    (void)state;
    struct span text = span_of_text("ab\n\xc3\xa9\xe2\x82\xacx\n");
    size_t line;
    size_t column;
    text_position(text, 0, &line, &column);
    assert_int_equal(line, 1);
    assert_int_equal(column, 1);
    text_position(text, 8, &line, &column);
    assert_int_equal(line, 2);
    assert_int_equal(column, 3);
    text_position(text, 1000, &line, &column);
    assert_int_equal(line, 3);
    assert_int_equal(column, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ordinary_text_stays_as_it_is),
        cmocka_unit_test(escape_sequences_are_dropped_whole),
        cmocka_unit_test(an_unclosed_sequence_does_not_swallow_the_next_line),
        cmocka_unit_test(other_controls_are_made_visible),
        cmocka_unit_test(text_cannot_be_turned_around),
        cmocka_unit_test(invalid_bytes_are_made_visible),
        cmocka_unit_test(line_feeds_can_be_kept_in_one_line),
        cmocka_unit_test(whatever_comes_in_only_text_comes_out),
        cmocka_unit_test(the_valid_prefix_ends_where_rfc_3629_is_broken),
        cmocka_unit_test(positions_count_lines_and_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
