/* s3.undelete: its rule by itself, and the action against the sandbox's S3. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/json.h"
#include "harness.h"
#include "sandbox.h"
#include "scratch.h"
#include "storage/s3_recovery.h"

extern const struct action action_s3_undelete;

/* --- the rule -------------------------------------------------------------------------------- */

/* Entries of one key, newest first: "m9" is a marker of time 9, "a7" a version of content a. */
static size_t make_entries(const char *text, struct s3_version *entries)
{
    size_t count = 0;
    for (; *text != '\0'; text += 2 + (text[2] == ' ')) {
        static char etags[][2] = {"a", "b", "c", "m"};
        entries[count++] = (struct s3_version){
            .is_marker = text[0] == 'm',
            .etag = text[0] == 'm' ? NULL : etags[text[0] - 'a'],
            .size_bytes = 1,
            .at_ns = text[1] - '0',
        };
    }
    return count;
}

static void rule_of_a_key(void **state)
{
    (void)state;
    static const struct {
        const char *entries;
        int64_t since;
        bool overwritten;
        size_t markers;
        int copy;
    } cases[] = {
        {"a1", INT64_MIN, false, 0, -1},       /* is there */
        {"m5 a1", INT64_MIN, false, 1, -1},    /* was deleted */
        {"m6 m5 a1", INT64_MIN, false, 2, -1}, /* twice */
        {"m5", INT64_MIN, false, 0, -1},       /* nothing to come back */
        {"m5 a1", 5, false, 0, -1},            /* deleted before */
        {"m5 a1", 4, false, 1, -1},            /* deleted since */
        {"m7 m3 a1", 5, false, 0, -1},         /* was deleted at the moment */
        {"m7 a6", 5, false, 1, -1},            /* came and went since: comes back */
        {"b7 a1", 5, false, 0, -1},            /* written over, not asked for */
        {"b7 a1", 5, true, 0, 1},              /* written over */
        {"m8 b7 a1", 5, true, 1, 2},           /* and deleted */
        {"a9 b7 a1", 5, true, 0, -1},          /* came back already */
        {"b7 m3 a1", 5, true, 0, -1},          /* did not exist at the moment */
        {"b7", 5, true, 0, -1},                /* new since */
        {"c9 b4 a1", 5, true, 0, 1},           /* the newest one not newer */
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct s3_version entries[8];
        size_t count = make_entries(cases[i].entries, entries);
        struct s3_goal goal = {cases[i].since, cases[i].overwritten};
        struct s3_verdict verdict = s3_judge(entries, count, &goal);
        if (verdict.markers != cases[i].markers ||
            verdict.copy != (cases[i].copy < 0 ? SIZE_MAX : (size_t)cases[i].copy)) {
            fail_msg("case %zu (%s): %zu markers, copy %zd", i, cases[i].entries, verdict.markers,
                     (ssize_t)verdict.copy);
        }
    }
}

static void version_too_large_to_copy_is_told(void **state)
{
    (void)state;
    struct s3_version entries[2];
    size_t count = make_entries("b7 a1", entries);
    entries[1].size_bytes = INT64_C(6) << 30;
    struct s3_verdict verdict = s3_judge(entries, count, &(struct s3_goal){5, true});
    assert_true(verdict.too_large);
}

#define ENTRY(kind, key, id, latest, at)                                                           \
    "<" kind "><Key>" key "</Key><VersionId>" id "</VersionId><IsLatest>" latest                   \
    "</IsLatest><LastModified>2026-01-01T00:00:0" at "Z</LastModified></" kind ">"

static void page_is_put_in_order_and_decoded(void **state)
{
    (void)state;
    static const char body[] =
        "<ListVersionsResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
        "<EncodingType>url</EncodingType><IsTruncated>true</IsTruncated>"
        "<NextKeyMarker>b%2Bc+d</NextKeyMarker><NextVersionIdMarker>9</NextVersionIdMarker>" ENTRY(
            "Version", "a%25", "1", "false", "1") ENTRY("Version", "b%2Bc+d", "2", "true", "2")
            ENTRY("DeleteMarker", "a%25", "3", "true", "3") "</ListVersionsResult>";
    struct s3_page page = {0};
    struct error err = ERROR_INIT;
    assert_int_equal(s3_parse_page(span_of_text(body), &page, &err), 0);
    assert_int_equal(page.items.count, 3);
    assert_string_equal(page.items.items[0].key, "a%");
    assert_true(page.items.items[0].is_marker);
    assert_string_equal(page.items.items[1].id, "1");
    assert_string_equal(page.items.items[2].key, "b+c d");
    assert_string_equal(page.next_key, "b+c d");
    s3_page_release(&page);
}

