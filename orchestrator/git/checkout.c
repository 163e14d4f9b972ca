/* A clone is made in a folder beside the destination and takes its name when everything is there,
 * so that a checkout exists completely or not at all, however it was interrupted. Each URL is tried
 * in a job of its own; a failure after a remote has delivered is final, since a mirror would only
 * fail in the same way, or worse, have something else under the same name. */
#include <errno.h>
#include <git2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/random.h"
#include "git/job.h"
#include "git/library.h"
#include "git/repo.h"
#include "git/session.h"
#include "git/submodule.h"

struct clone {
    struct session session;
    char *ref;
    char *branch;
    char *partial; /* the folder that is worked in; NULL once it has its name */
    bool submodules;

    git_repository *repository;
    git_remote *remote;
    bool delivered; /* the remote gave what it has */
    char id[REPO_ID_SIZE];
    char *head_branch;
};

static void clone_free(void *context)
{
    struct clone *clone = context;
    if (clone == NULL) {
        return;
    }
    git_remote_free(clone->remote);
    git_repository_free(clone->repository);
    /* What cannot be removed stays in the run's own folder and harms nobody. */
    int ignored = clone->partial != NULL ? file_remove_tree(clone->partial, NULL) : 0;
    (void)ignored;
    session_release(&clone->session);
    free(clone->ref);
    free(clone->branch);
    free(clone->partial);
    free(clone->head_branch);
    free(clone);
}

/* --- fetching -----------------------------------------------------------------------------------
 */

/* Bytes come out as they were committed, whatever the user's own configuration converts. */
static int keep_bytes(git_repository *repository)
{
    git_config *config = NULL;
    int status = git_repository_config(&config, repository);
    if (status == 0) {
        status = git_config_set_bool(config, "core.autocrlf", 0);
    }
    git_config_free(config);
    return status;
}

static int make_repository(struct clone *clone, struct error *err)
{
    if (mkdir(clone->partial, FILE_PRIVATE_DIRECTORY_MODE) != 0) {
        return error_set_errno(err, errno, "cannot create the folder %s", clone->partial);
    }
    git_repository_init_options options = GIT_REPOSITORY_INIT_OPTIONS_INIT;
    options.flags = GIT_REPOSITORY_INIT_NO_REINIT;
    int status = git_repository_init_ext(&clone->repository, clone->partial, &options);
    if (status == 0) {
        status = keep_bytes(clone->repository);
    }
    if (status == 0) {
        status = git_remote_create(&clone->remote, clone->repository, "origin",
                                   clone->session.url.shown);
    }
    return status == 0 ? 0 : library_error(err, status, "cannot prepare %s", clone->partial);
}

/* HEAD's branch has to be asked for while the connection stands. */
static int note_default_branch(struct clone *clone, struct error *err)
{
    git_buf name = GIT_BUF_INIT;
    int status = git_remote_default_branch(&name, clone->remote);
    if (status < 0) {
        error_set(err, ERROR_NOT_FOUND, "%s does not say which branch is its default",
                  clone->session.url.shown);
        return error_hint(err, "name a ref");
    }
    clone->ref = memory_text_n(name.ptr, name.size);
    git_buf_dispose(&name);
    return 0;
}

static int fetch(struct clone *clone, struct error *err)
{
    git_fetch_options options = GIT_FETCH_OPTIONS_INIT;
    options.download_tags = GIT_REMOTE_DOWNLOAD_TAGS_ALL;
    options.proxy_opts.type = GIT_PROXY_AUTO;
    session_callbacks(&clone->session, &options.callbacks);
    int status = git_remote_connect(clone->remote, GIT_DIRECTION_FETCH, &options.callbacks,
                                    &options.proxy_opts, NULL);
    if (status < 0) {
        return session_error(&clone->session, err, status, "no connection");
    }
    if (clone->ref == NULL && note_default_branch(clone, err) != 0) {
        clone->delivered = true;
        return -1;
    }
    status = git_remote_fetch(clone->remote, NULL, &options, NULL);
    return status == 0 ? 0 : session_error(&clone->session, err, status, "the fetch broke off");
}

/* --- finding the commit -------------------------------------------------------------------------
 */

struct target {
    git_oid commit;
    const char *branch; /* the remote branch that it is the head of; part of clone->ref */
};

static int look_up(git_repository *repository, const char *prefix, const char *name,
                   git_oid *ret_commit)
{
    CLEANUP(memory_cleanup) char *whole = memory_format("%s%s", prefix, name);
    git_reference *reference = NULL;
    git_object *commit = NULL;
    int status = git_reference_lookup(&reference, repository, whole);
    if (status == 0) {
        status = git_reference_peel(&commit, reference, GIT_OBJECT_COMMIT);
    }
    if (status == 0) {
        git_oid_cpy(ret_commit, git_object_id(commit));
    }
    git_object_free(commit);
    git_reference_free(reference);
    return status;
}

