/* git.commit: what the run changed, as one commit on a branch, pushed without force. What HEAD and
 * the remote branch were before is remembered first, so that a resume can tell its own commit from
 * somebody else's, and an undo takes back a branch only when it is still the one that was made. */
#include <stdlib.h>
#include <string.h>

#include "actions/action.h"
#include "base/json.h"
#include "repository/git_access.h"

static const struct parameter parameters[] = {
    {.name = "path", .type = VALUE_PATH, .required = true, .exposed = true, .doc = "The checkout"},
    {.name = "message",
     .type = VALUE_STRING,
     .required = true,
     .exposed = true,
     .doc = "The commit's message"},
    {.name = "paths",
     .type = VALUE_STRINGS,
     .exposed = true,
     .doc = "Files or folders to commit; everything that changed otherwise"},
    {.name = "author_name",
     .type = VALUE_STRING,
     .exposed = true,
     .doc = "Author; git's configuration otherwise"},
    {.name = "author_email", .type = VALUE_STRING, .exposed = true, .doc = "The author's address"},
    {.name = "push",
     .type = VALUE_BOOLEAN,
     .default_json = "true",
     .doc = "Push the branch, never by force"},
    {.name = "url",
     .type = VALUE_STRING,
     .exposed = true,
     .doc = "Where to push to: the URL that answered to the checkout"},
    {.name = "branch",
     .type = VALUE_STRING,
     .exposed = true,
     .doc = "Branch to push; the one that is checked out otherwise"},
    GIT_ACCESS_PARAMETERS,
    {0}};

static const struct output outputs[] = {
    {.name = "commit", .type = VALUE_STRING, .doc = "The commit that HEAD is at now"},
    {.name = "committed", .type = VALUE_BOOLEAN, .doc = "false: there was nothing to commit"},
    {.name = "files", .type = VALUE_INTEGER, .doc = "How many files it changed"},
    {.name = "pushed", .type = VALUE_BOOLEAN, .doc = "Whether this step moved the remote branch"},
    {.name = "branch", .type = VALUE_STRING, .doc = "The branch; null when detached"},
    {0}};

/* What there was before the step changed anything, by the first life of this attempt. */
struct before {
    char head[REPO_ID_SIZE];
    char *branch;
};

static int read_before(struct attempt *attempt, struct before *before, struct error *err)
{
    const char *path = attempt_text(attempt, "path");
    if (repo_head(path, before->head, &before->branch, err) != 0) {
        return -1;
    }
    const char *wanted = attempt_text(attempt, "branch");
    if (wanted != NULL) {
        free(before->branch);
        before->branch = memory_text(wanted);
    }
    CLEANUP(json_cleanup) json_t *known = attempt_recall(attempt, "head");
    if (json_is_string(known) && json_string_length(known) < REPO_ID_SIZE) {
        memcpy(before->head, json_string_value(known), json_string_length(known) + 1);
        return 0;
    }
    return attempt_remember(attempt, "head", json_string(before->head), err);
}

static int show_diff(struct attempt *attempt, struct error *err)
{
    CLEANUP(buffer_release) struct buffer diff = BUFFER_INIT;
    if (repo_diff(attempt_text(attempt, "path"), &diff, err) != 0) {
        return -1;
    }
    attempt_say_block(attempt, buffer_span(&diff));
    return 0;
}

static int commit(struct attempt *attempt, const struct before *before,
                  struct repo_commit_result *result, struct error *err)
{
    const char **paths = git_texts(attempt_argument(attempt, "paths"));
    struct repo_commit_request request = {
        .path = attempt_text(attempt, "path"),
        .paths = paths,
        .message = attempt_text(attempt, "message"),
        .author_name = attempt_text(attempt, "author_name"),
        .author_email = attempt_text(attempt, "author_email"),
    };
    int status = repo_commit(&request, result, err);
    free(paths);
    if (status != 0) {
        return -1;
    }
    /* Made by an earlier life of this attempt. */
    result->committed = result->committed || strcmp(result->id, before->head) != 0;
    if (result->committed) {
        attempt_say(attempt, "committed %.12s (%zu files)", result->id, result->files);
    } else {
        attempt_say(attempt, "there is nothing to commit");
    }
    attempt_set_output_text(attempt, "commit", result->id);
    attempt_set_output(attempt, "committed", json_boolean(result->committed));
    attempt_set_output(attempt, "files", json_integer((json_int_t)result->files));
    attempt_set_output_text(attempt, "branch", before->branch);
    return 0;
}

