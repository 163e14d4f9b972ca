/* Percent-encoding (RFC 3986), queries and forms. */
#ifndef DRCTL_NET_URI_H
#define DRCTL_NET_URI_H

#include <stdbool.h>

#include "base/buffer.h"
#include "base/compiler.h"
#include "base/error.h"
#include "base/span.h"
#include "base/vector.h"

/* Names and values as they are meant, not encoded. A name may come more than once. */
struct uri_pair {
    char *name;
    char *value;
};

struct uri_pairs {
    VECTOR(struct uri_pair)
    list;
};

void uri_pairs_add(struct uri_pairs *pairs, const char *name, const char *value);
void uri_pairs_add_integer(struct uri_pairs *pairs, const char *name, long long value);
void uri_pairs_release(struct uri_pairs *pairs);

/* Appends bytes with everything but letters, digits and "-_.~" as %XX; "/" stays when keep_slashes.
 */
void uri_encode(struct buffer *out, struct span bytes, bool keep_slashes);

/* Appends "a=1&b=2", each part encoded, in the order given: a query, or a form's body. */
void uri_encode_pairs(struct buffer *out, const struct uri_pairs *pairs);

/* The same, sorted by encoded name and then by encoded value, as SigV4 wants it. (Sorting the
 * joined "name=value" strings would put "Param-3=" before "Param=", since "-" is less than "=".) */
void uri_encode_pairs_sorted(struct buffer *out, const struct uri_pairs *pairs);

/* An endpoint, taken apart. */
struct uri_origin {
    char *scheme;    /* "http" or "https" */
    char *authority; /* host and, when the URL names one, port: the Host header */
    char *path;      /* without a slash at its end; "" for none */
};

/* ERROR_INVALID when the URL is not an http or https one, or has a query or a fragment. */
MUST_USE int uri_origin_parse(const char *url, struct uri_origin *ret_origin, struct error *err);
void uri_origin_release(struct uri_origin *origin);

#endif
