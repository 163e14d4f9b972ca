/* One AWS call as a small state machine: credentials → exchange → judged → (wait → again) → done.
 * It signs after the wait, since a signature is good for five minutes and a wait may be longer; it
 * takes the clock's skew from the server's Date when the server complains of it; it renews
 * credentials once when they are refused as expired. */
#include "net/api_call.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/random.h"
#include "net/api_error.h"
#include "net/credential_provider.h"
#include "net/endpoint.h"
#include "net/oneshot.h"
#include "net/retry.h"
#include "net/sigv4.h"

enum {
    CREDENTIAL_MARGIN_MS = 60000,
    /* AWS accepts five minutes; a smaller difference is not what it complains of. */
    SKEW_MIN_S = 240,
};

struct api_client {
    uv_loop_t *loop;
    struct aws_settings settings;
    struct http_client *http;
    struct credential_provider *provider;
    VECTOR(struct api_call *)
    calls;
    int64_t skew_s; /* the server's clock minus ours */
    bool closing;
};

enum call_state {
    CALL_BEGINS,      /* its timer starts a try */
    CALL_CREDENTIALS, /* its timer is the deadline */
    CALL_EXCHANGES,   /* HTTP keeps the deadline */
    CALL_ENDED,       /* its timer calls done() */
};

struct api_call {
    struct api_client *client;
    api_done *done;
    void *context;
    enum call_state state;
    struct oneshot *timer;
    struct http_call *exchange;

    bool once;
    bool is_unsigned;
    char *service;
    char *operation;
    char *method;
    char *path;
    struct buffer body;
    struct uri_pairs query;
    struct http_headers headers;
    struct endpoint endpoint;
    struct uri_origin origin;
    struct credentials credentials; /* the caller's; empty for the client's */

    int64_t deadline_ns;
    unsigned attempts_max;
    bool cancelled;
    bool skew_corrected;
    bool credentials_renewed;
    struct api_answer answer;
    struct error err;
};

struct api_client *api_client_new(uv_loop_t *loop, struct aws_settings *settings_take)
{
    struct api_client *client = memory_new(1, sizeof *client);
    client->loop = loop;
    client->settings = *settings_take;
    *settings_take = (struct aws_settings){0};
    client->http = http_client_new(loop, client->settings.environment);
    client->provider = credential_provider_new(loop, client);
    return client;
}

static void client_free(struct api_client *client)
{
    http_client_close(client->http);
    aws_settings_release(&client->settings);
    vector_release(&client->calls);
    free(client);
}

void api_client_close(struct api_client *client)
{
    if (client == NULL || client->closing) {
        return;
    }
    client->closing = true;
    credential_provider_free(client->provider);
    vector_each (struct api_call **, call, &client->calls) {
        api_call_cancel(*call);
    }
    if (client->calls.count == 0) {
        client_free(client);
    }
}

const struct aws_settings *api_client_settings(const struct api_client *client)
{
    return &client->settings;
}

uv_loop_t *api_client_loop(const struct api_client *client)
{
    return client->loop;
}

struct http_client *api_client_http(const struct api_client *client)
{
    return client->http;
}

void api_client_credentials(struct api_client *client, int64_t margin_ms,
                            api_credentials_done *done, void *context)
{
    credential_provider_get(client->provider, margin_ms, done, context);
}

void api_client_credentials_forget(struct api_client *client, const void *context)
{
    credential_provider_forget(client->provider, context);
}

static void answer_release(struct api_answer *answer)
{
    http_headers_release(&answer->headers);
    buffer_release(&answer->body);
    free(answer->code);
    *answer = (struct api_answer){.attempts = answer->attempts};
}

static void call_free(struct api_call *call)
{
    free(call->service);
    free(call->operation);
    free(call->method);
    free(call->path);
    buffer_release(&call->body);
    uri_pairs_release(&call->query);
    http_headers_release(&call->headers);
    endpoint_release(&call->endpoint);
    uri_origin_release(&call->origin);
    credentials_release(&call->credentials);
    answer_release(&call->answer);
    error_release(&call->err);
    oneshot_free(call->timer);
    free(call);
}

