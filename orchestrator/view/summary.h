/* One screen about a run: for `drctl status`, and what stands on the terminal when drctl ends. */
#ifndef DRCTL_VIEW_SUMMARY_H
#define DRCTL_VIEW_SUMMARY_H

#include "base/buffer.h"
#include "view/fold.h"

/* Appends it: where the run is, what failed and why with the last lines, what was done, what was
 * not, and the command that goes on. now_ns: for durations of what is under way. */
void summary_append(struct buffer *out, const struct fold *fold, int64_t now_ns);

/* The same as a JSON value, a new reference. */
json_t *summary_json(const struct fold *fold, int64_t now_ns);

#endif
