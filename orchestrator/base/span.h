/* A look at bytes that somebody else owns; not NUL-terminated. */
#ifndef DRCTL_BASE_SPAN_H
#define DRCTL_BASE_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct span {
    const char *data;
    size_t size_bytes;
};

static inline struct span span_of(const char *data, size_t size_bytes)
{
    return (struct span){data, size_bytes};
}

static inline struct span span_of_text(const char *text)
{
    return (struct span){text, strlen(text)};
}

static inline bool span_equals(struct span a, struct span b)
{
    return a.size_bytes == b.size_bytes &&
           (a.size_bytes == 0 || memcmp(a.data, b.data, a.size_bytes) == 0);
}

static inline bool span_is(struct span span, const char *text)
{
    return span_equals(span, span_of_text(text));
}

static inline bool span_starts_with(struct span span, const char *prefix)
{
    size_t size_bytes = strlen(prefix);
    return span.size_bytes >= size_bytes && memcmp(span.data, prefix, size_bytes) == 0;
}

#endif
