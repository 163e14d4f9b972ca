/* The network for an action, in blocking style: each call waits on the attempt's thread while the
 * work is done on the loop, and ends early when the attempt has to stop. */
#ifndef DRCTL_ACTIONS_NETWORK_NET_SESSION_H
#define DRCTL_ACTIONS_NETWORK_NET_SESSION_H

#include "attempt/attempt.h"
#include "net/api_call.h"
#include "net/dns.h"
#include "net/http.h"

struct net_session;

/* A session for AWS, with the credentials and endpoints that the attempt's environment, the profile
 * and the AWS files lead to; profile and region may be NULL. */
MUST_USE int net_session_open_aws(struct attempt *attempt, const char *profile, const char *region,
                                  struct net_session **ret_session, struct error *err);

/* A session for plain HTTP. */
MUST_USE int net_session_open(struct attempt *attempt, struct net_session **ret_session,
                              struct error *err);

/* Gives it back; also while the attempt has to stop. NULL is accepted. */
void net_session_close(struct net_session *session);
void net_session_cleanup(struct net_session **session); /* for CLEANUP() */

struct attempt *net_session_attempt(const struct net_session *session);

/* The client of a session for AWS; for use on the loop. */
struct api_client *net_session_client(const struct net_session *session);

/* 0 with a response, whatever its status. The caller releases it with net_response_release(). */
MUST_USE int net_session_http(struct net_session *session, const struct http_request *request,
                              struct http_response *ret_response, struct error *err);
void net_response_release(struct http_response *response);

/* 0 for a status of 200 to 299. The caller releases the answer in either case. */
MUST_USE int net_session_call(struct net_session *session, const struct api_request *request,
                              struct api_answer *ret_answer, struct error *err);
void net_answer_release(struct api_answer *answer);

/* 0 when servers were asked; what each of them said is in its reply. The caller releases the
 * replies. */
MUST_USE int net_ask_dns(struct attempt *attempt, const struct dns_question *question,
                         struct dns_replies *ret_replies, struct error *err);

/* For other bridges of the same kind: the end of a piece of work. */
struct net_wait {
    struct attempt_wait *wait;
    struct error err; /* of the work */
};

/* attempt_await() whose work leaves its error in net->err. */
MUST_USE int net_wait_run(struct attempt *attempt, struct net_wait *net,
                          void (*start)(struct attempt_wait *wait, uv_loop_t *loop, void *context),
                          void (*cancel)(void *context), void *context, struct error *err);

#endif
