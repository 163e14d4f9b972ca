/* The step state machine. Whatever is not in this table cannot happen; `drctl graph --states`
 * prints it, so that documentation and program are the same thing. */
#include "engine/state.h"

#include "base/compiler.h"

static const char *const names[] = {
    [STEP_PENDING] = "pending",     [STEP_EXPANDED] = "expanded", [STEP_RUNNING] = "running",
    [STEP_FAILING] = "failing",     [STEP_WAITING] = "waiting",   [STEP_ASKING] = "asking",
    [STEP_SUCCEEDED] = "succeeded", [STEP_SKIPPED] = "skipped",   [STEP_FAILED] = "failed",
    [STEP_CANCELLED] = "cancelled",
};

const struct step_transition step_transitions[] = {
    {STEP_PENDING, EVENT_STEP_STARTED, STEP_RUNNING, "all that it needs is there"},
    {STEP_PENDING, EVENT_STEP_EXPANDED, STEP_EXPANDED, "its for_each was evaluated"},
    {STEP_PENDING, EVENT_STEP_SKIPPED, STEP_SKIPPED, "its `if` is false, or a person skipped it"},
    {STEP_PENDING, EVENT_STEP_FAILED, STEP_FAILED, "an expression of it cannot be evaluated"},
    {STEP_PENDING, EVENT_STEP_CANCELLED, STEP_CANCELLED, "the run was cancelled before it began"},
    {STEP_EXPANDED, EVENT_STEP_SUCCEEDED, STEP_SUCCEEDED, "all instances ended well"},
    {STEP_EXPANDED, EVENT_STEP_FAILED, STEP_FAILED, "an instance failed"},
    {STEP_EXPANDED, EVENT_STEP_CANCELLED, STEP_CANCELLED, "an instance was cancelled"},
    {STEP_RUNNING, EVENT_STEP_SUCCEEDED, STEP_SUCCEEDED, "the action did its work"},
    {STEP_RUNNING, EVENT_STEP_SKIPPED, STEP_SKIPPED, "its `unless` probe found the work done"},
    {STEP_RUNNING, EVENT_ATTEMPT_FAILED, STEP_FAILING, "the action failed"},
    {STEP_RUNNING, EVENT_STEP_CANCELLED, STEP_CANCELLED, "it was stopped on request"},
    {STEP_FAILING, EVENT_STEP_WAITING, STEP_WAITING, "`retry` gives it another attempt"},
    {STEP_FAILING, EVENT_ASKED, STEP_ASKING, "on_failure: ask"},
    {STEP_FAILING, EVENT_STEP_FAILED, STEP_FAILED, "no attempt is left"},
    {STEP_FAILING, EVENT_STEP_CANCELLED, STEP_CANCELLED, "the run was cancelled meanwhile"},
    {STEP_WAITING, EVENT_STEP_STARTED, STEP_RUNNING, "its time has come"},
    {STEP_WAITING, EVENT_STEP_RETRIED, STEP_PENDING, "a person does not want to wait"},
    {STEP_WAITING, EVENT_STEP_SKIPPED, STEP_SKIPPED, "a person skipped it"},
    {STEP_WAITING, EVENT_STEP_CANCELLED, STEP_CANCELLED, "the run was cancelled meanwhile"},
    {STEP_ASKING, EVENT_STEP_RETRIED, STEP_PENDING, "a person chose retry"},
    {STEP_ASKING, EVENT_STEP_SKIPPED, STEP_SKIPPED, "a person chose skip"},
    {STEP_ASKING, EVENT_STEP_FAILED, STEP_FAILED, "a person chose stop"},
    {STEP_ASKING, EVENT_STEP_CANCELLED, STEP_CANCELLED, "the run was cancelled meanwhile"},
    {STEP_FAILED, EVENT_STEP_RETRIED, STEP_PENDING, "the run was resumed, or a person chose retry"},
    {STEP_FAILED, EVENT_STEP_SKIPPED, STEP_SKIPPED, "a person goes on without it"},
    {STEP_CANCELLED, EVENT_STEP_RETRIED, STEP_PENDING, "the run was resumed"},
    {STEP_CANCELLED, EVENT_STEP_SKIPPED, STEP_SKIPPED, "a person goes on without it"},
    {STEP_SKIPPED, EVENT_STEP_RETRIED, STEP_PENDING, "a person wants it done after all"},
    {STEP_SUCCEEDED, EVENT_STEP_RETRIED, STEP_PENDING, "it ran after a failure that is retried"},
};

const size_t step_transitions_count = ARRAY_SIZE(step_transitions);

const char *step_state_name(enum step_state state)
{
    return names[state];
}

const struct step_transition *step_transition_find(enum step_state from, enum event_type event)
{
    for (size_t i = 0; i < step_transitions_count; i++) {
        if (step_transitions[i].from == from && step_transitions[i].event == event) {
            return &step_transitions[i];
        }
    }
    return NULL;
}

bool step_state_is_final(enum step_state state)
{
    return state == STEP_SUCCEEDED || state == STEP_SKIPPED || state == STEP_FAILED ||
           state == STEP_CANCELLED;
}
