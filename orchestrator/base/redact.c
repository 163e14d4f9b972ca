/* Output is logged, shown and reported, so a secret in it must go before it reaches a disk. This
 * runs over every byte that a child prints, therefore it skips: like Wu and Manber's agrep it looks
 * at two bytes near the end of a window as long as the shortest pattern, and those mostly say that
 * no pattern can begin in the next few bytes.
 *
 * Invariant: what was passed on holds no complete pattern, and which bytes are covered does not
 * depend on how the stream was cut into calls: a byte is covered when any occurrence of any pattern
 * covers it, and overlapping occurrences become one ***. */
#include "base/redact.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum {
    REDACT_WINDOW_LIMIT = 32, /* longer windows gain nothing and cost building time */
    REDACT_BUCKETS = 256,
};

struct redact_index {
    size_t window;                  /* the shortest pattern's size, limited */
    uint8_t shift[1 << 16];         /* by two bytes: how far no pattern can begin; 0 means look */
    size_t buckets[REDACT_BUCKETS]; /* patterns by their window's last two bytes; SIZE_MAX: none */
    bool first[256];                /* a pattern begins with this byte */
};

static unsigned pair_at(const char *bytes)
{
    uint16_t pair;
    memcpy(&pair, bytes, sizeof pair);
    return pair;
}

static size_t bucket_of(unsigned pair)
{
    return (pair ^ (pair >> 8)) % REDACT_BUCKETS;
}

static void index_pattern(struct redact_index *index, struct redact_pattern *pattern, size_t place)
{
    for (size_t at = 0; at + 2 <= index->window; at++) {
        uint8_t *shift = &index->shift[pair_at(pattern->bytes + at)];
        size_t distance = index->window - 2 - at;
        if (distance < *shift) {
            *shift = (uint8_t)distance;
        }
    }
    size_t *bucket = &index->buckets[bucket_of(pair_at(pattern->bytes + index->window - 2))];
    pattern->next = *bucket;
    *bucket = place;
    index->first[(unsigned char)pattern->bytes[0]] = true;
}

static void build_index(struct redactor *redactor)
{
    struct redact_index *index = memory_new(1, sizeof *index);
    index->window = REDACT_WINDOW_LIMIT;
    for (size_t i = 0; i < redactor->patterns.count; i++) {
        if (redactor->patterns.items[i].size_bytes < index->window) {
            index->window = redactor->patterns.items[i].size_bytes;
        }
    }
    memset(index->shift, (int)(index->window - 1), sizeof index->shift);
    memset(index->buckets, 0xff, sizeof index->buckets);
    for (size_t i = 0; i < redactor->patterns.count; i++) {
        index_pattern(index, &redactor->patterns.items[i], i);
    }
    redactor->index = index;
}

void redact_add_pattern(struct redactor *redactor, const void *bytes, size_t size_bytes)
{
    for (size_t i = 0; i < redactor->patterns.count; i++) {
        const struct redact_pattern *known = &redactor->patterns.items[i];
        if (known->size_bytes == size_bytes && memcmp(known->bytes, bytes, size_bytes) == 0) {
            return;
        }
    }
    struct redact_pattern *pattern = vector_grow(&redactor->patterns);
    pattern->bytes = memory_text_n(bytes, size_bytes);
    pattern->size_bytes = size_bytes;
    free(redactor->index);
    redactor->index = NULL;
}

void redact_release(struct redactor *redactor)
{
    vector_each (struct redact_pattern *, pattern, &redactor->patterns) {
        explicit_bzero(pattern->bytes, pattern->size_bytes);
        free(pattern->bytes);
    }
    vector_release(&redactor->patterns);
    free(redactor->index);
    redactor->index = NULL;
}

/* What begins at a place: the longest complete pattern, and whether one runs beyond the data. */
struct finding {
    size_t match_bytes; /* 0: none */
    bool unfinished;
};

static void try_pattern(const struct redact_pattern *pattern, const char *at, size_t left_bytes,
                        struct finding *finding)
{
    if (pattern->size_bytes > left_bytes) {
        finding->unfinished |= memcmp(pattern->bytes, at, left_bytes) == 0;
    } else if (pattern->size_bytes > finding->match_bytes &&
               memcmp(pattern->bytes, at, pattern->size_bytes) == 0) {
        finding->match_bytes = pattern->size_bytes;
    }
}

static struct finding look_at(const struct redactor *redactor, const char *at, size_t left_bytes)
{
    const struct redact_index *index = redactor->index;
    struct finding finding = {0, false};
    if (left_bytes < index->window) {
        for (size_t i = 0; index->first[(unsigned char)*at] && i < redactor->patterns.count; i++) {
            try_pattern(&redactor->patterns.items[i], at, left_bytes, &finding);
        }
        return finding;
    }
    size_t place = index->buckets[bucket_of(pair_at(at + index->window - 2))];
    while (place != SIZE_MAX) {
        try_pattern(&redactor->patterns.items[place], at, left_bytes, &finding);
        place = redactor->patterns.items[place].next;
    }
    return finding;
}

/* The next place from `at` on where a pattern may begin. */
static size_t skip(const struct redact_index *index, const char *data, size_t at, size_t size_bytes)
{
    while (at + index->window <= size_bytes) {
        size_t shift = index->shift[pair_at(data + at + index->window - 2)];
        if (shift == 0) {
            return at;
        }
        at += shift;
    }
    return at < size_bytes ? at : size_bytes;
}

size_t redact_scan(struct redactor *redactor, struct redact_stream *stream, const char *data,
                   size_t size_bytes, bool final, redact_sink *sink, void *context)
{
    size_t covered_end = stream->covered_bytes;
    size_t decided = size_bytes;
    if (redactor->patterns.count != 0 && redactor->index == NULL) {
        build_index(redactor);
    }
    for (size_t at = 0; redactor->index != NULL && at < size_bytes; at++) {
        at = skip(redactor->index, data, at, size_bytes);
        if (at == size_bytes) {
            break;
        }
        struct finding finding = look_at(redactor, data + at, size_bytes - at);
        if (finding.match_bytes != 0 && at >= covered_end) {
            if (at > covered_end) {
                sink(data + covered_end, at - covered_end, context);
            }
            sink("***", 3, context);
        }
        if (finding.match_bytes != 0 && at + finding.match_bytes > covered_end) {
            covered_end = at + finding.match_bytes;
        }
        if (finding.unfinished && !final) {
            decided = at;
            break;
        }
    }
    if (decided > covered_end) {
        sink(data + covered_end, decided - covered_end, context);
    }
    stream->covered_bytes = covered_end > decided ? covered_end - decided : 0;
    return decided;
}

static void append_to_buffer(const char *bytes, size_t size_bytes, void *context)
{
    buffer_append(context, bytes, size_bytes);
}

void redact_text(struct redactor *redactor, struct span text, struct buffer *out)
{
    struct redact_stream stream = {0};
    size_t used =
        redact_scan(redactor, &stream, text.data, text.size_bytes, true, append_to_buffer, out);
    (void)used;
}
