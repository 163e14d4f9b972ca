/* The log of one attempt, in the form that Kubernetes' runtimes write (CRI):
 *
 *   2026-11-22T22:03:01.123456789Z stdout F text\n
 *
 * F ends a line of the command's output. P is a part that the next record of the same stream goes
 * on with: a line longer than CRI_TEXT_LIMIT_BYTES, a prompt without a newline, or the end of an
 * output that does not end in a newline. Records of both streams may alternate between parts. */
#ifndef DRCTL_PROCESS_CRI_LOG_H
#define DRCTL_PROCESS_CRI_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/compiler.h"
#include "base/span.h"

enum { CRI_TEXT_LIMIT_BYTES = 16384, CRI_RECORD_LIMIT_BYTES = CRI_TEXT_LIMIT_BYTES + 64 };

enum cri_stream { CRI_STDOUT, CRI_STDERR, CRI_STREAM_COUNT };

struct cri_record {
    int64_t at_ns; /* when the shim read it; goes back when the clock does */
    enum cri_stream stream;
    bool partial;     /* P: no newline followed the text */
    struct span text; /* without the newline; any bytes, not only UTF-8 */
};

/* Parses one record without its newline; text points into line. False for anything else, a torn
 * record of a shim that was killed included. */
MUST_USE bool cri_parse(struct span line, struct cri_record *ret_record);

const char *cri_stream_name(enum cri_stream stream);

/* Puts partial records together again, one stream each. */
struct cri_lines {
    struct buffer parts[CRI_STREAM_COUNT];
    bool taken[CRI_STREAM_COUNT]; /* the buffer's line was handed on and is over */
    size_t limit_bytes;           /* a line is handed on in pieces of this size; 0 means 1 MiB */
};

void cri_lines_release(struct cri_lines *lines);

/* Takes the next record. True when a line is complete: *ret_line is valid until the next call. */
MUST_USE bool cri_lines_add(struct cri_lines *lines, const struct cri_record *record,
                            struct span *ret_line);

/* At the end of the log: true when the stream ended in a part, which *ret_line then is. */
MUST_USE bool cri_lines_end(struct cri_lines *lines, enum cri_stream stream, struct span *ret_line);

#endif
