/* libcurl finds its proxy by itself, but net/ has to know it beforehand, in order to resolve the
 * name that will be connected to. So the decision is taken here and libcurl is told. The rules are
 * curl's: no_proxy is "*" or a list of names (which cover what is under them), addresses and CIDR
 * blocks, separated by commas or spaces. */
#include "net/proxy.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/compiler.h"
#include "base/memory.h"
#include "base/span.h"
#include "net/variables.h"

enum { ADDRESS_SIZE = 16 };

/* Bytes of an address, 0 when the text is none. */
static size_t parse_address(const char *text, unsigned char address[ADDRESS_SIZE])
{
    if (inet_pton(AF_INET, text, address) == 1) {
        return 4;
    }
    return inet_pton(AF_INET6, text, address) == 1 ? ADDRESS_SIZE : 0;
}

static bool shares_prefix(const unsigned char *a, const unsigned char *b, size_t bits)
{
    size_t whole = bits / 8;
    if (memcmp(a, b, whole) != 0) {
        return false;
    }
    unsigned rest = (unsigned)(bits % 8);
    return rest == 0 || (a[whole] >> (8 - rest)) == (b[whole] >> (8 - rest));
}

static bool covers_address(char *pattern, const char *host)
{
    unsigned char block[ADDRESS_SIZE];
    unsigned char address[ADDRESS_SIZE];
    size_t size = parse_address(host, address);
    if (size == 0) {
        return false;
    }
    size_t bits = 8 * size;
    char *slash = strchr(pattern, '/');
    if (slash != NULL) {
        *slash = '\0';
        bits = strtoul(slash + 1, NULL, 10);
    }
    return parse_address(pattern, block) == size && bits <= 8 * size &&
           shares_prefix(block, address, bits);
}

static bool covers_name(const char *pattern, const char *host)
{
    if (*pattern == '.') {
        pattern++;
    }
    size_t pattern_size = strlen(pattern);
    size_t host_size = strlen(host);
    if (pattern_size == 0 || pattern_size > host_size ||
        strcasecmp(host + host_size - pattern_size, pattern) != 0) {
        return false;
    }
    return pattern_size == host_size || host[host_size - pattern_size - 1] == '.';
}

static bool is_excepted(const char *list, const char *host)
{
    if (list == NULL) {
        return false;
    }
    static const char separators[] = ", \t";
    for (list += strspn(list, separators); *list != '\0'; list += strspn(list, separators)) {
        size_t size_bytes = strcspn(list, separators);
        CLEANUP(memory_cleanup) char *pattern = memory_text_n(list, size_bytes);
        if (strcmp(pattern, "*") == 0 || covers_name(pattern, host) ||
            covers_address(pattern, host)) {
            return true;
        }
        list += size_bytes;
    }
    return false;
}

static const char *first_filled(char *const *environment, const char *const *names)
{
    const char *value = NULL;
    for (size_t i = 0; names[i] != NULL && value == NULL; i++) {
        value = variable_get_filled(environment, names[i]);
    }
    return value;
}

const char *proxy_for(const char *scheme, const char *host, char *const *environment)
{
    static const char *const exceptions[] = {"no_proxy", "NO_PROXY", NULL};
    static const char *const for_http[] = {"http_proxy", "all_proxy", "ALL_PROXY", NULL};
    static const char *const for_https[] = {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY",
                                            NULL};
    if (is_excepted(first_filled(environment, exceptions), host)) {
        return NULL;
    }
    return first_filled(environment, strcmp(scheme, "https") == 0 ? for_https : for_http);
}
