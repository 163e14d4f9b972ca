/* How kubectl is called. Two things would make a recovery act on the wrong cluster or on what used
 * to be true: a kubeconfig taken from the home folder, and a discovery cache that lives six hours.
 * Neither is ever used. */
#include "kubernetes/kubectl_cli.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"

int kubectl_open(const struct attempt *attempt, struct kubectl *ret_kubectl, struct error *err)
{
    const char *kubeconfig = attempt_text(attempt, "kubeconfig");
    if (kubeconfig == NULL) {
        kubeconfig = attempt_getenv(attempt, "KUBECONFIG");
    }
    if (kubeconfig == NULL || kubeconfig[0] == '\0') {
        error_set(err, ERROR_INVALID,
                  "no kubeconfig is named, and the one in the home folder could "
                  "be of any cluster");
        return error_hint(err, "give `kubeconfig`, such as ${{ steps.ID.outputs.path }} of an "
                               "eks.kubeconfig step");
    }
    *ret_kubectl = (struct kubectl){
        .kubeconfig = kubeconfig,
        .context = attempt_text(attempt, "context"),
        .name_space = attempt_text(attempt, "namespace"),
        .cache_directory = file_join(attempt_work_directory(attempt), "kube-cache"),
        .request_timeout_ms = attempt_duration_ms(attempt, "request_timeout", 30000),
    };
    return 0;
}

void kubectl_release(struct kubectl *kubectl)
{
    free(kubectl->cache_directory);
}

void kubectl_begin_anywhere(const struct kubectl *kubectl, struct argv *argv, bool watching)
{
    argv_add(argv, "kubectl");
    argv_add_format(argv, "--kubeconfig=%s", kubectl->kubeconfig);
    if (kubectl->context != NULL) {
        argv_add_format(argv, "--context=%s", kubectl->context);
    }
    argv_add_format(argv, "--cache-dir=%s", kubectl->cache_directory);
    if (!watching) {
        argv_add_format(argv, "--request-timeout=%llds",
                        (long long)((kubectl->request_timeout_ms + 999) / 1000));
    }
}

void kubectl_begin(const struct kubectl *kubectl, struct argv *argv, bool watching)
{
    kubectl_begin_anywhere(kubectl, argv, watching);
    if (kubectl->name_space != NULL) {
        argv_add_format(argv, "--namespace=%s", kubectl->name_space);
    }
}

/* --- failures -------------------------------------------------------------------------------- */

/* In the order in which they are looked for. */
static const struct {
    const char *text;
    enum error_code code;
    const char *hint; /* NULL: none */
} failures[] = {
    {"Apply failed with", ERROR_REFUSED,
     "another field manager owns these fields; `force_conflicts: true` takes them over"},
    {"(NotFound)", ERROR_NOT_FOUND, NULL},
    {"doesn't have a resource type", ERROR_NOT_FOUND, NULL},
    {"no matches for kind", ERROR_NOT_FOUND, "its CustomResourceDefinition is not in the cluster"},
    {"(Forbidden)", ERROR_FAILED, "the credentials of this step may not do it in the cluster"},
    {"(Unauthorized)", ERROR_NOT_READY, "the cluster does not know these credentials"},
    {"must be logged in to the server", ERROR_NOT_READY,
     "the cluster does not know these credentials"},
    {"getting credentials", ERROR_NOT_READY,
     "the kubeconfig asks `aws eks get-token`; look at the "
     "step's AWS credentials"},
    {"context was not found", ERROR_INVALID, NULL},
    {"does not exist", ERROR_INVALID, NULL}, /* a context, a path */
    {"Too many requests", ERROR_THROTTLED, NULL},
    {"(TooManyRequests)", ERROR_THROTTLED, NULL},
    {"Unable to connect to the server", ERROR_NETWORK, NULL},
    {"connection refused", ERROR_NETWORK, NULL},
    {"was refused - did you specify the right host", ERROR_NETWORK, NULL},
    {"connection reset", ERROR_NETWORK, NULL},
    {"i/o timeout", ERROR_NETWORK, NULL},
    {"context deadline exceeded", ERROR_NETWORK, NULL},
    {"request canceled", ERROR_NETWORK, NULL},
    {"TLS handshake timeout", ERROR_NETWORK, NULL},
    {"unexpected EOF", ERROR_NETWORK, NULL},
    {"(ServiceUnavailable)", ERROR_NETWORK, NULL},
    {"(InternalError)", ERROR_NETWORK, NULL},
};

