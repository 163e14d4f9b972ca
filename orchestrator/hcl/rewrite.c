/* The order matters: edits first, one after the other, each read back from what it made; then the
 * mapping, which keeps off what edits have set; then the checks, on the bytes that would be
 * written. Until all of it is done, nothing touches the disk. */
#include "hcl/rewrite.h"

#include <stdlib.h>

#include "base/memory.h"
#include "hcl/diff.h"
#include "hcl/locate.h"
#include "hcl/rewrite_private.h"

enum { FINDING_LIMIT = 1000 }; /* of forbidden words in one file: more says nothing new */

static void protect_places(struct workspace_file *file, const char *address)
{
    struct hcl_location location = {0};
    if (hcl_locate_values(&file->document, address, &location, NULL) != 0) {
        return;
    }
    for (size_t i = 0; i < location.places.count; i++) {
        const struct hcl_node *node = hcl_tree_at(&file->document.tree, location.places.items[i]);
        vector_push(&file->protected,
                    ((struct protected_range){node->offset, node->offset + node->size_bytes}));
    }
    hcl_location_release(&location);
}

static void apply_edit(struct workspace *workspace, const struct hcl_rewrite_edit *edit)
{
    struct workspace_file *file = workspace_open(workspace, edit->file);
    if (file == NULL) {
        return;
    }
    struct hcl_splices splices = {0};
    struct error err = ERROR_INIT;
    if (file->document.format == HCL_FORMAT_TEXT) {
        error_set_at(&err, ERROR_INVALID, file->path, 0, 0,
                     "it has no values to set: only .tf, .tfvars, .hcl and their JSON forms have");
    } else if (hcl_edit_plan(&file->document, &edit->edit, &splices, &err) == 0) {
        file->edits += splices.list.count;
        if ((splices.list.count == 0 || workspace_apply(workspace, file, &splices) == 0) &&
            hcl_edit_verify(&file->document, &edit->edit, &err) == 0) {
            protect_places(file, edit->edit.address);
        }
    }
    if (error_is_set(&err) && err.file == NULL) {
        err.file = memory_text(file->path);
    }
    error_list_add(workspace->errors, &err);
    hcl_splices_release(&splices);
}

static bool is_protected(const struct workspace_file *file, const struct hcl_splice *splice)
{
    vector_each (const struct protected_range *, range, &file->protected) {
        if (splice->offset < range->end && splice->offset + splice->removed_bytes > range->offset) {
            return true;
        }
    }
    return false;
}

static void drop_protected(const struct workspace_file *file, struct hcl_splices *splices)
{
    size_t kept = 0;
    for (size_t i = 0; i < splices->list.count; i++) {
        if (is_protected(file, &splices->list.items[i])) {
            free(splices->list.items[i].text);
        } else {
            splices->list.items[kept++] = splices->list.items[i];
        }
    }
    splices->list.count = kept;
}

static void map_file(struct workspace *workspace, struct workspace_file *file)
{
    unsigned places = workspace->request->map_places;
    if (places == 0) {
        places = HCL_PLACE_VALUE | HCL_PLACE_HEREDOC | HCL_PLACE_TEXT;
    }
    struct hcl_splices splices = {0};
    struct hcl_document before = {0};
    struct error err = ERROR_INIT;
    hcl_literals_map(&file->document, &workspace->request->map, places, &splices);
    drop_protected(file, &splices);
    file->edits += splices.list.count;
    if (splices.list.count > 0 &&
        hcl_document_init(&before, file->path, file->document.format,
                          buffer_span(&file->document.bytes), &err) == 0 &&
        workspace_apply(workspace, file, &splices) == 0 &&
        hcl_literals_check_lists(&before, &file->document, &err) != 0) {
        file->broken = true;
    }
    error_list_add(workspace->errors, &err);
    hcl_document_release(&before);
    hcl_splices_release(&splices);
}

static void map_files(struct workspace *workspace)
{
    struct hcl_paths paths = {0};
    if (workspace_list(workspace, workspace->request->map_files.items,
                       workspace->request->map_files.count, &paths) == 0) {
        for (size_t i = 0; i < paths.list.count; i++) {
            struct workspace_file *file = workspace_open(workspace, paths.list.items[i]);
            if (file != NULL) {
                map_file(workspace, file);
            }
        }
    }
    hcl_paths_release(&paths);
}

