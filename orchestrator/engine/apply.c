/* Events → state. The only place that changes it; decide.c reads it.
 *
 * Readiness is counted, not searched: each step counts the needs that did not end well yet, and an
 * end that satisfies (or, after a retry, no longer does) walks over those that wait for it. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "engine/engine_private.h"

static const uint64_t small_child_bytes = UINT64_C(32) << 20;

bool engine_state_is_active(enum step_state state)
{
    return state == STEP_RUNNING || state == STEP_FAILING || state == STEP_WAITING ||
           state == STEP_ASKING;
}

bool engine_is_halted(const struct engine *engine)
{
    return engine->halting > 0 || engine->cancelled;
}

/* --- ready, unsettled, active ---------------------------------------------------------------- */

static size_t order_of(const struct engine *engine, const struct engine_node *node)
{
    size_t index = node->step->index;
    (void)table_get(&engine->names, node->name, &index);
    return index;
}

static void enqueue(struct engine *engine, struct engine_node *node)
{
    if (node->queued || node->state != STEP_PENDING || node->blockers != 0) {
        return;
    }
    node->queued = true;
    (void)vector_grow(&engine->ready);
    size_t order = order_of(engine, node);
    size_t at = engine->ready.count - 1;
    for (; at > 0 && order_of(engine, engine->ready.items[at - 1]) > order; at--) {
        engine->ready.items[at] = engine->ready.items[at - 1];
    }
    engine->ready.items[at] = node;
}

static void dequeue(struct engine *engine, struct engine_node *node)
{
    if (!node->queued) {
        return;
    }
    node->queued = false;
    size_t at = 0;
    while (engine->ready.items[at] != node) {
        at++;
    }
    engine->ready.count--;
    memmove(&engine->ready.items[at], &engine->ready.items[at + 1],
            (engine->ready.count - at) * sizeof *engine->ready.items);
}

static void set_active(struct engine *engine, struct engine_node *node, bool is_active)
{
    size_t at = 0;
    while (at < engine->active.count && engine->active.items[at] != node) {
        at++;
    }
    bool was_active = at < engine->active.count;
    if (is_active && !was_active) {
        vector_push(&engine->active, node);
    } else if (!is_active && was_active) {
        engine->active.items[at] = engine->active.items[--engine->active.count];
    }
}

static bool ends_well(const struct engine_node *node, enum step_state state)
{
    return state == STEP_SUCCEEDED || state == STEP_SKIPPED ||
           (state == STEP_FAILED && node->step->on_failure == PLAN_ON_FAILURE_CONTINUE);
}

/* Looks again at whether those that wait for the node may go on. A step that a person skipped ahead
 * of its turn passes on only what it waits for itself: skipping it must not start a cutover early.
 */
static void update_satisfied(struct engine *engine, struct engine_node *node)
{
    bool satisfied = ends_well(node, node->state) && node->blockers == 0;
    if (node->satisfied == satisfied || node->parent != NULL) {
        return;
    }
    node->satisfied = satisfied;
    vector_each (size_t *, dependent, &engine->dependents[node->step->index].steps) {
        struct engine_node *waiting = engine->nodes.items[*dependent];
        if (satisfied) {
            waiting->blockers--;
            enqueue(engine, waiting);
        } else {
            waiting->blockers++;
            dequeue(engine, waiting);
        }
        update_satisfied(engine, waiting);
    }
}

/* --- one step -------------------------------------------------------------------------------- */

static bool halts(const struct engine_node *node, enum step_state state)
{
    /* An instance ends for its parent; the parent's own end decides. */
    return node->parent == NULL && (state == STEP_FAILED || state == STEP_CANCELLED) &&
           !ends_well(node, state);
}

static void publish(struct engine *engine, struct engine_node *node)
{
    context_set_step(&engine->context, node->step->id, node->key, step_state_name(node->state),
                     node->outputs, node->items != NULL ? NULL : node->step->call.action);
}

static void enter_state(struct engine *engine, struct engine_node *node, enum step_state to)
{
    enum step_state from = node->state;
    if (halts(node, from)) {
        engine->halting--;
    }
    if (node->parent != NULL && step_state_is_final(from)) {
        node->parent->instances_left++;
    }
    dequeue(engine, node);
    node->state = to;
    if (halts(node, to)) {
        engine->halting++;
    }
    if (node->parent != NULL && step_state_is_final(to) && --node->parent->instances_left == 0) {
        vector_push(&engine->unsettled, node->parent);
    }
    set_active(engine, node, engine_state_is_active(to));
    if (to != STEP_RUNNING && to != STEP_ASKING) {
        json_decref(node->question);
        node->question = NULL;
    }
    if (to == STEP_FAILING || (to == STEP_EXPANDED && node->instances_left == 0)) {
        vector_push(&engine->unsettled, node);
    }
    update_satisfied(engine, node);
    enqueue(engine, node);
    if (step_state_is_final(to) || to == STEP_PENDING) {
        publish(engine, node);
    }
}

