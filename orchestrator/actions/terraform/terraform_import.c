/* terraform.import: takes what exists, for instance a database that was restored beside Terraform,
 * into the state, so that the next plan does not want to make it anew. */
#include <stdlib.h>
#include <string.h>

#include "actions/action.h"
#include "base/json.h"
#include "terraform/state_lock.h"

static const struct parameter parameters[] = {
    TERRAFORM_PARAMETERS,
    {.name = "address",
     .type = VALUE_STRING,
     .required = true,
     .exposed = true,
     .doc = "Where it goes: module.rds.aws_db_instance.this"},
    {.name = "id",
     .type = VALUE_STRING,
     .required = true,
     .exposed = true,
     .doc = "What the provider knows it by: prod-db"},
    {.name = "var_files",
     .type = VALUE_STRINGS,
     .exposed = true,
     .default_json = "[]",
     .doc = "Files of values, relative to `dir`"},
    {0}};

static const struct output outputs[] = {
    {.name = "imported", .type = VALUE_BOOLEAN, .doc = "False when the state had it already"},
    {.name = "state_backup",
     .type = VALUE_PATH,
     .doc = "A private copy of the state from before; null when there was none"},
    {0}};

/* The id of a resource in `terraform show -json` of the state, below a module; NULL. */
static const char *find_id(const json_t *module, const char *address)
{
    size_t index;
    json_t *item;
    json_array_foreach (json_object_get(module, "resources"), index, item) {
        const char *known = json_get_text(item, "address");
        if (known != NULL && strcmp(known, address) == 0) {
            const char *id = json_get_text(json_object_get(item, "values"), "id");
            return id != NULL ? id : "";
        }
    }
    json_array_foreach (json_object_get(module, "child_modules"), index, item) {
        const char *id = find_id(item, address);
        if (id != NULL) {
            return id;
        }
    }
    return NULL;
}

/* *ret_id is the id that the state has at the address, NULL when it has none; the caller frees it.
 */
static int read_id(const struct terraform *terraform, char **ret_id, struct error *err)
{
    struct argv argv = {0};
    CLEANUP(json_cleanup) json_t *state = NULL;
    terraform_begin(terraform, &argv, "show");
    argv_add(&argv, "-json");
    int status = terraform_read_json(terraform, "show", &argv, &state, err);
    argv_release(&argv);
    if (status == 0) {
        const json_t *root = json_object_get(json_object_get(state, "values"), "root_module");
        *ret_id = memory_text(find_id(root, attempt_text(terraform->attempt, "address")));
    }
    return status;
}

static enum attempt_probe_answer look_into_state(struct attempt *attempt, void *context)
{
    (void)context;
    struct terraform terraform;
    CLEANUP(memory_cleanup) char *id = NULL;
    if (terraform_open(attempt, NULL, &terraform, NULL) != 0) {
        return PROBE_UNKNOWN;
    }
    int status = read_id(&terraform, &id, NULL);
    terraform_release(&terraform);
    return status != 0 ? PROBE_UNKNOWN : id != NULL ? PROBE_DONE : PROBE_NOT_STARTED;
}

static int run_import(const struct terraform *terraform, struct error *err)
{
    struct attempt *attempt = terraform->attempt;
    struct argv argv = {0};
    struct attempt_result result = {0};
    size_t index;
    json_t *file;
    terraform_begin(terraform, &argv, "import");
    argv_add(&argv, "-input=false");
    argv_add(&argv, "-no-color");
    terraform_add_lock(terraform, &argv);
    json_array_foreach (attempt_argument(attempt, "var_files"), index, file) {
        argv_add_format(&argv, "-var-file=%s", json_string_value(file));
    }
    argv_add(&argv, attempt_text(attempt, "address"));
    argv_add(&argv, attempt_text(attempt, "id"));
    struct terraform_call call = {
        .task = "import", .argv = &argv, .mutates = true, .grace_ms = -1, .probe = look_into_state};
    int status = terraform_run(terraform, &call, &result, err);
    if (status == 0 && result.exit_code != 0 && !result.found_done) {
        const char *found = strstr(buffer_text(&result.tail), "Error: ");
        found = found != NULL ? found + strlen("Error: ") : "it says no more";
        status = error_set(err, ERROR_FAILED, "terraform import: %.*s", (int)strcspn(found, "\n"),
                           found);
    }
    attempt_result_release(&result);
    argv_release(&argv);
    return status;
}

