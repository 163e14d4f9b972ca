/* State → the next thing to do. Reads what apply.c folded and changes nothing, so that asking twice
 * gives the same answer; the one exception is the list of unsettled nodes, from which entries are
 * dropped that an event has settled meanwhile. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "engine/engine_private.h"
#include "plan/resolve.h"

static struct engine_effect effect_of(enum engine_effect_kind kind, struct engine_node *node)
{
    return (struct engine_effect){.kind = kind, .node = node};
}

/* --- what expressions see -------------------------------------------------------------------- */

static bool has_failed_ancestor(const struct engine *engine, const struct plan_step *step,
                                bool *seen)
{
    vector_each (const size_t *, need, &step->needs) {
        if (seen[*need]) {
            continue;
        }
        seen[*need] = true;
        const struct engine_node *node = engine->nodes.items[*need];
        if (node->state == STEP_FAILED || has_failed_ancestor(engine, node->step, seen)) {
            return true;
        }
    }
    return false;
}

void engine_context(const struct engine *engine, const struct engine_node *node, int64_t now_ns,
                    struct context *ret_context)
{
    context_copy(ret_context, &engine->context);
    ret_context->now_ns = now_ns;
    ret_context->cancelled = engine->cancelled;
    if (node == NULL) {
        return;
    }
    CLEANUP(memory_cleanup) bool *seen = memory_new(engine->plan->steps.count, sizeof *seen);
    ret_context->failed = has_failed_ancestor(engine, node->step, seen);
    if (node->key != NULL) {
        context_set(ret_context, "each",
                    json_pack("{s:s, s:O}", "key", node->key, "value", node->value), NULL);
    }
}

/* --- after a failed attempt ------------------------------------------------------------------ */

/* Full jitter (AWS Architecture Blog, "Exponential Backoff and Jitter"): evenly between nothing and
 * the doubled backoff. Drawn from run, step and attempt, so that the engine stays a function of its
 * events and two runs still do not knock at the same instant. */
static int64_t backoff_ms(const struct engine *engine, const struct engine_node *node)
{
    const struct plan_retry *retry = &node->step->retry;
    int64_t cap_ms = retry->backoff_ms;
    for (size_t i = 1; i < node->attempts_spent && cap_ms < retry->max_backoff_ms; i++) {
        cap_ms *= 2;
    }
    if (cap_ms > retry->max_backoff_ms) {
        cap_ms = retry->max_backoff_ms;
    }
    CLEANUP(memory_cleanup)
    char *seed = memory_format("%s/%s/%zu", engine->run_id, node->name, node->attempts);
    unsigned char digest[DIGEST_SIZE];
    digest_sha256(span_of_text(seed), digest);
    uint64_t draw;
    memcpy(&draw, digest, sizeof draw);
    return cap_ms > 0 ? (int64_t)(draw % ((uint64_t)cap_ms + 1)) : 0;
}

static bool is_worth_another(const struct engine *engine, const struct engine_node *node)
{
    const char *code_name = json_get_text(node->error, "code");
    enum error_code code = code_name != NULL ? error_code_from_name(code_name) : ERROR_FAILED;
    return !engine_is_halted(engine) && node->attempts_spent < node->step->retry.attempts &&
           (node->step->retry.on & (1u << code)) != 0;
}

static void copy_error(const struct engine_node *node, struct error *err)
{
    const char *code = json_get_text(node->error, "code");
    const char *message = json_get_text(node->error, "message");
    const char *hint = json_get_text(node->error, "hint");
    error_set(err, code != NULL ? error_code_from_name(code) : ERROR_FAILED, "%s",
              message != NULL ? message : "it failed");
    if (hint != NULL) {
        error_hint(err, "%s", hint);
    }
}

static struct engine_effect fail(struct engine_node *node)
{
    struct engine_effect effect = effect_of(ENGINE_FAIL, node);
    copy_error(node, &effect.error);
    return effect;
}

static struct engine_effect after_attempt(const struct engine *engine, struct engine_node *node,
                                          int64_t now_ns)
{
    if (engine->cancelled) {
        return effect_of(ENGINE_CANCEL, node);
    }
    if (is_worth_another(engine, node)) {
        struct engine_effect effect = effect_of(ENGINE_WAIT, node);
        effect.attempt = node->attempts;
        effect.until_ns = now_ns + backoff_ms(engine, node) * CLOCK_NS_PER_MS;
        return effect;
    }
    if (node->step->on_failure == PLAN_ON_FAILURE_ASK) {
        return effect_of(ENGINE_ASK, node);
    }
    return fail(node);
}

static struct engine_effect after_answer(struct engine_node *node)
{
    const char *answer = json_get_text(node->answer, "answer");
    if (answer != NULL && strcmp(answer, "retry") == 0) {
        return effect_of(ENGINE_RETRY, node);
    }
    if (answer != NULL && strcmp(answer, "skip") == 0) {
        struct engine_effect effect = effect_of(ENGINE_SKIP, node);
        effect.reason = "person";
        return effect;
    }
    return fail(node);
}