static struct engine_node *add_node(struct engine *engine, const struct plan_step *step, char *name)
{
    struct engine_node *node = memory_new(1, sizeof *node);
    node->step = step;
    node->name = name;
    node->memory_bytes = step->memory_bytes;
    if (node->memory_bytes == 0 && step->call.action != NULL) {
        node->memory_bytes = step->call.action->memory_bytes;
    }
    if (node->memory_bytes == 0) {
        node->memory_bytes = small_child_bytes;
    }
    (void)table_set(&engine->names, name, engine->nodes.count);
    vector_push(&engine->nodes, node);
    return node;
}

static void expand(struct engine *engine, struct engine_node *node, json_t *items)
{
    json_decref(node->items);
    node->items = json_incref(items);
    const char *key;
    json_t *value;
    json_object_foreach (items, key, value) {
        char *name = memory_format("%s[%s]", node->name, key);
        size_t known;
        if (table_get(&engine->names, name, &known)) {
            free(name);
            continue;
        }
        struct engine_node *instance = add_node(engine, node->step, name);
        instance->key = memory_text(key);
        instance->value = json_incref(value);
        instance->parent = node;
        node->instances_left++;
        enqueue(engine, instance);
    }
}

static int64_t time_of(const json_t *event, const char *field)
{
    const char *text = json_get_text(event, field);
    int64_t at_ns = 0;
    if (text == NULL || clock_parse_rfc3339(text, &at_ns, NULL) != 0) {
        return 0;
    }
    return at_ns;
}

static void replace(json_t **slot, json_t *value)
{
    json_incref(value);
    json_decref(*slot);
    *slot = value;
}

/* What an event says beside the change of state; before the state changes. */
static void take_details(struct engine *engine, struct engine_node *node, enum event_type type,
                         const json_t *event)
{
    switch (type) {
    case EVENT_STEP_EXPANDED:
        expand(engine, node, json_object_get(event, "items"));
        break;
    case EVENT_STEP_STARTED:
        node->attempts = (size_t)json_get_integer(event, "attempt", 1);
        node->attempts_spent++;
        node->started_at_ns = time_of(event, "at");
        break;
    case EVENT_STEP_SUCCEEDED:
    case EVENT_STEP_SKIPPED:
        replace(&node->outputs, json_object_get(event, "outputs"));
        break;
    case EVENT_ATTEMPT_FAILED:
    case EVENT_STEP_FAILED:
        if (json_object_get(event, "error") != NULL) {
            replace(&node->error, json_object_get(event, "error"));
        }
        break;
    case EVENT_STEP_WAITING:
        node->retry_at_ns = time_of(event, "until");
        break;
    case EVENT_STEP_RETRIED:
        node->attempts_spent = 0;
        replace(&node->outputs, NULL);
        replace(&node->answer, NULL);
        break;
    default:
        break;
    }
    if (type != EVENT_STEP_STARTED && type != EVENT_STEP_RETRIED) {
        node->ended_at_ns = time_of(event, "at");
    }
}

static int apply_transition(struct engine *engine, struct engine_node *node, enum event_type type,
                            const json_t *event, struct error *err)
{
    const struct step_transition *transition = step_transition_find(node->state, type);
    if (transition == NULL) {
        return error_set(err, ERROR_DAMAGED, "the event %s cannot happen to step %s, which is %s",
                         event_type_name(type), node->name, step_state_name(node->state));
    }
    take_details(engine, node, type, event);
    enter_state(engine, node, transition->to);
    return 0;
}

static int apply_asked(struct engine *engine, struct engine_node *node, const json_t *event,
                       struct error *err)
{
    if (node->state == STEP_FAILING &&
        apply_transition(engine, node, EVENT_ASKED, event, err) != 0) {
        return -1;
    }
    replace(&node->question, (json_t *)event);
    return 0;
}

static void apply_answered(struct engine *engine, struct engine_node *node, const json_t *event)
{
    replace(&node->question, NULL);
    if (node->state == STEP_ASKING) {
        replace(&node->answer, (json_t *)event);
        vector_push(&engine->unsettled, node);
    }
}