static void page_with_markers_only_goes_on(void **state)
{
    (void)state;
    static const char body[] =
        "<ListVersionsResult><IsTruncated>true</IsTruncated><NextKeyMarker>a</NextKeyMarker>"
        "<NextVersionIdMarker>3</NextVersionIdMarker>" ENTRY("DeleteMarker", "a", "3", "true",
                                                             "3") "</ListVersionsResult>";
    struct s3_page page = {0};
    struct error err = ERROR_INIT;
    assert_int_equal(s3_parse_page(span_of_text(body), &page, &err), 0);
    assert_string_equal(page.next_key, "a");
    s3_page_release(&page);
}

/* --- the action ------------------------------------------------------------------------------ */

static int set_up(void **state)
{
    *state = sandbox_harness();
    return 0;
}

static int tear_down(void **state)
{
    free(sandbox_call("fault-clear", NULL));
    harness_free(*state);
    return 0;
}

/* A verb of s3_objects.py in the sandbox. */
static json_t *objects(const char *words)
{
    CLEANUP(memory_cleanup)
    char *line = memory_format("set -a; . '%s/env'; AWS_DEFAULT_REGION=us-west-2; exec python3 "
                               "'%s/tests/actions/s3_objects.py' %s",
                               sandbox_folder(), DRCTL_SOURCE_DIR, words);
    CLEANUP(memory_cleanup)
    char *out = scratch_run(sandbox_folder(), (const char *const[]){"sh", "-c", line, NULL});
    json_t *value = json_loads(out, JSON_DECODE_ANY, NULL);
    assert_non_null(value);
    return value;
}

/* A bucket of that name with `count` objects, damaged. Gives what it has to be like again. */
static json_t *damaged_bucket(const char *name, int count, char **ret_since)
{
    CLEANUP(memory_cleanup) char *seed = memory_format("seed %s %d", name, count);
    CLEANUP(memory_cleanup) char *damage = memory_format("damage %s", name);
    CLEANUP(json_cleanup) json_t *seeded = objects(seed);
    CLEANUP(json_cleanup) json_t *added = objects(damage);
    json_t *wanted = json_deep_copy(json_object_get(seeded, "before"));
    json_object_update(wanted, added);
    *ret_since = memory_text(json_get_text(seeded, "since"));
    return wanted;
}

static void assert_bucket_is(const char *name, const json_t *wanted)
{
    CLEANUP(memory_cleanup) char *list = memory_format("list %s", name);
    CLEANUP(json_cleanup) json_t *found = objects(list);
    CLEANUP(memory_cleanup) char *found_text = json_canonical(found);
    CLEANUP(memory_cleanup) char *wanted_text = json_canonical(wanted);
    assert_string_equal(found_text, wanted_text);
}

static json_int_t versions_of(const char *name)
{
    CLEANUP(memory_cleanup) char *words = memory_format("versions %s", name);
    CLEANUP(json_cleanup) json_t *count = objects(words);
    return json_integer_value(count);
}

static char *whole(const char *bucket, const char *since)
{
    return memory_format("{'bucket': '%s', 'whole_bucket': true, 'since': '%s', 'overwritten': "
                         "true}",
                         bucket, since);
}

static void bucket_comes_back_exactly_and_once(void **state)
{
    struct harness *harness = *state;
    CLEANUP(memory_cleanup) char *since = NULL;
    CLEANUP(json_cleanup) json_t *wanted = damaged_bucket("exact", 60, &since);
    CLEANUP(memory_cleanup) char *arguments = whole("exact", since);
    harness_run_ok(harness, &action_s3_undelete, arguments);
    assert_bucket_is("exact", wanted);
    json_int_t copied = json_get_integer(harness->outputs, "copied", 0);
    assert_true(copied > 0);
    assert_true(json_get_integer(harness->outputs, "undeleted", 0) > 20);
    /* versioning, one page, one deletion, the copies */
    assert_int_equal(json_get_integer(harness->outputs, "requests", 0), 3 + copied);
    json_int_t versions = versions_of("exact");
    harness_run_ok(harness, &action_s3_undelete, arguments);
    assert_int_equal(json_get_integer(harness->outputs, "undeleted", -1), 0);
    assert_int_equal(json_get_integer(harness->outputs, "copied", -1), 0);
    assert_int_equal(versions_of("exact"), versions);
}

