/* base/json: strict in, canonical out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/memory.h"
#include "scratch.h"

static json_t *parse(const char *text)
{
    return json_parse(span_of_text(text), "test.json", NULL);
}

static void any_value_can_be_a_document(void **state)
{
    (void)state;
    static const char *const good[] = {"{}", "[1,2]", "\"x\"", "3", "true", "null", " {\"a\":1}\n"};
    for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
        CLEANUP(json_cleanup) json_t *value = parse(good[i]);
        assert_non_null(value);
    }
}

static void what_is_ambiguous_or_broken_is_refused_with_its_place(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",   "{",   "{} {}",       "{\"a\":1,\"a\":2}",   "{a:1}",    "[1,]",
        "01", "'x'", "{\"a\":1} x", "9223372036854775808", "\"\xff\"", "NaN",
    };
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        CLEANUP(error_release) struct error err = ERROR_INIT;
        CLEANUP(json_cleanup) json_t *value = json_parse(span_of_text(bad[i]), "test.json", &err);
        if (value != NULL) {
            fail_msg("'%s' was taken", bad[i]);
        }
        assert_int_equal(err.code, ERROR_INVALID);
        assert_string_equal(err.file, "test.json");
        assert_true(err.line >= 1 && err.column >= 1);
    }
}

static void the_place_is_the_one_of_the_mistake(void **state)
{
    (void)state;
    CLEANUP(error_release) struct error err = ERROR_INIT;
    assert_null(json_parse(span_of_text("{\n  \"a\": 1,\n  b: 2\n}"), "x", &err));
    assert_int_equal(err.line, 3);
}

static void keys_keep_their_order_in_plain_output(void **state)
{
    (void)state;
    CLEANUP(json_cleanup) json_t *value = parse("{\"b\": 1, \"a\": [true, null, 1.5]}");
    CLEANUP(buffer_release) struct buffer out = BUFFER_INIT;
    json_append(&out, value);
    assert_string_equal(buffer_text(&out), "{\"b\":1,\"a\":[true,null,1.5]}");
}

static void equal_values_have_equal_canonical_bytes(void **state)
{
    (void)state;
    CLEANUP(json_cleanup) json_t *one = parse("{\"b\":{\"d\":1,\"c\":2},\"a\":3}");
    CLEANUP(json_cleanup) json_t *two = parse("{ \"a\": 3, \"b\": { \"c\": 2, \"d\": 1 } }");
    CLEANUP(memory_cleanup) char *first = json_canonical(one);
    CLEANUP(memory_cleanup) char *second = json_canonical(two);
    assert_string_equal(first, second);
    assert_string_equal(first, "{\"a\":3,\"b\":{\"c\":2,\"d\":1}}");
}

static void getters_answer_for_missing_and_wrong_values(void **state)
{
    (void)state;
    CLEANUP(json_cleanup) json_t *value = parse("{\"text\":\"x\",\"number\":7,\"big\":1.5}");
    assert_string_equal(json_get_text(value, "text"), "x");
    assert_null(json_get_text(value, "number"));
    assert_null(json_get_text(value, "none"));
    assert_null(json_get_text(NULL, "none"));
    assert_int_equal(json_get_integer(value, "number", -1), 7);
    assert_int_equal(json_get_integer(value, "big", -1), -1);
    assert_int_equal(json_get_integer(value, "none", -1), -1);
}

static void a_file_is_read_up_to_its_limit(void **state)
{
    CLEANUP(memory_cleanup) char *path = scratch_path(*state, "x.json");
    scratch_write(*state, "x.json", "{\"a\":1}");
    CLEANUP(json_cleanup) json_t *value = json_read_file(path, 7, NULL);
    assert_non_null(value);
    CLEANUP(error_release) struct error err = ERROR_INIT;
    assert_null(json_read_file(path, 6, &err));
    assert_int_equal(err.code, ERROR_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_value_can_be_a_document),
        cmocka_unit_test(what_is_ambiguous_or_broken_is_refused_with_its_place),
        cmocka_unit_test(the_place_is_the_one_of_the_mistake),
        cmocka_unit_test(keys_keep_their_order_in_plain_output),
        cmocka_unit_test(equal_values_have_equal_canonical_bytes),
        cmocka_unit_test(getters_answer_for_missing_and_wrong_values),
        cmocka_unit_test_setup_teardown(a_file_is_read_up_to_its_limit, scratch_setup,
                                        scratch_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
