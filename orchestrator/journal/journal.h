/* Writing a run's journal. There is one writer at a time: the open file holds a lock that the
 * kernel gives up when the process dies, however it dies.
 *
 * With a loop, appends are grouped: all that is appended while one group is on its way to the disk
 * goes out with the next, one write and one fsync for many events, on libuv's thread pool (so do
 * not park blocking work there). Without a loop (NULL), journal_append_now() writes at once; that
 * is for short commands.
 *
 * When the disk refuses (full, quota, I/O error), the journal stalls: the torn tail is cut off, all
 * that was appended is kept in memory in its order, the stall callback is told why, and further
 * appends queue up behind. journal_retry() tries again. Nothing is lost and nothing is reordered
 * while the process lives, and no callback has claimed that it was durable. */
#ifndef DRCTL_JOURNAL_JOURNAL_H
#define DRCTL_JOURNAL_JOURNAL_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "base/compiler.h"
#include "base/error.h"
#include "journal/replay.h"

struct journal;

/* Makes a new, empty journal, mode 0600, whose name survives a power cut. An existing file is
 * ERROR_REFUSED. */
MUST_USE int journal_create(const char *path, uv_loop_t *loop, struct journal **ret_journal,
                            struct error *err);

/* Opens an existing one for appending, after proving it line by line; visit (may be NULL) gets each
 * event in order. A torn last line is cut off and told in *ret_torn (may be NULL; all zero when
 * there was none); one that lacks nothing but its newline is kept and completed. ERROR_LOCKED when
 * another process writes it, ERROR_DAMAGED when a line does not verify. */
MUST_USE int journal_open(const char *path, uv_loop_t *loop, journal_visit visit, void *data,
                          struct journal **ret_journal, struct journal_tail *ret_torn,
                          struct error *err);

/* Always called from the loop, in the order of the appends, after journal_append() has returned.
 * err is NULL when the event is where it should be; otherwise the journal was closed before that,
 * and err says what was in the way. */
typedef void (*journal_done)(void *data, const struct error *err);

enum journal_durability {
    JOURNAL_DURABLE, /* done means: a power cut does not take it. For what announces an effect. */
    JOURNAL_RELAXED, /* done means: readers see it. Becomes durable with the next durable event. */
};

/* Appends an event: an object with "type" and without "seq", "at", "prev", "hash", of which it gets
 * the first two set (journal/line.h). The event stays the caller's; done may be NULL. When it
 * returns -1 (ERROR_INVALID), nothing was appended and done is not called. */
MUST_USE int journal_append(struct journal *journal, json_t *event,
                            enum journal_durability durability, journal_done done, void *data,
                            struct error *err);

/* Without a loop: appends durably and returns when that is so. After a failure the event is not in
 * the journal. */
MUST_USE int journal_append_now(struct journal *journal, json_t *event, struct error *err);

/* Called from the loop each time that the disk refused; err is the journal's, copy what you keep.
 * Without a callback a stall is silent until journal_close(). */
typedef void (*journal_stalled)(void *data, const struct error *err);
void journal_on_stall(struct journal *journal, journal_stalled stalled, void *data);

/* Whether it is stalled, and to go on after space was made; without a stall that does nothing. */
bool journal_is_stalled(const struct journal *journal);
void journal_retry(struct journal *journal);

/* The seq of the last event that was appended; 0 when there is none. */
uint64_t journal_last_seq(const struct journal *journal);

/* Lets what was appended reach the disk (a stalled journal is not waited for: the callbacks that
 * are left get its error), then closes, unlocks and frees. With a loop, closed (may be NULL) is
 * called from it at the end; no appends after this call. Without one all is done on return, and
 * closed must be NULL. */
void journal_close(struct journal *journal, void (*closed)(void *data), void *data);

#endif
