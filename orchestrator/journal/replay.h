/* Reading a journal: from its first line to its last, or live while another process writes it.
 * Each line is proved before it is handed out (journal/line.h); memory is bounded by one line.
 *
 *     struct journal_reader *reader;
 *     struct journal_event event;
 *     int got;
 *     if (journal_reader_open(path, &reader, err) != 0) …
 *     while ((got = journal_reader_next(reader, &event, err)) == 1) { fold(event.json); }
 *     if (got < 0) … damaged
 *     journal_reader_free(reader);
 */
#ifndef DRCTL_JOURNAL_REPLAY_H
#define DRCTL_JOURNAL_REPLAY_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/error.h"
#include "journal/line.h"

struct journal_event {
    uint64_t seq;
    int64_t at_ns;
    const char *type; /* part of json */
    json_t *json;     /* the whole event; borrowed until the next call, json_incref() to keep */
    uint64_t line;    /* from 1 */
    uint64_t offset_bytes; /* where its line starts in the file */
};

/* What stands behind the last complete line. */
struct journal_tail {
    uint64_t offset_bytes; /* where the last complete line ends */
    uint64_t size_bytes;   /* bytes behind it; 0 in a journal that was closed in order */
    uint64_t whole_bytes;  /* so many of them are a whole valid line but for its newline; or 0 */
};

struct journal_reader;

/* ERROR_NOT_FOUND when there is no such file, ERROR_REFUSED for a symlink or a special file. */
MUST_USE int journal_reader_open(const char *path, struct journal_reader **ret_reader,
                                 struct error *err);

/* The same from an open descriptor, which it takes in any case; path is what errors call it. */
MUST_USE int journal_reader_take(int descriptor, const char *path,
                                 struct journal_reader **ret_reader, struct error *err);

/* 1 and the next event; 0 when there is no further complete line now (a torn last line is not an
 * error for a reader, and the same call later finds what was written meanwhile); -1 with
 * ERROR_DAMAGED, the file and the line, or ERROR_IO. Once damaged, always damaged. */
MUST_USE int journal_reader_next(struct journal_reader *reader, struct journal_event *ret_event,
                                 struct error *err);

/* Where the reader's chain has got to. */
const struct journal_chain *journal_reader_chain(const struct journal_reader *reader);

/* What is behind the last line that was handed out, as seen when next() gave 0. */
struct journal_tail journal_reader_tail(const struct journal_reader *reader);

void journal_reader_free(struct journal_reader *reader);

/* What verification found out about a sound journal. */
struct journal_summary {
    uint64_t events;
    int64_t first_at_ns; /* of no meaning without events, as is the next */
    int64_t last_at_ns;
    char head[DIGEST_HEX_SIZE]; /* SHA-256 of the last line: keep it elsewhere to prove the end */
    struct journal_tail tail;
};

/* Reads the whole journal. The first altered line is ERROR_DAMAGED with err->file and err->line. */
MUST_USE int journal_verify(const char *path, struct journal_summary *ret_summary,
                            struct error *err);

/* Calls visit for each event in order; visit returns 0 to go on, or -1 with err set. A torn tail is
 * left out. */
typedef int (*journal_visit)(const struct journal_event *event, void *data, struct error *err);
MUST_USE int journal_replay(const char *path, journal_visit visit, void *data,
                            struct journal_tail *ret_tail, struct error *err);

#endif
