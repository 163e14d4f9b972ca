/* STS for an action, in blocking style; always by a regional endpoint, since the global one lives
 * in us-east-1. */
#ifndef DRCTL_ACTIONS_NETWORK_STS_SESSION_H
#define DRCTL_ACTIONS_NETWORK_STS_SESSION_H

#include "network/net_session.h"

struct sts_identity {
    char *account;
    char *arn;
    char *user_id;
};
void sts_identity_release(struct sts_identity *identity);

/* Who the session's credentials, or (not NULL) the given ones, are. */
MUST_USE int sts_get_identity(struct net_session *session, const struct credentials *credentials,
                              struct sts_identity *ret_identity, struct error *err);

struct sts_role {
    const char *arn;
    const char *session_name;
    const char *external_id; /* NULL: none */
    int64_t duration_s;      /* 0: STS's default, an hour */
};

/* Credentials of a role; the caller releases them. */
MUST_USE int sts_assume_role(struct net_session *session, const struct sts_role *role,
                             struct credentials *ret_credentials, struct error *err);

#endif
