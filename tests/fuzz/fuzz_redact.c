/* The first bytes are cut points and secrets, the rest is output: however the output is cut, the
 * same comes out, and no secret is in it. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/redact.h"

static void append(const char *bytes, size_t size_bytes, void *context)
{
    buffer_append(context, bytes, size_bytes);
}

static void redact_cut(struct redactor *redactor, struct span text, size_t cut, struct buffer *out)
{
    struct redact_stream stream = {0};
    size_t begin = 0;
    size_t end = 0;
    while (end < text.size_bytes) {
        end = text.size_bytes - end < cut ? text.size_bytes : end + cut;
        begin += redact_scan(redactor, &stream, text.data + begin, end - begin,
                             end == text.size_bytes, append, out);
    }
}

static bool holds_secret(const struct redactor *redactor, struct span text)
{
    for (size_t i = 0; i < redactor->patterns.count; i++) {
        const struct redact_pattern *pattern = &redactor->patterns.items[i];
        if (memchr(pattern->bytes, '*', pattern->size_bytes) == NULL &&
            memmem(text.data, text.size_bytes, pattern->bytes, pattern->size_bytes) != NULL) {
            return true;
        }
    }
    return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
    struct redactor redactor = {0};
    struct buffer whole = BUFFER_INIT;
    struct buffer cut = BUFFER_INIT;
    size_t at = 1;
    while (at < size_bytes && redactor.patterns.count < 40) {
        size_t length = data[at++] % 24;
        if (length == 0 || length > size_bytes - at) {
            break;
        }
        bool taken = redact_add_secret(&redactor, data + at, length);
        if (taken != (length >= REDACT_MIN_BYTES)) {
            abort();
        }
        at += length;
    }
    struct span text =
        at < size_bytes ? span_of((const char *)data + at, size_bytes - at) : span_of("", 0);
    redact_text(&redactor, text, &whole);
    redact_cut(&redactor, text, size_bytes > 0 ? 1 + data[0] % 32 : 1, &cut);
    if (!span_equals(buffer_span(&whole), buffer_span(&cut)) ||
        holds_secret(&redactor, buffer_span(&whole))) {
        abort();
    }
    buffer_release(&whole);
    buffer_release(&cut);
    redact_release(&redactor);
    return 0;
}
