/* kubectl.rollout: waits until workloads are rolled out, with a limit for all of them together, and
 * when they are not, shows what an engineer would look at next: pods, warnings, last log lines. */
#include <stdlib.h>
#include <string.h>

#include "actions/action.h"
#include "base/clock.h"
#include "base/json.h"
#include "kubernetes/kubectl_cli.h"
#include "kubernetes/rollout_explain.h"

static const struct parameter parameters[] = {
    {.name = "workloads",
     .type = VALUE_STRINGS,
     .exposed = true,
     .doc = "Which ones, as deployment/NAME, statefulset/NAME or daemonset/NAME; all of the "
            "namespace otherwise"},
    {.name = "selector",
     .type = VALUE_STRING,
     .exposed = true,
     .doc = "Labels that choose among all of them: app=web,tier!=cache"},
    {.name = "all_namespaces",
     .type = VALUE_BOOLEAN,
     .default_json = "false",
     .doc = "Those of every namespace but kube-*"},
    KUBECTL_PARAMETERS,
    {.name = "within",
     .type = VALUE_DURATION,
     .default_json = "\"10m\"",
     .doc = "How long all of them together may take"},
    {0}};

static const struct output outputs[] = {
    {.name = "workloads",
     .type = VALUE_LIST,
     .doc = "Those that were waited for: {kind, name, namespace, replicas, ready, images}"},
    {0}};

struct rollout {
    struct attempt *attempt;
    const struct kubectl *kubectl;
    int64_t deadline_ns; /* monotonic */
};

/* --- which ones ------------------------------------------------------------------------------ */

static int list_workloads(const struct rollout *rollout, json_t **ret_items, struct error *err)
{
    struct attempt *attempt = rollout->attempt;
    const json_t *named = attempt_argument(attempt, "workloads");
    const char *selector = attempt_text(attempt, "selector");
    struct argv argv = {0};
    if (attempt_flag(attempt, "all_namespaces")) {
        kubectl_begin_anywhere(rollout->kubectl, &argv, false);
        argv_add(&argv, "--all-namespaces");
    } else {
        kubectl_begin(rollout->kubectl, &argv, false);
    }
    argv_add(&argv, "get");
    if (named != NULL) {
        argv_add_list(&argv, named);
    } else {
        argv_add(&argv, "deployments.apps,statefulsets.apps,daemonsets.apps");
    }
    if (selector != NULL) {
        argv_add_format(&argv, "--selector=%s", selector);
    }
    argv_add(&argv, "--output=json");
    json_t *answer = NULL;
    int status = kubectl_read(attempt, "list", &argv, &answer, err);
    if (status == 0) {
        json_t *items = json_object_get(answer, "items");
        *ret_items = items != NULL ? json_incref(items) : json_pack("[O]", answer);
    }
    json_decref(answer);
    argv_release(&argv);
    return status;
}

static bool is_of_the_system(const json_t *item)
{
    const char *name_space = json_get_text(json_object_get(item, "metadata"), "namespace");
    return name_space != NULL && strncmp(name_space, "kube-", 5) == 0;
}

static json_t *describe(const json_t *item)
{
    const json_t *metadata = json_object_get(item, "metadata");
    const json_t *status = json_object_get(item, "status");
    const json_t *spec = json_object_get(item, "spec");
    const json_t *pod = json_object_get(json_object_get(spec, "template"), "spec");
    bool daemon = json_object_get(spec, "replicas") == NULL;
    json_t *images = json_array();
    size_t index;
    json_t *container;
    json_array_foreach (json_object_get(pod, "containers"), index, container) {
        json_array_append(images, json_object_get(container, "image"));
    }
    return json_pack("{s:s, s:s, s:s?, s:I, s:I, s:o}", "kind", json_get_text(item, "kind"), "name",
                     json_get_text(metadata, "name"), "namespace",
                     json_get_text(metadata, "namespace"), "replicas",
                     daemon ? json_get_integer(status, "desiredNumberScheduled", 0)
                            : json_get_integer(spec, "replicas", 1),
                     "ready",
                     daemon ? json_get_integer(status, "numberReady", 0)
                            : json_get_integer(status, "readyReplicas", 0),
                     "images", images);
}

/* --- waiting --------------------------------------------------------------------------------- */

static int64_t left_seconds(const struct rollout *rollout)
{
    int64_t left_ns = rollout->deadline_ns - clock_monotonic_ns();
    return left_ns > 0 ? (left_ns + CLOCK_NS_PER_S - 1) / CLOCK_NS_PER_S : 0;
}

static void build_status(const struct rollout *rollout, const json_t *item, struct argv *argv)
{
    const json_t *metadata = json_object_get(item, "metadata");
    kubectl_begin_anywhere(rollout->kubectl, argv, true);
    argv_add_format(argv, "--namespace=%s", json_get_text(metadata, "namespace"));
    argv_add(argv, "rollout");
    argv_add(argv, "status");
    argv_add_format(argv, "%s/%s", json_get_text(item, "kind"), json_get_text(metadata, "name"));
    argv_add_format(argv, "--timeout=%llds", (long long)left_seconds(rollout));
}

