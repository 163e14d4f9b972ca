/* Pushing, and asking a remote where its refs stand. A push is an effect on somebody else's
 * machine: its end may stay unseen. So the remote branch is read before and, when the connection
 * broke, after; what it says then, and not the connection's error, is the answer. */
#include <git2.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "git/job.h"
#include "git/library.h"
#include "git/repo.h"
#include "git/session.h"

/* --- asking -------------------------------------------------------------------------------------
 */

static int list_refs(git_remote *remote, const char *ref, git_oid *ret_id, bool *ret_found)
{
    const git_remote_head **heads;
    size_t count;
    int status = git_remote_ls(&heads, &count, remote);
    *ret_found = false;
    for (size_t i = 0; status == 0 && i < count; i++) {
        if (strcmp(heads[i]->name, ref) == 0) {
            git_oid_cpy(ret_id, &heads[i]->oid);
            *ret_found = true;
        }
    }
    return status;
}

/* Connects, lists, disconnects. */
static int read_ref(struct session *session, git_remote *remote, git_direction direction,
                    const char *ref, git_oid *ret_id, bool *ret_found, struct error *err)
{
    git_remote_callbacks callbacks = GIT_REMOTE_CALLBACKS_INIT;
    git_proxy_options proxy = GIT_PROXY_OPTIONS_INIT;
    proxy.type = GIT_PROXY_AUTO;
    session_callbacks(session, &callbacks);
    session->keys_tried = 0;
    session->password_sent = false;
    if (session_reach(session, err) != 0) {
        return -1;
    }
    int status = git_remote_connect(remote, direction, &callbacks, &proxy, NULL);
    if (status == 0) {
        status = list_refs(remote, ref, ret_id, ret_found);
    }
    (void)git_remote_disconnect(remote);
    return status == 0 ? 0 : session_error(session, err, status, "no connection");
}

struct question {
    struct session session;
    char *ref;
    git_oid id;
    bool found;
};

static void question_free(void *context)
{
    struct question *question = context;
    if (question != NULL) {
        session_release(&question->session);
        free(question->ref);
        free(question);
    }
}

static int run_question(struct job *job, void *context, struct error *err)
{
    struct question *question = context;
    question->session.job = job;
    git_remote *remote = NULL;
    int status = git_remote_create_detached(&remote, question->session.url.shown);
    if (status < 0) {
        return library_error(err, status, "cannot ask the remote");
    }
    int result = read_ref(&question->session, remote, GIT_DIRECTION_FETCH, question->ref,
                          &question->id, &question->found, err);
    git_remote_free(remote);
    return result;
}

int repo_remote_ref(const char *url, const char *ref, const struct repo_access *access,
                    char ret_id[REPO_ID_SIZE], struct error *err)
{
    static const struct job_work work = {run_question, question_free};
    struct question *question = memory_new(1, sizeof *question);
    if (session_init(&question->session, url, access, err) != 0) {
        free(question);
        return -1;
    }
    question->ref = memory_text(ref);
    CLEANUP(memory_cleanup) char *shown = memory_text(question->session.url.shown);
    void *context = question;
    int result = job_run(access, &work, &context, err);
    question = context;
    if (result != 0) {
        error_context(err, "%s", shown);
    } else if (question->found) {
        git_oid_tostr(ret_id, REPO_ID_SIZE, &question->id);
    } else {
        result = error_set(err, ERROR_NOT_FOUND, "%s has no %s", shown, ref);
    }
    question_free(question);
    return result;
}

/* --- pushing ------------------------------------------------------------------------------------
 */

struct push {
    struct session session;
    char *path;
    char *ref;
    git_repository *repository;
    git_remote *remote;
    git_oid local;
    bool removes; /* takes the branch away that stands at `local` */
    bool sent;    /* from here on the outcome is the remote's to tell */
    struct repo_push_result result;
};

static void push_free(void *context)
{
    struct push *push = context;
    if (push != NULL) {
        git_remote_free(push->remote);
        git_repository_free(push->repository);
        session_release(&push->session);
        free(push->path);
        free(push->ref);
        free(push);
    }
}

