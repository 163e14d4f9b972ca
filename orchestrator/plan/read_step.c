/* The steps of a plan: keys by table first, then the graph, once all names are known. A step
 * without `needs` waits for the step above it, since a runbook is read from top to bottom. */
#include <string.h>

#include "base/nearest.h"
#include "plan/convert.h"
#include "plan/reader.h"
#include "plan/template.h"

enum { ATTEMPT_LIMIT = 100, DEFAULT_BACKOFF_MS = 5 * 1000, DEFAULT_MAX_BACKOFF_MS = 2 * 60 * 1000 };

#define BIT(code) (UINT32_C(1) << (code))

/* What may go better the next time by itself. */
#define DEFAULT_RETRY_ON                                                                           \
    (BIT(ERROR_FAILED) | BIT(ERROR_IO) | BIT(ERROR_NETWORK) | BIT(ERROR_THROTTLED) |               \
     BIT(ERROR_TIMEOUT))

#define SCHEMA_TEXT "{\"type\":\"string\"}"

/* --- calls: an action with its arguments --- */

static void read_uses(struct reader *reader, struct plan_call *call, const struct node *value)
{
    const char *name = reader_text(reader, value, "an action's name");
    if (name != NULL && node_has_expression(value)) {
        reader_complain(reader, value, "the action is part of the plan and cannot be computed");
    } else if (name != NULL) {
        call->uses = name;
        call->at = value->at;
    }
}

static void read_with(struct reader *reader, struct plan_call *call, const struct node *value)
{
    if (value->kind != NODE_NULL) {
        call->with = reader_of_kind(reader, value, NODE_MAP, "with");
    }
}

static void read_step_uses(struct reader *reader, void *target, const struct node *value)
{
    read_uses(reader, &((struct plan_step *)target)->call, value);
}

static void read_step_with(struct reader *reader, void *target, const struct node *value)
{
    read_with(reader, &((struct plan_step *)target)->call, value);
}

/* --- unless --- */

static void read_probe_uses(struct reader *reader, void *target, const struct node *value)
{
    read_uses(reader, &((struct plan_step *)target)->probe, value);
}

static void read_probe_with(struct reader *reader, void *target, const struct node *value)
{
    read_with(reader, &((struct plan_step *)target)->probe, value);
}

static void read_probe_expect(struct reader *reader, void *target, const struct node *value)
{
    if (reader_text(reader, value, "a condition") != NULL) {
        ((struct plan_step *)target)->probe_expect = value;
    }
}

static void read_probe_outputs(struct reader *reader, void *target, const struct node *value)
{
    ((struct plan_step *)target)->probe_outputs =
        reader_of_kind(reader, value, NODE_MAP, "outputs");
}

const struct key_rule probe_rules[] = {
    {"uses", true, read_probe_uses, NULL, "the action that looks"},
    {"with", false, read_probe_with, "{\"type\":\"object\"}", "its parameters"},
    {"expect", false, read_probe_expect, SCHEMA_TEXT,
     "a condition over probe.outputs; without it the action's success says that all is done"},
    {"outputs", false, read_probe_outputs, "{\"type\":\"object\"}",
     "the step's outputs in that case, from probe.outputs"},
    {NULL, false, NULL, NULL, NULL},
};

/* --- undo --- */

static void read_undo_uses(struct reader *reader, void *target, const struct node *value)
{
    read_uses(reader, &((struct plan_step *)target)->undo, value);
}

static void read_undo_with(struct reader *reader, void *target, const struct node *value)
{
    read_with(reader, &((struct plan_step *)target)->undo, value);
}

static void read_undo_env(struct reader *reader, void *target, const struct node *value)
{
    ((struct plan_step *)target)->undo_env = reader_env(reader, value);
}

const struct key_rule undo_rules[] = {
    {"uses", true, read_undo_uses, NULL, "the action that undoes it"},
    {"with", false, read_undo_with, "{\"type\":\"object\"}", "its parameters"},
    {"env", false, read_undo_env, "{\"type\":\"object\"}", "its environment"},
    {NULL, false, NULL, NULL, NULL},
};

/* --- retry --- */

static void read_attempts(struct reader *reader, void *target, const struct node *value)
{
    struct plan_retry *retry = target;
    if (value->kind == NODE_INTEGER && value->integer >= 1 && value->integer <= ATTEMPT_LIMIT) {
        retry->attempts = (unsigned)value->integer;
    } else {
        reader_complain(reader, value, "attempts is a whole number from 1 to %d", ATTEMPT_LIMIT);
    }
}

