/* terraform.* with the real terraform and its built-in resource terraform_data, which needs no
 * provider; what needs one is in test_terraform_aws.c. */
#include <dirent.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/json.h"
#include "harness.h"
#include "scratch.h"

extern const struct action action_terraform_apply;
extern const struct action action_terraform_destroy;
extern const struct action action_terraform_import;
extern const struct action action_terraform_init;
extern const struct action action_terraform_output;
extern const struct action action_terraform_plan;

static const char *const configuration =
    "variable \"region\" {\n  type = string\n}\n"
    "variable \"secret\" {\n  default   = \"hunter22secret\"\n  sensitive = true\n}\n"
    "resource \"terraform_data\" \"one\" {\n  input = var.region\n}\n"
    "resource \"terraform_data\" \"two\" {\n"
    "  triggers_replace = var.region\n"
    "  input            = terraform_data.one.id\n}\n"
    "output \"region\" {\n  value = terraform_data.one.output\n}\n"
    "output \"password\" {\n  value     = var.secret\n  sensitive = true\n}\n";

static int set_up(void **state)
{
    struct harness *harness = harness_new();
    harness_setenv(harness, "TF_CLI_CONFIG_FILE", "/dev/null");
    scratch_write(harness->plan, "env/main.tf", configuration);
    scratch_write(harness->plan, "env/terraform.tfvars", "region = \"us-west-2\"\n");
    *state = harness;
    return 0;
}

static int tear_down(void **state)
{
    harness_free(*state);
    return 0;
}

static void init(struct harness *harness)
{
    harness_run_ok(harness, &action_terraform_init, "{'dir': 'env'}");
}

/* Plans; `more` are further arguments, each with a comma before it. The path is the caller's. */
static char *plan(struct harness *harness, const char *more)
{
    CLEANUP(memory_cleanup) char *arguments = memory_format("{'dir': 'env'%s}", more);
    harness_run_ok(harness, &action_terraform_plan, arguments);
    return memory_text(harness_output(harness, "plan"));
}

static void plan_is_refused(struct harness *harness, const char *more, const char *part)
{
    CLEANUP(memory_cleanup) char *arguments = memory_format("{'dir': 'env'%s}", more);
    harness_run(harness, &action_terraform_plan, arguments);
    assert_int_equal(harness->status, -1);
    if (harness->error.code != ERROR_REFUSED || strstr(harness->error.message, part) == NULL) {
        fail_msg("%s", harness->error.message);
    }
}

static void apply(struct harness *harness, const char *path, bool ok)
{
    CLEANUP(memory_cleanup) char *arguments = memory_format("{'plan': '%s'}", path);
    if (ok) {
        harness_run_ok(harness, &action_terraform_apply, arguments);
    } else {
        harness_run(harness, &action_terraform_apply, arguments);
        assert_int_equal(harness->status, -1);
    }
}

static void build(struct harness *harness)
{
    init(harness);
    CLEANUP(memory_cleanup) char *path = plan(harness, "");
    apply(harness, path, true);
}

static const json_t *list(const struct harness *harness, const char *name)
{
    return json_object_get(json_object_get(harness->outputs, "summary"), name);
}

static void init_uses_a_data_folder_of_the_run(void **state)
{
    struct harness *harness = *state;
    init(harness);
    CLEANUP(memory_cleanup) char *data = file_join(harness->plan, "env/.terraform");
    assert_false(file_exists(data));
    assert_true(
        strncmp(harness_output(harness, "data_dir"), harness->work, strlen(harness->work)) == 0);
    assert_string_equal(harness_output(harness, "backend"), "local");
    assert_non_null(strchr(harness_output(harness, "version"), '.'));
}

static void a_failed_init_says_why(void **state)
{
    struct harness *harness = *state;
    scratch_write(harness->plan, "env/broken.tf", "module \"x\" {\n  source = \"./missing\"\n}\n");
    harness_run(harness, &action_terraform_init, "{'dir': 'env'}");
    assert_int_equal(harness->error.code, ERROR_FAILED);
    assert_non_null(strstr(harness->error.message, "terraform init: Unreadable module directory"));
}

