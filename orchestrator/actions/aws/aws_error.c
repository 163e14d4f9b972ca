/* A service's refusal looks the same in all versions of the CLI:
 *
 *   An error occurred (DBInstanceNotFound) when calling the DescribeDBInstances operation: …
 *   An error occurred (Throttling) when calling the X operation (reached max retries: 4): …
 *
 * What goes wrong before an answer is there is plain text of botocore's. Whether a request was sent
 * at that time decides whether it may be repeated, so the texts are told apart here. */
#include "aws/aws_error.h"

#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/compiler.h"
#include "base/memory.h"

static const char *const throttled[] = {
    "BandwidthLimitExceeded",
    "EC2ThrottledException",
    "PriorRequestNotComplete",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "SlowDown",
    "ThrottledException",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
    "TransactionInProgressException",
};

/* The service itself is in trouble; the request may or may not have been carried out. */
static const char *const troubled[] = {
    "500",
    "502",
    "503",
    "504",
    "InternalError",
    "InternalFailure",
    "InternalServerError",
    "InternalServerException",
    "InternalServiceError",
    "RequestTimeout",
    "RequestTimeoutException",
    "ServerException",
    "ServiceUnavailable",
    "ServiceUnavailableException",
    "Unavailable",
};

static const char *const credentials[] = {
    "AuthFailure",
    "ExpiredToken",
    "ExpiredTokenException",
    "IncompleteSignature",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "MissingAuthenticationToken",
    "OptInRequired",
    "RequestExpired",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
};

#define IS_ONE_OF(code, list) is_one_of(code, list, ARRAY_SIZE(list))

static bool is_one_of(const char *code, const char *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(code, list[i]) == 0) {
            return true;
        }
    }
    return false;
}

enum error_code aws_error_kind(const char *code)
{
    if (IS_ONE_OF(code, throttled)) {
        return ERROR_THROTTLED;
    }
    if (IS_ONE_OF(code, troubled)) {
        return ERROR_NETWORK;
    }
    if (IS_ONE_OF(code, credentials)) {
        return ERROR_NOT_READY;
    }
    if (strstr(code, "NotFound") != NULL || strncmp(code, "NoSuch", 6) == 0 ||
        strcmp(code, "404") == 0) {
        return ERROR_NOT_FOUND;
    }
    return ERROR_FAILED;
}

/* "An error occurred (CODE) when calling the NAME operation…: MESSAGE" */
static bool parse_refusal(const char *text, struct aws_error *error)
{
    static const char opening[] = "An error occurred (";
    const char *start = strstr(text, opening);
    if (start == NULL) {
        return false;
    }
    const char *code = start + sizeof opening - 1;
    size_t code_bytes = strcspn(code, ")\n");
    error->code = memory_text_n(code, code_bytes);
    error->kind = aws_error_kind(error->code);
    error->ambiguous = IS_ONE_OF(error->code, troubled);
    error->message = memory_text_n(start, strcspn(start, "\n"));
    return true;
}

/* Texts of what went wrong on the way, in the order in which they are looked for. */
static const struct {
    const char *text;
    enum error_code kind;
    bool ambiguous;
} troubles[] = {
    {"Could not connect to the endpoint URL", ERROR_NETWORK, false},
    {"Connect timeout on endpoint URL", ERROR_NETWORK, false},
    {"Failed to connect to proxy URL", ERROR_NETWORK, false},
    {"SSL validation failed", ERROR_NETWORK, false},
    {"Read timeout on endpoint URL", ERROR_NETWORK, true},
    {"Connection was closed before we received a valid response", ERROR_NETWORK, true},
    {"Connection reset by peer", ERROR_NETWORK, true},
    {"An HTTP Client raised an unhandled exception", ERROR_NETWORK, true},
    {"Unable to locate credentials", ERROR_NOT_READY, false},
    {"could not be found", ERROR_NOT_READY, false}, /* "The config profile (x) …" */
    {"Error when retrieving", ERROR_NOT_READY, false},
    {"Partial credentials found", ERROR_NOT_READY, false},
    {"Unknown options", ERROR_INVALID, false},
    {"Invalid choice", ERROR_INVALID, false},
    {"invalid choice", ERROR_INVALID, false},
    {"Parameter validation failed", ERROR_INVALID, false},
    {"the following arguments are required", ERROR_INVALID, false},
};

/* The line of text that starts at or before `at`. */
static char *line_around(const char *text, const char *at)
{
    while (at > text && at[-1] != '\n') {
        at--;
    }
    return memory_text_n(at, strcspn(at, "\n"));
}

static char *last_line(const char *text)
{
    size_t size_bytes = strlen(text);
    while (size_bytes > 0 && text[size_bytes - 1] == '\n') {
        size_bytes--;
    }
    size_t start = size_bytes;
    while (start > 0 && text[start - 1] != '\n') {
        start--;
    }
    return memory_text_n(text + start, size_bytes - start);
}

void aws_error_parse(const char *text, struct aws_error *ret_error)
{
    *ret_error = (struct aws_error){.kind = ERROR_FAILED};
    if (parse_refusal(text, ret_error)) {
        return;
    }
    for (size_t i = 0; i < ARRAY_SIZE(troubles); i++) {
        const char *at = strstr(text, troubles[i].text);
        if (at != NULL) {
            ret_error->kind = troubles[i].kind;
            ret_error->ambiguous = troubles[i].ambiguous;
            ret_error->message = line_around(text, at);
            return;
        }
    }
    ret_error->message = last_line(text);
}

void aws_error_release(struct aws_error *error)
{
    free(error->code);
    free(error->message);
}
