/* What has to be fixed before a run begins, although the plan may compute it from its inputs:
 * timeouts, locks, memory, objectives, the target. Settling again from the same inputs gives the
 * same, which is how a resumed run gets them back. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "plan/convert.h"
#include "plan/reader.h"
#include "plan/resolve.h"

struct settling {
    struct plan *plan;
    const struct context *context;
    struct error_list *errors;
};

/* The text of a template; NULL after an error, which is reported. The caller frees it. */
static char *settle_text(struct settling *s, const struct node *node)
{
    struct error err = ERROR_INIT;
    char *text = NULL;
    bool secret = false;
    if (resolve_text(s->plan, node, s->context, &text, &secret, &err) == 0 && secret) {
        plan_error(s->plan, node->at, &err, "a secret would show here");
        memory_free_secret(text);
        text = NULL;
    }
    error_list_add(s->errors, &err);
    return text;
}

/* Reports why a text is not what it has to be. */
static void refuse(struct settling *s, const struct node *node, struct error *why)
{
    struct error err = ERROR_INIT;
    plan_error(s->plan, node->at, &err, "%s", why->message);
    if (why->hint != NULL) {
        error_hint(&err, "%s", why->hint);
    }
    error_release(why);
    error_list_add(s->errors, &err);
}

static void settle_duration(struct settling *s, const struct node *node, int64_t *ret_ms)
{
    CLEANUP(memory_cleanup) char *text = settle_text(s, node);
    struct error err = ERROR_INIT;
    if (text != NULL && clock_parse_duration(text, ret_ms, &err) != 0) {
        refuse(s, node, &err);
    }
}

/* An objective's goal: a duration or, by an expression, none. */
static void settle_goal(struct settling *s, const struct node *node, int64_t *ret_ms)
{
    struct resolved resolved;
    struct error err = ERROR_INIT;
    *ret_ms = -1;
    if (node == NULL) {
        return;
    }
    if (resolve_value(s->plan, node, s->context, &resolved, &err) != 0) {
        error_list_add(s->errors, &err);
        return;
    }
    const char *text = json_string_value(resolved.value);
    bool is_none =
        json_is_null(resolved.value) ||
        (text != NULL && (strcasecmp(text, "n/a") == 0 || strcasecmp(text, "none") == 0));
    resolved_release(&resolved);
    if (!is_none) {
        settle_duration(s, node, ret_ms);
    }
}

static void settle_memory(struct settling *s, const struct node *node, uint64_t *ret_bytes)
{
    CLEANUP(memory_cleanup) char *text = settle_text(s, node);
    struct error err = ERROR_INIT;
    if (text != NULL && convert_size(text, ret_bytes, &err) != 0) {
        refuse(s, node, &err);
    }
}

/* The texts of a template that gives text or a list of it, into a vector of owned texts. */
#define SETTLE_TEXTS(s, node, vector)                                                              \
    do {                                                                                           \
        vector_each (char **, old, vector) {                                                       \
            free(*old);                                                                            \
        }                                                                                          \
        vector_release(vector);                                                                    \
        json_t *texts = settle_texts(s, node);                                                     \
        for (size_t i = 0; i < json_array_size(texts); i++) {                                      \
            vector_push(vector, memory_text(json_string_value(json_array_get(texts, i))));         \
        }                                                                                          \
        json_decref(texts);                                                                        \
    } while (0)

static json_t *settle_texts(struct settling *s, const struct node *node)
{
    struct resolved resolved;
    struct error err = ERROR_INIT;
    if (node == NULL) {
        return json_array();
    }
    if (resolve_value(s->plan, node, s->context, &resolved, &err) != 0) {
        error_list_add(s->errors, &err);
        return json_array();
    }
    CLEANUP(json_cleanup) json_t *list = json_incref(resolved.value);
    if (!json_is_array(list)) {
        json_decref(list);
        list = json_array();
        if (!json_is_null(resolved.value)) {
            json_array_append(list, resolved.value);
        }
    }
    resolved_release(&resolved);
    struct wanted wanted = {.type = VALUE_STRINGS};
    json_t *texts = convert_value(&wanted, list, &err);
    if (texts == NULL) {
        refuse(s, node, &err);
        return json_array();
    }
    return texts;
}

static void settle_step(struct settling *s, struct plan_step *step)
{
    if (step->timeout != NULL) {
        settle_duration(s, step->timeout, &step->timeout_ms);
    }
    if (step->memory != NULL) {
        settle_memory(s, step->memory, &step->memory_bytes);
    } else {
        step->memory_bytes = step->call.action != NULL ? step->call.action->memory_bytes : 0;
    }
    SETTLE_TEXTS(s, step->locks, &step->lock_names);
}

/* site.name/inputs.environment, as far as there are such; the plan's name otherwise. */
static char *default_target(const struct settling *s)
{
    const json_t *values = s->context->values;
    const char *site = json_get_text(json_object_get(values, "site"), "name");
    const char *environment = json_get_text(json_object_get(values, "inputs"), "environment");
    if (site == NULL && environment == NULL) {
        return memory_text(s->plan->name);
    }
    return memory_format("%s%s%s", site != NULL ? site : "", site != NULL && environment ? "/" : "",
                         environment != NULL ? environment : "");
}

static void settle_all(struct settling *s)
{
    struct plan *plan = s->plan;
    vector_each (struct plan_step *, step, &plan->steps) {
        settle_step(s, step);
    }
    vector_each (struct plan_objective *, objective, &plan->objectives) {
        settle_goal(s, objective->rto, &objective->rto_ms);
        settle_goal(s, objective->rpo, &objective->rpo_ms);
    }
    SETTLE_TEXTS(s, plan->without, &plan->without_regions);
    free(plan->target_name);
    plan->target_name = plan->target != NULL ? settle_text(s, plan->target) : default_target(s);
}

void plan_settle(struct plan *plan, const struct context *context, struct error_list *errors)
{
    struct context own;
    struct resolved environment;
    struct error err = ERROR_INIT;
    context_copy(&own, context);
    if (resolve_env(plan, NULL, context, &environment, &err) == 0) {
        resolve_overlay_env(&own, &environment);
        resolved_release(&environment);
        struct settling s = {plan, &own, errors};
        settle_all(&s);
    }
    error_list_add(errors, &err);
    context_release(&own);
}
