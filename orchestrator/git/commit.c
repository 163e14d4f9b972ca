/* Looking at a checkout and committing what changed in it. Everything is local; libgit2 runs no
 * hooks and no filters of the user's. */
#include <git2.h>
#include <string.h>

#include "base/memory.h"
#include "git/library.h"
#include "git/repo.h"

static int open_checkout(const char *path, git_repository **ret_repository, struct error *err)
{
    library_start();
    int status = git_repository_open_ext(ret_repository, path, GIT_REPOSITORY_OPEN_NO_SEARCH, NULL);
    return status == 0 ? 0 : library_error(err, status, "%s is not a usable checkout", path);
}

int repo_head(const char *path, char ret_id[REPO_ID_SIZE], char **ret_branch, struct error *err)
{
    git_repository *repository;
    if (open_checkout(path, &repository, err) != 0) {
        return -1;
    }
    git_reference *head = NULL;
    int status = git_repository_head(&head, repository);
    if (status == 0) {
        git_oid_tostr(ret_id, REPO_ID_SIZE, git_reference_target(head));
        if (ret_branch != NULL) {
            *ret_branch = git_repository_head_detached(repository) == 1
                              ? NULL
                              : memory_text(git_reference_shorthand(head));
        }
    } else {
        library_error(err, status, "%s has no commit", path);
    }
    git_reference_free(head);
    git_repository_free(repository);
    return status == 0 ? 0 : -1;
}

/* --- what differs -------------------------------------------------------------------------------
 */

static int head_tree(git_repository *repository, git_tree **ret_tree)
{
    git_object *object = NULL;
    int status = git_revparse_single(&object, repository, "HEAD^{tree}");
    *ret_tree = (git_tree *)object;
    return status;
}

static int append_diff_line(const git_diff_delta *delta, const git_diff_hunk *hunk,
                            const git_diff_line *line, void *payload)
{
    (void)delta;
    (void)hunk;
    struct buffer *out = payload;
    if (strchr("+- ", line->origin) != NULL) {
        buffer_append_char(out, line->origin);
    }
    buffer_append(out, line->content, line->content_len);
    return 0;
}

int repo_diff(const char *path, struct buffer *ret_diff, struct error *err)
{
    git_repository *repository;
    if (open_checkout(path, &repository, err) != 0) {
        return -1;
    }
    git_tree *tree = NULL;
    git_diff *diff = NULL;
    git_diff_options options = GIT_DIFF_OPTIONS_INIT;
    options.flags = GIT_DIFF_INCLUDE_UNTRACKED | GIT_DIFF_RECURSE_UNTRACKED_DIRS |
                    GIT_DIFF_SHOW_UNTRACKED_CONTENT;
    int status = head_tree(repository, &tree);
    if (status == 0) {
        status = git_diff_tree_to_workdir(&diff, repository, tree, &options);
    }
    if (status == 0) {
        status = git_diff_print(diff, GIT_DIFF_FORMAT_PATCH, append_diff_line, ret_diff);
    }
    if (status < 0) {
        library_error(err, status, "cannot compare %s with its last commit", path);
    }
    git_diff_free(diff);
    git_tree_free(tree);
    git_repository_free(repository);
    return status < 0 ? -1 : 0;
}

/* --- committing ---------------------------------------------------------------------------------
 */

/* Taken literally: a name such as "file [1].txt" is not a pattern, which libgit2 would make of it.
 */
static int skip_unnamed(const char *path, const char *pattern, void *payload)
{
    (void)pattern;
    for (const char *const *named = payload; *named != NULL; named++) {
        size_t size_bytes = strlen(*named);
        while (size_bytes > 0 && (*named)[size_bytes - 1] == '/') {
            size_bytes--;
        }
        if (strncmp(path, *named, size_bytes) == 0 &&
            (path[size_bytes] == '\0' || path[size_bytes] == '/')) {
            return 0;
        }
    }
    return 1;
}

