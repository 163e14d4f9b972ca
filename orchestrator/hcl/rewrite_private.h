/* What the two halves of a rewrite share: the files of a checkout in memory. */
#ifndef DRCTL_HCL_REWRITE_PRIVATE_H
#define DRCTL_HCL_REWRITE_PRIVATE_H

#include "base/table.h"
#include "hcl/glob.h"
#include "hcl/rewrite.h"

struct protected_range {
    size_t offset;
    size_t end;
};

struct workspace_file {
    char *path;
    struct buffer old_bytes;
    struct hcl_document document; /* as it is to become */
    bool broken;                  /* cannot be read or parsed; reported already */
    mode_t mode;
    size_t edits;
    VECTOR(struct protected_range)
    protected; /* what edits have set: mapping keeps off it */
};

struct workspace {
    const struct hcl_rewrite_request *request;
    struct error_list *errors;
    VECTOR(struct workspace_file *)
    files;
    struct table index;
};

/* The file at a path relative to the root, read and parsed on first use. NULL when it is broken;
 * the error is in the list then. */
struct workspace_file *workspace_open(struct workspace *workspace, const char *path);

/* Replaces a file's document by the result of the splices, parsed anew. The error is in the list.
 */
MUST_USE int workspace_apply(struct workspace *workspace, struct workspace_file *file,
                             struct hcl_splices *splices);

/* The paths that the globs name; without globs all configuration files. */
MUST_USE int workspace_list(struct workspace *workspace, const char *const *patterns,
                            size_t pattern_count, struct hcl_paths *paths);
void workspace_release(struct workspace *workspace);

/* Reports edits that terraform would not see, since a file that it reads later says otherwise. */
void rewrite_check_precedence(struct workspace *workspace);

#endif