static void a_plan_is_saved_and_summarised(void **state)
{
    struct harness *harness = *state;
    init(harness);
    CLEANUP(memory_cleanup) char *path = plan(harness, ", 'expect': {'region': 'us-west-2'}");
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(json_array_size(list(harness, "create")), 2);
    assert_true(json_is_true(json_object_get(harness->outputs, "changes")));
    const json_t *variables = json_object_get(harness->outputs, "variables");
    assert_string_equal(json_get_text(variables, "region"), "us-west-2");
    assert_null(json_object_get(variables, "secret"));
    assert_true(harness_shows(harness, "plan: 2 to create, 0 to change"));
}

static void exactly_the_saved_plan_is_applied(void **state)
{
    struct harness *harness = *state;
    init(harness);
    CLEANUP(memory_cleanup) char *path = plan(harness, "");
    apply(harness, path, true);
    assert_int_equal(harness_started(harness, "apply"), 1);
    assert_string_equal(json_get_text(json_object_get(harness->outputs, "values"), "region"),
                        "us-west-2");
    assert_null(json_object_get(json_object_get(harness->outputs, "values"), "password"));
    free(plan(harness, ", 'no_changes': true"));
    assert_true(json_is_false(json_object_get(harness->outputs, "changes")));
}

static void what_is_replaced_has_to_be_named(void **state)
{
    struct harness *harness = *state;
    build(harness);
    scratch_write(harness->plan, "env/terraform.tfvars", "region = \"eu-west-1\"\n");
    plan_is_refused(harness, "", "what was not named: terraform_data.two");
    plan_is_refused(harness, ", 'allow_destroy': ['terraform_data.on']", "terraform_data.two");
    free(plan(harness, ", 'allow_destroy': ['terraform_data.two']"));
    assert_int_equal(json_array_size(list(harness, "replace")), 1);
    assert_true(harness_shows(harness, "replaces terraform_data.two"));
}

static void what_is_destroyed_has_to_be_named(void **state)
{
    struct harness *harness = *state;
    build(harness);
    scratch_write(harness->plan, "env/main.tf", "variable \"region\" {\n}\n");
    plan_is_refused(harness, "", "terraform_data.one, terraform_data.two");
    free(plan(harness, ", 'allow_destroy': ['*']"));
}

static void nothing_changes_outside_of_only(void **state)
{
    struct harness *harness = *state;
    init(harness);
    plan_is_refused(harness, ", 'only': ['terraform_data.one']",
                    "outside of `only`: terraform_data.two");
    free(plan(harness, ", 'only': ['terraform_data.one'], 'targets': ['terraform_data.one']"));
    assert_int_equal(json_array_size(list(harness, "create")), 1);
}

static void variables_prove_the_rewrite(void **state)
{
    struct harness *harness = *state;
    init(harness);
    harness_setenv(harness, "TF_VAR_region", "ignored-by-tfvars");
    free(plan(harness, ", 'expect': {'region': 'us-west-2'}"));
    scratch_write(harness->plan, "env/z.auto.tfvars", "region = \"us-east-2\"\n");
    plan_is_refused(harness, ", 'expect': {'region': 'us-west-2'}",
                    "region = \"us-east-2\", not \"us-west-2\"");
    free(plan(harness, ", 'expect': {'region': 'ap-south-1'}, 'vars': {'region': 'ap-south-1'}"));
}

static void a_plan_that_should_change_nothing_and_does_is_refused(void **state)
{
    struct harness *harness = *state;
    init(harness);
    plan_is_refused(harness, ", 'no_changes': true", "terraform_data.one, terraform_data.two");
}

