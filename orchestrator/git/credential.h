/* Which key or password is offered next. */
#ifndef DRCTL_GIT_CREDENTIAL_H
#define DRCTL_GIT_CREDENTIAL_H

#include "git/session.h"

/* Answers libgit2's question for url (allowed: GIT_CREDENTIAL_…). A libgit2 status; on failure
 * session->failure says what was tried. */
int credential_answer(struct session *session, const struct url *url, const char *user,
                      unsigned int allowed, git_credential **out);

#endif
