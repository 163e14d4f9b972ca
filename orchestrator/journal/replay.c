/* Replay proves each line before anybody acts on it. The invariant: an event is handed out only
 * when every byte from the start of the file to the end of its line has been checked.
 *
 * What may stand behind the last newline is decided in one place, examine_tail():
 * - nothing;
 * - a torn line, which a crash left: cut off by the next writer, invisible to readers;
 * - a whole valid line without its newline: completed by the next writer;
 * - a whole valid line and one byte that is not its newline: no crash does that, it is damage.
 * File systems may fill the end of a file with NULs after a power cut; they count as torn. */
#include "journal/replay.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"

enum { READ_CHUNK_BYTES = 256 * 1024 };

struct journal_reader {
    int descriptor;
    char *path;
    struct buffer chunk;   /* bytes of the file from offset_bytes on */
    size_t at;             /* where in chunk the next line starts */
    size_t searched;       /* chunk has no newline between at and here */
    uint64_t offset_bytes; /* of the first byte of chunk in the file */
    struct journal_chain chain;
    struct journal_tail tail;
    json_t *event;       /* the one handed out last */
    struct error damage; /* set for good when a line did not verify */
};

int journal_reader_take(int descriptor, const char *path, struct journal_reader **ret_reader,
                        struct error *err)
{
    struct stat status;
    if (fstat(descriptor, &status) != 0) {
        error_set_errno(err, errno, "cannot examine %s", path);
        close(descriptor);
        return -1;
    }
    if (!S_ISREG(status.st_mode)) {
        close(descriptor);
        return error_set(err, ERROR_REFUSED, "%s is not a regular file", path);
    }
    struct journal_reader *reader = memory_new(1, sizeof *reader);
    reader->descriptor = descriptor;
    reader->path = memory_text(path);
    journal_chain_init(&reader->chain);
    *ret_reader = reader;
    return 0;
}

int journal_reader_open(const char *path, struct journal_reader **ret_reader, struct error *err)
{
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (descriptor < 0) {
        if (errno == ENOENT) {
            return error_set(err, ERROR_NOT_FOUND, "there is no journal %s", path);
        }
        if (errno == ELOOP) {
            return error_set(err, ERROR_REFUSED, "the journal %s is a symbolic link", path);
        }
        return error_set_errno(err, errno, "cannot open the journal %s", path);
    }
    return journal_reader_take(descriptor, path, ret_reader, err);
}

void journal_reader_free(struct journal_reader *reader)
{
    if (reader == NULL) {
        return;
    }
    close(reader->descriptor);
    free(reader->path);
    buffer_release(&reader->chunk);
    json_decref(reader->event);
    error_release(&reader->damage);
    free(reader);
}

const struct journal_chain *journal_reader_chain(const struct journal_reader *reader)
{
    return &reader->chain;
}

struct journal_tail journal_reader_tail(const struct journal_reader *reader)
{
    return reader->tail;
}

static uint64_t next_line_offset(const struct journal_reader *reader)
{
    return reader->offset_bytes + reader->at;
}

static int report_damage(const struct journal_reader *reader, struct error *err)
{
    return error_set_at(err, reader->damage.code, reader->path, reader->damage.line, 0, "%s",
                        reader->damage.message);
}

/* Lines and events are the same in number, so the line is known by the seq that should follow. */
static int fail_damaged(struct journal_reader *reader, const char *why, struct error *err)
{
    size_t line = (size_t)reader->chain.last_seq + 1;
    error_set_at(&reader->damage, ERROR_DAMAGED, reader->path, line, 0,
                 "line %zu of the journal is damaged: %s", line, why);
    return report_damage(reader, err);
}

/* Makes room by dropping the lines that were handed out, then reads on. 1, or 0 at the end. */
static int read_chunk(struct journal_reader *reader, struct error *err)
{
    if (reader->at > 0) {
        buffer_consume(&reader->chunk, reader->at);
        reader->offset_bytes += reader->at;
        reader->searched -= reader->at;
        reader->at = 0;
    }
    char *end = buffer_reserve(&reader->chunk, READ_CHUNK_BYTES);
    ssize_t size;
    do {
        size = pread(reader->descriptor, end, READ_CHUNK_BYTES,
                     (off_t)(reader->offset_bytes + reader->chunk.size_bytes));
    } while (size < 0 && errno == EINTR);
    if (size < 0) {
        return error_set_errno(err, errno, "cannot read the journal %s", reader->path);
    }
    buffer_advance(&reader->chunk, (size_t)size);
    return size > 0;
}

