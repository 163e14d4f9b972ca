/* Replacements of byte ranges, collected first and applied at once; every byte outside of them
 * stays what it was. */
#ifndef DRCTL_HCL_SPLICE_H
#define DRCTL_HCL_SPLICE_H

#include "base/buffer.h"
#include "base/compiler.h"
#include "base/error.h"
#include "base/span.h"
#include "base/vector.h"

struct hcl_splice {
    size_t offset; /* in the old bytes */
    size_t removed_bytes;
    char *text; /* owned; put in place of what is removed */
    size_t text_bytes;
    size_t order; /* of being added: insertions at one offset keep it */
};

struct hcl_splices {
    VECTOR(struct hcl_splice)
    list;
};

/* Adds a replacement of removed_bytes at offset by a copy of text. */
void hcl_splices_add(struct hcl_splices *splices, size_t offset, size_t removed_bytes,
                     struct span text);

/* Appends the new bytes. Replacements that overlap are ERROR_INVALID: two edits want the same
 * place. Sorts the list. */
MUST_USE int hcl_splices_apply(struct hcl_splices *splices, struct span old_bytes,
                               struct buffer *new_bytes, struct error *err);

/* Where an old offset is in the new bytes, after hcl_splices_apply(); inside a replacement, where
 * that begins. */
size_t hcl_splices_map(const struct hcl_splices *splices, size_t offset);

void hcl_splices_release(struct hcl_splices *splices);

#endif