static void arguments_of_the_environment_change_no_plan(void **state)
{
    struct harness *harness = *state;
    init(harness);
    harness_setenv(harness, "TF_CLI_ARGS_plan", "-destroy");
    free(plan(harness, ""));
    assert_int_equal(json_array_size(list(harness, "create")), 2);
}

static void a_plan_older_than_the_configuration_is_refused(void **state)
{
    struct harness *harness = *state;
    init(harness);
    CLEANUP(memory_cleanup) char *path = plan(harness, "");
    scratch_write(harness->plan, "env/extra.tf", "locals {\n  a = 1\n}\n");
    apply(harness, path, false);
    assert_int_equal(harness->error.code, ERROR_REFUSED);
    assert_non_null(strstr(harness->error.message, "has changed since the plan was made"));
    assert_int_equal(harness_started(harness, "apply"), 0);
}

static void a_plan_after_another_backend_is_refused(void **state)
{
    struct harness *harness = *state;
    scratch_write(harness->plan, "env/backend.tf",
                  "terraform {\n  backend \"local\" {\n    path = \"a.tfstate\"\n  }\n}\n");
    init(harness);
    CLEANUP(memory_cleanup) char *path = plan(harness, "");
    harness_run_ok(harness, &action_terraform_init,
                   "{'dir': 'env', 'backend_config': {'path': 'b.tfstate'}}");
    assert_string_equal(json_get_text(json_object_get(harness->outputs, "state"), "path"),
                        "b.tfstate");
    apply(harness, path, false);
    assert_int_equal(harness->error.code, ERROR_REFUSED);
}

static void a_plan_that_is_not_ours_is_refused(void **state)
{
    struct harness *harness = *state;
    scratch_write(harness->plan, "other.tfplan", "x");
    CLEANUP(memory_cleanup) char *path = file_join(harness->plan, "other.tfplan");
    apply(harness, path, false);
    assert_int_equal(harness->error.code, ERROR_NOT_FOUND);
}

static void a_dry_run_plans_without_a_lock_and_applies_nothing(void **state)
{
    struct harness *harness = *state;
    init(harness);
    harness->dry_run = true;
    CLEANUP(memory_cleanup) char *path = plan(harness, "");
    apply(harness, path, true);
    assert_true(harness_shows(harness, "would apply the plan: 2 to create"));
    CLEANUP(memory_cleanup) char *state_path = file_join(harness->plan, "env/terraform.tfstate");
    assert_false(file_exists(state_path));
}

static void errors_are_told_in_one_line(void **state)
{
    struct harness *harness = *state;
    init(harness);
    scratch_write(harness->plan, "env/bad.tf", "locals {\n  a = var.missing\n}\n");
    harness_run(harness, &action_terraform_plan, "{'dir': 'env'}");
    assert_int_equal(harness->error.code, ERROR_FAILED);
    assert_string_equal(harness->error.message,
                        "terraform plan: Reference to undeclared input variable: An input variable "
                        "with the name \"missing\" has not been declared. This variable can be "
                        "declared with a variable \"missing\" {} block. (bad.tf:2)");
}

/* A resource whose creation takes some seconds and then fails or not. */
static void make_slow(struct harness *harness, const char *command)
{
    CLEANUP(memory_cleanup)
    char *text = memory_format("resource \"terraform_data\" \"slow\" {\n"
                               "  provisioner \"local-exec\" {\n"
                               "    command = \"%s\"\n  }\n}\n",
                               command);
    scratch_write(harness->plan, "env/slow.tf", text);
}

static void an_apply_outlives_drctl_and_is_followed_on(void **state)
{
    struct harness *harness = *state;
    make_slow(harness, "sleep 3; echo once >> count");
    init(harness);
    CLEANUP(memory_cleanup) char *path = plan(harness, "");
    harness->detach_at = "slow: Creating...";
    CLEANUP(memory_cleanup) char *arguments = memory_format("{'plan': '%s'}", path);
    harness_run(harness, &action_terraform_apply, arguments);
    assert_true(harness->detached);
    harness->detach_at = NULL;
    harness_resume_ok(harness);
    assert_int_equal(harness_started(harness, "apply"), 1);
    assert_int_equal(harness_started(harness, "plan-afresh-0"), 0);
    CLEANUP(memory_cleanup) char *count_path = file_join(harness->plan, "env/count");
    CLEANUP(memory_cleanup) char *count = scratch_read(count_path, NULL);
    assert_string_equal(count, "once\n");
    free(plan(harness, ", 'no_changes': true"));
}

