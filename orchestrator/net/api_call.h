/* Calls of AWS APIs: found, signed, retried, judged. On the loop's thread; each call ends with
 * exactly one call of its done(), never from inside api_call_start(). */
#ifndef DRCTL_NET_API_CALL_H
#define DRCTL_NET_API_CALL_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "base/buffer.h"
#include "net/aws_settings.h"
#include "net/credentials.h"
#include "net/http.h"
#include "net/uri.h"

struct api_client;

/* A client on a loop, with the credentials that the settings lead to; they are found when a call
 * first needs them and renewed in time. The settings are taken over. */
struct api_client *api_client_new(uv_loop_t *loop, struct aws_settings *settings_take);

/* Cancels what still runs. The pointer is dead at once; memory follows when the loop has come
 * round. NULL is accepted. */
void api_client_close(struct api_client *client);

const struct aws_settings *api_client_settings(const struct api_client *client);
uv_loop_t *api_client_loop(const struct api_client *client);
struct http_client *api_client_http(const struct api_client *client);

enum { AWS_TIMEOUT_DEFAULT_MS = 60000, AWS_TRY_TIMEOUT_MS = 20000 };

struct api_request {
    const char *service;   /* "route53" */
    const char *operation; /* "ListHostedZonesByName": for messages */
    const char *region;    /* NULL: the settings' */
    const char *endpoint;  /* NULL: the settings' or AWS's */
    const char *method;
    const char *path;                   /* encoded, behind the endpoint's own; NULL: "/" */
    const struct uri_pairs *query;      /* NULL: none */
    const struct http_headers *headers; /* NULL: none; Host and the signature are added */
    struct span body;
    int64_t timeout_ms; /* all tries and waits together; 0: the default above */
    unsigned attempts;  /* tries at most; 0: five */
    /* The request must not be carried out twice: it is sent again only when the server certainly
     * did not act on it (no connection, throttled). Otherwise ERROR_UNKNOWN: the caller looks. */
    bool once;
    bool is_unsigned;
    const struct credentials *credentials; /* NULL: the client's; copied */
};

struct api_answer {
    long status;
    struct http_headers headers;
    struct buffer body;
    char *code; /* AWS's error code; NULL when it answered with success, or not at all */
    unsigned attempts;
};

/* err clear: a status of 200 to 299. Otherwise err says what, and answer what is known. Both are
 * released afterwards; what they hold may be moved out. */
typedef void api_done(void *context, struct api_answer *answer, struct error *err);

struct api_call;

/* Starts a call, of which everything is copied. */
struct api_call *api_call_start(struct api_client *client, const struct api_request *request,
                                api_done *done, void *context);

/* done() follows soon with ERROR_CANCELLED. */
void api_call_cancel(struct api_call *call);

/* The client's credentials, for children that need a snapshot: done() comes later, once, with
 * credentials that hold for margin_ms (valid during the call), or NULL and an error. */
typedef void api_credentials_done(void *context, const struct credentials *credentials,
                                  struct error *err);
void api_client_credentials(struct api_client *client, int64_t margin_ms,
                            api_credentials_done *done, void *context);

/* Nothing comes for that context any more. */
void api_client_credentials_forget(struct api_client *client, const void *context);

#endif
