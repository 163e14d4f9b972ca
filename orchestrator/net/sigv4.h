/* AWS Signature Version 4, in the headers of a request. Each intermediate can be had by itself. */
#ifndef DRCTL_NET_SIGV4_H
#define DRCTL_NET_SIGV4_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/digest.h"
#include "base/span.h"
#include "net/credentials.h"
#include "net/http.h"
#include "net/uri.h"

struct sigv4_request {
    const char *method;
    const char *path;              /* encoded once, as it is sent; "" is "/" */
    const struct uri_pairs *query; /* NULL: none */
    struct span body;
    const char *service; /* signing name: "route53", "s3", "sts" */
    const char *region;
    int64_t at_s; /* seconds since 1970, corrected for the skew of this machine's clock */
};

/* Adds what the signature covers beside the caller's own headers (X-Amz-Date, X-Amz-Security-Token,
 * for s3 X-Amz-Content-SHA256) and the Authorization header, replacing earlier ones, so that the
 * same headers can be signed again for a retry. `Host` must be among the headers. */
void sigv4_sign(const struct sigv4_request *request, const struct credentials *credentials,
                struct http_headers *headers);

/* The intermediates. The canonical request covers all given headers but those that a proxy may
 * change. */
void sigv4_canonical_request(const struct sigv4_request *request,
                             const struct http_headers *headers, struct buffer *out);
void sigv4_string_to_sign(const struct sigv4_request *request, struct span canonical_request,
                          struct buffer *out);
void sigv4_signature(const struct sigv4_request *request, const char *secret_key,
                     struct span string_to_sign, char hex[DIGEST_HEX_SIZE]);

#endif
