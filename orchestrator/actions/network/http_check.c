/* http.check: is the service there, and does it say what it should? Asked again and again until it
 * does or the time is over, since a load balancer needs its while. */
#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

#include "actions/action.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/text.h"
#include "network/net_session.h"
#include "network/resolver.h"

enum {
    BODY_LIMIT_BYTES = 1024 * 1024, /* a health page; more is not one */
    SHOWN_BYTES = 300,
    REDIRECTS_MAX = 10,
};

static const struct parameter parameters[] = {
    {.name = "url", .type = VALUE_STRING, .required = true, .exposed = true, .doc = "What to ask"},
    {.name = "method",
     .type = VALUE_CHOICE,
     .default_json = "\"GET\"",
     .choices = (const char *const[]){"GET", "HEAD", "POST", "PUT", NULL},
     .doc = "How to ask"},
    {.name = "headers", .type = VALUE_STRING_MAP, .default_json = "{}", .doc = "Headers to send"},
    {.name = "body", .type = VALUE_STRING, .doc = "What to send"},
    {.name = "status",
     .type = VALUE_LIST,
     .default_json = "[200]",
     .doc = "Statuses that are good"},
    {.name = "contains",
     .type = VALUE_STRING,
     .exposed = true,
     .doc = "Text that the answer must hold"},
    {.name = "json",
     .type = VALUE_MAP,
     .exposed = true,
     .doc = "What the JSON answer must say: a.b.c → value"},
    {.name = "connect_to",
     .type = VALUE_STRING,
     .exposed = true,
     .doc = "HOST or HOST:PORT to connect to instead, to test a site before DNS points to it"},
    {.name = "redirects",
     .type = VALUE_INTEGER,
     .default_json = "0",
     .doc = "How many redirects to follow, ten at most"},
    {.name = "successes",
     .type = VALUE_INTEGER,
     .default_json = "1",
     .doc = "How many good answers in a row are wanted"},
    {.name = "interval",
     .type = VALUE_DURATION,
     .default_json = "\"5s\"",
     .doc = "Between two questions"},
    {.name = "request_timeout",
     .type = VALUE_DURATION,
     .default_json = "\"10s\"",
     .doc = "For one answer"},
    {.name = "deadline",
     .type = VALUE_DURATION,
     .default_json = "\"5m\"",
     .doc = "How long to go on asking; 0s asks once"},
    {0}};

static const struct output outputs[] = {
    {.name = "status", .type = VALUE_INTEGER, .doc = "Status of the last answer"},
    {.name = "latency_ms", .type = VALUE_INTEGER, .doc = "How long it took"},
    {.name = "tries", .type = VALUE_INTEGER, .doc = "How often it was asked"},
    {.name = "json", .type = VALUE_ANY, .doc = "The answer when it is JSON, else null"},
    {0}};

static bool is_wanted_status(const struct attempt *attempt, long status)
{
    size_t i;
    json_t *item;
    json_array_foreach (attempt_argument(attempt, "status"), i, item) {
        if (json_is_integer(item) && json_integer_value(item) == status) {
            return true;
        }
    }
    return false;
}

/* Follows "a.b.0.c" into a document. Borrowed; NULL when it leads nowhere. */
static const json_t *follow(const json_t *value, const char *path)
{
    while (value != NULL && *path != '\0') {
        size_t size_bytes = strcspn(path, ".");
        CLEANUP(memory_cleanup) char *key = memory_text_n(path, size_bytes);
        value = json_is_array(value) ? json_array_get(value, strtoul(key, NULL, 10))
                                     : json_object_get(value, key);
        path += size_bytes + (path[size_bytes] == '.' ? 1 : 0);
    }
    return value;
}

static int check_json(const json_t *wanted, const json_t *document, struct error *err)
{
    const char *path;
    json_t *value;
    if (wanted != NULL && document == NULL) {
        return error_set(err, ERROR_FAILED, "the answer is not JSON");
    }
    json_object_foreach ((json_t *)(uintptr_t)wanted, path, value) {
        const json_t *found = follow(document, path);
        if (found == NULL || !json_equal(found, value)) {
            CLEANUP(memory_cleanup) char *is = found != NULL ? json_canonical(found) : NULL;
            CLEANUP(memory_cleanup) char *must = json_canonical(value);
            return error_set(err, ERROR_FAILED, "%s is %s and not %s", path,
                             is != NULL ? is : "not there", must);
        }
    }
    return 0;
}

