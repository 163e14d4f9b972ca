/* drctl unlock: breaks a remote lock whose run is certainly dead. Only with the name of that run,
 * so that nobody breaks a lock that has changed hands meanwhile; who did it and why is kept beside
 * the lock. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "commands/plan_loading.h"
#include "runtime/remote_lock.h"

static const struct command_option options[] = {
    {"site", 's', "FILE", false,
     "the site that names the lock (default: $DRCTL_SITE, ./site.yaml)"},
    {"run", 0, "RUN", false, "the run that holds it"},
    {"why", 0, "TEXT", false, "why that run is certainly dead; for the record"},
    {NULL, 0, NULL, false, NULL},
};

static int break_lock(const struct remote_lock *lock, const struct invocation *invocation,
                      struct error *err)
{
    const char *run = invocation_value(invocation, "run");
    CLEANUP(json_cleanup) json_t *holder = remote_lock_read(lock, err);
    if (holder == NULL) {
        return -1;
    }
    if (json_is_null(holder)) {
        printf("nobody holds it\n");
        return 0;
    }
    CLEANUP(memory_cleanup) char *text = json_canonical(holder);
    const char *holding = json_get_text(holder, "run");
    if (run == NULL || invocation_value(invocation, "why") == NULL) {
        printf("%s\n", text);
        return error_set(err, ERROR_USAGE, "to break it, name its run with --run %s, and --why",
                         holding != NULL ? holding : "RUN");
    }
    if (holding == NULL || strcmp(holding, run) != 0) {
        return error_set(err, ERROR_REFUSED, "it is held by the run %s, not by %s",
                         holding != NULL ? holding : "?", run);
    }
    CLEANUP(memory_cleanup) char *who = operator_name();
    if (remote_lock_record_break(lock, holder, who, invocation_value(invocation, "why"), err) !=
            0 ||
        remote_lock_release(lock, run, err) != 0) {
        return -1;
    }
    printf("the lock of the run %s is broken\n", run);
    return 0;
}

static int run(const struct invocation *invocation, struct error *err)
{
    struct site *site = NULL;
    int status = site_load(invocation, &site, err);
    if (status != 0) {
        return status;
    }
    struct remote_lock *lock = NULL;
    status = remote_lock_new(site != NULL ? site->values : NULL, invocation_argument(invocation, 0),
                             &lock, err);
    if (status == 0 && lock == NULL) {
        status = error_set(err, ERROR_USAGE, "the site names no lock");
    }
    if (status == 0) {
        status = break_lock(lock, invocation, err);
    }
    remote_lock_free(lock);
    site_free(site);
    return status;
}

const struct command command_unlock = {
    .name = "unlock",
    .arguments = "TARGET",
    .summary = "break a remote lock whose run is certainly dead",
    .least_arguments = 1,
    .most_arguments = 1,
    .options = options,
    .run = run,
};
