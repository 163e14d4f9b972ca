/* Inputs in the order of the plan, so that a default can use those above it. A value comes from the
 * command line, else from the environment variable that the input names, else from its default. */
#include "plan/inputs.h"

#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/nearest.h"
#include "base/text.h"
#include "plan/convert.h"
#include "plan/reader.h"
#include "plan/resolve.h"

struct choices {
    const char *words[CHOICE_LIMIT];
};

static struct wanted wanted_of(const struct plan_input *input, struct choices *choices)
{
    size_t count = 0;
    for (; input->choices != NULL && count < input->choices->count && count + 1 < CHOICE_LIMIT;
         count++) {
        choices->words[count] = input->choices->items[count]->text;
    }
    choices->words[count] = NULL;
    return (struct wanted){.type = input->type, .choices = choices->words};
}

/* a,b,c: the way to write a short list on a command line. */
static json_t *split_at_commas(const char *text)
{
    json_t *list = json_array();
    while (*text != '\0') {
        size_t size_bytes = strcspn(text, ",");
        json_array_append_new(list, json_stringn(text, size_bytes));
        text += size_bytes + (text[size_bytes] == ',');
    }
    return list;
}

/* A number or boolean in JSON's spelling; otherwise the text, for convert_value() to refuse. */
static json_t *scalar_from_text(const char *text)
{
    json_t *value = json_parse(span_of_text(text), "input", NULL);
    if (json_is_number(value) || json_is_boolean(value)) {
        return value;
    }
    json_decref(value);
    return json_string(text);
}

static json_t *from_text(const struct plan_input *input, const char *text, struct error *err)
{
    switch (input->type) {
    case VALUE_INTEGER:
    case VALUE_NUMBER:
    case VALUE_BOOLEAN:
        return scalar_from_text(text);
    case VALUE_LIST:
    case VALUE_STRINGS:
        return text[0] == '[' ? json_parse(span_of_text(text), input->name, err)
                              : split_at_commas(text);
    case VALUE_MAP:
    case VALUE_STRING_MAP:
        return json_parse(span_of_text(text), input->name, err);
    default:
        return json_string(text);
    }
}

static int check_pattern(const struct plan_input *input, const json_t *value, struct error *err)
{
    regex_t compiled;
    const char *text = json_string_value(value);
    if (input->pattern == NULL || text == NULL ||
        regcomp(&compiled, input->pattern, REG_EXTENDED) != 0) {
        return 0;
    }
    regmatch_t match;
    bool matches = regexec(&compiled, text, 1, &match, 0) == 0 && match.rm_so == 0 &&
                   (size_t)match.rm_eo == strlen(text);
    regfree(&compiled);
    return matches ? 0
                   : error_set(err, ERROR_INVALID, "the value does not match %s", input->pattern);
}

/* A JSON value as the input's type; NULL after an error. */
static json_t *accept(const struct plan_input *input, const json_t *value, struct error *err)
{
    struct choices choices;
    struct wanted wanted = wanted_of(input, &choices);
    json_t *converted = convert_value(&wanted, value, err);
    if (converted != NULL && check_pattern(input, converted, err) != 0) {
        json_decref(converted);
        return NULL;
    }
    return converted;
}

int inputs_convert(const struct plan_input *input, const char *text, json_t **ret_value,
                   struct error *err)
{
    if (text_valid_utf8_prefix(span_of_text(text)) != strlen(text)) {
        error_set(err, ERROR_INVALID, "the value is not UTF-8");
        return error_context(err, "input '%s'", input->name);
    }
    json_t *value = from_text(input, text, err);
    json_t *converted = value != NULL ? accept(input, value, err) : NULL;
    json_decref(value);
    if (converted == NULL) {
        return error_context(err, "input '%s'", input->name);
    }
    *ret_value = converted;
    return 0;
}

/* The default's value; json null when the input may stay without one. */
static json_t *default_value(const struct plan *plan, const struct plan_input *input,
                             const struct context *context, struct error *err)
{
    struct resolved resolved;
    const struct node *node = input->default_value;
    if (node == NULL || node->kind == NODE_NULL) {
        return json_null();
    }
    if (convert_wants_text(input->type) && node->text != NULL && !node_has_expression(node)) {
        json_t *text = json_string(node->text);
        json_t *converted = accept(input, text, err);
        json_decref(text);
        return converted;
    }
    if (resolve_value(plan, node, context, &resolved, err) != 0) {
        return NULL;
    }
    json_t *converted =
        json_is_null(resolved.value) ? json_null() : accept(input, resolved.value, err);
    resolved_release(&resolved);
    return converted;
}

