/* The network actions against servers that can be told to fail: the strict stand-in of Route 53, a
 * name server, an HTTP server with a few words of STS and SNS. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "harness.h"
#include "local_server.h"
#include "scratch.h"

extern const struct action action_aws_assume_role;
extern const struct action action_aws_identity;
extern const struct action action_dns_verify;
extern const struct action action_http_check;
extern const struct action action_notify;
extern const struct action action_route53_change;

static struct local_server route53;
static struct local_server names;
static struct local_server web;

/* --- the servers ----------------------------------------------------------------------------- */

/* What an admin call of the stand-in answers, as JSON. */
static json_t *admin(const char *path, const char *body)
{
    CLEANUP(memory_cleanup) char *url = local_server_url(&route53, path);
    const char *argv[] = {"curl", "-sS", "--noproxy", "*", url, body != NULL ? "-d" : NULL,
                          body,   NULL};
    CLEANUP(memory_cleanup) char *out = scratch_run("/", argv);
    json_t *value = json_parse(span_of_text(out), "admin", NULL);
    assert_non_null(value);
    return value;
}

static void settings(const char *body)
{
    json_decref(admin("/-/settings", body));
}

/* How many batches were carried out that touch a name. */
static size_t batches_with(const char *name)
{
    CLEANUP(json_cleanup) json_t *log = admin("/-/log", NULL);
    size_t count = 0;
    size_t i;
    json_t *entry;
    json_array_foreach (log, i, entry) {
        CLEANUP(memory_cleanup) char *changes = json_canonical(json_object_get(entry, "changes"));
        count += strstr(changes, name) != NULL ? 1 : 0;
    }
    return count;
}

static bool zone_holds(const char *text)
{
    CLEANUP(json_cleanup) json_t *zones = admin("/-/zones", NULL);
    CLEANUP(memory_cleanup) char *shown = json_canonical(zones);
    return strstr(shown, text) != NULL;
}

static int set_up(void **state)
{
    struct harness *harness = harness_new();
    CLEANUP(memory_cleanup) char *route53_url = local_server_url(&route53, "");
    CLEANUP(memory_cleanup) char *web_url = local_server_url(&web, "");
    CLEANUP(memory_cleanup) char *resolver = memory_format("127.0.0.1:%d", names.port);
    harness_setenv(harness, "AWS_ENDPOINT_URL_ROUTE_53", route53_url);
    harness_setenv(harness, "AWS_ENDPOINT_URL", web_url);
    harness_setenv(harness, "AWS_ACCESS_KEY_ID", "AKIDEXAMPLE");
    harness_setenv(harness, "AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY");
    harness_setenv(harness, "AWS_SESSION_TOKEN", NULL);
    harness_setenv(harness, "AWS_PROFILE", NULL);
    harness_setenv(harness, "AWS_REGION", "us-west-2");
    harness_setenv(harness, "AWS_CONFIG_FILE", "/nonexistent");
    harness_setenv(harness, "AWS_SHARED_CREDENTIALS_FILE", "/nonexistent");
    harness_setenv(harness, "DRCTL_RESOLVER", resolver);
    settings("{\"throttle\": 0, \"errors\": 0, \"busy\": 0, \"drop\": 0, \"insync_after\": 0.1}");
    *state = harness;
    return 0;
}

static int tear_down(void **state)
{
    harness_free(*state);
    return 0;
}

static void put_record(const char *name, const char *value)
{
    CLEANUP(memory_cleanup)
    char *body = memory_format("{\"zone\": \"Z1EXAMPLE\", \"changes\": [{\"Name\": \"%s\", "
                               "\"Type\": \"A\", \"TTL\": 60, \"Values\": [\"%s\"]}]}",
                               name, value);
    json_decref(admin("/-/records", body));
}

/* --- route53.change -------------------------------------------------------------------------- */

#define CHANGE(name, value)                                                                        \
    "{'zone': 'example.com', 'interval': '100ms', 'records': [{'name': '" name                     \
    "', 'type': 'A', 'ttl': 30, 'values': ['" value "']}]}"

