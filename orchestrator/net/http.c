/* One HTTP call from start to done: check the URL, choose the proxy, have the name resolved, let
 * libcurl do the exchange, follow a redirect when that was asked for. Whatever ends a call only
 * marks it (`ended`) and starts its timer; done() is called from that timer alone, so it never runs
 * inside another call of this interface or inside libcurl. */
#include "net/http.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/memory.h"
#include "net/http_client.h"
#include "net/proxy.h"
#include "net/variables.h"

/* libcurl refuses more by itself in later releases; a server that sends more is broken or hostile.
 */
enum { HEADER_LIMIT_BYTES = 256 * 1024 };

void http_headers_add(struct http_headers *headers, const char *name, const char *value)
{
    struct http_header *header = vector_grow(&headers->list);
    header->name = memory_text(name);
    header->value = memory_text(value);
}

const char *http_headers_get(const struct http_headers *headers, const char *name)
{
    vector_each (struct http_header *, header, &headers->list) {
        if (strcasecmp(header->name, name) == 0) {
            return header->value;
        }
    }
    return NULL;
}

void http_headers_release(struct http_headers *headers)
{
    vector_each (struct http_header *, header, &headers->list) {
        free(header->name);
        memory_free_secret(header->value);
    }
    vector_release(&headers->list);
}

struct http_client *http_client_new(uv_loop_t *loop, char *const *environment)
{
    static const char *const bundles[] = {"AWS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"};
    struct http_client *client = memory_new(1, sizeof *client);
    client->loop = loop;
    client->environment = variables_copy(environment);
    for (size_t i = 0; i < ARRAY_SIZE(bundles) && client->ca_bundle == NULL; i++) {
        client->ca_bundle = variable_get_filled(client->environment, bundles[i]);
    }
    http_loop_attach(client);
    return client;
}

static void client_free(struct http_client *client)
{
    http_loop_detach(client);
    variables_free(client->environment);
    vector_each (struct http_host *, host, &client->hosts) {
        free(host->name);
        free(host->addresses);
    }
    vector_release(&client->hosts);
    vector_release(&client->calls);
    free(client);
}

void http_client_close(struct http_client *client)
{
    if (client == NULL || client->closing) {
        return;
    }
    client->closing = true;
    vector_each (struct http_call **, call, &client->calls) {
        http_cancel(*call);
    }
    if (client->calls.count == 0) {
        client_free(client);
    }
}

static void call_unlink(struct http_call *call)
{
    struct http_client *client = call->client;
    for (size_t i = 0; i < client->calls.count; i++) {
        if (client->calls.items[i] == call) {
            client->calls.items[i] = client->calls.items[--client->calls.count];
            return;
        }
    }
}

/* Takes the exchange away from libcurl. */
static void call_stop_exchange(struct http_call *call)
{
    if (call->easy != NULL) {
        long request_bytes = 0;
        curl_easy_getinfo(call->easy, CURLINFO_REQUEST_SIZE, &request_bytes);
        call->response.sent = call->response.sent || request_bytes > 0;
        curl_multi_remove_handle(call->client->multi, call->easy);
        curl_easy_cleanup(call->easy);
        call->easy = NULL;
    }
    curl_slist_free_all(call->header_lines);
    curl_slist_free_all(call->resolve_lines);
    curl_slist_free_all(call->connect_lines);
    call->connect_lines = NULL;
    call->header_lines = NULL;
    call->resolve_lines = NULL;
}

static void call_free(struct http_call *call)
{
    free(call->method);
    free(call->connect_to);
    memory_free_secret(call->url);
    http_headers_release(&call->headers);
    buffer_release(&call->body);
    http_headers_release(&call->response.headers);
    buffer_release(&call->response.body);
    error_release(&call->err);
    oneshot_free(call->timer);
    free(call);
}

static void call_end(struct http_call *call)
{
    if (!call->ended) {
        call->ended = true;
        call_stop_exchange(call);
        http_resolve_forget(call);
        oneshot_start(call->timer, 0);
    }
}

static void call_deliver(struct http_call *call)
{
    struct http_client *client = call->client;
    int64_t elapsed_ns = clock_monotonic_ns() - call->started_ns;
    call->response.latency_ms = elapsed_ns / CLOCK_NS_PER_MS;
    call_unlink(call);
    call->done(call->context, &call->response, &call->err);
    call_free(call);
    if (client->closing && client->calls.count == 0) {
        client_free(client);
    }
}

struct target {
    char *scheme;
    char *host; /* without brackets */
    char *port;
};

static void target_release(struct target *target)
{
    free(target->scheme);
    free(target->host);
    free(target->port);
}

