/* The writer. Bytes of the file fall into three parts, and every function here keeps them apart:
 *
 *   [0, synced_bytes)            durable; nobody can take it back
 *   flight                       follows at synced_bytes; its first `written` bytes are in the
 * file, none of it is known to be durable, all of it is kept in memory waiting appended since the
 * last group set out
 *
 * A group is flight + waiting as one write and, unless all of it is relaxed, one fdatasync. When
 * either fails, the file is cut back to synced_bytes and the whole flight goes out again on retry:
 * after a failed fsync the kernel may have dropped the pages, so that what was written counts for
 * nothing. While `working`, flight, written, must_cut and failure belong to the worker thread. */
#include "journal/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"

/* Relaxed events are kept in memory until they are durable; this much of them forces an fsync. */
enum { RELAXED_LIMIT_BYTES = 256 * 1024 };

struct pending {
    journal_done done;
    void *data;
};

struct journal {
    int descriptor;
    char *path;
    struct journal_chain chain; /* behind the last event appended, durable or not */

    uint64_t synced_bytes;
    struct buffer flight;
    size_t written;
    struct buffer waiting;
    bool must_sync;         /* flight has a durable event */
    bool waiting_must_sync; /* waiting has one */
    bool must_cut;          /* the file may be longer than synced_bytes + written */

    uv_loop_t *loop; /* NULL: none of what follows is used */
    uv_idle_t starting;
    uv_work_t work;
    bool working;
    bool stalled;
    bool retry_wanted;
    bool closing;
    struct error failure; /* why it is stalled */
    VECTOR(struct pending)
    pending;               /* in the order of the appends */
    size_t pending_aboard; /* so many of them ride with the group under way */
    journal_stalled on_stall;
    void *on_stall_data;
    void (*closed)(void *data);
    void *closed_data;
};

static int cut_file(struct journal *journal, struct error *err)
{
    if (ftruncate(journal->descriptor, (off_t)(journal->synced_bytes + journal->written)) != 0) {
        return error_set_errno(err, errno, "cannot cut the journal %s", journal->path);
    }
    journal->must_cut = false;
    return 0;
}

static int write_flight(struct journal *journal, struct error *err)
{
    if (journal->must_cut && cut_file(journal, err) != 0) {
        return -1;
    }
    off_t offset = (off_t)(journal->synced_bytes + journal->written);
    if (lseek(journal->descriptor, offset, SEEK_SET) < 0) {
        return error_set_errno(err, errno, "cannot position the journal %s", journal->path);
    }
    if (file_write_all(journal->descriptor, journal->flight.data + journal->written,
                       journal->flight.size_bytes - journal->written, err) != 0) {
        return error_context(err, "cannot append to the journal %s", journal->path);
    }
    journal->written = journal->flight.size_bytes;
    if (journal->must_sync && fdatasync(journal->descriptor) != 0) {
        return error_set_errno(err, errno, "cannot make the journal %s durable", journal->path);
    }
    return 0;
}

/* Puts flight into the file. On failure the file ends at synced_bytes, or, if not even that can be
 * done, must_cut remembers it. */
static int commit_flight(struct journal *journal, struct error *err)
{
    if (write_flight(journal, err) != 0) {
        journal->written = 0;
        journal->must_cut = true;
        (void)cut_file(journal, NULL);
        return -1;
    }
    if (journal->must_sync) {
        journal->synced_bytes += journal->flight.size_bytes;
        buffer_clear(&journal->flight);
        journal->written = 0;
    }
    return 0;
}

static void run_group(uv_work_t *work)
{
    struct journal *journal = work->data;
    (void)commit_flight(journal, &journal->failure);
}

static void report_done(struct journal *journal)
{
    VECTOR(struct pending)
    finished = {0};
    for (size_t i = 0; i < journal->pending_aboard; i++) {
        vector_push(&finished, journal->pending.items[i]);
    }
    journal->pending.count -= journal->pending_aboard;
    if (journal->pending.count > 0) {
        memmove(journal->pending.items, journal->pending.items + journal->pending_aboard,
                journal->pending.count * sizeof *journal->pending.items);
    }
    journal->pending_aboard = 0;
    vector_each (struct pending *, one, &finished) {
        if (one->done != NULL) {
            one->done(one->data, NULL);
        }
    }
    vector_release(&finished);
}

static void schedule_group(struct journal *journal);
static void start_closing(struct journal *journal);

