/* Calls of kubectl: always with a kubeconfig that somebody named, with a discovery cache of the
 * run's own, and with a limit on each request. */
#ifndef DRCTL_ACTIONS_KUBECTL_CLI_H
#define DRCTL_ACTIONS_KUBECTL_CLI_H

#include <stdbool.h>

#include "actions/argv.h"
#include "attempt/attempt.h"
#include "plan/catalogue.h"

#define KUBECTL_PARAMETERS                                                                         \
    {.name = "kubeconfig",                                                                         \
     .type = VALUE_PATH,                                                                           \
     .exposed = true,                                                                              \
     .doc = "The kubeconfig, as from eks.kubeconfig; KUBECONFIG of the step's env otherwise"},     \
        {.name = "context",                                                                        \
         .type = VALUE_STRING,                                                                     \
         .exposed = true,                                                                          \
         .doc = "Context in it; its current one otherwise"},                                       \
        {.name = "namespace",                                                                      \
         .type = VALUE_STRING,                                                                     \
         .exposed = true,                                                                          \
         .doc = "Namespace for what does not say one"},                                            \
    {                                                                                              \
        .name = "request_timeout", .type = VALUE_DURATION, .default_json = "\"30s\"",              \
        .doc = "Limit of a single request to the cluster"                                          \
    }

struct kubectl {
    const char *kubeconfig; /* borrowed, as the next two */
    const char *context;    /* NULL: the current one */
    const char *name_space; /* NULL: the context's */
    char *cache_directory;
    int64_t request_timeout_ms;
};

/* Reads the parameters above. ERROR_INVALID without a kubeconfig: the one in a home folder may be
 * that of any cluster. */
MUST_USE int kubectl_open(const struct attempt *attempt, struct kubectl *ret_kubectl,
                          struct error *err);
void kubectl_release(struct kubectl *kubectl);

/* "kubectl" and the options of all calls. watching: the request goes on as long as something is
 * waited for and has a limit of its own. */
void kubectl_begin(const struct kubectl *kubectl, struct argv *argv, bool watching);

/* As kubectl_begin(), without the namespace. */
void kubectl_begin_anywhere(const struct kubectl *kubectl, struct argv *argv, bool watching);

/* What the last lines of a kubectl that failed mean; sets err. Returns -1. */
int kubectl_failed(const struct attempt_result *result, const char *what, struct error *err);

/* A reading call whose output is JSON. argv holds all of its words. */
MUST_USE int kubectl_read(struct attempt *attempt, const char *task, struct argv *argv,
                          json_t **ret_value, struct error *err);

/* Runs one that helps to explain a failure: its output is shown, its own failure is not one. */
void kubectl_show(struct attempt *attempt, struct argv *argv);

/* What is known of a kubectl command by its first words. */
bool kubectl_verb_mutates(const char *verb);
bool kubectl_verb_is_repeatable(const char *verb);

#endif
