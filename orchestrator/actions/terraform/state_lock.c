/* What stands between an interrupted apply and the next: the order is errored.tfstate, the lock,
 * then a fresh plan. A lock is never broken without a person: that nothing of its owner runs any
 * more is not for a program on another machine to know, and S3 replication can show a lock that was
 * given back long ago. */
#include "terraform/state_lock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"

static int break_lock(const struct terraform *terraform, const char *id, struct error *err)
{
    struct argv argv = {0};
    struct attempt_result result = {0};
    terraform_begin(terraform, &argv, "force-unlock");
    argv_add(&argv, "-force");
    argv_add(&argv, id);
    struct terraform_call call = {.task = "unlock", .argv = &argv};
    int status = terraform_run(terraform, &call, &result, err);
    if (status == 0 && result.exit_code != 0) {
        status = error_set(err, ERROR_LOCKED, "terraform force-unlock ended with exit status %d",
                           result.exit_code);
    }
    attempt_result_release(&result);
    argv_release(&argv);
    return status;
}

int state_lock_ask(const struct terraform *terraform, const struct terraform_lock *lock,
                   bool *ret_broken, struct error *err)
{
    static const char *const choices[] = {"stop", "unlock", NULL};
    CLEANUP(memory_cleanup)
    char *evidence = memory_format(
        "held by %s since %s for %s, ID %s\n"
        "unlock only when nothing of theirs runs any more; a lock that was replicated into this "
        "bucket may be one that was given back in the other",
        lock->who != NULL ? lock->who : "?", lock->created != NULL ? lock->created : "?",
        lock->operation != NULL ? lock->operation : "?", lock->id);
    struct attempt_question question = {"state-lock", "The state is locked. Break the lock?",
                                        evidence, choices};
    const char *answer = NULL;
    *ret_broken = false;
    if (attempt_is_dry_run(terraform->attempt)) {
        return 0;
    }
    if (attempt_ask(terraform->attempt, &question, &answer, err) != 0) {
        return -1;
    }
    if (strcmp(answer, "unlock") != 0) {
        return 0;
    }
    *ret_broken = true;
    return break_lock(terraform, lock->id, err);
}

int state_push_errored(const struct terraform *terraform, bool *ret_pushed, struct error *err)
{
    CLEANUP(memory_cleanup) char *path = file_join(terraform->dir, "errored.tfstate");
    *ret_pushed = false;
    if (!file_exists(path)) {
        return 0;
    }
    attempt_say(terraform->attempt,
                "an earlier apply could not put its state away: errored.tfstate is pushed first");
    struct argv argv = {0};
    struct attempt_result result = {0};
    terraform_begin(terraform, &argv, "state");
    argv_add(&argv, "push");
    terraform_add_lock(terraform, &argv);
    argv_add(&argv, "errored.tfstate");
    struct terraform_call call = {.task = "push-errored-state", .argv = &argv, .grace_ms = -1};
    int status = terraform_run(terraform, &call, &result, err);
    if (status == 0 && result.exit_code != 0) {
        status =
            error_set(err, ERROR_FAILED,
                      "errored.tfstate cannot be pushed (exit status %d), and nothing else may "
                      "be done to this state before it is",
                      result.exit_code);
        error_hint(err, "its file is %s", path);
    }
    attempt_result_release(&result);
    argv_release(&argv);
    if (status != 0) {
        return -1;
    }
    CLEANUP(memory_cleanup)
    char *pushed = memory_format("%s.pushed-%lld", path, (long long)clock_wall_ns());
    if (rename(path, pushed) != 0) {
        return error_set_errno(err, errno, "cannot put %s aside", path);
    }
    *ret_pushed = true;
    return 0;
}

int state_backup(const struct terraform *terraform, const char *name, char **ret_path,
                 struct error *err)
{
    CLEANUP(memory_cleanup) char *folder = file_join(terraform->store, "states");
    CLEANUP(buffer_release) struct buffer state = BUFFER_INIT;
    struct argv argv = {0};
    terraform_begin(terraform, &argv, "state");
    argv_add(&argv, "pull");
    int status = terraform_read(terraform, "state-pull", &argv, &state, err);
    argv_release(&argv);
    if (status != 0) {
        return error_context(err, "no copy of the state could be kept");
    }
    if (state.size_bytes <= 1) {
        return 0;
    }
    char *path = memory_format("%s/%s-%lld.tfstate", folder, name, (long long)clock_wall_ns());
    for (char *at = path + strlen(folder) + 1; *at != '\0'; at++) {
        if (*at == '/') {
            *at = '-';
        }
    }
    if (file_make_private_directory(folder, err) != 0 ||
        file_write(path, buffer_span(&state), FILE_PRIVATE_MODE, FILE_DURABLE, err) != 0) {
        free(path);
        return -1;
    }
    *ret_path = path;
    return 0;
}