static void a_change_shows_its_difference_and_waits_for_insync(void **state)
{
    struct harness *harness = *state;
    put_record("www.example.com", "192.0.2.1");
    harness_run_ok(harness, &action_route53_change, CHANGE("www", "192.0.2.2"));
    assert_true(harness_shows(harness, "~ www.example.com. A: 60s 192.0.2.1 → 30s 192.0.2.2"));
    assert_true(harness_shows(harness, "INSYNC"));
    assert_int_equal(json_get_integer(harness->outputs, "changed", -1), 1);
    assert_string_equal(harness_output(harness, "zone_id"), "Z1EXAMPLE");
    assert_non_null(harness_fact(harness, "dns.change"));
    assert_true(zone_holds("192.0.2.2"));
}

static void a_dry_run_shows_the_difference_and_changes_nothing(void **state)
{
    struct harness *harness = *state;
    put_record("dry.example.com", "192.0.2.1");
    harness->dry_run = true;
    harness_run_ok(harness, &action_route53_change, CHANGE("dry", "198.51.100.77"));
    assert_true(harness_shows(harness, "→ 30s 198.51.100.77"));
    assert_false(zone_holds("198.51.100.77"));
}

static void what_is_so_already_is_not_sent(void **state)
{
    struct harness *harness = *state;
    harness_run_ok(harness, &action_route53_change, CHANGE("twice", "192.0.2.2"));
    harness_run_ok(harness, &action_route53_change, CHANGE("twice", "192.0.2.2"));
    assert_true(harness_shows(harness, "nothing to change"));
    assert_int_equal(json_get_integer(harness->outputs, "changed", -1), 0);
    assert_int_equal(batches_with("twice.example.com"), 1);
}

static void a_lost_answer_is_looked_for_in_the_zone(void **state)
{
    struct harness *harness = *state;
    settings("{\"drop\": 1}");
    harness_run_ok(harness, &action_route53_change, CHANGE("lost", "192.0.2.2"));
    assert_true(harness_shows(harness, "the answer was lost"));
    assert_int_equal(batches_with("lost.example.com"), 1);
}

static void throttling_to_the_end_says_so(void **state)
{
    struct harness *harness = *state;
    settings("{\"throttle\": 100000}");
    harness->timeout_ms = 6000;
    harness_run(harness, &action_route53_change, CHANGE("slow", "192.0.2.2"));
    assert_int_equal(harness->status, -1);
    assert_true(harness->error.code == ERROR_THROTTLED || harness->error.code == ERROR_TIMEOUT);
    settings("{\"throttle\": 0}");
}

static void a_change_that_stays_pending_fails_with_its_id(void **state)
{
    struct harness *harness = *state;
    settings("{\"insync_after\": -1}");
    harness_run(harness, &action_route53_change,
                "{'zone': 'example.com', 'interval': '100ms', 'insync_timeout': '500ms', "
                "'records': [{'name': 'pending', 'type': 'A', 'ttl': 30, 'values': "
                "['192.0.2.2']}]}");
    assert_int_equal(harness->error.code, ERROR_TIMEOUT);
    assert_non_null(strstr(harness->error.message, "INSYNC"));
}

static void a_resume_does_not_send_twice_and_keeps_what_was_before(void **state)
{
    struct harness *harness = *state;
    put_record("resumed.example.com", "192.0.2.1");
    settings("{\"insync_after\": 2}");
    harness->detach_at = "sent: change";
    harness_run(harness, &action_route53_change, CHANGE("resumed", "192.0.2.2"));
    assert_true(harness->detached);
    harness->detach_at = NULL;
    harness_resume_ok(harness);
    assert_int_equal(batches_with("resumed.example.com"), 1);
    assert_int_equal(json_get_integer(harness->outputs, "changed", -1), 1);
    CLEANUP(memory_cleanup)
    char *before = json_canonical(json_object_get(harness->outputs, "before"));
    assert_non_null(strstr(before, "192.0.2.1"));
}

static void an_undo_puts_back_what_was_there(void **state)
{
    struct harness *harness = *state;
    put_record("undone.example.com", "192.0.2.11");
    harness_run_ok(harness, &action_route53_change,
                   "{'zone': 'example.com', 'interval': '100ms', 'records': [{'name': 'undone', "
                   "'type': 'A', 'ttl': 30, 'values': ['192.0.2.12']}, {'name': 'fresh', 'type': "
                   "'A', 'ttl': 30, 'values': ['192.0.2.13']}]}");
    assert_true(zone_holds("192.0.2.12"));
    harness_undo(harness);
    assert_int_equal(harness->status, 0);
    assert_true(zone_holds("192.0.2.11"));
    assert_false(zone_holds("192.0.2.12"));
    assert_false(zone_holds("fresh.example.com"));
}

