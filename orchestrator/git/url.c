/* URLs are cut apart here and not in libgit2, since decisions hang on them: a control character in
 * a host name reaches a credential helper as a second question, and a password in a URL must not
 * reach a message. */
#include "git/url.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/span.h"

static const struct {
    const char *prefix;
    const char *scheme;
    const char *port;
} kinds[] = {
    [URL_LOCAL] = {"file://", "file", NULL},
    [URL_HTTP] = {"http://", "http", "80"},
    [URL_HTTPS] = {"https://", "https", "443"},
    [URL_SSH] = {"ssh://", "ssh", "22"},
};

const char *url_scheme(const struct url *url)
{
    return kinds[url->kind].scheme;
}

void url_release(struct url *url)
{
    free(url->shown);
    free(url->user);
    memory_free_secret(url->password);
    free(url->host);
    free(url->port);
    *url = (struct url){0};
}

static int hexadecimal(char digit)
{
    if (digit >= '0' && digit <= '9') {
        return digit - '0';
    }
    char lower = (char)(digit | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

static char *decode_percent(const char *text, size_t size_bytes)
{
    char *out = memory_new(size_bytes + 1, 1);
    size_t to = 0;
    for (size_t i = 0; i < size_bytes; i++) {
        bool escaped = text[i] == '%' && i + 2 < size_bytes && hexadecimal(text[i + 1]) >= 0 &&
                       hexadecimal(text[i + 2]) >= 0;
        if (escaped) {
            out[to++] = (char)(hexadecimal(text[i + 1]) * 16 + hexadecimal(text[i + 2]));
            i += 2;
        } else {
            out[to++] = text[i];
        }
    }
    return out;
}

static void take_user(struct url *url, const char *authority, size_t size_bytes)
{
    const char *colon = memchr(authority, ':', size_bytes);
    size_t user_bytes = colon != NULL ? (size_t)(colon - authority) : size_bytes;
    url->user = decode_percent(authority, user_bytes);
    if (colon != NULL) {
        url->password = decode_percent(colon + 1, size_bytes - user_bytes - 1);
    }
}

static int take_host(struct url *url, const char *text, size_t size_bytes, const char *whole,
                     struct error *err)
{
    const char *end = text + size_bytes;
    bool bracketed = text[0] == '[';
    const char *host_end = memchr(text, bracketed ? ']' : ':', size_bytes);
    if (bracketed && host_end == NULL) {
        return error_set(err, ERROR_INVALID, "'%.200s' has no end of its address", whole);
    }
    host_end = host_end == NULL ? end : host_end + bracketed;
    url->host = memory_text_n(text + bracketed, (size_t)(host_end - text) - 2 * (size_t)bracketed);
    if (host_end < end && *host_end == ':') {
        url->port = memory_text_n(host_end + 1, (size_t)(end - host_end) - 1);
    } else {
        url->port = memory_text(kinds[url->kind].port);
    }
    size_t digits = strspn(url->port, "0123456789");
    bool garbage = host_end < end && *host_end != ':';
    if (garbage || url->host[0] == '\0' || url->host[0] == '-' || digits == 0 || digits > 5 ||
        url->port[digits] != '\0') {
        return error_set(err, ERROR_INVALID, "'%.200s' has no valid host and port", whole);
    }
    return 0;
}

static int parse_network(struct url *url, const char *text, struct error *err)
{
    const char *authority = text + strlen(kinds[url->kind].prefix);
    size_t authority_bytes = strcspn(authority, "/?#");
    const char *at = memrchr(authority, '@', authority_bytes);
    const char *host = at != NULL ? at + 1 : authority;
    if (at != NULL) {
        take_user(url, authority, (size_t)(at - authority));
    }
    size_t host_bytes = authority_bytes - (size_t)(host - authority);
    if (host_bytes == 0) {
        return error_set(err, ERROR_INVALID, "a URL without a host");
    }
    /* Over HTTP the user name may be the token itself. */
    if (url->kind == URL_SSH && at != NULL) {
        url->shown = memory_format("%s%s@%s", kinds[url->kind].prefix, url->user, host);
    } else {
        url->shown = memory_format("%s%s", kinds[url->kind].prefix, host);
    }
    return take_host(url, host, host_bytes, url->shown, err);
}

/* user@host:path, as scp has it: a colon before any slash. */
static bool parse_scp(struct url *url, const char *text)
{
    size_t host_bytes = strcspn(text, ":/");
    if (text[host_bytes] != ':' || host_bytes == 0 || text[0] == '-') {
        return false;
    }
    const char *at = memchr(text, '@', host_bytes);
    const char *host = at != NULL ? at + 1 : text;
    if (at != NULL) {
        url->user = memory_text_n(text, (size_t)(at - text));
    }
    url->kind = URL_SSH;
    url->host = memory_text_n(host, host_bytes - (size_t)(host - text));
    url->port = memory_text(kinds[URL_SSH].port);
    return url->host[0] != '\0' && url->host[0] != '-';
}

static int parse(struct url *url, const char *text, struct error *err)
{
    for (const char *at = text; *at != '\0'; at++) {
        if ((unsigned char)*at < 0x20 || *at == 0x7f) {
            return error_set(err, ERROR_INVALID, "a git URL has a control character in it");
        }
    }
    for (size_t kind = 0; kind < ARRAY_SIZE(kinds); kind++) {
        if (strncmp(text, kinds[kind].prefix, strlen(kinds[kind].prefix)) == 0) {
            url->kind = (enum url_kind)kind;
            return kind == URL_LOCAL ? 0 : parse_network(url, text, err);
        }
    }
    if (strstr(text, "://") != NULL || strstr(text, "::") != NULL || text[0] == '\0' ||
        text[0] == '-') {
        error_set(err, ERROR_INVALID, "'%.200s' is not a git URL that can be used", text);
        return error_hint(err, "https://, ssh://, user@host:path, file:// or a path");
    }
    if (!parse_scp(url, text)) {
        url->kind = URL_LOCAL;
    }
    return 0;
}

int url_parse(const char *text, struct url *ret_url, struct error *err)
{
    struct url url = {0};
    if (parse(&url, text, err) != 0) {
        url_release(&url);
        return -1;
    }
    if (url.shown == NULL) {
        url.shown = memory_text(text);
    }
    *ret_url = url;
    return 0;
}
