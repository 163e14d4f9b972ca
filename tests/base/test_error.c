/* base/error: the first error wins, context, and the table of codes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/compiler.h"
#include "base/error.h"
#include "base/memory.h"

static void the_first_error_wins(void **state)
{
    (void)state;
    CLEANUP(error_release) struct error err = ERROR_INIT;
    assert_int_equal(error_set(&err, ERROR_NETWORK, "first %d", 1), -1);
    assert_int_equal(error_set(&err, ERROR_IO, "second"), -1);
    assert_int_equal(error_set_errno(&err, 2, "third"), -1);
    assert_int_equal(err.code, ERROR_NETWORK);
    assert_string_equal(err.message, "first 1");
}

static void nobody_has_to_listen(void **state)
{
    (void)state;
    assert_int_equal(error_set(NULL, ERROR_IO, "x"), -1);
    assert_int_equal(error_set_at(NULL, ERROR_IO, "f", 1, 1, "x"), -1);
    assert_int_equal(error_set_errno(NULL, 2, "x"), -1);
    assert_int_equal(error_context(NULL, "x"), -1);
    assert_int_equal(error_hint(NULL, "x"), -1);
    assert_false(error_is_set(NULL));
    error_release(NULL);
}

static void context_comes_in_front(void **state)
{
    (void)state;
    CLEANUP(error_release) struct error err = ERROR_INIT;
    error_set(&err, ERROR_IO, "inner");
    error_context(&err, "middle");
    error_context(&err, "outer %s", "x");
    assert_string_equal(err.message, "outer x: middle: inner");
}

static void context_of_no_error_is_nothing(void **state)
{
    (void)state;
    CLEANUP(error_release) struct error err = ERROR_INIT;
    error_context(&err, "outer");
    error_hint(&err, "hint");
    assert_int_equal(err.code, ERROR_NONE);
    assert_null(err.message);
    assert_null(err.hint);
}

static void errno_is_part_of_the_message(void **state)
{
    (void)state;
    CLEANUP(error_release) struct error err = ERROR_INIT;
    error_set_errno(&err, 28, "write");
    assert_int_equal(err.code, ERROR_IO);
    assert_string_equal(err.message, "write: No space left on device");
}

static void an_error_is_one_line_with_its_place_and_hint(void **state)
{
    (void)state;
    CLEANUP(error_release) struct error err = ERROR_INIT;
    error_set_at(&err, ERROR_INVALID, "plan.yaml", 3, 7, "unknown key");
    error_hint(&err, "too early");
    error_hint(&err, "did you mean %s?", "needs");
    CLEANUP(memory_cleanup) char *line = error_format(&err);
    assert_string_equal(line, "plan.yaml:3:7: unknown key (did you mean needs?)");
}

static void a_place_may_lack_column_or_line(void **state)
{
    (void)state;
    CLEANUP(error_release) struct error err = ERROR_INIT;
    error_set_at(&err, ERROR_INVALID, "plan.yaml", 0, 0, "empty");
    CLEANUP(memory_cleanup) char *line = error_format(&err);
    assert_string_equal(line, "plan.yaml: empty");
}

static void moving_leaves_the_source_clear(void **state)
{
    (void)state;
    CLEANUP(error_release) struct error from = ERROR_INIT;
    CLEANUP(error_release) struct error to = ERROR_INIT;
    error_set(&to, ERROR_IO, "old");
    error_set(&from, ERROR_TIMEOUT, "new");
    error_move(&to, &from);
    assert_false(error_is_set(&from));
    assert_string_equal(to.message, "new");
    error_move(NULL, &to);
    assert_false(error_is_set(&to));
}

static void codes_have_names_and_exit_statuses(void **state)
{
    (void)state;
    static const struct {
        enum error_code code;
        const char *name;
        int exit_status;
    } promised[] = {
        {ERROR_NONE, "none", 0},
        {ERROR_FAILED, "failed", 1},
        {ERROR_USAGE, "usage", 2},
        {ERROR_INVALID, "invalid", 3},
        {ERROR_NOT_READY, "not_ready", 4},
        {ERROR_REFUSED, "refused", 5},
        {ERROR_LOCKED, "locked", 6},
        {ERROR_CANCELLED, "cancelled", 7},
        {ERROR_WAITING, "waiting", 8},
        {ERROR_DAMAGED, "damaged", 9},
        {ERROR_IO, "io", 1},
        {ERROR_NETWORK, "network", 1},
        {ERROR_THROTTLED, "throttled", 1},
        {ERROR_TIMEOUT, "timeout", 1},
        {ERROR_UNKNOWN, "unknown", 1},
        {ERROR_NOT_FOUND, "not_found", 1},
    };
    for (size_t i = 0; i < ARRAY_SIZE(promised); i++) {
        assert_string_equal(error_code_name(promised[i].code), promised[i].name);
        assert_int_equal(error_code_from_name(promised[i].name), promised[i].code);
        assert_int_equal(error_code_exit_status(promised[i].code), promised[i].exit_status);
    }
    assert_int_equal(error_code_from_name("nonsense"), ERROR_NONE);
}

static void a_list_keeps_the_first_and_counts_the_rest(void **state)
{
    (void)state;
    struct error_list list = {.limit = 3};
    for (int i = 0; i < 5; i++) {
        struct error err = ERROR_INIT;
        error_set(&err, ERROR_INVALID, "number %d", i);
        error_list_add(&list, &err);
        assert_false(error_is_set(&err));
    }
    assert_null(error_list_add_at(&list, ERROR_INVALID, "f", 1, 1, "late"));
    assert_int_equal(list.errors.count, 3);
    assert_int_equal(list.dropped, 3);
    assert_string_equal(list.errors.items[2].message, "number 2");
    error_list_release(&list);
}

static void a_list_without_a_limit_keeps_a_hundred(void **state)
{
    (void)state;
    struct error_list list = {.limit = 0};
    for (int i = 0; i < 101; i++) {
        error_list_add_at(&list, ERROR_INVALID, "plan.yaml", (size_t)i + 1, 1, "wrong");
    }
    assert_int_equal(list.errors.count, 100);
    assert_int_equal(list.dropped, 1);
    assert_int_equal(list.errors.items[99].line, 100);
    error_list_release(&list);
}

static void adding_no_error_adds_nothing(void **state)
{
    (void)state;
    struct error_list list = {.limit = 0};
    struct error err = ERROR_INIT;
    error_list_add(&list, &err);
    assert_int_equal(list.errors.count, 0);
    error_list_release(&list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_error_wins),
        cmocka_unit_test(nobody_has_to_listen),
        cmocka_unit_test(context_comes_in_front),
        cmocka_unit_test(context_of_no_error_is_nothing),
        cmocka_unit_test(errno_is_part_of_the_message),
        cmocka_unit_test(an_error_is_one_line_with_its_place_and_hint),
        cmocka_unit_test(a_place_may_lack_column_or_line),
        cmocka_unit_test(moving_leaves_the_source_clear),
        cmocka_unit_test(codes_have_names_and_exit_statuses),
        cmocka_unit_test(a_list_keeps_the_first_and_counts_the_rest),
        cmocka_unit_test(a_list_without_a_limit_keeps_a_hundred),
        cmocka_unit_test(adding_no_error_adds_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
