/* Takes secrets out of a stream of bytes: each occurrence becomes ***, also where it lies across
 * two reads, and also in the forms in which programs print it (base64, URL, JSON). Needs libc
 * alone, since the shim is built with it.
 *
 *     struct redactor redactor = {0};
 *     if (!redact_add_secret(&redactor, bytes, size)) { … too short … }
 *     used = redact_scan(&redactor, &stream, data, size, false, sink, context);
 *     … keep data + used … for the next call, behind it what comes in … */
#ifndef DRCTL_BASE_REDACT_H
#define DRCTL_BASE_REDACT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/compiler.h"
#include "base/span.h"
#include "base/vector.h"

/* A shorter secret is refused: it would occur in ordinary text by chance, and blotting that out
 * tells the reader what the secret is. */
enum { REDACT_MIN_BYTES = 4 };

struct redact_pattern {
    char *bytes;
    size_t size_bytes;
    size_t next; /* in its bucket; SIZE_MAX ends it */
};

/* Zero-initialised it knows no secret and lets everything pass. */
struct redactor {
    VECTOR(struct redact_pattern)
    patterns;
    struct redact_index *index; /* how to find them; NULL until the first scan after an addition */
};

void redact_release(struct redactor *redactor);

/* Adds a secret (copied) with its base64, percent-encoded and JSON-escaped forms, and each line of
 * one that has several. False when it is shorter than REDACT_MIN_BYTES: nothing was added. */
MUST_USE bool redact_add_secret(struct redactor *redactor, const void *bytes, size_t size_bytes);

/* Adds just these bytes, at least REDACT_MIN_BYTES of them; once, however often it is called. */
void redact_add_pattern(struct redactor *redactor, const void *bytes, size_t size_bytes);

/* How far a stream has come. Zero-initialised at its start. */
struct redact_stream {
    size_t covered_bytes; /* of the bytes kept from the last call: behind a *** already */
};

/* Takes decided text, in pieces, in order. */
typedef void redact_sink(const char *bytes, size_t size_bytes, void *context);

/* Passes on what can be decided of data and returns how many bytes that were. The rest, which may
 * be the beginning of a secret and is shorter than the longest one, comes again at the front of the
 * next call's data. With final everything is decided. */
MUST_USE size_t redact_scan(struct redactor *redactor, struct redact_stream *stream,
                            const char *data, size_t size_bytes, bool final, redact_sink *sink,
                            void *context);

/* Appends a whole text without its secrets. */
void redact_text(struct redactor *redactor, struct span text, struct buffer *out);

#endif
