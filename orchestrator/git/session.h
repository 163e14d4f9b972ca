/* One conversation with one remote, on a job's thread: who may be told what, and what libgit2 is to
 * call. It owns copies of everything, since the job may outlive its caller's interest. */
#ifndef DRCTL_GIT_SESSION_H
#define DRCTL_GIT_SESSION_H

#include <git2.h>
#include <stdbool.h>

#include "base/compiler.h"
#include "base/error.h"
#include "git/job.h"
#include "git/repo.h"
#include "git/url.h"

struct session {
    char *text; /* the URL as given, secrets included */
    struct url url;
    char *username;
    char *token;
    char **credential_helper;
    char *ssh_key;
    int64_t connect_timeout_ms;

    struct job *job;      /* set while it runs */
    int keys_tried;       /* how far the list of SSH keys has been gone through */
    bool password_sent;   /* the one there is was not accepted if it is asked for again */
    struct error failure; /* what a callback knows better than libgit2 */
    int percent_said;
};

MUST_USE int session_init(struct session *session, const char *url,
                          const struct repo_access *access, struct error *err);
void session_release(struct session *session);

/* Fails when the remote's host does not take a connection in time, which libgit2 would wait for
 * much longer. Nothing is sent. */
MUST_USE int session_reach(struct session *session, struct error *err);

/* Fills in the callbacks; their payload is the session. */
void session_callbacks(struct session *session, git_remote_callbacks *callbacks);

/* As library_error(), but what a callback noted comes first. */
int session_error(struct session *session, struct error *err, int status, const char *what);

/* May secrets that were given for the session's URL be sent to this one? */
bool session_trusts(const struct session *session, const struct url *url);

#endif
