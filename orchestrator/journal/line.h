/* One line of a journal: how an event becomes bytes, and how bytes prove that they are that event.
 *
 *   {"seq":N,"at":"RFC3339ns","type":"…",…,"prev":"HEX","hash":"HEX"}\n
 *
 * seq counts from 1. prev is the SHA-256 of the line before without its newline (64 zeros in the
 * first line). hash is the SHA-256 of this line's bytes up to `,"hash":`, so that the last line,
 * which no other line vouches for yet, cannot be altered unseen either. */
#ifndef DRCTL_JOURNAL_LINE_H
#define DRCTL_JOURNAL_LINE_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/compiler.h"
#include "base/digest.h"
#include "base/error.h"
#include "base/span.h"

/* A longer line is refused on both sides: it is what a reader has to hold in memory. */
enum { JOURNAL_LINE_LIMIT_BYTES = 4 * 1024 * 1024 };

/* Where a chain of lines has got to. */
struct journal_chain {
    uint64_t last_seq;          /* 0 before the first line */
    int64_t last_at_ns;         /* INT64_MIN before the first line */
    char prev[DIGEST_HEX_SIZE]; /* what the next line has to name */
};

void journal_chain_init(struct journal_chain *chain);

/* Appends event's line, newline included, to out and moves the chain on. The event gets its "seq"
 * and "at" set (and "clock_behind_ms" when the clock stands before the last event: at never runs
 * backwards), so that it equals what a reader will see. Without a "type", with one of the chain's
 * own keys in it, or too long: ERROR_INVALID, and nothing has changed. */
MUST_USE int journal_line_write(struct journal_chain *chain, json_t *event, int64_t now_ns,
                                struct buffer *out, struct error *err);

/* Checks a line without its newline against the chain, moves the chain on and returns the event as
 * a new reference. NULL and ERROR_DAMAGED, saying what is wrong, when anything does not agree. */
MUST_USE json_t *journal_line_read(struct journal_chain *chain, struct span line,
                                   struct error *err);

#endif