static void on_group_done(uv_work_t *work, int status)
{
    (void)status; /* the work is never cancelled */
    struct journal *journal = work->data;
    /* Still working while the callbacks run: one that closes or retries leaves that to the lines
     * below. */
    if (error_is_set(&journal->failure)) {
        journal->stalled = true;
        if (journal->on_stall != NULL) {
            journal->on_stall(journal->on_stall_data, &journal->failure);
        }
    } else {
        journal->stalled = false;
        journal->must_sync = false;
        report_done(journal);
    }
    journal->working = false;
    if (journal->closing) {
        start_closing(journal);
    } else if (journal->retry_wanted || (!journal->stalled && journal->waiting.size_bytes > 0)) {
        schedule_group(journal);
    }
}

static void start_group(struct journal *journal)
{
    error_release(&journal->failure);
    buffer_append_span(&journal->flight, buffer_span(&journal->waiting));
    buffer_clear(&journal->waiting);
    journal->pending_aboard = journal->pending.count;
    journal->must_sync |=
        journal->waiting_must_sync || journal->flight.size_bytes > RELAXED_LIMIT_BYTES;
    journal->waiting_must_sync = false;
    journal->retry_wanted = false;
    journal->working = true;
    journal->work.data = journal;
    if (uv_queue_work(journal->loop, &journal->work, run_group, on_group_done) != 0) {
        abort(); /* fails only for a missing callback */
    }
}

static void on_starting(uv_idle_t *idle)
{
    struct journal *journal = idle->data;
    uv_idle_stop(idle);
    if (!journal->working && !journal->closing) {
        start_group(journal);
    }
}

/* The group sets out at the loop's next turn, so that what is appended in this one goes with it. */
static void schedule_group(struct journal *journal)
{
    uv_idle_start(&journal->starting, on_starting);
}

int journal_append(struct journal *journal, json_t *event, enum journal_durability durability,
                   journal_done done, void *data, struct error *err)
{
    if (journal_line_write(&journal->chain, event, clock_wall_ns(), &journal->waiting, err) != 0) {
        return -1;
    }
    vector_push(&journal->pending, ((struct pending){done, data}));
    journal->waiting_must_sync |= durability == JOURNAL_DURABLE;
    if (!journal->working && !journal->stalled) {
        schedule_group(journal);
    }
    return 0;
}

void journal_on_stall(struct journal *journal, journal_stalled stalled, void *data)
{
    journal->on_stall = stalled;
    journal->on_stall_data = data;
}

bool journal_is_stalled(const struct journal *journal)
{
    return journal->stalled;
}

void journal_retry(struct journal *journal)
{
    journal->retry_wanted = journal->stalled && !journal->closing;
    if (journal->retry_wanted && !journal->working) {
        schedule_group(journal);
    }
}

uint64_t journal_last_seq(const struct journal *journal)
{
    return journal->chain.last_seq;
}

int journal_append_now(struct journal *journal, json_t *event, struct error *err)
{
    struct journal_chain before = journal->chain;
    if (journal_line_write(&journal->chain, event, clock_wall_ns(), &journal->flight, err) != 0) {
        return -1;
    }
    journal->must_sync = true;
    if (commit_flight(journal, err) != 0) {
        buffer_clear(&journal->flight);
        journal->chain = before;
        return -1;
    }
    return 0;
}

/* Takes the descriptor. */
static struct journal *journal_new(int descriptor, const char *path)
{
    struct journal *journal = memory_new(1, sizeof *journal);
    journal->descriptor = descriptor;
    journal->path = memory_text(path);
    journal_chain_init(&journal->chain);
    return journal;
}

static void release(struct journal *journal)
{
    close(journal->descriptor);
    free(journal->path);
    buffer_release(&journal->flight);
    buffer_release(&journal->waiting);
    vector_release(&journal->pending);
    error_release(&journal->failure);
    free(journal);
}

static void attach_loop(struct journal *journal, uv_loop_t *loop)
{
    journal->loop = loop;
    if (loop != NULL) {
        uv_idle_init(loop, &journal->starting);
        journal->starting.data = journal;
    }
}

static int lock_file(int descriptor, const char *path, struct error *err)
{
    if (flock(descriptor, LOCK_EX | LOCK_NB) == 0) {
        return 0;
    }
    if (errno == EWOULDBLOCK) {
        return error_set(err, ERROR_LOCKED, "the journal %s is being written by another process",
                         path);
    }
    return error_set_errno(err, errno, "cannot lock the journal %s", path);
}

int journal_create(const char *path, uv_loop_t *loop, struct journal **ret_journal,
                   struct error *err)
{
    int descriptor =
        open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, FILE_PRIVATE_MODE);
    if (descriptor < 0) {
        if (errno == EEXIST) {
            return error_set(err, ERROR_REFUSED, "there is a journal %s already", path);
        }
        return error_set_errno(err, errno, "cannot create the journal %s", path);
    }
    if (lock_file(descriptor, path, err) != 0 || file_sync_parent(path, err) != 0) {
        unlink(path);
        close(descriptor);
        return -1;
    }
    *ret_journal = journal_new(descriptor, path);
    attach_loop(*ret_journal, loop);
    return 0;
}

