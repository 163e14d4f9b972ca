/* The arguments of a call by its action's table: defaults, types, and no secret where it would
 * show.
 */
#include "base/json.h"
#include "base/memory.h"
#include "plan/convert.h"
#include "plan/resolution.h"

/* Takes the value. NULL after an error without a place. */
static json_t *convert_argument(struct resolution *r, const struct parameter *parameter,
                                json_t *value)
{
    struct wanted wanted = {parameter->type, parameter->choices, true};
    CLEANUP(memory_cleanup) char *pointer = memory_format("/%s", parameter->name);
    bool secret = resolved_is_secret(r->out, pointer);
    json_t *converted = NULL;
    if (secret && parameter->exposed) {
        error_set(r->err, ERROR_REFUSED, "a secret would show in the parameter '%s'",
                  parameter->name);
        error_hint(r->err, "hand it over by the step's env or a parameter of type secret");
    } else {
        converted = convert_value(&wanted, value, r->err);
        if (converted == NULL && secret) {
            error_release(r->err);
            error_set(r->err, ERROR_INVALID, "%s is wanted, and the secret is none",
                      value_type_phrase(parameter->type));
        }
        if (converted == NULL) {
            error_context(r->err, "the parameter '%s'", parameter->name);
        }
    }
    if (converted != NULL && parameter->type == VALUE_SECRET && !secret) {
        resolution_note_texts(r, converted);
        json_array_append_new(r->out->secret_paths, json_string(pointer));
    }
    json_decref(value);
    return converted;
}

static int missing_argument(struct resolution *r, const struct plan_call *call,
                            const struct parameter *parameter, const struct node *given)
{
    error_set(r->err, ERROR_INVALID, "%s needs the parameter '%s'%s", call->uses, parameter->name,
              given != NULL ? ", and this gives nothing" : "");
    r->err->file = memory_text(r->document->file);
    r->err->line = given != NULL ? given->at.line : call->at.line;
    r->err->column = given != NULL ? given->at.column : call->at.column;
    return -1;
}

static int set_default(struct resolution *r, const struct plan_call *call,
                       const struct parameter *parameter, const struct node *given,
                       json_t *arguments)
{
    if (parameter->default_json == NULL) {
        return parameter->required ? missing_argument(r, call, parameter, given) : 0;
    }
    json_t *value = json_parse(span_of_text(parameter->default_json), parameter->name, r->err);
    json_t *converted = value != NULL ? convert_argument(r, parameter, value) : NULL;
    if (converted == NULL) {
        return -1;
    }
    json_object_set_new(arguments, parameter->name, converted);
    return 0;
}

static int resolve_argument(struct resolution *r, const struct plan_call *call,
                            const struct parameter *parameter, json_t *arguments)
{
    const struct node *node = node_get(call->with, parameter->name);
    if (node == NULL) {
        return set_default(r, call, parameter, NULL, arguments);
    }
    size_t before = resolution_enter(r, parameter->name);
    json_t *value = convert_wants_text(parameter->type) ? resolution_as_text(r, node)
                                                        : resolution_node(r, node);
    resolution_leave(r, before);
    if (value == NULL) {
        return -1;
    }
    if (json_is_null(value) && parameter->type != VALUE_ANY) {
        json_decref(value);
        return set_default(r, call, parameter, node, arguments);
    }
    json_t *converted = convert_argument(r, parameter, value);
    if (converted == NULL) {
        resolution_fail(r, node, RESOLUTION_WHOLE);
        return -1;
    }
    json_object_set_new(arguments, parameter->name, converted);
    return 0;
}

static json_t *resolve_by_table(struct resolution *r, const struct plan_call *call)
{
    json_t *arguments = json_object();
    for (const struct parameter *p = call->action->parameters; p != NULL && p->name != NULL; p++) {
        if (resolve_argument(r, call, p, arguments) != 0) {
            json_decref(arguments);
            return NULL;
        }
    }
    return arguments;
}

int resolve_arguments(const struct plan *plan, const struct plan_call *call,
                      const struct context *context, struct resolved *ret, struct error *err)
{
    /* There has to be an error to put a place into. */
    struct error local = ERROR_INIT;
    struct resolution r;
    struct resolved out;
    resolution_begin(&r, plan->document, context, &out, &local);
    json_t *value;
    if (call->action != NULL) {
        value = resolve_by_table(&r, call);
    } else {
        value = call->with != NULL ? resolution_node(&r, call->with) : json_object();
    }
    int result = resolution_end(&r, value, ret);
    if (result != 0) {
        error_move(err, &local);
    }
    return result;
}
