/* Where a run stands, in a few lines for a terminal of some size. */
#ifndef DRCTL_VIEW_STATUS_BLOCK_H
#define DRCTL_VIEW_STATUS_BLOCK_H

#include "base/buffer.h"
#include "view/fold.h"

/* Appends at most `rows` lines, each at most `columns` wide and ended by a newline. Nothing when
 * there is no room, or nothing goes on. */
void status_block_append(struct buffer *out, const struct fold *fold, int64_t now_ns,
                         size_t columns, size_t rows);

/* How many columns a line of UTF-8 takes. */
size_t status_block_width(struct span line);

#endif
