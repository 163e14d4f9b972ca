/* hcl.rewrite: a checkout made for another region. What it would write is computed, checked and
 * shown before the first byte is; afterwards no plan that was saved before is true any more, so all
 * of them are thrown away. */
#include <stdlib.h>
#include <string.h>

#include "actions/action.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "hcl/rewrite_request.h"
#include "terraform/saved_plan.h"

enum { SHOWN_DIFF_LIMIT_BYTES = 256 * 1024 }; /* of the output; the whole one is in diff_path */

static const struct parameter parameters[] = {
    {.name = "root",
     .type = VALUE_PATH,
     .required = true,
     .doc = "The folder; files below are relative to it, and nothing outside is touched"},
    {.name = "set",
     .type = VALUE_MAP,
     .default_json = "{}",
     .doc = "FILE: {ADDRESS: value}: values that are there, and what they shall be"},
    {.name = "add",
     .type = VALUE_MAP,
     .default_json = "{}",
     .doc = "FILE: {ADDRESS: value}: values that are not there yet"},
    {.name = "put",
     .type = VALUE_MAP,
     .default_json = "{}",
     .doc = "FILE: {ADDRESS: value}: set where it is there, added where it is not"},
    {.name = "remove",
     .type = VALUE_MAP,
     .default_json = "{}",
     .doc = "FILE: [ADDRESS]: what shall be gone"},
    {.name = "map",
     .type = VALUE_STRING_MAP,
     .default_json = "{}",
     .doc = "Word for word, in all string literals: regions (with their zones, in ARNs), any name"},
    {.name = "map_files",
     .type = VALUE_STRINGS,
     .default_json = "[]",
     .doc = "Patterns of the files to map in; all *.tf and *.tfvars (and .json) otherwise"},
    {.name = "map_in",
     .type = VALUE_STRINGS,
     .default_json = "[]",
     .doc = "Where: value, heredoc, key, comment, text; all but keys and comments otherwise"},
    {.name = "forbid",
     .type = VALUE_STRINGS,
     .default_json = "[]",
     .doc = "Words that must not be left; us-east-2 means its zones as well"},
    {.name = "forbid_files",
     .type = VALUE_STRINGS,
     .default_json = "[]",
     .doc = "Patterns of the files to look through; all *.tf and *.tfvars (and .json) otherwise"},
    {.name = "forbid_in",
     .type = VALUE_STRINGS,
     .default_json = "[]",
     .doc = "Where it is an error: value, heredoc, key, comment, text; all but comments otherwise"},
    {0}};

static const struct output outputs[] = {
    {.name = "changed", .type = VALUE_BOOLEAN, .doc = "Whether any file changed"},
    {.name = "files", .type = VALUE_STRINGS, .doc = "The files that changed, relative to root"},
    {.name = "diff", .type = VALUE_STRING, .doc = "What changed; its beginning when it is long"},
    {.name = "diff_path", .type = VALUE_PATH, .doc = "What changed, all of it"},
    {.name = "left",
     .type = VALUE_LIST,
     .doc = "Forbidden words that are left in comments: {file, line, column, place, word}"},
    {0}};

/* Says each error and returns the first one, with how many more there are. */
static int report(struct attempt *attempt, struct error_list *errors, struct error *err)
{
    size_t count = errors->errors.count + errors->dropped;
    for (size_t i = 0; count > 1 && i < errors->errors.count; i++) {
        CLEANUP(memory_cleanup) char *line = error_format(&errors->errors.items[i]);
        attempt_say(attempt, "%s", line);
    }
    error_move(err, &errors->errors.items[0]);
    if (count > 1) {
        error_context(err, "%zu errors, the first of them", count);
    }
    return -1;
}

static json_t *describe_files(const struct hcl_rewrite_result *result)
{
    json_t *files = json_array();
    vector_each (const struct hcl_rewrite_file *, file, &result->files) {
        json_array_append_new(files, json_string(file->path));
    }
    return files;
}

static json_t *describe_notes(const struct hcl_rewrite_result *result)
{
    json_t *left = json_array();
    vector_each (const struct hcl_rewrite_note *, note, &result->notes) {
        json_array_append_new(
            left, json_pack("{s:s, s:i, s:i, s:s, s:s}", "file", note->path, "line",
                            (int)note->finding.line, "column", (int)note->finding.column, "place",
                            hcl_place_name(note->finding.place), "word", note->finding.word));
    }
    return left;
}

static void say_notes(struct attempt *attempt, const struct hcl_rewrite_result *result)
{
    vector_each (const struct hcl_rewrite_note *, note, &result->notes) {
        attempt_say(attempt, "%s:%zu:%zu: %s is left in a %s", note->path, note->finding.line,
                    note->finding.column, note->finding.word, hcl_place_name(note->finding.place));
    }
}

/* What the first go of this attempt was about to write: a later one finds only what is left. */
static int announce(struct attempt *attempt, const struct hcl_rewrite_result *result,
                    struct span diff, json_t **ret_known, struct error *err)
{
    CLEANUP(memory_cleanup) char *path = file_join(attempt_directory(attempt), "rewrite.diff");
    if (file_write(path, diff, FILE_PRIVATE_MODE, FILE_DURABLE, err) != 0) {
        return -1;
    }
    *ret_known = json_pack("{s:o, s:s}", "files", describe_files(result), "diff_path", path);
    return attempt_remember(attempt, "rewrite", json_incref(*ret_known), err);
}