/* Cuts off what a crash left behind the last line, or gives a whole line the newline it lacks. */
static int mend_tail(struct journal *journal, const struct journal_tail *tail, struct error *err)
{
    journal->synced_bytes = tail->offset_bytes + tail->whole_bytes;
    if (tail->size_bytes == 0) {
        return 0;
    }
    if (cut_file(journal, err) != 0) {
        return -1;
    }
    if (tail->whole_bytes > 0) {
        buffer_append_char(&journal->flight, '\n');
    }
    journal->must_sync = true;
    return commit_flight(journal, err);
}

static int replay_all(struct journal_reader *reader, journal_visit visit, void *data,
                      struct error *err)
{
    struct journal_event event;
    int got;
    while ((got = journal_reader_next(reader, &event, err)) == 1) {
        if (visit != NULL && visit(&event, data, err) != 0) {
            return -1;
        }
    }
    return got;
}

/* Replays through a second descriptor of the same open file, so that what is proved is what is
 * written to, whatever happens to the name. Replaying goes on after mending: a completed line is an
 * event like any other. */
static int replay_and_mend(struct journal *journal, journal_visit visit, void *data,
                           struct journal_tail *ret_tail, struct error *err)
{
    int copy = fcntl(journal->descriptor, F_DUPFD_CLOEXEC, 0);
    if (copy < 0) {
        return error_set_errno(err, errno, "cannot read the journal %s", journal->path);
    }
    struct journal_reader *reader;
    if (journal_reader_take(copy, journal->path, &reader, err) != 0) {
        return -1;
    }
    int result = replay_all(reader, visit, data, err);
    *ret_tail = journal_reader_tail(reader);
    if (result == 0) {
        result = mend_tail(journal, ret_tail, err);
    }
    if (result == 0) {
        result = replay_all(reader, visit, data, err);
    }
    journal->chain = *journal_reader_chain(reader);
    journal_reader_free(reader);
    return result;
}

static int open_existing(const char *path, struct error *err)
{
    int descriptor = open(path, O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    if (descriptor >= 0) {
        return descriptor;
    }
    if (errno == ENOENT) {
        return error_set(err, ERROR_NOT_FOUND, "there is no journal %s", path);
    }
    if (errno == ELOOP) {
        return error_set(err, ERROR_REFUSED, "the journal %s is a symbolic link", path);
    }
    return error_set_errno(err, errno, "cannot open the journal %s", path);
}

int journal_open(const char *path, uv_loop_t *loop, journal_visit visit, void *data,
                 struct journal **ret_journal, struct journal_tail *ret_torn, struct error *err)
{
    int descriptor = open_existing(path, err);
    if (descriptor < 0) {
        return -1;
    }
    struct journal *journal = journal_new(descriptor, path);
    struct journal_tail tail;
    if (lock_file(descriptor, path, err) != 0 ||
        replay_and_mend(journal, visit, data, &tail, err) != 0) {
        release(journal);
        return -1;
    }
    attach_loop(journal, loop);
    *ret_journal = journal;
    if (ret_torn != NULL) {
        *ret_torn = tail;
    }
    return 0;
}

/* What is left here could not be written: it is told so, and the file ends with a complete line. */
static void on_closed(uv_handle_t *handle)
{
    struct journal *journal = handle->data;
    if (journal->must_cut) {
        (void)cut_file(journal, NULL);
    }
    vector_each (struct pending *, one, &journal->pending) {
        if (one->done != NULL) {
            one->done(one->data, &journal->failure);
        }
    }
    void (*closed)(void *data) = journal->closed;
    void *closed_data = journal->closed_data;
    release(journal);
    if (closed != NULL) {
        closed(closed_data);
    }
}

static void start_closing(struct journal *journal)
{
    if (journal->working) {
        return; /* on_group_done() comes back here */
    }
    bool has_more = journal->flight.size_bytes > 0 || journal->waiting.size_bytes > 0;
    if (has_more && !journal->stalled) {
        journal->waiting_must_sync = true;
        start_group(journal);
        return;
    }
    uv_close((uv_handle_t *)&journal->starting, on_closed);
}

void journal_close(struct journal *journal, void (*closed)(void *data), void *data)
{
    if (journal == NULL) {
        return;
    }
    if (journal->loop == NULL) {
        if (journal->must_cut) {
            (void)cut_file(journal, NULL);
        }
        release(journal);
        return;
    }
    journal->closing = true;
    journal->closed = closed;
    journal->closed_data = data;
    start_closing(journal);
}