/* The first line that says that it is an error; the last one otherwise. */
static char *telling_line(const char *tail)
{
    const char *best = NULL;
    for (const char *at = tail; *at != '\0';) {
        size_t size_bytes = strcspn(at, "\n");
        if (size_bytes > 0 && (best == NULL || strncasecmp(best, "error", 5) != 0)) {
            best = at;
        }
        at += size_bytes + (at[size_bytes] == '\n');
    }
    return best != NULL ? memory_text_n(best, strcspn(best, "\n")) : NULL;
}

int kubectl_failed(const struct attempt_result *result, const char *what, struct error *err)
{
    const char *tail = buffer_text(&result->tail);
    CLEANUP(memory_cleanup) char *line = telling_line(tail);
    if (line == NULL) {
        return error_set(err, ERROR_FAILED, "%s ended with exit status %d", what,
                         result->exit_code);
    }
    for (size_t i = 0; i < ARRAY_SIZE(failures); i++) {
        if (strstr(tail, failures[i].text) != NULL) {
            error_set(err, failures[i].code, "%s: %s", what, line);
            return failures[i].hint != NULL ? error_hint(err, "%s", failures[i].hint) : -1;
        }
    }
    return error_set(err, ERROR_FAILED, "%s: %s", what, line);
}

/* --- calls ----------------------------------------------------------------------------------- */

int kubectl_read(struct attempt *attempt, const char *task, struct argv *argv, json_t **ret_value,
                 struct error *err)
{
    struct attempt_result result = {0};
    struct attempt_command command = {.task = task, .argv = argv_words(argv), .quiet = true};
    int status = attempt_run(attempt, &command, &result, err);
    if (status == 0 && result.exit_code != 0) {
        status = kubectl_failed(&result, "kubectl", err);
    }
    if (status == 0) {
        json_t *value = json_parse(buffer_span(&result.out), "the answer of kubectl", err);
        status = value != NULL ? 0 : -1;
        if (value != NULL) {
            *ret_value = value;
        }
    }
    attempt_result_release(&result);
    return status;
}

void kubectl_show(struct attempt *attempt, struct argv *argv)
{
    struct attempt_result result = {0};
    struct error err = ERROR_INIT;
    struct attempt_command command = {
        .task = "explain", .argv = argv_words(argv), .timeout_ms = INT64_C(30000)};
    (void)!attempt_run(attempt, &command, &result, &err);
    error_release(&err);
    attempt_result_release(&result);
}

/* --- verbs ----------------------------------------------------------------------------------- */

static const struct {
    const char *verb;
    bool mutates;
    bool repeatable; /* twice is as good as once */
} verbs[] = {
    {"annotate", true, true}, {"api-resources", false, true}, {"api-versions", false, true},
    {"apply", true, true},    {"auth", false, true},          {"cluster-info", false, true},
    {"cordon", true, true},   {"describe", false, true},      {"diff", false, true},
    {"drain", true, true},    {"events", false, true},        {"explain", false, true},
    {"get", false, true},     {"kustomize", false, true},     {"label", true, true},
    {"logs", false, true},    {"replace", true, true},        {"scale", true, true},
    {"set", true, true},      {"top", false, true},           {"uncordon", true, true},
    {"version", false, true}, {"wait", false, true},
};

bool kubectl_verb_mutates(const char *verb)
{
    for (size_t i = 0; i < ARRAY_SIZE(verbs); i++) {
        if (strcmp(verbs[i].verb, verb) == 0) {
            return verbs[i].mutates;
        }
    }
    return true;
}

bool kubectl_verb_is_repeatable(const char *verb)
{
    for (size_t i = 0; i < ARRAY_SIZE(verbs); i++) {
        if (strcmp(verbs[i].verb, verb) == 0) {
            return verbs[i].repeatable;
        }
    }
    return false;
}
