/* terraform.* with the AWS provider and a state in S3, in a sandbox. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "harness.h"
#include "sandbox.h"
#include "scratch.h"

extern const struct action action_terraform_apply;
extern const struct action action_terraform_init;
extern const struct action action_terraform_plan;

static const char *const configuration =
    "terraform {\n"
    "  required_providers {\n    aws = {\n      source = \"hashicorp/aws\"\n    }\n  }\n"
    "  backend \"s3\" {\n"
    "    bucket       = \"drctl-test-state\"\n"
    "    key          = \"prod/terraform.tfstate\"\n"
    "    region       = \"us-west-2\"\n"
    "    use_lockfile = true\n"
    "    use_path_style = true\n"
    "  }\n}\n"
    "variable \"region\" {\n  default = \"us-west-2\"\n}\n"
    "provider \"aws\" {\n  region = var.region\n}\n"
    "resource \"aws_ssm_parameter\" \"one\" {\n"
    "  name  = \"/drctl/one\"\n  type  = \"String\"\n  value = \"1\"\n}\n";

/* One harness for all tests: they build on each other's state, as a recovery does. */
static struct harness *harness;

static void aws(const char *words)
{
    json_decref(sandbox_aws(words));
}

static int set_up_all(void **state)
{
    if (sandbox_up(state) != 0) {
        return -1;
    }
    harness = sandbox_harness();
    aws("s3api create-bucket --bucket drctl-test-state --create-bucket-configuration "
        "LocationConstraint=us-west-2");
    scratch_write(harness->plan, "env/main.tf", configuration);
    return 0;
}

static int tear_down_all(void **state)
{
    harness_free(harness);
    return sandbox_down(state);
}

static void init_tells_where_the_state_is(void **state)
{
    (void)state;
    harness_run_ok(harness, &action_terraform_init, "{'dir': 'env'}");
    assert_string_equal(harness_output(harness, "backend"), "s3");
    const json_t *where = json_object_get(harness->outputs, "state");
    assert_string_equal(json_get_text(where, "region"), "us-west-2");
    assert_string_equal(json_get_text(where, "bucket"), "drctl-test-state");
    assert_true(json_is_null(json_object_get(harness->outputs, "locked_since")));
}

static void a_plan_is_applied_to_the_state_in_s3(void **state)
{
    (void)state;
    harness_run_ok(harness, &action_terraform_plan, "{'dir': 'env'}");
    CLEANUP(memory_cleanup)
    char *arguments = memory_format("{'plan': '%s'}", harness_output(harness, "plan"));
    harness_run_ok(harness, &action_terraform_apply, arguments);
    aws("s3api head-object --bucket drctl-test-state --key prod/terraform.tfstate");
    harness_run_ok(harness, &action_terraform_plan, "{'dir': 'env', 'no_changes': true}");
}

static void hold_lock(void)
{
    scratch_write(harness->plan, "lock.json",
                  "{\"ID\":\"11111111-2222-3333-4444-555555555555\",\"Operation\":"
                  "\"OperationTypeApply\",\"Info\":\"\",\"Who\":\"alice@bastion\",\"Version\":"
                  "\"1.11.4\",\"Created\":\"2026-11-22T22:03:01Z\",\"Path\":\"x\"}");
    CLEANUP(memory_cleanup)
    char *words = memory_format("s3api put-object --bucket drctl-test-state "
                                "--key prod/terraform.tfstate.tflock --body %s/lock.json",
                                harness->plan);
    aws(words);
}

static void a_lock_in_the_way_is_told_of_and_not_broken(void **state)
{
    (void)state;
    hold_lock();
    harness_answer(harness, "state-lock", "stop");
    harness_run(harness, &action_terraform_plan, "{'dir': 'env', 'lock_timeout': '1s'}");
    assert_int_equal(harness->error.code, ERROR_LOCKED);
    assert_non_null(strstr(harness->error.hint, "held by alice@bastion since 2026-11-22"));
    aws("s3api head-object --bucket drctl-test-state --key prod/terraform.tfstate.tflock");
}

static void init_tells_of_a_lock_that_lies_in_the_bucket(void **state)
{
    (void)state;
    harness_run_ok(harness, &action_terraform_init, "{'dir': 'env'}");
    assert_true(harness_shows(harness, "the state is locked since 20"));
    assert_int_equal(strncmp(harness_output(harness, "locked_since"), "20", 2), 0);
}

static void a_dry_run_looks_past_the_lock(void **state)
{
    (void)state;
    harness->dry_run = true;
    harness_run_ok(harness, &action_terraform_plan, "{'dir': 'env'}");
    harness->dry_run = false;
    aws("s3api head-object --bucket drctl-test-state --key prod/terraform.tfstate.tflock");
}

static void a_lock_is_broken_when_a_person_says_so(void **state)
{
    (void)state;
    harness_answer(harness, "state-lock", "unlock");
    harness_run_ok(harness, &action_terraform_plan, "{'dir': 'env', 'lock_timeout': '1s'}");
    assert_int_equal(harness_started(harness, "unlock"), 1);
}

static void the_state_of_another_region_is_refused(void **state)
{
    (void)state;
    harness_run(harness, &action_terraform_plan, "{'dir': 'env', 'vars': {'region': 'eu-west-1'}}");
    assert_int_equal(harness->error.code, ERROR_REFUSED);
    assert_non_null(strstr(harness->error.message, "not found any more: aws_ssm_parameter.one"));
}

static void what_has_vanished_has_to_be_named(void **state)
{
    (void)state;
    aws("ssm delete-parameter --name /drctl/one");
    harness_run(harness, &action_terraform_plan, "{'dir': 'env'}");
    assert_int_equal(harness->error.code, ERROR_REFUSED);
    harness_run_ok(harness, &action_terraform_plan,
                   "{'dir': 'env', 'allow_vanished': ['aws_ssm_parameter.one']}");
    assert_true(harness_shows(harness, "not found any more: aws_ssm_parameter.one"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(init_tells_where_the_state_is),
        cmocka_unit_test(a_plan_is_applied_to_the_state_in_s3),
        cmocka_unit_test(a_lock_in_the_way_is_told_of_and_not_broken),
        cmocka_unit_test(init_tells_of_a_lock_that_lies_in_the_bucket),
        cmocka_unit_test(a_dry_run_looks_past_the_lock),
        cmocka_unit_test(a_lock_is_broken_when_a_person_says_so),
        cmocka_unit_test(the_state_of_another_region_is_refused),
        cmocka_unit_test(what_has_vanished_has_to_be_named),
    };
    return cmocka_run_group_tests(tests, set_up_all, tear_down_all);
}
