/* The list of what an undeletion is going to do, written down as a whole before it does anything:
 * a file of JSON lines
 *
 *   {"op":"unmark","key":"a/b","version":"…"}
 *   {"op":"copy","key":"a/b","version":"…","etag":"\"…\"","size":12,"class":"STANDARD"}
 */
#ifndef DRCTL_ACTIONS_S3_MANIFEST_H
#define DRCTL_ACTIONS_S3_MANIFEST_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "base/digest.h"
#include "storage/s3_recovery.h"

struct s3_counts {
    size_t keys;   /* keys that were looked at */
    size_t unmark; /* delete markers to be removed */
    size_t copy;   /* versions to be copied back */
    int64_t bytes; /* size of what comes back */
};

struct s3_manifest_writer {
    char *path;
    int descriptor;
    struct buffer pending;
    struct s3_counts counts;
};

/* Begins a file beside path. */
MUST_USE int s3_manifest_open(const char *path, struct s3_manifest_writer *ret_writer,
                              struct error *err);

/* Adds what a verdict asks for. */
MUST_USE int s3_manifest_add(struct s3_manifest_writer *writer, const struct s3_version *entries,
                             const struct s3_verdict *verdict, struct error *err);

/* Makes it durable and puts it in its place. */
MUST_USE int s3_manifest_finish(struct s3_manifest_writer *writer, struct error *err);

/* Also after a failure: what was begun is removed. */
void s3_manifest_release(struct s3_manifest_writer *writer);

/* Reading it: one object after another; NULL at the end with err clear, or with an error. */
struct s3_manifest_reader {
    FILE *file;
    char *line;
    size_t capacity;
    size_t read; /* objects handed out so far */
};
MUST_USE int s3_manifest_read(const char *path, struct s3_manifest_reader *ret_reader,
                              struct error *err);
MUST_USE json_t *s3_manifest_next(struct s3_manifest_reader *reader, struct error *err);
void s3_manifest_close(struct s3_manifest_reader *reader);

#endif
