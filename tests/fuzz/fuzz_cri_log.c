/* A log that anybody may have written: whatever is accepted must be what the shim would write for
 * it, and lines must hold what the records held. */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "process/cri_log.h"

static void check_round_trip(struct span line, const struct cri_record *record)
{
    char at[CLOCK_RFC3339_SIZE];
    struct buffer again = BUFFER_INIT;
    clock_format_rfc3339_ns(record->at_ns, at);
    buffer_append_format(&again, "%s %s %c ", at, cri_stream_name(record->stream),
                         record->partial ? 'P' : 'F');
    buffer_append_span(&again, record->text);
    if (!span_equals(buffer_span(&again), line)) {
        abort();
    }
    buffer_release(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
    const char *at = (const char *)data;
    const char *end = at + size_bytes;
    struct cri_lines lines = {.limit_bytes = 64};
    size_t in_bytes = 0;
    size_t out_bytes = 0;
    struct span line;
    while (at < end) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        struct span text = span_of(at, (size_t)((newline != NULL ? newline : end) - at));
        struct cri_record record;
        at += text.size_bytes + 1;
        if (cri_parse(text, &record)) {
            check_round_trip(text, &record);
            in_bytes += record.text.size_bytes;
            out_bytes += cri_lines_add(&lines, &record, &line) ? line.size_bytes : 0;
        }
    }
    for (enum cri_stream stream = CRI_STDOUT; stream < CRI_STREAM_COUNT; stream++) {
        out_bytes += cri_lines_end(&lines, stream, &line) ? line.size_bytes : 0;
    }
    if (in_bytes != out_bytes) {
        abort();
    }
    cri_lines_release(&lines);
    return 0;
}
