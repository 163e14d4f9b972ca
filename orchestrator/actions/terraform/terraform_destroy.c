/* terraform.destroy: takes down what is named, and nothing that is not. */
#include <stdlib.h>
#include <string.h>

#include "actions/action.h"
#include "base/json.h"
#include "terraform/apply_saved.h"
#include "terraform/state_lock.h"

static const struct parameter parameters[] = {
    TERRAFORM_PARAMETERS,
    {.name = "addresses",
     .type = VALUE_STRINGS,
     .required = true,
     .exposed = true,
     .doc = "What to destroy: modules or resources; \"*\" is everything in the state"},
    {.name = "var_files",
     .type = VALUE_STRINGS,
     .exposed = true,
     .default_json = "[]",
     .doc = "Files of values, relative to `dir`"},
    {.name = "refresh",
     .type = VALUE_BOOLEAN,
     .default_json = "true",
     .doc = "Ask the provider what is there; false when what it would ask is dead"},
    {0}};

static const struct output outputs[] = {
    {.name = "destroyed", .type = VALUE_LIST, .doc = "The addresses that are gone"},
    {.name = "state_backup",
     .type = VALUE_PATH,
     .doc = "A private copy of the state from before; null when there was none"},
    {0}};

static bool names_everything(const json_t *addresses)
{
    size_t index;
    json_t *address;
    json_array_foreach (addresses, index, address) {
        if (strcmp(json_string_value(address), "*") == 0) {
            return true;
        }
    }
    return false;
}

/* What depends on a target is destroyed with it, so the guard has the last word. */
static json_t *build_options(const struct attempt *attempt)
{
    json_t *addresses = (json_t *)attempt_argument(attempt, "addresses");
    json_t *options = json_object();
    json_object_set_new(options, "destroy", json_true());
    json_object_set(options, "allow_destroy", addresses);
    json_object_set_new(options, "allow_vanished", json_pack("[s]", "*"));
    json_object_set(options, "var_files", (json_t *)attempt_argument(attempt, "var_files"));
    json_object_set_new(options, "refresh", json_boolean(attempt_flag(attempt, "refresh")));
    if (!names_everything(addresses)) {
        json_object_set(options, "targets", addresses);
    }
    return options;
}

static int plan_destruction(const struct terraform *terraform, struct saved_plan *ret_plan,
                            struct error *err)
{
    struct attempt *attempt = terraform->attempt;
    CLEANUP(json_cleanup) json_t *options = build_options(attempt);
    CLEANUP(memory_cleanup) char *path = NULL;
    bool pushed = false;
    if (!attempt_is_dry_run(attempt) && state_push_errored(terraform, &pushed, err) != 0) {
        return -1;
    }
    if (saved_plan_path(terraform, attempt_step_id(attempt), &path, err) != 0) {
        return -1;
    }
    return saved_plan_make(terraform, "plan", path, options, ret_plan, err);
}

static int destroy(const struct terraform *terraform, struct error *err)
{
    struct attempt *attempt = terraform->attempt;
    struct saved_plan plan = {0};
    struct applied applied = {0};
    CLEANUP(json_cleanup) json_t *begun = attempt_recall(attempt, "destroy");
    int status = begun != NULL ? saved_plan_open(json_string_value(begun), &plan, err)
                               : plan_destruction(terraform, &plan, err);
    if (status == 0 && !attempt_is_dry_run(attempt)) {
        if (begun == NULL) {
            status = attempt_remember(attempt, "destroy", json_string(plan.path), err);
        }
        if (status == 0) {
            status = apply_saved(terraform, &plan, &applied, err);
        }
        if (status == 0) {
            attempt_set_output(attempt, "destroyed",
                               json_incref(json_object_get(applied.summary, "delete")));
            attempt_set_output(attempt, "state_backup",
                               applied.backup != NULL ? json_string(applied.backup) : json_null());
        }
    }
    applied_release(&applied);
    saved_plan_release(&plan);
    return status;
}

static int run(struct attempt *attempt, struct error *err)
{
    struct terraform terraform;
    if (terraform_open(attempt, NULL, &terraform, err) != 0) {
        return -1;
    }
    int status = destroy(&terraform, err);
    terraform_release(&terraform);
    return status;
}

const struct action action_terraform_destroy = {
    .description =
        {
            .name = "terraform.destroy",
            .summary = "Destroy what a Terraform state holds, by name",
            .doc = "The destruction is planned, shown and judged first: what depends on an address "
                   "would go with it and is refused unless it is named as well. A copy of the "
                   "state is kept.",
            .parameters = parameters,
            .outputs = outputs,
            .mutates = true,
            .memory_bytes = TERRAFORM_MEMORY_BYTES,
        },
    .run = run,
    .interrupted = "As terraform.apply: a terraform that still runs is followed; otherwise a fresh "
                   "plan with the same guards finishes the work.",
    .shows_dry_run = true,
};
