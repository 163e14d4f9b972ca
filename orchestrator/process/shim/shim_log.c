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
        if (strcmp(end, ".log") == 0 && offset > log->at.piece_offset) {
            log->at.older_offset = log->at.piece_offset;
            log->at.piece_offset = offset;
        } else if (strcmp(end, ".log") == 0 && offset > log->at.older_offset) {
            log->at.older_offset = offset;
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
    uint64_t tail = log->at.older_offset != 0 ? log->at.older_offset : log->at.piece_offset;
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
    piece_name(name, log->at.piece_offset);
    int descriptor = open(name, O_RDONLY | O_CLOEXEC);
    if (descriptor >= 0 && size_bytes > 0 && pread(descriptor, &last, 1, size_bytes - 1) == 1 &&
        last != '\n') {
        buffer_append_char(&log->pending, '\n');
    }
    if (descriptor >= 0) {
        close(descriptor);
    }
}

/* Pieces that a killed shim began with records that are about to be written again. */
static void remove_later_pieces(uint64_t piece_offset)
{
    DIR *directory = opendir(".");
    struct dirent *entry;
    while (directory != NULL && (entry = readdir(directory)) != NULL) {
        char *end;
        bool piece = strncmp(entry->d_name, "output.", 7) == 0;
        if (piece && strtoull(entry->d_name + 7, &end, 10) > piece_offset &&
            strcmp(end, ".log") == 0) {
            unlink(entry->d_name);
        }
    }
    if (directory != NULL) {
        closedir(directory);
    }
}

int shim_log_open(struct shim_log *log)
{
    char name[NAME_BYTES];
    piece_name(name, log->at.piece_offset);
    log->descriptor = open(name, LOG_FLAGS, 0600);
    return log->descriptor >= 0 ? 0 : -1;
}

int shim_log_reopen(struct shim_log *log)
{
    struct stat status;
    log->at = (struct shim_log_place){0};
    find_pieces(log);
    log->at.dropped_bytes = measure_gap(log);
    if (shim_log_open(log) != 0) {
        return -1;
    }
    if (fstat(log->descriptor, &status) == 0) {
        log->at.size_bytes = log->at.piece_offset + (uint64_t)status.st_size;
        close_torn_record(log, status.st_size);
    }
    return 0;
}

int shim_log_rewind(struct shim_log *log, const struct shim_log_place *place)
{
    log->at = *place;
    remove_later_pieces(place->piece_offset);
    if (shim_log_open(log) != 0) {
        return -1;
    }
    return ftruncate(log->descriptor, (off_t)(place->size_bytes - place->piece_offset));
}

static void drop_piece(struct shim_log *log, uint64_t offset)
{
    char name[NAME_BYTES];
    struct stat status;
    piece_name(name, offset);
    if (stat(name, &status) == 0 && unlink(name) == 0) {
        log->at.dropped_bytes += (uint64_t)status.st_size;
    }
}

/* Begins a new piece when the pending records would make the current one too long. */
static int choose_piece(struct shim_log *log)
{
    char name[NAME_BYTES];
    uint64_t used = log->at.size_bytes - log->at.piece_offset;
    uint64_t limit = log->at.piece_offset == 0 ? log->head_bytes : log->tail_bytes;
    if (used == 0 || used + log->pending.size_bytes <= limit) {
        return 0;
    }
    piece_name(name, log->at.size_bytes);
    int descriptor = open(name, LOG_FLAGS, 0600);
    if (descriptor < 0) {
        return -1;
    }
    close(log->descriptor);
    log->descriptor = descriptor;
    if (log->at.older_offset != 0) {
        drop_piece(log, log->at.older_offset);
    }
    log->at.older_offset = log->at.piece_offset;
    log->at.piece_offset = log->at.size_bytes;
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
    off_t piece_bytes = (off_t)(log->at.size_bytes - log->at.piece_offset + whole_bytes);
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
            log->at.error = errno;
            done = keep_whole_records(log, data, done);
            uint64_t lost = count_records(data + done, size_bytes - done);
            log->at.lost_records += lost;
            log->at.untold_records += lost;
            log->at.size_bytes += done;
            return false;
        }
    }
    log->at.size_bytes += done;
    return true;
}

/* Says in the log that records are missing, once it can be written again. */
static bool tell_of_lost_records(struct shim_log *log)
{
    char at[CLOCK_RFC3339_SIZE];
    char notice[256];
    if (log->at.untold_records == 0) {
        return true;
    }
    clock_format_rfc3339_ns(clock_wall_ns(), at);
    int size = snprintf(notice, sizeof notice,
                        "%s stderr F [drctl: %" PRIu64 " lines are missing here: %s]\n", at,
                        log->at.untold_records, strerror(log->at.error));
    uint64_t untold = log->at.untold_records;
    uint64_t lost = log->at.lost_records;
    if (!write_records(log, notice, (size_t)size)) {
        log->at.untold_records = untold; /* the notice itself is no record of the command */
        log->at.lost_records = lost;
        return false;
    }
    log->at.untold_records = 0;
    return true;
}

void shim_log_flush(struct shim_log *log)
{
    if (log->pending.size_bytes == 0) {
        return;
    }
    if (choose_piece(log) != 0 || !tell_of_lost_records(log)) {
        uint64_t lost = count_records(log->pending.data, log->pending.size_bytes);
        log->at.error = errno;
        log->at.lost_records += lost;
        log->at.untold_records += lost;
    } else if (!write_records(log, log->pending.data, log->pending.size_bytes)) {
        /* counted */
    }
    buffer_clear(&log->pending);
}
