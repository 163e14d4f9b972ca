/* The only code that makes new file contents: it copies the ranges between replacements, so that
 * what was not asked for cannot change. */
#include "hcl/splice.h"

#include <stdlib.h>

#include "base/memory.h"

void hcl_splices_add(struct hcl_splices *splices, size_t offset, size_t removed_bytes,
                     struct span text)
{
    struct hcl_splice splice = {.offset = offset,
                                .removed_bytes = removed_bytes,
                                .text = memory_text_n(text.data, text.size_bytes),
                                .text_bytes = text.size_bytes,
                                .order = splices->list.count};
    vector_push(&splices->list, splice);
}

static int compare(const void *a, const void *b)
{
    const struct hcl_splice *left = a;
    const struct hcl_splice *right = b;
    if (left->offset != right->offset) {
        return left->offset < right->offset ? -1 : 1;
    }
    return left->order < right->order ? -1 : left->order > right->order;
}

int hcl_splices_apply(struct hcl_splices *splices, struct span old_bytes, struct buffer *new_bytes,
                      struct error *err)
{
    if (splices->list.count > 1) {
        qsort(splices->list.items, splices->list.count, sizeof splices->list.items[0], compare);
    }
    size_t at = 0;
    vector_each (struct hcl_splice *, splice, &splices->list) {
        if (splice->offset < at || splice->offset + splice->removed_bytes > old_bytes.size_bytes) {
            return error_set(err, ERROR_INVALID, "two edits want the same bytes");
        }
        buffer_append(new_bytes, old_bytes.data + at, splice->offset - at);
        buffer_append(new_bytes, splice->text, splice->text_bytes);
        at = splice->offset + splice->removed_bytes;
    }
    buffer_append(new_bytes, old_bytes.data + at, old_bytes.size_bytes - at);
    return 0;
}

size_t hcl_splices_map(const struct hcl_splices *splices, size_t offset)
{
    size_t moved = offset;
    vector_each (struct hcl_splice *, splice, &splices->list) {
        if (splice->offset + splice->removed_bytes <= offset &&
            (splice->removed_bytes > 0 || splice->offset <= offset)) {
            moved = moved - splice->removed_bytes + splice->text_bytes;
        } else if (splice->offset < offset) {
            moved -= offset - splice->offset;
        }
    }
    return moved;
}

void hcl_splices_release(struct hcl_splices *splices)
{
    vector_each (struct hcl_splice *, splice, &splices->list) {
        free(splice->text);
    }
    vector_release(&splices->list);
}