static int set_outputs(struct attempt *attempt, const struct hcl_rewrite_result *result,
                       const json_t *known, struct error *err)
{
    const char *path = json_get_text(known, "diff_path");
    json_t *files = json_object_get(known, "files");
    CLEANUP(buffer_release) struct buffer diff = BUFFER_INIT;
    if (file_read(path, SIZE_MAX / 2, &diff, err) != 0) {
        return -1;
    }
    if (diff.size_bytes > SHOWN_DIFF_LIMIT_BYTES) {
        buffer_truncate(&diff, SHOWN_DIFF_LIMIT_BYTES);
        buffer_truncate(&diff, text_valid_utf8_prefix(buffer_span(&diff)));
        buffer_append_format(&diff, "\n… the rest is in %s\n", path);
    }
    CLEANUP(buffer_release) struct buffer safe = BUFFER_INIT;
    text_append_safe(&safe, buffer_span(&diff), true);
    attempt_set_output(attempt, "changed", json_boolean(json_array_size(files) > 0));
    attempt_set_output_text(attempt, "diff", buffer_text(&safe));
    attempt_set_output_text(attempt, "diff_path", path);
    attempt_set_output(attempt, "left", describe_notes(result));
    attempt_fact(attempt, "hcl.rewrite",
                 json_pack("{s:O, s:s}", "files", files, "diff_path", path));
    attempt_set_output(attempt, "files", json_incref(files));
    return 0;
}

static int discard_plans(struct attempt *attempt, struct error *err)
{
    size_t count = 0;
    if (saved_plan_discard_all(attempt, &count, err) != 0) {
        return -1;
    }
    if (count > 0) {
        attempt_say(attempt, "%zu saved plan%s thrown away: they are older than this rewrite",
                    count, count == 1 ? " is" : "s are");
    }
    return 0;
}

static bool is_private(const struct attempt *attempt, const char *root)
{
    const char *work = attempt_work_directory(attempt);
    size_t size_bytes = strlen(work);
    return strncmp(root, work, size_bytes) == 0 && root[size_bytes] == '/' &&
           strstr(root, "/../") == NULL;
}

/* Writes what was computed. A dry run writes only into the run's own folder, where the steps behind
 * it look. */
static int write_result(struct attempt *attempt, const char *root,
                        const struct hcl_rewrite_result *result, json_t *known, struct error *err)
{
    CLEANUP(buffer_release) struct buffer diff = BUFFER_INIT;
    CLEANUP(json_cleanup) json_t *announced = json_incref(known);
    hcl_rewrite_append_diff(&diff, result);
    attempt_say_block(attempt, buffer_span(&diff));
    say_notes(attempt, result);
    if (result->files.count == 0 && known == NULL) {
        attempt_say(attempt, "nothing to change");
    }
    if (known == NULL && announce(attempt, result, buffer_span(&diff), &announced, err) != 0) {
        return -1;
    }
    if (attempt_is_dry_run(attempt) && !is_private(attempt, root)) {
        attempt_say(attempt, "dry run: nothing was written");
    } else if ((json_array_size(json_object_get(announced, "files")) > 0 &&
                discard_plans(attempt, err) != 0) ||
               hcl_rewrite_write(root, result, err) != 0) {
        return -1;
    }
    return set_outputs(attempt, result, announced, err);
}

static int run(struct attempt *attempt, struct error *err)
{
    CLEANUP(memory_cleanup) char *root = attempt_plan_path(attempt, attempt_text(attempt, "root"));
    CLEANUP(json_cleanup) json_t *known = attempt_recall(attempt, "rewrite");
    struct hcl_rewrite_request request = {0};
    struct hcl_rewrite_result result = {0};
    struct error_list errors = {0};
    int status = hcl_rewrite_request_read(&request, root, attempt_arguments(attempt), err);
    vector_each (struct hcl_rewrite_edit *, edit, &request.edits) {
        edit->edit.again = known != NULL;
    }
    if (status == 0 && hcl_rewrite_compute(&request, &result, &errors) != 0) {
        status = report(attempt, &errors, err);
    }
    if (status == 0) {
        status = write_result(attempt, root, &result, known, err);
    }
    hcl_rewrite_result_release(&result);
    hcl_rewrite_request_release(&request);
    error_list_release(&errors);
    return status;
}

const struct action action_hcl_rewrite = {
    .description =
        {
            .name = "hcl.rewrite",
            .summary = "Rewrite Terraform configuration, byte for byte outside the edits",
            .doc = "Addresses: region, azs[0], tags[\"a.b\"], terraform.backend[\"s3\"].region, "
                   "provider[\"aws\"][alias=\"west\"].region, resource.aws_instance.web.ami; [*] "
                   "means all. Everything is computed and checked first; with any error, all of "
                   "them are told and nothing is written. Files that terraform would read instead "
                   "of an edited one are found. Saved plans are thrown away.",
            .parameters = parameters,
            .outputs = outputs,
            .mutates = true,
            .memory_bytes = 50 << 20,
        },
    .run = run,
    .interrupted = "What was not written yet is written; what is there already is left alone.",
    .shows_dry_run = true,
};
