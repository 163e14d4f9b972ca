/* Route 53's calls against the strict stand-in, which checks signatures, schema, limits and rate,
 * and can be told to fail. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "aws_harness.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "local_server.h"
#include "net/route53_api.h"

static struct local_server server;

struct fixture {
    struct aws_harness aws;
    struct route53_session session;
    struct route53_result result;
    struct error err;
    struct buffer body; /* of an admin call */
};

static void result_release(struct route53_result *result)
{
    route53_sets_release(&result->sets);
    route53_zone_release(&result->zone);
    free(result->change.id);
    *result = (struct route53_result){0};
}

static void on_done(void *context, struct route53_result *result, struct error *err)
{
    struct fixture *fixture = context;
    result_release(&fixture->result);
    fixture->result = *result;
    *result = (struct route53_result){0};
    error_move(&fixture->err, err);
    fixture->aws.is_done = true;
}

static void on_admin(void *context, struct http_response *response, struct error *err)
{
    struct fixture *fixture = context;
    assert_int_equal(err->code, ERROR_NONE);
    assert_int_equal(response->status, 200);
    buffer_clear(&fixture->body);
    buffer_append_span(&fixture->body, buffer_span(&response->body));
    fixture->aws.is_done = true;
}

/* Talks to the stand-in's own switches. */
static void admin(struct fixture *fixture, const char *path, const char *body)
{
    CLEANUP(memory_cleanup) char *url = local_server_url(&server, path);
    struct http_request request = {.method = body != NULL ? "POST" : "GET",
                                   .url = url,
                                   .body = span_of_text(body != NULL ? body : "")};
    http_start(api_client_http(fixture->aws.client), &request, on_admin, fixture);
    aws_harness_run(&fixture->aws);
}

static void fixture_open(struct fixture *fixture, const char *settings)
{
    *fixture = (struct fixture){0};
    CLEANUP(memory_cleanup) char *endpoint = local_server_url(&server, "");
    CLEANUP(memory_cleanup)
    char *variable = memory_format("AWS_ENDPOINT_URL_ROUTE_53=%s", endpoint);
    const char *variables[] = {"AWS_ACCESS_KEY_ID=AKIDEXAMPLE",
                               "AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
                               "AWS_REGION=us-west-2", variable, NULL};
    aws_harness_open(&fixture->aws, variables);
    fixture->session.client = fixture->aws.client;
    fixture->session.timeout_ms = 20000;
    token_bucket_init(&fixture->session.bucket, 1000, 1000, clock_monotonic_ns());
    admin(fixture, "/-/settings", settings);
}

static void fixture_close(struct fixture *fixture)
{
    admin(fixture, "/-/settings",
          "{\"throttle\": 0, \"errors\": 0, \"busy\": 0, \"drop\": 0, \"page\": 300, \"skew\": 0, "
          "\"insync_after\": 0, \"old_errors\": false}");
    aws_harness_close(&fixture->aws);
    result_release(&fixture->result);
    error_release(&fixture->err);
    buffer_release(&fixture->body);
}

static void list(struct fixture *fixture)
{
    route53_list(&fixture->session, "/hostedzone/Z1EXAMPLE", on_done, fixture);
    aws_harness_run(&fixture->aws);
}

static void change(struct fixture *fixture, const char *action, const char *name, const char *value)
{
    CLEANUP(json_cleanup)
    json_t *document =
        json_pack("{s[{ss s{ss ss si s[{ss}]}}]}", "Changes", "Action", action, "ResourceRecordSet",
                  "Name", name, "Type", "A", "TTL", 60, "ResourceRecords", "Value", value);
    struct route53_batch batch;
    assert_int_equal(route53_batch_from_json(document, &batch, NULL), 0);
    route53_change(&fixture->session, "Z1EXAMPLE", &batch, on_done, fixture);
    aws_harness_run(&fixture->aws);
    route53_batch_release(&batch);
}

static const char *value_of(const struct fixture *fixture, const char *name)
{
    vector_each (struct route53_set *, set, &fixture->result.sets.list) {
        if (strcmp(set->name, name) == 0 && strcmp(set->type, "A") == 0) {
            return set->values.items[0];
        }
    }
    return "";
}