/* What the command line says: a text, or JSON that came from a file. */
static json_t *given_value(const struct plan_input *input, const json_t *given, struct error *err)
{
    json_t *value = NULL;
    if (json_is_string(given)) {
        return inputs_convert(input, json_string_value(given), &value, err) == 0 ? value : NULL;
    }
    value = accept(input, given, err);
    if (value == NULL) {
        error_context(err, "input '%s'", input->name);
    }
    return value;
}

static json_t *missing_value(const struct plan *plan, const struct plan_input *input,
                             struct error *err)
{
    plan_error(plan, input->at, err, "the input '%s' has no value", input->name);
    if (input->env_name != NULL) {
        error_hint(err, "set the environment variable %s", input->env_name);
    } else if (input->type == VALUE_SECRET) {
        error_hint(err, "give it in a file or by an environment variable, not in the open");
    } else {
        error_hint(err, "--input %s=…, %s%s%s", input->name, value_type_phrase(input->type),
                   input->description != NULL ? ": " : "",
                   input->description != NULL ? input->description : "");
    }
    return NULL;
}

static json_t *value_of(const struct plan *plan, const struct plan_input *input,
                        const struct inputs_source *source, const struct context *context,
                        struct error *err)
{
    const json_t *given = json_object_get(source->given, input->name);
    if (given != NULL) {
        return given_value(input, given, err);
    }
    const char *text = input->env_name != NULL && source->getenv_function != NULL
                           ? source->getenv_function(input->env_name, source->getenv_data)
                           : NULL;
    if (text != NULL) {
        json_t *value = NULL;
        if (inputs_convert(input, text, &value, err) != 0) {
            error_context(err, "from the environment variable %s", input->env_name);
        }
        return value;
    }
    json_t *value = default_value(plan, input, context, err);
    if (value == NULL && error_is_set(err) && err->line == 0) {
        CLEANUP(memory_cleanup) char *message = memory_text(err->message);
        CLEANUP(memory_cleanup) char *hint = memory_text(err->hint);
        error_release(err);
        plan_error(plan, input->default_value->at, err, "the default of input '%s': %s",
                   input->name, message);
        if (hint != NULL) {
            error_hint(err, "%s", hint);
        }
    }
    if (json_is_null(value) && (input->required || input->env_name != NULL) &&
        (input->required || input->default_value == NULL)) {
        return missing_value(plan, input, err);
    }
    return value;
}

static void refuse_unknown(const struct plan *plan, const json_t *given, struct error_list *errors)
{
    const char *name;
    json_t *unused;
    json_object_foreach ((json_t *)(uintptr_t)given, name, unused) {
        if (plan_find_input(plan, name) != NULL) {
            continue;
        }
        struct nearest nearest;
        nearest_init(&nearest, name);
        vector_each (const struct plan_input *, input, &plan->inputs) {
            nearest_offer(&nearest, input->name);
        }
        struct error err = ERROR_INIT;
        error_set(&err, ERROR_INVALID, "the plan '%s' has no input '%s'", plan->name, name);
        if (nearest.best != NULL) {
            error_hint(&err, "did you mean '%s'?", nearest.best);
        }
        error_list_add(errors, &err);
    }
}

void inputs_resolve(const struct plan *plan, const struct inputs_source *source,
                    struct context *context, struct error_list *errors)
{
    refuse_unknown(plan, source->given, errors);
    context_set(context, "inputs", json_object(), json_object());
    json_t *values = json_object_get(context->values, "inputs");
    json_t *secrets = json_object_get(context->secrets, "inputs");
    vector_each (const struct plan_input *, input, &plan->inputs) {
        struct error err = ERROR_INIT;
        json_t *value = value_of(plan, input, source, context, &err);
        if (value != NULL) {
            json_object_set_new(values, input->name, value);
        }
        if (input->type == VALUE_SECRET) {
            json_object_set_new(secrets, input->name, json_true());
        }
        error_list_add(errors, &err);
    }
}
