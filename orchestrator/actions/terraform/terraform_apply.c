/* terraform.apply: exactly the plan that was saved and shown, once. */
#include <stdlib.h>

#include "actions/action.h"
#include "base/json.h"
#include "terraform/apply_saved.h"
#include "terraform/plan_summary.h"
#include "terraform/terraform_outputs.h"

static const struct parameter parameters[] = {{.name = "plan",
                                               .type = VALUE_PATH,
                                               .required = true,
                                               .exposed = true,
                                               .doc = "The plan that terraform.plan has saved"},
                                              {.name = "lock_timeout",
                                               .type = VALUE_DURATION,
                                               .default_json = "\"2m\"",
                                               .doc = "How long to wait for the lock of the state"},
                                              {0}};

static const struct output outputs[] = {
    {.name = "values",
     .type = VALUE_MAP,
     .doc = "Outputs of the state, name to value, of those that are not sensitive"},
    {.name = "summary", .type = VALUE_MAP, .doc = "Of the plan that was applied"},
    {.name = "state_backup",
     .type = VALUE_PATH,
     .doc = "A private copy of the state from before; null when there was none"},
    {0}};

static int show_only(struct attempt *attempt, const struct saved_plan *plan)
{
    CLEANUP(buffer_release) struct buffer text = BUFFER_INIT;
    buffer_append_text(&text, "would apply the ");
    plan_summary_append(&text, plan->summary);
    attempt_say_block(attempt, buffer_span(&text));
    return 0;
}

static int set_outputs(const struct terraform *terraform, const struct applied *applied,
                       struct error *err)
{
    struct attempt *attempt = terraform->attempt;
    json_t *values = NULL;
    if (terraform_outputs_read(terraform, &values, NULL, err) != 0) {
        return -1;
    }
    attempt_set_output(attempt, "values", values);
    attempt_set_output(attempt, "summary", json_incref(applied->summary));
    attempt_set_output(attempt, "state_backup",
                       applied->backup != NULL ? json_string(applied->backup) : json_null());
    return 0;
}

static int apply(struct attempt *attempt, struct saved_plan *plan, struct error *err)
{
    struct terraform terraform;
    struct applied applied = {0};
    if (terraform_open(attempt, plan->dir, &terraform, err) != 0) {
        return -1;
    }
    CLEANUP(memory_cleanup) char *program = memory_text(plan->program); /* plan may be replaced */
    terraform.program = program;
    int status = apply_saved(&terraform, plan, &applied, err);
    if (status == 0) {
        status = set_outputs(&terraform, &applied, err);
    }
    applied_release(&applied);
    terraform_release(&terraform);
    return status;
}

static int run(struct attempt *attempt, struct error *err)
{
    struct saved_plan plan = {0};
    if (saved_plan_open(attempt_text(attempt, "plan"), &plan, err) != 0) {
        return -1;
    }
    int status =
        attempt_is_dry_run(attempt) ? show_only(attempt, &plan) : apply(attempt, &plan, err);
    saved_plan_release(&plan);
    return status;
}

const struct action action_terraform_apply = {
    .description =
        {
            .name = "terraform.apply",
            .summary = "Apply a saved Terraform plan",
            .doc = "Refused when the configuration has changed since the plan was made. A copy of "
                   "the state is kept first.",
            .parameters = parameters,
            .outputs = outputs,
            .mutates = true,
            .memory_bytes = TERRAFORM_MEMORY_BYTES,
        },
    .run = run,
    .interrupted = "A terraform that still runs is followed to its end. When its end was not seen, "
                   "or an earlier go failed, errored.tfstate is pushed, a fresh plan is made with "
                   "the same options, judged by the same guards, and applied.",
    .shows_dry_run = true,
};
