/* Encoding is written here and not borrowed from libcurl because a signature covers these very
 * bytes: what is signed and what is sent come out of the same functions. */
#include "net/uri.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

void uri_pairs_add(struct uri_pairs *pairs, const char *name, const char *value)
{
    struct uri_pair *pair = vector_grow(&pairs->list);
    pair->name = memory_text(name);
    pair->value = memory_text(value);
}

void uri_pairs_add_integer(struct uri_pairs *pairs, const char *name, long long value)
{
    CLEANUP(memory_cleanup) char *text = memory_format("%lld", value);
    uri_pairs_add(pairs, name, text);
}

void uri_pairs_release(struct uri_pairs *pairs)
{
    vector_each (struct uri_pair *, pair, &pairs->list) {
        free(pair->name);
        memory_free_secret(pair->value);
    }
    vector_release(&pairs->list);
}

static bool is_unreserved(unsigned char byte)
{
    /* isalnum() would heed the locale. */
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= '0' && byte <= '9') || byte == '-' || byte == '_' || byte == '.' || byte == '~';
}

void uri_encode(struct buffer *out, struct span bytes, bool keep_slashes)
{
    for (size_t i = 0; i < bytes.size_bytes; i++) {
        unsigned char byte = (unsigned char)bytes.data[i];
        if (is_unreserved(byte) || (byte == '/' && keep_slashes)) {
            buffer_append_char(out, (char)byte);
        } else {
            buffer_append_format(out, "%%%02X", byte);
        }
    }
}

static char *encoded(const char *text)
{
    struct buffer out = BUFFER_INIT;
    uri_encode(&out, span_of_text(text), false);
    return buffer_take(&out);
}

static void join_encoded(struct buffer *out, const struct uri_pairs *encoded_pairs)
{
    for (size_t i = 0; i < encoded_pairs->list.count; i++) {
        const struct uri_pair *pair = &encoded_pairs->list.items[i];
        buffer_append_format(out, "%s%s=%s", i != 0 ? "&" : "", pair->name, pair->value);
    }
}

static struct uri_pairs encode_each(const struct uri_pairs *pairs)
{
    struct uri_pairs result = {0};
    vector_each (struct uri_pair *, pair, &pairs->list) {
        struct uri_pair *copy = vector_grow(&result.list);
        copy->name = encoded(pair->name);
        copy->value = encoded(pair->value);
    }
    return result;
}

void uri_encode_pairs(struct buffer *out, const struct uri_pairs *pairs)
{
    struct uri_pairs each = encode_each(pairs);
    join_encoded(out, &each);
    uri_pairs_release(&each);
}

static int compare_pairs(const void *a, const void *b)
{
    const struct uri_pair *left = a;
    const struct uri_pair *right = b;
    int order = strcmp(left->name, right->name);
    return order != 0 ? order : strcmp(left->value, right->value);
}

void uri_encode_pairs_sorted(struct buffer *out, const struct uri_pairs *pairs)
{
    struct uri_pairs each = encode_each(pairs);
    if (each.list.count > 1) {
        qsort(each.list.items, each.list.count, sizeof *each.list.items, compare_pairs);
    }
    join_encoded(out, &each);
    uri_pairs_release(&each);
}

int uri_origin_parse(const char *url, struct uri_origin *ret_origin, struct error *err)
{
    size_t scheme_size = strcspn(url, ":");
    CLEANUP(memory_cleanup) char *scheme = memory_text_n(url, scheme_size);
    for (char *byte = scheme; *byte != '\0'; byte++) {
        *byte = (char)tolower((unsigned char)*byte);
    }
    const char *rest = url + scheme_size;
    bool known = strcmp(scheme, "http") == 0 || strcmp(scheme, "https") == 0;
    if (!known || strncmp(rest, "://", 3) != 0 || strpbrk(rest, "?#@ \t\r\n") != NULL) {
        return error_set(err, ERROR_INVALID, "an endpoint must be http(s)://HOST[:PORT][/PATH]");
    }
    const char *authority = rest + 3;
    size_t authority_size = strcspn(authority, "/");
    if (authority_size == 0) {
        return error_set(err, ERROR_INVALID, "the endpoint names no host");
    }
    size_t path_size = strlen(authority + authority_size);
    while (path_size > 0 && authority[authority_size + path_size - 1] == '/') {
        path_size--;
    }
    ret_origin->scheme = memory_text(scheme);
    ret_origin->authority = memory_text_n(authority, authority_size);
    ret_origin->path = memory_text_n(authority + authority_size, path_size);
    return 0;
}

void uri_origin_release(struct uri_origin *origin)
{
    free(origin->scheme);
    free(origin->authority);
    free(origin->path);
    *origin = (struct uri_origin){0};
}
