/* Record sets: JSON and XML, comparing, what is needed, undoing, limits. Golden files are in
 * tests/golden/net/route53. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "net/route53.h"
#include "net/xml.h"

#define GOLDEN DRCTL_SOURCE_DIR "/tests/golden/net/route53/"

enum { FILE_LIMIT = 1 << 20 };

static void read_golden(const char *name, struct buffer *content)
{
    CLEANUP(memory_cleanup) char *path = memory_format(GOLDEN "%s", name);
    assert_int_equal(file_read(path, FILE_LIMIT, content, NULL), 0);
}

static struct route53_batch batch_of(const char *text)
{
    CLEANUP(json_cleanup) json_t *document = json_parse(span_of_text(text), "batch", NULL);
    struct route53_batch batch;
    assert_int_equal(route53_batch_from_json(document, &batch, NULL), 0);
    return batch;
}

#define SIMPLE(action, name, ttl, value)                                                           \
    "{\"Action\": \"" action "\", \"ResourceRecordSet\": {\"Name\": \"" name                       \
    "\", \"Type\": \"A\", \"TTL\": " ttl ", \"ResourceRecords\": [{\"Value\": \"" value "\"}]}}"

static struct route53_sets sets_of(const char *text)
{
    struct route53_sets sets = {0};
    struct route53_batch batch = batch_of(text);
    vector_each (struct route53_change *, change, &batch.changes) {
        route53_set_copy(vector_grow(&sets.list), &change->set);
    }
    route53_batch_release(&batch);
    return sets;
}

static void batches_become_the_xml_that_the_schema_wants(void **state)
{
    (void)state;
    static const char *const names[] = {"failover", "weighted", "escapes"};
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        CLEANUP(memory_cleanup) char *json_name = memory_format("%s/batch.json", names[i]);
        CLEANUP(memory_cleanup) char *xml_name = memory_format("%s/request.xml", names[i]);
        CLEANUP(buffer_release) struct buffer json = BUFFER_INIT;
        CLEANUP(buffer_release) struct buffer expected = BUFFER_INIT;
        CLEANUP(buffer_release) struct buffer xml = BUFFER_INIT;
        read_golden(json_name, &json);
        read_golden(xml_name, &expected);
        struct route53_batch batch = batch_of(buffer_text(&json));
        route53_batch_to_xml(&batch, &xml);
        assert_string_equal(buffer_text(&xml), buffer_text(&expected));
        route53_batch_release(&batch);
    }
}

static void a_page_is_read_with_all_its_routing(void **state)
{
    (void)state;
    CLEANUP(buffer_release) struct buffer xml = BUFFER_INIT;
    CLEANUP(buffer_release) struct buffer expected = BUFFER_INIT;
    struct route53_sets sets = {0};
    struct route53_page page;
    read_golden("page.xml", &xml);
    read_golden("page.json", &expected);
    assert_int_equal(route53_page_from_xml(buffer_span(&xml), &sets, &page, NULL), 0);
    assert_true(page.is_truncated);
    assert_string_equal(page.next_name, "next.example.com.");
    assert_string_equal(page.next_type, "A");
    assert_string_equal(page.next_identifier, "id");
    CLEANUP(json_cleanup) json_t *json = route53_sets_to_json(&sets);
    CLEANUP(json_cleanup) json_t *wanted = json_parse(buffer_span(&expected), "page", NULL);
    assert_true(json_equal(json, wanted));
    struct route53_sets again;
    assert_int_equal(route53_sets_from_json(json, &again, NULL), 0);
    for (size_t i = 0; i < sets.list.count; i++) {
        assert_true(route53_equal(&sets.list.items[i], &again.list.items[i]));
    }
    route53_sets_release(&again);
    route53_sets_release(&sets);
    route53_page_release(&page);
}

static void garbage_and_entities_are_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "not xml",
        "<a>",
        "<html></html>",
        "<ListResourceRecordSetsResponse>",
        "<!DOCTYPE a [<!ENTITY b \"c\">]><ListResourceRecordSetsResponse>&b;"
        "</ListResourceRecordSetsResponse>",
        "<ListResourceRecordSetsResponse><IsTruncated>true</IsTruncated>"
        "</ListResourceRecordSetsResponse>",
        "<ListResourceRecordSetsResponse><ResourceRecordSets><ResourceRecordSet><Type>A</Type>"
        "</ResourceRecordSet></ResourceRecordSets></ListResourceRecordSetsResponse>"};
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        struct route53_sets sets = {0};
        struct route53_page page;
        struct error err = ERROR_INIT;
        assert_int_equal(route53_page_from_xml(span_of_text(texts[i]), &sets, &page, &err), -1);
        assert_int_equal(err.code, ERROR_INVALID);
        error_release(&err);
        route53_sets_release(&sets);
    }
}

static void names_take_the_form_in_which_they_are_listed(void **state)
{
    (void)state;
    static const char *const cases[][2] = {{"WWW.Example.com", "www.example.com."},
                                           {"www.example.com.", "www.example.com."},
                                           {"*.example.com", "\\052.example.com."},
                                           {"\\052.example.com", "\\052.example.com."},
                                           {"a b.c", "a\\040b.c."},
                                           {"a\\056b.c", "a\\056b.c."},
                                           {"\\101.c", "a.c."},
                                           {"_x-1.c", "_x-1.c."},
                                           {"", "."}};
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        CLEANUP(memory_cleanup) char *normal = route53_normal_name(cases[i][0]);
        assert_string_equal(normal, cases[i][1]);
    }
    CLEANUP(memory_cleanup) char *shown = route53_shown_name("\\052.example.com.");
    assert_string_equal(shown, "*.example.com.");
}

static void assert_json_refused(const char *text, const char *words)
{
    CLEANUP(json_cleanup) json_t *document = json_parse(span_of_text(text), "batch", NULL);
    struct route53_batch batch;
    struct error err = ERROR_INIT;
    assert_int_equal(route53_batch_from_json(document, &batch, &err), -1);
    assert_int_equal(err.code, ERROR_INVALID);
    CLEANUP(memory_cleanup) char *line = error_format(&err);
    assert_non_null(strstr(line, words));
    error_release(&err);
}

#define SET(members)                                                                               \
    "{\"Changes\": [{\"Action\": \"UPSERT\", \"ResourceRecordSet\": {" members "}}]}"

static void a_batch_that_says_too_little_or_too_much_is_refused(void **state)
{
    (void)state;
    assert_json_refused("{}", "Changes");
    assert_json_refused("[]", "Changes");
    assert_json_refused("{\"Changes\": []}", "something in it");
    assert_json_refused("{\"Changes\": [{\"Action\": \"SET\"}]}", "Changes[0]: Action");
    assert_json_refused(SET("\"Type\": \"A\""), "Name is missing");
    assert_json_refused(
        SET("\"Name\": \"a\", \"TTL\": 1, \"ResourceRecords\": [{\"Value\": \"x\"}]"),
        "Type is missing");
    assert_json_refused(SET("\"Name\": \"a\", \"Type\": \"A\", \"Weigth\": 1"), "\"Weight\"");
    assert_json_refused(SET("\"Name\": \"a\", \"Type\": \"A\", \"TTL\": 1"), "ResourceRecords");
    assert_json_refused(SET("\"Name\": \"a\", \"Type\": \"A\", \"TTL\": \"1\""), "whole number");
    assert_json_refused(SET("\"Name\": \"a\", \"Type\": \"A\", \"TTL\": 1, \"AliasTarget\": "
                            "{\"DNSName\": \"b\", \"HostedZoneId\": \"Z\", "
                            "\"EvaluateTargetHealth\": false}"),
                        "neither TTL");
    assert_json_refused(SET("\"Name\": \"a\", \"Type\": \"A\", \"TTL\": 1, \"Weight\": 1, "
                            "\"ResourceRecords\": [{\"Value\": \"x\"}]"),
                        "SetIdentifier");
}

static void what_is_so_already_is_not_needed(void **state)
{
    (void)state;
    struct route53_sets present =
        sets_of("{\"Changes\": [" SIMPLE("UPSERT", "a.c", "60", "1.1.1.1") "]}");
    struct route53_batch wanted =
        batch_of("{\"Changes\": [" SIMPLE("UPSERT", "A.c.", "60", "1.1.1.1") "," SIMPLE(
            "DELETE", "b.c", "60", "1.1.1.1") "," SIMPLE("UPSERT", "n.c", "60", "1.1.1.1") "]}");
    struct route53_batch needed;
    assert_int_equal(route53_needed(&present, &wanted, &needed, NULL), 0);
    assert_int_equal(needed.changes.count, 1);
    assert_string_equal(needed.changes.items[0].set.name, "n.c.");
    route53_batch_release(&needed);
    route53_batch_release(&wanted);
    route53_sets_release(&present);
}

static void the_order_of_values_does_not_count(void **state)
{
    (void)state;
    struct route53_sets sets = sets_of(
        SET("\"Name\": \"a\", \"Type\": \"A\", \"TTL\": 1, \"ResourceRecords\": [{\"Value\": "
            "\"x\"}, {\"Value\": \"y\"}]"));
    struct route53_sets other = sets_of(
        SET("\"Name\": \"a\", \"Type\": \"A\", \"TTL\": 1, \"ResourceRecords\": [{\"Value\": "
            "\"y\"}, {\"Value\": \"x\"}]"));
    assert_true(route53_equal(&sets.list.items[0], &other.list.items[0]));
    route53_sets_release(&sets);
    route53_sets_release(&other);
}

static void assert_needed_refused(const char *present_text, const char *wanted_text)
{
    struct route53_sets present = sets_of(present_text);
    struct route53_batch wanted = batch_of(wanted_text);
    struct route53_batch needed;
    struct error err = ERROR_INIT;
    assert_int_equal(route53_needed(&present, &wanted, &needed, &err), -1);
    assert_int_equal(err.code, ERROR_REFUSED);
    error_release(&err);
    route53_batch_release(&wanted);
    route53_sets_release(&present);
}

static void what_differs_from_the_plan_s_idea_is_not_overwritten(void **state)
{
    (void)state;
    assert_needed_refused("{\"Changes\": [" SIMPLE("UPSERT", "a.c", "60", "1.1.1.1") "]}",
                          "{\"Changes\": [" SIMPLE("CREATE", "a.c", "60", "2.2.2.2") "]}");
    assert_needed_refused("{\"Changes\": [" SIMPLE("UPSERT", "a.c", "60", "1.1.1.1") "]}",
                          "{\"Changes\": [" SIMPLE("DELETE", "a.c", "60", "2.2.2.2") "]}");
}

static void delete_and_create_of_one_key_are_needed_until_both_are_done(void **state)
{
    (void)state;
    struct route53_batch wanted = batch_of("{\"Changes\": [" SIMPLE(
        "DELETE", "a.c", "60", "1.1.1.1") "," SIMPLE("CREATE", "a.c", "60", "2.2.2.2") "]}");
    struct route53_sets before =
        sets_of("{\"Changes\": [" SIMPLE("UPSERT", "a.c", "60", "1.1.1.1") "]}");
    struct route53_sets after =
        sets_of("{\"Changes\": [" SIMPLE("UPSERT", "a.c", "60", "2.2.2.2") "]}");
    struct route53_batch needed;
    assert_int_equal(route53_needed(&before, &wanted, &needed, NULL), 0);
    assert_int_equal(needed.changes.count, 2);
    route53_batch_release(&needed);
    assert_int_equal(route53_needed(&after, &wanted, &needed, NULL), 0);
    assert_int_equal(needed.changes.count, 0);
    route53_batch_release(&needed);
    route53_batch_release(&wanted);
    route53_sets_release(&before);
    route53_sets_release(&after);
}

static void undoing_restores_removes_and_leaves_alone(void **state)
{
    (void)state;
    struct route53_sets before =
        sets_of("{\"Changes\": [" SIMPLE("UPSERT", "a.c", "60", "1.1.1.1") "]}");
    struct route53_batch done = batch_of("{\"Changes\": [" SIMPLE(
        "UPSERT", "a.c", "60", "2.2.2.2") "," SIMPLE("UPSERT", "n.c", "60", "2.2.2.2") "]}");
    struct route53_sets after = sets_of("{\"Changes\": [" SIMPLE(
        "UPSERT", "a.c", "60", "2.2.2.2") "," SIMPLE("UPSERT", "n.c", "60", "2.2.2.2") "]}");
    struct route53_batch undo;
    assert_int_equal(route53_restoring(&after, &done, &before, &undo, NULL), 0);
    assert_int_equal(undo.changes.count, 2);
    assert_int_equal(undo.changes.items[0].action, ROUTE53_UPSERT);
    assert_string_equal(undo.changes.items[0].set.values.items[0], "1.1.1.1");
    assert_int_equal(undo.changes.items[1].action, ROUTE53_DELETE);
    route53_batch_release(&undo);
    assert_int_equal(route53_restoring(&before, &done, &before, &undo, NULL), 0);
    assert_int_equal(undo.changes.count, 0);
    route53_batch_release(&undo);
    struct route53_sets foreign =
        sets_of("{\"Changes\": [" SIMPLE("UPSERT", "a.c", "60", "9.9.9.9") "]}");
    struct error err = ERROR_INIT;
    assert_int_equal(route53_restoring(&foreign, &done, &before, &undo, &err), -1);
    assert_int_equal(err.code, ERROR_REFUSED);
    error_release(&err);
    route53_sets_release(&foreign);
    route53_sets_release(&after);
    route53_sets_release(&before);
    route53_batch_release(&done);
}

/* A batch of `count` changes with one record of `size` characters each. */
static struct route53_batch large_batch(enum route53_action action, size_t count, size_t size)
{
    struct route53_batch batch = {0};
    for (size_t i = 0; i < count; i++) {
        struct route53_change *change = vector_grow(&batch.changes);
        route53_set_init(&change->set);
        change->action = action;
        change->set.name = memory_format("n%zu.c.", i);
        char *value = memory_new(size + 1, 1);
        memset(value, 'x', size);
        vector_push(&change->set.values, value);
    }
    return batch;
}

