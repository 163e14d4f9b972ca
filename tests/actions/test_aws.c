/* aws and aws.wait: the real client against the sandbox, whose gateway throttles, fails and loses
 * answers when told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "aws/aws_cli.h"
#include "base/file.h"
#include "base/json.h"
#include "harness.h"
#include "sandbox.h"

extern const struct action action_aws;
extern const struct action action_aws_wait;

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

/* --- words ----------------------------------------------------------------------------------- */

static char *words_of(const char *json)
{
    json_t *options = json_loads(json, 0, NULL);
    struct argv argv = {0};
    aws_add_options(&argv, options);
    char *text = argv_to_text(argv_words(&argv));
    argv_release(&argv);
    json_decref(options);
    return text;
}

static void options_become_words(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"{\"db_instance_identifier\": \"x\"}", "--db-instance-identifier x"},
        {"{\"multi-az\": true, \"x\": false}", "--multi-az --no-x"},
        {"{\"ids\": [\"a\", \"b\"], \"n\": 3}", "--ids a b --n 3"},
        {"{\"tags\": [{\"Key\": \"a\", \"Value\": \"b c\"}]}",
         "--tags '[{\"Key\":\"a\",\"Value\":\"b c\"}]'"},
        {"{\"name\": \"-x\", \"list\": [\"-y\"]}", "--name=-x --list '[\"-y\"]'"},
        {"{\"none\": null, \"empty\": []}", "--empty '[]'"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        CLEANUP(memory_cleanup) char *words = words_of(cases[i][0]);
        assert_string_equal(words, cases[i][1]);
    }
}

static void verbs_tell_whether_something_changes(void **state)
{
    (void)state;
    assert_false(aws_operation_mutates("rds", "describe-db-instances"));
    assert_false(aws_operation_mutates("s3api", "list-object-versions"));
    assert_false(aws_operation_mutates("s3", "ls"));
    assert_true(aws_operation_mutates("rds", "create-db-snapshot"));
    assert_true(aws_operation_mutates("ec2", "terminate-instances"));
    assert_true(aws_operation_mutates("x", "getting-odd"));
}

static void errors_of_the_client_are_taken_apart(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *code;
        enum error_code kind;
        bool ambiguous;
    } cases[] = {
        {"\nAn error occurred (Throttling) when calling the X operation (reached max retries: 4): "
         "Rate exceeded\n",
         "Throttling", ERROR_THROTTLED, false},
        {"An error occurred (DBInstanceNotFound) when calling the DescribeDBInstances operation: n",
         "DBInstanceNotFound", ERROR_NOT_FOUND, false},
        {"An error occurred (InvalidInstanceID.NotFound) when calling the X operation: n",
         "InvalidInstanceID.NotFound", ERROR_NOT_FOUND, false},
        {"An error occurred (ExpiredToken) when calling the X operation: n", "ExpiredToken",
         ERROR_NOT_READY, false},
        {"An error occurred (InternalFailure) when calling the X operation: n", "InternalFailure",
         ERROR_NETWORK, true},
        {"Could not connect to the endpoint URL: \"http://x\"", NULL, ERROR_NETWORK, false},
        {"Read timeout on endpoint URL: \"http://x\"", NULL, ERROR_NETWORK, true},
        {"something else", NULL, ERROR_FAILED, false},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct aws_error error;
        aws_error_parse(cases[i].text, &error);
        assert_int_equal(error.kind, cases[i].kind);
        assert_int_equal(error.ambiguous, cases[i].ambiguous);
        assert_true(cases[i].code == NULL ? error.code == NULL
                                          : strcmp(error.code, cases[i].code) == 0);
        aws_error_release(&error);
    }
}

/* --- aws ------------------------------------------------------------------------------------- */

#define VOLUME                                                                                     \
    "{'service': 'ec2', 'operation': 'create-volume', 'options': {'availability_zone': "           \
    "'us-west-2a', 'size': 1, 'tag_specifications': [{'ResourceType': 'volume', 'Tags': "          \
    "[{'Key': 'test', 'Value': 'NAME'}]}]}"

#define VOLUMES_OF(name)                                                                           \
    "ec2 describe-volumes --filters Name=tag:test,Values=" name " --query 'length(Volumes)'"

static size_t volumes(const char *command)
{
    json_t *count = sandbox_aws(command);
    size_t result = (size_t)json_integer_value(count);
    json_decref(count);
    return result;
}

static char *volume_call(const char *name, const char *rest)
{
    CLEANUP(memory_cleanup) char *call = memory_text(VOLUME);
    char *at = strstr(call, "NAME");
    return memory_format("%.*s%s%s%s}", (int)(at - call), call, name, at + 4, rest);
}

static void answer_is_json_and_query_picks_of_it(void **state)
{
    struct harness *harness = *state;
    harness_run_ok(harness, &action_aws,
                   "{'service': 'sts', 'operation': 'get-caller-identity', 'query': 'Account'}");
    assert_string_equal(harness_output(harness, "result"), "123456789012");
    assert_true(json_is_null(json_object_get(harness->outputs, "code")));
}

