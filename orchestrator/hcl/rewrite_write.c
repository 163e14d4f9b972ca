/* Putting a computed rewrite on disk. Several files cannot change at one instant; what is kept is
 * that a failure leaves all of them as they were, and that doing it again after a kill completes
 * it, since computing anew finds only what is left. */
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/memory.h"
#include "hcl/rewrite.h"

static int check_unchanged(const char *root, const struct hcl_rewrite_file *file, struct error *err)
{
    CLEANUP(memory_cleanup) char *path = NULL;
    CLEANUP(buffer_release) struct buffer now = BUFFER_INIT;
    if (file_join_inside(root, file->path, &path, err) != 0 ||
        file_read(path, HCL_FILE_LIMIT_BYTES, &now, err) != 0) {
        return -1;
    }
    if (!span_equals(buffer_span(&now), buffer_span(&file->old_bytes))) {
        return error_set_at(err, ERROR_REFUSED, file->path, 0, 0,
                            "it has changed since it was read: nothing was written");
    }
    return 0;
}

static int write_one(const char *root, const struct hcl_rewrite_file *file,
                     const struct buffer *bytes, struct error *err)
{
    CLEANUP(memory_cleanup) char *path = NULL;
    if (file_join_inside(root, file->path, &path, err) != 0) {
        return -1;
    }
    if (file_write(path, buffer_span(bytes), file->mode, FILE_ATOMIC, err) != 0) {
        return -1;
    }
    /* The umask may have taken bits away that the file had. */
    return chmod(path, file->mode) == 0
               ? 0
               : error_set_errno(err, errno, "cannot set the mode of %s", file->path);
}

int hcl_rewrite_write(const char *root, const struct hcl_rewrite_result *result, struct error *err)
{
    vector_each (const struct hcl_rewrite_file *, file, &result->files) {
        if (check_unchanged(root, file, err) != 0) {
            return -1;
        }
    }
    for (size_t i = 0; i < result->files.count; i++) {
        const struct hcl_rewrite_file *file = &result->files.items[i];
        if (write_one(root, file, &file->new_bytes, err) == 0) {
            continue;
        }
        while (i-- > 0) {
            file = &result->files.items[i];
            if (write_one(root, file, &file->old_bytes, NULL) != 0) {
                error_hint(err, "%s could not be put back: see the difference in the record",
                           file->path);
            }
        }
        return -1;
    }
    return 0;
}
