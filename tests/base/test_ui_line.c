/* Terraform's JSON lines as people read them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/ui_line.h"

static void shows(const char *line, const char *wanted)
{
    struct buffer out = BUFFER_INIT;
    assert_int_equal(ui_line_append(&out, span_of_text(line)), UI_LINE_TEXT);
    assert_string_equal(buffer_text(&out), wanted);
    buffer_release(&out);
}

static void is(const char *line, enum ui_line_kind wanted)
{
    struct buffer out = BUFFER_INIT;
    assert_int_equal(ui_line_append(&out, span_of_text(line)), wanted);
    assert_int_equal(out.size_bytes, 0);
    buffer_release(&out);
}

static void messages_are_shown(void **state)
{
    (void)state;
    shows("{\"@level\":\"info\",\"@message\":\"a: Creating...\",\"type\":\"apply_start\"}",
          "a: Creating...");
    shows("{\"@level\":\"info\",\"@message\":\"new\",\"type\":\"of a later version\"}", "new");
}

static void diagnostics_are_one_line_with_detail_and_place(void **state)
{
    (void)state;
    shows(
        "{\"@level\":\"error\",\"@message\":\"Error: Bad\",\"type\":\"diagnostic\",\"diagnostic\":"
        "{\"severity\":\"error\",\"summary\":\"Bad\",\"detail\":\"It is\\n  bad.\",\"address\":"
        "\"x.y\",\"range\":{\"filename\":\"a.tf\",\"start\":{\"line\":3}}}}",
        "Error: Bad: It is bad. [x.y] (a.tf:3)");
}

static void what_nobody_needs_is_hidden(void **state)
{
    (void)state;
    is("{\"@level\":\"info\",\"@message\":\"Terraform 1.11.4\",\"type\":\"version\"}",
       UI_LINE_HIDDEN);
}

static void other_lines_stay_as_they_are(void **state)
{
    (void)state;
    is("", UI_LINE_PLAIN);
    is("{\"a\": 1}", UI_LINE_PLAIN);
    is("{\"@level\":\"info\", torn", UI_LINE_PLAIN);
    is("{\"@level\":\"info\"}", UI_LINE_PLAIN);
}

static void a_very_long_line_is_told_of(void **state)
{
    (void)state;
    struct buffer line = BUFFER_INIT;
    struct buffer out = BUFFER_INIT;
    buffer_append_text(&line, "{\"@level\":\"info\",\"@message\":\"");
    for (int i = 0; i < 1100 * 1024; i++) {
        buffer_append_char(&line, 'x');
    }
    assert_int_equal(ui_line_append(&out, buffer_span(&line)), UI_LINE_TEXT);
    assert_true(out.size_bytes < 100);
    buffer_release(&line);
    buffer_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_are_shown),
        cmocka_unit_test(diagnostics_are_one_line_with_detail_and_place),
        cmocka_unit_test(what_nobody_needs_is_hidden),
        cmocka_unit_test(other_lines_stay_as_they_are),
        cmocka_unit_test(a_very_long_line_is_told_of),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