static void call_deliver(struct api_call *call)
{
    struct api_client *client = call->client;
    /* Counted until its callback has returned: one that closes the client leaves freeing it to us.
     */
    call->done(call->context, &call->answer, &call->err);
    for (size_t i = 0; i < client->calls.count; i++) {
        if (client->calls.items[i] == call) {
            client->calls.items[i] = client->calls.items[--client->calls.count];
            break;
        }
    }
    call_free(call);
    if (client->closing && client->calls.count == 0) {
        client_free(client);
    }
}

static void call_end(struct api_call *call)
{
    call->state = CALL_ENDED;
    oneshot_start(call->timer, 0);
}

static int64_t call_left_ms(const struct api_call *call)
{
    return (call->deadline_ns - clock_monotonic_ns()) / CLOCK_NS_PER_MS;
}

/* Tries again after a wait when that is allowed and there is time; otherwise ends with the error
 * that is set. */
static void call_retry(struct api_call *call, int64_t delay_ms)
{
    bool in_time = delay_ms < call_left_ms(call);
    if (call->answer.attempts >= call->attempts_max || !in_time) {
        if (call->attempts_max > 1) {
            error_context(&call->err, "after %u %s", call->answer.attempts,
                          call->answer.attempts == 1 ? "try" : "tries");
        }
        call_end(call);
        return;
    }
    error_release(&call->err);
    call->state = CALL_BEGINS;
    oneshot_start(call->timer, delay_ms);
}

static double chance(void)
{
    return (double)random_below(1U << 30) / (double)(1U << 30);
}

static int64_t backoff_ms(const struct api_call *call)
{
    int64_t after_ms =
        retry_after_ms(http_headers_get(&call->answer.headers, "Retry-After"), clock_wall_ns());
    return retry_delay_ms(&retry_policy_default, call->answer.attempts, chance(), after_ms);
}

/* The server may have acted on a request that must not be repeated. */
static void end_unknown(struct api_call *call)
{
    struct error unknown = ERROR_INIT;
    error_set(&unknown, ERROR_UNKNOWN, "%s", call->err.message);
    error_hint(&unknown, "it may have been carried out all the same");
    error_move(&call->err, &unknown);
    call_end(call);
}

static void judge_transport(struct api_call *call, bool sent)
{
    error_context(&call->err, "%s %s", call->service, call->operation);
    bool may_repeat = call->err.code == ERROR_NETWORK || call->err.code == ERROR_TIMEOUT;
    if (call->once && sent) {
        end_unknown(call);
    } else if (may_repeat) {
        call_retry(call, backoff_ms(call));
    } else {
        call_end(call);
    }
}

/* True when the server's clock explains its complaint, with the difference noted. */
static bool correct_skew(struct api_call *call)
{
    int64_t server_ns = retry_parse_http_date(http_headers_get(&call->answer.headers, "Date"));
    if (server_ns < 0 || call->skew_corrected) {
        return false;
    }
    int64_t skew_s = (server_ns - clock_wall_ns()) / CLOCK_NS_PER_S;
    int64_t change_s = llabs(skew_s - call->client->skew_s);
    call->skew_corrected = true;
    call->client->skew_s = skew_s;
    return change_s >= SKEW_MIN_S;
}

static bool is_expired_credential(const char *code)
{
    return strcmp(code, "ExpiredToken") == 0 || strcmp(code, "ExpiredTokenException") == 0 ||
           strcmp(code, "RequestExpired") == 0;
}

static bool renew_credentials(struct api_call *call)
{
    if (call->credentials_renewed || call->credentials.access_key != NULL || call->is_unsigned ||
        !is_expired_credential(call->answer.code)) {
        return false;
    }
    call->credentials_renewed = true;
    credential_provider_drop(call->client->provider);
    return true;
}

