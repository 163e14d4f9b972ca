/* git.checkout: a private copy of a repository for the run. Several URLs are tried in order, since
 * the host that the team uses every day may be among what has failed. */
#include <stdlib.h>
#include <string.h>

#include "actions/action.h"
#include "base/file.h"
#include "base/json.h"
#include "repository/git_access.h"

static const struct parameter parameters[] = {
    {.name = "url",
     .type = VALUE_STRING,
     .required = true,
     .exposed = true,
     .doc = "Where the repository is: a path, file, https or ssh URL, or host:path"},
    {.name = "mirrors",
     .type = VALUE_STRINGS,
     .exposed = true,
     .default_json = "[]",
     .doc = "Further URLs, tried in order when the ones before do not answer"},
    {.name = "ref",
     .type = VALUE_STRING,
     .exposed = true,
     .doc = "Branch, tag or commit; the remote's default branch otherwise"},
    {.name = "branch",
     .type = VALUE_STRING,
     .exposed = true,
     .doc = "A new local branch for what this run changes"},
    {.name = "path",
     .type = VALUE_STRING,
     .exposed = true,
     .doc = "Folder in the run's working folder; the step's id otherwise"},
    {.name = "submodules",
     .type = VALUE_BOOLEAN,
     .default_json = "false",
     .doc = "Check out submodules as well"},
    GIT_ACCESS_PARAMETERS,
    {0}};

static const struct output outputs[] = {
    {.name = "path", .type = VALUE_PATH, .doc = "The checkout, an absolute path"},
    {.name = "commit", .type = VALUE_STRING, .doc = "The commit that is checked out"},
    {.name = "branch", .type = VALUE_STRING, .doc = "The local branch; null when detached"},
    {.name = "url", .type = VALUE_STRING, .doc = "The URL that answered"},
    {.name = "attempts", .type = VALUE_LIST, .doc = "Every URL that was tried: {url, reason}"},
    {0}};

/* A folder of an earlier attempt of this step is its own to replace; anything else in the way is
 * refused. The owner is written down beside the folder before it is made. */
static int make_room(struct attempt *attempt, const char *path, struct error *err)
{
    CLEANUP(memory_cleanup) char *owner_path = memory_format("%s.owner", path);
    CLEANUP(buffer_release) struct buffer owner = BUFFER_INIT;
    if (file_exists(path)) {
        struct error missing = ERROR_INIT;
        bool ours = file_read(owner_path, 4096, &owner, &missing) == 0 &&
                    strcmp(buffer_text(&owner), attempt_step_id(attempt)) == 0;
        error_release(&missing);
        if (!ours) {
            return error_set(err, ERROR_REFUSED, "%s is there already and not of this step", path);
        }
        attempt_say(attempt, "an earlier attempt's checkout is replaced");
        return file_remove_tree(path, err);
    }
    return file_write(owner_path, span_of_text(attempt_step_id(attempt)), FILE_PRIVATE_MODE,
                      FILE_ATOMIC, err);
}

static json_t *attempts_to_json(const struct repo_checkout_result *result)
{
    json_t *list = json_array();
    for (size_t i = 0; i < result->attempts.count; i++) {
        const struct repo_attempt *tried = &result->attempts.items[i];
        json_array_append_new(list,
                              json_pack("{s:s, s:s?}", "url", tried->url, "reason", tried->reason));
    }
    return list;
}

static void set_outputs(struct attempt *attempt, const char *path,
                        const struct repo_checkout_result *result)
{
    attempt_set_output_text(attempt, "path", path);
    attempt_set_output_text(attempt, "commit", result->id);
    attempt_set_output_text(attempt, "branch", result->branch);
    attempt_set_output_text(attempt, "url", result->url);
    attempt_set_output(attempt, "attempts", attempts_to_json(result));
    attempt_fact(attempt, "git.checkout",
                 json_pack("{s:s, s:s, s:s?}", "url", result->url, "commit", result->id, "branch",
                           result->branch));
}

static int check_out(struct attempt *attempt, const char *path, const char *const *urls,
                     struct error *err)
{
    struct repo_access access;
    git_access_read(attempt, &access);
    struct repo_checkout_request request = {
        .urls = urls,
        .ref = attempt_text(attempt, "ref"),
        .destination = path,
        .branch = attempt_text(attempt, "branch"),
        .submodules = attempt_flag(attempt, "submodules"),
    };
    struct repo_checkout_result result = {0};
    int status = repo_checkout(&request, &access, &result, err);
    if (status == 0) {
        attempt_say(attempt, "%s is at %.12s", path, result.id);
        set_outputs(attempt, path, &result);
    }
    repo_checkout_result_release(&result);
    return status;
}

static int prepare(struct attempt *attempt, char **ret_path, struct error *err)
{
    const char *name = attempt_text(attempt, "path");
    name = name != NULL ? name : attempt_step_id(attempt);
    CLEANUP(memory_cleanup) char *path = NULL;
    if (file_join_inside(attempt_work_directory(attempt), name, &path, err) != 0) {
        return error_context(err, "`path`");
    }
    CLEANUP(memory_cleanup) char *parent = memory_text_n(path, (size_t)(strrchr(path, '/') - path));
    if (file_make_directories(parent, FILE_PRIVATE_DIRECTORY_MODE, err) != 0 ||
        make_room(attempt, path, err) != 0) {
        return -1;
    }
    *ret_path = memory_text(path);
    return 0;
}

static int run(struct attempt *attempt, struct error *err)
{
    CLEANUP(memory_cleanup) char *path = NULL;
    if (prepare(attempt, &path, err) != 0) {
        return -1;
    }
    CLEANUP(json_cleanup)
    json_t *list = json_pack("[s]", attempt_text(attempt, "url"));
    json_array_extend(list, (json_t *)attempt_argument(attempt, "mirrors"));
    const char **urls = git_texts(list);
    int status = check_out(attempt, path, urls, err);
    free(urls);
    return status;
}

const struct action action_git_checkout = {
    .description =
        {
            .name = "git.checkout",
            .summary = "Check a Git repository out into the run's working folder",
            .doc = "No git program is needed. Mirrors are tried in order when a URL does not "
                   "answer; every reason is an output.",
            .parameters = parameters,
            .outputs = outputs,
        },
    .run = run,
    .interrupted = "The checkout is there completely or not at all, nobody has used it yet, and it "
                   "is made again.",
};