static char *url_part(CURLU *url, CURLUPart part, unsigned flags)
{
    char *text = NULL;
    if (curl_url_get(url, part, &text, flags) != CURLUE_OK) {
        return NULL;
    }
    char *copy = memory_text(text);
    curl_free(text);
    return copy;
}

static int target_parse(const char *text, unsigned flags, struct target *ret_target,
                        struct error *err)
{
    CURLU *url = curl_url();
    CURLUcode code = curl_url_set(url, CURLUPART_URL, text, flags | CURLU_PATH_AS_IS);
    struct target target = {0};
    if (code == CURLUE_OK) {
        target.scheme = url_part(url, CURLUPART_SCHEME, 0);
        target.host = url_part(url, CURLUPART_HOST, 0);
        target.port = url_part(url, CURLUPART_PORT, CURLU_DEFAULT_PORT);
    }
    curl_url_cleanup(url);
    if (target.scheme == NULL || target.host == NULL || target.port == NULL) {
        target_release(&target);
        return error_set(err, ERROR_INVALID, "not a URL that can be asked: %s",
                         curl_url_strerror(code));
    }
    size_t size = strlen(target.host);
    if (target.host[0] == '[' && size > 2) {
        memmove(target.host, target.host + 1, size - 2);
        target.host[size - 2] = '\0';
    }
    *ret_target = target;
    return 0;
}

static void fail_with_host(struct http_call *call, enum error_code code, const char *what)
{
    struct target target = {0};
    if (target_parse(call->url, 0, &target, NULL) == 0) {
        error_set(&call->err, code, "%s://%s:%s: %s", target.scheme, target.host, target.port,
                  what);
    } else {
        error_set(&call->err, code, "%s", what);
    }
    target_release(&target);
}

static void on_timer(void *context)
{
    struct http_call *call = context;
    if (call->ended) {
        call_deliver(call);
        return;
    }
    CLEANUP(memory_cleanup) char *within = clock_format_duration(call->timeout_ms);
    CLEANUP(memory_cleanup) char *what = memory_format("no complete answer within %s", within);
    fail_with_host(call, ERROR_TIMEOUT, what);
    call_end(call);
}

static size_t on_body(char *bytes, size_t size, size_t count, void *context)
{
    struct http_call *call = context;
    size_t size_bytes = size * count;
    if (size_bytes > call->response_limit_bytes - call->response.body.size_bytes) {
        call->too_large = true;
        return 0;
    }
    buffer_append(&call->response.body, bytes, size_bytes);
    return size_bytes;
}

static void take_header(struct http_call *call, struct span line)
{
    const char *colon = memchr(line.data, ':', line.size_bytes);
    if (span_starts_with(line, "HTTP/")) {
        /* A new status line: what came before belonged to a proxy's or an interim answer. */
        http_headers_release(&call->response.headers);
    } else if (colon != NULL) {
        const char *value = colon + 1;
        const char *end = line.data + line.size_bytes;
        while (value < end && (*value == ' ' || *value == '\t')) {
            value++;
        }
        while (end > value && strchr(" \t\r\n", end[-1]) != NULL) {
            end--;
        }
        struct http_header *header = vector_grow(&call->response.headers.list);
        header->name = memory_text_n(line.data, (size_t)(colon - line.data));
        header->value = memory_text_n(value, (size_t)(end - value));
    }
}

static size_t on_header(char *bytes, size_t size, size_t count, void *context)
{
    struct http_call *call = context;
    size_t size_bytes = size * count;
    call->header_bytes += size_bytes;
    if (call->header_bytes > HEADER_LIMIT_BYTES) {
        call->too_large = true;
        return 0;
    }
    take_header(call, span_of(bytes, size_bytes));
    return size_bytes;
}

static void set_body(struct http_call *call)
{
    CURL *easy = call->easy;
    bool has_body = call->body.size_bytes != 0 || strcmp(call->method, "POST") == 0 ||
                    strcmp(call->method, "PUT") == 0;
    if (has_body) {
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)call->body.size_bytes);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, buffer_text(&call->body));
    } else if (strcmp(call->method, "HEAD") == 0) {
        curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    }
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, call->method);
}

static void set_headers(struct http_call *call)
{
    vector_each (struct http_header *, header, &call->headers.list) {
        /* libcurl takes "Name;" for a header without a value. */
        char *line = *header->value != '\0' ? memory_format("%s: %s", header->name, header->value)
                                            : memory_format("%s;", header->name);
        call->header_lines = curl_slist_append(call->header_lines, line);
        memory_free_secret(line);
    }
    static const char *const unwanted[] = {"Expect", "Content-Type", "Accept"};
    for (size_t i = 0; i < ARRAY_SIZE(unwanted); i++) {
        if (http_headers_get(&call->headers, unwanted[i]) == NULL) {
            CLEANUP(memory_cleanup) char *line = memory_format("%s:", unwanted[i]);
            call->header_lines = curl_slist_append(call->header_lines, line);
        }
    }
    curl_easy_setopt(call->easy, CURLOPT_HTTPHEADER, call->header_lines);
}

