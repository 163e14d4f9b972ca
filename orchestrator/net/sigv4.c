/* The signer, by the specification and with botocore as the judge where that is silent. libcurl's
 * own (7.88) signs path and query raw and knows no session token.
 *
 * Path: S3 signs it as it is sent; for all others dot segments and repeated slashes are removed and
 * it is encoded a second time. Query: encoded, then sorted by name and value. Headers: lower case,
 * sorted, values of one name joined by commas, white space folded. */
#include "net/sigv4.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/memory.h"

enum { STAMP_SIZE = 17, DAY_SIZE = 8 }; /* "20150830T123600Z" and NUL; its date */

static void format_stamp(int64_t at_s, char stamp[STAMP_SIZE])
{
    time_t at = (time_t)at_s;
    struct tm when;
    gmtime_r(&at, &when);
    strftime(stamp, STAMP_SIZE, "%Y%m%dT%H%M%SZ", &when);
}

static bool is_s3(const struct sigv4_request *request)
{
    return strcmp(request->service, "s3") == 0;
}

/* RFC 3986 5.2.4, and "//" becomes "/", as AWS asks for. */
static void append_normal_path(struct buffer *out, const char *path)
{
    VECTOR(struct span)
    parts = {0};
    size_t size_bytes = strlen(path);
    for (size_t at = 0; at < size_bytes;) {
        struct span part = span_of(path + at, strcspn(path + at, "/"));
        if (span_is(part, "..")) {
            parts.count -= parts.count != 0 ? 1 : 0;
        } else if (part.size_bytes != 0 && !span_is(part, ".")) {
            vector_push(&parts, part);
        }
        at += part.size_bytes + 1;
    }
    bool ends_in_slash = size_bytes != 0 && path[size_bytes - 1] == '/';
    for (size_t i = 0; i < parts.count; i++) {
        buffer_append_char(out, '/');
        buffer_append_span(out, parts.items[i]);
    }
    if (parts.count == 0 || ends_in_slash) {
        buffer_append_char(out, '/');
    }
    vector_release(&parts);
}

static void append_path(const struct sigv4_request *request, struct buffer *out)
{
    const char *path = *request->path != '\0' ? request->path : "/";
    if (is_s3(request)) {
        buffer_append_text(out, path);
        return;
    }
    CLEANUP(buffer_release) struct buffer normal = BUFFER_INIT;
    append_normal_path(&normal, path);
    uri_encode(out, buffer_span(&normal), true);
}

static bool is_left_out(const char *name)
{
    static const char *const names[] = {"authorization",
                                        "connection",
                                        "expect",
                                        "keep-alive",
                                        "proxy-authenticate",
                                        "te",
                                        "trailer",
                                        "upgrade",
                                        "transfer-encoding",
                                        "proxy-authorization",
                                        "user-agent",
                                        "x-amzn-trace-id"};
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        if (strcasecmp(names[i], name) == 0) {
            return true;
        }
    }
    return false;
}

struct signed_header {
    const struct http_header *header;
    size_t position; /* values of one name keep their order */
};

static int compare_headers(const void *a, const void *b)
{
    const struct signed_header *left = a;
    const struct signed_header *right = b;
    int order = strcasecmp(left->header->name, right->header->name);
    return order != 0 ? order
                      : (left->position > right->position) - (left->position < right->position);
}

static bool is_space(char byte)
{
    return byte != '\0' && strchr(" \t\r\n\v\f", byte) != NULL;
}

static void append_folded(struct buffer *out, const char *value)
{
    bool first = true;
    while (*value != '\0') {
        while (is_space(*value)) {
            value++;
        }
        const char *word = value;
        while (*value != '\0' && !is_space(*value)) {
            value++;
        }
        if (value != word) {
            buffer_append_text(out, first ? "" : " ");
            buffer_append(out, word, (size_t)(value - word));
            first = false;
        }
    }
}

static void append_lower(struct buffer *out, const char *name)
{
    for (; *name != '\0'; name++) {
        buffer_append_char(out, (char)tolower((unsigned char)*name));
    }
}

/* The canonical headers in `lines`, the list of their names in `names`. */
static void append_headers(const struct http_headers *headers, struct buffer *lines,
                           struct buffer *names)
{
    VECTOR(struct signed_header)
    list = {0};
    vector_each (struct http_header *, header, &headers->list) {
        if (!is_left_out(header->name)) {
            struct signed_header item = {header, list.count};
            vector_push(&list, item);
        }
    }
    if (list.count > 1) {
        qsort(list.items, list.count, sizeof *list.items, compare_headers);
    }
    for (size_t i = 0; i < list.count; i++) {
        const struct http_header *header = list.items[i].header;
        if (i != 0 && strcasecmp(header->name, list.items[i - 1].header->name) == 0) {
            buffer_append_char(lines, ',');
        } else {
            buffer_append_text(lines, i != 0 ? "\n" : "");
            append_lower(lines, header->name);
            buffer_append_char(lines, ':');
            buffer_append_text(names, i != 0 ? ";" : "");
            append_lower(names, header->name);
        }
        append_folded(lines, header->value);
    }
    buffer_append_char(lines, '\n');
    vector_release(&list);
}