static int apply_to_step(struct engine *engine, enum event_type type, const json_t *event,
                         struct error *err)
{
    const char *name = json_get_text(event, "step");
    struct engine_node *node = name != NULL ? engine_find(engine, name) : NULL;
    if (node == NULL) {
        return error_set(err, ERROR_DAMAGED, "the event %s names a step that the plan has not: %s",
                         event_type_name(type), name != NULL ? name : "none");
    }
    switch (type) {
    case EVENT_TASK_STARTED:
    case EVENT_TASK_ENDED:
    case EVENT_REMEMBERED:
    case EVENT_FACT:
        return 0;
    case EVENT_ASKED:
        return apply_asked(engine, node, event, err);
    case EVENT_ANSWERED:
        apply_answered(engine, node, event);
        return 0;
    default:
        return apply_transition(engine, node, type, event, err);
    }
}

int engine_apply(struct engine *engine, const json_t *event, struct error *err)
{
    enum event_type type = event_type_of(event);
    switch (type) {
    case EVENT_RUN_CREATED:
    case EVENT_UNKNOWN:
        return 0;
    case EVENT_RUN_RESUMED:
        free(engine->outcome);
        engine->outcome = NULL;
        engine->cancelled = false;
        engine->paused = false;
        return 0;
    case EVENT_RUN_PAUSED:
        engine->paused = true;
        return 0;
    case EVENT_RUN_CONTINUED:
        engine->paused = false;
        return 0;
    case EVENT_RUN_CANCELLED:
        engine->cancelled = true;
        return 0;
    case EVENT_RUN_ENDED:
        free(engine->outcome);
        engine->outcome = memory_text(json_get_text(event, "outcome"));
        return 0;
    default:
        return apply_to_step(engine, type, event, err);
    }
}

void engine_reveal_outputs(struct engine *engine, struct engine_node *node, json_t *outputs)
{
    json_decref(node->outputs);
    node->outputs = outputs;
    publish(engine, node);
}

/* --- making and reading ---------------------------------------------------------------------- */

struct engine *engine_new(const struct plan *plan, const struct context *context,
                          const struct engine_limits *limits, const char *run_id)
{
    struct engine *engine = memory_new(1, sizeof *engine);
    engine->plan = plan;
    engine->limits = *limits;
    engine->run_id = memory_text(run_id);
    context_copy(&engine->context, context);
    context_set(&engine->context, "steps", json_object(), NULL);
    engine->dependents = memory_new(plan->steps.count, sizeof *engine->dependents);
    vector_each (const struct plan_step *, step, &plan->steps) {
        struct engine_node *node = add_node(engine, step, memory_text(step->id));
        node->blockers = step->needs.count;
        vector_each (const size_t *, need, &step->needs) {
            vector_push(&engine->dependents[*need].steps, step->index);
        }
    }
    for (size_t i = 0; i < plan->steps.count; i++) {
        enqueue(engine, engine->nodes.items[i]);
    }
    return engine;
}

static void free_node(struct engine_node *node)
{
    free(node->name);
    free(node->key);
    json_decref(node->value);
    json_decref(node->items);
    json_decref(node->question);
    json_decref(node->answer);
    json_decref(node->outputs);
    json_decref(node->error);
    free(node);
}

void engine_free(struct engine *engine)
{
    if (engine == NULL) {
        return;
    }
    for (size_t i = 0; i < engine->plan->steps.count; i++) {
        vector_release(&engine->dependents[i].steps);
    }
    free(engine->dependents);
    vector_each (struct engine_node **, node, &engine->nodes) {
        free_node(*node);
    }
    vector_release(&engine->nodes);
    vector_release(&engine->ready);
    vector_release(&engine->unsettled);
    vector_release(&engine->active);
    table_release(&engine->names);
    context_release(&engine->context);
    free(engine->run_id);
    free(engine->outcome);
    free(engine);
}

size_t engine_node_count(const struct engine *engine)
{
    return engine->nodes.count;
}

struct engine_node *engine_node_at(const struct engine *engine, size_t index)
{
    return engine->nodes.items[index];
}

struct engine_node *engine_find(const struct engine *engine, const char *name)
{
    size_t index;
    return table_get(&engine->names, name, &index) ? engine->nodes.items[index] : NULL;
}

bool engine_is_paused(const struct engine *engine)
{
    return engine->paused;
}

bool engine_is_cancelled(const struct engine *engine)
{
    return engine->cancelled;
}

const char *engine_outcome(const struct engine *engine)
{
    return engine->outcome;
}

size_t engine_running_count(const struct engine *engine)
{
    size_t running = 0;
    vector_each (struct engine_node **, node, &engine->active) {
        running += (*node)->state == STEP_RUNNING;
    }
    return running;
}

size_t engine_asking_count(const struct engine *engine)
{
    size_t asking = 0;
    vector_each (struct engine_node **, node, &engine->active) {
        asking += (*node)->question != NULL;
    }
    return asking;
}
