/* eks.kubeconfig and the kubectl actions: real aws and kubectl against the sandbox's EKS. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/json.h"
#include "harness.h"
#include "sandbox.h"
#include "scratch.h"

extern const struct action action_eks_kubeconfig;
extern const struct action action_kubectl;
extern const struct action action_kubectl_apply;
extern const struct action action_kubectl_rollout;

#define K8S DRCTL_SOURCE_DIR "/examples/maestrohwithit/k8s"

/* Made once for all: each call of aws costs a second. */
static struct harness *first;

static int set_up_group(void **state)
{
    if (sandbox_up(state) != 0) {
        return -1;
    }
    json_decref(sandbox_aws("eks create-cluster --name shop --role-arn "
                            "arn:aws:iam::123456789012:role/eks --resources-vpc-config "
                            "subnetIds=subnet-1,subnet-2"));
    first = sandbox_harness();
    harness_run_ok(first, &action_eks_kubeconfig, "{'cluster': 'shop', 'context': 'run'}");
    return 0;
}

static int tear_down_group(void **state)
{
    harness_free(first);
    return sandbox_down(state);
}

/* A harness whose steps know the cluster by KUBECONFIG. */
static int set_up(void **state)
{
    struct harness *harness = sandbox_harness();
    harness_setenv(harness, "KUBECONFIG", harness_output(first, "path"));
    *state = harness;
    return 0;
}

static int tear_down(void **state)
{
    harness_free(*state);
    return 0;
}

/* --- eks.kubeconfig -------------------------------------------------------------------------- */

static void kubeconfig_is_private_to_the_run(void **state)
{
    (void)state;
    struct harness *harness = first;
    const char *path = harness_output(harness, "path");
    assert_true(strncmp(path, harness->work, strlen(harness->work)) == 0);
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    assert_string_equal(harness_output(harness, "context"), "run");
    assert_true(strncmp(harness_output(harness, "endpoint"), "https://", 8) == 0);
    assert_string_equal(harness_output(harness, "status"), "ACTIVE");
}

static void kubeconfig_leaves_that_of_the_environment_alone(void **state)
{
    struct harness *harness = *state;
    scratch_write(harness->folder, "mine", "mine\n");
    CLEANUP(memory_cleanup) char *mine = file_join(harness->folder, "mine");
    harness_setenv(harness, "KUBECONFIG", mine);
    harness_run_ok(harness, &action_eks_kubeconfig, "{'cluster': 'shop', 'path': 'other'}");
    CLEANUP(memory_cleanup) char *content = scratch_read(mine, NULL);
    assert_string_equal(content, "mine\n");
}

static void kubeconfig_of_a_cluster_that_is_not_there_says_so(void **state)
{
    struct harness *harness = *state;
    harness_run(harness, &action_eks_kubeconfig, "{'cluster': 'gone'}");
    assert_int_equal(harness->error.code, ERROR_NOT_FOUND);
    harness->dry_run = true;
    harness_run_ok(harness, &action_eks_kubeconfig, "{'cluster': 'gone'}");
    assert_true(harness_shows(harness, "not there yet"));
}

/* --- kubectl.apply --------------------------------------------------------------------------- */

static void apply_puts_definitions_and_namespaces_first(void **state)
{
    struct harness *harness = *state;
    harness_run_ok(harness, &action_kubectl_apply,
                   "{'files': ['" K8S "/deployments', '" K8S "/crds', '" K8S
                   "/regions/us-west-2']}");
    const char *shown = buffer_text(&harness->lines);
    const char *definition = strstr(shown, "apply-first| customresourcedefinition");
    const char *namespace = strstr(shown, "apply-first| namespace/maestrohwithit");
    const char *deployment = strstr(shown, "apply-rest| deployment.apps/app");
    assert_non_null(definition);
    assert_non_null(namespace);
    assert_true(deployment > definition && deployment > namespace);
    assert_int_equal(harness_started(harness, "wait-definitions"), 1);
    assert_true(json_is_true(json_object_get(harness->outputs, "changed")));
}

