/* The review of a run: golden folders tests/golden/report/NAME, events.json → expected.md. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/json.h"
#include "view/report.h"

#define GOLDEN DRCTL_SOURCE_DIR "/tests/golden/report/"

enum { LIMIT_BYTES = 1 << 20 };

static json_t *review_of(const char *path)
{
    struct error err = ERROR_INIT;
    json_t *given = json_read_file(path, LIMIT_BYTES, &err);
    assert_non_null(given);
    struct fold fold = {0};
    struct report report = {0};
    size_t index;
    json_t *item;
    json_array_foreach (json_object_get(given, "steps"), index, item) {
        fold_add_step(&fold, json_string_value(json_array_get(item, 0)),
                      json_string_value(json_array_get(item, 1)));
    }
    json_array_foreach (json_object_get(given, "objectives"), index, item) {
        fold_add_objective(&fold, json_get_text(item, "component"), json_get_text(item, "step"),
                           json_get_integer(item, "rto_ms", -1),
                           json_get_integer(item, "rpo_ms", -1));
    }
    json_array_foreach (json_object_get(given, "events"), index, item) {
        fold_event(&fold, item);
        report_event(&report, item);
    }
    json_t *review = report_finish(&report, &fold);
    fold_release(&fold);
    json_decref(given);
    return review;
}

static void markdown_is_as_expected(void **state)
{
    (void)state;
    json_t *review = review_of(GOLDEN "failed-then-resumed/events.json");
    struct buffer got = BUFFER_INIT;
    struct buffer expected = BUFFER_INIT;
    report_markdown(&got, review);
    const char *rewrite = getenv("DRCTL_GOLDEN_WRITE");
    if (rewrite != NULL) {
        assert_int_equal(0, file_write(GOLDEN "failed-then-resumed/expected.md", buffer_span(&got),
                                       0644, FILE_ATOMIC, NULL));
    }
    assert_int_equal(
        0, file_read(GOLDEN "failed-then-resumed/expected.md", LIMIT_BYTES, &expected, NULL));
    assert_string_equal(buffer_text(&expected), buffer_text(&got));
    buffer_release(&got);
    buffer_release(&expected);
    json_decref(review);
}

static void html_escapes_what_came_from_the_run(void **state)
{
    (void)state;
    json_t *review = review_of(GOLDEN "failed-then-resumed/events.json");
    struct buffer got = BUFFER_INIT;
    report_html(&got, review);
    assert_null(strstr(buffer_text(&got), "<script"));
    assert_null(strstr(buffer_text(&got), "<b>"));
    assert_non_null(strstr(buffer_text(&got), "&lt;script&gt;alert(1)"));
    assert_null(strstr(buffer_text(&got), "http://"));
    assert_null(strstr(buffer_text(&got), "https://"));
    buffer_release(&got);
    json_decref(review);
}

static void waiting_is_counted_from_question_to_answer(void **state)
{
    (void)state;
    json_t *review = review_of(GOLDEN "failed-then-resumed/events.json");
    assert_int_equal(600000, json_get_integer(review, "waited_ms", -1));
    json_decref(review);
}

static void objectives_count_from_the_declared_incident(void **state)
{
    (void)state;
    json_t *review = review_of(GOLDEN "failed-then-resumed/events.json");
    const json_t *objectives = json_object_get(review, "objectives");
    const json_t *database = json_array_get(objectives, 0);
    assert_int_equal(50 * 60000, json_get_integer(database, "took_ms", -1));
    assert_string_equal("met", json_get_text(database, "rto"));
    assert_int_equal(3 * 60000, json_get_integer(database, "age_ms", -1));
    assert_string_equal("met", json_get_text(database, "rpo"));
    const json_t *objects = json_array_get(objectives, 2);
    assert_string_equal("missed", json_get_text(objects, "rto"));
    assert_string_equal("not measured", json_get_text(objects, "rpo"));
    json_decref(review);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(markdown_is_as_expected),
        cmocka_unit_test(html_escapes_what_came_from_the_run),
        cmocka_unit_test(waiting_is_counted_from_question_to_answer),
        cmocka_unit_test(objectives_count_from_the_declared_incident),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
