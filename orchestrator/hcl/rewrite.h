/* Rewriting a checkout for another region: all new contents are computed in memory first, every
 * error is collected, and nothing is written while there is one. */
#ifndef DRCTL_HCL_REWRITE_H
#define DRCTL_HCL_REWRITE_H

#include <jansson.h>
#include <sys/types.h>

#include "base/buffer.h"
#include "base/compiler.h"
#include "base/error.h"
#include "hcl/edit.h"
#include "hcl/literals.h"
#include "hcl/words.h"

struct hcl_rewrite_edit {
    const char *file; /* relative to the root */
    struct hcl_edit edit;
};

/* What is asked for. All pointers are the caller's. */
struct hcl_rewrite_request {
    const char *root;
    VECTOR(struct hcl_rewrite_edit)
    edits;                /* in order; they win over the mapping */
    struct hcl_words map; /* words with a `to` */
    VECTOR(const char *)
    map_files;           /* globs; empty: all configuration files below the root */
    unsigned map_places; /* bits of hcl_place; 0: values, heredocs and text */
    struct hcl_words forbid;
    VECTOR(const char *)
    forbid_files;           /* globs; empty: all configuration files */
    unsigned forbid_places; /* where a forbidden word is an error; 0: everywhere but comments */
};

struct hcl_rewrite_file {
    char *path; /* relative to the root */
    struct buffer old_bytes;
    struct buffer new_bytes;
    struct buffer diff;
    mode_t mode;
    size_t edits; /* places that change */
};

/* A forbidden word that is left where that is no error. */
struct hcl_rewrite_note {
    char *path;
    struct hcl_finding finding;
};

struct hcl_rewrite_result {
    VECTOR(struct hcl_rewrite_file)
    files; /* only those that change, sorted by path */
    VECTOR(struct hcl_rewrite_note)
    notes;
    size_t files_checked; /* for forbidden words */
};

/* Computes everything and changes nothing. -1 when errors were added to the list; the result is
 * then empty. Doing it again after it was written finds nothing left to do. */
MUST_USE int hcl_rewrite_compute(const struct hcl_rewrite_request *request,
                                 struct hcl_rewrite_result *result, struct error_list *errors);

/* Writes the files of a result, each as a whole, keeping their modes. Refuses when one of them is
 * no longer what was read. When a write fails, those written before get their old contents back. */
MUST_USE int hcl_rewrite_write(const char *root, const struct hcl_rewrite_result *result,
                               struct error *err);

/* Appends the differences of all files. */
void hcl_rewrite_append_diff(struct buffer *out, const struct hcl_rewrite_result *result);

void hcl_rewrite_request_release(struct hcl_rewrite_request *request);
void hcl_rewrite_result_release(struct hcl_rewrite_result *result);

#endif