/* One `rollout status`; a cluster that cannot be reached for a moment is asked again. */
static int wait_for(const struct rollout *rollout, const json_t *item, struct error *err)
{
    for (;;) {
        struct argv argv = {0};
        build_status(rollout, item, &argv);
        struct attempt_command command = {.task = "status", .argv = argv_words(&argv)};
        struct attempt_result result = {0};
        struct error failure = ERROR_INIT;
        int status = attempt_run(rollout->attempt, &command, &result, &failure);
        if (status == 0 && result.exit_code != 0) {
            status = kubectl_failed(&result, "kubectl rollout status", &failure);
        }
        attempt_result_release(&result);
        argv_release(&argv);
        if (status == 0) {
            return 0;
        }
        bool again = failure.code == ERROR_NETWORK && left_seconds(rollout) > 0;
        if (!again) {
            error_move(err, &failure);
            return -1;
        }
        error_release(&failure);
        if (attempt_sleep(rollout->attempt, 2000, err) != 0) {
            return -1;
        }
    }
}

static int explain(const struct rollout *rollout, const json_t *item, struct error *failure,
                   struct error *err)
{
    const char *name = json_get_text(json_object_get(item, "metadata"), "name");
    if (failure->code == ERROR_CANCELLED || failure->code == ERROR_TIMEOUT) {
        error_move(err, failure);
        return -1;
    }
    rollout_explain(rollout->attempt, rollout->kubectl, item);
    bool late = left_seconds(rollout) == 0 || strstr(failure->message, "timed out") != NULL;
    error_set(err, late ? ERROR_TIMEOUT : failure->code, "%s/%s is not rolled out: %s",
              json_get_text(item, "kind"), name, failure->message);
    error_release(failure);
    return -1;
}

static int wait_for_all(const struct rollout *rollout, const json_t *items, struct error *err)
{
    size_t index;
    json_t *item;
    json_array_foreach (items, index, item) {
        if (attempt_flag(rollout->attempt, "all_namespaces") && is_of_the_system(item)) {
            continue;
        }
        struct error failure = ERROR_INIT;
        if (wait_for(rollout, item, &failure) != 0) {
            return explain(rollout, item, &failure, err);
        }
    }
    return 0;
}

static int report(const struct rollout *rollout, struct error *err)
{
    CLEANUP(json_cleanup) json_t *items = NULL;
    if (list_workloads(rollout, &items, err) != 0) {
        return -1;
    }
    json_t *workloads = json_array();
    size_t index;
    json_t *item;
    json_array_foreach (items, index, item) {
        if (!attempt_flag(rollout->attempt, "all_namespaces") || !is_of_the_system(item)) {
            json_array_append_new(workloads, describe(item));
        }
    }
    attempt_set_output(rollout->attempt, "workloads", workloads);
    attempt_fact(rollout->attempt, "kubernetes.rollout", json_incref(workloads));
    return 0;
}

static int wait_and_report(const struct rollout *rollout, struct error *err)
{
    CLEANUP(json_cleanup) json_t *items = NULL;
    if (list_workloads(rollout, &items, err) != 0) {
        return -1;
    }
    if (json_array_size(items) == 0) {
        error_set(err, ERROR_NOT_FOUND, "there is no workload to wait for");
        return error_hint(err, "is `namespace` or `selector` what was meant?");
    }
    if (wait_for_all(rollout, items, err) != 0) {
        return -1;
    }
    return report(rollout, err);
}

static int run(struct attempt *attempt, struct error *err)
{
    struct kubectl kubectl;
    if (attempt_is_dry_run(attempt)) {
        attempt_say(attempt, "would wait until the workloads are rolled out");
        return 0;
    }
    if (kubectl_open(attempt, &kubectl, err) != 0) {
        return -1;
    }
    int64_t within_ms = attempt_duration_ms(attempt, "within", 600000);
    struct rollout rollout = {attempt, &kubectl,
                              clock_monotonic_ns() + within_ms * CLOCK_NS_PER_MS};
    int status = wait_and_report(&rollout, err);
    kubectl_release(&kubectl);
    return status;
}

const struct action action_kubectl_rollout = {
    .description =
        {
            .name = "kubectl.rollout",
            .summary = "Wait until workloads are rolled out",
            .doc = "When one is not, its pods, the warnings about them and the last lines of their "
                   "logs are shown.",
            .parameters = parameters,
            .outputs = outputs,
            .memory_bytes = UINT64_C(100) * 1024 * 1024,
        },
    .run = run,
    .interrupted = "It changes nothing: a wait that still goes on is followed, otherwise it waits "
                   "again.",
    .shows_dry_run = true,
};
