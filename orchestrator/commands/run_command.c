/* drctl run: a plan becomes a run. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "commands/plan_loading.h"
#include "commands/watching.h"
#include "runtime/state_directory.h"

static const struct command_option options[] = {
    PLAN_LOADING_OPTIONS,
    WATCHING_OPTIONS,
    {"dry-run", 'n', NULL, false, "make the reads, show the changes, change nothing"},
    {"incident", 0, "TIME", false, "when the incident began (RFC 3339), for the objectives"},
    {"no-remote-lock", 0, NULL, false, "do not take the lock that the site names"},
    {NULL, 0, NULL, false, NULL},
};

/* The secret inputs as they were given, for run_open(): the frozen plan has none of them. */
static json_t *secret_inputs(const struct plan *plan, const struct context *context)
{
    json_t *secrets = json_object();
    const json_t *inputs = json_object_get(context->values, "inputs");
    vector_each (const struct plan_input *, input, &plan->inputs) {
        json_t *value = json_object_get(inputs, input->name);
        if (input->type == VALUE_SECRET && json_is_string(value)) {
            json_object_set(secrets, input->name, value);
        }
    }
    return secrets;
}

static int make_run(struct loaded_plan *loaded, const struct invocation *invocation,
                    const char *state, const char *who, struct error *err)
{
    struct run_options run_options = {
        .state = state,
        .operator_name = who,
        .dry_run = invocation_flag(invocation, "dry-run"),
        .without_remote_lock = invocation_flag(invocation, "no-remote-lock"),
    };
    const char *incident = invocation_value(invocation, "incident");
    if (incident != NULL && clock_parse_rfc3339(incident, &run_options.incident_at_ns, err) != 0) {
        return error_context(err, "--incident");
    }
    return run_create(loaded->plan, &loaded->context, loaded->file, &run_options, err);
}

static int run(const struct invocation *invocation, struct error *err)
{
    CLEANUP(memory_cleanup) char *state = NULL;
    CLEANUP(memory_cleanup) char *who = operator_name();
    if (state_directory(invocation_value(invocation, "state-dir"), &state, err) != 0) {
        return -1;
    }
    struct loaded_plan loaded;
    int status = loaded_plan_load(&loaded, invocation, invocation_argument(invocation, 0), true,
                                  state, who, err);
    if (status != 0 || make_run(&loaded, invocation, state, who, err) != 0) {
        loaded_plan_release(&loaded);
        return status != 0 ? status : -1;
    }
    CLEANUP(memory_cleanup)
    char *id = memory_text(json_get_text(json_object_get(loaded.context.values, "run"), "id"));
    CLEANUP(json_cleanup) json_t *secrets = secret_inputs(loaded.plan, &loaded.context);
    loaded_plan_release(&loaded);
    return watch_run(invocation, state, id, RUN_START, secrets, err);
}

const struct command command_run = {
    .name = "run",
    .arguments = "PLAN",
    .summary = "run a plan; it survives a hang-up, and `resume` goes on after anything",
    .least_arguments = 1,
    .most_arguments = 1,
    .options = options,
    .run = run,
};
