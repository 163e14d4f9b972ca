/* A growing run of bytes. data always ends in a NUL that size_bytes does not count, so it can be
 * passed on as a string. */
#ifndef DRCTL_BASE_BUFFER_H
#define DRCTL_BASE_BUFFER_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/span.h"

struct buffer {
    char *data; /* NULL until the first byte */
    size_t size_bytes;
    size_t capacity_bytes;
};

#define BUFFER_INIT                                                                                \
    {                                                                                              \
        NULL, 0, 0                                                                                 \
    }

void buffer_release(struct buffer *buffer);

/* Forgets the content and keeps the memory. */
void buffer_clear(struct buffer *buffer);

/* Makes sure that extra_bytes more fit, and gives the address where they go. */
char *buffer_reserve(struct buffer *buffer, size_t extra_bytes);

/* Counts bytes that the caller wrote where buffer_reserve() said. */
void buffer_advance(struct buffer *buffer, size_t size_bytes);

void buffer_append(struct buffer *buffer, const void *bytes, size_t size_bytes);
void buffer_append_text(struct buffer *buffer, const char *text);
void buffer_append_span(struct buffer *buffer, struct span span);
void buffer_append_char(struct buffer *buffer, char byte);
void buffer_append_format(struct buffer *buffer, const char *format, ...) PRINTF_LIKE(2, 3);
void buffer_append_format_v(struct buffer *buffer, const char *format, va_list arguments)
    PRINTF_LIKE(2, 0);

/* Drops bytes from the front. */
void buffer_consume(struct buffer *buffer, size_t size_bytes);

/* Cuts the content to size_bytes, which is at most what it holds. */
void buffer_truncate(struct buffer *buffer, size_t size_bytes);

/* The content as a string, "" when empty; valid until the buffer changes. */
const char *buffer_text(const struct buffer *buffer);
struct span buffer_span(const struct buffer *buffer);

/* Hands the content over as a malloc'ed string (never NULL) and leaves the buffer empty. */
char *buffer_take(struct buffer *buffer);

#endif