static void an_undo_leaves_what_somebody_else_changed(void **state)
{
    struct harness *harness = *state;
    put_record("foreign.example.com", "192.0.2.21");
    harness_run_ok(harness, &action_route53_change, CHANGE("foreign", "192.0.2.22"));
    put_record("foreign.example.com", "192.0.2.23");
    harness_undo(harness);
    assert_int_equal(harness->error.code, ERROR_REFUSED);
    assert_true(zone_holds("192.0.2.23"));
}

static void a_batch_of_the_cli_is_read_from_a_file(void **state)
{
    struct harness *harness = *state;
    CLEANUP(memory_cleanup) char *path = file_join(harness->plan, "dns-update.json");
    assert_int_equal(
        file_write(path,
                   span_of_text("{\"Changes\": [{\"Action\": \"CREATE\", \"ResourceRecordSet\": "
                                "{\"Name\": \"*.file.example.com\", \"Type\": \"CNAME\", \"TTL\": "
                                "60, \"ResourceRecords\": [{\"Value\": \"x.example.net\"}]}}]}"),
                   0600, FILE_ATOMIC, NULL),
        0);
    harness_run_ok(harness, &action_route53_change,
                   "{'zone_id': 'Z1EXAMPLE', 'interval': '100ms', 'file': 'dns-update.json'}");
    assert_true(harness_shows(harness, "+ *.file.example.com. CNAME"));
}

static void assert_change_refused(struct harness *harness, const char *arguments, const char *words)
{
    harness_run(harness, &action_route53_change, arguments);
    assert_int_equal(harness->status, -1);
    CLEANUP(memory_cleanup) char *text = error_format(&harness->error);
    assert_non_null(strstr(text, words));
}

static void records_that_make_no_sense_are_refused_before_anything_is_sent(void **state)
{
    struct harness *harness = *state;
    assert_change_refused(harness,
                          "{'zone': 'example.com', 'records': [{'name': 'a.example.org.', 'type': "
                          "'A', 'ttl': 1, 'values': ['192.0.2.1']}]}",
                          "does not lie in the zone");
    assert_change_refused(harness,
                          "{'zone': 'example.com', 'records': [{'name': 'a', 'typ': 'A'}]}",
                          "did you mean \"type\"?");
    assert_change_refused(harness, "{'zone': 'example.com', 'records': []}", "no records");
}

/* --- dns.verify ------------------------------------------------------------------------------ */

static void servers_that_say_the_expected_are_enough(void **state)
{
    struct harness *harness = *state;
    harness_run_ok(harness, &action_dns_verify,
                   "{'name': 'www.example.com', 'expect': ['192.0.2.2', '192.0.2.1'], 'absent': "
                   "['192.0.2.9']}");
    assert_int_equal(json_get_integer(harness->outputs, "ttl_s", -1), 60);
    assert_non_null(harness_fact(harness, "dns.verified"));
}

static void a_wrong_answer_is_shown_when_the_time_is_over(void **state)
{
    struct harness *harness = *state;
    harness_run(harness, &action_dns_verify,
                "{'name': 'www.example.com', 'expect': ['198.51.100.1'], 'interval': '100ms', "
                "'deadline': '300ms'}");
    assert_int_equal(harness->error.code, ERROR_FAILED);
    assert_non_null(strstr(harness->error.message, "192.0.2.1, 192.0.2.2"));
}

static void values_that_must_be_gone_and_names_that_must_be_met(void **state)
{
    struct harness *harness = *state;
    harness_run(harness, &action_dns_verify,
                "{'name': 'www.example.com', 'absent': ['192.0.2.1'], 'deadline': '0s'}");
    assert_int_equal(harness->error.code, ERROR_FAILED);
    harness_run_ok(harness, &action_dns_verify,
                   "{'name': 'www.example.com', 'same_as': 'lb.example.net'}");
    harness_run(harness, &action_dns_verify,
                "{'name': 'www.example.com', 'same_as': 'other.example.net', 'deadline': '0s'}");
    assert_int_equal(harness->error.code, ERROR_FAILED);
}

