/* terraform.output: what a state offers to later steps. */
#include "actions/action.h"
#include "base/json.h"
#include "terraform/terraform_outputs.h"

static const struct parameter parameters[] = {TERRAFORM_PARAMETERS, {0}};

static const struct output outputs[] = {
    {.name = "values", .type = VALUE_MAP, .doc = "Name to value, of those that are not sensitive"},
    {.name = "secrets",
     .type = VALUE_MAP,
     .secret = true,
     .doc = "Name to value, of the sensitive ones; hidden everywhere"},
    {0}};

/* Each value under its own name, too, unless that is taken. */
static void set_each(struct attempt *attempt, const json_t *values)
{
    const char *name;
    json_t *value;
    json_object_foreach ((json_t *)values, name, value) {
        if (strcmp(name, "values") != 0 && strcmp(name, "secrets") != 0) {
            attempt_set_output(attempt, name, json_incref(value));
        }
    }
}

static int run(struct attempt *attempt, struct error *err)
{
    struct terraform terraform;
    json_t *values = NULL;
    json_t *secrets = NULL;
    if (terraform_open(attempt, NULL, &terraform, err) != 0) {
        return -1;
    }
    int status = terraform_outputs_read(&terraform, &values, &secrets, err);
    if (status == 0) {
        set_each(attempt, values);
        attempt_set_output(attempt, "values", values);
        attempt_set_output(attempt, "secrets", secrets);
    }
    terraform_release(&terraform);
    return status;
}

const struct action action_terraform_output = {
    .description =
        {
            .name = "terraform.output",
            .summary = "Read the outputs of a Terraform state",
            .doc = "Each output that is not sensitive is an output of the step by its own name, "
                   "and all of them are in `values`.",
            .parameters = parameters,
            .outputs = outputs,
            .open_outputs = true,
            .memory_bytes = 100 << 20,
        },
    .run = run,
    .interrupted = "The outputs are read again.",
    .shows_dry_run = true,
};