void sigv4_canonical_request(const struct sigv4_request *request,
                             const struct http_headers *headers, struct buffer *out)
{
    CLEANUP(buffer_release) struct buffer names = BUFFER_INIT;
    buffer_append_format(out, "%s\n", request->method);
    append_path(request, out);
    buffer_append_char(out, '\n');
    if (request->query != NULL) {
        uri_encode_pairs_sorted(out, request->query);
    }
    buffer_append_char(out, '\n');
    append_headers(headers, out, &names);
    buffer_append_format(out, "\n%s\n", buffer_text(&names));

    const char *given = http_headers_get(headers, "X-Amz-Content-SHA256");
    char hex[DIGEST_HEX_SIZE];
    digest_sha256_hex(request->body, hex);
    buffer_append_text(out, given != NULL ? given : hex);
}

static void append_scope(const struct sigv4_request *request, struct buffer *out)
{
    char stamp[STAMP_SIZE];
    format_stamp(request->at_s, stamp);
    buffer_append_format(out, "%.*s/%s/%s/aws4_request", DAY_SIZE, stamp, request->region,
                         request->service);
}

void sigv4_string_to_sign(const struct sigv4_request *request, struct span canonical_request,
                          struct buffer *out)
{
    char stamp[STAMP_SIZE];
    char hex[DIGEST_HEX_SIZE];
    format_stamp(request->at_s, stamp);
    digest_sha256_hex(canonical_request, hex);
    buffer_append_format(out, "AWS4-HMAC-SHA256\n%s\n", stamp);
    append_scope(request, out);
    buffer_append_format(out, "\n%s", hex);
}

void sigv4_signature(const struct sigv4_request *request, const char *secret_key,
                     struct span string_to_sign, char hex[DIGEST_HEX_SIZE])
{
    char stamp[STAMP_SIZE];
    format_stamp(request->at_s, stamp);
    char *start = memory_format("AWS4%s", secret_key);
    unsigned char key[DIGEST_SIZE];
    digest_hmac_sha256(span_of_text(start), span_of(stamp, DAY_SIZE), key);
    memory_free_secret(start);
    const char *const steps[] = {request->region, request->service, "aws4_request"};
    for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
        unsigned char next[DIGEST_SIZE];
        digest_hmac_sha256(span_of((const char *)key, DIGEST_SIZE), span_of_text(steps[i]), next);
        memcpy(key, next, DIGEST_SIZE);
    }
    unsigned char signature[DIGEST_SIZE];
    digest_hmac_sha256(span_of((const char *)key, DIGEST_SIZE), string_to_sign, signature);
    explicit_bzero(key, sizeof key);
    digest_hex(signature, hex);
}

static void set_header(struct http_headers *headers, const char *name, const char *value)
{
    size_t kept = 0;
    for (size_t i = 0; i < headers->list.count; i++) {
        struct http_header *header = &headers->list.items[i];
        if (strcasecmp(header->name, name) == 0) {
            free(header->name);
            memory_free_secret(header->value);
        } else {
            headers->list.items[kept++] = *header;
        }
    }
    headers->list.count = kept;
    if (value != NULL) {
        http_headers_add(headers, name, value);
    }
}

void sigv4_sign(const struct sigv4_request *request, const struct credentials *credentials,
                struct http_headers *headers)
{
    char stamp[STAMP_SIZE];
    char hex[DIGEST_HEX_SIZE];
    format_stamp(request->at_s, stamp);
    digest_sha256_hex(request->body, hex);
    set_header(headers, "Authorization", NULL);
    set_header(headers, "X-Amz-Date", stamp);
    set_header(headers, "X-Amz-Security-Token", credentials->token);
    if (is_s3(request)) {
        set_header(headers, "X-Amz-Content-SHA256", hex);
    }

    CLEANUP(buffer_release) struct buffer canonical = BUFFER_INIT;
    CLEANUP(buffer_release) struct buffer to_sign = BUFFER_INIT;
    sigv4_canonical_request(request, headers, &canonical);
    sigv4_string_to_sign(request, buffer_span(&canonical), &to_sign);
    sigv4_signature(request, credentials->secret_key, buffer_span(&to_sign), hex);

    CLEANUP(buffer_release) struct buffer lines = BUFFER_INIT;
    CLEANUP(buffer_release) struct buffer names = BUFFER_INIT;
    append_headers(headers, &lines, &names);
    CLEANUP(buffer_release) struct buffer authorization = BUFFER_INIT;
    buffer_append_format(&authorization, "AWS4-HMAC-SHA256 Credential=%s/",
                         credentials->access_key);
    append_scope(request, &authorization);
    buffer_append_format(&authorization, ", SignedHeaders=%s, Signature=%s", buffer_text(&names),
                         hex);
    set_header(headers, "Authorization", buffer_text(&authorization));
}
