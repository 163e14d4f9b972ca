/* What an AWS service says when it refuses, in any of the forms in which services say it. */
#ifndef DRCTL_NET_API_ERROR_H
#define DRCTL_NET_API_ERROR_H

#include "base/error.h"
#include "base/span.h"
#include "net/http.h"

struct api_error {
    char *code;       /* "Throttling"; never NULL after api_error_parse() */
    char *message;    /* may be "" */
    char *request_id; /* NULL when there is none */
};

/* Reads the answer of a status outside 200–299: ErrorResponse/Error (query, REST-XML), Error (S3),
 * InvalidChangeBatch/Messages (old Route 53), Response/Errors (EC2), JSON with __type or code. What
 * cannot be read gives the code "HTTP503". */
void api_error_parse(long status, const struct http_headers *headers, struct span body,
                     struct api_error *ret_error);
void api_error_release(struct api_error *error);

/* Sets err: "route53 ChangeResourceRecordSets: InvalidChangeBatch: …", with the kind of failure. */
int api_error_set(const struct api_error *error, long status, const char *service,
                  const char *operation, struct error *err);

#endif
