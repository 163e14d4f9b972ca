/* Files of a checkout that a rewrite looks at, each read once, and never through a symbolic link.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/nearest.h"
#include "hcl/rewrite_private.h"

enum {
    FILE_LIMIT = 5000,                     /* files looked at in one rewrite */
    TOTAL_LIMIT_BYTES = 256 * 1024 * 1024, /* of all of them */
};

static const char *const configuration[] = {"**/*.tf", "**/*.tfvars", "**/*.tf.json",
                                            "**/*.tfvars.json", "**/*.tfbackend"};

/* Says which file of the same folder may have been meant. */
static void suggest_path(struct workspace *workspace, const char *path, struct error *err)
{
    const char *slash = strrchr(path, '/');
    CLEANUP(memory_cleanup)
    char *pattern = memory_format("%.*s*", (int)(slash != NULL ? slash - path + 1 : 0), path);
    const char *const patterns[] = {pattern};
    struct hcl_paths paths = {0};
    struct nearest nearest;
    nearest_init(&nearest, path);
    if (hcl_glob_list(workspace->request->root, patterns, 1, &paths, NULL) == 0) {
        for (size_t i = 0; i < paths.list.count; i++) {
            nearest_offer(&nearest, paths.list.items[i]);
        }
    }
    if (nearest.best != NULL) {
        error_hint(err, "did you mean %s?", nearest.best);
    }
    hcl_paths_release(&paths);
}

static int load(struct workspace *workspace, struct workspace_file *file, struct error *err)
{
    CLEANUP(memory_cleanup) char *absolute = NULL;
    struct stat status;
    if (file_join_inside(workspace->request->root, file->path, &absolute, err) != 0) {
        return -1;
    }
    if (file_read(absolute, HCL_FILE_LIMIT_BYTES, &file->old_bytes, err) != 0) {
        if (err->code == ERROR_NOT_FOUND) {
            error_release(err);
            error_set_at(err, ERROR_NOT_FOUND, file->path, 0, 0, "there is no such file");
            suggest_path(workspace, file->path, err);
        }
        return -1;
    }
    if (stat(absolute, &status) != 0) {
        return error_set_errno(err, errno, "cannot examine %s", file->path);
    }
    file->mode = status.st_mode & 07777;
    size_t total_bytes = 0;
    vector_each (struct workspace_file **, known, &workspace->files) {
        total_bytes += (*known)->old_bytes.size_bytes;
    }
    if (total_bytes > TOTAL_LIMIT_BYTES || workspace->files.count > FILE_LIMIT) {
        return error_set(err, ERROR_INVALID, "the files are too many or too large to rewrite");
    }
    return hcl_document_init(&file->document, file->path, hcl_format_of(file->path),
                             buffer_span(&file->old_bytes), err);
}

struct workspace_file *workspace_open(struct workspace *workspace, const char *path)
{
    size_t known = 0;
    if (table_get(&workspace->index, path, &known)) {
        struct workspace_file *file = workspace->files.items[known];
        return file->broken ? NULL : file;
    }
    struct workspace_file *file = memory_new(1, sizeof *file);
    file->path = memory_text(path);
    table_set(&workspace->index, path, workspace->files.count);
    vector_push(&workspace->files, file); /* NOLINT(bugprone-sizeof-expression): pointers */
    struct error err = ERROR_INIT;
    if (load(workspace, file, &err) != 0) {
        if (err.file == NULL) {
            err.file = memory_text(path);
        }
        error_list_add(workspace->errors, &err);
        file->broken = true;
        return NULL;
    }
    return file;
}

int workspace_apply(struct workspace *workspace, struct workspace_file *file,
                    struct hcl_splices *splices)
{
    struct error err = ERROR_INIT;
    struct buffer bytes = BUFFER_INIT;
    struct hcl_document document = {0};
    int result = hcl_splices_apply(splices, buffer_span(&file->document.bytes), &bytes, &err);
    if (result == 0) {
        result = hcl_document_init(&document, file->path, file->document.format,
                                   buffer_span(&bytes), &err);
    }
    buffer_release(&bytes);
    if (result != 0) {
        error_context(&err, "the edited %s would not be valid", file->path);
        error_list_add(workspace->errors, &err);
        return -1;
    }
    vector_each (struct protected_range *, range, &file->protected) {
        range->end = hcl_splices_map(splices, range->end);
        range->offset = hcl_splices_map(splices, range->offset);
    }
    hcl_document_release(&file->document);
    file->document = document;
    return 0;
}

int workspace_list(struct workspace *workspace, const char *const *patterns, size_t pattern_count,
                   struct hcl_paths *paths)
{
    struct error err = ERROR_INIT;
    int result = pattern_count > 0
                     ? hcl_glob_list(workspace->request->root, patterns, pattern_count, paths, &err)
                     : hcl_glob_list(workspace->request->root, configuration,
                                     ARRAY_SIZE(configuration), paths, &err);
    if (result == 0 && paths->list.count == 0) {
        result = error_set(&err, ERROR_NOT_FOUND, "no file below %s matches %s",
                           workspace->request->root,
                           pattern_count > 0 ? patterns[0] : "*.tf or *.tfvars");
    }
    error_list_add(workspace->errors, &err);
    return result;
}

void workspace_release(struct workspace *workspace)
{
    vector_each (struct workspace_file **, item, &workspace->files) {
        struct workspace_file *file = *item;
        free(file->path);
        buffer_release(&file->old_bytes);
        hcl_document_release(&file->document);
        vector_release(&file->protected);
        free(file);
    }
    vector_release(&workspace->files);
    table_release(&workspace->index);
}