static void apply_shows_that_nothing_differs_the_second_time(void **state)
{
    struct harness *harness = *state;
    harness_run_ok(harness, &action_kubectl_apply,
                   "{'files': ['" K8S "/crds', '" K8S "/deployments', '" K8S
                   "/regions/us-west-2']}");
    harness_run_ok(harness, &action_kubectl_apply,
                   "{'files': ['" K8S "/crds', '" K8S "/deployments', '" K8S
                   "/regions/us-west-2']}");
    assert_true(json_is_false(json_object_get(harness->outputs, "changed")));
}

static void apply_in_a_dry_run_changes_nothing(void **state)
{
    struct harness *harness = *state;
    scratch_write(harness->plan, "new.yaml",
                  "apiVersion: v1\nkind: Namespace\nmetadata: {name: fresh}\n---\n"
                  "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: fresh}\n");
    harness->dry_run = true;
    harness_run_ok(harness, &action_kubectl_apply, "{'files': ['new.yaml']}");
    assert_true(harness_shows(harness, "fresh"));
    harness->dry_run = false;
    harness_run(harness, &action_kubectl, "{'args': ['get', 'namespace', 'fresh']}");
    assert_int_equal(harness->error.code, ERROR_NOT_FOUND);
}

static void apply_reports_who_else_owns_a_field(void **state)
{
    struct harness *harness = *state;
    scratch_write(harness->plan, "map.yaml",
                  "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: owned, namespace: default}\n"
                  "data: {key: ours}\n");
    harness_run_ok(harness, &action_kubectl_apply,
                   "{'files': ['map.yaml'], 'field_manager': 'somebody', 'diff': false}");
    scratch_write(harness->plan, "map.yaml",
                  "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: owned, namespace: default}\n"
                  "data: {key: other}\n");
    harness_run(harness, &action_kubectl_apply, "{'files': ['map.yaml'], 'diff': false}");
    assert_int_equal(harness->error.code, ERROR_REFUSED);
    assert_non_null(strstr(harness->error.hint, "force_conflicts"));
    harness_run_ok(harness, &action_kubectl_apply,
                   "{'files': ['map.yaml'], 'diff': false, 'force_conflicts': true}");
}

static void apply_names_the_place_of_a_manifest_that_is_none(void **state)
{
    struct harness *harness = *state;
    scratch_write(harness->plan, "bad.yaml",
                  "apiVersion: v1\nkind: Namespace\nmetadata: {name: x}\n---\nfoo: bar\n");
    harness_run(harness, &action_kubectl_apply, "{'files': ['bad.yaml']}");
    assert_int_equal(harness->error.code, ERROR_INVALID);
    assert_int_equal(harness->error.line, 4);
    scratch_write(harness->plan, "bad.yaml", "kind: [\n");
    harness_run(harness, &action_kubectl_apply, "{'files': ['bad.yaml']}");
    assert_int_equal(harness->error.code, ERROR_INVALID);
    assert_int_equal(harness_started(harness, "apply-first"), 0);
}

static void kubectl_refuses_to_guess_a_kubeconfig(void **state)
{
    struct harness *harness = *state;
    harness_setenv(harness, "KUBECONFIG", NULL);
    harness_run(harness, &action_kubectl, "{'args': ['get', 'pods']}");
    assert_int_equal(harness->error.code, ERROR_INVALID);
}

/* --- kubectl.rollout ------------------------------------------------------------------------- */

#define WEB                                                                                        \
    "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: NAME, namespace: default, labels: "   \
    "{app: NAME}}\nspec:\n  replicas: 2\n  selector: {matchLabels: {app: NAME}}\n  template:\n"    \
    "    metadata: {labels: {app: NAME}}\n    spec: {containers: [{name: c, image: i:1}]}\n"

static void write_web(const struct harness *harness, const char *name)
{
    CLEANUP(buffer_release) struct buffer text = BUFFER_INIT;
    const char *at = WEB;
    for (const char *next; (next = strstr(at, "NAME")) != NULL; at = next + 4) {
        buffer_append(&text, at, (size_t)(next - at));
        buffer_append_text(&text, name);
    }
    buffer_append_text(&text, at);
    scratch_write(harness->plan, "web.yaml", buffer_text(&text));
}