static void most_servers_have_to_answer(void **state)
{
    struct harness *harness = *state;
    CLEANUP(memory_cleanup)
    char *arguments =
        memory_format("{'name': 'www.example.com', 'expect': ['192.0.2.1', '192.0.2.2'], "
                      "'servers': ['127.0.0.1:%d', '127.0.0.1:1'], 'request_timeout': '300ms', "
                      "'deadline': '0s'}",
                      names.port);
    harness_run(harness, &action_dns_verify, arguments);
    assert_int_equal(harness->status, -1);
}

static void the_zone_s_own_servers_are_found_through_the_resolver(void **state)
{
    struct harness *harness = *state;
    harness_run_ok(harness, &action_dns_verify,
                   "{'name': 'www.own.example', 'zone': 'own.example', 'expect': ['192.0.2.5']}");
    CLEANUP(memory_cleanup)
    char *servers = json_canonical(json_object_get(harness->outputs, "servers"));
    assert_non_null(strstr(servers, "\"127.0.0.1:"));
    assert_int_equal(json_array_size(json_object_get(harness->outputs, "servers")), 2);
}

static void the_resolver_has_to_do_where_name_servers_cannot_be_reached(void **state)
{
    struct harness *harness = *state;
    harness_run_ok(harness, &action_dns_verify,
                   "{'name': 'www.far.example', 'zone': 'far.example', 'expect': ['192.0.2.6'], "
                   "'request_timeout': '300ms'}");
    assert_true(harness_shows(harness, "no name server of the zone answers"));
}

static void records_by_region_take_the_chosen_value(void **state)
{
    struct harness *harness = *state;
    put_record("app.us-west-2.example.com", "192.0.2.44");
    harness_run_ok(harness, &action_route53_change,
                   "{'zone': 'example.com', 'interval': '100ms', 'for': 'us-west-2', 'records': "
                   "[{'name': 'example.com', 'type': 'A', 'alias': true, 'values': {'us-east-2': "
                   "'app.us-east-2.example.com', 'us-west-2': 'app.us-west-2.example.com'}}, "
                   "{'name': 'app.example.com', 'type': 'CNAME', 'ttl': 60, 'values': "
                   "{'us-west-2': 'app.us-west-2.example.com'}}]}");
    assert_true(harness_shows(harness, "alias of app.us-west-2.example.com."));
    assert_true(harness_shows(harness, "60s app.us-west-2.example.com"));
}

static void a_dry_run_says_what_is_served_now(void **state)
{
    struct harness *harness = *state;
    harness->dry_run = true;
    harness_run_ok(harness, &action_dns_verify,
                   "{'name': 'www.example.com', 'expect': ['198.51.100.1']}");
    assert_true(harness_shows(harness, "now: "));
}

/* --- http.check ------------------------------------------------------------------------------ */

static void check_url(struct harness *harness, const char *path, const char *more)
{
    CLEANUP(memory_cleanup) char *url = local_server_url(&web, path);
    CLEANUP(memory_cleanup)
    char *arguments = memory_format("{'url': '%s', 'interval': '50ms'%s}", url, more);
    harness_run(harness, &action_http_check, arguments);
}

static void a_service_that_comes_up_is_waited_for(void **state)
{
    struct harness *harness = *state;
    check_url(harness, "/flaky/2/a", ", 'json': {'ok': true}");
    assert_int_equal(harness->status, 0);
    assert_int_equal(json_get_integer(harness->outputs, "tries", -1), 3);
    assert_true(harness_shows(harness, "not yet: status 503"));
}

static void a_service_that_does_not_come_up_fails_with_its_last_words(void **state)
{
    struct harness *harness = *state;
    check_url(harness, "/status/500", ", 'deadline': '200ms'");
    assert_int_equal(harness->error.code, ERROR_FAILED);
    assert_non_null(strstr(harness->error.message, "status 500: as asked"));
}

static void the_answer_s_text_json_and_status_are_checked(void **state)
{
    struct harness *harness = *state;
    check_url(harness, "/status/404", ", 'status': [404], 'contains': 'asked'");
    assert_int_equal(harness->status, 0);
    check_url(harness, "/status/200", ", 'contains': 'healthy', 'deadline': '0s'");
    assert_non_null(strstr(harness->error.message, "does not hold"));
    check_url(harness, "/x", ", 'json': {'headers.x-a': 'b'}, 'headers': {'X-A': 'b'}");
    assert_int_equal(harness->status, 0);
    check_url(harness, "/x", ", 'json': {'headers.x-a': 'b'}, 'deadline': '0s'");
    assert_non_null(strstr(harness->error.message, "headers.x-a is not there"));
}

