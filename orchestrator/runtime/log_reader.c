/* Reads a log through its pieces. Only whole records are taken: what stands behind the last newline
 * is read again the next time, since a shim that takes over from a killed one cuts a torn record
 * off. */
#include "runtime/log_reader.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "process/cri_log.h"

enum {
    CHUNK_BYTES = 64 * 1024, /* holds several of the longest records */
    /* No log is cut into pieces before this length, so no other piece is looked for. */
    FIRST_PIECE_BYTES = 1024 * 1024,
};

struct log_reader {
    char *directory;
    int piece;             /* -1: none is open yet */
    uint64_t piece_offset; /* where the piece begins in the log */
    uint64_t offset;       /* behind the last record that was taken */
    struct buffer chunk;   /* what was read from there on */
    size_t taken_bytes;    /* of the chunk */
    struct cri_lines lines;
    int64_t at_ns; /* of the last record */
    struct buffer note;
};

struct log_reader *log_reader_new(const char *directory)
{
    struct log_reader *reader = memory_new(1, sizeof *reader);
    reader->directory = memory_text(directory);
    reader->piece = -1;
    return reader;
}

void log_reader_free(struct log_reader *reader)
{
    if (reader == NULL) {
        return;
    }
    free(reader->directory);
    file_close_cleanup(&reader->piece);
    buffer_release(&reader->chunk);
    cri_lines_release(&reader->lines);
    buffer_release(&reader->note);
    free(reader);
}

static void forget_chunk(struct log_reader *reader)
{
    buffer_clear(&reader->chunk);
    reader->taken_bytes = 0;
}

static bool say(struct log_reader *reader, struct log_line *ret_line)
{
    *ret_line = (struct log_line){reader->at_ns, true, buffer_span(&reader->note)};
    return true;
}

/* --- pieces ---------------------------------------------------------------------------------- */

static bool open_piece(struct log_reader *reader, uint64_t offset)
{
    CLEANUP(memory_cleanup)
    char *path = offset == 0
                     ? file_join(reader->directory, "output.log")
                     : memory_format("%s/output.%020" PRIu64 ".log", reader->directory, offset);
    int piece = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (piece < 0) {
        return false;
    }
    file_close_cleanup(&reader->piece);
    reader->piece = piece;
    reader->piece_offset = reader->offset = offset;
    forget_chunk(reader);
    return true;
}

/* Where the first piece behind the offset begins; 0 when there is none. */
static uint64_t later_piece(const struct log_reader *reader)
{
    uint64_t first = 0;
    DIR *directory = opendir(reader->directory);
    const struct dirent *entry;
    while (directory != NULL && (entry = readdir(directory)) != NULL) {
        char *end;
        if (strncmp(entry->d_name, "output.", 7) != 0) {
            continue;
        }
        uint64_t offset = strtoull(entry->d_name + 7, &end, 10);
        if (strcmp(end, ".log") == 0 && offset > reader->offset && (first == 0 || offset < first)) {
            first = offset;
        }
    }
    if (directory != NULL) {
        closedir(directory);
    }
    return first;
}

/* At the end of a piece: goes on with the next one. *ret_gap: a note about what lies between. */
static bool next_piece(struct log_reader *reader, bool ended, bool *ret_gap)
{
    *ret_gap = false;
    if (reader->piece < 0) {
        return open_piece(reader, 0);
    }
    if (reader->offset < FIRST_PIECE_BYTES && !ended) {
        return false;
    }
    if (reader->offset > reader->piece_offset && open_piece(reader, reader->offset)) {
        return true;
    }
    uint64_t from = reader->offset;
    uint64_t later = later_piece(reader);
    if (later == 0 || !open_piece(reader, later)) {
        return false;
    }
    buffer_clear(&reader->note);
    buffer_append_format(&reader->note, "[%" PRIu64 " bytes of output were not kept]",
                         later - from);
    *ret_gap = true;
    return true;
}

/* --- records --------------------------------------------------------------------------------- */

/* Reads on behind the chunk. False when there is nothing (more) now. */
static bool fill(struct log_reader *reader)
{
    if (reader->piece < 0) {
        return false;
    }
    buffer_consume(&reader->chunk, reader->taken_bytes);
    reader->taken_bytes = 0;
    if (reader->chunk.size_bytes >= CHUNK_BYTES) {
        reader->offset += reader->chunk.size_bytes; /* no record is that long: no log at all */
        forget_chunk(reader);
    }
    off_t at = (off_t)(reader->offset - reader->piece_offset + reader->chunk.size_bytes);
    ssize_t size =
        pread(reader->piece, buffer_reserve(&reader->chunk, CHUNK_BYTES), CHUNK_BYTES, at);
    if (size <= 0) {
        return false;
    }
    buffer_advance(&reader->chunk, (size_t)size);
    return true;
}

static bool take_record(struct log_reader *reader, struct cri_record *ret_record)
{
    const char *start = buffer_text(&reader->chunk) + reader->taken_bytes;
    size_t left_bytes = reader->chunk.size_bytes - reader->taken_bytes;
    const char *newline;
    while (left_bytes > 0 && (newline = memchr(start, '\n', left_bytes)) != NULL) {
        size_t size_bytes = (size_t)(newline - start);
        struct span line = span_of(start, size_bytes);
        reader->taken_bytes += size_bytes + 1;
        reader->offset += size_bytes + 1;
        if (cri_parse(line, ret_record)) {
            return true;
        }
        start = newline + 1;
        left_bytes -= size_bytes + 1;
    }
    return false;
}

/* The part of a line with which an output ended. */
static bool take_rest(struct log_reader *reader, struct log_line *ret_line)
{
    struct cri_record record;
    struct span torn = span_of(buffer_text(&reader->chunk) + reader->taken_bytes,
                               reader->chunk.size_bytes - reader->taken_bytes);
    if (torn.size_bytes > 0 && cri_parse(torn, &record)) {
        reader->offset += torn.size_bytes;
        reader->taken_bytes += torn.size_bytes;
        reader->at_ns = record.at_ns;
        if (cri_lines_add(&reader->lines, &record, &ret_line->text)) {
            ret_line->at_ns = record.at_ns;
            ret_line->is_stderr = record.stream == CRI_STDERR;
            return true;
        }
    }
    for (enum cri_stream stream = CRI_STDOUT; stream < CRI_STREAM_COUNT; stream++) {
        if (cri_lines_end(&reader->lines, stream, &ret_line->text)) {
            ret_line->at_ns = reader->at_ns;
            ret_line->is_stderr = stream == CRI_STDERR;
            return true;
        }
    }
    return false;
}

bool log_reader_next(struct log_reader *reader, bool ended, struct log_line *ret_line)
{
    for (;;) {
        struct cri_record record;
        bool gap;
        if (take_record(reader, &record)) {
            reader->at_ns = record.at_ns;
            if (cri_lines_add(&reader->lines, &record, &ret_line->text)) {
                ret_line->at_ns = record.at_ns;
                ret_line->is_stderr = record.stream == CRI_STDERR;
                return true;
            }
        } else if (!fill(reader)) {
            if (next_piece(reader, ended, &gap)) {
                if (gap) {
                    return say(reader, ret_line);
                }
                continue;
            }
            if (ended) {
                return take_rest(reader, ret_line);
            }
            forget_chunk(reader);
            return false;
        }
    }
}
