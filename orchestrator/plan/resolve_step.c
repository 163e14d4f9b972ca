/* What a step needs besides its arguments: whether it runs, its environment, its items. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "plan/resolution.h"

/* A condition's value; only what cannot be mistaken for an answer is refused. */
static int evaluate_condition(struct resolution *r, const struct node *node, bool *ret_holds)
{
    struct template parsed;
    size_t offset;
    if (template_parse_condition(node->text, &parsed, &offset, r->err) != 0) {
        resolution_fail(r, node, offset);
        return -1;
    }
    json_t *value = resolution_evaluate(r, node, template_only_expression(&parsed));
    offset = template_only_expression(&parsed)->offset;
    template_release(&parsed);
    bool empty;
    int result = value != NULL ? value_is_empty(value, &empty, r->err) : -1;
    if (result == 0) {
        *ret_holds = !empty;
    } else {
        resolution_fail(r, node, offset);
    }
    json_decref(value);
    return result;
}

static int resolve_condition_node(const struct plan *plan, const struct node *node,
                                  const struct context *context, bool *ret_holds, struct error *err)
{
    if (node == NULL || node->kind == NODE_BOOLEAN) {
        *ret_holds = node == NULL || node->boolean;
        return 0;
    }
    struct error local = ERROR_INIT;
    struct resolution r;
    struct resolved out;
    resolution_begin(&r, plan->document, context, &out, &local);
    int result = evaluate_condition(&r, node, ret_holds);
    buffer_release(&r.pointer);
    resolved_release(&out);
    if (result != 0) {
        error_move(err, &local);
    }
    return result;
}

/* A copy of the context with the environment that the step is going to have. */
static int with_environment(const struct plan *plan, const struct plan_step *step,
                            const struct context *context, struct context *ret, struct error *err)
{
    struct resolved environment;
    if (resolve_env(plan, step, context, &environment, err) != 0) {
        return -1;
    }
    context_copy(ret, context);
    resolve_overlay_env(ret, &environment);
    resolved_release(&environment);
    return 0;
}

/* Whether a condition or for_each may ask for env; making one is not free. */
static bool may_use_env(const struct node *node)
{
    return node->kind != NODE_TEXT || strstr(node->text, "env") != NULL;
}

int resolve_condition(const struct plan *plan, const struct plan_step *step,
                      const struct context *context, bool *ret_holds, struct error *err)
{
    struct context own;
    if (step->condition == NULL || !may_use_env(step->condition)) {
        return resolve_condition_node(plan, step->condition, context, ret_holds, err);
    }
    if (with_environment(plan, step, context, &own, err) != 0) {
        return -1;
    }
    int result = resolve_condition_node(plan, step->condition, &own, ret_holds, err);
    context_release(&own);
    return result;
}

int resolve_probe(const struct plan *plan, const struct plan_step *step,
                  const struct context *context, bool *ret_done, struct resolved *ret,
                  struct error *err)
{
    bool done;
    if (resolve_condition_node(plan, step->probe_expect, context, &done, err) != 0) {
        return -1;
    }
    struct resolved outputs = {json_object(), json_array(), json_array()};
    if (done && step->probe_outputs != NULL) {
        resolved_release(&outputs);
        if (resolve_value(plan, step->probe_outputs, context, &outputs, err) != 0) {
            return -1;
        }
    }
    *ret = outputs;
    *ret_done = done;
    return 0;
}

/* --- environment --- */

/* Adds a map's variables to the environment, evaluated with the context. */
static int add_environment(struct resolution *r, const struct node *map, json_t *environment)
{
    for (size_t i = 0; map != NULL && i < map->count; i++) {
        const struct node *node = map->items[i];
        size_t before = resolution_enter(r, map->keys[i]->text);
        CLEANUP(json_cleanup) json_t *value = resolution_as_text(r, node);
        resolution_leave(r, before);
        char *text;
        if (value == NULL) {
            return -1;
        }
        if (json_is_null(value)) {
            json_object_set_new(environment, map->keys[i]->text, json_null());
            continue;
        }
        if (value_to_text(value, &text, r->err) != 0) {
            resolution_fail(r, node, RESOLUTION_WHOLE);
            return -1;
        }
        json_object_set_new(environment, map->keys[i]->text, json_string(text));
        free(text);
    }
    return 0;
}

/* The mirror of an environment from its pointers, over what was secret before. */
static json_t *environment_mirror(const json_t *before, const json_t *secret_paths)
{
    json_t *mirror =
        json_is_object(before) ? json_copy((json_t *)(uintptr_t)before) : json_object();
    size_t i;
    json_t *path;
    json_array_foreach (secret_paths, i, path) {
        json_object_set_new(mirror, json_string_value(path) + 1, json_true());
    }
    return mirror;
}

static void overlay(struct context *context, const json_t *environment, const json_t *secret_paths)
{
    json_t *env = json_object_get(context->values, "env");
    json_t *values = env != NULL ? json_copy(env) : json_object();
    json_object_update(values, (json_t *)(uintptr_t)environment);
    context_set(context, "env", values,
                environment_mirror(json_object_get(context->secrets, "env"), secret_paths));
}

void resolve_overlay_env(struct context *context, const struct resolved *environment)
{
    overlay(context, environment->value, environment->secret_paths);
}