/* 1 when the state has it already, 0 when it can be imported. */
static int look_before(const struct terraform *terraform, struct error *err)
{
    struct attempt *attempt = terraform->attempt;
    const char *wanted = attempt_text(attempt, "id");
    CLEANUP(memory_cleanup) char *id = NULL;
    if (read_id(terraform, &id, err) != 0) {
        return -1;
    }
    if (id == NULL) {
        return 0;
    }
    if (strcmp(id, wanted) != 0) {
        return error_set(err, ERROR_REFUSED, "the state has %s at %s already, not %s", id,
                         attempt_text(attempt, "address"), wanted);
    }
    attempt_say(attempt, "the state has %s already", attempt_text(attempt, "address"));
    return 1;
}

static int import(const struct terraform *terraform, struct error *err)
{
    struct attempt *attempt = terraform->attempt;
    CLEANUP(json_cleanup) json_t *begun = attempt_recall(attempt, "import");
    CLEANUP(memory_cleanup) char *backup = memory_text(json_get_text(begun, "backup"));
    bool pushed = false;
    int there = 0;
    if (begun == NULL) {
        if (!attempt_is_dry_run(attempt) && state_push_errored(terraform, &pushed, err) != 0) {
            return -1;
        }
        there = look_before(terraform, err);
    }
    if (there < 0) {
        return -1;
    }
    if (there == 0 && attempt_is_dry_run(attempt)) {
        attempt_say(attempt, "would import %s into %s", attempt_text(attempt, "id"),
                    attempt_text(attempt, "address"));
        return 0;
    }
    if (there == 0 && begun == NULL &&
        (state_backup(terraform, attempt_step_id(attempt), &backup, err) != 0 ||
         attempt_remember(attempt, "import", json_pack("{s:s?}", "backup", backup), err) != 0)) {
        return -1;
    }
    if (there == 0 && run_import(terraform, err) != 0) {
        return -1;
    }
    attempt_set_output(attempt, "imported", json_boolean(there == 0));
    attempt_set_output(attempt, "state_backup", backup != NULL ? json_string(backup) : json_null());
    return 0;
}

static int run(struct attempt *attempt, struct error *err)
{
    struct terraform terraform;
    if (terraform_open(attempt, NULL, &terraform, err) != 0) {
        return -1;
    }
    int status = import(&terraform, err);
    terraform_release(&terraform);
    return status;
}

/* Takes it out of the state again, and only out of the state, when it is still the one that was
 * imported. */
static int forget(const struct terraform *terraform, struct error *err)
{
    struct attempt *attempt = terraform->attempt;
    CLEANUP(memory_cleanup) char *id = NULL;
    CLEANUP(json_cleanup) json_t *begun = attempt_recall(attempt, "import");
    if (begun == NULL) {
        return 0;
    }
    if (read_id(terraform, &id, err) != 0) {
        return -1;
    }
    if (id == NULL || strcmp(id, attempt_text(attempt, "id")) != 0) {
        attempt_say(attempt, "the state does not have it any more");
        return 0;
    }
    struct argv argv = {0};
    struct attempt_result result = {0};
    terraform_begin(terraform, &argv, "state");
    argv_add(&argv, "rm");
    terraform_add_lock(terraform, &argv);
    argv_add(&argv, attempt_text(attempt, "address"));
    struct terraform_call call = {.task = "state-rm", .argv = &argv, .grace_ms = -1};
    int status = terraform_run(terraform, &call, &result, err);
    if (status == 0 && result.exit_code != 0) {
        status = error_set(err, ERROR_FAILED, "terraform state rm ended with exit status %d",
                           result.exit_code);
    }
    attempt_result_release(&result);
    argv_release(&argv);
    return status;
}

static int undo(struct attempt *attempt, struct error *err)
{
    struct terraform terraform;
    if (terraform_open(attempt, NULL, &terraform, err) != 0) {
        return -1;
    }
    int status = forget(&terraform, err);
    terraform_release(&terraform);
    return status;
}

const struct action action_terraform_import = {
    .description =
        {
            .name = "terraform.import",
            .summary = "Take something that exists into a Terraform state",
            .doc = "Nothing is done when the state has it already; another thing at the same "
                   "address is refused.",
            .parameters = parameters,
            .outputs = outputs,
            .mutates = true,
            .memory_bytes = TERRAFORM_MEMORY_BYTES,
        },
    .run = run,
    .undo = undo,
    .interrupted = "A terraform that still runs is followed; when its end was not seen, the state "
                   "tells whether it was imported.",
    .shows_dry_run = true,
};
