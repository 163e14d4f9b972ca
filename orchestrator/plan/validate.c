/* Everything that can be known about a plan before anything runs, all of it at once: a person with
 * an outage does not want to find out about one mistake at a time. */
#include "plan/validate.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/json.h"
#include "plan/convert.h"
#include "plan/reader.h"
#include "plan/scope.h"

struct validation {
    struct plan *plan;
    const struct plan_catalogue *catalogue;
    const json_t *site;
    struct graph graph;
    struct error_list *errors;
};

static struct error *complain(struct validation *v, struct mark at, const char *format, ...)
    PRINTF_LIKE(3, 4);

static struct error *complain(struct validation *v, struct mark at, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    CLEANUP(memory_cleanup) char *message = memory_format_v(format, arguments);
    va_end(arguments);
    return error_list_add_at(v->errors, ERROR_INVALID, v->plan->document->file, at.line, at.column,
                             "%s", message);
}

static struct scope scope_of(struct validation *v, const struct plan_step *step)
{
    return (struct scope){.plan = v->plan,
                          .graph = &v->graph,
                          .site = v->site,
                          .catalogue = v->catalogue,
                          .errors = v->errors,
                          .step = step,
                          .inputs_known = v->plan->inputs.count,
                          .env = true};
}

/* --- calls --- */

static void bind_call(struct validation *v, struct plan_call *call)
{
    if (call->uses == NULL) {
        return;
    }
    call->action = catalogue_find(v->catalogue, call->uses);
    if (call->action != NULL) {
        return;
    }
    struct error *err = complain(v, call->at, "there is no action '%s'", call->uses);
    const char *nearest = catalogue_nearest(v->catalogue, call->uses);
    if (nearest != NULL) {
        error_hint(err, "did you mean '%s'?", nearest);
    } else {
        error_hint(err, "drctl actions lists what there is");
    }
}

static bool has_expression_below(const struct node *node)
{
    if (node_has_expression(node)) {
        return true;
    }
    for (size_t i = 0; i < node->count; i++) {
        if (has_expression_below(node->items[i])) {
            return true;
        }
    }
    return false;
}

/* A node without expressions as the value that resolve_arguments() would convert. */
static json_t *literal_value(const struct node *node, enum value_type type)
{
    bool is_plain_word =
        node->kind == NODE_INTEGER || node->kind == NODE_REAL || node->kind == NODE_BOOLEAN;
    return convert_wants_text(type) && is_plain_word ? json_string(node->text) : node_to_json(node);
}

/* A list or map whose items have expressions: its kind at least is known. */
static bool kind_can_be(const struct node *node, enum value_type type)
{
    switch (node->kind) {
    case NODE_LIST:
        return type == VALUE_ANY || type == VALUE_LIST || type == VALUE_STRINGS;
    case NODE_MAP:
        return type == VALUE_ANY || type == VALUE_MAP || type == VALUE_STRING_MAP;
    default:
        return true;
    }
}

static void check_argument_type(struct validation *v, const struct parameter *parameter,
                                const struct node *node)
{
    struct error err = ERROR_INIT;
    if (!kind_can_be(node, parameter->type)) {
        complain(v, node->at, "the parameter '%s': %s is wanted, and this is %s", parameter->name,
                 value_type_phrase(parameter->type), node_kind_phrase(node));
        return;
    }
    if (has_expression_below(node)) {
        return;
    }
    struct wanted wanted = {parameter->type, parameter->choices, true};
    CLEANUP(json_cleanup) json_t *value = literal_value(node, parameter->type);
    CLEANUP(json_cleanup) json_t *converted = convert_value(&wanted, value, &err);
    if (converted == NULL) {
        struct error *added =
            complain(v, node->at, "the parameter '%s': %s", parameter->name, err.message);
        if (err.hint != NULL) {
            error_hint(added, "%s", err.hint);
        }
        error_release(&err);
    }
}

static void check_exposure(struct validation *v, const struct scope *scope,
                           const struct parameter *parameter, const struct node *node)
{
    if (scope_is_secret_path(scope, node)) {
        struct error *err =
            complain(v, node->at, "a secret would show in the parameter '%s'", parameter->name);
        error_hint(err, "hand it over by the step's env or a parameter of type secret");
        return;
    }
    for (size_t i = 0; i < node->count; i++) {
        check_exposure(v, scope, parameter, node->items[i]);
    }
}

