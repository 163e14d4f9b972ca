/* Unified differences, for showing and for the record. */
#ifndef DRCTL_HCL_DIFF_H
#define DRCTL_HCL_DIFF_H

#include "base/buffer.h"
#include "base/span.h"

/* Appends the change of a file in git's form with three lines of context, such that `git apply` and
 * `patch -p1` make new_bytes from old_bytes. Nothing is appended when they are equal. */
void hcl_diff_append(struct buffer *out, const char *path, struct span old_bytes,
                     struct span new_bytes);

#endif