static void read_backoff(struct reader *reader, void *target, const struct node *value)
{
    reader_duration(reader, value, &((struct plan_retry *)target)->backoff_ms);
}

static void read_max_backoff(struct reader *reader, void *target, const struct node *value)
{
    reader_duration(reader, value, &((struct plan_retry *)target)->max_backoff_ms);
}

static void read_failure_name(struct reader *reader, uint32_t *on, const struct node *value)
{
    const char *name = reader_text(reader, value, "a kind of failure");
    enum error_code code = name != NULL ? error_code_from_name(name) : ERROR_NONE;
    if (name == NULL) {
        return;
    }
    if (code != ERROR_NONE) {
        *on |= BIT(code);
        return;
    }
    struct nearest nearest;
    nearest_init(&nearest, name);
    for (int known = ERROR_FAILED; known <= ERROR_NOT_FOUND; known++) {
        nearest_offer(&nearest, error_code_name((enum error_code)known));
    }
    struct error *err = reader_complain(reader, value, "there is no kind of failure '%s'", name);
    if (nearest.best != NULL) {
        error_hint(err, "did you mean '%s'?", nearest.best);
    } else {
        error_hint(err, "failed, io, network, throttled, timeout, not_found, not_ready, unknown");
    }
}

static void read_retry_on(struct reader *reader, void *target, const struct node *value)
{
    struct plan_retry *retry = target;
    if (reader_of_kind(reader, value, NODE_LIST, "on") == NULL) {
        return;
    }
    retry->on = 0;
    for (size_t i = 0; i < value->count; i++) {
        read_failure_name(reader, &retry->on, value->items[i]);
    }
}

const struct key_rule retry_rules[] = {
    {"attempts", true, read_attempts, "{\"type\":\"integer\",\"minimum\":1,\"maximum\":100}",
     "how often in all"},
    {"backoff", false, read_backoff, SCHEMA_TEXT,
     "before the second attempt (5s); then it doubles"},
    {"max_backoff", false, read_max_backoff, SCHEMA_TEXT, "the longest wait (2m)"},
    {"on", false, read_retry_on, "{\"type\":\"array\",\"items\":{\"type\":\"string\"}}",
     "which failures are worth another attempt"},
    {NULL, false, NULL, NULL, NULL},
};

/* --- the step's own keys --- */

static void read_step_name(struct reader *reader, void *target, const struct node *value)
{
    struct plan_step *step = target;
    const char *name = reader_text(reader, value, "a name");
    step->name = name != NULL ? name : step->name;
}

static void read_step_description(struct reader *reader, void *target, const struct node *value)
{
    ((struct plan_step *)target)->description = reader_text(reader, value, "a description");
}

static void read_needs(struct reader *reader, void *target, const struct node *value)
{
    /* Bound by bind_needs() once all steps are known. */
    (void)target;
    reader_texts(reader, value, "needs");
}

/* Parse errors are left to plan_validate(), which looks at every template. */
static bool asks_for_status(const struct node *condition)
{
    static const char *const names[] = {"always", "failure", "cancelled"};
    struct template parsed;
    size_t unused;
    bool asks = false;
    if (condition->kind != NODE_TEXT ||
        template_parse_condition(condition->text, &parsed, &unused, NULL) != 0) {
        return false;
    }
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        asks |= expression_calls(template_only_expression(&parsed), names[i]);
    }
    template_release(&parsed);
    return asks;
}

static void read_if(struct reader *reader, void *target, const struct node *value)
{
    struct plan_step *step = target;
    if (value->kind != NODE_TEXT && value->kind != NODE_BOOLEAN) {
        reader_complain(reader, value, "a condition is wanted, and this is %s",
                        node_kind_phrase(value));
        return;
    }
    step->condition = value;
    step->runs_after_failure = asks_for_status(value);
}

static void read_unless(struct reader *reader, void *target, const struct node *value)
{
    reader_map(reader, value, probe_rules, NULL, "a probe", target);
}

static void read_step_env(struct reader *reader, void *target, const struct node *value)
{
    ((struct plan_step *)target)->env = reader_env(reader, value);
}

static void read_timeout(struct reader *reader, void *target, const struct node *value)
{
    struct plan_step *step = target;
    step->timeout = value;
    reader_duration(reader, value, &step->timeout_ms);
}

