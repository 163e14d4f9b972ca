/* The network actions against the sandbox: moto behind its gateway, and a DNS server that answers
 * from the emulated zones. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/memory.h"
#include "harness.h"
#include "sandbox.h"

extern const struct action action_aws_assume_role;
extern const struct action action_aws_identity;
extern const struct action action_dns_verify;
extern const struct action action_notify;
extern const struct action action_route53_change;

static int start(void **state)
{
    signal(SIGPIPE, SIG_IGN);
    if (sandbox_up(state) != 0) {
        return -1;
    }
    json_decref(sandbox_aws("route53 create-hosted-zone --name example.org --caller-reference 1"));
    return 0;
}

static int set_up(void **state)
{
    *state = sandbox_harness();
    return 0;
}

static int tear_down(void **state)
{
    harness_free(*state);
    return 0;
}

static void a_change_is_served_by_the_zone_s_name_servers(void **state)
{
    struct harness *harness = *state;
    harness_run_ok(harness, &action_route53_change,
                   "{'zone': 'example.org', 'records': [{'name': 'www', 'type': 'A', 'ttl': 30, "
                   "'values': ['192.0.2.1', '192.0.2.2']}, {'name': '*.apps', 'type': 'CNAME', "
                   "'ttl': 30, 'values': ['www.example.org']}]}");
    assert_true(harness_shows(harness, "+ *.apps.example.org. CNAME"));
    harness_run_ok(harness, &action_dns_verify,
                   "{'name': 'www.example.org', 'zone': 'example.org', 'expect': ['192.0.2.1', "
                   "'192.0.2.2'], 'interval': '200ms', 'deadline': '10s'}");
    assert_int_equal(json_array_size(json_object_get(harness->outputs, "servers")), 4);
    harness_run_ok(harness, &action_dns_verify,
                   "{'name': 'any.apps.example.org', 'type': 'CNAME', 'expect': "
                   "['www.example.org'], 'interval': '200ms', 'deadline': '10s'}");
}

static void a_second_run_changes_nothing_and_an_undo_takes_it_away(void **state)
{
    struct harness *harness = *state;
    static const char change[] = "{'zone': 'example.org', 'records': [{'name': 'again', 'type': "
                                 "'TXT', 'ttl': 30, 'values': ['\\\"a b\\\"']}]}";
    harness_run_ok(harness, &action_route53_change, change);
    assert_int_equal(json_get_integer(harness->outputs, "changed", -1), 1);
    harness_undo(harness);
    assert_int_equal(harness->status, 0);
    harness_run_ok(harness, &action_route53_change, change);
    harness_run_ok(harness, &action_route53_change, change);
    assert_int_equal(json_get_integer(harness->outputs, "changed", -1), 0);
}

static void a_zone_that_is_not_there_is_said_to_be_missing(void **state)
{
    struct harness *harness = *state;
    harness_run(harness, &action_route53_change,
                "{'zone': 'ample.org', 'records': [{'name': 'a', 'type': 'A', 'ttl': 1, 'values': "
                "['192.0.2.1']}]}");
    assert_int_equal(harness->error.code, ERROR_NOT_FOUND);
}

static void a_lagging_name_server_is_waited_for(void **state)
{
    struct harness *harness = *state;
    free(sandbox_call("dns-lag", "2", "3", NULL));
    harness_run_ok(harness, &action_route53_change,
                   "{'zone': 'example.org', 'records': [{'name': 'late', 'type': 'A', 'ttl': 30, "
                   "'values': ['192.0.2.9']}]}");
    harness_run_ok(harness, &action_dns_verify,
                   "{'name': 'late.example.org', 'zone': 'example.org', 'expect': ['192.0.2.9'], "
                   "'interval': '500ms', 'deadline': '30s'}");
    assert_true(harness_shows(harness, "not yet: "));
    free(sandbox_call("dns-lag", "2", "0", NULL));
}

static void account_and_role_are_told(void **state)
{
    struct harness *harness = *state;
    harness_run_ok(harness, &action_aws_identity, "{'region': 'us-west-2'}");
    CLEANUP(memory_cleanup) char *account = memory_text(harness_output(harness, "account"));
    assert_int_equal(strlen(account), 12);
    CLEANUP(memory_cleanup)
    char *arguments = memory_format("{'role_arn': 'arn:aws:iam::%s:role/drill', 'account': '%s'}",
                                    account, account);
    harness_run_ok(harness, &action_aws_assume_role, arguments);
    assert_non_null(strstr(harness_output(harness, "arn"), "assumed-role/drill"));
}

static void a_topic_takes_a_message(void **state)
{
    struct harness *harness = *state;
    CLEANUP(json_cleanup) json_t *topic = sandbox_aws("sns create-topic --name alarms");
    CLEANUP(memory_cleanup)
    char *arguments = memory_format("{'message': 'failed over', 'topic': '%s'}",
                                    json_get_text(topic, "TopicArn"));
    harness_run_ok(harness, &action_notify, arguments);
    harness_run(harness, &action_notify,
                "{'message': 'm', 'topic': 'arn:aws:sns:us-west-2:123456789012:nobody'}");
    assert_int_equal(harness->error.code, ERROR_NOT_FOUND);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_change_is_served_by_the_zone_s_name_servers),
        TEST(a_second_run_changes_nothing_and_an_undo_takes_it_away),
        TEST(a_zone_that_is_not_there_is_said_to_be_missing),
        TEST(a_lagging_name_server_is_waited_for),
        TEST(account_and_role_are_told),
        TEST(a_topic_takes_a_message),
    };
    return cmocka_run_group_tests(tests, start, sandbox_down);
}
