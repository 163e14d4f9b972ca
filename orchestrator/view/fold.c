/* Events → what views show. It uses the engine's own table of transitions, so that no view can see
 * a step in a state that the engine did not put it in. */
#include "view/fold.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"

int64_t fold_time(const json_t *event, const char *field)
{
    const char *text = json_get_text(event, field);
    int64_t at_ns = 0;
    return text != NULL && clock_parse_rfc3339(text, &at_ns, NULL) == 0 ? at_ns : 0;
}

static void release_step(struct fold_step *step)
{
    free(step->name);
    free(step->uses);
    free(step->reason);
    json_decref(step->error);
    json_decref(step->tail);
    json_decref(step->question);
    json_decref(step->task);
    json_decref(step->facts);
}

void fold_release(struct fold *fold)
{
    vector_each (struct fold_step *, step, &fold->steps) {
        release_step(step);
    }
    vector_each (struct fold_objective *, objective, &fold->objectives) {
        free(objective->component);
        free(objective->step);
    }
    vector_release(&fold->steps);
    vector_release(&fold->objectives);
    table_release(&fold->names);
    json_decref(fold->created);
    json_decref(fold->decisions);
    free(fold->outcome);
    *fold = (struct fold){0};
}

static struct fold_step *step_of(struct fold *fold, const char *name)
{
    size_t index;
    if (!table_get(&fold->names, name, &index)) {
        index = fold->steps.count;
        struct fold_step *step = vector_grow(&fold->steps);
        step->name = memory_text(name);
        step->state = STEP_PENDING;
        step->facts = json_array();
        (void)table_set(&fold->names, name, index);
    }
    return &fold->steps.items[index];
}

void fold_add_step(struct fold *fold, const char *name, const char *uses)
{
    struct fold_step *step = step_of(fold, name);
    free(step->uses);
    step->uses = memory_text(uses);
}

void fold_add_objective(struct fold *fold, const char *component, const char *step, int64_t rto_ms,
                        int64_t rpo_ms)
{
    struct fold_objective *objective = vector_grow(&fold->objectives);
    objective->component = memory_text(component);
    objective->step = memory_text(step);
    objective->rto_ms = rto_ms;
    objective->rpo_ms = rpo_ms;
}

int64_t fold_incident_ns(const struct fold *fold)
{
    int64_t declared_ns = fold_time(fold->created, "incident_at");
    return declared_ns != 0 ? declared_ns : fold->first_at_ns;
}

int64_t fold_reached_ns(const struct fold *fold, const struct fold_objective *objective)
{
    if (objective->step == NULL) {
        bool succeeded = fold->outcome != NULL && strcmp(fold->outcome, "succeeded") == 0;
        return succeeded ? fold->ended_at_ns : 0;
    }
    const struct fold_step *step = fold_find(fold, objective->step);
    bool done = step != NULL && (step->state == STEP_SUCCEEDED ||
                                 (step->state == STEP_SKIPPED && step->reason != NULL &&
                                  strcmp(step->reason, "unless") == 0));
    return done ? step->ended_at_ns : 0;
}

static void replace(json_t **slot, const json_t *value)
{
    json_incref((json_t *)value);
    json_decref(*slot);
    *slot = (json_t *)value;
}

static void take_transition(struct fold_step *step, enum event_type type, const json_t *event)
{
    const struct step_transition *transition = step_transition_find(step->state, type);
    if (transition == NULL) {
        return;
    }
    step->state = transition->to;
    bool over = step_state_is_final(step->state);
    step->ended_at_ns = over ? fold_time(event, "at") : 0;
    if (step->state != STEP_RUNNING && step->state != STEP_ASKING) {
        replace(&step->question, NULL);
    }
}