static void read_retry(struct reader *reader, void *target, const struct node *value)
{
    struct plan_step *step = target;
    step->retry.backoff_ms = DEFAULT_BACKOFF_MS;
    step->retry.max_backoff_ms = DEFAULT_MAX_BACKOFF_MS;
    step->retry.on = DEFAULT_RETRY_ON;
    if (value->kind == NODE_INTEGER) {
        read_attempts(reader, &step->retry, value);
    } else {
        reader_map(reader, value, retry_rules, NULL, "retry", &step->retry);
    }
    if (step->retry.max_backoff_ms < step->retry.backoff_ms) {
        step->retry.max_backoff_ms = step->retry.backoff_ms;
    }
}

static void read_on_failure(struct reader *reader, void *target, const struct node *value)
{
    static const struct {
        const char *word;
        enum plan_on_failure meaning;
    } words[] = {{"stop", PLAN_ON_FAILURE_STOP},
                 {"continue", PLAN_ON_FAILURE_CONTINUE},
                 {"ask", PLAN_ON_FAILURE_ASK}};
    const char *word = reader_text(reader, value, "on_failure");
    if (word == NULL) {
        return;
    }
    for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
        if (strcmp(words[i].word, word) == 0) {
            ((struct plan_step *)target)->on_failure = words[i].meaning;
            return;
        }
    }
    reader_complain(reader, value, "on_failure is stop, continue or ask, and not '%s'", word);
}

static void read_undo(struct reader *reader, void *target, const struct node *value)
{
    reader_map(reader, value, undo_rules, NULL, "an undo", target);
}

static void read_for_each(struct reader *reader, void *target, const struct node *value)
{
    if (value->kind == NODE_LIST || value->kind == NODE_MAP || node_has_expression(value)) {
        ((struct plan_step *)target)->for_each = value;
        return;
    }
    struct error *err = reader_complain(
        reader, value, "for_each is a list, a map or an expression that gives one, and this is %s",
        node_kind_phrase(value));
    if (value->kind == NODE_TEXT) {
        error_hint(err, "write ${{ … }} around it");
    }
}

static void read_locks(struct reader *reader, void *target, const struct node *value)
{
    ((struct plan_step *)target)->locks = reader_texts(reader, value, "locks");
}

static void read_memory(struct reader *reader, void *target, const struct node *value)
{
    struct plan_step *step = target;
    const char *text = reader_text(reader, value, "memory");
    struct error err = ERROR_INIT;
    if (text == NULL) {
        return;
    }
    step->memory = value;
    if (!node_has_expression(value) && convert_size(text, &step->memory_bytes, &err) != 0) {
        error_hint(reader_complain(reader, value, "%s", err.message), "%s", err.hint);
        error_release(&err);
    }
}

static void read_confirm(struct reader *reader, void *target, const struct node *value)
{
    if (reader_text(reader, value, "a question") != NULL) {
        ((struct plan_step *)target)->confirm = value;
    }
}

const struct key_rule step_rules[] = {
    {"name", false, read_step_name, SCHEMA_TEXT, "what people see; the id by itself"},
    {"description", false, read_step_description, SCHEMA_TEXT, "for the runbook: what and why"},
    {"uses", true, read_step_uses, NULL, "the action"},
    {"with", false, read_step_with, NULL, "its parameters"},
    {"needs", false, read_needs,
     "{\"type\":[\"string\",\"array\"],\"items\":{\"type\":\"string\"}}",
     "the steps that it waits for; the step above by itself, [] for none"},
    {"if", false, read_if, "{\"type\":[\"string\",\"boolean\"]}",
     "a condition; false skips the step"},
    {"unless", false, read_unless, NULL, "a probe: when it succeeds, the step is done already"},
    {"for_each", false, read_for_each, "{\"type\":[\"string\",\"array\",\"object\"]}",
     "runs once for each item, as each.key and each.value"},
    {"env", false, read_step_env, "{\"type\":\"object\"}", "environment variables of its children"},
    {"timeout", false, read_timeout, SCHEMA_TEXT, "of one attempt"},
    {"retry", false, read_retry, NULL, "how often, and after which failures"},
    {"on_failure", false, read_on_failure, "{\"enum\":[\"stop\",\"continue\",\"ask\"]}",
     "what its failure means for the run"},
    {"undo", false, read_undo, NULL, "the action that rollback runs for it"},
    {"locks", false, read_locks,
     "{\"type\":[\"string\",\"array\"],\"items\":{\"type\":\"string\"}}",
     "names; steps that share one never run side by side"},
    {"memory", false, read_memory, SCHEMA_TEXT, "what an attempt needs: 512MiB, 2GiB"},
    {"confirm", false, read_confirm, SCHEMA_TEXT, "a question that a person must answer first"},
    {NULL, false, NULL, NULL, NULL},
};