enum { SHORTEST_ID = 7 };

static int look_up_id(git_repository *repository, const char *text, git_oid *ret_commit)
{
    size_t digits = strspn(text, "0123456789abcdefABCDEF");
    git_oid prefix;
    git_object *object = NULL;
    if (text[digits] != '\0' || digits < SHORTEST_ID || digits >= REPO_ID_SIZE ||
        git_oid_fromstrn(&prefix, text, digits) < 0) {
        return GIT_ENOTFOUND;
    }
    int status = git_object_lookup_prefix(&object, repository, &prefix, digits, GIT_OBJECT_COMMIT);
    if (status == 0) {
        git_oid_cpy(ret_commit, git_object_id(object));
    }
    git_object_free(object);
    return status;
}

static const char *behind(const char *text, const char *prefix)
{
    size_t size_bytes = strlen(prefix);
    return strncmp(text, prefix, size_bytes) == 0 ? text + size_bytes : NULL;
}

static int find_target(struct clone *clone, struct target *target, struct error *err)
{
    const char *ref = clone->ref;
    const char *branch = behind(ref, "refs/heads/");
    const char *tag = behind(ref, "refs/tags/");
    git_oid tagged;
    bool is_branch = tag == NULL && look_up(clone->repository, "refs/remotes/origin/",
                                            branch != NULL ? branch : ref, &target->commit) == 0;
    bool is_tag = branch == NULL &&
                  look_up(clone->repository, "refs/tags/", tag != NULL ? tag : ref, &tagged) == 0;
    if (is_branch && is_tag && !git_oid_equal(&target->commit, &tagged)) {
        error_set(err, ERROR_INVALID, "'%s' is a branch and a tag, and they differ", ref);
        return error_hint(err, "refs/heads/%s or refs/tags/%s", ref, ref);
    }
    if (is_branch) {
        target->branch = branch != NULL ? branch : ref;
        return 0;
    }
    if (is_tag) {
        git_oid_cpy(&target->commit, &tagged);
        return 0;
    }
    int status = look_up_id(clone->repository, ref, &target->commit);
    if (status == GIT_EAMBIGUOUS) {
        return error_set(err, ERROR_INVALID, "'%s' is the beginning of several commits", ref);
    }
    return status == 0
               ? 0
               : error_set(err, ERROR_NOT_FOUND, "%s has no branch, tag or reachable commit '%s'",
                           clone->session.url.shown, ref);
}

/* --- checking out -------------------------------------------------------------------------------
 */

static int notice_file(git_checkout_notify_t why, const char *path, const git_diff_file *baseline,
                       const git_diff_file *target, const git_diff_file *workdir, void *payload)
{
    (void)why;
    (void)path;
    (void)baseline;
    (void)target;
    (void)workdir;
    struct clone *clone = payload;
    job_touch(clone->session.job);
    return job_is_stopping(clone->session.job) ? -1 : 0;
}

static int write_files(struct clone *clone, git_commit *commit)
{
    git_checkout_options options = GIT_CHECKOUT_OPTIONS_INIT;
    options.checkout_strategy = GIT_CHECKOUT_FORCE;
    options.notify_flags = GIT_CHECKOUT_NOTIFY_UPDATED;
    options.notify_cb = notice_file;
    options.notify_payload = clone;
    return git_checkout_tree(clone->repository, (git_object *)commit, &options);
}

static int follow_remote(git_reference *local, const char *branch)
{
    CLEANUP(memory_cleanup) char *upstream = memory_format("origin/%s", branch);
    return git_branch_set_upstream(local, upstream);
}

static int place_head(struct clone *clone, const struct target *target, git_commit *commit)
{
    const char *name = clone->branch != NULL ? clone->branch : target->branch;
    if (name == NULL) {
        return git_repository_set_head_detached(clone->repository, &target->commit);
    }
    git_reference *local = NULL;
    int status = git_branch_create(&local, clone->repository, name, commit, 0);
    if (status == 0) {
        status = git_repository_set_head(clone->repository, git_reference_name(local));
    }
    if (status == 0 && clone->branch == NULL) {
        status = follow_remote(local, name);
    }
    git_reference_free(local);
    if (status == 0) {
        clone->head_branch = memory_text(name);
    }
    return status;
}

static int check_out(struct clone *clone, struct error *err)
{
    struct target target = {.branch = NULL};
    if (find_target(clone, &target, err) != 0) {
        return -1;
    }
    git_commit *commit = NULL;
    int status = git_commit_lookup(&commit, clone->repository, &target.commit);
    if (status == 0) {
        status = write_files(clone, commit);
    }
    if (status == 0) {
        status = place_head(clone, &target, commit);
    }
    git_commit_free(commit);
    if (status < 0) {
        return library_error(err, status, "'%s' cannot be checked out", clone->ref);
    }
    git_oid_tostr(clone->id, sizeof clone->id, &target.commit);
    return 0;
}