static int build_environment(struct resolution *r, const struct node *plan_env,
                             const struct node *step_env, json_t *environment)
{
    const struct context *outer = r->context;
    struct context own;
    context_copy(&own, outer);
    r->context = &own;
    int result = add_environment(r, plan_env, environment);
    if (result == 0) {
        overlay(&own, environment, r->out->secret_paths);
        result = add_environment(r, step_env, environment);
    }
    r->context = outer;
    context_release(&own);
    return result;
}

static int resolve_environment(const struct plan *plan, const struct node *step_env,
                               const struct context *context, struct resolved *ret,
                               struct error *err)
{
    struct error local = ERROR_INIT;
    struct resolution r;
    struct resolved out;
    resolution_begin(&r, plan->document, context, &out, &local);
    json_t *environment = json_object();
    if (build_environment(&r, plan->env, step_env, environment) != 0) {
        json_cleanup(&environment);
    }
    int result = resolution_end(&r, environment, ret);
    if (result != 0) {
        error_move(err, &local);
    }
    return result;
}

int resolve_env(const struct plan *plan, const struct plan_step *step,
                const struct context *context, struct resolved *ret, struct error *err)
{
    return resolve_environment(plan, step != NULL ? step->env : NULL, context, ret, err);
}

int resolve_undo_env(const struct plan *plan, const struct plan_step *step,
                     const struct context *context, struct resolved *ret, struct error *err)
{
    return resolve_environment(plan, step->undo_env, context, ret, err);
}

/* --- for_each --- */

/* The key of a list's item: the item itself when all are scalars, else its index. */
static char *item_key(const json_t *list, size_t index, bool scalars)
{
    char *text;
    if (scalars && value_to_text(json_array_get(list, index), &text, NULL) == 0) {
        return text;
    }
    return memory_format("%zu", index);
}

static bool all_are_scalars(const json_t *list)
{
    size_t i;
    json_t *item;
    json_array_foreach (list, i, item) {
        if (json_is_null(item) || json_is_array(item) || json_is_object(item)) {
            return false;
        }
    }
    return true;
}

static json_t *key_items(const struct plan *plan, const struct plan_step *step, const json_t *list,
                         struct error *err)
{
    json_t *items = json_object();
    bool scalars = all_are_scalars(list);
    for (size_t i = 0; i < json_array_size(list); i++) {
        CLEANUP(memory_cleanup) char *key = item_key(list, i, scalars);
        if (json_object_get(items, key) != NULL) {
            plan_error(plan, step->for_each->at, err,
                       "for_each of the step '%s' has an item twice, and items need different "
                       "names",
                       step->id);
            json_decref(items);
            return NULL;
        }
        json_object_set(items, key, json_array_get(list, i));
    }
    return items;
}

/* Names go into file names and onto terminals. */
static int check_item_keys(const struct plan *plan, const struct plan_step *step,
                           const json_t *items, struct error *err)
{
    if (json_object_size(items) > RESOLVE_ITEM_LIMIT) {
        return plan_error(plan, step->for_each->at, err,
                          "for_each of the step '%s' has more than %d items", step->id,
                          RESOLVE_ITEM_LIMIT);
    }
    const char *key;
    json_t *unused;
    json_object_foreach ((json_t *)(uintptr_t)items, key, unused) {
        bool good = *key != '\0' && strlen(key) <= RESOLVE_ITEM_KEY_LIMIT;
        for (const char *at = key; *at != '\0'; at++) {
            good = good && (unsigned char)*at >= 0x20 && *at != 0x7f;
        }
        if (!good) {
            return plan_error(plan, step->for_each->at, err,
                              "for_each of the step '%s' has an item whose name is empty, too "
                              "long or has control characters",
                              step->id);
        }
    }
    return 0;
}

/* The items with their keys; NULL after an error. */
static json_t *items_of(const struct plan *plan, const struct plan_step *step,
                        const struct resolved *resolved, struct error *err)
{
    json_t *items = NULL;
    if (json_array_size(resolved->secret_paths) != 0) {
        plan_error(plan, step->for_each->at, err,
                   "a secret among the items of for_each would show in the journal");
    } else if (json_is_object(resolved->value)) {
        items = json_incref(resolved->value);
    } else if (json_is_array(resolved->value)) {
        items = key_items(plan, step, resolved->value, err);
    } else {
        plan_error(plan, step->for_each->at, err, "for_each is a list or a map, and this gives %s",
                   value_phrase(resolved->value));
    }
    if (items != NULL && check_item_keys(plan, step, items, err) != 0) {
        json_cleanup(&items);
    }
    return items;
}

int resolve_items(const struct plan *plan, const struct plan_step *step,
                  const struct context *context, struct resolved *ret, struct error *err)
{
    struct context own;
    struct resolved resolved;
    if (with_environment(plan, step, context, &own, err) != 0) {
        return -1;
    }
    int result = resolve_value(plan, step->for_each, &own, &resolved, err);
    context_release(&own);
    if (result != 0) {
        return -1;
    }
    json_t *items = items_of(plan, step, &resolved, err);
    if (items == NULL) {
        resolved_release(&resolved);
        return -1;
    }
    json_decref(resolved.value);
    resolved.value = items;
    *ret = resolved;
    return 0;
}
