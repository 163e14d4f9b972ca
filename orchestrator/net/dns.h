/* Asking particular name servers, each by itself, past every cache. On the loop's thread. */
#ifndef DRCTL_NET_DNS_H
#define DRCTL_NET_DNS_H

#include <uv.h>

#include "base/error.h"
#include "net/dns_message.h"

struct dns_question {
    const char *name;
    const char *type; /* one that dns_type_number() knows */
    /* Whom to ask, NULL-terminated: "192.0.2.53", "127.0.0.1:5353", "[2001:db8::53]:53",
     * "ns1.example.com". NULL: the system's resolvers, recursively, as one server. */
    const char *const *servers;
    bool is_recursive;  /* with RD set; an authoritative server does not need it */
    int64_t timeout_ms; /* for each server; 0: five seconds */
};

/* What one server said. */
struct dns_reply {
    char *server;     /* as it was given; "the system's resolver" */
    struct error err; /* ERROR_NETWORK, ERROR_TIMEOUT, …: then no answer */
    struct dns_answer answer;
    int64_t latency_ms;
};

struct dns_replies {
    VECTOR(struct dns_reply)
    list; /* in the order of the servers */
};
void dns_replies_release(struct dns_replies *replies);

/* Ends a query once, never from inside dns_ask(). err is set only when nobody could be asked; what
 * a single server failed in is in its reply. Both are released afterwards. */
typedef void dns_done(void *context, struct dns_replies *replies, struct error *err);

struct dns_query;

/* Asks all servers at once. */
struct dns_query *dns_ask(uv_loop_t *loop, const struct dns_question *question, dns_done *done,
                          void *context);

/* done() follows soon, with ERROR_CANCELLED. */
void dns_cancel(struct dns_query *query);

#endif
