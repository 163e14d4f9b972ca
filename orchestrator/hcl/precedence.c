/* Which of several files terraform believes. Values: terraform.tfvars, then terraform.tfvars.json,
 * then *.auto.tfvars and *.auto.tfvars.json by name; later ones win, and whole values replace,
 * never merge. Configuration: override.tf and *_override.tf are laid over all others. An edit that
 * loses against such a file would look done and change nothing. */
#include <stdlib.h>

#include "base/memory.h"
#include "hcl/locate.h"
#include "hcl/rewrite_private.h"
#include "hcl/value.h"

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

static bool ends_with(const char *text, const char *suffix)
{
    size_t size_bytes = strlen(text);
    size_t suffix_bytes = strlen(suffix);
    return size_bytes >= suffix_bytes && strcmp(text + size_bytes - suffix_bytes, suffix) == 0;
}

/* The rank among files that terraform reads of itself; 0 for one that has to be named. */
static int values_rank(const char *path)
{
    const char *name = base_name(path);
    return strcmp(name, "terraform.tfvars") == 0                                     ? 1
           : strcmp(name, "terraform.tfvars.json") == 0                              ? 2
           : ends_with(name, ".auto.tfvars") || ends_with(name, ".auto.tfvars.json") ? 3
                                                                                     : 0;
}

static bool is_override(const char *path)
{
    const char *name = base_name(path);
    return strcmp(name, "override.tf") == 0 || strcmp(name, "override.tf.json") == 0 ||
           ends_with(name, "_override.tf") || ends_with(name, "_override.tf.json");
}

static bool wins_over(const char *other, const char *path)
{
    int rank = values_rank(path);
    if (rank != 0) {
        int other_rank = values_rank(other);
        return other_rank > rank ||
               (rank == 3 && other_rank == 3 && strcmp(base_name(other), base_name(path)) > 0);
    }
    enum hcl_format format = hcl_format_of(path);
    bool configuration = format == HCL_FORMAT_CONFIG || format == HCL_FORMAT_CONFIG_JSON;
    return configuration && !is_override(path) && is_override(other);
}

/* The part of the address that terraform takes from one file as a whole. */
static char *whole_address(const struct hcl_rewrite_edit *edit)
{
    if (values_rank(edit->file) == 0) {
        return memory_text(edit->edit.address);
    }
    return memory_text_n(edit->edit.address, strcspn(edit->edit.address, ".["));
}

static json_t *value_at(const struct hcl_document *document, const char *address, size_t *ret_place)
{
    struct hcl_location location = {0};
    if (hcl_locate_values(document, address, &location, NULL) != 0) {
        return NULL;
    }
    *ret_place = location.places.items[0];
    hcl_location_release(&location);
    json_t *value = hcl_value_read(document, *ret_place, NULL);
    return value != NULL ? value : json_null();
}

/* The file of the same folder whose value terraform uses instead of the edited file's; NULL when it
 * uses that one. Paths are sorted, and of two that both win the later one does. */
static const char *winner(struct workspace *workspace, const struct hcl_rewrite_edit *edit,
                          const char *address, const struct hcl_paths *paths)
{
    const char *best = NULL;
    for (size_t i = 0; i < paths->list.count; i++) {
        const char *path = paths->list.items[i];
        bool later = best == NULL || wins_over(path, best) || values_rank(path) == 0;
        struct workspace_file *file =
            later && wins_over(path, edit->file) ? workspace_open(workspace, path) : NULL;
        size_t place = 0;
        json_t *value = file != NULL ? value_at(&file->document, address, &place) : NULL;
        best = value != NULL ? path : best;
        json_decref(value);
    }
    return best;
}

static void check_against(struct workspace *workspace, const struct hcl_rewrite_edit *edit,
                          const char *address, const char *other_path)
{
    struct workspace_file *file = workspace_open(workspace, edit->file);
    struct workspace_file *other = workspace_open(workspace, other_path);
    if (file == NULL || other == NULL) {
        return;
    }
    size_t place = 0;
    size_t other_place = 0;
    json_t *value = value_at(&file->document, address, &place);
    json_t *other_value = value_at(&other->document, address, &other_place);
    if (other_value != NULL && (value == NULL || !json_equal(value, other_value))) {
        struct error err = ERROR_INIT;
        hcl_document_error(
            &other->document, &err, hcl_tree_at(&other->document.tree, other_place)->offset,
            "terraform takes %s from here, not from %s, where it is edited", address, edit->file);
        error_hint(&err, "edit it here");
        error_list_add(workspace->errors, &err);
    }
    json_decref(value);
    json_decref(other_value);
}

static void check_edit(struct workspace *workspace, const struct hcl_rewrite_edit *edit)
{
    CLEANUP(memory_cleanup) char *address = whole_address(edit);
    CLEANUP(memory_cleanup)
    char *pattern = memory_format("%.*s*", (int)(base_name(edit->file) - edit->file), edit->file);
    const char *const patterns[] = {pattern};
    struct hcl_paths paths = {0};
    if (hcl_glob_list(workspace->request->root, patterns, 1, &paths, NULL) == 0) {
        const char *other = winner(workspace, edit, address, &paths);
        if (other != NULL) {
            check_against(workspace, edit, address, other);
        }
    }
    hcl_paths_release(&paths);
}

void rewrite_check_precedence(struct workspace *workspace)
{
    for (size_t i = 0; i < workspace->request->edits.count; i++) {
        const struct hcl_rewrite_edit *edit = &workspace->request->edits.items[i];
        if (edit->edit.mode != HCL_EDIT_REMOVE) {
            check_edit(workspace, edit);
        }
    }
}
