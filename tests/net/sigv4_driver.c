/* Signs requests given as JSON lines on stdin and prints each intermediate as a JSON line, so that
 * sigv4_oracle.py can compare them with what botocore makes of the same requests. */
#include <stdio.h>
#include <stdlib.h>

#include "base/json.h"
#include "base/memory.h"
#include "net/sigv4.h"

static struct http_headers read_headers(const json_t *list)
{
    struct http_headers headers = {0};
    size_t i;
    json_t *pair;
    json_array_foreach (list, i, pair) {
        http_headers_add(&headers, json_string_value(json_array_get(pair, 0)),
                         json_string_value(json_array_get(pair, 1)));
    }
    return headers;
}

static struct uri_pairs read_query(const json_t *list)
{
    struct uri_pairs query = {0};
    size_t i;
    json_t *pair;
    json_array_foreach (list, i, pair) {
        uri_pairs_add(&query, json_string_value(json_array_get(pair, 0)),
                      json_string_value(json_array_get(pair, 1)));
    }
    return query;
}

static void sign_case(const json_t *document)
{
    struct http_headers headers = read_headers(json_object_get(document, "headers"));
    struct uri_pairs query = read_query(json_object_get(document, "query"));
    const char *body = json_get_text(document, "body");
    struct sigv4_request request = {
        .method = json_get_text(document, "method"),
        .path = json_get_text(document, "path"),
        .query = &query,
        .body = span_of_text(body),
        .service = json_get_text(document, "service"),
        .region = json_get_text(document, "region"),
        .at_s = json_get_integer(document, "at_s", 0),
    };
    struct credentials credentials = {
        .access_key = memory_text(json_get_text(document, "access_key")),
        .secret_key = memory_text(json_get_text(document, "secret_key")),
        .token = memory_text(json_get_text(document, "token")),
    };
    sigv4_sign(&request, &credentials, &headers);

    CLEANUP(memory_cleanup)
    char *authorization = memory_text(http_headers_get(&headers, "Authorization"));
    CLEANUP(buffer_release) struct buffer canonical = BUFFER_INIT;
    CLEANUP(buffer_release) struct buffer to_sign = BUFFER_INIT;
    sigv4_canonical_request(&request, &headers, &canonical);
    sigv4_string_to_sign(&request, buffer_span(&canonical), &to_sign);
    CLEANUP(json_cleanup)
    json_t *result =
        json_pack("{ss ss ss}", "canonical_request", buffer_text(&canonical), "string_to_sign",
                  buffer_text(&to_sign), "authorization", authorization);
    CLEANUP(memory_cleanup) char *line = json_canonical(result);
    puts(line);
    http_headers_release(&headers);
    uri_pairs_release(&query);
    credentials_release(&credentials);
}

int main(void)
{
    char *line = NULL;
    size_t capacity = 0;
    ssize_t size;
    int status = EXIT_SUCCESS;
    while (status == EXIT_SUCCESS && (size = getline(&line, &capacity, stdin)) > 0) {
        struct error err = ERROR_INIT;
        CLEANUP(json_cleanup)
        json_t *document = json_parse(span_of(line, (size_t)size), "case", &err);
        if (document == NULL) {
            CLEANUP(memory_cleanup) char *text = error_format(&err);
            fprintf(stderr, "%s\n", text);
            status = EXIT_FAILURE;
        } else {
            sign_case(document);
        }
        error_release(&err);
    }
    free(line);
    return status;
}