static void take_step_event(struct fold *fold, struct fold_step *step, enum event_type type,
                            const json_t *event)
{
    const char *reason = json_get_text(event, "reason");
    switch (type) {
    case EVENT_STEP_STARTED:
        step->attempts = (size_t)json_get_integer(event, "attempt", 1);
        if (step->started_at_ns == 0) {
            step->started_at_ns = fold_time(event, "at");
        }
        if (step->uses == NULL) {
            step->uses = memory_text(json_get_text(event, "uses"));
        }
        break;
    case EVENT_STEP_SKIPPED:
        free(step->reason);
        step->reason = memory_text(reason);
        break;
    case EVENT_ATTEMPT_FAILED:
        replace(&step->tail, json_object_get(event, "tail"));
        replace(&step->error, json_object_get(event, "error"));
        break;
    case EVENT_STEP_FAILED:
        replace(&step->error, json_object_get(event, "error"));
        break;
    case EVENT_TASK_STARTED:
        replace(&step->task, event);
        break;
    case EVENT_FACT:
        json_array_append_new(step->facts,
                              json_pack("{s:O, s:O}", "kind", json_object_get(event, "kind"),
                                        "value", json_object_get(event, "value")));
        break;
    case EVENT_ASKED:
        replace(&step->question, event);
        break;
    case EVENT_ANSWERED:
        replace(&step->question, NULL);
        break;
    default:
        break;
    }
    take_transition(step, type, event);
    (void)fold;
}

static void take_decision(struct fold *fold, const json_t *event)
{
    if (json_get_text(event, "who") != NULL) {
        if (fold->decisions == NULL) {
            fold->decisions = json_array();
        }
        json_array_append(fold->decisions, (json_t *)event);
    }
}

static void take_run_event(struct fold *fold, enum event_type type, const json_t *event)
{
    switch (type) {
    case EVENT_RUN_CREATED:
        replace(&fold->created, event);
        break;
    case EVENT_RUN_RESUMED:
        free(fold->outcome);
        fold->outcome = NULL;
        fold->ended_at_ns = 0;
        fold->cancelled = fold->paused = false;
        break;
    case EVENT_RUN_PAUSED:
        fold->paused = true;
        break;
    case EVENT_RUN_CONTINUED:
        fold->paused = false;
        break;
    case EVENT_RUN_CANCELLED:
        fold->cancelled = true;
        break;
    case EVENT_RUN_ENDED:
        free(fold->outcome);
        fold->outcome = memory_text(json_get_text(event, "outcome"));
        fold->ended_at_ns = fold_time(event, "at");
        break;
    default:
        break;
    }
}

void fold_event(struct fold *fold, const json_t *event)
{
    enum event_type type = event_type_of(event);
    int64_t at_ns = fold_time(event, "at");
    if (fold->first_at_ns == 0) {
        fold->first_at_ns = at_ns;
    }
    fold->last_at_ns = at_ns;
    take_decision(fold, event);
    const char *step = json_get_text(event, "step");
    if (step != NULL) {
        take_step_event(fold, step_of(fold, step), type, event);
    } else {
        take_run_event(fold, type, event);
    }
}

const struct fold_step *fold_find(const struct fold *fold, const char *name)
{
    size_t index;
    return table_get(&fold->names, name, &index) ? &fold->steps.items[index] : NULL;
}

size_t fold_count(const struct fold *fold, enum step_state state)
{
    size_t count = 0;
    vector_each (const struct fold_step *, step, &fold->steps) {
        count += step->state == state;
    }
    return count;
}

const char *fold_status(const struct fold *fold)
{
    if (fold->outcome != NULL) {
        return fold->outcome;
    }
    if (fold->paused) {
        return "paused";
    }
    bool busy = false;
    bool asking = false;
    vector_each (const struct fold_step *, step, &fold->steps) {
        asking = asking || step->question != NULL;
        busy = busy || (step->state == STEP_RUNNING && step->question == NULL);
    }
    return asking && !busy ? "waiting for a person" : fold->cancelled ? "stopping" : "running";
}
