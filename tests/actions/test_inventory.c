/* inventory: every list of its table is asked of the sandbox's AWS. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "aws/inventory_table.h"
#include "base/json.h"
#include "harness.h"
#include "sandbox.h"

extern const struct action action_inventory;

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

static void arn_belongs_to_a_kind_or_to_none(void **state)
{
    (void)state;
    assert_true(inventory_lists_arn("arn:aws:ec2:us-west-2:123456789012:instance/i-1"));
    assert_true(inventory_lists_arn("arn:aws:rds:us-west-2:123456789012:db:prod"));
    assert_true(inventory_lists_arn("arn:aws:s3:::a-bucket"));
    assert_true(inventory_lists_arn("arn:aws-cn:sns:cn-north-1:123456789012:alarms"));
    assert_false(inventory_lists_arn("arn:aws:ec2:us-west-2:123456789012:transit-gateway/t"));
    assert_false(inventory_lists_arn("arn:aws:kms:us-west-2:123456789012:key/k"));
    assert_false(inventory_lists_arn("i-1"));
}

static void new_account_is_empty(void **state)
{
    struct harness *harness = *state;
    harness_run_ok(harness, &action_inventory, "{'expect': 'empty'}");
    assert_int_equal(json_array_size(json_object_get(harness->outputs, "items")), 0);
    assert_int_equal(json_object_size(json_object_get(harness->outputs, "counts")),
                     inventory_kinds_count);
}

static char *new_volume(void)
{
    CLEANUP(json_cleanup)
    json_t *id = sandbox_aws("ec2 create-volume --availability-zone us-west-2a --size 1 --query "
                             "VolumeId");
    return memory_text(json_string_value(id));
}

static void drop_volume(const char *id)
{
    CLEANUP(memory_cleanup) char *words = memory_format("ec2 delete-volume --volume-id %s", id);
    json_decref(sandbox_aws(words));
}

static void what_is_left_is_named_and_fails(void **state)
{
    struct harness *harness = *state;
    harness_run_ok(harness, &action_inventory, "{'kinds': ['ec2:vol*']}");
    CLEANUP(json_cleanup)
    json_t *arguments = json_pack("{s:[s], s:s, s:O}", "kinds", "ec2:vol*", "expect", "same",
                                  "baseline", json_object_get(harness->outputs, "items"));
    CLEANUP(memory_cleanup) char *id = new_volume();
    harness_run_json(harness, &action_inventory, json_incref(arguments));
    assert_int_equal(harness->error.code, ERROR_FAILED);
    assert_non_null(strstr(harness->error.message, id));
    assert_int_equal(json_array_size(json_object_get(harness->outputs, "added")), 1);
    drop_volume(id);
    harness_run_json(harness, &action_inventory, json_incref(arguments));
    assert_int_equal(harness->status, 0);
}

static void account_that_holds_something_is_refused(void **state)
{
    struct harness *harness = *state;
    CLEANUP(memory_cleanup) char *id = new_volume();
    harness_run(harness, &action_inventory, "{'kinds': ['ec2:volume'], 'expect': 'empty'}");
    assert_int_equal(harness->error.code, ERROR_REFUSED);
    harness_run_ok(harness, &action_inventory,
                   "{'kinds': ['ec2:volume'], 'expect': 'empty', 'ignore': ['ec2:volume *']}");
    drop_volume(id);
}

static void list_that_cannot_be_had_proves_nothing(void **state)
{
    struct harness *harness = *state;
    free(sandbox_call("fault", "ec2", "DescribeVolumes", "403", "UnauthorizedOperation", NULL));
    harness_run(harness, &action_inventory, "{'kinds': ['ec2:volume'], 'expect': 'empty'}");
    free(sandbox_call("fault-clear", NULL));
    assert_int_equal(harness->status, -1);
    assert_non_null(strstr(harness->error.message, "ec2:volume in us-west-2"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arn_belongs_to_a_kind_or_to_none),
        TEST(new_account_is_empty),
        TEST(what_is_left_is_named_and_fails),
        TEST(account_that_holds_something_is_refused),
        TEST(list_that_cannot_be_had_proves_nothing),
    };
    return cmocka_run_group_tests(tests, sandbox_up, sandbox_down);
}