/* Kills, without warning, whatever runs in or for the harness' folder: what a power cut does. */
static size_t kill_all_of(const struct harness *harness)
{
    size_t killed = 0;
    DIR *processes = opendir("/proc");
    assert_non_null(processes);
    for (struct dirent *entry; (entry = readdir(processes)) != NULL;) {
        CLEANUP(memory_cleanup) char *path = memory_format("/proc/%s/cmdline", entry->d_name);
        CLEANUP(buffer_release) struct buffer words = BUFFER_INIT;
        long pid = strtol(entry->d_name, NULL, 10);
        if (pid <= 0 || pid == getpid() || file_read(path, 1 << 20, &words, NULL) != 0) {
            continue;
        }
        if (memmem(words.data, words.size_bytes, harness->folder, strlen(harness->folder)) !=
            NULL) {
            killed += kill((pid_t)pid, SIGKILL) == 0;
        }
    }
    closedir(processes);
    return killed;
}

static void an_apply_whose_end_nobody_saw_is_finished_by_a_fresh_plan(void **state)
{
    struct harness *harness = *state;
    make_slow(harness, "sleep 2");
    init(harness);
    CLEANUP(memory_cleanup) char *path = plan(harness, "");
    harness->detach_at = "slow: Creating...";
    CLEANUP(memory_cleanup) char *arguments = memory_format("{'plan': '%s'}", path);
    harness_run(harness, &action_terraform_apply, arguments);
    assert_true(harness->detached);
    harness->detach_at = NULL;
    assert_true(kill_all_of(harness) >= 2);
    usleep(500 * 1000);
    harness_resume_ok(harness);
    assert_true(harness_shows(harness, "how terraform ended was not seen"));
    assert_int_equal(harness_started(harness, "apply-afresh"), 1);
    free(plan(harness, ", 'no_changes': true"));
}

static void a_cancelled_apply_is_interrupted_once_and_finished_afresh(void **state)
{
    struct harness *harness = *state;
    make_slow(harness, "sleep 3");
    scratch_write(harness->plan, "env/later.tf",
                  "resource \"terraform_data\" \"later\" {\n  input = terraform_data.slow.id\n}\n");
    init(harness);
    CLEANUP(memory_cleanup)
    char *path = plan(harness, ", 'allow_destroy': ['terraform_data.slow']");
    harness->cancel_at = "slow: Creating...";
    CLEANUP(memory_cleanup) char *arguments = memory_format("{'plan': '%s'}", path);
    harness_run(harness, &action_terraform_apply, arguments);
    harness->cancel_at = NULL;
    assert_int_equal(harness->error.code, ERROR_CANCELLED);
    assert_true(harness_shows(harness, "Interrupt received"));
    assert_false(harness_shows(harness, "Two interrupts received"));
    apply(harness, path, true);
    assert_true(harness_shows(harness, "planning afresh"));
    free(plan(harness, ", 'no_changes': true"));
}

static void a_half_built_resource_is_not_replaced_unnamed(void **state)
{
    struct harness *harness = *state;
    make_slow(harness, "exit 1");
    init(harness);
    CLEANUP(memory_cleanup) char *path = plan(harness, "");
    apply(harness, path, false);
    assert_int_equal(harness->error.code, ERROR_FAILED);
    assert_non_null(
        strstr(harness->error.message, "terraform apply: local-exec provisioner error"));
    apply(harness, path, false);
    assert_int_equal(harness->error.code, ERROR_REFUSED);
    assert_non_null(strstr(harness->error.message, "terraform_data.slow"));
    assert_int_equal(harness_started(harness, "apply"), 0);
}

