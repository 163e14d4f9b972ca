/* Name resolution beside libcurl. libcurl 7.88's own threaded resolver joins its thread when a
 * transfer is taken down, which blocks the loop for as long as a dead name server takes; that is
 * just what a recovery meets. getaddrinfo() on libuv's pool knows /etc/hosts and everything else of
 * nsswitch.conf, libuv keeps half of the pool free of it, and a call that gives up simply forgets
 * its question. Answers are kept: fresh for a minute, and beyond that for the case that the name
 * servers are gone while the hosts are not. */
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/memory.h"
#include "net/http_client.h"

enum { FRESH_S = 60, ADDRESSES_MAX = 16, ADDRESS_TEXT_SIZE = 64 };

struct http_resolve {
    uv_getaddrinfo_t request;
    struct http_call *call; /* NULL when it was given up */
    char *host;
};

static struct http_host *find_host(struct http_client *client, const char *name)
{
    vector_each (struct http_host *, host, &client->hosts) {
        if (strcasecmp(host->name, name) == 0) {
            return host;
        }
    }
    return NULL;
}

static char *join_addresses(const struct addrinfo *list)
{
    struct buffer text = BUFFER_INIT;
    size_t count = 0;
    for (; list != NULL && count < ADDRESSES_MAX; list = list->ai_next) {
        char address[ADDRESS_TEXT_SIZE];
        bool is_v6 = list->ai_family == AF_INET6;
        if (getnameinfo(list->ai_addr, list->ai_addrlen, address, sizeof address, NULL, 0,
                        NI_NUMERICHOST) == 0) {
            buffer_append_format(&text, "%s%s%s%s", count != 0 ? "," : "", is_v6 ? "[" : "",
                                 address, is_v6 ? "]" : "");
            count++;
        }
    }
    return count != 0 ? buffer_take(&text) : NULL;
}

static void keep_host(struct http_client *client, const char *name, char *addresses)
{
    struct http_host *host = find_host(client, name);
    if (host == NULL) {
        host = vector_grow(&client->hosts);
        host->name = memory_text(name);
    }
    free(host->addresses);
    host->addresses = addresses;
    host->fresh_until_ns = clock_monotonic_ns() + FRESH_S * CLOCK_NS_PER_S;
}

static void answer(struct http_resolve *resolve, int status)
{
    struct http_call *call = resolve->call;
    struct http_host *host = find_host(call->client, resolve->host);
    struct error err = ERROR_INIT;
    if (host == NULL) {
        error_set(&err, ERROR_NETWORK, "the name %s does not resolve: %s", resolve->host,
                  status != 0 ? uv_strerror(status) : "no address");
    }
    call->resolve = NULL;
    http_call_resolved(call, resolve->host, host != NULL ? host->addresses : NULL, &err);
    error_release(&err);
}

static void on_addresses(uv_getaddrinfo_t *request, int status, struct addrinfo *list)
{
    struct http_resolve *resolve = request->data;
    if (resolve->call != NULL) {
        char *addresses = status == 0 ? join_addresses(list) : NULL;
        if (addresses != NULL) {
            keep_host(resolve->call->client, resolve->host, addresses);
        }
        answer(resolve, status);
    }
    uv_freeaddrinfo(list);
    free(resolve->host);
    free(resolve);
}

void http_resolve_start(struct http_call *call, const char *name)
{
    struct http_host *host = find_host(call->client, name);
    if (host != NULL && clock_monotonic_ns() < host->fresh_until_ns) {
        http_call_resolved(call, name, host->addresses, NULL);
        return;
    }
    struct http_resolve *resolve = memory_new(1, sizeof *resolve);
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    resolve->request.data = resolve;
    resolve->call = call;
    resolve->host = memory_text(name);
    call->resolve = resolve;
    int status =
        uv_getaddrinfo(call->client->loop, &resolve->request, on_addresses, name, NULL, &hints);
    if (status != 0) {
        answer(resolve, status);
        free(resolve->host);
        free(resolve);
    }
}

void http_resolve_forget(struct http_call *call)
{
    if (call->resolve != NULL) {
        uv_cancel((uv_req_t *)&call->resolve->request);
        call->resolve->call = NULL;
        call->resolve = NULL;
    }
}
