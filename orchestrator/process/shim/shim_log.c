/* The log: CRI records (process/cri_log.h) in output.log. A command may print without end, so the
 * log is kept in pieces once it is longer than a limit: the first piece stays, of the later ones
 * (output.OFFSET.log, OFFSET being where the piece begins in the whole log, in 20 digits) the last
 * two. Every piece begins and ends with a whole record.
 *
 * Invariant: a record is written whole or not at all, also on a full disk: what write(2) took of a
 * record that did not fit is cut off again. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "shim.h"

enum {
    TEXT_LIMIT_BYTES = 16384, /* of a record, as in Kubernetes' runtimes */
    READ_BYTES = 256 * 1024,
    PIPE_BYTES = 1024 * 1024, /* what an unprivileged user may have */
    FLUSH_BYTES = 128 * 1024, /* short lines grow a lot: records are not piled up beyond this */
    READ_FAILURES = 100,
    NAME_BYTES = 64,
    LOG_FLAGS = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW,
};

static void piece_name(char name[NAME_BYTES], uint64_t offset)
{
    if (offset == 0) {
        snprintf(name, NAME_BYTES, "output.log");
    } else {
        snprintf(name, NAME_BYTES, "output.%020" PRIu64 ".log", offset);
    }
}

/* --- the pieces --- */

/* Finds the last two tail pieces that an earlier shim made. */
static void find_pieces(struct shim_log *log)
{
    DIR *directory = opendir(".");
    struct dirent *entry;
    while (directory != NULL && (entry = readdir(directory)) != NULL) {
        char *end;
        if (strncmp(entry->d_name, "output.", 7) != 0) {
            continue;
        }
        uint64_t offset = strtoull(entry->d_name + 7, &end, 10);
        if (strcmp(end, ".log") == 0 && offset > log->piece_offset) {
            log->older_offset = log->piece_offset;
            log->piece_offset = offset;
        } else if (strcmp(end, ".log") == 0 && offset > log->older_offset) {
            log->older_offset = offset;
        }
    }
    if (directory != NULL) {
        closedir(directory);
    }
}

/* What is missing between the first piece and the tail pieces. */
static uint64_t measure_gap(const struct shim_log *log)
{
    struct stat status;
    uint64_t tail = log->older_offset != 0 ? log->older_offset : log->piece_offset;
    if (tail == 0 || stat("output.log", &status) != 0) {
        return 0;
    }
    return tail - (uint64_t)status.st_size;
}

/* A killed shim may have left a torn record: a newline keeps it apart from what follows. */
static void close_torn_record(struct shim_log *log, off_t size_bytes)
{
    char last = '\n';
    char name[NAME_BYTES];
    piece_name(name, log->piece_offset);
    int descriptor = open(name, O_RDONLY | O_CLOEXEC);
    if (descriptor >= 0 && size_bytes > 0 && pread(descriptor, &last, 1, size_bytes - 1) == 1 &&
        last != '\n') {
        buffer_append_char(&log->pending, '\n');
    }
    if (descriptor >= 0) {
        close(descriptor);
    }
}

int shim_log_open(struct shim_log *log, const struct shim_spec *spec)
{
    char name[NAME_BYTES];
    struct stat status;
    log->head_bytes = spec->log_head_bytes;
    log->tail_bytes = spec->log_tail_bytes;
    if (spec->adopt_pid != 0) {
        log->piece_offset = log->older_offset = 0;
        find_pieces(log);
        log->dropped_bytes = measure_gap(log);
    }
    piece_name(name, log->piece_offset);
    log->descriptor = open(name, LOG_FLAGS, 0600);
    if (log->descriptor < 0) {
        return -1;
    }
    if (spec->adopt_pid != 0 && fstat(log->descriptor, &status) == 0) {
        log->size_bytes = log->piece_offset + (uint64_t)status.st_size;
        close_torn_record(log, status.st_size);
    }
    return 0;
}

static void drop_piece(struct shim_log *log, uint64_t offset)
{
    char name[NAME_BYTES];
    struct stat status;
    piece_name(name, offset);
    if (stat(name, &status) == 0 && unlink(name) == 0) {
        log->dropped_bytes += (uint64_t)status.st_size;
    }
}

/* Begins a new piece when the pending records would make the current one too long. */
static int choose_piece(struct shim_log *log)
{
    char name[NAME_BYTES];
    uint64_t used = log->size_bytes - log->piece_offset;
    uint64_t limit = log->piece_offset == 0 ? log->head_bytes : log->tail_bytes;
    if (used == 0 || used + log->pending.size_bytes <= limit) {
        return 0;
    }
    piece_name(name, log->size_bytes);
    int descriptor = open(name, LOG_FLAGS, 0600);
    if (descriptor < 0) {
        return -1;
    }
    close(log->descriptor);
    log->descriptor = descriptor;
    if (log->older_offset != 0) {
        drop_piece(log, log->older_offset);
    }
    log->older_offset = log->piece_offset;
    log->piece_offset = log->size_bytes;
    return 0;
}