/* An expanded step ends as its instances did: cancelled before failed before succeeded. */
static struct engine_effect after_instances(const struct engine *engine, struct engine_node *node)
{
    json_t *outputs = json_object();
    struct engine_node *bad = NULL;
    const char *key;
    json_t *value;
    json_object_foreach (node->items, key, value) {
        CLEANUP(memory_cleanup) char *name = memory_format("%s[%s]", node->name, key);
        struct engine_node *instance = engine_find(engine, name);
        bool is_bad = instance->state == STEP_FAILED || instance->state == STEP_CANCELLED;
        if (is_bad && (bad == NULL || instance->state == STEP_CANCELLED)) {
            bad = instance;
        }
        json_object_set_new(outputs, key,
                            instance->outputs != NULL ? json_incref(instance->outputs)
                                                      : json_object());
    }
    struct engine_effect effect = effect_of(ENGINE_SUCCEED, node);
    if (bad == NULL) {
        effect.value = outputs;
        return effect;
    }
    json_decref(outputs);
    effect.kind = bad->state == STEP_CANCELLED ? ENGINE_CANCEL : ENGINE_FAIL;
    if (effect.kind == ENGINE_FAIL) {
        copy_error(bad, &effect.error);
        error_context(&effect.error, "%s", bad->name);
    }
    return effect;
}

static struct engine_effect settle(struct engine *engine, int64_t now_ns)
{
    while (engine->unsettled.count > 0) {
        struct engine_node *node = engine->unsettled.items[engine->unsettled.count - 1];
        if (node->state == STEP_FAILING) {
            return after_attempt(engine, node, now_ns);
        }
        if (node->state == STEP_ASKING && node->answer != NULL) {
            return after_answer(node);
        }
        if (node->state == STEP_EXPANDED && node->instances_left == 0) {
            return after_instances(engine, node);
        }
        engine->unsettled.count--;
    }
    return effect_of(ENGINE_NONE, NULL);
}

/* --- starting -------------------------------------------------------------------------------- */

static bool shares_lock(const struct plan_step *a, const struct plan_step *b)
{
    vector_each (char *const *, x, &a->lock_names) {
        vector_each (char *const *, y, &b->lock_names) {
            if (strcmp(*x, *y) == 0) {
                return true;
            }
        }
    }
    return false;
}

/* Room for one more: by count, by memory, and no lock that a running step holds. An attempt that
 * only waits for a person takes no place. */
static bool is_admissible(const struct engine *engine, const struct engine_node *node)
{
    size_t running = 0;
    uint64_t memory_bytes = 0;
    vector_each (struct engine_node **, other, &engine->active) {
        if ((*other)->state != STEP_RUNNING) {
            continue;
        }
        if (shares_lock((*other)->step, node->step)) {
            return false;
        }
        if ((*other)->question == NULL) {
            running++;
            memory_bytes += (*other)->memory_bytes;
        }
    }
    if (running == 0) {
        return true;
    }
    bool fits_count = engine->limits.running == 0 || running < engine->limits.running;
    bool fits_memory = engine->limits.memory_bytes == 0 ||
                       memory_bytes + node->memory_bytes <= engine->limits.memory_bytes;
    return fits_count && fits_memory;
}

static struct engine_effect start(const struct engine *engine, struct engine_node *node,
                                  int64_t now_ns)
{
    struct engine_effect effect = effect_of(ENGINE_START, node);
    effect.attempt = node->attempts + 1;
    if (node->parent != NULL) {
        return effect;
    }
    struct context context;
    engine_context(engine, node, now_ns, &context);
    bool holds = true;
    if (resolve_condition(engine->plan, node->step, &context, &holds, &effect.error) != 0) {
        effect.kind = ENGINE_FAIL;
    } else if (!holds) {
        effect.kind = ENGINE_SKIP;
        effect.reason = "if";
    } else if (node->step->for_each != NULL) {
        struct resolved items = {0};
        effect.kind = ENGINE_EXPAND;
        if (node->items != NULL) {
            effect.value = json_incref(node->items);
        } else if (resolve_items(engine->plan, node->step, &context, &items, &effect.error) != 0) {
            effect.kind = ENGINE_FAIL;
        } else {
            effect.value = json_incref(items.value);
            resolved_release(&items);
        }
    }
    context_release(&context);
    return effect;
}