static void assert_limits(enum route53_action action, size_t count, size_t size, int expected)
{
    struct route53_batch batch = large_batch(action, count, size);
    assert_int_equal(route53_check_limits(&batch, NULL), expected);
    route53_batch_release(&batch);
}

static void limits_count_an_upsert_twice(void **state)
{
    (void)state;
    assert_limits(ROUTE53_CREATE, 1000, 1, 0);
    assert_limits(ROUTE53_CREATE, 1001, 1, -1);
    assert_limits(ROUTE53_UPSERT, 500, 1, 0);
    assert_limits(ROUTE53_UPSERT, 501, 1, -1);
    assert_limits(ROUTE53_DELETE, 320, 100, 0);
    assert_limits(ROUTE53_DELETE, 321, 100, -1);
    assert_limits(ROUTE53_UPSERT, 160, 100, 0);
    assert_limits(ROUTE53_UPSERT, 161, 100, -1);
}

static void a_set_with_an_unknown_element_is_never_overwritten(void **state)
{
    (void)state;
    static const char xml[] =
        "<ListResourceRecordSetsResponse><ResourceRecordSets><ResourceRecordSet><Name>a.c</Name>"
        "<Type>A</Type><TTL>60</TTL><TrafficPolicyInstanceId>x</TrafficPolicyInstanceId>"
        "<ResourceRecords><ResourceRecord><Value>1.1.1.1</Value></ResourceRecord></ResourceRecords>"
        "</ResourceRecordSet></ResourceRecordSets><IsTruncated>false</IsTruncated>"
        "</ListResourceRecordSetsResponse>";
    struct route53_sets present = {0};
    struct route53_page page;
    struct route53_batch needed;
    struct error err = ERROR_INIT;
    struct route53_batch wanted =
        batch_of("{\"Changes\": [" SIMPLE("UPSERT", "a.c", "60", "1.1.1.1") "]}");
    assert_int_equal(route53_page_from_xml(span_of_text(xml), &present, &page, NULL), 0);
    assert_string_equal(present.list.items[0].unknown, "TrafficPolicyInstanceId");
    assert_int_equal(route53_needed(&present, &wanted, &needed, &err), -1);
    assert_int_equal(err.code, ERROR_REFUSED);
    error_release(&err);
    route53_batch_release(&wanted);
    route53_sets_release(&present);
    route53_page_release(&page);
}

