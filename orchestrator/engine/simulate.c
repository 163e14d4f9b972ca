/* The second driver of the engine, without a loop, a disk or a clock: a list of things to come,
 * ordered by their time. */
#include "engine/simulate.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"

enum { DEFAULT_DURATION_MS = 1000 };

struct coming {
    int64_t at_ns;
    json_t *event; /* owned */
};

struct simulation {
    struct engine *engine;
    const json_t *script;
    json_t *events;
    int64_t now_ns;
    VECTOR(struct coming)
    coming;
};

static int append(struct simulation *simulation, json_t *event, struct error *err)
{
    char at[CLOCK_RFC3339_SIZE];
    clock_format_rfc3339_ms(simulation->now_ns, at);
    json_object_set_new(event, "at", json_string(at));
    json_array_append_new(simulation->events, event);
    return engine_apply(simulation->engine, event, err);
}

static void schedule(struct simulation *simulation, int64_t at_ns, json_t *event)
{
    vector_push(&simulation->coming, ((struct coming){at_ns, event}));
}

static const json_t *end_of_attempt(const struct simulation *simulation, const char *step,
                                    size_t attempt)
{
    const json_t *ends = json_object_get(json_object_get(simulation->script, "steps"), step);
    size_t count = json_array_size(ends);
    return count == 0 ? NULL : json_array_get(ends, (attempt < count ? attempt : count) - 1);
}

static void schedule_end(struct simulation *simulation, const struct engine_effect *effect)
{
    const char *name = effect->node->name;
    const json_t *end = end_of_attempt(simulation, name, effect->attempt);
    const char *failure = json_get_text(end, "fail");
    json_t *event = event_new(failure != NULL ? EVENT_ATTEMPT_FAILED : EVENT_STEP_SUCCEEDED, name,
                              effect->attempt);
    if (failure != NULL) {
        json_object_set_new(
            event, "error",
            json_pack("{s:s, s:s}", "code", failure, "message", "as the script says"));
    } else {
        json_t *outputs = json_object_get(end, "outputs");
        json_object_set_new(event, "outputs",
                            outputs != NULL ? json_incref(outputs) : json_object());
    }
    int64_t after_ms = json_get_integer(end, "after_ms", DEFAULT_DURATION_MS);
    schedule(simulation, simulation->now_ns + after_ms * CLOCK_NS_PER_MS, event);
}

static int decide(struct simulation *simulation, struct error *err)
{
    for (;;) {
        struct engine_effect effect;
        engine_decide(simulation->engine, simulation->now_ns, &effect);
        bool none = effect.kind == ENGINE_NONE;
        int result = none ? 0 : append(simulation, engine_effect_event(&effect), err);
        if (effect.kind == ENGINE_START) {
            schedule_end(simulation, &effect);
        }
        engine_effect_release(&effect);
        if (none || result != 0) {
            return result;
        }
    }
}

/* The earliest thing to come; the first of several at one time. SIZE_MAX when there is none. */
static size_t earliest(const struct simulation *simulation)
{
    size_t best = SIZE_MAX;
    for (size_t i = 0; i < simulation->coming.count; i++) {
        if (best == SIZE_MAX ||
            simulation->coming.items[i].at_ns < simulation->coming.items[best].at_ns) {
            best = i;
        }
    }
    return best;
}

/* An attempt that was cancelled ends so, whatever the script had in mind for it. */
static void rewrite_when_cancelled(const struct simulation *simulation, json_t *event)
{
    const char *step = json_get_text(event, "step");
    const struct engine_node *node = step != NULL ? engine_find(simulation->engine, step) : NULL;
    if (node != NULL && node->state == STEP_RUNNING && !node->step->runs_after_failure &&
        engine_is_cancelled(simulation->engine)) {
        json_object_set_new(event, "type", json_string(event_type_name(EVENT_STEP_CANCELLED)));
    }
}

static int let_happen(struct simulation *simulation, size_t index, struct error *err)
{
    struct coming coming = simulation->coming.items[index];
    simulation->coming.count--;
    memmove(&simulation->coming.items[index], &simulation->coming.items[index + 1],
            (simulation->coming.count - index) * sizeof coming);
    simulation->now_ns = coming.at_ns;
    rewrite_when_cancelled(simulation, coming.event);
    return append(simulation, coming.event, err);
}

/* 1 when something happened, 0 at the end. */
static int advance(struct simulation *simulation, struct error *err)
{
    if (decide(simulation, err) != 0) {
        return -1;
    }
    if (engine_outcome(simulation->engine) != NULL) {
        return 0;
    }
    size_t next = earliest(simulation);
    int64_t retry_ns = engine_next_time_ns(simulation->engine);
    if (next == SIZE_MAX && retry_ns == INT64_MAX) {
        return 0;
    }
    if (next != SIZE_MAX && simulation->coming.items[next].at_ns <= retry_ns) {
        return let_happen(simulation, next, err) == 0 ? 1 : -1;
    }
    simulation->now_ns = retry_ns;
    return 1;
}

json_t *simulate(const struct plan *plan, const struct context *context,
                 const struct engine_limits *limits, const json_t *script, int64_t start_ns,
                 struct error *err)
{
    struct simulation simulation = {
        .engine = engine_new(plan, context, limits, "simulation"),
        .script = script,
        .events = json_array(),
        .now_ns = start_ns,
    };
    size_t index;
    json_t *person;
    json_array_foreach (json_object_get(script, "people"), index, person) {
        schedule(&simulation, start_ns + json_get_integer(person, "at_ms", 0) * CLOCK_NS_PER_MS,
                 json_copy(json_object_get(person, "event")));
    }
    int result;
    while ((result = advance(&simulation, err)) == 1) {
    }
    vector_each (struct coming *, left, &simulation.coming) {
        json_decref(left->event);
    }
    vector_release(&simulation.coming);
    engine_free(simulation.engine);
    if (result != 0) {
        json_decref(simulation.events);
        return NULL;
    }
    return simulation.events;
}