/* A SOCKS proxy is to resolve the name itself, since libcurl's own resolver would block the loop.
 */
static void set_proxy(CURL *easy, const char *proxy)
{
    CLEANUP(memory_cleanup) char *url = NULL;
    if (proxy != NULL && strncasecmp(proxy, "socks5:", 7) == 0) {
        url = memory_format("socks5h%s", proxy + 6);
    } else if (proxy != NULL && strncasecmp(proxy, "socks4:", 7) == 0) {
        url = memory_format("socks4a%s", proxy + 6);
    } else {
        url = memory_text(proxy != NULL ? proxy : "");
    }
    curl_easy_setopt(easy, CURLOPT_PROXY, url);
}

static void set_connection(struct http_call *call, const char *proxy)
{
    CURL *easy = call->easy;
    set_proxy(easy, proxy);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
    if (call->client->ca_bundle != NULL) {
        curl_easy_setopt(easy, CURLOPT_CAINFO, call->client->ca_bundle);
    }
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)call->connect_timeout_ms);
    if (call->fresh_connection) {
        curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
    }
    if (call->resolve_lines != NULL) {
        curl_easy_setopt(easy, CURLOPT_RESOLVE, call->resolve_lines);
    }
    if (call->connect_to != NULL) {
        CLEANUP(memory_cleanup) char *line = memory_format("::%s", call->connect_to);
        call->connect_lines = curl_slist_append(NULL, line);
        curl_easy_setopt(easy, CURLOPT_CONNECT_TO, call->connect_lines);
    }
}

/* Gives the exchange to libcurl, which goes on with it when the loop comes round. */
static void call_exchange(struct http_call *call, const char *proxy)
{
    call->easy = curl_easy_init();
    if (call->easy == NULL) {
        abort();
    }
    CURL *easy = call->easy;
    buffer_clear(&call->response.body);
    call->header_bytes = 0;
    curl_easy_setopt(easy, CURLOPT_PRIVATE, (void *)call);
    curl_easy_setopt(easy, CURLOPT_URL, call->url);
    curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "drctl");
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, call->curl_message);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, (void *)call);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, (void *)call);
    set_connection(call, proxy);
    set_body(call);
    set_headers(call);
    curl_multi_add_handle(call->client->multi, easy);
}

static bool is_address(const char *host)
{
    unsigned char address[sizeof(struct in6_addr)];
    return inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1;
}

static const char *call_proxy(const struct http_call *call, const struct target *target)
{
    return call->no_proxy ? NULL
                          : proxy_for(target->scheme, target->host, call->client->environment);
}

/* The host that will be connected to: the URL's, its proxy's, or the one that was asked for. */
static int call_next_hop(const struct http_call *call, struct target *ret_hop,
                         const char **ret_proxy, struct error *err)
{
    struct target target;
    if (target_parse(call->url, 0, &target, err) != 0) {
        return -1;
    }
    if (strcmp(target.scheme, "http") != 0 && strcmp(target.scheme, "https") != 0) {
        error_set(err, ERROR_INVALID, "only http and https are spoken here, not %s", target.scheme);
        target_release(&target);
        return -1;
    }
    const char *proxy = call->connect_to == NULL ? call_proxy(call, &target) : NULL;
    if (call->connect_to != NULL) {
        target_release(&target);
        CLEANUP(memory_cleanup) char *url = memory_format("http://%s/", call->connect_to);
        if (target_parse(url, 0, &target, err) != 0) {
            return error_context(err, "the host to connect to");
        }
    } else if (proxy != NULL) {
        target_release(&target);
        if (target_parse(proxy, CURLU_DEFAULT_SCHEME | CURLU_NON_SUPPORT_SCHEME, &target, err) !=
            0) {
            return error_context(err, "the proxy of the environment");
        }
    }
    *ret_hop = target;
    *ret_proxy = proxy;
    return 0;
}

static void call_begin(struct http_call *call)
{
    struct target hop;
    const char *proxy;
    if (call_next_hop(call, &hop, &proxy, &call->err) != 0) {
        call_end(call);
        return;
    }
    if (is_address(hop.host)) {
        call_exchange(call, proxy);
    } else {
        http_resolve_start(call, hop.host);
    }
    target_release(&hop);
}

