/* Git without a git program: check out, commit and push on libgit2. (libgit2 owns the names that
 * start with git_, so these start with repo_.)
 *
 * All calls block and are meant for a thread of the caller's own; none of them blocks for longer
 * than its time limits say, whatever the network does. Callbacks come on the calling thread. */
#ifndef DRCTL_GIT_REPO_H
#define DRCTL_GIT_REPO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/compiler.h"
#include "base/error.h"

/* A commit id in hexadecimal and its NUL. */
enum { REPO_ID_SIZE = 41 };

/* How to get at remotes. All zero is a good default. Borrowed during a call. */
struct repo_access {
    /* HTTPS. A token or password is sent to the hosts of the URLs that the caller names, over the
     * scheme that he names, and never to those of submodules elsewhere. */
    const char *username; /* NULL: "git"; hosting services take any name with a token */
    const char *token;    /* NULL: ask the helper */
    /* argv of a git credential helper that is asked when there is no token, such as
     * {"git", "credential", "fill", NULL}; NULL: none. */
    const char *const *credential_helper;
    const char *ca_file; /* PEM; NULL: the system's. Applies to the whole process once set. */

    /* SSH: the agent first when there is one, then this key (NULL: the usual ones in ~/.ssh). Host
     * keys must stand in ~/.ssh/known_hosts. */
    const char *ssh_key;

    int64_t connect_timeout_ms; /* 0: 10 s, for each address of a host */
    int64_t stall_timeout_ms;   /* 0: 60 s without any sign of progress */

    bool (*cancelled)(void *data);                  /* asked some ten times a second; may be NULL */
    void (*progress)(void *data, const char *line); /* a line for people; may be NULL */
    void *data;
};

struct repo_attempt {
    char *url;
    char *reason; /* why it did not answer; NULL for the one that did */
};

struct repo_checkout_request {
    const char *const
        *urls;       /* NULL-terminated, tried in order: file, http(s), ssh, scp-like, path */
    const char *ref; /* branch, tag, commit (at least 7 digits) or full name; NULL: HEAD */
    const char
        *destination;   /* must not exist; its parent must. Is there completely or not at all. */
    const char *branch; /* a new local branch at that commit; NULL: none */
    bool submodules;
};

struct repo_checkout_result {
    char *url; /* the one that answered; part of attempts */
    char id[REPO_ID_SIZE];
    char *branch; /* the local branch that HEAD is on; NULL when detached */
    VECTOR(struct repo_attempt)
    attempts;
};

/* Clones and checks out. A submodule is untrusted: its path stays inside, its URL may not name
 * local files unless the parent is a local one. ERROR_NOT_FOUND when the ref is not there,
 * ERROR_INVALID when it is ambiguous, ERROR_NETWORK when no URL answered (every reason is in the
 * message), ERROR_REFUSED for an existing destination or a submodule as above, ERROR_NOT_READY for
 * missing credentials or an unknown host key. attempts is filled in on failure, too; release the
 * result in any case. */
MUST_USE int repo_checkout(const struct repo_checkout_request *request,
                           const struct repo_access *access,
                           struct repo_checkout_result *ret_result, struct error *err);
void repo_checkout_result_release(struct repo_checkout_result *result);

/* Where a checkout stands. *ret_branch (may be NULL) is NULL when detached; the caller frees it. */
MUST_USE int repo_head(const char *path, char ret_id[REPO_ID_SIZE], char **ret_branch,
                       struct error *err);

/* Appends what `git diff HEAD` would show of the working tree, new files included. */

MUST_USE int repo_diff(const char *path, struct buffer *ret_diff, struct error *err);

struct repo_commit_request {
    const char *path; /* the checkout */
    const char *const
        *paths; /* literal files or folders in it, NULL-terminated; NULL: everything */
    const char *message;
    const char *author_name;  /* NULL: user.name of git's configuration, or "drctl" */
    const char *author_email; /* NULL: user.email, or "drctl@localhost" */
};

struct repo_commit_result {
    char id[REPO_ID_SIZE]; /* the new commit, or HEAD when there was nothing to commit */
    bool committed;
    size_t files; /* changed by it */
};

/* Commits on top of HEAD what differs from it; makes no empty commit. */
MUST_USE int repo_commit(const struct repo_commit_request *request,
                         struct repo_commit_result *ret_result, struct error *err);

struct repo_push_request {
    const char *path;
    const char *url;    /* the one that answered to the checkout */
    const char *branch; /* local and remote name */
};

struct repo_push_result {
    char id[REPO_ID_SIZE]; /* what the remote branch is now */
    bool pushed;           /* false: it was there already */
    bool confirmed_later;  /* the connection broke, and a second look found the push done */
};

/* Pushes without force. ERROR_REFUSED when the remote branch has commits that are not here or the
 * remote rejects it, with its words. A connection that breaks is answered by looking at the remote
 * branch; ERROR_UNKNOWN only when not even that can be done. May be repeated. */
MUST_USE int repo_push(const struct repo_push_request *request, const struct repo_access *access,
                       struct repo_push_result *ret_result, struct error *err);

/* Takes a branch of a remote away when it stands at the commit `id`; *ret_removed is false when it
 * is gone already. ERROR_REFUSED when it stands elsewhere: it is somebody else's then. May be
 * repeated. */
MUST_USE int repo_remove_branch(const struct repo_push_request *request, const char *id,
                                const struct repo_access *access, bool *ret_removed,
                                struct error *err);

/* What a remote ref ("refs/heads/main", "HEAD") points at. ERROR_NOT_FOUND when it is not there. */
MUST_USE int repo_remote_ref(const char *url, const char *ref, const struct repo_access *access,
                             char ret_id[REPO_ID_SIZE], struct error *err);

#endif