static void a_site_is_checked_before_dns_points_to_it(void **state)
{
    struct harness *harness = *state;
    CLEANUP(memory_cleanup)
    char *arguments = memory_format("{'url': 'http://new.invalid/x', 'connect_to': '127.0.0.1:%d', "
                                    "'json': {'headers.host': 'new.invalid'}}",
                                    web.port);
    harness_run_ok(harness, &action_http_check, arguments);
}

static void a_check_ends_when_it_is_cancelled(void **state)
{
    struct harness *harness = *state;
    harness->timeout_ms = 500;
    check_url(harness, "/hang", "");
    assert_int_equal(harness->error.code, ERROR_TIMEOUT);
}

/* --- identity and roles ---------------------------------------------------------------------- */

static void the_right_account_is_told(void **state)
{
    struct harness *harness = *state;
    harness_run_ok(harness, &action_aws_identity, "{'account': '111111111111'}");
    assert_string_equal(harness_output(harness, "account"), "111111111111");
}

static void a_wrong_account_is_refused(void **state)
{
    struct harness *harness = *state;
    harness_run(harness, &action_aws_identity, "{'account': '999999999999'}");
    assert_int_equal(harness->error.code, ERROR_REFUSED);
    harness_run(harness, &action_aws_identity, "{'not_accounts': ['111111111111']}");
    assert_int_equal(harness->error.code, ERROR_REFUSED);
}

static void without_credentials_it_says_what_is_missing(void **state)
{
    struct harness *harness = *state;
    harness_setenv(harness, "AWS_ACCESS_KEY_ID", NULL);
    harness_setenv(harness, "AWS_SECRET_ACCESS_KEY", NULL);
    harness_setenv(harness, "AWS_EC2_METADATA_DISABLED", "true");
    harness_run(harness, &action_aws_identity, "{}");
    assert_int_equal(harness->error.code, ERROR_NOT_READY);
}

static void a_role_s_credentials_are_secret_outputs(void **state)
{
    struct harness *harness = *state;
    harness_run_ok(harness, &action_aws_assume_role,
                   "{'role_arn': 'arn:aws:iam::2:role/dr', 'account': '222222222222'}");
    assert_string_equal(harness_output(harness, "access_key_id"), "ROLE-dr");
    assert_string_equal(harness_output(harness, "account"), "222222222222");
    assert_false(harness_shows(harness, "ROLE-dr"));
}

static void a_role_of_another_account_is_refused(void **state)
{
    struct harness *harness = *state;
    harness_run(harness, &action_aws_assume_role,
                "{'role_arn': 'arn:aws:iam::2:role/dr', 'account': '333333333333'}");
    assert_int_equal(harness->error.code, ERROR_REFUSED);
}

/* --- notify ---------------------------------------------------------------------------------- */

static void a_topic_is_told_in_its_own_region(void **state)
{
    struct harness *harness = *state;
    harness_run_ok(harness, &action_notify,
                   "{'message': 'failed over', 'subject': 's', 'topic': "
                   "'arn:aws:sns:eu-west-1:111111111111:alarms', 'details': {'rto': '1h'}}");
    CLEANUP(memory_cleanup) char *url = local_server_url(&web, "/log");
    CLEANUP(memory_cleanup)
    char *log = scratch_run("/", (const char *const[]){"curl", "-sS", "--noproxy", "*", url, NULL});
    assert_non_null(strstr(log, "failed over\\nrto: 1h"));
    assert_non_null(strstr(log, "/eu-west-1/sns/aws4_request"));
}

static void a_webhook_that_is_busy_is_asked_again_and_never_shown(void **state)
{
    struct harness *harness = *state;
    CLEANUP(memory_cleanup) char *url = local_server_url(&web, "/flaky/1/hook");
    CLEANUP(memory_cleanup)
    char *arguments = memory_format("{'message': 'hello', 'webhook': '%s'}", url);
    harness_run_ok(harness, &action_notify, arguments);
    assert_false(harness_shows(harness, "/flaky/1/hook"));
    url[strlen(url) - strlen("/flaky/1/hook")] = '\0';
    CLEANUP(memory_cleanup)
    char *refused = memory_format("{'message': 'hello', 'webhook': '%s/status/400'}", url);
    harness_run(harness, &action_notify, refused);
    assert_int_equal(harness->error.code, ERROR_FAILED);
    assert_null(strstr(harness->error.message, "/status/400"));
}