static bool is_whole_line(const struct journal_reader *reader, struct span text)
{
    struct journal_chain chain = reader->chain;
    json_t *event = journal_line_read(&chain, text, NULL);
    json_decref(event);
    return event != NULL;
}

/* Forgets the tail's bytes afterwards: a writer may cut it off and put other bytes in its place. */
static int examine_tail(struct journal_reader *reader, struct error *err)
{
    struct span text =
        span_of(reader->chunk.data + reader->at, reader->chunk.size_bytes - reader->at);
    reader->tail = (struct journal_tail){next_line_offset(reader), text.size_bytes, 0};
    while (text.size_bytes > 0 && text.data[text.size_bytes - 1] == '\0') {
        text.size_bytes--;
    }
    if (text.size_bytes > 0) {
        reader->tail.whole_bytes = is_whole_line(reader, text) ? text.size_bytes : 0;
        if (reader->tail.whole_bytes == 0 &&
            is_whole_line(reader, span_of(text.data, text.size_bytes - 1))) {
            return fail_damaged(reader, "its newline was altered", err);
        }
    }
    buffer_truncate(&reader->chunk, reader->at);
    reader->searched = reader->at;
    return 0;
}

/* 1 and the next complete line without its newline, 0 at the end, or -1. */
static int next_line(struct journal_reader *reader, struct span *ret_line, struct error *err)
{
    for (;;) {
        const char *start = reader->chunk.data;
        size_t unsearched = reader->chunk.size_bytes - reader->searched;
        const char *newline =
            unsearched > 0 ? memchr(start + reader->searched, '\n', unsearched) : NULL;
        if (newline != NULL) {
            *ret_line = span_of(start + reader->at, (size_t)(newline - start) - reader->at);
            return 1;
        }
        reader->searched = reader->chunk.size_bytes;
        if (reader->searched - reader->at > JOURNAL_LINE_LIMIT_BYTES) {
            return fail_damaged(reader, "it is longer than any event", err);
        }
        int got = read_chunk(reader, err);
        if (got <= 0) {
            return got == 0 ? examine_tail(reader, err) : -1;
        }
    }
}

int journal_reader_next(struct journal_reader *reader, struct journal_event *ret_event,
                        struct error *err)
{
    if (error_is_set(&reader->damage)) {
        return report_damage(reader, err);
    }
    struct span line;
    int got = next_line(reader, &line, err);
    if (got <= 0) {
        return got;
    }
    struct error why = ERROR_INIT;
    json_t *event = journal_line_read(&reader->chain, line, &why);
    if (event == NULL) {
        fail_damaged(reader, why.message, err);
        error_release(&why);
        return -1;
    }
    json_decref(reader->event);
    reader->event = event;
    *ret_event = (struct journal_event){
        .seq = reader->chain.last_seq,
        .at_ns = reader->chain.last_at_ns,
        .type = json_get_text(event, "type"),
        .json = event,
        .line = reader->chain.last_seq,
        .offset_bytes = next_line_offset(reader),
    };
    reader->at += line.size_bytes + 1;
    reader->searched = reader->at;
    reader->tail = (struct journal_tail){next_line_offset(reader), 0, 0};
    return 1;
}

int journal_replay(const char *path, journal_visit visit, void *data, struct journal_tail *ret_tail,
                   struct error *err)
{
    struct journal_reader *reader;
    if (journal_reader_open(path, &reader, err) != 0) {
        return -1;
    }
    struct journal_event event;
    int got;
    while ((got = journal_reader_next(reader, &event, err)) == 1) {
        if (visit(&event, data, err) != 0) {
            got = -1;
            break;
        }
    }
    if (got == 0 && ret_tail != NULL) {
        *ret_tail = reader->tail;
    }
    journal_reader_free(reader);
    return got;
}

int journal_verify(const char *path, struct journal_summary *ret_summary, struct error *err)
{
    struct journal_reader *reader;
    if (journal_reader_open(path, &reader, err) != 0) {
        return -1;
    }
    struct journal_summary summary = {0};
    struct journal_event event;
    int got;
    while ((got = journal_reader_next(reader, &event, err)) == 1) {
        if (summary.events++ == 0) {
            summary.first_at_ns = event.at_ns;
        }
        summary.last_at_ns = event.at_ns;
    }
    if (got == 0) {
        summary.tail = reader->tail;
        memcpy(summary.head, reader->chain.prev, sizeof summary.head);
        *ret_summary = summary;
    }
    journal_reader_free(reader);
    return got;
}
