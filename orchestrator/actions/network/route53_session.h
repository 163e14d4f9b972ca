/* Route 53 for an action, in blocking style. */
#ifndef DRCTL_ACTIONS_NETWORK_ROUTE53_SESSION_H
#define DRCTL_ACTIONS_NETWORK_ROUTE53_SESSION_H

#include "net/route53_api.h"
#include "network/net_session.h"

/* What the calls share; rate_per_s of 0 is the default. The session stays the caller's. */
struct route53_calls {
    struct net_session *session;
    struct route53_session route53;
};

void route53_calls_init(struct route53_calls *calls, struct net_session *session,
                        int64_t rate_per_s);

/* Each as the operation of net/route53_api.h; the caller releases what it is given. */
MUST_USE int route53_calls_list(struct route53_calls *calls, const char *zone_id,
                                struct route53_sets *ret_sets, struct error *err);
MUST_USE int route53_calls_find_zone(struct route53_calls *calls, const char *name,
                                     enum route53_zone_kind kind, struct route53_zone *ret_zone,
                                     struct error *err);
MUST_USE int route53_calls_get_zone(struct route53_calls *calls, const char *zone_id,
                                    struct route53_zone *ret_zone, struct error *err);

/* *ret_id is the change's, freed by the caller. */
MUST_USE int route53_calls_change(struct route53_calls *calls, const char *zone_id,
                                  const struct route53_batch *batch, char **ret_id,
                                  struct error *err);
MUST_USE int route53_calls_wait(struct route53_calls *calls, const char *change_id,
                                int64_t interval_ms, int64_t timeout_ms, struct error *err);

#endif
