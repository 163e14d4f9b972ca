/* What one types after `rollout status` has failed, typed already. */
#include "kubernetes/rollout_explain.h"

#include <string.h>

#include "base/json.h"

enum { PODS_WITH_LOGS = 3, LOG_LINES = 20 };

static void begin(const struct kubectl *kubectl, const char *name_space, struct argv *argv)
{
    kubectl_begin_anywhere(kubectl, argv, false);
    if (name_space != NULL) {
        argv_add_format(argv, "--namespace=%s", name_space);
    }
}

/* "a=b,c=d" of the labels by which the workload finds its pods. */
static char *pod_selector(const json_t *workload)
{
    struct buffer text = BUFFER_INIT;
    const json_t *selector = json_object_get(json_object_get(workload, "spec"), "selector");
    const char *name;
    json_t *value;
    json_object_foreach (json_object_get(selector, "matchLabels"), name, value) {
        buffer_append_format(&text, "%s%s=%s", text.size_bytes > 0 ? "," : "", name,
                             json_string_value(value));
    }
    return buffer_take(&text);
}

static void show_pods(struct attempt *attempt, const struct kubectl *kubectl,
                      const char *name_space, const char *selector)
{
    struct argv argv = {0};
    begin(kubectl, name_space, &argv);
    argv_add(&argv, "get");
    argv_add(&argv, "pods");
    argv_add_format(&argv, "--selector=%s", selector);
    argv_add(&argv, "--output=wide");
    attempt_say(attempt, "its pods:");
    kubectl_show(attempt, &argv);
    argv_release(&argv);
}

static void show_warnings(struct attempt *attempt, const struct kubectl *kubectl,
                          const char *name_space)
{
    struct argv argv = {0};
    begin(kubectl, name_space, &argv);
    argv_add(&argv, "get");
    argv_add(&argv, "events");
    argv_add(&argv, "--field-selector=type=Warning");
    argv_add(&argv, "--sort-by=.lastTimestamp");
    attempt_say(attempt, "warnings in its namespace:");
    kubectl_show(attempt, &argv);
    argv_release(&argv);
}

static bool is_ready(const json_t *pod)
{
    size_t index;
    json_t *condition;
    json_array_foreach (json_object_get(json_object_get(pod, "status"), "conditions"), index,
                        condition) {
        const char *type = json_get_text(condition, "type");
        const char *status = json_get_text(condition, "status");
        if (type != NULL && status != NULL && strcmp(type, "Ready") == 0) {
            return strcmp(status, "True") == 0;
        }
    }
    return false;
}

static void show_log(struct attempt *attempt, const struct kubectl *kubectl, const char *name_space,
                     const char *pod)
{
    struct argv argv = {0};
    begin(kubectl, name_space, &argv);
    argv_add(&argv, "logs");
    argv_add(&argv, pod);
    argv_add(&argv, "--all-containers");
    argv_add(&argv, "--prefix");
    argv_add_format(&argv, "--tail=%d", LOG_LINES);
    attempt_say(attempt, "last log lines of %s:", pod);
    kubectl_show(attempt, &argv);
    argv_release(&argv);
}

static void show_logs(struct attempt *attempt, const struct kubectl *kubectl,
                      const char *name_space, const char *selector)
{
    struct argv argv = {0};
    begin(kubectl, name_space, &argv);
    argv_add(&argv, "get");
    argv_add(&argv, "pods");
    argv_add_format(&argv, "--selector=%s", selector);
    argv_add(&argv, "--output=json");
    CLEANUP(json_cleanup) json_t *answer = NULL;
    struct error err = ERROR_INIT;
    if (kubectl_read(attempt, "pods", &argv, &answer, &err) == 0) {
        int shown = 0;
        size_t index;
        json_t *pod;
        json_array_foreach (json_object_get(answer, "items"), index, pod) {
            const char *name = json_get_text(json_object_get(pod, "metadata"), "name");
            if (name != NULL && !is_ready(pod) && shown++ < PODS_WITH_LOGS) {
                show_log(attempt, kubectl, name_space, name);
            }
        }
    }
    error_release(&err);
    argv_release(&argv);
}

void rollout_explain(struct attempt *attempt, const struct kubectl *kubectl, const json_t *workload)
{
    const char *name_space = json_get_text(json_object_get(workload, "metadata"), "namespace");
    CLEANUP(memory_cleanup) char *selector = pod_selector(workload);
    if (selector[0] != '\0') {
        show_pods(attempt, kubectl, name_space, selector);
    }
    show_warnings(attempt, kubectl, name_space);
    if (selector[0] != '\0') {
        show_logs(attempt, kubectl, name_space, selector);
    }
}