static void pagerduty_gets_an_event(void **state)
{
    struct harness *harness = *state;
    CLEANUP(memory_cleanup) char *url = local_server_url(&web, "/x");
    CLEANUP(memory_cleanup)
    char *arguments =
        memory_format("{'message': 'hello', 'pagerduty': 'key', 'events_url': '%s'}", url);
    harness_run_ok(harness, &action_notify, arguments);
    assert_string_equal(harness_output(harness, "channel"), "pagerduty");
}

/* --- all ------------------------------------------------------------------------------------- */

static int start(void **state)
{
    (void)state;
    static const char *const zones[] = {"--zone", "Z1EXAMPLE=example.com", "--rate", "0", NULL};
    static const char *const records[] = {"www.example.com=A=60=192.0.2.1",
                                          "www.example.com=A=60=192.0.2.2",
                                          "lb.example.net=A=60=192.0.2.1",
                                          "lb.example.net=A=60=192.0.2.2",
                                          "lb.example.net=A=60=192.0.2.3",
                                          "other.example.net=A=60=192.0.2.1",
                                          "own.example=NS=60=ns1.own.example",
                                          "own.example=NS=60=ns2.own.example",
                                          "ns1.own.example=A=60=127.0.0.1",
                                          "ns2.own.example=A=60=127.0.0.1",
                                          "www.own.example=A=60=192.0.2.5",
                                          "far.example=NS=60=ns1.far.example",
                                          "ns1.far.example=A=60=127.0.0.9",
                                          "www.far.example=A=60=192.0.2.6",
                                          NULL};
    signal(SIGPIPE, SIG_IGN);
    local_server_start(&route53, "tests/stand-ins/route53", zones);
    local_server_start(&names, "tests/net/dns_server.py", records);
    local_server_start(&web, "tests/net/fault_server.py", NULL);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    local_server_stop(&route53);
    local_server_stop(&names);
    local_server_stop(&web);
    return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_change_shows_its_difference_and_waits_for_insync),
        TEST(a_dry_run_shows_the_difference_and_changes_nothing),
        TEST(what_is_so_already_is_not_sent),
        TEST(a_lost_answer_is_looked_for_in_the_zone),
        TEST(throttling_to_the_end_says_so),
        TEST(a_change_that_stays_pending_fails_with_its_id),
        TEST(a_resume_does_not_send_twice_and_keeps_what_was_before),
        TEST(an_undo_puts_back_what_was_there),
        TEST(an_undo_leaves_what_somebody_else_changed),
        TEST(a_batch_of_the_cli_is_read_from_a_file),
        TEST(records_that_make_no_sense_are_refused_before_anything_is_sent),
        TEST(servers_that_say_the_expected_are_enough),
        TEST(a_wrong_answer_is_shown_when_the_time_is_over),
        TEST(values_that_must_be_gone_and_names_that_must_be_met),
        TEST(most_servers_have_to_answer),
        TEST(the_zone_s_own_servers_are_found_through_the_resolver),
        TEST(the_resolver_has_to_do_where_name_servers_cannot_be_reached),
        TEST(records_by_region_take_the_chosen_value),
        TEST(a_dry_run_says_what_is_served_now),
        TEST(a_service_that_comes_up_is_waited_for),
        TEST(a_service_that_does_not_come_up_fails_with_its_last_words),
        TEST(the_answer_s_text_json_and_status_are_checked),
        TEST(a_site_is_checked_before_dns_points_to_it),
        TEST(a_check_ends_when_it_is_cancelled),
        TEST(the_right_account_is_told),
        TEST(a_wrong_account_is_refused),
        TEST(without_credentials_it_says_what_is_missing),
        TEST(a_role_s_credentials_are_secret_outputs),
        TEST(a_role_of_another_account_is_refused),
        TEST(a_topic_is_told_in_its_own_region),
        TEST(a_webhook_that_is_busy_is_asked_again_and_never_shown),
        TEST(pagerduty_gets_an_event),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