static void check_argument(struct validation *v, const struct scope *scope,
                           const struct plan_call *call, const struct node *key,
                           const struct node *node)
{
    const struct parameter *parameter = catalogue_parameter(call->action, key->text);
    if (parameter == NULL) {
        struct error *err = complain(v, key->at, "%s has no parameter '%s'", call->uses, key->text);
        const char *nearest = catalogue_nearest_parameter(call->action, key->text);
        if (nearest != NULL) {
            error_hint(err, "did you mean '%s'?", nearest);
        } else {
            error_hint(err, "drctl actions %s lists them", call->uses);
        }
        return;
    }
    if (node->kind == NODE_NULL) {
        if (parameter->required) {
            complain(v, node->at, "the parameter '%s' has no value", parameter->name);
        }
        return;
    }
    if (parameter->type == VALUE_SECRET && !has_expression_below(node)) {
        struct error *err = complain(v, node->at, "a secret stands in the plan for all to read");
        error_hint(err, "give it by an input of type secret: ${{ inputs.… }}");
    }
    if (parameter->exposed) {
        check_exposure(v, scope, parameter, node);
    }
    check_argument_type(v, parameter, node);
}

static bool is_given(const struct plan_call *call, const char *name)
{
    return node_get(call->with, name) != NULL;
}

/* Of the parameters with the same one_of exactly one; reported at the first of them. */
static void check_one_of(struct validation *v, const struct plan_call *call,
                         const struct parameter *first)
{
    size_t given = 0;
    CLEANUP(buffer_release) struct buffer names = BUFFER_INIT;
    for (const struct parameter *p = call->action->parameters; p->name != NULL; p++) {
        if (p->one_of == NULL || strcmp(p->one_of, first->one_of) != 0) {
            continue;
        }
        if (p < first) {
            return;
        }
        given += is_given(call, p->name);
        buffer_append_format(&names, "%s%s", names.size_bytes != 0 ? ", " : "", p->name);
    }
    if (given != 1) {
        complain(v, call->at, "%s needs exactly one of %s, and %s", call->uses, buffer_text(&names),
                 given == 0 ? "none is given" : "several are given");
    }
}

static void check_required(struct validation *v, const struct plan_call *call)
{
    for (const struct parameter *p = call->action->parameters; p != NULL && p->name != NULL; p++) {
        if (p->required && !is_given(call, p->name)) {
            struct error *err =
                complain(v, call->at, "%s needs the parameter '%s'", call->uses, p->name);
            error_hint(err, "%s", p->doc);
        }
        if (p->one_of != NULL) {
            check_one_of(v, call, p);
        }
    }
}

static void check_call(struct validation *v, const struct scope *scope,
                       const struct plan_call *call)
{
    scope_check(scope, call->with);
    if (call->action == NULL) {
        return;
    }
    for (size_t i = 0; call->with != NULL && i < call->with->count; i++) {
        check_argument(v, scope, call, call->with->keys[i], call->with->items[i]);
    }
    check_required(v, call);
}

/* --- parts of the plan --- */

static void check_default_type(struct validation *v, const struct plan_input *input)
{
    const struct node *node = input->default_value;
    const char *choices[CHOICE_LIMIT] = {NULL};
    struct error err = ERROR_INIT;
    for (size_t i = 0; input->choices != NULL && i < input->choices->count && i + 1 < CHOICE_LIMIT;
         i++) {
        choices[i] = input->choices->items[i]->text;
    }
    struct wanted wanted = {.type = input->type, .choices = choices};
    CLEANUP(json_cleanup) json_t *value = literal_value(node, input->type);
    CLEANUP(json_cleanup) json_t *converted = convert_value(&wanted, value, &err);
    if (converted == NULL) {
        struct error *added = complain(v, node->at, "the default: %s", err.message);
        if (err.hint != NULL) {
            error_hint(added, "%s", err.hint);
        }
        error_release(&err);
    }
}