static void call_without_a_region_is_refused(void **state)
{
    struct harness *harness = *state;
    harness_setenv(harness, "AWS_REGION", NULL);
    harness_setenv(harness, "AWS_DEFAULT_REGION", NULL);
    harness_run(harness, &action_aws, "{'service': 'ec2', 'operation': 'describe-volumes'}");
    assert_int_equal(harness->error.code, ERROR_INVALID);
    assert_int_equal(harness_started(harness, "call"), 0);
}

static void call_that_prints_a_secret_is_refused(void **state)
{
    struct harness *harness = *state;
    harness_run(harness, &action_aws,
                "{'service': 'secretsmanager', 'operation': 'get-secret-value', 'options': "
                "{'secret_id': 'x'}}");
    assert_int_equal(harness->error.code, ERROR_REFUSED);
}

static void input_is_handed_over_without_showing_in_argv(void **state)
{
    struct harness *harness = *state;
    harness_secret(harness, "hunter2222");
    harness_run_ok(harness, &action_aws,
                   "{'service': 'ssm', 'operation': 'put-parameter', 'input': {'Name': '/test/a', "
                   "'Type': 'SecureString', 'Value': 'hunter2222'}}");
    json_t *value = sandbox_aws("ssm get-parameter --with-decryption --name /test/a --query "
                                "Parameter.Value");
    assert_string_equal(json_string_value(value), "hunter2222");
    json_decref(value);
    CLEANUP(memory_cleanup)
    char *path = file_join(harness->folder, "steps/step/1/call.input.json");
    assert_false(file_exists(path));
}

static void input_leaves_out_what_is_null(void **state)
{
    struct harness *harness = *state;
    harness_run_ok(harness, &action_aws,
                   "{'service': 'ssm', 'operation': 'put-parameter', 'input': {'Name': '/test/b', "
                   "'Type': 'String', 'Value': 'x', 'Description': null}}");
}

static void errors_that_the_plan_expects_are_no_failure(void **state)
{
    struct harness *harness = *state;
    harness_run_ok(harness, &action_aws,
                   "{'service': 'rds', 'operation': 'describe-db-instances', 'options': "
                   "{'db_instance_identifier': 'gone'}, 'ignore_errors': ['DBInstanceNotFound']}");
    assert_string_equal(harness_output(harness, "code"), "DBInstanceNotFound");
    harness_run(harness, &action_aws,
                "{'service': 'rds', 'operation': 'describe-db-instances', 'options': "
                "{'db_instance_identifier': 'gone'}}");
    assert_int_equal(harness->error.code, ERROR_NOT_FOUND);
}

static void change_is_shown_and_not_made_in_a_dry_run(void **state)
{
    struct harness *harness = *state;
    harness->dry_run = true;
    CLEANUP(memory_cleanup) char *call = volume_call("dry", "");
    harness_run_ok(harness, &action_aws, call);
    assert_true(harness_shows(harness, "would call: aws ec2 create-volume"));
    assert_int_equal(volumes(VOLUMES_OF("dry")), 0);
}

static void throttling_is_waited_out(void **state)
{
    struct harness *harness = *state;
    free(sandbox_call("fault", "ec2", "CreateVolume", "503", "RequestLimitExceeded", "--times", "2",
                      NULL));
    CLEANUP(memory_cleanup) char *call = volume_call("throttled", "");
    harness_run_ok(harness, &action_aws, call);
    assert_int_equal(volumes(VOLUMES_OF("throttled")), 1);
    assert_int_equal(harness_started(harness, "call"), 1);
    assert_int_equal(harness_started(harness, "call.3"), 1);
}

static void lost_answer_is_judged_by_the_probe(void **state)
{
    struct harness *harness = *state;
    free(
        sandbox_call("fault", "ec2", "CreateVolume", "0", "lost", "--after", "--times", "1", NULL));
    CLEANUP(memory_cleanup)
    char *call = volume_call("lost", ", 'probe': {'operation': 'describe-volumes', 'options': "
                                     "{'filters': ['Name=tag:test,Values=lost']}, 'query': "
                                     "'Volumes[0]'}");
    harness_run_ok(harness, &action_aws, call);
    assert_int_equal(volumes(VOLUMES_OF("lost")), 1);
    assert_non_null(json_get_text(json_object_get(harness->outputs, "result"), "VolumeId"));
}

static void lost_request_is_made_again_after_the_probe(void **state)
{
    struct harness *harness = *state;
    free(sandbox_call("fault", "ec2", "CreateVolume", "0", "lost", "--times", "1", NULL));
    CLEANUP(memory_cleanup)
    char *call = volume_call("again", ", 'probe': {'operation': 'describe-volumes', 'options': "
                                      "{'filters': ['Name=tag:test,Values=again']}, 'query': "
                                      "'Volumes[0]'}");
    harness_run_ok(harness, &action_aws, call);
    assert_int_equal(volumes(VOLUMES_OF("again")), 1);
}