static void judge_refusal(struct api_call *call)
{
    struct api_error error;
    api_error_parse(call->answer.status, &call->answer.headers, buffer_span(&call->answer.body),
                    &error);
    api_error_set(&error, call->answer.status, call->service, call->operation, &call->err);
    call->answer.code = memory_text(error.code);
    api_error_release(&error);
    enum retry_class class = retry_classify(call->answer.status, call->answer.code);
    if ((class == RETRY_SKEW && correct_skew(call)) || renew_credentials(call)) {
        /* The server turned it away unread, so even a `once` request may go again, at once. */
        call->attempts_max++;
        call_retry(call, 0);
    } else if (class == RETRY_THROTTLED) {
        call_retry(call, backoff_ms(call));
    } else if (class == RETRY_SERVER && call->once) {
        end_unknown(call);
    } else if (class == RETRY_SERVER) {
        call_retry(call, backoff_ms(call));
    } else {
        call_end(call);
    }
}

static void on_exchanged(void *context, struct http_response *response, struct error *err)
{
    struct api_call *call = context;
    call->exchange = NULL;
    call->answer.attempts++;
    answer_release(&call->answer);
    call->answer.status = response->status;
    call->answer.headers = response->headers;
    response->headers = (struct http_headers){0};
    call->answer.body = response->body;
    response->body = (struct buffer)BUFFER_INIT;
    if (call->cancelled) {
        if (call->once && response->sent) {
            end_unknown(call);
        } else {
            call_end(call);
        }
    } else if (error_is_set(err)) {
        error_move(&call->err, err);
        judge_transport(call, response->sent);
    } else if (response->status >= 200 && response->status < 300) {
        call_end(call);
    } else {
        judge_refusal(call);
    }
}

static char *call_url(const struct api_call *call)
{
    struct buffer url = BUFFER_INIT;
    buffer_append_format(&url, "%s://%s%s%s", call->origin.scheme, call->origin.authority,
                         call->origin.path, call->path);
    if (call->query.list.count != 0) {
        buffer_append_char(&url, '?');
        uri_encode_pairs(&url, &call->query);
    }
    return buffer_take(&url);
}

static void call_sign(struct api_call *call, const struct credentials *credentials)
{
    CLEANUP(memory_cleanup)
    char *path = memory_format("%s%s", call->origin.path, call->path);
    struct sigv4_request request = {
        .method = call->method,
        .path = path,
        .query = &call->query,
        .body = buffer_span(&call->body),
        .service = call->endpoint.signing_name,
        .region = call->endpoint.signing_region,
        .at_s = clock_wall_ns() / CLOCK_NS_PER_S + call->client->skew_s,
    };
    sigv4_sign(&request, credentials, &call->headers);
}

static void call_exchange(struct api_call *call, const struct credentials *credentials)
{
    if (credentials != NULL) {
        call_sign(call, credentials);
    }
    CLEANUP(memory_cleanup) char *url = call_url(call);
    int64_t left_ms = call_left_ms(call);
    struct http_request request = {
        .method = call->method,
        .url = url,
        .headers = &call->headers,
        .body = buffer_span(&call->body),
        .timeout_ms = left_ms < 1                    ? 1
                      : left_ms < AWS_TRY_TIMEOUT_MS ? left_ms
                                                     : AWS_TRY_TIMEOUT_MS,
        .fresh_connection = call->once,
    };
    oneshot_stop(call->timer);
    call->state = CALL_EXCHANGES;
    call->exchange = http_start(call->client->http, &request, on_exchanged, call);
}

static void on_credentials(void *context, const struct credentials *credentials, struct error *err)
{
    struct api_call *call = context;
    if (call->state != CALL_CREDENTIALS) {
        return; /* another of those who waited has just cancelled this one */
    }
    if (credentials == NULL) {
        error_move(&call->err, err);
        error_context(&call->err, "%s %s", call->service, call->operation);
        call_end(call);
    } else {
        call_exchange(call, credentials);
    }
}

