/* Every call has the same shape: a struct on the attempt's stack holds the request and the answer,
 * start() begins the work on the loop, done() moves the answer into the struct and wakes the
 * thread. The thread does not come back before done(), so the stack outlives the work. */
#include "network/net_session.h"

#include <stdlib.h>

#include "base/memory.h"

struct net_session {
    struct attempt *attempt;
    struct aws_settings settings; /* until the client has taken them */
    struct api_client *client;    /* NULL for plain HTTP */
    struct http_client *http;     /* the client's, or its own */
};

int net_wait_run(struct attempt *attempt, struct net_wait *net,
                 void (*start)(struct attempt_wait *wait, uv_loop_t *loop, void *context),
                 void (*cancel)(void *context), void *context, struct error *err)
{
    int status = attempt_await(attempt, start, cancel, context, err);
    if (status != 0) {
        /* Why the attempt stops says more than that its work was cancelled. */
        error_release(&net->err);
        return -1;
    }
    if (error_is_set(&net->err)) {
        error_move(err, &net->err);
        return -1;
    }
    return 0;
}

static void start_session(struct attempt_wait *wait, uv_loop_t *loop, void *context)
{
    struct net_session *session = context;
    if (session->settings.profile != NULL) {
        session->client = api_client_new(loop, &session->settings);
        session->http = api_client_http(session->client);
    } else {
        session->http = http_client_new(loop, attempt_environment(session->attempt));
    }
    attempt_wait_done(wait);
}

static int open_session(struct net_session *session, struct net_session **ret_session,
                        struct error *err)
{
    if (attempt_await(session->attempt, start_session, NULL, session, err) != 0) {
        net_session_close(session);
        return -1;
    }
    *ret_session = session;
    return 0;
}

int net_session_open_aws(struct attempt *attempt, const char *profile, const char *region,
                         struct net_session **ret_session, struct error *err)
{
    struct net_session *session = memory_new(1, sizeof *session);
    session->attempt = attempt;
    if (aws_settings_load(attempt_environment(attempt), profile, region, &session->settings, err) !=
        0) {
        free(session);
        return -1;
    }
    return open_session(session, ret_session, err);
}

int net_session_open(struct attempt *attempt, struct net_session **ret_session, struct error *err)
{
    struct net_session *session = memory_new(1, sizeof *session);
    session->attempt = attempt;
    return open_session(session, ret_session, err);
}

static void close_on_loop(void *data)
{
    struct net_session *session = data;
    if (session->client != NULL) {
        api_client_close(session->client);
    } else {
        http_client_close(session->http);
    }
    aws_settings_release(&session->settings);
    free(session);
}

void net_session_close(struct net_session *session)
{
    if (session != NULL) {
        attempt_post(session->attempt, close_on_loop, session);
    }
}

void net_session_cleanup(struct net_session **session)
{
    net_session_close(*session);
    *session = NULL;
}

struct attempt *net_session_attempt(const struct net_session *session)
{
    return session->attempt;
}

struct api_client *net_session_client(const struct net_session *session)
{
    return session->client;
}

/* --- HTTP ----------------------------------------------------------------------------------- */

struct http_wait {
    struct net_wait net;
    struct http_client *client;
    const struct http_request *request;
    struct http_call *call;
    struct http_response response;
};

static void on_response(void *context, struct http_response *response, struct error *err)
{
    struct http_wait *wait = context;
    wait->response = *response;
    *response = (struct http_response){0};
    error_move(&wait->net.err, err);
    attempt_wait_done(wait->net.wait);
}

static void start_http(struct attempt_wait *attempt_wait, uv_loop_t *loop, void *context)
{
    struct http_wait *wait = context;
    (void)loop;
    wait->net.wait = attempt_wait;
    wait->call = http_start(wait->client, wait->request, on_response, wait);
}

static void cancel_http(void *context)
{
    struct http_wait *wait = context;
    http_cancel(wait->call);
}

int net_session_http(struct net_session *session, const struct http_request *request,
                     struct http_response *ret_response, struct error *err)
{
    struct http_wait wait = {.client = session->http, .request = request};
    int status = net_wait_run(session->attempt, &wait.net, start_http, cancel_http, &wait, err);
    if (status != 0) {
        net_response_release(&wait.response);
        return -1;
    }
    *ret_response = wait.response;
    return 0;
}

void net_response_release(struct http_response *response)
{
    http_headers_release(&response->headers);
    buffer_release(&response->body);
    *response = (struct http_response){0};
}

/* --- AWS ------------------------------------------------------------------------------------ */

struct call_wait {
    struct net_wait net;
    struct api_client *client;
    const struct api_request *request;
    struct api_call *call;
    struct api_answer answer;
};

static void on_answer(void *context, struct api_answer *answer, struct error *err)
{
    struct call_wait *wait = context;
    wait->answer = *answer;
    *answer = (struct api_answer){0};
    error_move(&wait->net.err, err);
    attempt_wait_done(wait->net.wait);
}

static void start_call(struct attempt_wait *attempt_wait, uv_loop_t *loop, void *context)
{
    struct call_wait *wait = context;
    (void)loop;
    wait->net.wait = attempt_wait;
    wait->call = api_call_start(wait->client, wait->request, on_answer, wait);
}

static void cancel_call(void *context)
{
    struct call_wait *wait = context;
    api_call_cancel(wait->call);
}

int net_session_call(struct net_session *session, const struct api_request *request,
                     struct api_answer *ret_answer, struct error *err)
{
    struct call_wait wait = {.client = session->client, .request = request};
    int status = net_wait_run(session->attempt, &wait.net, start_call, cancel_call, &wait, err);
    *ret_answer = wait.answer;
    return status;
}

void net_answer_release(struct api_answer *answer)
{
    http_headers_release(&answer->headers);
    buffer_release(&answer->body);
    free(answer->code);
    *answer = (struct api_answer){0};
}

/* --- DNS ------------------------------------------------------------------------------------ */

struct dns_wait {
    struct net_wait net;
    const struct dns_question *question;
    struct dns_query *query;
    struct dns_replies replies;
};

static void on_replies(void *context, struct dns_replies *replies, struct error *err)
{
    struct dns_wait *wait = context;
    wait->replies = *replies;
    *replies = (struct dns_replies){0};
    error_move(&wait->net.err, err);
    attempt_wait_done(wait->net.wait);
}

static void start_dns(struct attempt_wait *attempt_wait, uv_loop_t *loop, void *context)
{
    struct dns_wait *wait = context;
    wait->net.wait = attempt_wait;
    wait->query = dns_ask(loop, wait->question, on_replies, wait);
}

static void cancel_dns(void *context)
{
    struct dns_wait *wait = context;
    dns_cancel(wait->query);
}

int net_ask_dns(struct attempt *attempt, const struct dns_question *question,
                struct dns_replies *ret_replies, struct error *err)
{
    struct dns_wait wait = {.question = question};
    int status = net_wait_run(attempt, &wait.net, start_dns, cancel_dns, &wait, err);
    if (status != 0) {
        dns_replies_release(&wait.replies);
        return -1;
    }
    *ret_replies = wait.replies;
    return 0;
}