static int open_push(struct push *push, struct error *err)
{
    int status =
        git_repository_open_ext(&push->repository, push->path, GIT_REPOSITORY_OPEN_NO_SEARCH, NULL);
    if (status < 0) {
        return library_error(err, status, "%s is not a usable checkout", push->path);
    }
    if (!push->removes) {
        status = git_reference_name_to_id(&push->local, push->repository, push->ref);
    }
    if (status < 0) {
        return library_error(err, status, "there is nothing to push");
    }
    status = git_remote_create_anonymous(&push->remote, push->repository, push->session.url.shown);
    return status == 0 ? 0 : library_error(err, status, "cannot push");
}

static bool is_known(git_repository *repository, const git_oid *id)
{
    git_commit *commit = NULL;
    bool known = git_commit_lookup(&commit, repository, id) == 0;
    git_commit_free(commit);
    return known;
}

/* A remote branch may be moved forward, along commits that are here. */
static int require_fast_forward(struct push *push, const git_oid *remote, struct error *err)
{
    size_t ahead;
    size_t behind;
    if (is_known(push->repository, remote) &&
        git_graph_ahead_behind(&ahead, &behind, push->repository, &push->local, remote) == 0 &&
        behind == 0) {
        return 0;
    }
    char id[REPO_ID_SIZE];
    git_oid_tostr(id, sizeof id, remote);
    error_set(err, ERROR_REFUSED,
              "%s on the remote stands at %.12s, which is not part of what would be pushed",
              push->ref, id);
    return error_hint(err, "somebody else pushed to it; nothing was changed");
}

static int hear_verdict(const char *ref, const char *refusal, void *payload)
{
    struct session *session = payload;
    if (refusal != NULL) {
        error_set(&session->failure, ERROR_REFUSED, "the remote refuses %s: %.300s", ref, refusal);
    }
    return 0;
}

static int note_sending(const git_push_update **updates, size_t count, void *payload)
{
    struct session *session = payload;
    struct push *push = (struct push *)((char *)session - offsetof(struct push, session));
    if (push->removes && count > 0 && !git_oid_equal(&updates[0]->src, &push->local)) {
        return error_set(&session->failure, ERROR_REFUSED, "%s on the remote has moved meanwhile",
                         push->ref);
    }
    push->sent = true;
    return job_is_stopping(session->job) ? -1 : 0;
}

static int send_branch(struct push *push, struct error *err)
{
    git_push_options options = GIT_PUSH_OPTIONS_INIT;
    options.proxy_opts.type = GIT_PROXY_AUTO;
    session_callbacks(&push->session, &options.callbacks);
    options.callbacks.push_update_reference = hear_verdict;
    options.callbacks.push_negotiation = note_sending;
    push->session.keys_tried = 0;
    push->session.password_sent = false;
    CLEANUP(memory_cleanup)
    char *spec = memory_format("%s:%s", push->removes ? "" : push->ref, push->ref);
    char *specs[] = {spec};
    git_strarray refspecs = {specs, 1};
    int status = git_remote_push(push->remote, &refspecs, &options);
    if (status == GIT_ENONFASTFORWARD) {
        return error_set(err, ERROR_REFUSED, "%s on the remote has moved meanwhile", push->ref);
    }
    if (status < 0 || error_is_set(&push->session.failure)) {
        return session_error(&push->session, err, status, "the push broke off");
    }
    return 0;
}

/* After a broken connection: did it happen? */
static int look_again(struct push *push, const git_oid *before, bool existed, struct error *broken,
                      struct error *err)
{
    git_oid now;
    bool found;
    struct error again = ERROR_INIT;
    if (read_ref(&push->session, push->remote, GIT_DIRECTION_FETCH, push->ref, &now, &found,
                 &again) != 0) {
        error_set(err, ERROR_UNKNOWN, "%s, and whether %s was moved cannot be asked: %s",
                  broken->message, push->ref, again.message);
        error_release(&again);
        error_release(broken);
        return -1;
    }
    if (found && git_oid_equal(&now, &push->local)) {
        push->result.pushed = true;
        push->result.confirmed_later = true;
        error_release(broken);
        return 0;
    }
    bool unchanged = found == existed && (!found || git_oid_equal(&now, before));
    if (!unchanged) {
        error_set(err, ERROR_REFUSED, "%s on the remote was moved by somebody else", push->ref);
        error_release(broken);
        return -1;
    }
    error_move(err, broken);
    return -1;
}

