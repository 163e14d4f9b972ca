/* What a git URL says: enough to decide who may see a password and what may be opened. */
#ifndef DRCTL_GIT_URL_H
#define DRCTL_GIT_URL_H

#include "base/compiler.h"
#include "base/error.h"

enum url_kind {
    URL_LOCAL, /* file:// or a path */
    URL_HTTP,
    URL_HTTPS,
    URL_SSH, /* ssh:// or user@host:path */
};

struct url {
    enum url_kind kind;
    char *shown; /* the URL without what may be secret; for messages and configuration */
    char *user;  /* NULL when there is none, as are the next two */
    char *password;
    char *host;
    char *port; /* the number, the kind's usual one when not given; NULL for URL_LOCAL */
};

/* ERROR_INVALID for other schemes, a missing host, or control characters and spaces. */
MUST_USE int url_parse(const char *text, struct url *ret_url, struct error *err);
void url_release(struct url *url);

/* "https" and so on. */
const char *url_scheme(const struct url *url);

#endif
