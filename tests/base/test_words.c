/* base/nearest and base/table: finding words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/nearest.h"
#include "base/table.h"

static const char *nearest_of(const char *word)
{
    static const char *const known[] = {"needs",   "uses",     "with", "if",      "unless",
                                        "timeout", "for_each", "env",  "confirm", "on_failure"};
    struct nearest nearest;
    nearest_init(&nearest, word);
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        nearest_offer(&nearest, known[i]);
    }
    return nearest.best;
}

static void a_slip_of_the_finger_is_understood(void **state)
{
    (void)state;
    assert_string_equal(nearest_of("need"), "needs");
    assert_string_equal(nearest_of("nedes"), "needs");
    assert_string_equal(nearest_of("tiemout"), "timeout");
    assert_string_equal(nearest_of("Timeout"), "timeout");
    assert_string_equal(nearest_of("on-failure"), "on_failure");
    assert_string_equal(nearest_of("foreach"), "for_each");
}

static void an_unrelated_word_has_no_neighbour(void **state)
{
    (void)state;
    assert_null(nearest_of("database"));
    assert_null(nearest_of("x"));
    assert_null(nearest_of(""));
}

static void endless_words_are_not_compared(void **state)
{
    (void)state;
    CLEANUP(memory_cleanup) char *word = memory_new(100001, 1);
    memset(word, 'n', 100000);
    assert_null(nearest_of(word));
}

static void a_table_finds_what_was_put_in(void **state)
{
    (void)state;
    struct table table = {0};
    size_t value;
    assert_false(table_get(&table, "nothing", &value));
    for (size_t i = 0; i < 5000; i++) {
        CLEANUP(memory_cleanup) char *key = memory_format("key-%zu", i);
        assert_true(table_set(&table, key, i));
    }
    assert_int_equal(table.count, 5000);
    for (size_t i = 0; i < 5000; i++) {
        CLEANUP(memory_cleanup) char *key = memory_format("key-%zu", i);
        assert_true(table_get(&table, key, &value));
        assert_int_equal(value, i);
    }
    assert_false(table_get(&table, "key-5000", &value));
    table_release(&table);
}

static void a_key_that_is_set_again_has_the_new_value(void **state)
{
    (void)state;
    struct table table = {0};
    size_t value;
    assert_true(table_set(&table, "", 1));
    assert_false(table_set(&table, "", 2));
    assert_true(table_get(&table, "", &value));
    assert_int_equal(value, 2);
    assert_int_equal(table.count, 1);
    table_release(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_slip_of_the_finger_is_understood),
        cmocka_unit_test(an_unrelated_word_has_no_neighbour),
        cmocka_unit_test(endless_words_are_not_compared),
        cmocka_unit_test(a_table_finds_what_was_put_in),
        cmocka_unit_test(a_key_that_is_set_again_has_the_new_value),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