static void call_begin(struct api_call *call)
{
    if (call->is_unsigned) {
        call_exchange(call, NULL);
    } else if (call->credentials.access_key != NULL) {
        call_exchange(call, &call->credentials);
    } else {
        int64_t left_ms = call_left_ms(call);
        call->state = CALL_CREDENTIALS;
        oneshot_start(call->timer, left_ms > 0 ? left_ms : 0);
        credential_provider_get(call->client->provider, CREDENTIAL_MARGIN_MS, on_credentials, call);
    }
}

static void on_timer(void *context)
{
    struct api_call *call = context;
    if (call->state == CALL_ENDED) {
        call_deliver(call);
    } else if (call->state == CALL_BEGINS) {
        call_begin(call);
    } else {
        credential_provider_forget(call->client->provider, call);
        error_set(&call->err, ERROR_TIMEOUT, "%s %s: no credentials in time", call->service,
                  call->operation);
        call_end(call);
    }
}

static void call_copy_request(struct api_call *call, const struct api_request *request)
{
    call->once = request->once;
    call->is_unsigned = request->is_unsigned;
    call->service = memory_text(request->service);
    call->operation = memory_text(request->operation);
    call->method = memory_text(request->method);
    call->path = memory_text(request->path != NULL ? request->path : "/");
    buffer_append_span(&call->body, request->body);
    for (size_t i = 0; request->query != NULL && i < request->query->list.count; i++) {
        const struct uri_pair *pair = &request->query->list.items[i];
        uri_pairs_add(&call->query, pair->name, pair->value);
    }
    for (size_t i = 0; request->headers != NULL && i < request->headers->list.count; i++) {
        const struct http_header *header = &request->headers->list.items[i];
        http_headers_add(&call->headers, header->name, header->value);
    }
    if (request->credentials != NULL) {
        call->credentials = credentials_copy(request->credentials);
    }
    int64_t timeout_ms = request->timeout_ms > 0 ? request->timeout_ms : AWS_TIMEOUT_DEFAULT_MS;
    call->deadline_ns = clock_monotonic_ns() + timeout_ms * CLOCK_NS_PER_MS;
    call->attempts_max =
        request->attempts != 0 ? request->attempts : retry_policy_default.attempts_max;
}

static int call_find_endpoint(struct api_call *call, const struct api_request *request)
{
    const struct aws_settings *settings = &call->client->settings;
    if (endpoint_find(settings, request->service, request->region, &call->endpoint, &call->err) !=
        0) {
        return -1;
    }
    const char *url = request->endpoint != NULL ? request->endpoint : call->endpoint.url;
    if (uri_origin_parse(url, &call->origin, &call->err) != 0) {
        return error_context(&call->err, "the endpoint of %s", request->service);
    }
    http_headers_add(&call->headers, "Host", call->origin.authority);
    return 0;
}

struct api_call *api_call_start(struct api_client *client, const struct api_request *request,
                                api_done *done, void *context)
{
    struct api_call *call = memory_new(1, sizeof *call);
    call->client = client;
    call->done = done;
    call->context = context;
    call->timer = oneshot_new(client->loop, on_timer, call);
    call_copy_request(call, request);
    vector_push(&client->calls, call);
    if (client->closing) {
        api_call_cancel(call);
    } else if (call_find_endpoint(call, request) != 0) {
        call_end(call);
    } else {
        oneshot_start(call->timer, 0);
    }
    return call;
}

void api_call_cancel(struct api_call *call)
{
    if (call->state == CALL_ENDED || call->cancelled) {
        return;
    }
    call->cancelled = true;
    error_set(&call->err, ERROR_CANCELLED, "%s %s was cancelled", call->service, call->operation);
    if (call->state == CALL_EXCHANGES) {
        http_cancel(call->exchange);
        return;
    }
    if (call->state == CALL_CREDENTIALS && !call->client->closing) {
        credential_provider_forget(call->client->provider, call);
    }
    call_end(call);
}