/* Some 1,300 entries: more than a page. DRCTL_TEST_OBJECTS=10000 makes it a campaign. */
static void pages_are_read_to_the_end(void **state)
{
    struct harness *harness = *state;
    const char *objects_text = getenv("DRCTL_TEST_OBJECTS");
    int count = objects_text != NULL ? (int)strtol(objects_text, NULL, 10) : 800;
    CLEANUP(memory_cleanup) char *since = NULL;
    CLEANUP(json_cleanup) json_t *wanted = damaged_bucket("paged", count, &since);
    json_int_t entries = versions_of("paged");
    CLEANUP(memory_cleanup) char *arguments = whole("paged", since);
    harness_run_ok(harness, &action_s3_undelete, arguments);
    assert_bucket_is("paged", wanted);
    json_int_t markers = json_get_integer(harness->outputs, "undeleted", 0);
    json_int_t least = 1 + (entries + 999) / 1000 + (markers + 999) / 1000 +
                       json_get_integer(harness->outputs, "copied", 0);
    json_int_t requests = json_get_integer(harness->outputs, "requests", 0);
    print_message("%lld requests, at least %lld\n", (long long)requests, (long long)least);
    assert_in_range(requests, least, 2 * least);
}

static void dry_run_writes_the_manifest_and_nothing_else(void **state)
{
    struct harness *harness = *state;
    CLEANUP(memory_cleanup) char *since = NULL;
    json_decref(damaged_bucket("dry", 20, &since));
    CLEANUP(json_cleanup) json_t *before = objects("list dry");
    CLEANUP(memory_cleanup) char *arguments = whole("dry", since);
    harness->dry_run = true;
    harness_run_ok(harness, &action_s3_undelete, arguments);
    assert_true(file_exists(harness_output(harness, "manifest")));
    assert_bucket_is("dry", before);
}

static void prefix_and_keys_leave_the_rest_alone(void **state)
{
    struct harness *harness = *state;
    CLEANUP(memory_cleanup) char *since = NULL;
    CLEANUP(json_cleanup) json_t *wanted = damaged_bucket("scoped", 20, &since);
    CLEANUP(json_cleanup) json_t *found = objects("list scoped");
    const char *key;
    json_t *content;
    const char *deleted = NULL;
    json_object_foreach (wanted, key, content) {
        if (json_object_get(found, key) == NULL && strncmp(key, "logs/", 5) != 0) {
            deleted = key;
        }
    }
    CLEANUP(json_cleanup)
    json_t *arguments = json_pack("{s:s, s:[s]}", "bucket", "scoped", "keys", deleted);
    harness_run_json(harness, &action_s3_undelete, json_incref(arguments));
    assert_int_equal(harness->status, 0);
    CLEANUP(json_cleanup) json_t *after = objects("list scoped");
    assert_int_equal(json_object_size(after), json_object_size(found) + 1);
    assert_non_null(json_object_get(after, deleted));
    harness_run_ok(harness, &action_s3_undelete, "{'bucket': 'scoped', 'prefix': 'logs/'}");
    json_decref(after);
    after = objects("list scoped");
    json_object_foreach (wanted, key, content) {
        assert_true(strncmp(key, "logs/", 5) != 0 || json_object_get(after, key) != NULL);
    }
}

static void lost_answers_and_an_interruption_change_nothing(void **state)
{
    struct harness *harness = *state;
    CLEANUP(memory_cleanup) char *since = NULL;
    CLEANUP(json_cleanup) json_t *wanted = damaged_bucket("broken", 40, &since);
    CLEANUP(memory_cleanup) char *arguments = whole("broken", since);
    free(
        sandbox_call("fault", "s3", "DeleteObjects", "0", "lost", "--after", "--times", "1", NULL));
    harness->detach_at = "delete markers to remove";
    harness_run(harness, &action_s3_undelete, arguments);
    harness_resume_ok(harness);
    assert_bucket_is("broken", wanted);
}

static void bucket_without_versions_is_refused(void **state)
{
    struct harness *harness = *state;
    json_decref(sandbox_aws("s3api create-bucket --bucket flat --create-bucket-configuration "
                            "LocationConstraint=us-west-2"));
    harness_run(harness, &action_s3_undelete, "{'bucket': 'flat', 'whole_bucket': true}");
    assert_int_equal(harness->error.code, ERROR_REFUSED);
    harness_run(harness, &action_s3_undelete,
                "{'bucket': 'flat', 'whole_bucket': true, 'overwritten': true}");
    assert_int_equal(harness->error.code, ERROR_INVALID);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rule_of_a_key),
        cmocka_unit_test(version_too_large_to_copy_is_told),
        cmocka_unit_test(page_is_put_in_order_and_decoded),
        cmocka_unit_test(page_with_markers_only_goes_on),
        TEST(bucket_comes_back_exactly_and_once),
        TEST(pages_are_read_to_the_end),
        TEST(dry_run_writes_the_manifest_and_nothing_else),
        TEST(prefix_and_keys_leave_the_rest_alone),
        TEST(lost_answers_and_an_interruption_change_nothing),
        TEST(bucket_without_versions_is_refused),
    };
    return cmocka_run_group_tests(tests, sandbox_up, sandbox_down);
}
