/* Renderers of events. A view gets the same stream whether it watches live, is attached later, or
 * reads a run that is over: view_event() for each event, view_line() for each line of a step's
 * output, and writes to a descriptor. */
#ifndef DRCTL_VIEW_VIEW_H
#define DRCTL_VIEW_VIEW_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/span.h"

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
};

/* Lines of text: time, step, what. color: ANSI colours. step_width: of the widest step's name. A
 * descriptor that cannot be written any more (a terminal that went away) is not an error. */
struct view *view_plain_new(int descriptor, bool color, size_t step_width);

/* JSON lines: {"event": …} as in the journal, {"output": {step, attempt, task, at, stream, text}},
 * {"notice": …}. */
struct view *view_json_new(int descriptor);

void view_free(struct view *view);

#endif