static void errored_state_is_pushed_before_anything_else(void **state)
{
    struct harness *harness = *state;
    build(harness);
    CLEANUP(memory_cleanup) char *state_path = file_join(harness->plan, "env/terraform.tfstate");
    CLEANUP(memory_cleanup) char *text = scratch_read(state_path, NULL);
    json_t *known = json_parse(span_of_text(text), "state", NULL);
    json_object_set_new(known, "serial", json_integer(json_get_integer(known, "serial", 0) + 1));
    CLEANUP(memory_cleanup) char *errored = json_canonical(known);
    scratch_write(harness->plan, "env/errored.tfstate", errored);
    json_object_set_new(known, "serial", json_integer(1));
    json_object_set_new(known, "resources", json_array());
    CLEANUP(memory_cleanup) char *forked = json_canonical(known);
    scratch_write(harness->plan, "env/terraform.tfstate", forked);
    json_decref(known);
    free(plan(harness, ", 'no_changes': true"));
    assert_int_equal(harness_started(harness, "push-errored-state"), 1);
    CLEANUP(memory_cleanup) char *errored_path = file_join(harness->plan, "env/errored.tfstate");
    assert_false(file_exists(errored_path));
}

/* A terraform whose apply can put its state nowhere: what it prints then was read in its source. */
static const char *const helpless =
    "#!/bin/sh\n"
    "if [ \"$1\" != apply ]; then exec terraform \"$@\"; fi\n"
    "terraform \"$@\" > /dev/null\n"
    "printf '{\"@level\":\"info\",\"@message\":\"Emergency state dump\",\"@module\":"
    "\"terraform.ui\",\"type\":\"log\",\"state\":%s}\\n' \"$(tr -d '\\n' < terraform.tfstate)\"\n"
    "rm terraform.tfstate\n"
    "exit 1\n";

static void a_state_that_could_be_put_nowhere_is_kept(void **state)
{
    struct harness *harness = *state;
    scratch_write(harness->plan, "helpless", helpless);
    CLEANUP(memory_cleanup) char *program = file_join(harness->plan, "helpless");
    assert_int_equal(chmod(program, 0700), 0);
    init(harness);
    CLEANUP(memory_cleanup) char *with = memory_format(", 'program': '%s'", program);
    CLEANUP(memory_cleanup) char *path = plan(harness, with);
    apply(harness, path, false);
    assert_int_equal(harness_started(harness, "push-errored-state"), 1);
    free(plan(harness, ", 'no_changes': true"));
}

static void a_copy_of_the_state_is_kept_first(void **state)
{
    struct harness *harness = *state;
    build(harness);
    assert_true(json_is_null(json_object_get(harness->outputs, "state_backup")));
    scratch_write(harness->plan, "env/more.tf", "resource \"terraform_data\" \"more\" {\n}\n");
    CLEANUP(memory_cleanup) char *path = plan(harness, "");
    apply(harness, path, true);
    CLEANUP(memory_cleanup)
    char *backup = scratch_read(harness_output(harness, "state_backup"), NULL);
    assert_non_null(strstr(backup, "\"two\""));
    assert_null(strstr(backup, "\"more\""));
}

static void outputs_are_read_and_secrets_hidden(void **state)
{
    struct harness *harness = *state;
    build(harness);
    harness_run_ok(harness, &action_terraform_output, "{'dir': 'env'}");
    assert_string_equal(harness_output(harness, "region"), "us-west-2");
    const json_t *secrets = json_object_get(harness->outputs, "secrets");
    assert_string_equal(json_get_text(secrets, "password"), "hunter22secret");
    assert_false(harness_shows(harness, "hunter22secret"));
    CLEANUP(memory_cleanup) char *events = json_canonical(harness->events);
    assert_null(strstr(events, "hunter22secret"));
}

