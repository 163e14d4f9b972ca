/* Golden folders tests/golden/drills/NAME: input.json {now, site, runs} → output.txt, the table and
 * the metrics, or the error. Run with DRCTL_ACCEPT=1 to write them anew, and read the difference.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "runtime/drill_calendar.h"

enum { GOLDEN_LIMIT_BYTES = 1024 * 1024 };

static void render(const json_t *input, struct buffer *out)
{
    int64_t now_ns;
    CLEANUP(json_cleanup) json_t *rows = NULL;
    struct error err = ERROR_INIT;
    assert_int_equal(clock_parse_rfc3339(json_get_text(input, "now"), &now_ns, NULL), 0);
    if (drill_calendar(json_object_get(input, "site"), json_object_get(input, "runs"), now_ns,
                       &rows, &err) != 0) {
        CLEANUP(memory_cleanup) char *text = error_format(&err);
        buffer_append_format(out, "%s\n", text);
        error_release(&err);
        return;
    }
    drill_calendar_append_table(out, rows);
    buffer_append_format(out, "overdue: %s\n\n", drill_calendar_is_overdue(rows) ? "yes" : "no");
    drill_calendar_append_metrics(out, rows, now_ns);
}

static void check_folder(const char *name)
{
    CLEANUP(memory_cleanup)
    char *folder = memory_format("%s/tests/golden/drills/%s", DRCTL_SOURCE_DIR, name);
    CLEANUP(memory_cleanup) char *input_path = file_join(folder, "input.json");
    CLEANUP(memory_cleanup) char *output_path = file_join(folder, "output.txt");
    CLEANUP(json_cleanup) json_t *input = json_read_file(input_path, GOLDEN_LIMIT_BYTES, NULL);
    CLEANUP(buffer_release) struct buffer found = BUFFER_INIT;
    CLEANUP(buffer_release) struct buffer expected = BUFFER_INIT;
    assert_non_null(input);
    render(input, &found);
    if (getenv("DRCTL_ACCEPT") != NULL) {
        assert_int_equal(file_write(output_path, buffer_span(&found), 0644, FILE_ATOMIC, NULL), 0);
    }
    assert_int_equal(file_read(output_path, GOLDEN_LIMIT_BYTES, &expected, NULL), 0);
    assert_string_equal(buffer_text(&found), buffer_text(&expected));
}

static void test_every_state_of_a_drill_is_told(void **state)
{
    (void)state;
    check_folder("all-kinds");
}

static void test_months_are_those_of_the_calendar(void **state)
{
    (void)state;
    check_folder("months");
}

static void test_a_period_that_is_none_is_refused(void **state)
{
    (void)state;
    check_folder("site-errors");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_state_of_a_drill_is_told),
        cmocka_unit_test(test_months_are_those_of_the_calendar),
        cmocka_unit_test(test_a_period_that_is_none_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
