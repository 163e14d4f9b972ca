/* One c-ares channel for each server, so that each one's answer is its own: c-ares would otherwise
 * take the first that comes. Sockets and timeouts of a channel are driven by the loop. A server
 * that is given by name is resolved on libuv's pool first, for /etc/hosts' sake.
 *
 * A channel is destroyed from a timer only, never from inside a callback of c-ares. */
#include "net/dns.h"

#include <ares.h>
#include <arpa/inet.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include "base/clock.h"
#include "base/memory.h"
#include "net/oneshot.h"

enum { TIMEOUT_DEFAULT_MS = 5000, TRIES = 3, CLASS_IN = 1, ADDRESS_TEXT_SIZE = 64 };

struct socket_watch {
    uv_poll_t poll;
    struct dns_ask *ask;
    ares_socket_t socket;
    struct socket_watch *next;
};

/* The question to one server. */
struct dns_ask {
    struct dns_query *query;
    size_t index; /* of its reply */
    ares_channel channel;
    bool has_channel;
    struct socket_watch *watches;
    struct oneshot *retry_timer;    /* c-ares' own */
    struct oneshot *deadline_timer; /* then what takes the channel down */
    struct dns_lookup *lookup;      /* of the server's name; NULL when none is under way */
    int64_t started_ns;
    bool ended;
};

/* getaddrinfo() cannot be called back, so its request outlives an ask that gives up. */
struct dns_lookup {
    uv_getaddrinfo_t request;
    struct dns_ask *ask; /* NULL when it was given up */
    int port;
};

struct dns_query {
    uv_loop_t *loop;
    dns_done *done;
    void *context;
    char *name;
    int type;
    bool is_recursive;
    int64_t timeout_ms;
    VECTOR(struct dns_ask *)
    asks;
    size_t left; /* asks that have not ended */
    struct oneshot *end_timer;
    struct dns_replies replies;
    struct error err;
};

void dns_replies_release(struct dns_replies *replies)
{
    vector_each (struct dns_reply *, reply, &replies->list) {
        free(reply->server);
        error_release(&reply->err);
        dns_answer_release(&reply->answer);
    }
    vector_release(&replies->list);
}

static struct dns_reply *reply_of(const struct dns_ask *ask)
{
    return &ask->query->replies.list.items[ask->index];
}

/* Marks the ask as over; its timer does the rest outside of c-ares. */
static void ask_end(struct dns_ask *ask)
{
    if (!ask->ended) {
        ask->ended = true;
        reply_of(ask)->latency_ms = (clock_monotonic_ns() - ask->started_ns) / CLOCK_NS_PER_MS;
        oneshot_stop(ask->retry_timer);
        oneshot_start(ask->deadline_timer, 0);
    }
}

static void on_watch_closed(uv_handle_t *handle)
{
    free(handle->data);
}

static void unwatch(struct dns_ask *ask, ares_socket_t socket)
{
    for (struct socket_watch **link = &ask->watches; *link != NULL; link = &(*link)->next) {
        struct socket_watch *watch = *link;
        if (watch->socket == socket) {
            *link = watch->next;
            uv_close((uv_handle_t *)&watch->poll, on_watch_closed);
            return;
        }
    }
}

/* c-ares wants to be called again when its next timeout is due. */
static void plan_retry(struct dns_ask *ask)
{
    struct timeval wait;
    if (!ask->ended && ares_timeout(ask->channel, NULL, &wait) != NULL) {
        oneshot_start(ask->retry_timer, 1 + wait.tv_sec * 1000 + wait.tv_usec / 1000);
    }
}

