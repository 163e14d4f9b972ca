/* HTTP on the event loop. Nothing here blocks: names are resolved on libuv's thread pool, sockets
 * are watched by the loop. Everything runs on the loop's thread. Each call ends with exactly one
 * call of its done(), never from inside http_start() or http_cancel(). */
#ifndef DRCTL_NET_HTTP_H
#define DRCTL_NET_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/buffer.h"
#include "base/compiler.h"
#include "base/error.h"
#include "base/span.h"
#include "base/vector.h"

struct http_header {
    char *name;
    char *value;
};

struct http_headers {
    VECTOR(struct http_header)
    list;
};

/* Adds a header, keeping earlier ones of the same name. */
void http_headers_add(struct http_headers *headers, const char *name, const char *value);

/* The first value of a name in any case; NULL when there is none. Borrowed. */
const char *http_headers_get(const struct http_headers *headers, const char *name);

/* Overwrites the values, which may be secrets, and frees them. */
void http_headers_release(struct http_headers *headers);

enum {
    HTTP_TIMEOUT_DEFAULT_MS = 30000,
    HTTP_CONNECT_TIMEOUT_DEFAULT_MS = 5000,
    /* An answer of an AWS API is at most a few hundred KiB; more is somebody else answering. */
    HTTP_RESPONSE_LIMIT_DEFAULT = 8 * 1024 * 1024,
};

struct http_request {
    const char *method;
    const char *url;                    /* http or https; sent as written, dots and all */
    const struct http_headers *headers; /* NULL: none */
    struct span body;
    int64_t timeout_ms;          /* for everything; 0: the default above */
    int64_t connect_timeout_ms;  /* TCP and TLS; 0: the default above */
    size_t response_limit_bytes; /* of the body; 0: the default above */
    unsigned redirects_max;      /* followed for GET and HEAD only; never from https to http */
    /* "HOST:PORT" to connect to instead of the URL's, which still names itself to the server: a new
     * site is asked before DNS points to it. NULL: the URL's. */
    const char *connect_to;
    bool no_proxy; /* straight to the host: for addresses of this machine's network */
    /* libcurl silently sends a request again when a kept connection turns out to be dead. A request
     * that must not reach the server twice asks for a new connection. */
    bool fresh_connection;
};

struct http_response {
    long status; /* 0 when there was none */
    struct http_headers headers;
    struct buffer body;
    int64_t latency_ms; /* from http_start() on, name resolution included */
    /* False when certainly no byte of the request left this machine. */
    bool sent;
};

/* Ends a call. Exactly one of two holds: err is clear and the response complete, or err is set
 * (ERROR_NETWORK, ERROR_TIMEOUT, ERROR_CANCELLED, ERROR_INVALID for a bad request, ERROR_FAILED for
 * an answer over the limit) and the response says what is known. Both are released afterwards; what
 * they hold may be moved out. Messages name the host, and neither path nor query, which may be
 * secret. */
typedef void http_done(void *context, struct http_response *response, struct error *err);

struct http_client;
struct http_call;

/* A client on a loop. The environment ("NAME=VALUE", NULL at the end; copied) gives proxies and the
 * CA bundle: AWS_CA_BUNDLE, CURL_CA_BUNDLE, SSL_CERT_FILE. */
struct http_client *http_client_new(uv_loop_t *loop, char *const *environment);

/* Cancels what still runs and gives the client back as soon as the loop has come round; the pointer
 * is dead at once. NULL is accepted. */
void http_client_close(struct http_client *client);

/* Starts a request, of which everything is copied. The call lives until done() has been called. */
struct http_call *http_start(struct http_client *client, const struct http_request *request,
                             http_done *done, void *context);

/* done() follows soon with ERROR_CANCELLED. */
void http_cancel(struct http_call *call);

#endif