static int check_response(const struct attempt *attempt, const struct http_response *response,
                          const json_t *document, struct error *err)
{
    const char *contains = attempt_text(attempt, "contains");
    struct span body = buffer_span(&response->body);
    if (!is_wanted_status(attempt, response->status)) {
        CLEANUP(buffer_release) struct buffer shown = BUFFER_INIT;
        size_t size = body.size_bytes < SHOWN_BYTES ? body.size_bytes : SHOWN_BYTES;
        text_append_safe(&shown, span_of(body.data, size), false);
        return error_set(err, ERROR_FAILED, "status %ld%s%s", response->status,
                         size != 0 ? ": " : "", buffer_text(&shown));
    }
    if (contains != NULL && (body.size_bytes == 0 || memmem(body.data, body.size_bytes, contains,
                                                            strlen(contains)) == NULL)) {
        return error_set(err, ERROR_FAILED, "status %ld, but the answer does not hold \"%s\"",
                         response->status, contains);
    }
    return check_json(attempt_argument(attempt, "json"), document, err);
}

struct check {
    struct attempt *attempt;
    struct net_session *session;
    struct http_headers headers;
    struct http_request request;
    char *place; /* "HOST:PORT" to connect to; NULL: the URL's */
    unsigned tries;
};

static char *url_part(CURLU *url, CURLUPart part)
{
    char *text = NULL;
    if (curl_url_get(url, part, &text, CURLU_DEFAULT_PORT) != CURLUE_OK) {
        return NULL;
    }
    char *copy = memory_text(text);
    curl_free(text);
    return copy;
}

/* Where to connect: `connect_to`, or the URL's host; looked up anew each time, since the name may
 * be just what is being moved. */
static int find_place(struct check *check, struct error *err)
{
    const char *given = attempt_text(check->attempt, "connect_to");
    const char *colon = given != NULL ? strrchr(given, ':') : NULL;
    CURLU *url = curl_url();
    if (curl_url_set(url, CURLUPART_URL, check->request.url, 0) != CURLUE_OK) {
        curl_url_cleanup(url);
        return 0; /* the client says what is wrong with it */
    }
    CLEANUP(memory_cleanup) char *url_host = url_part(url, CURLUPART_HOST);
    CLEANUP(memory_cleanup) char *url_port = url_part(url, CURLUPART_PORT);
    curl_url_cleanup(url);
    size_t host_bytes = colon != NULL ? (size_t)(colon - given) : 0;
    CLEANUP(memory_cleanup)
    char *host = colon != NULL ? memory_text_n(given, host_bytes)
                               : memory_text(given != NULL ? given : url_host);
    const char *port = colon != NULL ? colon + 1 : url_port;
    free(check->place);
    check->place = NULL;
    if (host == NULL || port == NULL ||
        resolver_connect_to(check->attempt, host, port, &check->place, err) != 0) {
        return error_is_set(err) ? -1 : 0;
    }
    if (check->place == NULL && given != NULL) {
        check->place = memory_format("%s:%s", host, port);
    }
    check->request.connect_to = check->place;
    return 0;
}

/* One question; 0 when the answer is good. The outputs are those of the last one. */
static int ask_once(struct check *check, struct error *err)
{
    struct attempt *attempt = check->attempt;
    struct http_response response = {0};
    check->tries++;
    if (find_place(check, err) != 0) {
        return -1;
    }
    if (net_session_http(check->session, &check->request, &response, err) != 0) {
        return -1;
    }
    CLEANUP(json_cleanup)
    json_t *document = json_parse(buffer_span(&response.body), "answer", NULL);
    int status = check_response(attempt, &response, document, err);
    attempt_set_output(attempt, "status", json_integer(response.status));
    attempt_set_output(attempt, "latency_ms", json_integer(response.latency_ms));
    attempt_set_output(attempt, "json", document != NULL ? json_incref(document) : json_null());
    if (status == 0) {
        attempt_say(attempt, "status %ld after %lld ms", response.status,
                    (long long)response.latency_ms);
    }
    net_response_release(&response);
    return status;
}

