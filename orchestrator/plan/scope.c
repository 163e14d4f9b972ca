/* Every path that an expression mentions, checked against what is known before the run: inputs and
 * steps by the plan, outputs by the catalogue, site by its file. */
#include "plan/scope.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/json.h"
#include "base/nearest.h"
#include "plan/template.h"

/* One reference of one scalar, with what is needed to report it. */
struct check {
    const struct scope *scope;
    const struct node *node;
    const struct reference *reference;
};

static struct error *complain_at(const struct scope *scope, const struct node *node, size_t offset,
                                 const char *format, va_list arguments) PRINTF_LIKE(4, 0);

static struct error *complain_at(const struct scope *scope, const struct node *node, size_t offset,
                                 const char *format, va_list arguments)
{
    if (error_list_is_full(scope->errors)) {
        scope->errors->dropped++;
        return NULL;
    }
    struct mark at = document_position(scope->plan->document, node, offset);
    char *message = memory_format_v(format, arguments);
    struct error *err = error_list_add_at(scope->errors, ERROR_INVALID, scope->plan->document->file,
                                          at.line, at.column, "%s", message);
    free(message);
    return err;
}

/* A new error at a part of the reference. */
static struct error *complain(const struct check *check, size_t part, const char *format, ...)
    PRINTF_LIKE(3, 4);

static struct error *complain(const struct check *check, size_t part, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    struct error *err = complain_at(check->scope, check->node,
                                    check->reference->offsets.items[part], format, arguments);
    va_end(arguments);
    return err;
}

static void did_you_mean(struct error *err, const struct nearest *nearest)
{
    if (nearest->best != NULL) {
        error_hint(err, "did you mean '%s'?", nearest->best);
    }
}

static const char *part(const struct check *check, size_t index)
{
    return index < check->reference->parts.count ? check->reference->parts.items[index] : NULL;
}

/* --- inputs --- */

static void hint_inputs(struct error *err, const struct plan *plan)
{
    CLEANUP(buffer_release) struct buffer names = BUFFER_INIT;
    vector_each (const struct plan_input *, input, &plan->inputs) {
        buffer_append_format(&names, "%s%s", names.size_bytes != 0 ? ", " : "", input->name);
    }
    error_hint(err, "it has %s", names.size_bytes != 0 ? buffer_text(&names) : "none");
}

static void check_input(const struct check *check)
{
    const char *name = part(check, 1);
    const struct plan *plan = check->scope->plan;
    struct nearest nearest;
    if (name == NULL) {
        return;
    }
    nearest_init(&nearest, name);
    for (size_t i = 0; i < plan->inputs.count; i++) {
        const struct plan_input *input = &plan->inputs.items[i];
        bool known = i < check->scope->inputs_known;
        if (strcmp(input->name, name) == 0) {
            if (!known) {
                complain(check, 1, "the input '%s' is not known yet: it stands further down", name);
            } else if (part(check, 2) != NULL && input->type != VALUE_MAP &&
                       input->type != VALUE_STRING_MAP && input->type != VALUE_ANY) {
                complain(check, 2, "the input '%s' is %s and has no '%s'", name,
                         value_type_phrase(input->type), part(check, 2));
            }
            return;
        }
        nearest_offer(&nearest, input->name);
    }
    struct error *err = complain(check, 1, "the plan has no input '%s'", name);
    if (nearest.best != NULL) {
        did_you_mean(err, &nearest);
    } else {
        hint_inputs(err, plan);
    }
}

/* --- site --- */

static void check_site(const struct check *check)
{
    const json_t *value = check->scope->site;
    for (size_t i = 1; value != NULL && part(check, i) != NULL; i++) {
        json_t *child = json_object_get(value, part(check, i));
        if (child == NULL && check->reference->may_be_missing) {
            return;
        }
        if (child == NULL) {
            struct nearest nearest;
            nearest_init(&nearest, part(check, i));
            const char *key;
            json_t *unused;
            json_object_foreach ((json_t *)(uintptr_t)value, key, unused) {
                nearest_offer(&nearest, key);
            }
            struct error *err =
                complain(check, i, "the site file has no '%s' there", part(check, i));
            did_you_mean(err, &nearest);
            return;
        }
        value = child;
    }
}