static void stars_are_not_handed_on_as_a_secret(void **state)
{
    struct harness *harness = *state;
    build(harness);
    harness_run_ok(harness, &action_terraform_output, "{'dir': 'env'}");
    harness_run(harness, &action_terraform_output, "{'dir': 'env'}");
    assert_int_equal(harness->error.code, ERROR_REFUSED);
    assert_non_null(strstr(harness->error.message, "hidden in this run already"));
}

static void only_what_is_named_is_destroyed(void **state)
{
    struct harness *harness = *state;
    build(harness);
    harness_run(harness, &action_terraform_destroy,
                "{'dir': 'env', 'addresses': ['terraform_data.one']}");
    assert_int_equal(harness->error.code, ERROR_REFUSED);
    assert_non_null(strstr(harness->error.message, "terraform_data.two"));
    harness_run_ok(harness, &action_terraform_destroy,
                   "{'dir': 'env', 'addresses': ['terraform_data.two']}");
    harness_run_ok(harness, &action_terraform_destroy, "{'dir': 'env', 'addresses': ['*']}");
    assert_int_equal(json_array_size(json_object_get(harness->outputs, "destroyed")), 1);
    free(plan(harness, ""));
    assert_int_equal(json_array_size(list(harness, "create")), 2);
}

static void a_resource_is_imported_once_and_forgotten_on_undo(void **state)
{
    struct harness *harness = *state;
    static const char *const arguments =
        "{'dir': 'env', 'address': 'terraform_data.one', 'id': 'abc'}";
    init(harness);
    harness_run_ok(harness, &action_terraform_import, arguments);
    assert_true(json_is_true(json_object_get(harness->outputs, "imported")));
    harness_undo(harness);
    assert_int_equal(harness->status, 0);
    assert_int_equal(harness_started(harness, "state-rm"), 1);
    harness_run_ok(harness, &action_terraform_import, arguments);
    harness_run_ok(harness, &action_terraform_import, arguments);
    assert_true(json_is_false(json_object_get(harness->outputs, "imported")));
    assert_int_equal(harness_started(harness, "import"), 0);
    harness_run(harness, &action_terraform_import,
                "{'dir': 'env', 'address': 'terraform_data.one', 'id': 'other'}");
    assert_int_equal(harness->error.code, ERROR_REFUSED);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(init_uses_a_data_folder_of_the_run),
        TEST(a_failed_init_says_why),
        TEST(a_plan_is_saved_and_summarised),
        TEST(exactly_the_saved_plan_is_applied),
        TEST(what_is_replaced_has_to_be_named),
        TEST(what_is_destroyed_has_to_be_named),
        TEST(nothing_changes_outside_of_only),
        TEST(variables_prove_the_rewrite),
        TEST(a_plan_that_should_change_nothing_and_does_is_refused),
        TEST(arguments_of_the_environment_change_no_plan),
        TEST(a_plan_older_than_the_configuration_is_refused),
        TEST(a_plan_after_another_backend_is_refused),
        TEST(a_plan_that_is_not_ours_is_refused),
        TEST(a_dry_run_plans_without_a_lock_and_applies_nothing),
        TEST(errors_are_told_in_one_line),
        TEST(an_apply_outlives_drctl_and_is_followed_on),
        TEST(a_cancelled_apply_is_interrupted_once_and_finished_afresh),
        TEST(a_half_built_resource_is_not_replaced_unnamed),
        TEST(errored_state_is_pushed_before_anything_else),
        TEST(a_state_that_could_be_put_nowhere_is_kept),
        TEST(a_copy_of_the_state_is_kept_first),
        TEST(outputs_are_read_and_secrets_hidden),
        TEST(stars_are_not_handed_on_as_a_secret),
        TEST(an_apply_whose_end_nobody_saw_is_finished_by_a_fresh_plan),
        TEST(only_what_is_named_is_destroyed),
        TEST(a_resource_is_imported_once_and_forgotten_on_undo),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