static void check_inputs(struct validation *v)
{
    for (size_t i = 0; i < v->plan->inputs.count; i++) {
        const struct plan_input *input = &v->plan->inputs.items[i];
        struct scope scope = scope_of(v, NULL);
        scope.inputs_known = i;
        scope.env = false;
        if (input->default_value == NULL || input->default_value->kind == NODE_NULL) {
            continue;
        }
        scope_check(&scope, input->default_value);
        if (input->type == VALUE_SECRET) {
            struct error *err = complain(v, input->default_value->at,
                                         "a secret stands in the plan for all to read");
            error_hint(err, "name the environment variable that has it: env: NAME");
        } else if (!has_expression_below(input->default_value)) {
            check_default_type(v, input);
        }
    }
}

static void check_plan_keys(struct validation *v)
{
    struct scope before = scope_of(v, NULL);
    scope_check(&before, v->plan->target);
    scope_check(&before, v->plan->without);
    vector_each (const struct plan_objective *, objective, &v->plan->objectives) {
        scope_check(&before, objective->rto);
        scope_check(&before, objective->rpo);
    }
    before.env = false;
    before.operator_env = true;
    scope_check(&before, v->plan->env);
    struct scope at_end = scope_of(v, NULL);
    at_end.all_steps = true;
    scope_check(&at_end, v->plan->outputs);
}

static void check_probe(struct validation *v, const struct scope *scope,
                        const struct plan_step *step)
{
    check_call(v, scope, &step->probe);
    struct scope after = *scope;
    after.probe = true;
    scope_check_condition(&after, step->probe_expect);
    scope_check(&after, step->probe_outputs);
    for (size_t i = 0; step->probe_outputs != NULL && i < step->probe_outputs->count; i++) {
        const struct node *key = step->probe_outputs->keys[i];
        const struct action_description *action = step->call.action;
        if (action != NULL && !action->open_outputs &&
            catalogue_output(action, key->text) == NULL) {
            struct error *err =
                complain(v, key->at, "%s has no output '%s'", step->call.uses, key->text);
            const char *nearest = catalogue_nearest_output(action, key->text);
            if (nearest != NULL) {
                error_hint(err, "did you mean '%s'?", nearest);
            }
        }
    }
}

static void check_undo(struct validation *v, const struct scope *scope,
                       const struct plan_step *step)
{
    struct scope after = *scope;
    after.own_step = true;
    check_call(v, &after, &step->undo);
    scope_check(&after, step->undo_env);
}

static void check_step(struct validation *v, const struct plan_step *step)
{
    struct scope before = scope_of(v, NULL);
    scope_check(&before, step->timeout);
    scope_check(&before, step->locks);
    scope_check(&before, step->memory);
    struct scope scope = scope_of(v, step);
    scope_check_condition(&scope, step->condition);
    scope_check(&scope, step->for_each);
    scope.each = step->for_each != NULL;
    check_call(v, &scope, &step->call);
    scope_check(&scope, step->env);
    scope_check(&scope, step->confirm);
    if (step->confirm != NULL && scope_is_secret_path(&scope, step->confirm)) {
        complain(v, step->confirm->at, "a secret would show in the question");
    }
    check_probe(v, &scope, step);
    check_undo(v, &scope, step);
}

/* --- order --- */

static bool comes_before(const struct error *a, const struct error *b)
{
    if (a->line != b->line) {
        return a->line < b->line;
    }
    return a->column < b->column;
}

/* Stable, and the list is short. */
static void sort_errors(struct error_list *errors)
{
    for (size_t i = 1; i < errors->errors.count; i++) {
        struct error moving = errors->errors.items[i];
        size_t at = i;
        while (at > 0 && comes_before(&moving, &errors->errors.items[at - 1])) {
            errors->errors.items[at] = errors->errors.items[at - 1];
            at--;
        }
        errors->errors.items[at] = moving;
    }
}

void plan_validate(struct plan *plan, const struct plan_catalogue *catalogue, const json_t *site,
                   struct error_list *errors)
{
    struct validation v = {plan, catalogue, site, {0}, errors};
    graph_init(&v.graph, plan, errors);
    vector_each (struct plan_step *, step, &plan->steps) {
        bind_call(&v, &step->call);
        bind_call(&v, &step->probe);
        bind_call(&v, &step->undo);
    }
    check_inputs(&v);
    check_plan_keys(&v);
    vector_each (const struct plan_step *, step, &plan->steps) {
        check_step(&v, step);
    }
    graph_release(&v.graph);
    sort_errors(errors);
}
