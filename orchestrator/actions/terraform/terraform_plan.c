/* terraform.plan: what would be done, saved, shown and judged. Only what was saved here can be
 * applied. */
#include <stdlib.h>

#include "actions/action.h"
#include "base/file.h"
#include "base/json.h"
#include "terraform/saved_plan.h"
#include "terraform/state_lock.h"

static const struct parameter parameters[] = {
    TERRAFORM_PARAMETERS,
    {.name = "var_files",
     .type = VALUE_STRINGS,
     .exposed = true,
     .default_json = "[]",
     .doc = "Files of values, relative to `dir`, over those that terraform reads of itself"},
    {.name = "vars",
     .type = VALUE_MAP,
     .default_json = "{}",
     .doc = "Values of variables, over all files; handed over in a private file"},
    {.name = "targets",
     .type = VALUE_STRINGS,
     .exposed = true,
     .default_json = "[]",
     .doc = "Plan these addresses and what they depend on, nothing else"},
    {.name = "replace",
     .type = VALUE_STRINGS,
     .exposed = true,
     .default_json = "[]",
     .doc = "Addresses to make anew; name them in `allow_destroy` as well"},
    {.name = "refresh",
     .type = VALUE_BOOLEAN,
     .default_json = "true",
     .doc = "Ask the provider what is there; false when what it would ask is dead"},
    {.name = "refresh_only",
     .type = VALUE_BOOLEAN,
     .default_json = "false",
     .doc = "Plan to take over what is there into the state, and nothing else"},
    {.name = "destroy",
     .type = VALUE_BOOLEAN,
     .default_json = "false",
     .doc = "Plan to destroy; see terraform.destroy"},
    {.name = "parallelism", .type = VALUE_INTEGER, .doc = "Operations at once; terraform's own 10"},
    {.name = "allow_destroy",
     .type = VALUE_STRINGS,
     .default_json = "[]",
     .doc = "Addresses that may be destroyed, replaced or forgotten; \"*\" is all"},
    {.name = "allow_vanished",
     .type = VALUE_STRINGS,
     .default_json = "[]",
     .doc = "Addresses that the state knows and that may be gone; \"*\" is all"},
    {.name = "only",
     .type = VALUE_STRINGS,
     .default_json = "[]",
     .doc = "Nothing outside of these addresses may change"},
    {.name = "expect",
     .type = VALUE_MAP,
     .default_json = "{}",
     .doc = "Values that variables must have in the plan: proof that the rewrite took effect"},
    {.name = "no_changes",
     .type = VALUE_BOOLEAN,
     .default_json = "false",
     .doc = "Refuse a plan that changes anything: the proof at the end of a recovery"},
    {0}};

static const struct output outputs[] = {
    {.name = "plan", .type = VALUE_PATH, .doc = "The saved plan, for terraform.apply"},
    {.name = "changes", .type = VALUE_BOOLEAN, .doc = "Whether applying it would change anything"},
    {.name = "summary",
     .type = VALUE_MAP,
     .doc = "Addresses by what happens to them: create, update, replace, delete, …"},
    {.name = "variables", .type = VALUE_MAP, .doc = "Effective values that are not sensitive"},
    {0}};

/* The options that the plan is made with, again when an apply has to plan afresh. */
static int read_options(const struct terraform *terraform, json_t **ret_options, struct error *err)
{
    static const char *const names[] = {"var_files",      "targets", "replace",     "refresh",
                                        "refresh_only",   "destroy", "parallelism", "allow_destroy",
                                        "allow_vanished", "only",    "expect",      "no_changes"};
    struct attempt *attempt = terraform->attempt;
    const json_t *vars = attempt_argument(attempt, "vars");
    CLEANUP(json_cleanup) json_t *options = json_object();
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        json_t *value = (json_t *)attempt_argument(attempt, names[i]);
        if (value != NULL) {
            json_object_set(options, names[i], value);
        }
    }
    if (json_object_size(vars) > 0) {
        CLEANUP(memory_cleanup) char *plan = NULL;
        CLEANUP(buffer_release) struct buffer text = BUFFER_INIT;
        if (saved_plan_path(terraform, attempt_step_id(attempt), &plan, err) != 0) {
            return -1;
        }
        CLEANUP(memory_cleanup) char *path = memory_format("%s.vars.tfvars.json", plan);
        json_append(&text, vars);
        if (file_write(path, buffer_span(&text), FILE_PRIVATE_MODE, FILE_ATOMIC, err) != 0) {
            return -1;
        }
        json_object_set_new(options, "vars_path", json_string(path));
    }
    *ret_options = json_incref(options);
    return 0;
}

static void set_outputs(struct attempt *attempt, const struct saved_plan *plan)
{
    attempt_set_output_text(attempt, "plan", plan->path);
    attempt_set_output(attempt, "changes", json_incref(json_object_get(plan->summary, "changes")));
    attempt_set_output(attempt, "variables",
                       json_incref(json_object_get(plan->summary, "variables")));
    attempt_set_output(attempt, "summary", json_incref(plan->summary));
}

static int make_plan(const struct terraform *terraform, struct error *err)
{
    CLEANUP(json_cleanup) json_t *options = NULL;
    CLEANUP(memory_cleanup) char *path = NULL;
    struct saved_plan plan = {0};
    if (read_options(terraform, &options, err) != 0 ||
        saved_plan_path(terraform, attempt_step_id(terraform->attempt), &path, err) != 0 ||
        saved_plan_make(terraform, "plan", path, options, &plan, err) != 0) {
        return -1;
    }
    set_outputs(terraform->attempt, &plan);
    saved_plan_release(&plan);
    return 0;
}

static int run(struct attempt *attempt, struct error *err)
{
    struct terraform terraform;
    if (attempt_is_dry_run(attempt) && attempt_flag(attempt, "no_changes")) {
        /* It proves what has been applied, and a dry run has applied nothing. */
        attempt_say(attempt, "would plan again, and refuse when anything were left to change");
        return 0;
    }
    if (terraform_open(attempt, NULL, &terraform, err) != 0) {
        return -1;
    }
    bool pushed = false;
    int status = 0;
    if (!attempt_is_dry_run(attempt)) {
        status = state_push_errored(&terraform, &pushed, err);
    }
    if (status == 0) {
        status = make_plan(&terraform, err);
    }
    terraform_release(&terraform);
    return status;
}

const struct action action_terraform_plan = {
    .description =
        {
            .name = "terraform.plan",
            .summary = "Plan with Terraform, save the plan and judge it",
            .doc =
                "Refused are plans that destroy, replace or forget what `allow_destroy` does not "
                "name, that change what is outside of `only`, or whose state knows resources "
                "that are not there any more, which is what the state of another region looks "
                "like. A state that an interrupted apply has left behind is pushed first.",
            .parameters = parameters,
            .outputs = outputs,
            .memory_bytes = TERRAFORM_MEMORY_BYTES,
        },
    .run = run,
    .interrupted = "A plan that still runs is followed; otherwise it is made again.",
    .shows_dry_run = true,
};