static const struct key_advice step_advice[] = {
    {"run", "use the action exec: 'uses: exec', 'with: {command: [...]}'"},
    {"script", "use the action exec: 'uses: exec', 'with: {command: [...]}'"},
    {"depends_on", "write 'needs'"},
    {"dependsOn", "write 'needs'"},
    {"when", "write 'if'"},
    {"action", "write 'uses'"},
    {"args", "parameters stand under 'with'"},
    {"parameters", "parameters stand under 'with'"},
    {"environment", "write 'env'"},
    {"timeout-minutes", "write 'timeout: 30m'"},
    {"retries", "write 'retry: 3'"},
    {"continue-on-error", "write 'on_failure: continue'"},
    {"matrix", "write 'for_each'"},
    {"foreach", "write 'for_each'"},
    {"loop", "write 'for_each'"},
    {"id", "the id is the key that the step stands under"},
    {NULL, NULL},
};

static void read_step(struct reader *reader, const struct node *key, const struct node *value)
{
    struct plan *plan = reader->plan;
    struct plan_step step = {.id = key->text,
                             .index = plan->steps.count,
                             .name = key->text,
                             .retry = {.attempts = 1},
                             .at = key->at};
    reader_name(reader, key, "a step");
    if (value->kind == NODE_NULL) {
        reader_complain(reader, key, "the step '%s' is empty", key->text);
    } else {
        reader_map(reader, value, step_rules, step_advice, "a step", &step);
    }
    table_set(&plan->step_index, step.id, step.index);
    vector_push(&plan->steps, step);
}

/* --- the graph --- */

static void add_need(struct plan_step *step, size_t index)
{
    size_t at = step->needs.count;
    vector_push(&step->needs, index);
    while (at > 0 && step->needs.items[at - 1] > index) {
        step->needs.items[at] = step->needs.items[at - 1];
        at--;
    }
    step->needs.items[at] = index;
}

static bool has_need(const struct plan_step *step, size_t index)
{
    vector_each (const size_t *, need, &step->needs) {
        if (*need == index) {
            return true;
        }
    }
    return false;
}

static void unknown_need(struct reader *reader, const struct node *value)
{
    struct nearest nearest;
    nearest_init(&nearest, value->text);
    vector_each (const struct plan_step *, step, &reader->plan->steps) {
        nearest_offer(&nearest, step->id);
    }
    struct error *err =
        reader_complain(reader, value, "there is no step '%s' to wait for", value->text);
    if (nearest.best != NULL) {
        error_hint(err, "did you mean '%s'?", nearest.best);
    }
}

static void bind_need(struct reader *reader, struct plan_step *step, const struct node *value)
{
    if (value->text == NULL || value->kind == NODE_NULL) {
        return;
    }
    const struct plan_step *other = plan_find_step(reader->plan, value->text);
    if (other == NULL) {
        unknown_need(reader, value);
    } else if (other == step) {
        reader_complain(reader, value, "the step '%s' waits for itself", step->id);
    } else if (has_need(step, other->index)) {
        reader_complain(reader, value, "'%s' stands here twice", value->text);
    } else {
        add_need(step, other->index);
    }
}

static void bind_needs(struct reader *reader, struct plan_step *step, const struct node *needs)
{
    if (needs == NULL) {
        step->needs_are_implied = step->index > 0;
        if (step->index > 0) {
            add_need(step, step->index - 1);
        }
    } else if (needs->kind == NODE_LIST) {
        for (size_t i = 0; i < needs->count; i++) {
            bind_need(reader, step, needs->items[i]);
        }
    } else {
        bind_need(reader, step, needs);
    }
}

void reader_steps(struct reader *reader, const struct node *steps)
{
    struct plan *plan = reader->plan;
    if (steps->kind != NODE_MAP || steps->count == 0) {
        bool is_empty = steps->text == NULL || steps->kind == NODE_NULL;
        struct error *err =
            reader_complain(reader, steps, "%s",
                            is_empty && steps->count == 0 ? "the plan has no steps"
                                                          : "steps is a map: name to step");
        error_hint(err, "write 'steps:' and below it, indented, 'name-of-the-step:'");
        return;
    }
    if (steps->count > PLAN_STEP_LIMIT) {
        reader_complain(reader, steps, "a plan has at most %d steps, and this has %zu",
                        PLAN_STEP_LIMIT, steps->count);
        return;
    }
    for (size_t i = 0; i < steps->count; i++) {
        read_step(reader, steps->keys[i], steps->items[i]);
    }
    for (size_t i = 0; i < plan->steps.count; i++) {
        bind_needs(reader, &plan->steps.items[i], node_get(steps->items[i], "needs"));
    }
}
