/* Submodules: somebody else's words about what to fetch from where. */
#ifndef DRCTL_GIT_SUBMODULE_H
#define DRCTL_GIT_SUBMODULE_H

#include <git2.h>

#include "base/compiler.h"
#include "base/error.h"
#include "git/session.h"

/* Fetches and checks out all submodules of a checkout, and theirs. parent is the session that the
 * checkout came through. ERROR_REFUSED for a path that leaves the checkout or a URL that reaches
 * for what the parent could not: local files from a remote parent, plain HTTP from HTTPS. */
MUST_USE int submodule_update_all(git_repository *repository, const struct session *parent,
                                  struct error *err);

#endif