void http_call_resolved(struct http_call *call, const char *host, const char *addresses,
                        struct error *err)
{
    struct target hop;
    const char *proxy;
    if (addresses == NULL) {
        error_move(&call->err, err);
        call_end(call);
    } else if (call_next_hop(call, &hop, &proxy, &call->err) != 0) {
        call_end(call);
    } else {
        CLEANUP(memory_cleanup) char *line = memory_format("%s:%s:%s", host, hop.port, addresses);
        call->resolve_lines = curl_slist_append(NULL, line);
        target_release(&hop);
        call_exchange(call, proxy);
    }
}

/* The URL that a redirect leads to, when it is to be followed. The caller frees it. */
static char *redirect_of(struct http_call *call)
{
    char *url = NULL;
    bool is_read = strcmp(call->method, "GET") == 0 || strcmp(call->method, "HEAD") == 0;
    if (call->redirects_left == 0 || !is_read ||
        curl_easy_getinfo(call->easy, CURLINFO_REDIRECT_URL, &url) != CURLE_OK || url == NULL) {
        return NULL;
    }
    bool leaves_tls =
        strncasecmp(call->url, "https:", 6) == 0 && strncasecmp(url, "https:", 6) != 0;
    return leaves_tls ? NULL : memory_text(url);
}

static void call_failed(struct http_call *call, CURLcode code)
{
    const char *what =
        call->curl_message[0] != '\0' ? call->curl_message : curl_easy_strerror(code);
    if (call->too_large) {
        CLEANUP(memory_cleanup)
        char *limit =
            memory_format("the answer is larger than %zu bytes", call->response_limit_bytes);
        fail_with_host(call, ERROR_FAILED, limit);
    } else if (code == CURLE_OPERATION_TIMEDOUT) {
        CLEANUP(memory_cleanup) char *within = clock_format_duration(call->connect_timeout_ms);
        CLEANUP(memory_cleanup) char *limit = memory_format("no connection within %s", within);
        fail_with_host(call, ERROR_TIMEOUT, limit);
    } else {
        fail_with_host(call, ERROR_NETWORK, what);
    }
    call_end(call);
}

void http_call_exchanged(struct http_call *call, CURLcode code)
{
    curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &call->response.status);
    if (code != CURLE_OK) {
        call_failed(call, code);
        return;
    }
    char *redirect = redirect_of(call);
    if (redirect == NULL) {
        call_end(call);
        return;
    }
    call->redirects_left--;
    call_stop_exchange(call);
    memory_free_secret(call->url);
    call->url = redirect;
    call_begin(call);
}

/* A line break in a header would let its value write further headers. */
static int check_headers(const struct http_headers *headers, struct error *err)
{
    vector_each (struct http_header *, header, &headers->list) {
        if (header->name[0] == '\0' || strpbrk(header->name, "\r\n: ;") != NULL ||
            strpbrk(header->value, "\r\n") != NULL) {
            return error_set(err, ERROR_INVALID, "a header that cannot be sent: %s", header->name);
        }
    }
    return 0;
}

static void call_copy_request(struct http_call *call, const struct http_request *request)
{
    call->method = memory_text(request->method);
    call->url = memory_text(request->url);
    if (request->headers != NULL) {
        vector_each (struct http_header *, header, &request->headers->list) {
            http_headers_add(&call->headers, header->name, header->value);
        }
    }
    buffer_append_span(&call->body, request->body);
    call->timeout_ms = request->timeout_ms > 0 ? request->timeout_ms : HTTP_TIMEOUT_DEFAULT_MS;
    call->connect_timeout_ms = request->connect_timeout_ms > 0 ? request->connect_timeout_ms
                                                               : HTTP_CONNECT_TIMEOUT_DEFAULT_MS;
    call->response_limit_bytes = request->response_limit_bytes > 0 ? request->response_limit_bytes
                                                                   : HTTP_RESPONSE_LIMIT_DEFAULT;
    call->redirects_left = request->redirects_max;
    call->connect_to = memory_text(request->connect_to);
    call->no_proxy = request->no_proxy;
    call->fresh_connection = request->fresh_connection;
}

struct http_call *http_start(struct http_client *client, const struct http_request *request,
                             http_done *done, void *context)
{
    struct http_call *call = memory_new(1, sizeof *call);
    call->client = client;
    call->done = done;
    call->context = context;
    call->started_ns = clock_monotonic_ns();
    call_copy_request(call, request);
    vector_push(&client->calls, call);
    call->timer = oneshot_new(client->loop, on_timer, call);
    oneshot_start(call->timer, call->timeout_ms);
    if (client->closing) {
        http_cancel(call);
    } else if (check_headers(&call->headers, &call->err) != 0) {
        call_end(call);
    } else {
        call_begin(call);
    }
    return call;
}

void http_cancel(struct http_call *call)
{
    if (!call->ended) {
        error_set(&call->err, ERROR_CANCELLED, "the request was cancelled");
        call_end(call);
    }
}