/* --- run, each, env: fixed names --- */

static void check_among(const struct check *check, size_t index, const char *const *known,
                        const char *what)
{
    const char *name = part(check, index);
    struct nearest nearest;
    if (name == NULL) {
        return;
    }
    nearest_init(&nearest, name);
    for (; *known != NULL; known++) {
        if (strcmp(*known, name) == 0) {
            return;
        }
        nearest_offer(&nearest, *known);
    }
    did_you_mean(complain(check, index, "%s has no '%s'", what, name), &nearest);
}

static void check_run(const struct check *check)
{
    static const char *const known[] = {"id",   "directory", "work", "started_at",
                                        "plan", "operator",  NULL};
    check_among(check, 1, known, "run");
}

static void check_each(const struct check *check)
{
    static const char *const known[] = {"key", "value", NULL};
    if (!check->scope->each) {
        struct error *err = complain(check, 0, "there is no 'each' here");
        error_hint(err, "only a step with for_each has one, in with, env, confirm, unless, undo");
        return;
    }
    check_among(check, 1, known, "each");
}

static bool map_has(const struct node *map, const char *key, struct nearest *nearest)
{
    for (size_t i = 0; map != NULL && i < map->count; i++) {
        if (strcmp(map->keys[i]->text, key) == 0) {
            return true;
        }
        nearest_offer(nearest, map->keys[i]->text);
    }
    return false;
}

static void check_env(const struct check *check)
{
    const char *name = part(check, 1);
    const struct plan_step *step = check->scope->step;
    struct nearest nearest;
    if (name == NULL) {
        /* All of it would be the operator's whole environment, credentials included. */
        complain(check, 0, "env needs the name of a variable: env.NAME");
        return;
    }
    if (check->reference->may_be_missing) {
        return;
    }
    nearest_init(&nearest, name);
    if (map_has(check->scope->plan->env, name, &nearest) ||
        (step != NULL && map_has(step->env, name, &nearest))) {
        return;
    }
    struct error *err = complain(check, 1, "no env of the plan or the step has '%s'", name);
    if (nearest.best != NULL) {
        did_you_mean(err, &nearest);
    } else {
        error_hint(err,
                   "for the operator's own write default(env.%s, '…'), or an input with 'env: %s'",
                   name, name);
    }
}

static bool knows_env(const struct check *check)
{
    const struct scope *scope = check->scope;
    if (scope->env || (scope->operator_env && check->reference->may_be_missing)) {
        return true;
    }
    struct error *err = complain(check, 0, "env is not known here yet");
    if (scope->operator_env) {
        error_hint(err, "for the operator's own write default(env.NAME, '…')");
    }
    return false;
}

/* --- steps --- */

/* outputs.NAME at the given part, of an action. */
static void check_output(const struct check *check, size_t index, const char *whose,
                         const struct plan_call *call, const struct node *probe_outputs)
{
    const char *name = part(check, index);
    if (name == NULL || call->action == NULL || call->action->open_outputs ||
        catalogue_output(call->action, name) != NULL || node_get(probe_outputs, name) != NULL) {
        return;
    }
    struct error *err =
        complain(check, index, "%s (%s) has no output '%s'", whose, call->uses, name);
    const char *nearest = catalogue_nearest_output(call->action, name);
    if (nearest != NULL) {
        error_hint(err, "did you mean '%s'?", nearest);
        return;
    }
    CLEANUP(buffer_release) struct buffer known = BUFFER_INIT;
    for (const struct output *o = call->action->outputs; o != NULL && o->name != NULL; o++) {
        buffer_append_format(&known, "%s%s", known.size_bytes != 0 ? ", " : "", o->name);
    }
    error_hint(err, "it has %s", known.size_bytes != 0 ? buffer_text(&known) : "none");
}

