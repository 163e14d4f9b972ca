/* The signer against the example that AWS's documentation works through (IAM, ListUsers), and the
 * rules that it leaves to the reader. sigv4_oracle.py compares a thousand more with botocore. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "net/sigv4.h"

enum { AT_S = 1440938160 }; /* 2015-08-30T12:36:00Z */

static const struct credentials keys = {
    .access_key = (char[]){"AKIDEXAMPLE"},
    .secret_key = (char[]){"wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"},
};

struct listing {
    struct uri_pairs query;
    struct http_headers headers;
    struct sigv4_request request;
};

static void listing_open(struct listing *listing)
{
    *listing = (struct listing){0};
    uri_pairs_add(&listing->query, "Action", "ListUsers");
    uri_pairs_add(&listing->query, "Version", "2010-05-08");
    http_headers_add(&listing->headers, "Content-Type",
                     "application/x-www-form-urlencoded; charset=utf-8");
    http_headers_add(&listing->headers, "Host", "iam.amazonaws.com");
    listing->request = (struct sigv4_request){.method = "GET",
                                              .path = "/",
                                              .query = &listing->query,
                                              .service = "iam",
                                              .region = "us-east-1",
                                              .at_s = AT_S};
}

static void listing_close(struct listing *listing)
{
    uri_pairs_release(&listing->query);
    http_headers_release(&listing->headers);
}

static const char canonical[] =
    "GET\n/\nAction=ListUsers&Version=2010-05-08\n"
    "content-type:application/x-www-form-urlencoded; charset=utf-8\n"
    "host:iam.amazonaws.com\nx-amz-date:20150830T123600Z\n\ncontent-type;host;x-amz-date\n"
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

static const char to_sign[] =
    "AWS4-HMAC-SHA256\n20150830T123600Z\n20150830/us-east-1/iam/aws4_request\n"
    "f536975d06c0309214f805bb90ccff089219ecd68b2577efef23edd43b7e1a59";

static const char signature[] = "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7";

static void the_canonical_request_is_that_of_the_documentation(void **state)
{
    (void)state;
    struct listing listing;
    CLEANUP(buffer_release) struct buffer out = BUFFER_INIT;
    listing_open(&listing);
    http_headers_add(&listing.headers, "X-Amz-Date", "20150830T123600Z");
    sigv4_canonical_request(&listing.request, &listing.headers, &out);
    assert_string_equal(buffer_text(&out), canonical);
    listing_close(&listing);
}

static void the_string_to_sign_is_that_of_the_documentation(void **state)
{
    (void)state;
    struct listing listing;
    CLEANUP(buffer_release) struct buffer out = BUFFER_INIT;
    listing_open(&listing);
    sigv4_string_to_sign(&listing.request, span_of_text(canonical), &out);
    assert_string_equal(buffer_text(&out), to_sign);
    listing_close(&listing);
}

static void the_signature_is_that_of_the_documentation(void **state)
{
    (void)state;
    struct listing listing;
    char hex[DIGEST_HEX_SIZE];
    listing_open(&listing);
    sigv4_signature(&listing.request, keys.secret_key, span_of_text(to_sign), hex);
    assert_string_equal(hex, signature);
    sigv4_sign(&listing.request, &keys, &listing.headers);
    assert_string_equal(http_headers_get(&listing.headers, "Authorization"),
                        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/"
                        "aws4_request, SignedHeaders=content-type;host;x-amz-date, Signature="
                        "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7");
    listing_close(&listing);
}

static void signing_again_replaces_the_first_signature(void **state)
{
    (void)state;
    struct listing once;
    struct listing twice;
    struct credentials session = keys;
    session.token = (char[]){"token"};
    listing_open(&once);
    listing_open(&twice);
    sigv4_sign(&once.request, &session, &once.headers);
    twice.request.at_s = AT_S - 1000;
    sigv4_sign(&twice.request, &session, &twice.headers);
    twice.request.at_s = AT_S;
    sigv4_sign(&twice.request, &session, &twice.headers);
    assert_int_equal(once.headers.list.count, twice.headers.list.count);
    assert_string_equal(http_headers_get(&once.headers, "Authorization"),
                        http_headers_get(&twice.headers, "Authorization"));
    listing_close(&once);
    listing_close(&twice);
}

static void assert_path(const char *service, const char *path, const char *expected)
{
    struct http_headers headers = {0};
    struct sigv4_request request = {
        .method = "GET", .path = path, .service = service, .region = "us-east-1", .at_s = AT_S};
    CLEANUP(buffer_release) struct buffer out = BUFFER_INIT;
    http_headers_add(&headers, "Host", "example.com");
    sigv4_canonical_request(&request, &headers, &out);
    CLEANUP(memory_cleanup) char *start = memory_format("GET\n%s\n", expected);
    assert_true(span_starts_with(buffer_span(&out), start));
    http_headers_release(&headers);
}

static void paths_are_normalised_and_encoded_twice_except_for_s3(void **state)
{
    (void)state;
    assert_path("route53", "", "/");
    assert_path("route53", "/a/./b//c/../d", "/a/b/d");
    assert_path("route53", "/../..", "/");
    assert_path("route53", "/a%20b/", "/a%2520b/");
    assert_path("s3", "/a/./b//c/../d%20e", "/a/./b//c/../d%20e");
    assert_path("s3", "", "/");
}

static void s3_signs_the_hash_of_its_content_as_a_header(void **state)
{
    (void)state;
    struct http_headers headers = {0};
    struct sigv4_request request = {.method = "PUT",
                                    .path = "/b/k",
                                    .service = "s3",
                                    .region = "us-west-2",
                                    .at_s = AT_S,
                                    .body = span_of_text("x")};
    http_headers_add(&headers, "Host", "example.com");
    sigv4_sign(&request, &keys, &headers);
    assert_string_equal(http_headers_get(&headers, "x-amz-content-sha256"),
                        "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881");
    assert_non_null(strstr(http_headers_get(&headers, "Authorization"), "x-amz-content-sha256"));
    http_headers_release(&headers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_canonical_request_is_that_of_the_documentation),
        cmocka_unit_test(the_string_to_sign_is_that_of_the_documentation),
        cmocka_unit_test(the_signature_is_that_of_the_documentation),
        cmocka_unit_test(signing_again_replaces_the_first_signature),
        cmocka_unit_test(paths_are_normalised_and_encoded_twice_except_for_s3),
        cmocka_unit_test(s3_signs_the_hash_of_its_content_as_a_header),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
