/* eks.kubeconfig: a kubeconfig of the run's own. `aws eks update-kubeconfig` writes the file in
 * place, adds to what is there and follows $KUBECONFIG, so it is pointed at a new file in the
 * attempt's folder, which is moved to its place when it is complete. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "actions/action.h"
#include "aws/aws_cli.h"
#include "base/file.h"
#include "base/json.h"

static const struct parameter parameters[] = {
    {.name = "cluster",
     .type = VALUE_STRING,
     .required = true,
     .exposed = true,
     .doc = "Name of the EKS cluster"},
    {.name = "region",
     .type = VALUE_REGION,
     .exposed = true,
     .doc = "Its region; AWS_REGION of the step's env otherwise"},
    {.name = "context",
     .type = VALUE_STRING,
     .exposed = true,
     .doc = "Name of the context; the cluster's otherwise"},
    {.name = "role_arn",
     .type = VALUE_STRING,
     .exposed = true,
     .doc = "Role to assume for the cluster's tokens"},
    {.name = "path",
     .type = VALUE_STRING,
     .exposed = true,
     .default_json = "\"kubeconfig\"",
     .doc = "File to write, in the run's working folder"},
    {0}};

static const struct output outputs[] = {
    {.name = "path", .type = VALUE_PATH, .doc = "The kubeconfig, mode 0600"},
    {.name = "context", .type = VALUE_STRING, .doc = "The context in it"},
    {.name = "endpoint", .type = VALUE_STRING, .doc = "Where the cluster's API is"},
    {.name = "status", .type = VALUE_STRING, .doc = "The cluster's state, ACTIVE or UPDATING"},
    {.name = "version", .type = VALUE_STRING, .doc = "Its version of Kubernetes"},
    {0}};

static int describe(struct attempt *attempt, const char *region, json_t **ret_cluster,
                    struct error *err)
{
    json_t *options = json_pack("{s:s}", "name", attempt_text(attempt, "cluster"));
    CLEANUP(json_cleanup) json_t *cluster = NULL;
    if (aws_read(attempt, "describe", region, "eks", "describe-cluster", options, "cluster",
                 &cluster, err) != 0) {
        return -1;
    }
    const char *status = json_get_text(cluster, "status");
    if (status == NULL || (strcmp(status, "ACTIVE") != 0 && strcmp(status, "UPDATING") != 0)) {
        error_set(err, ERROR_NOT_READY, "the cluster %s in %s is %s",
                  attempt_text(attempt, "cluster"), region,
                  status != NULL ? status : "in no known state");
        return error_hint(err, "wait for it with aws.wait until ACTIVE");
    }
    attempt_say(attempt, "%s is %s at %s", attempt_text(attempt, "cluster"), status,
                json_get_text(cluster, "endpoint"));
    *ret_cluster = json_incref(cluster);
    return 0;
}

/* Has the CLI write a new file. */
static int write_file(struct attempt *attempt, const char *region, const char *path,
                      const char *context, struct error *err)
{
    CLEANUP(json_cleanup)
    json_t *options =
        json_pack("{s:s, s:s, s:s, s:s*}", "name", attempt_text(attempt, "cluster"), "kubeconfig",
                  path, "alias", context, "role_arn", attempt_text(attempt, "role_arn"));
    struct aws_call call = {
        .task = "update-kubeconfig",
        .service = "eks",
        .operation = "update-kubeconfig",
        .region = region,
        .options = options,
        .text = true,
    };
    struct aws_answer answer = {0};
    int status = aws_call_persist(attempt, &call, &answer, err);
    aws_answer_release(&answer);
    return status;
}

static int put_in_place(const char *from, const char *to, struct error *err)
{
    if (chmod(from, FILE_PRIVATE_MODE) != 0 || rename(from, to) != 0) {
        return error_set_errno(err, errno, "cannot move the kubeconfig to %s", to);
    }
    return 0;
}

static int make(struct attempt *attempt, const char *region, const char *path, const char *context,
                struct error *err)
{
    CLEANUP(json_cleanup) json_t *cluster = NULL;
    if (describe(attempt, region, &cluster, err) != 0) {
        return -1;
    }
    /* A file that an interrupted life of this attempt left there would be added to. */
    CLEANUP(memory_cleanup) char *fresh = file_join(attempt_directory(attempt), "kubeconfig.new");
    (void)unlink(fresh);
    if (write_file(attempt, region, fresh, context, err) != 0) {
        return -1;
    }
    /* A finished call that is answered from the record has had its file moved already. */
    if ((file_exists(fresh) || !file_exists(path)) && put_in_place(fresh, path, err) != 0) {
        return -1;
    }
    attempt_set_output_text(attempt, "path", path);
    attempt_set_output_text(attempt, "context", context);
    attempt_set_output_text(attempt, "endpoint", json_get_text(cluster, "endpoint"));
    attempt_set_output_text(attempt, "status", json_get_text(cluster, "status"));
    attempt_set_output_text(attempt, "version", json_get_text(cluster, "version"));
    return 0;
}

static int run(struct attempt *attempt, struct error *err)
{
    const char *region;
    CLEANUP(memory_cleanup) char *path = NULL;
    if (aws_region(attempt, &region, err) != 0 ||
        file_join_inside(attempt_work_directory(attempt), attempt_text(attempt, "path"), &path,
                         err) != 0) {
        return -1;
    }
    const char *context = attempt_text(attempt, "context");
    context = context != NULL ? context : attempt_text(attempt, "cluster");
    struct error failure = ERROR_INIT;
    if (make(attempt, region, path, context, &failure) == 0) {
        return 0;
    }
    if (attempt_is_dry_run(attempt) && failure.code == ERROR_NOT_FOUND) {
        attempt_say(attempt, "the cluster is not there yet");
        error_release(&failure);
        return 0;
    }
    error_move(err, &failure);
    return -1;
}

const struct action action_eks_kubeconfig = {
    .description =
        {
            .name = "eks.kubeconfig",
            .summary = "Make a kubeconfig for an EKS cluster, private to the run",
            .doc = "The cluster has to be ACTIVE or UPDATING. Nothing of the operator's own "
                   "kubeconfig is read or changed.",
            .parameters = parameters,
            .outputs = outputs,
            .memory_bytes = UINT64_C(100) * 1024 * 1024,
        },
    .run = run,
    .interrupted = "It writes nothing outside the run's working folder and is done again.",
};