static struct engine_effect start_waiting(const struct engine *engine, int64_t now_ns)
{
    vector_each (struct engine_node **, item, &engine->active) {
        struct engine_node *node = *item;
        if (node->state == STEP_ASKING && engine->cancelled) {
            return effect_of(ENGINE_CANCEL, node);
        }
        if (node->state != STEP_WAITING) {
            continue;
        }
        if (engine_is_halted(engine)) {
            return engine->cancelled ? effect_of(ENGINE_CANCEL, node) : fail(node);
        }
        if (node->retry_at_ns <= now_ns && is_admissible(engine, node)) {
            struct engine_effect effect = effect_of(ENGINE_START, node);
            effect.attempt = node->attempts + 1;
            return effect;
        }
    }
    return effect_of(ENGINE_NONE, NULL);
}

static struct engine_effect start_ready(const struct engine *engine, int64_t now_ns)
{
    vector_each (struct engine_node **, node, &engine->ready) {
        if (is_admissible(engine, *node)) {
            return start(engine, *node, now_ns);
        }
    }
    return effect_of(ENGINE_NONE, NULL);
}

/* --- after the run has come to a halt -------------------------------------------------------- */

static bool step_is_under_way(const struct engine *engine, const struct engine_node *node)
{
    if (engine_state_is_active(node->state)) {
        return true;
    }
    vector_each (struct engine_node **, other, &engine->active) {
        if ((*other)->parent == node) {
            return true;
        }
    }
    return false;
}

static bool still_comes(const struct engine_node *node)
{
    return node->step->runs_after_failure && !step_state_is_final(node->state);
}

/* True when something that stands before the step is under way, or will be started after all. */
static bool is_held_up(const struct engine *engine, const struct plan_step *step, bool *seen)
{
    vector_each (const size_t *, need, &step->needs) {
        if (seen[*need]) {
            continue;
        }
        seen[*need] = true;
        const struct engine_node *node = engine->nodes.items[*need];
        if (step_is_under_way(engine, node) || still_comes(node) ||
            is_held_up(engine, node->step, seen)) {
            return true;
        }
    }
    return false;
}

static struct engine_effect start_after_failure(const struct engine *engine, int64_t now_ns)
{
    CLEANUP(memory_cleanup) bool *seen = memory_new(engine->plan->steps.count, sizeof *seen);
    vector_each (struct engine_node **, item, &engine->nodes) {
        struct engine_node *node = *item;
        if (!node->step->runs_after_failure || node->state != STEP_PENDING) {
            continue;
        }
        memset(seen, 0, engine->plan->steps.count * sizeof *seen);
        if (node->parent == NULL && is_held_up(engine, node->step, seen)) {
            continue;
        }
        if (is_admissible(engine, node)) {
            return start(engine, node, now_ns);
        }
    }
    return effect_of(ENGINE_NONE, NULL);
}

static bool is_complete(const struct engine *engine)
{
    vector_each (struct engine_node **, node, &engine->nodes) {
        if (!step_state_is_final((*node)->state)) {
            return false;
        }
    }
    return true;
}

static struct engine_effect end(const struct engine *engine)
{
    struct engine_effect effect = effect_of(ENGINE_END, NULL);
    effect.reason = engine->cancelled ? "cancelled" : engine->halting > 0 ? "failed" : "succeeded";
    return effect;
}

void engine_decide(struct engine *engine, int64_t now_ns, struct engine_effect *ret_effect)
{
    *ret_effect = effect_of(ENGINE_NONE, NULL);
    if (engine->outcome != NULL) {
        return;
    }
    *ret_effect = settle(engine, now_ns);
    if (ret_effect->kind == ENGINE_NONE && !engine->paused) {
        *ret_effect = start_waiting(engine, now_ns);
        if (ret_effect->kind == ENGINE_NONE) {
            *ret_effect = engine_is_halted(engine) ? start_after_failure(engine, now_ns)
                                                   : start_ready(engine, now_ns);
        }
    }
    if (ret_effect->kind == ENGINE_NONE && engine->active.count == 0 &&
        (!engine->paused || is_complete(engine))) {
        *ret_effect = end(engine);
    }
}

int64_t engine_next_time_ns(const struct engine *engine)
{
    int64_t next_ns = INT64_MAX;
    vector_each (struct engine_node **, node, &engine->active) {
        if ((*node)->state == STEP_WAITING && (*node)->retry_at_ns < next_ns) {
            next_ns = (*node)->retry_at_ns;
        }
    }
    return next_ns;
}

bool engine_is_retried_on_resume(const struct engine *engine, const struct engine_node *node)
{
    if (node->state == STEP_FAILED) {
        return node->step->on_failure != PLAN_ON_FAILURE_CONTINUE || node->parent != NULL;
    }
    if (node->state == STEP_CANCELLED) {
        return true;
    }
    if (!node->step->runs_after_failure || !step_state_is_final(node->state)) {
        return false;
    }
    CLEANUP(memory_cleanup) bool *seen = memory_new(engine->plan->steps.count, sizeof *seen);
    return has_failed_ancestor(engine, node->step, seen) || engine->halting > 0;
}
