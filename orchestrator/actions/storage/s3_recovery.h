/* What has to be done to a key so that it is again as it was. Pure. */
#ifndef DRCTL_ACTIONS_S3_RECOVERY_H
#define DRCTL_ACTIONS_S3_RECOVERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "storage/s3_client.h"

struct s3_goal {
    int64_t since_ns; /* the moment whose state comes back; INT64_MIN: undo the last deletion */
    bool overwritten; /* content that was written over comes back, too; needs a moment */
};

struct s3_verdict {
    size_t markers; /* that many entries from the newest on are markers to be removed */
    size_t copy;    /* index of the version to copy over the key; SIZE_MAX: none */
    bool too_large; /* it cannot be copied by one request */
};

enum { S3_COPY_LIMIT_GIB = 5 };

/* Judges the entries of one key, newest first. Nothing is to be done when markers is 0 and copy is
 * SIZE_MAX. */
struct s3_verdict s3_judge(const struct s3_version *entries, size_t count,
                           const struct s3_goal *goal);

#endif
