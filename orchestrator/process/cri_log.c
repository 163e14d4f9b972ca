/* Reads CRI records. Tolerates nothing: a record that was torn when its shim was killed must not
 * pass for one that is whole. */
#include "process/cri_log.h"

#include <string.h>

#include "base/clock.h"

enum {
    CRI_STAMP_BYTES = CLOCK_RFC3339_SIZE - 1,
    CRI_STREAM_AT = CRI_STAMP_BYTES + 1,
    CRI_MARK_AT = CRI_STREAM_AT + sizeof "stdout",
    CRI_TEXT_AT = CRI_MARK_AT + 2,
    CRI_LINE_LIMIT_BYTES = 1 << 20, /* what a consumer has to hold at once */
};

const char *cri_stream_name(enum cri_stream stream)
{
    return stream == CRI_STDERR ? "stderr" : "stdout";
}

static bool digits(const char *text, int count, int64_t *value)
{
    *value = 0;
    for (int i = 0; i < count; i++) {
        if (text[i] < '0' || text[i] > '9') {
            return false;
        }
        *value = *value * 10 + (text[i] - '0');
    }
    return true;
}

/* The second that most records share with the one before is parsed once. */
static bool parse_stamp(const char *text, int64_t *ret_at_ns)
{
    static _Thread_local char known[20];
    static _Thread_local int64_t known_ns;
    int64_t fraction;
    char stamp[CRI_STAMP_BYTES + 1];
    /* What RFC 3339 allows beside what the shim writes: t for T, a leap second. */
    if (text[10] != 'T' || text[17] == '6' || text[19] != '.' || text[29] != 'Z' ||
        !digits(text + 20, 9, &fraction)) {
        return false;
    }
    if (memcmp(known, text, 19) != 0 || known[19] != '.') {
        memcpy(stamp, text, 19);
        memcpy(stamp + 19, "Z", 2);
        int64_t at_ns;
        if (clock_parse_rfc3339(stamp, &at_ns, NULL) != 0) {
            return false;
        }
        memcpy(known, text, 20);
        known_ns = at_ns;
    }
    *ret_at_ns = known_ns + fraction;
    return true;
}

bool cri_parse(struct span line, struct cri_record *ret_record)
{
    struct cri_record record = {0};
    const char *data = line.data;
    if (line.size_bytes < CRI_TEXT_AT || data[CRI_STAMP_BYTES] != ' ' ||
        data[CRI_MARK_AT - 1] != ' ' || data[CRI_MARK_AT + 1] != ' ') {
        return false;
    }
    if (memcmp(data + CRI_STREAM_AT, "stdout", 6) == 0) {
        record.stream = CRI_STDOUT;
    } else if (memcmp(data + CRI_STREAM_AT, "stderr", 6) == 0) {
        record.stream = CRI_STDERR;
    } else {
        return false;
    }
    if (data[CRI_MARK_AT] != 'F' && data[CRI_MARK_AT] != 'P') {
        return false;
    }
    record.partial = data[CRI_MARK_AT] == 'P';
    record.text = span_of(data + CRI_TEXT_AT, line.size_bytes - CRI_TEXT_AT);
    if (!parse_stamp(data, &record.at_ns)) {
        return false;
    }
    *ret_record = record;
    return true;
}

void cri_lines_release(struct cri_lines *lines)
{
    for (int i = 0; i < CRI_STREAM_COUNT; i++) {
        buffer_release(&lines->parts[i]);
    }
}

bool cri_lines_add(struct cri_lines *lines, const struct cri_record *record, struct span *ret_line)
{
    struct buffer *parts = &lines->parts[record->stream];
    size_t limit = lines->limit_bytes != 0 ? lines->limit_bytes : CRI_LINE_LIMIT_BYTES;
    if (lines->taken[record->stream]) {
        buffer_clear(parts);
        lines->taken[record->stream] = false;
    }
    if (parts->size_bytes == 0 && !record->partial) {
        *ret_line = record->text;
        return true;
    }
    buffer_append_span(parts, record->text);
    if (record->partial && parts->size_bytes < limit) {
        return false;
    }
    lines->taken[record->stream] = true;
    *ret_line = buffer_span(parts);
    return true;
}

bool cri_lines_end(struct cri_lines *lines, enum cri_stream stream, struct span *ret_line)
{
    struct buffer *parts = &lines->parts[stream];
    if (lines->taken[stream] || parts->size_bytes == 0) {
        return false;
    }
    lines->taken[stream] = true;
    *ret_line = buffer_span(parts);
    return true;
}