static void lost_answer_without_a_probe_is_not_guessed(void **state)
{
    struct harness *harness = *state;
    free(
        sandbox_call("fault", "ec2", "CreateVolume", "0", "lost", "--after", "--times", "1", NULL));
    CLEANUP(memory_cleanup) char *call = volume_call("unknown", "");
    harness_run(harness, &action_aws, call);
    assert_int_equal(harness->error.code, ERROR_UNKNOWN);
    assert_int_equal(volumes(VOLUMES_OF("unknown")), 1);
}

/* --- aws.wait -------------------------------------------------------------------------------- */

static void create_database(const char *name)
{
    CLEANUP(memory_cleanup)
    char *words = memory_format("rds create-db-instance --db-instance-identifier %s "
                                "--db-instance-class db.t3.micro --engine mysql "
                                "--allocated-storage 20 --master-username admin "
                                "--master-user-password not-a-secret-1",
                                name);
    json_decref(sandbox_aws(words));
}

static void wait_ends_when_the_state_is_wanted(void **state)
{
    struct harness *harness = *state;
    create_database("ready");
    free(sandbox_call("rewrite", "rds", "DescribeDBInstances", "--times", "1",
                      "<DBInstanceStatus>available", "<DBInstanceStatus>creating", NULL));
    harness_run_ok(harness, &action_aws_wait,
                   "{'service': 'rds', 'operation': 'describe-db-instances', 'options': "
                   "{'db_instance_identifier': 'ready'}, 'query': "
                   "'DBInstances[0].DBInstanceStatus', 'until': ['available'], 'fail': "
                   "['failed'], 'interval': '100ms', 'result': 'DBInstances[0].Engine'}");
    assert_string_equal(harness_output(harness, "state"), "available");
    assert_string_equal(harness_output(harness, "result"), "mysql");
    assert_true(harness_shows(harness, "state: creating"));
    assert_true(harness_shows(harness, "state: available (after "));
}

static void wait_ends_at_a_state_without_hope(void **state)
{
    struct harness *harness = *state;
    create_database("broken");
    free(sandbox_call("rewrite", "rds", "DescribeDBInstances", "--times", "1",
                      "<DBInstanceStatus>available", "<DBInstanceStatus>failed", NULL));
    harness_run(harness, &action_aws_wait,
                "{'service': 'rds', 'operation': 'describe-db-instances', 'options': "
                "{'db_instance_identifier': 'broken'}, 'query': "
                "'DBInstances[].DBInstanceStatus', 'until': ['available'], 'fail': ['failed']}");
    assert_int_equal(harness->error.code, ERROR_FAILED);
    assert_non_null(strstr(harness->error.message, "failed"));
}

static void wait_ends_at_its_deadline(void **state)
{
    struct harness *harness = *state;
    create_database("slow");
    harness_run(harness, &action_aws_wait,
                "{'service': 'rds', 'operation': 'describe-db-instances', 'options': "
                "{'db_instance_identifier': 'slow'}, 'query': "
                "'DBInstances[].DBInstanceStatus', 'until': ['stopped'], 'interval': '100ms', "
                "'deadline': '1ms'}");
    assert_int_equal(harness->error.code, ERROR_TIMEOUT);
}

static void wait_for_the_end_of_something(void **state)
{
    struct harness *harness = *state;
    harness_run_ok(harness, &action_aws_wait,
                   "{'service': 'rds', 'operation': 'describe-db-instances', 'options': "
                   "{'db_instance_identifier': 'gone'}, 'query': "
                   "'DBInstances[].DBInstanceStatus', 'until': ['deleted'], 'not_found': 'done'}");
    assert_true(json_is_null(json_object_get(harness->outputs, "state")));
}

static void wait_refuses_what_changes_something(void **state)
{
    struct harness *harness = *state;
    harness_run(harness, &action_aws_wait,
                "{'service': 'rds', 'operation': 'reboot-db-instance', 'query': 'x', 'until': "
                "['y']}");
    assert_int_equal(harness->error.code, ERROR_INVALID);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_become_words),
        cmocka_unit_test(verbs_tell_whether_something_changes),
        cmocka_unit_test(errors_of_the_client_are_taken_apart),
        TEST(answer_is_json_and_query_picks_of_it),
        TEST(call_without_a_region_is_refused),
        TEST(call_that_prints_a_secret_is_refused),
        TEST(input_is_handed_over_without_showing_in_argv),
        TEST(input_leaves_out_what_is_null),
        TEST(errors_that_the_plan_expects_are_no_failure),
        TEST(change_is_shown_and_not_made_in_a_dry_run),
        TEST(throttling_is_waited_out),
        TEST(lost_answer_is_judged_by_the_probe),
        TEST(lost_request_is_made_again_after_the_probe),
        TEST(lost_answer_without_a_probe_is_not_guessed),
        TEST(wait_ends_when_the_state_is_wanted),
        TEST(wait_ends_at_a_state_without_hope),
        TEST(wait_ends_at_its_deadline),
        TEST(wait_for_the_end_of_something),
        TEST(wait_refuses_what_changes_something),
    };
    return cmocka_run_group_tests(tests, sandbox_up, sandbox_down);
}
