/* approve, answer, skip, retry, pause, continue, cancel: the same decisions whether a drctl works
 * on the run now (then it is told through its control socket) or the run is at rest (then the
 * decision goes into its journal, and the next resume heeds it). */
#include <stdio.h>
#include <stdlib.h>

#include "base/json.h"
#include "commands/plan_loading.h"
#include "commands/watching.h"
#include "runtime/control.h"
#include "runtime/state_directory.h"

static const struct command_option options[] = {
    {"why", 0, "TEXT", false, "the reason, for the record"},
    {NULL, 0, NULL, false, NULL},
};

static const struct command_option cancel_options[] = {
    {"why", 0, "TEXT", false, "the reason, for the record"},
    {"kill", 0, NULL, false, "do not wait for what runs to stop in order"},
    WATCHING_OPTIONS,
    {NULL, 0, NULL, false, NULL},
};

static json_t *make_decision(const struct invocation *invocation, const char *verb, const char *who)
{
    json_t *decision = json_pack("{s:s, s:s}", "verb", verb, "who", who);
    const char *step = invocation_argument(invocation, 1);
    const char *answer = invocation_argument(invocation, 2);
    const char *why = invocation_value(invocation, "why");
    if (step != NULL) {
        json_object_set_new(decision, "step", json_string(step));
    }
    if (answer != NULL) {
        json_object_set_new(decision, "answer", json_string(answer));
    }
    if (why != NULL) {
        json_object_set_new(decision, "why", json_string(why));
    }
    return decision;
}

static int decide_at_rest(const char *state, const char *id, const char *who,
                          const json_t *decision, char **ret_text, struct error *err)
{
    struct run_options run_options = {.state = state, .operator_name = who};
    struct run *run;
    if (run_open(id, &run_options, NULL, NULL, &run, err) != 0) {
        return -1;
    }
    int status = 0;
    int result = run_decide(run, decision, ret_text, err);
    if (run_execute(run, RUN_REST, &status, result == 0 ? err : NULL) != 0) {
        result = -1;
    }
    run_free(run);
    return result;
}

static int decide(const struct invocation *invocation, const char *verb, bool works_at_rest,
                  bool *ret_at_rest, struct error *err)
{
    CLEANUP(memory_cleanup) char *state = NULL;
    CLEANUP(memory_cleanup) char *id = NULL;
    CLEANUP(memory_cleanup) char *who = operator_name();
    if (state_directory(invocation_value(invocation, "state-dir"), &state, err) != 0 ||
        state_find_run(state, invocation_argument(invocation, 0), &id, err) != 0) {
        return -1;
    }
    CLEANUP(memory_cleanup) char *directory = state_run_directory(state, id);
    CLEANUP(json_cleanup) json_t *decision = make_decision(invocation, verb, who);
    CLEANUP(memory_cleanup) char *text = NULL;
    int result = control_send(directory, decision, &text, err);
    bool at_rest = result != 0 && err->code == ERROR_NOT_FOUND;
    if (at_rest && works_at_rest) {
        error_release(err);
        result = decide_at_rest(state, id, who, decision, &text, err);
    }
    if (result == 0) {
        printf("%s\n", text);
        if (at_rest) {
            printf("Nothing works on the run now; go on with: drctl resume %s\n", id);
        }
    }
    *ret_at_rest = at_rest;
    return result;
}

#define DECISION(name_, arguments_, summary_, least, most)                                         \
    static int run_##name_(const struct invocation *invocation, struct error *err)                 \
    {                                                                                              \
        bool at_rest;                                                                              \
        return decide(invocation, #name_, true, &at_rest, err);                                    \
    }                                                                                              \
    const struct command command_##name_ = {                                                       \
        .name = #name_,                                                                            \
        .arguments = arguments_,                                                                   \
        .summary = summary_,                                                                       \
        .least_arguments = least,                                                                  \
        .most_arguments = most,                                                                    \
        .options = options,                                                                        \
        .run = run_##name_,                                                                        \
    }

DECISION(approve, "RUN STEP", "agree to what a step asks for", 2, 2);
DECISION(answer, "RUN STEP ANSWER", "answer a step's question", 3, 3);
DECISION(skip, "RUN STEP", "go on without a step", 2, 2);
DECISION(retry, "RUN STEP", "give a step another attempt", 2, 2);
DECISION(pause, "RUN", "let running steps end, start nothing new", 1, 1);
DECISION(continue, "RUN", "go on after a pause", 1, 1);

/* A run at rest may have children at work: cancelling it means to take it up and stop them. */
static int run_cancel(const struct invocation *invocation, struct error *err)
{
    bool at_rest = false;
    const char *verb = invocation_flag(invocation, "kill") ? "kill" : "cancel";
    int result = decide(invocation, verb, false, &at_rest, err);
    if (result == 0 || !at_rest) {
        return result;
    }
    error_release(err);
    CLEANUP(memory_cleanup) char *state = NULL;
    CLEANUP(memory_cleanup) char *id = NULL;
    if (state_directory(invocation_value(invocation, "state-dir"), &state, err) != 0 ||
        state_find_run(state, invocation_argument(invocation, 0), &id, err) != 0) {
        return -1;
    }
    int status = watch_run(invocation, state, id, RUN_CANCEL, NULL, err);
    return status == 7 ? 0 : status;
}

const struct command command_cancel = {
    .name = "cancel",
    .arguments = "RUN",
    .summary = "stop a run: what runs is asked to stop and waited for",
    .least_arguments = 1,
    .most_arguments = 1,
    .options = cancel_options,
    .run = run_cancel,
};
