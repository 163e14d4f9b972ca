/* Renderers of events. A view gets the same stream whether it watches live, is attached later, or
 * reads a run that is over: view_event() for each event, view_line() for each line of a step's
 * output, and writes to a descriptor. */
#ifndef DRCTL_VIEW_VIEW_H
#define DRCTL_VIEW_VIEW_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/span.h"
#include "view/fold.h"

struct view_line {
    const char *step;
    size_t attempt;
    const char *task; /* NULL: said by the action itself */
    int64_t at_ns;
    bool is_stderr;
    struct span text;
};

struct view {
    void (*event)(struct view *view, const json_t *event);
    void (*line)(struct view *view, const struct view_line *line);
    void (*notice)(struct view *view, const char *text);
    void (*release)(struct view *view);
    /* What follows is NULL for views that need none of it. */
    void (*tick)(struct view *view);   /* shows what is due; soon after a change, and each second */
    void (*typed)(struct view *view);  /* a person has ended a line at the terminal */
    void (*settle)(struct view *view); /* the last call but release: leaves nothing undone behind */
};

struct plain_options {
    bool color;          /* ANSI colours */
    bool long_times;     /* whole time stamps, RFC 3339 with nanoseconds */
    size_t step_width;   /* of the widest step's name */
    struct buffer *into; /* lines are appended here and not written; NULL */
};

/* Lines of text: time, mark, step, what. A descriptor that cannot be written any more (a terminal
 * that went away) is not an error. The options are copied. */
struct view *view_plain_new(int descriptor, const struct plain_options *options);

/* JSON lines: {"event": …} as in the journal without prev and hash, {"output": {step, attempt,
 * task, at, stream, text}},
 * {"notice": …}. */
struct view *view_json_new(int descriptor);

/* For a terminal: plain lines that scroll, and below them a block that says where the run stands:
 * what runs and for how long, the objectives' time that is left, questions and what to type. The
 * fold is the caller's and has every event before the view. A terminal that is slow, stopped or
 * gone holds up nobody. */
struct view *view_terminal_new(int descriptor, const struct plain_options *options,
                               const struct fold *fold);

void view_free(struct view *view);

#endif