/* Remembers, before the push, where the remote branch stands and where it is going to. */
static int announce_push(struct attempt *attempt, const struct repo_push_request *request,
                         const struct repo_access *access, const char *id, struct error *err)
{
    CLEANUP(json_cleanup) json_t *known = attempt_recall(attempt, "push");
    if (known != NULL) {
        return 0;
    }
    CLEANUP(memory_cleanup) char *ref = memory_format("refs/heads/%s", request->branch);
    char remote[REPO_ID_SIZE] = "";
    struct error missing = ERROR_INIT;
    if (repo_remote_ref(request->url, ref, access, remote, &missing) != 0 &&
        missing.code != ERROR_NOT_FOUND) {
        error_move(err, &missing);
        return -1;
    }
    error_release(&missing);
    return attempt_remember(attempt, "push",
                            json_pack("{s:s, s:s, s:s, s:s?}", "url", request->url, "branch",
                                      request->branch, "commit", id, "before",
                                      remote[0] != '\0' ? remote : NULL),
                            err);
}

static int push(struct attempt *attempt, const char *branch, const char *id, struct error *err)
{
    struct repo_push_request request = {
        .path = attempt_text(attempt, "path"),
        .url = attempt_text(attempt, "url"),
        .branch = branch,
    };
    if (request.url == NULL) {
        error_set(err, ERROR_INVALID, "`push` needs `url`");
        return error_hint(err, "take the output url of the step that checked it out");
    }
    if (branch == NULL) {
        error_set(err, ERROR_INVALID, "the checkout is on no branch that could be pushed");
        return error_hint(err, "give git.checkout a `branch`");
    }
    struct repo_access access;
    git_access_read(attempt, &access);
    struct repo_push_result result = {0};
    if (announce_push(attempt, &request, &access, id, err) != 0 ||
        repo_push(&request, &access, &result, err) != 0) {
        return -1;
    }
    CLEANUP(json_cleanup) json_t *known = attempt_recall(attempt, "push");
    const char *before = json_get_text(known, "before");
    bool moved = before == NULL || strcmp(before, result.id) != 0;
    attempt_say(attempt, "%s on the remote %s %.12s", branch,
                moved ? "is now at" : "was already at", result.id);
    attempt_set_output(attempt, "pushed", json_boolean(moved));
    attempt_fact(attempt, "git.push", json_incref(known));
    return 0;
}

static int preview(struct attempt *attempt, struct error *err)
{
    if (show_diff(attempt, err) != 0) {
        return -1;
    }
    attempt_say(attempt, "would commit this%s",
                attempt_flag(attempt, "push") ? " and push it" : "");
    return 0;
}

static int run(struct attempt *attempt, struct error *err)
{
    if (attempt_is_dry_run(attempt)) {
        return preview(attempt, err);
    }
    struct before before = {"", NULL};
    struct repo_commit_result result = {0};
    int status = read_before(attempt, &before, err);
    if (status == 0) {
        status = show_diff(attempt, err);
    }
    if (status == 0) {
        status = commit(attempt, &before, &result, err);
    }
    if (status == 0 && attempt_flag(attempt, "push")) {
        status = push(attempt, before.branch, result.id, err);
    } else if (status == 0) {
        attempt_set_output(attempt, "pushed", json_false());
    }
    free(before.branch);
    return status;
}

/* The local commit stays: it is in the run's own folder and hurts nobody. */
static int undo(struct attempt *attempt, struct error *err)
{
    CLEANUP(json_cleanup) json_t *pushed = attempt_recall(attempt, "push");
    const char *branch = json_get_text(pushed, "branch");
    const char *id = json_get_text(pushed, "commit");
    if (branch == NULL || id == NULL) {
        attempt_say(attempt, "nothing was pushed");
        return 0;
    }
    if (json_get_text(pushed, "before") != NULL) {
        error_set(err, ERROR_REFUSED,
                  "%s was on the remote before, and a branch that others use is "
                  "not taken back",
                  branch);
        return error_hint(err, "revert %.12s there by a commit of its own", id);
    }
    struct repo_push_request request = {
        .path = attempt_text(attempt, "path"),
        .url = json_get_text(pushed, "url"),
        .branch = branch,
    };
    if (attempt_is_dry_run(attempt)) {
        attempt_say(attempt, "would remove %s from %s if it is still at %.12s", branch, request.url,
                    id);
        return 0;
    }
    struct repo_access access;
    git_access_read(attempt, &access);
    bool removed = false;
    if (repo_remove_branch(&request, id, &access, &removed, err) != 0) {
        return -1;
    }
    attempt_say(attempt, "%s %s %s", branch, removed ? "is removed from" : "is no longer on",
                request.url);
    return 0;
}

const struct action action_git_commit = {
    .description =
        {
            .name = "git.commit",
            .summary = "Commit what changed in a checkout, and push the branch",
            .doc = "The difference is shown before it is committed. Nothing is committed when "
                   "nothing changed, and nothing is pushed by force.",
            .parameters = parameters,
            .outputs = outputs,
            .mutates = true,
        },
    .run = run,
    .undo = undo,
    .interrupted = "A commit that was made is found by the remembered HEAD and not made twice; the "
                   "remote branch is looked at before anything is pushed.",
    .shows_dry_run = true,
};
