/* Refusals of services, in each of the forms in which they come. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/compiler.h"
#include "net/api_error.h"

static const struct {
    const char *body;
    const char *header; /* x-amzn-ErrorType, or NULL */
    long status;
    const char *code;
    const char *message;
    const char *request_id;
} cases[] = {
    {"<ErrorResponse><Error><Type>Sender</Type><Code>Throttling</Code><Message>Rate "
     "exceeded</Message></Error><RequestId>r-1</RequestId></ErrorResponse>",
     NULL, 400, "Throttling", "Rate exceeded", "r-1"},
    {"<?xml version=\"1.0\"?>\n<InvalidChangeBatch "
     "xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\"><Messages><Message>first</Message>"
     "<Message>second</Message></Messages></InvalidChangeBatch>",
     NULL, 400, "InvalidChangeBatch", "first; second", NULL},
    {"<ErrorResponse><Error><Code>InvalidChangeBatch</Code><Messages><Message>only</Message>"
     "</Messages></Error></ErrorResponse>",
     NULL, 400, "InvalidChangeBatch", "only", NULL},
    {"<Error><Code>PreconditionFailed</Code><Message>m</Message><RequestId>r-2</RequestId></Error>",
     NULL, 412, "PreconditionFailed", "m", "r-2"},
    {"<Response><Errors><Error><Code>UnauthorizedOperation</Code><Message>m</Message></Error>"
     "</Errors><RequestID>r-3</RequestID></Response>",
     NULL, 403, "UnauthorizedOperation", "m", "r-3"},
    {"{\"__type\":\"com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException\","
     "\"message\":\"m\"}",
     NULL, 400, "ConditionalCheckFailedException", "m", NULL},
    {"{\"Message\":\"m\"}", "AccessDeniedException:http://internal.amazon.com/x", 403,
     "AccessDeniedException", "m", NULL},
    {"<html>Bad Gateway</html>", NULL, 502, "HTTP502", "", NULL},
    {"gateway says no", NULL, 503, "HTTP503", "", NULL},
    {"", NULL, 500, "HTTP500", "", NULL},
    {"{\"__type\":\"X\",\"message\":\"a\\u001b[31mb\\nc\"}", NULL, 400, "X", "ab\\nc", NULL},
};

static void every_form_is_understood(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct http_headers headers = {0};
        struct api_error error;
        if (cases[i].header != NULL) {
            http_headers_add(&headers, "x-amzn-ErrorType", cases[i].header);
        }
        api_error_parse(cases[i].status, &headers, span_of_text(cases[i].body), &error);
        assert_string_equal(error.code, cases[i].code);
        assert_string_equal(error.message, cases[i].message);
        if (cases[i].request_id != NULL) {
            assert_string_equal(error.request_id, cases[i].request_id);
        }
        api_error_release(&error);
        http_headers_release(&headers);
    }
}

static void assert_kind(const char *code, long status, enum error_code kind)
{
    struct error err = ERROR_INIT;
    struct api_error error = {.code = (char[64]){0}};
    snprintf(error.code, 64, "%s", code);
    api_error_set(&error, status, "s3", "PutObject", &err);
    assert_int_equal(err.code, kind);
    error_release(&err);
}

static void the_kind_of_failure_follows_from_the_code(void **state)
{
    (void)state;
    assert_kind("Throttling", 400, ERROR_THROTTLED);
    assert_kind("InternalFailure", 500, ERROR_NETWORK);
    assert_kind("NoSuchHostedZone", 404, ERROR_NOT_FOUND);
    assert_kind("NoSuchBucket", 400, ERROR_NOT_FOUND);
    assert_kind("AccessDenied", 403, ERROR_FAILED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_form_is_understood),
        cmocka_unit_test(the_kind_of_failure_follows_from_the_code),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
