/* What the parts of the HTTP client share: http.c (a call from start to done), http_loop.c (libcurl
 * on libuv), http_resolve.c (names). Not for others. */
#ifndef DRCTL_NET_HTTP_CLIENT_H
#define DRCTL_NET_HTTP_CLIENT_H

#include <curl/curl.h>

#include "net/http.h"
#include "net/oneshot.h"

/* A name that was resolved before. */
struct http_host {
    char *name;
    char *addresses; /* in the form of CURLOPT_RESOLVE, separated by commas */
    int64_t fresh_until_ns;
};

struct http_client {
    uv_loop_t *loop;
    CURLM *multi;
    struct oneshot *curl_timer;
    char **environment;
    const char *ca_bundle; /* NULL: the system's */
    VECTOR(struct http_call *)
    calls;
    VECTOR(struct http_host)
    hosts;
    bool closing;
};

struct http_call {
    struct http_client *client;
    http_done *done;
    void *context;

    char *method;
    char *url;
    struct http_headers headers;
    struct buffer body;
    size_t response_limit_bytes;
    int64_t connect_timeout_ms;
    unsigned redirects_left;
    char *connect_to; /* NULL: the URL's own host */
    bool no_proxy;
    bool fresh_connection;

    CURL *easy; /* NULL while no exchange is under way */
    struct curl_slist *header_lines;
    struct curl_slist *resolve_lines;
    struct curl_slist *connect_lines;
    char curl_message[CURL_ERROR_SIZE];
    struct http_resolve *resolve; /* NULL when no name is being resolved */
    struct oneshot *timer;        /* the deadline; then, once `ended`, what calls done() */
    int64_t timeout_ms;
    int64_t started_ns;
    size_t header_bytes;
    bool too_large;
    bool ended; /* done() is due */

    struct http_response response;
    struct error err;
};

/* --- http_loop.c */
void http_loop_attach(struct http_client *client);
void http_loop_detach(struct http_client *client);

/* --- http_resolve.c */

/* Resolves a name for a call; on_resolved() comes later on the loop, with the addresses (valid
 * during the call) or NULL and an error. */
void http_resolve_start(struct http_call *call, const char *host);

/* Forgets the call: nothing comes any more. */
void http_resolve_forget(struct http_call *call);

/* --- http.c */
void http_call_resolved(struct http_call *call, const char *host, const char *addresses,
                        struct error *err);

/* libcurl is through with the call's exchange. */
void http_call_exchanged(struct http_call *call, CURLcode code);

#endif