static const struct plan_step *find_step(const struct check *check)
{
    const struct plan *plan = check->scope->plan;
    const char *id = part(check, 1);
    const struct plan_step *step = plan_find_step(plan, id);
    if (step == NULL) {
        struct nearest nearest;
        nearest_init(&nearest, id);
        vector_each (const struct plan_step *, known, &plan->steps) {
            nearest_offer(&nearest, known->id);
        }
        did_you_mean(complain(check, 1, "there is no step '%s'", id), &nearest);
    }
    return step;
}

/* Whether the step's results are there when the expression is evaluated; reports when not. */
static bool is_known_by_then(const struct check *check, const struct plan_step *step)
{
    const struct scope *scope = check->scope;
    if (scope->all_steps || scope->graph->has_cycle) {
        return true;
    }
    if (scope->step == NULL) {
        struct error *err = complain(check, 0,
                                     "this is settled before the run begins, when no "
                                     "step has results");
        error_hint(err, "it can use inputs, site, env and run");
        return false;
    }
    if (step == scope->step) {
        if (!scope->own_step) {
            complain(check, 1, "the step '%s' uses its own results", step->id);
        }
        return scope->own_step;
    }
    if (graph_is_ancestor(scope->graph, step->index, scope->step->index)) {
        return true;
    }
    struct error *err = complain(check, 1,
                                 "the step '%s' does not wait for '%s', so its results "
                                 "may not be there yet",
                                 scope->step->id, step->id);
    if (graph_is_ancestor(scope->graph, scope->step->index, step->index)) {
        error_hint(err, "'%s' comes later", step->id);
    } else {
        error_hint(err, "add it: needs: [%s, …]", step->id);
    }
    return false;
}

static void check_step(const struct check *check)
{
    static const char *const known[] = {"outputs", "status", NULL};
    static const char *const known_each[] = {"outputs", "status", "items", NULL};
    if (part(check, 1) == NULL) {
        return;
    }
    const struct plan_step *step = find_step(check);
    if (step == NULL || !is_known_by_then(check, step)) {
        return;
    }
    CLEANUP(memory_cleanup) char *whose = memory_format("the step '%s'", step->id);
    bool own_item = check->scope->own_step && step == check->scope->step;
    bool by_item = step->for_each != NULL && !own_item;
    check_among(check, 2, by_item ? known_each : known, whose);
    if (part(check, 2) == NULL || strcmp(part(check, 2), "outputs") != 0) {
        return;
    }
    check_output(check, by_item ? 4 : 3, whose, &step->call, step->probe_outputs);
}

/* --- probe --- */

static void check_probe(const struct check *check)
{
    static const char *const known[] = {"outputs", "status", NULL};
    if (!check->scope->probe) {
        struct error *err = complain(check, 0, "there is no 'probe' here");
        error_hint(err, "only expect and outputs of 'unless' have one");
        return;
    }
    check_among(check, 1, known, "probe");
    if (part(check, 1) != NULL && strcmp(part(check, 1), "outputs") == 0) {
        check_output(check, 2, "the probe", &check->scope->step->probe, NULL);
    }
}

/* --- all of them --- */

static const struct {
    const char *root;
    void (*check)(const struct check *check);
} roots[] = {
    {"inputs", check_input}, {"site", check_site}, {"run", check_run},     {"env", check_env},
    {"steps", check_step},   {"each", check_each}, {"probe", check_probe},
};

static void check_reference(const struct check *check)
{
    const char *root = part(check, 0);
    struct nearest nearest;
    nearest_init(&nearest, root);
    for (size_t i = 0; i < ARRAY_SIZE(roots); i++) {
        if (strcmp(roots[i].root, root) == 0) {
            if (strcmp(root, "env") == 0 && !knows_env(check)) {
                return;
            }
            roots[i].check(check);
            return;
        }
        nearest_offer(&nearest, roots[i].root);
    }
    struct error *err = complain(check, 0, "'%s' is nothing that an expression knows", root);
    if (nearest.best != NULL) {
        did_you_mean(err, &nearest);
    } else {
        error_hint(err, "text needs 'single quotes'; names begin with inputs, site, steps, run, "
                        "env");
    }
}