static void the_difference_is_shown_in_one_line_each(void **state)
{
    (void)state;
    struct route53_sets present = sets_of("{\"Changes\": [" SIMPLE(
        "UPSERT", "*.c", "60", "1.1.1.1") "," SIMPLE("UPSERT", "old.c", "60", "1.1.1.1") "]}");
    struct route53_batch batch =
        batch_of("{\"Changes\": [" SIMPLE("UPSERT", "*.c", "30", "2.2.2.2") "," SIMPLE(
            "UPSERT", "new.c", "30", "2.2.2.2") "," SIMPLE("DELETE", "old.c", "60",
                                                           "1.1.1.1") "]}");
    CLEANUP(buffer_release) struct buffer out = BUFFER_INIT;
    route53_show(&present, &batch, &out);
    assert_string_equal(buffer_text(&out), "~ *.c. A: 60s 1.1.1.1 → 30s 2.2.2.2\n"
                                           "+ new.c. A: 30s 2.2.2.2\n"
                                           "- old.c. A: 60s 1.1.1.1\n");
    route53_batch_release(&batch);
    route53_sets_release(&present);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(batches_become_the_xml_that_the_schema_wants),
        cmocka_unit_test(a_page_is_read_with_all_its_routing),
        cmocka_unit_test(garbage_and_entities_are_refused),
        cmocka_unit_test(names_take_the_form_in_which_they_are_listed),
        cmocka_unit_test(a_batch_that_says_too_little_or_too_much_is_refused),
        cmocka_unit_test(what_is_so_already_is_not_needed),
        cmocka_unit_test(the_order_of_values_does_not_count),
        cmocka_unit_test(what_differs_from_the_plan_s_idea_is_not_overwritten),
        cmocka_unit_test(delete_and_create_of_one_key_are_needed_until_both_are_done),
        cmocka_unit_test(undoing_restores_removes_and_leaves_alone),
        cmocka_unit_test(limits_count_an_upsert_twice),
        cmocka_unit_test(a_set_with_an_unknown_element_is_never_overwritten),
        cmocka_unit_test(the_difference_is_shown_in_one_line_each),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
