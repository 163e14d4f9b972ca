/* The rule, in three sentences. Delete markers that lie on top, all of them newer than the moment,
 * are removed when there is a version below them to come back, also one that was written after the
 * moment. Where content is wanted as it was, and what is on top then is newer than the moment, the
 * newest version that is not newer is copied over it, unless it is the same content already. A key
 * that was deleted at the moment keeps that; nothing that came later is taken away. */
#include "storage/s3_recovery.h"

#include <string.h>

static bool is_newer(const struct s3_version *entry, const struct s3_goal *goal)
{
    return goal->since_ns == INT64_MIN || entry->at_ns > goal->since_ns;
}

static size_t markers_on_top(const struct s3_version *entries, size_t count,
                             const struct s3_goal *goal)
{
    size_t markers = 0;
    while (markers < count && entries[markers].is_marker && is_newer(&entries[markers], goal)) {
        markers++;
    }
    return markers;
}

/* The entry that was on top at the moment. */
static size_t entry_at(const struct s3_version *entries, size_t count, const struct s3_goal *goal)
{
    for (size_t i = 0; i < count; i++) {
        if (!is_newer(&entries[i], goal)) {
            return i;
        }
    }
    return SIZE_MAX;
}

static bool is_same_content(const struct s3_version *a, const struct s3_version *b)
{
    return a->size_bytes == b->size_bytes && a->etag != NULL && b->etag != NULL &&
           strcmp(a->etag, b->etag) == 0;
}

struct s3_verdict s3_judge(const struct s3_version *entries, size_t count,
                           const struct s3_goal *goal)
{
    struct s3_verdict verdict = {0, SIZE_MAX, false};
    size_t top = markers_on_top(entries, count, goal);
    if (top == count || entries[top].is_marker) {
        return verdict; /* nothing below the markers, or deleted at the moment already */
    }
    verdict.markers = top;
    if (!goal->overwritten || !is_newer(&entries[top], goal)) {
        return verdict;
    }
    size_t wanted = entry_at(entries, count, goal);
    if (wanted == SIZE_MAX || entries[wanted].is_marker ||
        is_same_content(&entries[wanted], &entries[top])) {
        return verdict;
    }
    verdict.copy = wanted;
    verdict.too_large =
        entries[wanted].size_bytes > (int64_t)S3_COPY_LIMIT_GIB * 1024 * 1024 * 1024;
    return verdict;
}