static void a_change_is_made_polled_and_listed(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open(&fixture, "{\"insync_after\": 0.3}");
    change(&fixture, "UPSERT", "www.example.com", "192.0.2.7");
    assert_int_equal(fixture.err.code, ERROR_NONE);
    assert_false(fixture.result.change.is_insync);
    CLEANUP(memory_cleanup) char *id = memory_text(fixture.result.change.id);
    route53_wait_insync(&fixture.session, id, 50, 5000, on_done, &fixture);
    aws_harness_run(&fixture.aws);
    assert_int_equal(fixture.err.code, ERROR_NONE);
    assert_true(fixture.result.change.is_insync);
    list(&fixture);
    assert_string_equal(value_of(&fixture, "www.example.com."), "192.0.2.7");
    fixture_close(&fixture);
}

static void a_change_that_stays_pending_meets_its_deadline(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open(&fixture, "{\"insync_after\": -1}");
    change(&fixture, "UPSERT", "pending.example.com", "192.0.2.7");
    CLEANUP(memory_cleanup) char *id = memory_text(fixture.result.change.id);
    route53_wait_insync(&fixture.session, id, 50, 300, on_done, &fixture);
    aws_harness_run(&fixture.aws);
    assert_int_equal(fixture.err.code, ERROR_TIMEOUT);
    fixture_close(&fixture);
}

static void all_pages_are_read(void **state)
{
    (void)state;
    struct fixture fixture;
    struct buffer records = BUFFER_INIT;
    fixture_open(&fixture, "{\"page\": 3, \"rate\": 0}");
    buffer_append_text(&records, "{\"zone\": \"Z1EXAMPLE\", \"changes\": [");
    for (int i = 0; i < 20; i++) {
        buffer_append_format(
            &records,
            "%s{\"Name\": \"paged.example.com\", \"Type\": \"A\", "
            "\"SetIdentifier\": \"id %d\", \"Weight\": 1, \"TTL\": 60, \"Values\": "
            "[\"192.0.2.%d\"]}",
            i != 0 ? "," : "", i, i);
    }
    buffer_append_text(&records, "]}");
    admin(&fixture, "/-/records", buffer_text(&records));
    list(&fixture);
    size_t found = 0;
    vector_each (struct route53_set *, set, &fixture.result.sets.list) {
        found += strcmp(set->name, "paged.example.com.") == 0 ? 1 : 0;
    }
    assert_int_equal(fixture.err.code, ERROR_NONE);
    assert_int_equal(found, 20);
    buffer_release(&records);
    fixture_close(&fixture);
}

static void zones_are_found_by_exact_name_and_kind(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open(&fixture, "{\"rate\": 0}");
    route53_find_zone(&fixture.session, "Example.com", ROUTE53_PUBLIC, on_done, &fixture);
    aws_harness_run(&fixture.aws);
    assert_string_equal(fixture.result.zone.id, "Z1EXAMPLE");
    route53_find_zone(&fixture.session, "example.com.", ROUTE53_PRIVATE, on_done, &fixture);
    aws_harness_run(&fixture.aws);
    assert_string_equal(fixture.result.zone.id, "Z2PRIVATE");
    route53_find_zone(&fixture.session, "ample.com", ROUTE53_PUBLIC, on_done, &fixture);
    aws_harness_run(&fixture.aws);
    assert_int_equal(fixture.err.code, ERROR_NOT_FOUND);
    error_release(&fixture.err);
    route53_find_zone(&fixture.session, "twice.org", ROUTE53_PUBLIC, on_done, &fixture);
    aws_harness_run(&fixture.aws);
    assert_int_equal(fixture.err.code, ERROR_INVALID);
    fixture_close(&fixture);
}

static void a_zone_names_its_servers(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open(&fixture, "{}");
    route53_get_zone(&fixture.session, "Z1EXAMPLE", on_done, &fixture);
    aws_harness_run(&fixture.aws);
    assert_string_equal(fixture.result.zone.name, "example.com.");
    assert_true(fixture.result.zone.name_servers.count >= 2);
    fixture_close(&fixture);
}

static void throttling_and_a_busy_zone_are_waited_out(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open(&fixture, "{\"throttle\": 2, \"busy\": 1}");
    change(&fixture, "UPSERT", "busy.example.com", "192.0.2.8");
    assert_int_equal(fixture.err.code, ERROR_NONE);
    fixture_close(&fixture);
}

static void throttling_to_the_end_is_said_to_be_that(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open(&fixture, "{\"throttle\": 1000}");
    fixture.session.timeout_ms = 1500;
    list(&fixture);
    assert_int_equal(fixture.err.code, ERROR_THROTTLED);
    fixture_close(&fixture);
}

