/* The calls of Route 53. On the loop's thread; each operation ends with exactly one call of its
 * done(), never from inside the function that started it. */
#ifndef DRCTL_NET_ROUTE53_API_H
#define DRCTL_NET_ROUTE53_API_H

#include "net/api_call.h"
#include "net/retry.h"
#include "net/route53.h"

/* What the operations of one caller share. The bucket keeps to the account's rate; Route 53 allows
 * five requests a second by its older documents, ten by its newer ones. */
struct route53_session {
    struct api_client *client;
    struct token_bucket bucket;
    int64_t timeout_ms; /* of each operation altogether; 0: two minutes */
};

enum { ROUTE53_RATE_DEFAULT_PER_S = 5, ROUTE53_BURST_DEFAULT = 5 };

/* Which zone of a name is meant; there may be one of each. */
enum route53_zone_kind { ROUTE53_PUBLIC, ROUTE53_PRIVATE };

struct route53_result {
    struct route53_sets sets;          /* route53_list() */
    struct route53_zone zone;          /* route53_find_zone(), route53_get_zone() */
    struct route53_change_info change; /* route53_change(), route53_wait_insync() */
};

/* err clear: the result holds what the operation promises; it is released afterwards, what it holds
 * may be moved out. */
typedef void route53_done(void *context, struct route53_result *result, struct error *err);

struct route53_operation;

/* All record sets of a zone, page by page. */
struct route53_operation *route53_list(struct route53_session *session, const char *zone_id,
                                       route53_done *done, void *context);

/* The one zone of exactly that name and kind. ERROR_NOT_FOUND when there is none, ERROR_INVALID
 * when there are several. */
struct route53_operation *route53_find_zone(struct route53_session *session, const char *name,
                                            enum route53_zone_kind kind, route53_done *done,
                                            void *context);

/* A zone by its id, with its name servers. */
struct route53_operation *route53_get_zone(struct route53_session *session, const char *zone_id,
                                           route53_done *done, void *context);

/* Sends a batch. ERROR_UNKNOWN when it may have been applied: list again and see. */
struct route53_operation *route53_change(struct route53_session *session, const char *zone_id,
                                         const struct route53_batch *batch, route53_done *done,
                                         void *context);

/* Asks for a change's state every interval_ms until it is INSYNC or timeout_ms have passed
 * (ERROR_TIMEOUT). */
struct route53_operation *route53_wait_insync(struct route53_session *session,
                                              const char *change_id, int64_t interval_ms,
                                              int64_t timeout_ms, route53_done *done,
                                              void *context);

/* done() follows soon with ERROR_CANCELLED (ERROR_UNKNOWN for a batch that was under way). */
void route53_cancel(struct route53_operation *operation);

#endif