static int run_clone(struct job *job, void *context, struct error *err)
{
    struct clone *clone = context;
    clone->session.job = job;
    if (session_reach(&clone->session, err) != 0 || make_repository(clone, err) != 0 ||
        fetch(clone, err) != 0) {
        return -1;
    }
    clone->delivered = true;
    if (check_out(clone, err) != 0) {
        return -1;
    }
    return clone->submodules ? submodule_update_all(clone->repository, &clone->session, err) : 0;
}

/* --- one URL after the other --------------------------------------------------------------------
 */

static struct clone *clone_new(const struct repo_checkout_request *request, const char *url,
                               const struct repo_access *access, struct error *err)
{
    struct clone *clone = memory_new(1, sizeof *clone);
    if (session_init(&clone->session, url, access, err) != 0) {
        free(clone);
        return NULL;
    }
    char suffix[RANDOM_ID_SIZE];
    random_id(suffix);
    clone->partial = memory_format("%s.partial-%s", request->destination, suffix);
    clone->ref = memory_text(request->ref);
    clone->branch = memory_text(request->branch);
    clone->submodules = request->submodules;
    return clone;
}

static int put_in_place(struct clone *clone, const char *destination, struct error *err)
{
    if (rename(clone->partial, destination) != 0) {
        return error_set_errno(err, errno, "cannot put %s in place", destination);
    }
    free(clone->partial);
    clone->partial = NULL;
    return 0;
}

enum outcome { OUTCOME_DONE, OUTCOME_FINAL, OUTCOME_NEXT };

static enum outcome try_url(const struct repo_checkout_request *request, const char *url,
                            const struct repo_access *access, struct repo_checkout_result *result,
                            struct error *err)
{
    static const struct job_work work = {run_clone, clone_free};
    struct clone *clone = clone_new(request, url, access, err);
    if (clone == NULL) {
        return OUTCOME_FINAL;
    }
    struct repo_attempt *attempt = vector_grow(&result->attempts);
    attempt->url = memory_text(clone->session.url.shown);
    void *context = clone;
    int status = job_run(access, &work, &context, err);
    clone = context;
    bool final = (clone != NULL && clone->delivered) || err->code == ERROR_CANCELLED;
    if (status == 0) {
        status = put_in_place(clone, request->destination, err);
    }
    if (status == 0) {
        memcpy(result->id, clone->id, sizeof result->id);
        result->branch = clone->head_branch;
        clone->head_branch = NULL;
        result->url = attempt->url;
    } else {
        attempt->reason = memory_text(err->message);
    }
    clone_free(clone);
    return status == 0 ? OUTCOME_DONE : final ? OUTCOME_FINAL : OUTCOME_NEXT;
}

/* What to say when nobody answered: every reason, under the code that all share. */
static void join_reasons(const struct repo_checkout_result *result, struct error *last, bool differ,
                         struct error *err)
{
    if (result->attempts.count == 1) {
        error_move(err, last);
        error_context(err, "%s", result->attempts.items[0].url);
        return;
    }
    CLEANUP(buffer_release) struct buffer text = BUFFER_INIT;
    for (size_t i = 0; i < result->attempts.count; i++) {
        const struct repo_attempt *attempt = &result->attempts.items[i];
        buffer_append_format(&text, "%s%s: %s", i > 0 ? "; " : "", attempt->url, attempt->reason);
    }
    error_set(err, differ ? ERROR_NETWORK : last->code,
              "none of the repository's %zu addresses could be used: %s", result->attempts.count,
              buffer_text(&text));
    error_release(last);
}

int repo_checkout(const struct repo_checkout_request *request, const struct repo_access *access,
                  struct repo_checkout_result *ret_result, struct error *err)
{
    *ret_result = (struct repo_checkout_result){0};
    if (request->urls[0] == NULL) {
        return error_set(err, ERROR_INVALID, "no URL was given");
    }
    if (file_exists(request->destination)) {
        return error_set(err, ERROR_REFUSED, "%s exists already", request->destination);
    }
    struct error last = ERROR_INIT;
    bool differ = false;
    for (const char *const *url = request->urls; *url != NULL; url++) {
        enum error_code before = last.code;
        error_release(&last);
        enum outcome outcome = try_url(request, *url, access, ret_result, &last);
        if (outcome == OUTCOME_DONE) {
            return 0;
        }
        if (outcome == OUTCOME_FINAL) {
            error_move(err, &last);
            return -1;
        }
        differ = differ || (before != ERROR_NONE && before != last.code);
    }
    join_reasons(ret_result, &last, differ, err);
    return -1;
}

void repo_checkout_result_release(struct repo_checkout_result *result)
{
    free(result->branch);
    vector_each (struct repo_attempt *, attempt, &result->attempts) {
        free(attempt->url);
        free(attempt->reason);
    }
    vector_release(&result->attempts);
    *result = (struct repo_checkout_result){0};
}