static void a_failing_server_is_asked_again_for_a_list(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open(&fixture, "{\"errors\": 2}");
    list(&fixture);
    assert_int_equal(fixture.err.code, ERROR_NONE);
    fixture_close(&fixture);
}

static void a_change_without_an_answer_is_unknown_and_not_repeated(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open(&fixture, "{\"drop\": 1}");
    change(&fixture, "CREATE", "dropped.example.com", "192.0.2.9");
    assert_int_equal(fixture.err.code, ERROR_UNKNOWN);
    error_release(&fixture.err);
    list(&fixture);
    assert_string_equal(value_of(&fixture, "dropped.example.com."), "192.0.2.9");
    admin(&fixture, "/-/log", NULL);
    const char *first = strstr(buffer_text(&fixture.body), "dropped.example.com");
    assert_non_null(first);
    assert_null(strstr(first + 1, "dropped.example.com"));
    fixture_close(&fixture);
}

static void a_refusal_keeps_the_service_s_words(void **state)
{
    (void)state;
    static const char *const settings[] = {"{\"old_errors\": false}", "{\"old_errors\": true}"};
    for (size_t i = 0; i < ARRAY_SIZE(settings); i++) {
        struct fixture fixture;
        fixture_open(&fixture, settings[i]);
        change(&fixture, "DELETE", "never.example.com", "192.0.2.9");
        assert_int_equal(fixture.err.code, ERROR_FAILED);
        assert_non_null(strstr(fixture.err.message, "InvalidChangeBatch"));
        assert_non_null(strstr(fixture.err.message, "never.example.com"));
        fixture_close(&fixture);
    }
}

static void a_wrong_clock_is_corrected_from_the_answer(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open(&fixture, "{\"skew\": 3600}");
    list(&fixture);
    assert_int_equal(fixture.err.code, ERROR_NONE);
    fixture_close(&fixture);
}

static void an_unknown_zone_is_not_found(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open(&fixture, "{}");
    route53_list(&fixture.session, "Z404", on_done, &fixture);
    aws_harness_run(&fixture.aws);
    assert_int_equal(fixture.err.code, ERROR_NOT_FOUND);
    fixture_close(&fixture);
}

static void cancelling_ends_an_operation_once(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_open(&fixture, "{\"insync_after\": -1}");
    change(&fixture, "UPSERT", "cancelled.example.com", "192.0.2.8");
    CLEANUP(memory_cleanup) char *id = memory_text(fixture.result.change.id);
    struct route53_operation *operation =
        route53_wait_insync(&fixture.session, id, 50, 60000, on_done, &fixture);
    for (int i = 0; i < 10; i++) {
        uv_run(&fixture.aws.loop, UV_RUN_ONCE);
    }
    route53_cancel(operation);
    aws_harness_run(&fixture.aws);
    assert_int_equal(fixture.err.code, ERROR_CANCELLED);
    fixture_close(&fixture);
}

static int start_server(void **state)
{
    (void)state;
    signal(SIGPIPE, SIG_IGN);
    static const char *const arguments[] = {"--zone",  "Z1EXAMPLE=example.com",
                                            "--zone",  "Z2PRIVATE=example.com:private",
                                            "--zone",  "Z3TWICE=twice.org",
                                            "--zone",  "Z4TWICE=twice.org",
                                            "--rate",  "0",
                                            "--burst", "1000",
                                            NULL};
    local_server_start(&server, "tests/stand-ins/route53", arguments);
    return 0;
}

static int stop_server(void **state)
{
    (void)state;
    local_server_stop(&server);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_change_is_made_polled_and_listed),
        cmocka_unit_test(a_change_that_stays_pending_meets_its_deadline),
        cmocka_unit_test(all_pages_are_read),
        cmocka_unit_test(zones_are_found_by_exact_name_and_kind),
        cmocka_unit_test(a_zone_names_its_servers),
        cmocka_unit_test(throttling_and_a_busy_zone_are_waited_out),
        cmocka_unit_test(throttling_to_the_end_is_said_to_be_that),
        cmocka_unit_test(a_failing_server_is_asked_again_for_a_list),
        cmocka_unit_test(a_change_without_an_answer_is_unknown_and_not_repeated),
        cmocka_unit_test(a_refusal_keeps_the_service_s_words),
        cmocka_unit_test(a_wrong_clock_is_corrected_from_the_answer),
        cmocka_unit_test(an_unknown_zone_is_not_found),
        cmocka_unit_test(cancelling_ends_an_operation_once),
    };
    return cmocka_run_group_tests(tests, start_server, stop_server);
}
