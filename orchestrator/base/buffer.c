/* Bytes that grow by doubling; the NUL behind them is kept after every call. */
#include "base/buffer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum { BUFFER_FIRST_CAPACITY_BYTES = 64 };

void buffer_release(struct buffer *buffer)
{
    free(buffer->data);
    *buffer = (struct buffer)BUFFER_INIT;
}

void buffer_clear(struct buffer *buffer)
{
    buffer_truncate(buffer, 0);
}

char *buffer_reserve(struct buffer *buffer, size_t extra_bytes)
{
    size_t wanted_bytes = buffer->size_bytes + extra_bytes + 1;
    if (wanted_bytes < extra_bytes) {
        abort();
    }
    if (wanted_bytes > buffer->capacity_bytes) {
        size_t capacity_bytes = buffer->capacity_bytes * 2;
        if (capacity_bytes < BUFFER_FIRST_CAPACITY_BYTES) {
            capacity_bytes = BUFFER_FIRST_CAPACITY_BYTES;
        }
        if (capacity_bytes < wanted_bytes) {
            capacity_bytes = wanted_bytes;
        }
        buffer->data = memory_resize(buffer->data, capacity_bytes, 1);
        buffer->capacity_bytes = capacity_bytes;
        buffer->data[buffer->size_bytes] = '\0';
    }
    return buffer->data + buffer->size_bytes;
}

void buffer_advance(struct buffer *buffer, size_t size_bytes)
{
    buffer->size_bytes += size_bytes;
    buffer->data[buffer->size_bytes] = '\0';
}

void buffer_append(struct buffer *buffer, const void *bytes, size_t size_bytes)
{
    if (size_bytes == 0) {
        return;
    }
    memcpy(buffer_reserve(buffer, size_bytes), bytes, size_bytes);
    buffer_advance(buffer, size_bytes);
}

void buffer_append_text(struct buffer *buffer, const char *text)
{
    buffer_append(buffer, text, strlen(text));
}

void buffer_append_span(struct buffer *buffer, struct span span)
{
    buffer_append(buffer, span.data, span.size_bytes);
}

void buffer_append_char(struct buffer *buffer, char byte)
{
    buffer_append(buffer, &byte, 1);
}

void buffer_append_format_v(struct buffer *buffer, const char *format, va_list arguments)
{
    va_list again;
    va_copy(again, arguments);
    int size = vsnprintf(NULL, 0, format, arguments);
    if (size < 0) {
        abort();
    }
    char *end = buffer_reserve(buffer, (size_t)size);
    vsnprintf(end, (size_t)size + 1, format, again);
    va_end(again);
    buffer_advance(buffer, (size_t)size);
}

void buffer_append_format(struct buffer *buffer, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    buffer_append_format_v(buffer, format, arguments);
    va_end(arguments);
}

void buffer_consume(struct buffer *buffer, size_t size_bytes)
{
    if (size_bytes == 0) {
        return;
    }
    memmove(buffer->data, buffer->data + size_bytes, buffer->size_bytes - size_bytes);
    buffer_truncate(buffer, buffer->size_bytes - size_bytes);
}

void buffer_truncate(struct buffer *buffer, size_t size_bytes)
{
    buffer->size_bytes = size_bytes;
    if (buffer->data != NULL) {
        buffer->data[size_bytes] = '\0';
    }
}

const char *buffer_text(const struct buffer *buffer)
{
    return buffer->data != NULL ? buffer->data : "";
}

struct span buffer_span(const struct buffer *buffer)
{
    return span_of(buffer_text(buffer), buffer->size_bytes);
}

char *buffer_take(struct buffer *buffer)
{
    char *text = buffer->data != NULL ? buffer->data : memory_text("");
    *buffer = (struct buffer)BUFFER_INIT;
    return text;
}
