/* A run as one stream: its events in the order of the journal, and between them the lines of its
 * steps' output in the order of time. It is made from the journal and the logs alone, in the same
 * way whether the run is worked on in this process, watched from another one, or over: so live,
 * attached and later views show the same.
 *
 * The order: a line comes behind the event that began its task, before the event that ended it, and
 * otherwise before the first event that is later than it. Lines of different tasks are merged by
 * time. Live, everything is held back for a short while, in which whatever was earlier shows up.
 *
 * Only logs of what runs at that point of the stream are open; memory is bounded by these. */
#ifndef DRCTL_RUNTIME_RUN_LOGS_H
#define DRCTL_RUNTIME_RUN_LOGS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

#include "runtime/run.h"

struct run_logs;

struct run_logs_options {
    const char *run_directory;
    const char *step;  /* lines of this step and its instances alone; NULL: of all */
    size_t attempt;    /* lines of this attempt alone; 0: of all */
    uv_loop_t *loop;   /* for run_logs_live(); NULL when that is not wanted */
    bool watch;        /* live, look at the files; else run_logs_wake() tells of changes */
    int64_t settle_ms; /* how long what happened may take to show up here */
    void *data;
    void (*event)(void *data, const json_t *event); /* NULL: not wanted */
    void (*line)(void *data, const struct run_line *line);
};

/* Texts are copied. */
struct run_logs *run_logs_new(const struct run_logs_options *options);

/* The next event of the journal. Before run_logs_live() it is handed on at once, behind the lines
 * that come before it. */
void run_logs_event(struct run_logs *logs, const json_t *event);

/* The same for an event that has been shown already: neither it nor the lines that belong before it
 * are handed on, but for those of tasks that are still at work at the end. */
void run_logs_skip(struct run_logs *logs, const json_t *event);

/* What comes from now on comes while it happens. */
void run_logs_live(struct run_logs *logs);

/* There may be something new. */
void run_logs_wake(struct run_logs *logs);

/* Hands on everything that is there, also of tasks that still run, without waiting. */
void run_logs_finish(struct run_logs *logs);

/* No callback after this call. It frees itself when the loop has closed its handles. NULL is
 * accepted. */
void run_logs_close(struct run_logs *logs);

#endif