static int run_push(struct job *job, void *context, struct error *err)
{
    struct push *push = context;
    push->session.job = job;
    git_oid before;
    bool existed;
    if (open_push(push, err) != 0 || read_ref(&push->session, push->remote, GIT_DIRECTION_PUSH,
                                              push->ref, &before, &existed, err) != 0) {
        return -1;
    }
    git_oid_tostr(push->result.id, sizeof push->result.id, &push->local);
    if (existed && git_oid_equal(&before, &push->local)) {
        return 0;
    }
    if (existed && require_fast_forward(push, &before, err) != 0) {
        return -1;
    }
    struct error broken = ERROR_INIT;
    if (send_branch(push, &broken) == 0) {
        push->result.pushed = true;
        return 0;
    }
    if (!push->sent || broken.code == ERROR_REFUSED) {
        error_move(err, &broken);
        return -1;
    }
    return look_again(push, &before, existed, &broken, err);
}

/* A job that was left alone may have sent something, and nobody knows. */
static void doubt(const struct push *push, struct error *err)
{
    if (push == NULL) {
        CLEANUP(error_release) struct error why = ERROR_INIT;
        error_move(&why, err);
        error_set(err, ERROR_UNKNOWN, "%s while pushing; the remote branch may have been moved",
                  why.message);
    }
}

int repo_push(const struct repo_push_request *request, const struct repo_access *access,
              struct repo_push_result *ret_result, struct error *err)
{
    static const struct job_work work = {run_push, push_free};
    struct push *push = memory_new(1, sizeof *push);
    if (session_init(&push->session, request->url, access, err) != 0) {
        free(push);
        return -1;
    }
    push->path = memory_text(request->path);
    push->ref = memory_format("refs/heads/%s", request->branch);
    CLEANUP(memory_cleanup) char *shown = memory_text(push->session.url.shown);
    void *context = push;
    int result = job_run(access, &work, &context, err);
    push = context;
    if (result == 0) {
        *ret_result = push->result;
    } else {
        doubt(push, err);
        error_context(err, "%s", shown);
    }
    push_free(push);
    return result;
}

/* --- taking away --------------------------------------------------------------------------------
 */

static int refuse_other(const struct push *push, const git_oid *now, struct error *err)
{
    char id[REPO_ID_SIZE];
    git_oid_tostr(id, sizeof id, now);
    return error_set(err, ERROR_REFUSED, "%s on the remote stands at %.12s now and stays",
                     push->ref, id);
}

static int run_removal(struct job *job, void *context, struct error *err)
{
    struct push *push = context;
    push->session.job = job;
    git_oid now;
    bool found;
    if (open_push(push, err) != 0 || read_ref(&push->session, push->remote, GIT_DIRECTION_PUSH,
                                              push->ref, &now, &found, err) != 0) {
        return -1;
    }
    if (!found) {
        return 0;
    }
    if (!git_oid_equal(&now, &push->local)) {
        return refuse_other(push, &now, err);
    }
    struct error broken = ERROR_INIT;
    push->result.pushed = true;
    if (send_branch(push, &broken) == 0) {
        return 0;
    }
    if (push->sent && broken.code != ERROR_REFUSED &&
        read_ref(&push->session, push->remote, GIT_DIRECTION_FETCH, push->ref, &now, &found,
                 NULL) == 0 &&
        !found) {
        error_release(&broken);
        return 0;
    }
    error_move(err, &broken);
    return -1;
}

int repo_remove_branch(const struct repo_push_request *request, const char *id,
                       const struct repo_access *access, bool *ret_removed, struct error *err)
{
    static const struct job_work work = {run_removal, push_free};
    struct push *push = memory_new(1, sizeof *push);
    if (session_init(&push->session, request->url, access, err) != 0) {
        free(push);
        return -1;
    }
    push->path = memory_text(request->path);
    push->ref = memory_format("refs/heads/%s", request->branch);
    push->removes = true;
    CLEANUP(memory_cleanup) char *shown = memory_text(push->session.url.shown);
    void *context = push;
    int result = git_oid_fromstr(&push->local, id) == 0
                     ? job_run(access, &work, &context, err)
                     : error_set(err, ERROR_INVALID, "%s is no commit id", id);
    push = context;
    if (result == 0) {
        *ret_removed = push->result.pushed;
    } else {
        error_context(err, "%s", shown);
    }
    push_free(push);
    return result;
}
