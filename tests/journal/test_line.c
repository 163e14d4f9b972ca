/* journal/line: the format, its stamps and its proofs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/json.h"
#include "journal/line.h"
#include "sample.h"

static const int64_t noon_ns = INT64_C(1795348800) * CLOCK_NS_PER_S;

static struct span line_of(const struct buffer *out)
{
    return span_of(out->data, out->size_bytes - 1);
}

static void a_line_has_the_documented_form(void **state)
{
    (void)state;
    struct journal_chain chain;
    journal_chain_init(&chain);
    CLEANUP(json_cleanup) json_t *event = json_pack("{s:s, s:i}", "type", "run.started", "n", 7);
    CLEANUP(buffer_release) struct buffer out = BUFFER_INIT;
    assert_int_equal(journal_line_write(&chain, event, noon_ns, &out, NULL), 0);

    const char *body =
        "{\"seq\":1,\"at\":\"2026-11-22T12:00:00.000000000Z\",\"type\":\"run.started\","
        "\"n\":7,\"prev\":\"0000000000000000000000000000000000000000000000000000000000"
        "000000\"";
    char hash[DIGEST_HEX_SIZE];
    digest_sha256_hex(span_of_text(body), hash);
    CLEANUP(memory_cleanup) char *expected = memory_format("%s,\"hash\":\"%s\"}\n", body, hash);
    assert_string_equal(buffer_text(&out), expected);
    char prev[DIGEST_HEX_SIZE];
    digest_sha256_hex(line_of(&out), prev);
    assert_string_equal(chain.prev, prev);
}

static void the_event_gets_what_a_reader_will_see(void **state)
{
    (void)state;
    struct journal_chain chain;
    journal_chain_init(&chain);
    CLEANUP(json_cleanup) json_t *event = sample_event(3);
    CLEANUP(buffer_release) struct buffer out = BUFFER_INIT;
    assert_int_equal(journal_line_write(&chain, event, noon_ns, &out, NULL), 0);

    struct journal_chain reading;
    journal_chain_init(&reading);
    CLEANUP(json_cleanup) json_t *read = journal_line_read(&reading, line_of(&out), NULL);
    assert_non_null(read);
    assert_int_equal(json_object_del(read, "prev"), 0);
    assert_int_equal(json_object_del(read, "hash"), 0);
    assert_true(json_equal(read, event));
    assert_string_equal(reading.prev, chain.prev);
    assert_int_equal(reading.last_seq, 1);
    assert_int_equal(reading.last_at_ns, noon_ns);
}

static void time_never_runs_backwards_and_says_how_far_it_would_have(void **state)
{
    (void)state;
    struct journal_chain chain;
    journal_chain_init(&chain);
    CLEANUP(buffer_release) struct buffer out = BUFFER_INIT;
    CLEANUP(json_cleanup) json_t *first = sample_event(1);
    CLEANUP(json_cleanup) json_t *second = sample_event(2);
    assert_int_equal(journal_line_write(&chain, first, noon_ns, &out, NULL), 0);
    assert_int_equal(journal_line_write(&chain, second, noon_ns - 90 * CLOCK_NS_PER_S, &out, NULL),
                     0);
    assert_string_equal(json_get_text(second, "at"), json_get_text(first, "at"));
    assert_int_equal(json_get_integer(second, "clock_behind_ms", 0), 90000);
    assert_null(json_object_get(first, "clock_behind_ms"));
}

static void assert_refused(json_t *event, const char *why)
{
    struct journal_chain chain;
    journal_chain_init(&chain);
    struct journal_chain before = chain;
    CLEANUP(json_cleanup) json_t *copy = json_deep_copy(event);
    CLEANUP(buffer_release) struct buffer out = BUFFER_INIT;
    CLEANUP(error_release) struct error err = ERROR_INIT;
    assert_int_equal(journal_line_write(&chain, event, noon_ns, &out, &err), -1);
    assert_int_equal(err.code, ERROR_INVALID);
    assert_non_null(strstr(err.message, why));
    assert_int_equal(out.size_bytes, 0);
    assert_memory_equal(&chain, &before, sizeof chain);
    assert_true(json_equal(event, copy));
    json_decref(event);
}

static void an_event_without_type_is_refused(void **state)
{
    (void)state;
    assert_refused(json_pack("{s:i}", "n", 1), "no type");
}

static void an_event_with_a_reserved_key_is_refused(void **state)
{
    (void)state;
    assert_refused(json_pack("{s:s, s:i}", "type", "x", "seq", 1), "'seq'");
    assert_refused(json_pack("{s:s, s:s}", "type", "x", "hash", ""), "'hash'");
    assert_refused(json_pack("{s:s, s:s}", "type", "x", "prev", ""), "'prev'");
    assert_refused(json_pack("{s:s, s:s}", "type", "x", "at", ""), "'at'");
}

static void an_event_longer_than_a_reader_takes_is_refused(void **state)
{
    (void)state;
    size_t size_bytes = JOURNAL_LINE_LIMIT_BYTES;
    CLEANUP(memory_cleanup) char *text = memory_new(size_bytes + 1, 1);
    memset(text, 'x', size_bytes);
    assert_refused(json_pack("{s:s, s:s}", "type", "x", "text", text), "limit");
}

static void an_event_nested_deeper_than_a_reader_parses_is_refused(void **state)
{
    (void)state;
    json_t *deep = json_array();
    for (int i = 0; i < 1500; i++) {
        json_t *outer = json_array();
        json_array_append_new(outer, deep);
        deep = outer;
    }
    assert_refused(json_pack("{s:s, s:o}", "type", "x", "deep", deep), "nested");
}

static void brackets_in_strings_are_not_nesting(void **state)
{
    (void)state;
    struct journal_chain chain;
    journal_chain_init(&chain);
    CLEANUP(memory_cleanup) char *text = memory_new(5001, 1);
    memset(text, '[', 5000);
    memcpy(text, "\"\\\"", 3);
    CLEANUP(json_cleanup) json_t *event = json_pack("{s:s, s:s}", "type", "x", "text", text);
    CLEANUP(buffer_release) struct buffer out = BUFFER_INIT;
    assert_int_equal(journal_line_write(&chain, event, noon_ns, &out, NULL), 0);
}

static void a_line_does_not_fit_into_another_chain(void **state)
{
    (void)state;
    CLEANUP(buffer_release) struct buffer out = BUFFER_INIT;
    struct journal_chain chain;
    journal_chain_init(&chain);
    CLEANUP(json_cleanup) json_t *event = sample_event(1);
    assert_int_equal(journal_line_write(&chain, event, noon_ns, &out, NULL), 0);

    CLEANUP(error_release) struct error err = ERROR_INIT;
    assert_null(journal_line_read(&chain, line_of(&out), &err));
    assert_int_equal(err.code, ERROR_DAMAGED);
    assert_non_null(strstr(err.message, "seq is 1 where 2 should follow"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_has_the_documented_form),
        cmocka_unit_test(the_event_gets_what_a_reader_will_see),
        cmocka_unit_test(time_never_runs_backwards_and_says_how_far_it_would_have),
        cmocka_unit_test(an_event_without_type_is_refused),
        cmocka_unit_test(an_event_with_a_reserved_key_is_refused),
        cmocka_unit_test(an_event_longer_than_a_reader_takes_is_refused),
        cmocka_unit_test(an_event_nested_deeper_than_a_reader_parses_is_refused),
        cmocka_unit_test(brackets_in_strings_are_not_nesting),
        cmocka_unit_test(a_line_does_not_fit_into_another_chain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
