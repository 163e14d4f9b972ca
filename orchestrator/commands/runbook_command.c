/* drctl runbook: a plan for people who have to do without drctl. */
#include <stdio.h>

#include "commands/plan_loading.h"
#include "runtime/state_directory.h"
#include "view/runbook.h"

static const struct command_option options[] = {
    PLAN_LOADING_OPTIONS,
    {NULL, 0, NULL, false, NULL},
};

static int run(const struct invocation *invocation, struct error *err)
{
    /* Without inputs the document is for all of them, and they stay open. */
    bool settle = invocation_value(invocation, "input") != NULL ||
                  invocation_value(invocation, "inputs") != NULL;
    CLEANUP(memory_cleanup) char *who = operator_name();
    CLEANUP(memory_cleanup) char *state = NULL;
    if (settle && state_directory(invocation_value(invocation, "state-dir"), &state, err) != 0) {
        return -1;
    }
    struct loaded_plan loaded;
    int status = loaded_plan_load(&loaded, invocation, invocation_argument(invocation, 0), settle,
                                  state, who, err);
    if (status == 0) {
        struct buffer text = BUFFER_INIT;
        runbook_append(&text, loaded.plan, &loaded.context);
        fputs(buffer_text(&text), stdout);
        buffer_release(&text);
    }
    loaded_plan_release(&loaded);
    return status;
}

const struct command command_runbook = {
    .name = "runbook",
    .arguments = "PLAN",
    .summary = "a plan as a document that a person can follow by hand",
    .doc = "With inputs, everything that they settle is spelled out; without, it stays open.",
    .least_arguments = 1,
    .most_arguments = 1,
    .options = options,
    .run = run,
};
