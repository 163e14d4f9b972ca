/* DNS answers (RFC 1035) as text. Pure. */
#ifndef DRCTL_NET_DNS_MESSAGE_H
#define DRCTL_NET_DNS_MESSAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/error.h"
#include "base/span.h"
#include "base/vector.h"

struct dns_record {
    char *name; /* with a dot at its end, as the server spelled it */
    char *type; /* "A", "CNAME", or "TYPE65" for one without a name here */
    int64_t ttl_s;
    char *value; /* as in a zone file and in Route 53: "192.0.2.1", "\"text\"", "10 mx.example.com."
                  */
};

struct dns_answer {
    int rcode; /* 0: NOERROR, 3: NXDOMAIN, … */
    bool is_authoritative;
    VECTOR(struct dns_record)
    records; /* the answer section, in its order */
};

/* The type's number, -1 for a name that is not known; and the name of an rcode ("NXDOMAIN"). */
int dns_type_number(const char *name);
const char *dns_rcode_name(int rcode);

MUST_USE int dns_message_parse(struct span message, struct dns_answer *ret_answer,
                               struct error *err);
void dns_answer_release(struct dns_answer *answer);

/* The records' values of that type, sorted; the pointers are borrowed, the array is freed by the
 * caller. */
size_t dns_answer_values(const struct dns_answer *answer, const char *type,
                         const char ***ret_values);

#endif
