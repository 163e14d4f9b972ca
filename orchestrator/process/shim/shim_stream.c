/* From a command's output to the records of the log: redacted, cut into lines, stamped. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "shim.h"

enum {
    PIPE_BYTES = 1024 * 1024, /* what an unprivileged user may have */
    FLUSH_BYTES = 128 * 1024, /* short lines grow a lot: records are not piled up beyond this */
    READ_FAILURES = 100,
};

static void append_record(struct shim_stream *stream, const char *text, size_t size_bytes,
                          char mark)
{
    struct buffer *out = &stream->log->pending;
    char *at = buffer_reserve(out, stream->prefix_bytes + size_bytes + 1);
    memcpy(at, stream->prefix, stream->prefix_bytes);
    at[stream->prefix_bytes - 2] = mark;
    memcpy(at + stream->prefix_bytes, text, size_bytes);
    at[stream->prefix_bytes + size_bytes] = '\n';
    buffer_advance(out, stream->prefix_bytes + size_bytes + 1);
    if (out->size_bytes >= FLUSH_BYTES) {
        shim_log_flush(stream->log);
    }
}

static void append_line(struct shim_stream *stream, char mark)
{
    append_record(stream, buffer_text(&stream->line), stream->line.size_bytes, mark);
    buffer_clear(&stream->line);
}

static void flush_line(struct shim_stream *stream)
{
    if (stream->line.size_bytes != 0) {
        append_line(stream, 'P');
    }
}

/* Takes output that holds no secret any more. */
static void take_text(const char *bytes, size_t size_bytes, void *context)
{
    struct shim_stream *stream = context;
    while (size_bytes > 0) {
        const char *newline = memchr(bytes, '\n', size_bytes);
        size_t text_bytes = newline != NULL ? (size_t)(newline - bytes) : size_bytes;
        size_t room_bytes = SHIM_TEXT_BYTES - stream->line.size_bytes;
        size_t used = text_bytes;
        if (text_bytes > room_bytes) {
            used = room_bytes;
            buffer_append(&stream->line, bytes, used);
            append_line(stream, 'P');
        } else if (newline == NULL) {
            buffer_append(&stream->line, bytes, used);
        } else {
            if (stream->line.size_bytes == 0) {
                append_record(stream, bytes, used, 'F');
            } else {
                buffer_append(&stream->line, bytes, used);
                append_line(stream, 'F');
            }
            used++;
        }
        bytes += used;
        size_bytes -= used;
    }
}

void shim_stream_stamp(struct shim_stream *stream, int64_t at_ns)
{
    char at[CLOCK_RFC3339_SIZE];
    stream->at_ns = at_ns;
    clock_format_rfc3339_ns(at_ns, at);
    stream->prefix_bytes =
        (size_t)snprintf(stream->prefix, sizeof stream->prefix, "%s %s F ", at, stream->name);
}

static void redact(struct shim_stream *stream, struct redactor *redactor, const char *bytes,
                   size_t size_bytes, bool final)
{
    struct buffer *held = &stream->input;
    if (held->size_bytes == 0) {
        size_t used =
            redact_scan(redactor, &stream->redact, bytes, size_bytes, final, take_text, stream);
        buffer_append(held, bytes + used, size_bytes - used);
    } else {
        buffer_append(held, bytes, size_bytes);
        buffer_consume(held, redact_scan(redactor, &stream->redact, held->data, held->size_bytes,
                                         final, take_text, stream));
    }
}

void shim_stream_take(struct shim_stream *stream, struct redactor *redactor,
                      const struct shim_batch *batch)
{
    bool ended = batch->size_bytes == 0;
    if (!ended) {
        shim_stream_stamp(stream, batch->at_ns);
    }
    redact(stream, redactor, batch->bytes, batch->size_bytes, ended);
    if (ended) {
        flush_line(stream);
        if (stream->descriptor >= 0) {
            close(stream->descriptor);
            stream->descriptor = -1;
        }
    }
    shim_log_flush(stream->log);
}

void shim_stream_read(struct shim *shim, int index)
{
    struct shim_stream *stream = &shim->streams[index];
    int expected = 0;
    if (ioctl(stream->descriptor, FIONREAD, &expected) != 0 || expected < 0) {
        expected = 0;
    }
    struct shim_batch *batch = shim_state_begin_read(shim->state, index, (size_t)expected);
    ssize_t got = read(stream->descriptor, batch->bytes, batch->size_bytes);
    if (got < 0 && stream->failures++ < READ_FAILURES) {
        return; /* to close the pipe would be to stop the command */
    }
    stream->failures = 0;
    shim_state_end_read(shim->state, got > 0 ? (size_t)got : 0);
    if (got == 65536) { /* it fills the pipe: a bigger one saves wake-ups */
        fcntl(stream->descriptor, F_SETPIPE_SZ, PIPE_BYTES);
    }
    shim_stream_take(stream, &shim->spec.redactor, batch);
    shim_state_commit(shim);
}

void shim_streams_flush(struct shim *shim)
{
    if (shim->streams[0].line.size_bytes == 0 && shim->streams[1].line.size_bytes == 0) {
        return;
    }
    shim_state_begin_flush(shim->state);
    flush_line(&shim->streams[0]);
    flush_line(&shim->streams[1]);
    shim_log_flush(&shim->log);
    shim_state_commit(shim);
}
