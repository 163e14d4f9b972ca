/* base/buffer, base/vector and base/memory: growing things. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "base/vector.h"

static void an_empty_buffer_is_an_empty_string(void **state)
{
    (void)state;
    CLEANUP(buffer_release) struct buffer buffer = BUFFER_INIT;
    assert_string_equal(buffer_text(&buffer), "");
    assert_int_equal(buffer_span(&buffer).size_bytes, 0);
    buffer_clear(&buffer);
    buffer_consume(&buffer, 0);
    CLEANUP(memory_cleanup) char *text = buffer_take(&buffer);
    assert_string_equal(text, "");
}

static void everything_that_is_appended_is_there_in_order(void **state)
{
    (void)state;
    CLEANUP(buffer_release) struct buffer buffer = BUFFER_INIT;
    buffer_append(&buffer, "a\0b", 3);
    buffer_append_text(&buffer, "text");
    buffer_append_char(&buffer, '-');
    buffer_append_span(&buffer, span_of("spanned", 4));
    buffer_append_format(&buffer, "%d%%", 42);
    assert_int_equal(buffer.size_bytes, 15);
    assert_memory_equal(buffer.data, "a\0btext-span42%", 16);
}

/* Against a plain array, in the sizes in which buffers grow. */
static void a_nul_follows_the_content_after_every_call(void **state)
{
    (void)state;
    CLEANUP(buffer_release) struct buffer buffer = BUFFER_INIT;
    char model[4096];
    size_t size = 0;
    unsigned int seed = 1;
    for (int i = 0; i < 20000; i++) {
        seed = seed * 1103515245u + 12345u;
        size_t amount = (seed >> 16) % 97;
        if ((seed >> 8) % 4 != 0 && size + amount < sizeof model) {
            memset(model + size, 'a' + (int)(i % 26), amount);
            buffer_append(&buffer, model + size, amount);
            size += amount;
        } else if ((seed >> 8) % 2 != 0) {
            amount = amount < size ? amount : size;
            memmove(model, model + amount, size - amount);
            size -= amount;
            buffer_consume(&buffer, amount);
        } else {
            size = size > amount ? size - amount : 0;
            buffer_truncate(&buffer, size);
        }
        assert_int_equal(buffer.size_bytes, size);
        assert_memory_equal(buffer_text(&buffer), model, size);
        assert_int_equal(buffer_text(&buffer)[size], '\0');
    }
}

static void reserved_room_can_be_written_to_and_counted(void **state)
{
    (void)state;
    CLEANUP(buffer_release) struct buffer buffer = BUFFER_INIT;
    buffer_append_text(&buffer, "x");
    char *room = buffer_reserve(&buffer, 1000);
    memset(room, 'y', 1000);
    buffer_advance(&buffer, 1000);
    assert_int_equal(strlen(buffer_text(&buffer)), 1001);
}

static void taking_leaves_an_empty_buffer_that_can_be_used_again(void **state)
{
    (void)state;
    CLEANUP(buffer_release) struct buffer buffer = BUFFER_INIT;
    buffer_append_text(&buffer, "first");
    CLEANUP(memory_cleanup) char *text = buffer_take(&buffer);
    buffer_append_text(&buffer, "second");
    assert_string_equal(text, "first");
    assert_string_equal(buffer_text(&buffer), "second");
}

static void a_vector_grows_and_keeps_its_items(void **state)
{
    (void)state;
    VECTOR(int)
    numbers = {0};
    for (int i = 0; i < 1000; i++) {
        vector_push(&numbers, i);
    }
    int sum = 0;
    vector_each (int *, number, &numbers) {
        sum += *number;
    }
    assert_int_equal(numbers.count, 1000);
    assert_int_equal(sum, 499500);
    vector_release(&numbers);
    assert_int_equal(numbers.count, 0);
    vector_each (int *, number, &numbers) {
        fail_msg("an empty vector has no items, not even %d", *number);
    }
}

static void a_new_item_is_zeroed_also_where_another_was(void **state)
{
    (void)state;
    VECTOR(int)
    numbers = {0};
    vector_push(&numbers, 7);
    numbers.count--;
    assert_int_equal(*vector_grow(&numbers), 0);
    vector_release(&numbers);
}

static void no_text_copies_to_no_text(void **state)
{
    (void)state;
    assert_null(memory_text(NULL));
    assert_null(memory_text_n(NULL, 3));
    CLEANUP(memory_cleanup) char *text = memory_text_n("abcdef", 3);
    assert_string_equal(text, "abc");
    memory_free_secret(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_buffer_is_an_empty_string),
        cmocka_unit_test(everything_that_is_appended_is_there_in_order),
        cmocka_unit_test(a_nul_follows_the_content_after_every_call),
        cmocka_unit_test(reserved_room_can_be_written_to_and_counted),
        cmocka_unit_test(taking_leaves_an_empty_buffer_that_can_be_used_again),
        cmocka_unit_test(a_vector_grows_and_keeps_its_items),
        cmocka_unit_test(a_new_item_is_zeroed_also_where_another_was),
        cmocka_unit_test(no_text_copies_to_no_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