/* Asks until enough good answers came in a row. */
static int ask_until_good(struct check *check, struct error *err)
{
    struct attempt *attempt = check->attempt;
    int64_t interval_ms = attempt_duration_ms(attempt, "interval", 5000);
    int64_t deadline_ns =
        clock_monotonic_ns() + attempt_duration_ms(attempt, "deadline", 300000) * CLOCK_NS_PER_MS;
    int64_t wanted = attempt_integer(attempt, "successes", 1);
    int64_t good = 0;
    CLEANUP(memory_cleanup) char *last_words = NULL;
    for (;;) {
        struct error own = ERROR_INIT;
        bool is_good = ask_once(check, &own) == 0;
        good = is_good ? good + 1 : 0;
        bool is_over = clock_monotonic_ns() + interval_ms * CLOCK_NS_PER_MS > deadline_ns;
        bool is_final = own.code == ERROR_INVALID || own.code == ERROR_CANCELLED;
        if (good >= wanted) {
            return 0;
        }
        if (!is_good && (is_over || is_final || attempt_check(attempt, NULL) != 0)) {
            error_move(err, &own);
            return error_context(err, "%u %s", check->tries, check->tries == 1 ? "try" : "tries");
        }
        if (is_good && is_over) {
            return error_set(err, ERROR_TIMEOUT, "only %lld good answers in a row of %lld",
                             (long long)good, (long long)wanted);
        }
        if (!is_good && (last_words == NULL || strcmp(last_words, own.message) != 0)) {
            free(last_words);
            last_words = memory_text(own.message);
            attempt_say(attempt, "not yet: %s", own.message);
        }
        error_release(&own);
        if (attempt_sleep(attempt, interval_ms, err) != 0) {
            return -1;
        }
    }
}

static void read_request(struct check *check)
{
    struct attempt *attempt = check->attempt;
    const char *body = attempt_text(attempt, "body");
    int64_t redirects = attempt_integer(attempt, "redirects", 0);
    const char *name;
    json_t *value;
    json_object_foreach ((json_t *)(uintptr_t)attempt_argument(attempt, "headers"), name, value) {
        http_headers_add(&check->headers, name, json_string_value(value));
    }
    check->request = (struct http_request){
        .method = attempt_text(attempt, "method"),
        .url = attempt_text(attempt, "url"),
        .headers = &check->headers,
        .body = span_of_text(body != NULL ? body : ""),
        .timeout_ms = attempt_duration_ms(attempt, "request_timeout", 10000),
        .response_limit_bytes = BODY_LIMIT_BYTES,
        .fresh_connection = true, /* a kept one would go on asking where the name pointed before */
        .redirects_max = redirects < 0               ? 0
                         : redirects > REDIRECTS_MAX ? REDIRECTS_MAX
                                                     : (unsigned)redirects,
    };
}

static int run(struct attempt *attempt, struct error *err)
{
    CLEANUP(net_session_cleanup) struct net_session *session = NULL;
    struct check check = {.attempt = attempt};
    if (net_session_open(attempt, &session, err) != 0) {
        return -1;
    }
    check.session = session;
    read_request(&check);
    if (attempt_is_dry_run(attempt)) {
        /* What it asks for may be what the run is still to build. */
        attempt_say(attempt, "would ask %s %s", check.request.method, check.request.url);
        http_headers_release(&check.headers);
        return 0;
    }
    int status = ask_until_good(&check, err);
    attempt_set_output(attempt, "tries", json_integer(check.tries));
    http_headers_release(&check.headers);
    free(check.place);
    return status;
}

const struct action action_http_check = {
    .description =
        {
            .name = "http.check",
            .summary = "Ask a URL until it answers as it should",
            .parameters = parameters,
            .outputs = outputs,
        },
    .run = run,
    .interrupted = "It changes nothing and is asked again.",
    .shows_dry_run = true,
};
