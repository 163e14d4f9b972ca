/* Follows a log through its pieces (shim/shim_log.c). An offset counts bytes from the log's very
 * beginning, so it means the same before and after a piece was removed, and a later drctl can go on
 * from it.
 *
 * Invariant: only whole records are handed on, and `offset` is behind the last of them. A record
 * that is not whole yet is read again, which also covers the shim's cutting off a torn one. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "process/process_internal.h"

enum { FOLLOW_BUDGET_READS = 8, PIECE_NAME_BYTES = 64 };

void follow_close(struct process *process)
{
    file_close_cleanup(&process->piece);
}

/* --- pieces --- */

static int open_at(const struct process *process, uint64_t piece_offset)
{
    char name[PIECE_NAME_BYTES] = "output.log";
    if (piece_offset != 0) {
        snprintf(name, sizeof name, "output.%020" PRIu64 ".log", piece_offset);
    }
    return openat(process->directory, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
}

static bool use_piece(struct process *process, uint64_t piece_offset)
{
    int piece = open_at(process, piece_offset);
    if (piece < 0) {
        process->read_error = errno == ENOENT ? process->read_error : errno;
        return false;
    }
    follow_close(process);
    process->piece = piece;
    process->piece_offset = piece_offset;
    return true;
}

/* The piece that holds an offset begins at the greatest *ret_before that is not behind it; the
 * first one behind it at *ret_after (UINT64_MAX: none). */
static void find_pieces(const struct process *process, uint64_t *ret_before, uint64_t *ret_after)
{
    int again = openat(process->directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *directory = again >= 0 ? fdopendir(again) : NULL;
    struct dirent *entry;
    *ret_before = 0;
    *ret_after = UINT64_MAX;
    while (directory != NULL && (entry = readdir(directory)) != NULL) {
        char *end;
        if (strncmp(entry->d_name, "output.", 7) != 0) {
            continue;
        }
        uint64_t offset = strtoull(entry->d_name + 7, &end, 10);
        if (strcmp(end, ".log") != 0 || offset == 0) {
            continue;
        }
        if (offset <= process->offset && offset > *ret_before) {
            *ret_before = offset;
        } else if (offset > process->offset && offset < *ret_after) {
            *ret_after = offset;
        }
    }
    if (directory != NULL) {
        closedir(directory);
    } else {
        file_close_cleanup(&again);
    }
}

static bool is_unread(const struct process *process)
{
    struct stat status;
    return fstat(process->piece, &status) == 0 &&
           process->offset < process->piece_offset + (uint64_t)status.st_size;
}

/* Passes over what the log limits have taken away. False when there is no later piece. */
static bool skip_gap(struct process *process)
{
    uint64_t before;
    uint64_t after;
    find_pieces(process, &before, &after);
    if (after == UINT64_MAX || is_unread(process) || !use_piece(process, after)) {
        return false;
    }
    uint64_t from = process->offset;
    process->offset = after;
    if (process->callbacks.on_gap != NULL) {
        process->callbacks.on_gap(process, from, after, process->context);
    }
    return true;
}

/* At the end of a piece: is there a next one? */
static bool next_piece(struct process *process)
{
    if (process->offset > process->piece_offset && use_piece(process, process->offset)) {
        return true;
    }
    return process->pieces_seen && skip_gap(process);
}

static bool first_piece(struct process *process)
{
    uint64_t before = 0;
    uint64_t after;
    if (process->offset != 0) {
        find_pieces(process, &before, &after);
    }
    return use_piece(process, before);
}

/* --- records --- */

static bool is_stopped(const struct process *process)
{
    return process->freed || process->paused;
}

static void hand_on(struct process *process, struct span text, uint64_t next_offset)
{
    struct process_line line = {.offset = process->offset, .next_offset = next_offset};
    process->offset = next_offset;
    if (cri_parse(text, &line.record) && process->callbacks.on_line != NULL) {
        process->callbacks.on_line(process, &line, process->context);
    }
}

/* Returns how many bytes were whole records. */
static size_t hand_on_records(struct process *process, const char *bytes, size_t size_bytes)
{
    size_t at = 0;
    const char *newline;
    while (!is_stopped(process) && (newline = memchr(bytes + at, '\n', size_bytes - at)) != NULL) {
        size_t text_bytes = (size_t)(newline - bytes) - at;
        size_t start = at;
        at += text_bytes + 1;
        hand_on(process, span_of(bytes + start, text_bytes), process->offset + text_bytes + 1);
    }
    return at;
}

/* What is left behind the last newline: of a killed shim, or no log at all. */
static void hand_on_torn(struct process *process, const char *bytes, size_t size_bytes)
{
    hand_on(process, span_of(bytes, size_bytes), process->offset + size_bytes);
}

/* Reads once. False when there is nothing more for now. */
static bool read_piece(struct process *process)
{
    char *bytes = process->host->read_buffer;
    off_t at = (off_t)(process->offset - process->piece_offset);
    ssize_t size = pread(process->piece, bytes, HOST_READ_BYTES, at);
    if (size < 0) {
        process->read_error = errno;
    }
    if (size <= 0) {
        return false;
    }
    if (hand_on_records(process, bytes, (size_t)size) != 0 || is_stopped(process)) {
        return true;
    }
    if (process->ended || size == HOST_READ_BYTES) {
        hand_on_torn(process, bytes, (size_t)size);
        return true;
    }
    return false;
}

enum follow_outcome follow_log(struct process *process)
{
    process->read_error = 0;
    bool more = process->piece >= 0 || first_piece(process);
    for (int reads = 0; more && reads < FOLLOW_BUDGET_READS; reads++) {
        more = read_piece(process) || (process->read_error == 0 && next_piece(process));
        if (is_stopped(process)) {
            return FOLLOW_MORE;
        }
    }
    return process->read_error != 0 ? FOLLOW_FAILED : more ? FOLLOW_MORE : FOLLOW_END;
}