static void check_file(struct workspace *workspace, const struct workspace_file *file,
                       struct hcl_rewrite_result *result)
{
    unsigned places = workspace->request->forbid_places;
    if (places == 0) {
        places = ~(unsigned)HCL_PLACE_COMMENT;
    }
    struct hcl_findings findings = {0};
    hcl_literals_find(&file->document, &workspace->request->forbid, FINDING_LIMIT, &findings);
    vector_each (struct hcl_finding *, finding, &findings.list) {
        if ((places & finding->place) != 0) {
            struct error *err =
                error_list_add_at(workspace->errors, ERROR_REFUSED, file->path, finding->line,
                                  finding->column, "%s is forbidden, but is left here as a %s",
                                  finding->word, hcl_place_name(finding->place));
            error_hint(err, "map it, set it, or take it out of `forbid`");
        } else {
            struct hcl_rewrite_note note = {memory_text(file->path), *finding};
            finding->word = NULL;
            vector_push(&result->notes, note);
        }
    }
    hcl_findings_release(&findings);
}

static void check_files(struct workspace *workspace, struct hcl_rewrite_result *result)
{
    struct hcl_paths paths = {0};
    if (workspace_list(workspace, workspace->request->forbid_files.items,
                       workspace->request->forbid_files.count, &paths) == 0) {
        for (size_t i = 0; i < paths.list.count; i++) {
            struct workspace_file *file = workspace_open(workspace, paths.list.items[i]);
            if (file != NULL) {
                check_file(workspace, file, result);
                result->files_checked++;
            }
        }
    }
    hcl_paths_release(&paths);
}

static int by_path(const void *a, const void *b)
{
    return strcmp(((const struct hcl_rewrite_file *)a)->path,
                  ((const struct hcl_rewrite_file *)b)->path);
}

static void collect_changes(struct workspace *workspace, struct hcl_rewrite_result *result)
{
    vector_each (struct workspace_file **, item, &workspace->files) {
        struct workspace_file *file = *item;
        struct span new_bytes = buffer_span(&file->document.bytes);
        if (file->broken || span_equals(buffer_span(&file->old_bytes), new_bytes)) {
            continue;
        }
        struct hcl_rewrite_file *changed = vector_grow(&result->files);
        changed->path = memory_text(file->path);
        changed->mode = file->mode;
        changed->edits = file->edits;
        buffer_append_span(&changed->old_bytes, buffer_span(&file->old_bytes));
        buffer_append_span(&changed->new_bytes, new_bytes);
        hcl_diff_append(&changed->diff, file->path, buffer_span(&changed->old_bytes), new_bytes);
    }
    if (result->files.count > 1) {
        qsort(result->files.items, result->files.count, sizeof result->files.items[0], by_path);
    }
}

int hcl_rewrite_compute(const struct hcl_rewrite_request *request,
                        struct hcl_rewrite_result *result, struct error_list *errors)
{
    struct workspace workspace = {.request = request, .errors = errors};
    size_t errors_before = errors->errors.count + errors->dropped;
    *result = (struct hcl_rewrite_result){0};
    for (size_t i = 0; i < request->edits.count; i++) {
        apply_edit(&workspace, &request->edits.items[i]);
    }
    if (request->map.list.count > 0) {
        map_files(&workspace);
    }
    rewrite_check_precedence(&workspace);
    if (request->forbid.list.count > 0) {
        check_files(&workspace, result);
    }
    bool failed = errors->errors.count + errors->dropped > errors_before;
    if (!failed) {
        collect_changes(&workspace, result);
    }
    workspace_release(&workspace);
    if (failed) {
        hcl_rewrite_result_release(result);
    }
    return failed ? -1 : 0;
}

void hcl_rewrite_append_diff(struct buffer *out, const struct hcl_rewrite_result *result)
{
    vector_each (const struct hcl_rewrite_file *, file, &result->files) {
        buffer_append_span(out, buffer_span(&file->diff));
    }
}

void hcl_rewrite_request_release(struct hcl_rewrite_request *request)
{
    vector_release(&request->edits);
    vector_release(&request->map_files);
    vector_release(&request->forbid_files);
    hcl_words_release(&request->map);
    hcl_words_release(&request->forbid);
}

void hcl_rewrite_result_release(struct hcl_rewrite_result *result)
{
    vector_each (struct hcl_rewrite_file *, file, &result->files) {
        free(file->path);
        buffer_release(&file->old_bytes);
        buffer_release(&file->new_bytes);
        buffer_release(&file->diff);
    }
    vector_each (struct hcl_rewrite_note *, note, &result->notes) {
        free(note->path);
        free(note->finding.word);
    }
    vector_release(&result->files);
    vector_release(&result->notes);
    result->files_checked = 0;
}