static void on_retry(void *context)
{
    struct dns_ask *ask = context;
    ares_process_fd(ask->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    plan_retry(ask);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct socket_watch *watch = poll->data;
    struct dns_ask *ask = watch->ask;
    ares_socket_t socket = watch->socket;
    bool readable = status < 0 || (events & UV_READABLE) != 0;
    bool writable = status < 0 || (events & UV_WRITABLE) != 0;
    ares_process_fd(ask->channel, readable ? socket : ARES_SOCKET_BAD,
                    writable ? socket : ARES_SOCKET_BAD);
    plan_retry(ask);
}

static void on_socket_state(void *context, ares_socket_t socket, int readable, int writable)
{
    struct dns_ask *ask = context;
    struct socket_watch *watch = ask->watches;
    if (!readable && !writable) {
        unwatch(ask, socket);
        return;
    }
    while (watch != NULL && watch->socket != socket) {
        watch = watch->next;
    }
    if (watch == NULL) {
        watch = memory_new(1, sizeof *watch);
        watch->ask = ask;
        watch->socket = socket;
        watch->poll.data = watch;
        if (uv_poll_init_socket(ask->query->loop, &watch->poll, socket) != 0) {
            free(watch);
            return; /* the deadline ends it */
        }
        watch->next = ask->watches;
        ask->watches = watch;
    }
    uv_poll_start(&watch->poll, (readable ? UV_READABLE : 0) | (writable ? UV_WRITABLE : 0),
                  on_poll);
}

static void on_answer(void *context, int status, int timeouts, unsigned char *bytes, int size)
{
    struct dns_ask *ask = context;
    struct dns_reply *reply = reply_of(ask);
    (void)timeouts;
    if (ask->ended) {
        return; /* the channel is being taken down */
    }
    if (bytes != NULL) {
        /* SERVFAIL and the like come with a status and a message; the message says more. */
        if (dns_message_parse(span_of((const char *)bytes, (size_t)size), &reply->answer,
                              &reply->err) != 0) {
            error_context(&reply->err, "%s", reply->server);
        }
    } else {
        error_set(&reply->err, status == ARES_ETIMEOUT ? ERROR_TIMEOUT : ERROR_NETWORK,
                  "%s does not answer: %s", reply->server, ares_strerror(status));
    }
    ask_end(ask);
}

static int open_channel(struct dns_ask *ask, const char *server)
{
    struct dns_query *query = ask->query;
    char lookups[] = "b"; /* DNS alone, no hosts file */
    struct ares_options options = {
        .flags = ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES | ARES_FLAG_NOCHECKRESP |
                 (query->is_recursive ? 0 : ARES_FLAG_NORECURSE),
        .timeout = (int)(query->timeout_ms / TRIES) + 1,
        .tries = TRIES,
        .lookups = lookups,
        .sock_state_cb = on_socket_state,
        .sock_state_cb_data = ask,
    };
    int mask = ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_LOOKUPS |
               ARES_OPT_SOCK_STATE_CB;
    int status = ares_init_options(&ask->channel, &options, mask);
    if (status == ARES_SUCCESS) {
        ask->has_channel = true;
        status = server != NULL ? ares_set_servers_ports_csv(ask->channel, server) : ARES_SUCCESS;
    }
    return status;
}

/* "192.0.2.53:53", "[2001:db8::53]:53". The caller frees it. */
static char *join_server(const char *address, int port)
{
    bool is_v6 = strchr(address, ':') != NULL;
    return memory_format(is_v6 ? "[%s]:%d" : "%s:%d", address, port);
}

/* Sends the question to a server that is given as "ADDRESS:PORT" (NULL: the system's). */
static void ask_server(struct dns_ask *ask, const char *server)
{
    int status = open_channel(ask, server);
    if (status != ARES_SUCCESS) {
        struct dns_reply *reply = reply_of(ask);
        error_set(&reply->err, ERROR_INVALID, "%s cannot be asked: %s", reply->server,
                  ares_strerror(status));
        ask_end(ask);
        return;
    }
    ares_query(ask->channel, ask->query->name, CLASS_IN, ask->query->type, on_answer, ask);
    plan_retry(ask);
}

/* IPv4 where there is one: a machine without IPv6 would wait for nothing. */
static const struct addrinfo *best_address(const struct addrinfo *list)
{
    for (const struct addrinfo *item = list; item != NULL; item = item->ai_next) {
        if (item->ai_family == AF_INET) {
            return item;
        }
    }
    return list;
}

static void on_lookup(uv_getaddrinfo_t *request, int status, struct addrinfo *list)
{
    struct dns_lookup *lookup = request->data;
    struct dns_ask *ask = lookup->ask;
    char address[ADDRESS_TEXT_SIZE];
    if (ask != NULL) {
        ask->lookup = NULL;
        const struct addrinfo *best = best_address(list);
        if (status == 0 && best != NULL &&
            getnameinfo(best->ai_addr, best->ai_addrlen, address, sizeof address, NULL, 0,
                        NI_NUMERICHOST) == 0) {
            CLEANUP(memory_cleanup)
            char *server = join_server(address, lookup->port);
            ask_server(ask, server);
        } else {
            struct dns_reply *reply = reply_of(ask);
            error_set(&reply->err, ERROR_NETWORK, "the name server %s does not resolve: %s",
                      reply->server, uv_strerror(status));
            ask_end(ask);
        }
    }
    uv_freeaddrinfo(list);
    free(lookup);
}

static void look_up_server(struct dns_ask *ask, const char *host, int port)
{
    struct dns_lookup *lookup = memory_new(1, sizeof *lookup);
    struct addrinfo hints = {.ai_socktype = SOCK_DGRAM};
    lookup->request.data = lookup;
    lookup->ask = ask;
    lookup->port = port;
    ask->lookup = lookup;
    int status = uv_getaddrinfo(ask->query->loop, &lookup->request, on_lookup, host, NULL, &hints);
    if (status != 0) {
        on_lookup(&lookup->request, status, NULL);
    }
}

/* "host", "host:port", "[v6]:port", "v6" → host and port (53 when it is not given). */
static char *split_server(const char *server, int *ret_port)
{
    const char *colon = strrchr(server, ':');
    size_t size_bytes = strlen(server);
    *ret_port = 53;
    if (*server == '[') {
        const char *end = strchr(server, ']');
        size_t inside = end != NULL ? (size_t)(end - server - 1) : size_bytes - 1;
        if (end != NULL && end[1] == ':') {
            *ret_port = (int)strtol(end + 2, NULL, 10);
        }
        return memory_text_n(server + 1, inside);
    }
    if (colon != NULL && strchr(server, ':') == colon) {
        *ret_port = (int)strtol(colon + 1, NULL, 10);
        size_bytes = (size_t)(colon - server);
    }
    /* A name server's name comes with a dot at its end, which getaddrinfo() understands. */
    return memory_text_n(server, size_bytes);
}

static void ask_begin(struct dns_ask *ask, const char *server)
{
    unsigned char address[sizeof(struct in6_addr)];
    int port;
    if (server == NULL) {
        ask_server(ask, NULL);
        return;
    }
    CLEANUP(memory_cleanup) char *host = split_server(server, &port);
    if (port < 1 || port > UINT16_MAX || *host == '\0') {
        error_set(&reply_of(ask)->err, ERROR_INVALID, "%s is not a name server", server);
        ask_end(ask);
    } else if (inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1) {
        CLEANUP(memory_cleanup) char *given = join_server(host, port);
        ask_server(ask, given);
    } else {
        look_up_server(ask, host, port);
    }
}

static void ask_close(struct dns_ask *ask)
{
    if (ask->lookup != NULL) {
        uv_cancel((uv_req_t *)&ask->lookup->request);
        ask->lookup->ask = NULL;
        ask->lookup = NULL;
    }
    if (ask->has_channel) {
        ares_destroy(ask->channel);
        ask->has_channel = false;
    }
    if (--ask->query->left == 0) {
        oneshot_start(ask->query->end_timer, 0);
    }
}

static void on_deadline(void *context)
{
    struct dns_ask *ask = context;
    if (!ask->ended) {
        struct dns_reply *reply = reply_of(ask);
        CLEANUP(memory_cleanup) char *within = clock_format_duration(ask->query->timeout_ms);
        error_set(&reply->err, ERROR_TIMEOUT, "%s gave no answer within %s", reply->server, within);
        ask_end(ask);
        return;
    }
    ask_close(ask);
}

static void on_end(void *context)
{
    struct dns_query *query = context;
    query->done(query->context, &query->replies, &query->err);
    vector_each (struct dns_ask **, ask, &query->asks) {
        oneshot_free((*ask)->retry_timer);
        oneshot_free((*ask)->deadline_timer);
        free(*ask);
    }
    vector_release(&query->asks);
    dns_replies_release(&query->replies);
    error_release(&query->err);
    oneshot_free(query->end_timer);
    free(query->name);
    free(query);
}

static void add_ask(struct dns_query *query, const char *server)
{
    struct dns_ask *ask = memory_new(1, sizeof *ask);
    struct dns_reply *reply = vector_grow(&query->replies.list);
    reply->server = memory_text(server != NULL ? server : "the system's resolver");
    ask->query = query;
    ask->index = query->asks.count;
    ask->started_ns = clock_monotonic_ns();
    ask->retry_timer = oneshot_new(query->loop, on_retry, ask);
    ask->deadline_timer = oneshot_new(query->loop, on_deadline, ask);
    oneshot_start(ask->deadline_timer, query->timeout_ms);
    vector_push(&query->asks, ask);
    query->left++;
}

struct dns_query *dns_ask(uv_loop_t *loop, const struct dns_question *question, dns_done *done,
                          void *context)
{
    struct dns_query *query = memory_new(1, sizeof *query);
    query->loop = loop;
    query->done = done;
    query->context = context;
    query->name = memory_text(question->name);
    query->type = dns_type_number(question->type);
    query->is_recursive = question->is_recursive || question->servers == NULL;
    query->timeout_ms = question->timeout_ms > 0 ? question->timeout_ms : TIMEOUT_DEFAULT_MS;
    query->end_timer = oneshot_new(loop, on_end, query);
    for (size_t i = 0; question->servers != NULL && question->servers[i] != NULL; i++) {
        add_ask(query, question->servers[i]);
    }
    if (question->servers == NULL) {
        add_ask(query, NULL);
    }
    if (query->type < 0 || query->left == 0) {
        error_set(&query->err, ERROR_INVALID,
                  query->type < 0 ? "a record type that is not known: %s"
                                  : "no name server to ask about %s",
                  query->type < 0 ? question->type : question->name);
        dns_cancel(query);
        return query;
    }
    for (size_t i = 0; i < query->asks.count; i++) {
        ask_begin(query->asks.items[i], question->servers != NULL ? question->servers[i] : NULL);
    }
    return query;
}

void dns_cancel(struct dns_query *query)
{
    error_set(&query->err, ERROR_CANCELLED, "the DNS query was cancelled");
    vector_each (struct dns_ask **, ask, &query->asks) {
        ask_end(*ask);
    }
    if (query->asks.count == 0) {
        oneshot_start(query->end_timer, 0);
    }
}
