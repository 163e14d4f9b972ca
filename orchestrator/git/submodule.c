/* A repository that was broken into must not become a way to read this machine's files or
 * passwords. So a submodule's path, name and URL are judged before libgit2 acts on them, and
 * secrets go along only when its URL has the same scheme, host and port as its parent's. */
#include "git/submodule.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "git/library.h"

enum {
    DEPTH_LIMIT = 5,   /* a submodule of itself would never end */
    COUNT_LIMIT = 200, /* for one repository */
};

struct found {
    char *name;
    char *path;
};

struct found_list {
    VECTOR(struct found)
    items;
    bool too_many;
};

static int note_submodule(git_submodule *submodule, const char *name, void *payload)
{
    struct found_list *list = payload;
    if (list->items.count == COUNT_LIMIT) {
        list->too_many = true;
        return -1;
    }
    vector_push(&list->items,
                ((struct found){memory_text(name), memory_text(git_submodule_path(submodule))}));
    return 0;
}

static void release_list(struct found_list *list)
{
    vector_each (struct found *, one, &list->items) {
        free(one->name);
        free(one->path);
    }
    vector_release(&list->items);
}

static int judge_path(git_repository *repository, const char *path, struct error *err)
{
    CLEANUP(memory_cleanup) char *whole = NULL;
    return file_join_inside(git_repository_workdir(repository), path, &whole, err);
}

static int judge_url(const struct url *url, const struct url *parent, struct error *err)
{
    if (url->kind == URL_LOCAL && parent->kind != URL_LOCAL) {
        return error_set(err, ERROR_REFUSED,
                         "its URL %s is a local path, and the repository is not", url->shown);
    }
    if (url->kind == URL_HTTP && parent->kind != URL_HTTP && parent->kind != URL_LOCAL) {
        return error_set(err, ERROR_REFUSED, "its URL %s is not encrypted", url->shown);
    }
    return 0;
}

/* The URL in full; relative ones are taken from the parent's. The caller frees it. */
static int resolve_url(git_repository *repository, git_submodule *submodule, char **ret_url,
                       struct error *err)
{
    const char *url = git_submodule_url(submodule);
    if (url == NULL) {
        return error_set(err, ERROR_INVALID, "it has no URL");
    }
    git_buf whole = GIT_BUF_INIT;
    int status = git_submodule_resolve_url(&whole, repository, url);
    if (status < 0) {
        return library_error(err, status, "its URL cannot be resolved");
    }
    *ret_url = memory_text_n(whole.ptr, whole.size);
    git_buf_dispose(&whole);
    return 0;
}

static int open_session(struct session *session, const char *url, const struct session *parent,
                        struct error *err)
{
    struct repo_access access = {
        .ssh_key = parent->ssh_key,
        .connect_timeout_ms = parent->connect_timeout_ms,
    };
    struct url parsed;
    if (url_parse(url, &parsed, err) != 0) {
        return -1;
    }
    int result = judge_url(&parsed, &parent->url, err);
    if (result == 0 && session_trusts(parent, &parsed)) {
        access.username = parent->username != NULL ? parent->username : parent->url.user;
        access.token = parent->url.password != NULL ? parent->url.password : parent->token;
        access.credential_helper = (const char *const *)parent->credential_helper;
    }
    url_release(&parsed);
    if (result == 0) {
        result = session_init(session, url, &access, err);
        session->job = parent->job;
    }
    return result;
}

static int update_below(git_repository *repository, const struct session *parent, int depth,
                        struct error *err);

static int fetch_submodule(git_submodule *submodule, struct session *session, int depth,
                           struct error *err)
{
    git_submodule_update_options options = GIT_SUBMODULE_UPDATE_OPTIONS_INIT;
    options.checkout_opts.checkout_strategy = GIT_CHECKOUT_FORCE;
    options.fetch_opts.proxy_opts.type = GIT_PROXY_AUTO;
    session_callbacks(session, &options.fetch_opts.callbacks);
    job_say(session->job, "submodule %s from %s", git_submodule_path(submodule),
            session->url.shown);
    int status = git_submodule_update(submodule, 1, &options);
    if (status < 0) {
        return session_error(session, err, status, session->url.shown);
    }
    git_repository *inner = NULL;
    status = git_submodule_open(&inner, submodule);
    if (status < 0) {
        return library_error(err, status, "the checkout cannot be opened");
    }
    int result = update_below(inner, session, depth + 1, err);
    git_repository_free(inner);
    return result;
}

static int update_submodule(git_repository *repository, const struct found *found,
                            const struct session *parent, int depth, struct error *err)
{
    git_submodule *submodule = NULL;
    int status = git_submodule_lookup(&submodule, repository, found->name);
    if (status < 0) {
        return library_error(err, status, "it cannot be read");
    }
    CLEANUP(memory_cleanup) char *url = NULL;
    struct session session = {0};
    int result = judge_path(repository, found->path, err);
    if (result == 0) {
        result = resolve_url(repository, submodule, &url, err);
    }
    if (result == 0) {
        result = open_session(&session, url, parent, err);
    }
    if (result == 0) {
        result = session_reach(&session, err);
    }
    if (result == 0) {
        result = fetch_submodule(submodule, &session, depth, err);
    }
    session_release(&session);
    git_submodule_free(submodule);
    return result;
}

static int update_below(git_repository *repository, const struct session *parent, int depth,
                        struct error *err)
{
    struct found_list list = {0};
    int status = git_submodule_foreach(repository, note_submodule, &list);
    int result = 0;
    if (list.too_many || (list.items.count > 0 && depth == DEPTH_LIMIT)) {
        result = error_set(err, ERROR_REFUSED,
                           "there are more submodules than %d, or they are nested"
                           " more than %d deep",
                           COUNT_LIMIT, DEPTH_LIMIT);
    } else if (status < 0) {
        result = library_error(err, status, "the submodules cannot be listed");
    }
    for (size_t i = 0; result == 0 && i < list.items.count; i++) {
        result = update_submodule(repository, &list.items.items[i], parent, depth, err);
        if (result != 0) {
            error_context(err, "submodule '%s'", list.items.items[i].path);
        }
    }
    release_list(&list);
    return result;
}

int submodule_update_all(git_repository *repository, const struct session *parent,
                         struct error *err)
{
    return update_below(repository, parent, 0, err);
}