/* --- writing --- */

static uint64_t count_records(const char *bytes, size_t size_bytes)
{
    uint64_t count = 0;
    const char *end = bytes + size_bytes;
    while (bytes < end && (bytes = memchr(bytes, '\n', (size_t)(end - bytes))) != NULL) {
        count++;
        bytes++;
    }
    return count;
}

/* Takes back what was written of a record that did not fit. written_bytes of data are in the file.
 * Returns how many bytes of data stay. */
static size_t keep_whole_records(struct shim_log *log, const char *data, size_t written_bytes)
{
    const char *newline = written_bytes > 0 ? memrchr(data, '\n', written_bytes) : NULL;
    size_t whole_bytes = newline != NULL ? (size_t)(newline - data) + 1 : 0;
    off_t piece_bytes = (off_t)(log->size_bytes - log->piece_offset + whole_bytes);
    if (whole_bytes != written_bytes && ftruncate(log->descriptor, piece_bytes) != 0) {
        return written_bytes; /* the torn record stays; who reads the log passes over it */
    }
    return whole_bytes;
}

/* Writes whole records; false when some did not fit, which are counted. */
static bool write_records(struct shim_log *log, const char *data, size_t size_bytes)
{
    size_t done = 0;
    while (done < size_bytes) {
        ssize_t wrote = write(log->descriptor, data + done, size_bytes - done);
        if (wrote >= 0) {
            done += (size_t)wrote;
        } else if (errno != EINTR) {
            log->error = errno;
            done = keep_whole_records(log, data, done);
            uint64_t lost = count_records(data + done, size_bytes - done);
            log->lost_records += lost;
            log->untold_records += lost;
            log->size_bytes += done;
            return false;
        }
    }
    log->size_bytes += done;
    return true;
}

/* Says in the log that records are missing, once it can be written again. */
static bool tell_of_lost_records(struct shim_log *log)
{
    char at[CLOCK_RFC3339_SIZE];
    char notice[256];
    if (log->untold_records == 0) {
        return true;
    }
    clock_format_rfc3339_ns(clock_wall_ns(), at);
    int size = snprintf(notice, sizeof notice,
                        "%s stderr F [drctl: %" PRIu64 " lines are missing here: %s]\n", at,
                        log->untold_records, strerror(log->error));
    uint64_t untold = log->untold_records;
    uint64_t lost = log->lost_records;
    if (!write_records(log, notice, (size_t)size)) {
        log->untold_records = untold; /* the notice itself is no record of the command */
        log->lost_records = lost;
        return false;
    }
    log->untold_records = 0;
    return true;
}

void shim_log_flush(struct shim_log *log)
{
    if (log->pending.size_bytes == 0) {
        return;
    }
    if (choose_piece(log) != 0 || !tell_of_lost_records(log)) {
        uint64_t lost = count_records(log->pending.data, log->pending.size_bytes);
        log->error = errno;
        log->lost_records += lost;
        log->untold_records += lost;
    } else if (!write_records(log, log->pending.data, log->pending.size_bytes)) {
        /* counted */
    }
    buffer_clear(&log->pending);
}

/* --- from output to records --- */

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

void shim_stream_flush_line(struct shim_stream *stream)
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
        size_t room_bytes = TEXT_LIMIT_BYTES - stream->line.size_bytes;
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

static void stamp(struct shim_stream *stream)
{
    char at[CLOCK_RFC3339_SIZE];
    clock_format_rfc3339_ns(clock_wall_ns(), at);
    stream->prefix_bytes =
        (size_t)snprintf(stream->prefix, sizeof stream->prefix, "%s %s F ", at, stream->name);
}

void shim_stream_read(struct shim_stream *stream, struct redactor *redactor)
{
    char *room = buffer_reserve(&stream->input, READ_BYTES);
    ssize_t got = read(stream->descriptor, room, READ_BYTES);
    if (got < 0 && stream->failures++ < READ_FAILURES) {
        return; /* to close the pipe would be to stop the command */
    }
    stream->failures = 0;
    bool ended = got <= 0;
    if (!ended) {
        buffer_advance(&stream->input, (size_t)got);
        stamp(stream);
        if (got == 65536) { /* it fills the pipe: a bigger one saves wake-ups */
            fcntl(stream->descriptor, F_SETPIPE_SZ, PIPE_BYTES);
        }
    }
    if (stream->input.size_bytes != 0) {
        size_t used = redact_scan(redactor, &stream->redact, stream->input.data,
                                  stream->input.size_bytes, ended, take_text, stream);
        buffer_consume(&stream->input, used);
    }
    if (ended) {
        shim_stream_flush_line(stream);
        close(stream->descriptor);
        stream->descriptor = -1;
    }
}