static void check_expression(const struct scope *scope, const struct node *node,
                             const struct expression *expression)
{
    struct reference_list references = {0};
    expression_references(expression, &references);
    vector_each (const struct reference *, reference, &references.items) {
        struct check check = {scope, node, reference};
        check_reference(&check);
    }
    reference_list_release(&references);
}

static void check_parsed(const struct scope *scope, const struct node *node,
                         const struct template *parsed)
{
    vector_each (const struct template_part *, piece, &parsed->parts) {
        if (piece->expression != NULL) {
            check_expression(scope, node, piece->expression);
        }
    }
}

static void report_parse_error(const struct scope *scope, const struct node *node, size_t offset,
                               struct error *err)
{
    struct mark at = {0, 0};
    if (!error_list_is_full(scope->errors)) {
        at = document_position(scope->plan->document, node, offset);
    }
    err->file = memory_text(scope->plan->document->file);
    err->line = at.line;
    err->column = at.column;
    error_list_add(scope->errors, err);
}

static void check_text(const struct scope *scope, const struct node *node)
{
    struct template parsed;
    size_t offset;
    struct error err = ERROR_INIT;
    if (!template_is_needed(node->text)) {
        return;
    }
    if (template_parse(node->text, &parsed, &offset, &err) != 0) {
        report_parse_error(scope, node, offset, &err);
        return;
    }
    check_parsed(scope, node, &parsed);
    template_release(&parsed);
}

void scope_check(const struct scope *scope, const struct node *node)
{
    if (node == NULL) {
        return;
    }
    if (node->kind == NODE_TEXT) {
        check_text(scope, node);
    }
    for (size_t i = 0; i < node->count; i++) {
        if (node->kind == NODE_MAP) {
            scope_check(scope, node->keys[i]);
        }
        scope_check(scope, node->items[i]);
    }
}

void scope_check_condition(const struct scope *scope, const struct node *node)
{
    struct template parsed;
    size_t offset;
    struct error err = ERROR_INIT;
    if (node == NULL || node->kind != NODE_TEXT) {
        return;
    }
    if (template_parse_condition(node->text, &parsed, &offset, &err) != 0) {
        report_parse_error(scope, node, offset, &err);
        return;
    }
    check_parsed(scope, node, &parsed);
    template_release(&parsed);
}

static bool reference_is_secret(const struct scope *scope, const struct reference *reference)
{
    const struct check check = {scope, NULL, reference};
    const char *root = part(&check, 0);
    if (strcmp(root, "inputs") == 0 && reference->parts.count == 2) {
        const struct plan_input *input = plan_find_input(scope->plan, part(&check, 1));
        return input != NULL && input->type == VALUE_SECRET;
    }
    if (strcmp(root, "steps") == 0 && reference->parts.count == 4) {
        const struct plan_step *step = plan_find_step(scope->plan, part(&check, 1));
        const struct output *output = step != NULL && step->call.action != NULL
                                          ? catalogue_output(step->call.action, part(&check, 3))
                                          : NULL;
        return output != NULL && output->secret;
    }
    return false;
}

bool scope_is_secret_path(const struct scope *scope, const struct node *node)
{
    struct template parsed;
    size_t unused;
    if (node->kind != NODE_TEXT || template_parse(node->text, &parsed, &unused, NULL) != 0) {
        return false;
    }
    bool secret = false;
    vector_each (const struct template_part *, piece, &parsed.parts) {
        enum expression_kind kind =
            piece->expression != NULL ? piece->expression->kind : EXPRESSION_LITERAL;
        if (kind == EXPRESSION_MEMBER || kind == EXPRESSION_INDEX) {
            struct reference_list references = {0};
            expression_references(piece->expression, &references);
            secret |= references.items.count != 0 &&
                      reference_is_secret(scope, &references.items.items[0]);
            reference_list_release(&references);
        }
    }
    template_release(&parsed);
    return secret;
}