static void rollout_waits_until_all_are_ready(void **state)
{
    struct harness *harness = *state;
    write_web(harness, "web");
    harness_run_ok(harness, &action_kubectl_apply, "{'files': ['web.yaml'], 'diff': false}");
    harness_run_ok(harness, &action_kubectl_rollout,
                   "{'namespace': 'default', 'selector': 'app=web', 'within': '30s'}");
    const json_t *web = json_array_get(json_object_get(harness->outputs, "workloads"), 0);
    assert_string_equal(json_get_text(web, "name"), "web");
    assert_int_equal(json_get_integer(web, "ready", 0), 2);
}

static void rollout_that_does_not_come_shows_why(void **state)
{
    struct harness *harness = *state;
    write_web(harness, "stuck");
    free(sandbox_call("k8s-stall", "stuck", "on", NULL));
    harness_run_ok(harness, &action_kubectl_apply, "{'files': ['web.yaml'], 'diff': false}");
    harness_run(harness, &action_kubectl_rollout,
                "{'namespace': 'default', 'workloads': ['deployment/stuck'], 'within': '3s'}");
    assert_int_equal(harness->error.code, ERROR_TIMEOUT);
    assert_true(harness_shows(harness, "its pods:"));
    assert_true(harness_shows(harness, "explain| stuck-"));
}

static void rollout_of_nothing_is_an_error(void **state)
{
    struct harness *harness = *state;
    harness_run(harness, &action_kubectl_rollout,
                "{'namespace': 'default', 'selector': 'app=nobody'}");
    assert_int_equal(harness->error.code, ERROR_NOT_FOUND);
}

/* --- kubectl --------------------------------------------------------------------------------- */

static void kubectl_gives_its_answer_as_json(void **state)
{
    struct harness *harness = *state;
    harness_run_ok(harness, &action_kubectl,
                   "{'args': ['get', 'namespace', 'default'], 'capture': 'json'}");
    const json_t *result = json_object_get(harness->outputs, "result");
    assert_string_equal(json_get_text(result, "kind"), "Namespace");
}

static void kubectl_reads_what_it_is_given(void **state)
{
    struct harness *harness = *state;
    harness_run_ok(harness, &action_kubectl,
                   "{'args': ['apply', '--filename=-'], 'stdin': 'apiVersion: v1\\nkind: "
                   "ConfigMap\\nmetadata: {name: piped, namespace: default}\\n'}");
    assert_true(harness_shows(harness, "configmap/piped created"));
}

static void kubectl_that_changes_something_is_shown_in_a_dry_run(void **state)
{
    struct harness *harness = *state;
    harness->dry_run = true;
    harness_run_ok(harness, &action_kubectl, "{'args': ['delete', 'namespace', 'default']}");
    assert_true(harness_shows(harness, "would run: kubectl"));
    assert_int_equal(harness_started(harness, "kubectl"), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(kubeconfig_is_private_to_the_run),
        TEST(kubeconfig_leaves_that_of_the_environment_alone),
        TEST(kubeconfig_of_a_cluster_that_is_not_there_says_so),
        TEST(apply_puts_definitions_and_namespaces_first),
        TEST(apply_shows_that_nothing_differs_the_second_time),
        TEST(apply_in_a_dry_run_changes_nothing),
        TEST(apply_reports_who_else_owns_a_field),
        TEST(apply_names_the_place_of_a_manifest_that_is_none),
        TEST(kubectl_refuses_to_guess_a_kubeconfig),
        TEST(rollout_waits_until_all_are_ready),
        TEST(rollout_that_does_not_come_shows_why),
        TEST(rollout_of_nothing_is_an_error),
        TEST(kubectl_gives_its_answer_as_json),
        TEST(kubectl_reads_what_it_is_given),
        TEST(kubectl_that_changes_something_is_shown_in_a_dry_run),
    };
    return cmocka_run_group_tests(tests, set_up_group, tear_down_group);
}
