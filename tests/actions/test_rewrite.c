/* hcl.rewrite as an action; what it does to files is tested in tests/hcl. */
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
#include "scratch.h"

extern const struct action action_hcl_rewrite;

static const char *const arguments =
    "{'root': 'env', 'set': {'terraform.tfvars': {'region': 'us-west-2'}}, 'remove': "
    "{'terraform.tfvars': ['old']}, 'map': {'us-east-2': 'us-west-2'}, 'forbid': ['us-east-2']}";

static int set_up(void **state)
{
    struct harness *harness = harness_new();
    scratch_write(harness->plan, "env/terraform.tfvars",
                  "# us-east-2\nregion = \"us-east-2\"\nold    = 1\n");
    scratch_write(harness->plan, "env/main.tf", "locals {\n  az = \"us-east-2a\"\n}\n");
    *state = harness;
    return 0;
}

static int tear_down(void **state)
{
    harness_free(*state);
    return 0;
}

static void check_file(const struct harness *harness, const char *name, const char *wanted)
{
    CLEANUP(memory_cleanup) char *path = file_join(harness->plan, name);
    CLEANUP(memory_cleanup) char *text = scratch_read(path, NULL);
    assert_string_equal(text, wanted);
}

static void files_are_rewritten_and_the_diff_is_shown(void **state)
{
    struct harness *harness = *state;
    harness_run_ok(harness, &action_hcl_rewrite, arguments);
    check_file(harness, "env/terraform.tfvars", "# us-east-2\nregion = \"us-west-2\"\n");
    check_file(harness, "env/main.tf", "locals {\n  az = \"us-west-2a\"\n}\n");
    assert_true(harness_shows(harness, "+  az = \"us-west-2a\""));
    assert_true(harness_shows(harness, "terraform.tfvars:1:3: us-east-2 is left in a comment"));
    assert_int_equal(json_array_size(json_object_get(harness->outputs, "files")), 2);
    assert_int_equal(json_array_size(json_object_get(harness->outputs, "left")), 1);
    assert_non_null(strstr(harness_output(harness, "diff"), "-old    = 1\n"));
    CLEANUP(memory_cleanup) char *diff = scratch_read(harness_output(harness, "diff_path"), NULL);
    assert_string_equal(diff, harness_output(harness, "diff"));
}

static void a_resumed_rewrite_has_the_same_outputs(void **state)
{
    struct harness *harness = *state;
    harness_run_ok(harness, &action_hcl_rewrite, arguments);
    CLEANUP(memory_cleanup) char *before = json_canonical(harness->outputs);
    scratch_write(harness->plan, "env/main.tf", "locals {\n  az = \"us-east-2a\"\n}\n");
    harness_resume_ok(harness);
    CLEANUP(memory_cleanup) char *after = json_canonical(harness->outputs);
    assert_string_equal(before, after);
    check_file(harness, "env/main.tf", "locals {\n  az = \"us-west-2a\"\n}\n");
}

static void with_an_error_nothing_is_written_and_all_are_told(void **state)
{
    struct harness *harness = *state;
    harness_run(harness, &action_hcl_rewrite,
                "{'root': 'env', 'set': {'terraform.tfvars': {'regoin': 'x'}}, 'map': "
                "{'us-east-2': 'eu-west-1'}, 'forbid': ['eu-west-1']}");
    assert_int_equal(harness->status, -1);
    assert_int_equal(harness->error.code, ERROR_NOT_FOUND);
    assert_non_null(strstr(harness->error.message, "3 errors, the first of them"));
    assert_string_equal(harness->error.hint, "did you mean region?");
    assert_true(harness_shows(harness, "main.tf:2:9: eu-west-1a is forbidden"));
    check_file(harness, "env/main.tf", "locals {\n  az = \"us-east-2a\"\n}\n");
}

static void a_dry_run_writes_only_into_the_folder_of_the_run(void **state)
{
    struct harness *harness = *state;
    harness->dry_run = true;
    harness_run_ok(harness, &action_hcl_rewrite, arguments);
    check_file(harness, "env/main.tf", "locals {\n  az = \"us-east-2a\"\n}\n");
    assert_true(harness_shows(harness, "+  az = \"us-west-2a\""));
    scratch_write(harness->work, "checkout/a.tf", "locals {\n  az = \"us-east-2a\"\n}\n");
    CLEANUP(memory_cleanup)
    char *private =
        memory_format("{'root': '%s/checkout', 'map': {'us-east-2': 'us-west-2'}}", harness->work);
    harness_run_ok(harness, &action_hcl_rewrite, private);
    CLEANUP(memory_cleanup) char *path = file_join(harness->work, "checkout/a.tf");
    CLEANUP(memory_cleanup) char *text = scratch_read(path, NULL);
    assert_string_equal(text, "locals {\n  az = \"us-west-2a\"\n}\n");
}

static void plans_that_are_older_are_thrown_away(void **state)
{
    struct harness *harness = *state;
    scratch_write(harness->work, "terraform/env-12345678/plans/plan.tfplan", "x");
    scratch_write(harness->work, "terraform/env-12345678/data/keep", "x");
    harness_run_ok(harness, &action_hcl_rewrite, arguments);
    CLEANUP(memory_cleanup)
    char *plan = file_join(harness->work, "terraform/env-12345678/plans/plan.tfplan");
    CLEANUP(memory_cleanup)
    char *data = file_join(harness->work, "terraform/env-12345678/data/keep");
    assert_false(file_exists(plan));
    assert_true(file_exists(data));
    assert_true(harness_shows(harness, "1 saved plan is thrown away"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(files_are_rewritten_and_the_diff_is_shown),
        TEST(a_resumed_rewrite_has_the_same_outputs),
        TEST(with_an_error_nothing_is_written_and_all_are_told),
        TEST(a_dry_run_writes_only_into_the_folder_of_the_run),
        TEST(plans_that_are_older_are_thrown_away),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
