/* SNS by its query API in the topic's own region; a webhook as a POST of JSON in the form that chat
 * services share ({"text": …}); PagerDuty's Events API 2, whose dedup_key makes a repeated message
 * one message. */
#include "network/notify_channels.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "network/net_session.h"

enum {
    TRIES = 4,
    FIRST_PAUSE_MS = 1000,
    SNS_SUBJECT_MAX = 99, /* "fewer than 100 characters" */
};

/* "arn:aws:sns:us-west-2:123456789012:name": the fourth part. The caller frees it. */
static char *region_of_topic(const char *arn, struct error *err)
{
    const char *part = arn;
    for (int i = 0; i < 3 && part != NULL; i++) {
        part = strchr(part, ':');
        part = part != NULL ? part + 1 : NULL;
    }
    size_t size_bytes = part != NULL ? strcspn(part, ":") : 0;
    if (size_bytes == 0) {
        error_set(err, ERROR_INVALID, "%s is not the ARN of a topic", arn);
        return NULL;
    }
    return memory_text_n(part, size_bytes);
}

static void append_details(struct attempt *attempt, struct buffer *text)
{
    const char *name;
    json_t *value;
    json_object_foreach ((json_t *)(uintptr_t)attempt_argument(attempt, "details"), name, value) {
        CLEANUP(memory_cleanup) char *shown = json_canonical(value);
        bool is_text = json_is_string(value);
        buffer_append_format(text, "\n%s: %s", name, is_text ? json_string_value(value) : shown);
    }
}

static void fill_sns(struct attempt *attempt, const char *topic_arn, struct uri_pairs *form)
{
    CLEANUP(buffer_release) struct buffer text = BUFFER_INIT;
    const char *subject = attempt_text(attempt, "subject");
    buffer_append_text(&text, attempt_text(attempt, "message"));
    append_details(attempt, &text);
    uri_pairs_add(form, "Action", "Publish");
    uri_pairs_add(form, "Version", "2010-03-31");
    uri_pairs_add(form, "TopicArn", topic_arn);
    uri_pairs_add(form, "Message", buffer_text(&text));
    if (subject != NULL) {
        CLEANUP(memory_cleanup)
        char *cut = memory_text_n(subject, strnlen(subject, SNS_SUBJECT_MAX));
        uri_pairs_add(form, "Subject", cut);
    }
}

int notify_sns(struct attempt *attempt, const char *topic_arn, struct error *err)
{
    CLEANUP(memory_cleanup) char *region = region_of_topic(topic_arn, err);
    CLEANUP(net_session_cleanup) struct net_session *session = NULL;
    if (region == NULL || net_session_open_aws(attempt, attempt_text(attempt, "profile"), region,
                                               &session, err) != 0) {
        return -1;
    }
    struct uri_pairs form = {0};
    struct http_headers headers = {0};
    CLEANUP(buffer_release) struct buffer body = BUFFER_INIT;
    fill_sns(attempt, topic_arn, &form);
    uri_encode_pairs(&body, &form);
    http_headers_add(&headers, "Content-Type", "application/x-www-form-urlencoded; charset=utf-8");
    struct api_request request = {.service = "sns",
                                  .operation = "Publish",
                                  .region = region,
                                  .method = "POST",
                                  .headers = &headers,
                                  .body = buffer_span(&body)};
    struct api_answer answer;
    int status = net_session_call(session, &request, &answer, err);
    net_answer_release(&answer);
    http_headers_release(&headers);
    uri_pairs_release(&form);
    return status;
}

/* Posts JSON; a service that is busy or unreachable is tried again. The address may be a secret and
 * is not part of a message. */
static int post_once(struct net_session *session, const struct http_request *request,
                     bool *ret_again, struct error *err)
{
    struct http_response response = {0};
    *ret_again = true;
    if (net_session_http(session, request, &response, err) != 0) {
        *ret_again = err->code == ERROR_NETWORK || err->code == ERROR_TIMEOUT;
        return -1;
    }
    long status = response.status;
    net_response_release(&response);
    if (status >= 200 && status < 300) {
        return 0;
    }
    *ret_again = status == 429 || status >= 500;
    return error_set(err, ERROR_FAILED, "the message was refused with status %ld", status);
}

static int post_json(struct attempt *attempt, const char *url, const json_t *document,
                     struct error *err)
{
    CLEANUP(net_session_cleanup) struct net_session *session = NULL;
    CLEANUP(memory_cleanup) char *body = json_canonical(document);
    struct http_headers headers = {0};
    if (net_session_open(attempt, &session, err) != 0) {
        return -1;
    }
    http_headers_add(&headers, "Content-Type", "application/json");
    struct http_request request = {
        .method = "POST", .url = url, .headers = &headers, .body = span_of_text(body)};
    bool again = true;
    int status = -1;
    int64_t pause_ms = FIRST_PAUSE_MS;
    for (int i = 0; i < TRIES && status != 0 && again; i++) {
        if (i != 0 && attempt_sleep(attempt, pause_ms, NULL) != 0) {
            break;
        }
        pause_ms *= i != 0 ? 2 : 1;
        error_release(err);
        status = post_once(session, &request, &again, err);
    }
    http_headers_release(&headers);
    return status;
}

int notify_webhook(struct attempt *attempt, const char *url, struct error *err)
{
    const json_t *given = attempt_argument(attempt, "body");
    CLEANUP(buffer_release) struct buffer text = BUFFER_INIT;
    const char *subject = attempt_text(attempt, "subject");
    if (subject != NULL) {
        buffer_append_format(&text, "%s\n", subject);
    }
    buffer_append_text(&text, attempt_text(attempt, "message"));
    append_details(attempt, &text);
    CLEANUP(json_cleanup)
    json_t *document = given != NULL ? json_incref((json_t *)(uintptr_t)given)
                                     : json_pack("{ss}", "text", buffer_text(&text));
    return post_json(attempt, url, document, err);
}

int notify_pagerduty(struct attempt *attempt, const char *routing_key, struct error *err)
{
    const char *subject = attempt_text(attempt, "subject");
    const char *message = attempt_text(attempt, "message");
    const char *key = attempt_text(attempt, "dedup_key");
    const json_t *details = attempt_argument(attempt, "details");
    CLEANUP(memory_cleanup)
    char *made_up = memory_format("drctl/%s/%s", attempt_run_id(attempt), attempt_step_id(attempt));
    CLEANUP(json_cleanup)
    json_t *document =
        json_pack("{ss ss ss s{ss ss ss sO}}", "routing_key", routing_key, "event_action",
                  attempt_text(attempt, "event"), "dedup_key", key != NULL ? key : made_up,
                  "payload", "summary", subject != NULL ? subject : message, "source", "drctl",
                  "severity", attempt_text(attempt, "severity"), "custom_details", details);
    json_t *payload = json_object_get(document, "payload");
    if (subject != NULL) {
        json_object_set_new(json_object_get(payload, "custom_details"), "message",
                            json_string(message));
    }
    return post_json(attempt, attempt_text(attempt, "events_url"), document, err);
}
