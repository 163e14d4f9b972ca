/* libcurl's multi interface on libuv: each socket that libcurl names gets a uv_poll_t, its one
 * timer a oneshot. libcurl may be entered from the loop only, never from one of its own callbacks;
 * http.c keeps that by ending calls through a timer. */
#include <stdlib.h>

#include "base/memory.h"
#include "net/http_client.h"

struct socket_watch {
    uv_poll_t poll;
    struct http_client *client;
    curl_socket_t socket;
};

static void collect_ended(struct http_client *client)
{
    CURLMsg *message;
    int left;
    while ((message = curl_multi_info_read(client->multi, &left)) != NULL) {
        if (message->msg == CURLMSG_DONE) {
            CURLcode code = message->data.result;
            char *call = NULL;
            curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &call);
            http_call_exchanged((struct http_call *)(void *)call, code);
        }
    }
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct socket_watch *watch = poll->data;
    int flags = status < 0 ? CURL_CSELECT_ERR : 0;
    flags |= (events & UV_READABLE) != 0 ? CURL_CSELECT_IN : 0;
    flags |= (events & UV_WRITABLE) != 0 ? CURL_CSELECT_OUT : 0;
    /* The watch may be gone after the next line. */
    struct http_client *client = watch->client;
    int running;
    curl_multi_socket_action(client->multi, watch->socket, flags, &running);
    collect_ended(client);
}

static void on_watch_closed(uv_handle_t *handle)
{
    free(handle->data);
}

static struct socket_watch *watch_new(struct http_client *client, curl_socket_t socket)
{
    struct socket_watch *watch = memory_new(1, sizeof *watch);
    watch->client = client;
    watch->socket = socket;
    watch->poll.data = watch;
    if (uv_poll_init_socket(client->loop, &watch->poll, socket) != 0) {
        free(watch);
        return NULL;
    }
    curl_multi_assign(client->multi, socket, watch);
    return watch;
}

static int on_socket(CURL *easy, curl_socket_t socket, int what, void *context, void *assigned)
{
    (void)easy;
    struct http_client *client = context;
    struct socket_watch *watch = assigned;
    if (what == CURL_POLL_REMOVE) {
        if (watch != NULL) {
            curl_multi_assign(client->multi, socket, NULL);
            uv_close((uv_handle_t *)&watch->poll, on_watch_closed);
        }
        return 0;
    }
    if (watch == NULL) {
        watch = watch_new(client, socket);
    }
    int events = (what & CURL_POLL_IN) != 0 ? UV_READABLE : 0;
    events |= (what & CURL_POLL_OUT) != 0 ? UV_WRITABLE : 0;
    return watch != NULL && uv_poll_start(&watch->poll, events, on_poll) == 0 ? 0 : -1;
}

static void on_curl_timer(void *context)
{
    struct http_client *client = context;
    int running;
    curl_multi_socket_action(client->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    collect_ended(client);
}

static int on_timer_wanted(CURLM *multi, long timeout_ms, void *context)
{
    (void)multi;
    struct http_client *client = context;
    if (timeout_ms < 0) {
        oneshot_stop(client->curl_timer);
    } else {
        oneshot_start(client->curl_timer, timeout_ms);
    }
    return 0;
}

void http_loop_attach(struct http_client *client)
{
    client->curl_timer = oneshot_new(client->loop, on_curl_timer, client);
    client->multi = curl_multi_init();
    curl_multi_setopt(client->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(client->multi, CURLMOPT_SOCKETDATA, client);
    curl_multi_setopt(client->multi, CURLMOPT_TIMERFUNCTION, on_timer_wanted);
    curl_multi_setopt(client->multi, CURLMOPT_TIMERDATA, client);
}

void http_loop_detach(struct http_client *client)
{
    curl_multi_cleanup(client->multi);
    oneshot_free(client->curl_timer);
}
