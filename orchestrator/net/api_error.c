/* Services answer errors in five shapes. The parts are looked for one after the other, so that a
 * truncated or unknown answer still yields a code that retry rules and people can use. */
#include "net/api_error.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"
#include "net/retry.h"
#include "net/xml.h"

enum { MESSAGE_LIMIT_BYTES = 2000 };

/* Joins <Messages><Message>…</Message>…</Messages>. */
static char *join_messages(const xmlNode *messages)
{
    struct buffer text = BUFFER_INIT;
    for (const xmlNode *item = xml_child(messages, "Message"); item != NULL;
         item = xml_next(item, "Message")) {
        CLEANUP(memory_cleanup) char *message = xml_text(item);
        buffer_append_format(&text, "%s%s", text.size_bytes != 0 ? "; " : "", message);
    }
    return buffer_take(&text);
}

static void parse_xml(struct span body, struct api_error *error)
{
    CLEANUP(xml_free) xmlDoc *document = xml_parse(body, "error", NULL);
    if (document == NULL) {
        return;
    }
    const xmlNode *root = xmlDocGetRootElement(document);
    const xmlNode *messages = xml_child(root, "Messages");
    const xmlNode *errors = xml_child(root, "Errors");
    const xmlNode *detail = xml_child(errors != NULL ? errors : root, "Error");
    if (messages != NULL) {
        error->code = memory_text((const char *)root->name);
        error->message = join_messages(messages);
    } else {
        detail = detail != NULL ? detail : root;
        error->code = xml_child_text(detail, "Code");
        error->message = xml_child_text(detail, "Message");
        if (error->message == NULL) {
            error->message = join_messages(xml_child(detail, "Messages"));
        }
    }
    error->request_id = xml_child_text(root, "RequestId");
    if (error->request_id == NULL) {
        error->request_id = xml_child_text(root, "RequestID");
    }
}

/* "com.amazonaws.dynamodb#ThrottlingException:http://…" is "ThrottlingException". */
static char *plain_code(const char *code)
{
    const char *hash = strrchr(code, '#');
    const char *start = hash != NULL ? hash + 1 : code;
    return memory_text_n(start, strcspn(start, ":"));
}

static void parse_json(const struct http_headers *headers, struct span body,
                       struct api_error *error)
{
    CLEANUP(json_cleanup) json_t *document = json_parse(body, "error", NULL);
    const char *code = http_headers_get(headers, "x-amzn-ErrorType");
    static const char *const code_keys[] = {"__type", "code", "Code"};
    for (size_t i = 0; i < ARRAY_SIZE(code_keys) && code == NULL; i++) {
        code = json_get_text(document, code_keys[i]);
    }
    const char *message = json_get_text(document, "message");
    if (message == NULL) {
        message = json_get_text(document, "Message");
    }
    if (code != NULL) {
        error->code = plain_code(code);
        error->message = memory_text(message);
    }
}

/* A message goes to a terminal, in one line. */
static void make_presentable(char **text)
{
    CLEANUP(buffer_release) struct buffer safe = BUFFER_INIT;
    const char *start = *text != NULL ? *text : "";
    size_t size_bytes = strlen(start);
    size_bytes = size_bytes < MESSAGE_LIMIT_BYTES ? size_bytes : MESSAGE_LIMIT_BYTES;
    text_append_safe(&safe, span_of(start, size_bytes), false);
    free(*text);
    *text = buffer_take(&safe);
}

void api_error_parse(long status, const struct http_headers *headers, struct span body,
                     struct api_error *ret_error)
{
    struct api_error error = {0};
    while (body.size_bytes != 0 && strchr(" \t\r\n", body.data[0]) != NULL) {
        body = span_of(body.data + 1, body.size_bytes - 1);
    }
    if (span_starts_with(body, "<")) {
        parse_xml(body, &error);
    } else {
        parse_json(headers, body, &error);
    }
    if (error.code == NULL || *error.code == '\0') {
        free(error.code);
        error.code = memory_format("HTTP%ld", status);
    }
    make_presentable(&error.code);
    make_presentable(&error.message);
    if (error.request_id == NULL) {
        error.request_id = memory_text(http_headers_get(headers, "x-amzn-RequestId"));
    }
    *ret_error = error;
}

void api_error_release(struct api_error *error)
{
    free(error->code);
    free(error->message);
    free(error->request_id);
    *error = (struct api_error){0};
}

static enum error_code kind_of(const struct api_error *error, long status)
{
    switch (retry_classify(status, error->code)) {
    case RETRY_THROTTLED:
        return ERROR_THROTTLED;
    case RETRY_SERVER:
        return ERROR_NETWORK;
    default:
        return status == 404 || strncmp(error->code, "NoSuch", 6) == 0 ? ERROR_NOT_FOUND
                                                                       : ERROR_FAILED;
    }
}

int api_error_set(const struct api_error *error, long status, const char *service,
                  const char *operation, struct error *err)
{
    bool has_message = error->message != NULL && *error->message != '\0';
    return error_set(err, kind_of(error, status), "%s %s: %s%s%s%s%s%s", service, operation,
                     error->code, has_message ? ": " : "", has_message ? error->message : "",
                     error->request_id != NULL ? " [request " : "",
                     error->request_id != NULL ? error->request_id : "",
                     error->request_id != NULL ? "]" : "");
}