static int stage(git_repository *repository, const char *const *paths, git_oid *ret_tree)
{
    git_index *index = NULL;
    int status = git_repository_index(&index, repository);
    if (status == 0) {
        status = git_index_add_all(index, NULL, GIT_INDEX_ADD_DEFAULT,
                                   paths != NULL ? skip_unnamed : NULL, (void *)(uintptr_t)paths);
    }
    if (status == 0) {
        status = git_index_write_tree(ret_tree, index);
    }
    if (status == 0) {
        status = git_index_write(index);
    }
    git_index_free(index);
    return status;
}

static char *configured(git_config *config, const char *name)
{
    git_buf value = GIT_BUF_INIT;
    char *text = NULL;
    if (git_config_get_string_buf(&value, config, name) == 0 && value.size > 0) {
        text = memory_text_n(value.ptr, value.size);
    }
    git_buf_dispose(&value);
    return text;
}

static int make_signature(git_repository *repository, const struct repo_commit_request *request,
                          git_signature **ret_signature)
{
    git_config *config = NULL;
    int status = git_repository_config_snapshot(&config, repository);
    if (status < 0) {
        return status;
    }
    CLEANUP(memory_cleanup)
    char *name = request->author_name != NULL ? memory_text(request->author_name)
                                              : configured(config, "user.name");
    CLEANUP(memory_cleanup)
    char *email = request->author_email != NULL ? memory_text(request->author_email)
                                                : configured(config, "user.email");
    git_config_free(config);
    return git_signature_now(ret_signature, name != NULL ? name : "drctl",
                             email != NULL ? email : "drctl@localhost");
}

static int count_files(git_repository *repository, git_tree *before, git_tree *after,
                       size_t *ret_files)
{
    git_diff *diff = NULL;
    int status = git_diff_tree_to_tree(&diff, repository, before, after, NULL);
    if (status == 0) {
        *ret_files = git_diff_num_deltas(diff);
    }
    git_diff_free(diff);
    return status;
}

static int write_commit(git_repository *repository, const struct repo_commit_request *request,
                        const git_commit *parent, const git_tree *tree, git_oid *ret_id)
{
    git_signature *signature = NULL;
    int status = make_signature(repository, request, &signature);
    if (status == 0) {
        const git_commit *parents[] = {parent};
        status = git_commit_create(ret_id, repository, "HEAD", signature, signature, NULL,
                                   request->message, tree, 1, parents);
    }
    git_signature_free(signature);
    return status;
}

static int commit_tree(git_repository *repository, const struct repo_commit_request *request,
                       git_commit *parent, const git_oid *tree_id,
                       struct repo_commit_result *result)
{
    git_tree *before = NULL;
    git_tree *after = NULL;
    git_oid id;
    git_oid_cpy(&id, git_commit_id(parent));
    result->committed = !git_oid_equal(git_commit_tree_id(parent), tree_id);
    int status = 0;
    if (result->committed) {
        status = git_commit_tree(&before, parent);
        if (status == 0) {
            status = git_tree_lookup(&after, repository, tree_id);
        }
        if (status == 0) {
            status = count_files(repository, before, after, &result->files);
        }
        if (status == 0) {
            status = write_commit(repository, request, parent, after, &id);
        }
    }
    git_tree_free(after);
    git_tree_free(before);
    git_oid_tostr(result->id, sizeof result->id, &id);
    return status;
}

int repo_commit(const struct repo_commit_request *request, struct repo_commit_result *ret_result,
                struct error *err)
{
    git_repository *repository;
    if (open_checkout(request->path, &repository, err) != 0) {
        return -1;
    }
    struct repo_commit_result result = {0};
    git_object *parent = NULL;
    git_oid tree_id;
    int status = git_revparse_single(&parent, repository, "HEAD^{commit}");
    if (status == 0) {
        status = stage(repository, request->paths, &tree_id);
    }
    if (status == 0) {
        status = commit_tree(repository, request, (git_commit *)parent, &tree_id, &result);
    }
    if (status < 0) {
        library_error(err, status, "cannot commit in %s", request->path);
    } else {
        *ret_result = result;
    }
    git_object_free(parent);
    git_repository_free(repository);
    return status < 0 ? -1 : 0;
}
