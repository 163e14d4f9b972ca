/* The JSON Schema is made from the same tables as the reading and the checking, so an editor never
 * promises what `validate` refuses. Values may always be expressions, which the schema lets pass as
 * text. */
#include "plan/schema.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "plan/reader.h"

#define DIALECT "https://json-schema.org/draft/2020-12/schema"
#define SCALAR_MAP                                                                                 \
    "{\"type\":\"object\",\"additionalProperties\":{\"type\":[\"string\",\"number\",\"boolean\"]}" \
    "}"
#define EXPRESSION_PATTERN "\\$\\{\\{"

static json_t *parse(const char *text)
{
    json_t *value = json_parse(span_of_text(text), "schema", NULL);
    if (value == NULL) {
        abort();
    }
    return value;
}

/* A schema by value type. */
static json_t *of_type(enum value_type type)
{
    static const char *const schemas[] = {
        [VALUE_ANY] = "{}",
        [VALUE_STRING] = "{\"type\":[\"string\",\"number\",\"boolean\"]}",
        [VALUE_SECRET] = "{\"type\":\"string\"}",
        [VALUE_INTEGER] = "{\"type\":\"integer\"}",
        [VALUE_NUMBER] = "{\"type\":\"number\"}",
        [VALUE_BOOLEAN] = "{\"type\":\"boolean\"}",
        [VALUE_DURATION] = "{\"type\":\"string\"}",
        [VALUE_TIMESTAMP] = "{\"type\":\"string\"}",
        [VALUE_REGION] = "{\"type\":\"string\"}",
        [VALUE_PATH] = "{\"type\":\"string\",\"minLength\":1}",
        [VALUE_CHOICE] = "{\"type\":[\"string\",\"number\",\"boolean\"]}",
        [VALUE_LIST] = "{\"type\":\"array\"}",
        [VALUE_STRINGS] =
            "{\"type\":\"array\",\"items\":{\"type\":[\"string\",\"number\",\"boolean\"]}}",
        [VALUE_MAP] = "{\"type\":\"object\"}",
        [VALUE_STRING_MAP] = SCALAR_MAP,
    };
    return parse(schemas[type]);
}

static void describe(json_t *schema, const char *doc)
{
    if (doc != NULL) {
        json_object_set_new(schema, "description", json_string(doc));
    }
}

static json_t *choices_of(const struct parameter *parameter)
{
    json_t *choices = json_array();
    for (const char *const *choice = parameter->choices; choice != NULL && *choice != NULL;
         choice++) {
        json_array_append_new(choices, json_string(*choice));
    }
    return json_pack("{so}", "enum", choices);
}

static json_t *of_parameter(const struct parameter *parameter)
{
    json_t *value =
        parameter->type == VALUE_CHOICE ? choices_of(parameter) : of_type(parameter->type);
    json_t *schema = value;
    if (parameter->type != VALUE_ANY) {
        schema = json_pack("{s[o{ssss}]}", "anyOf", value, "type", "string", "pattern",
                           EXPRESSION_PATTERN);
    }
    describe(schema, parameter->doc);
    if (parameter->default_json != NULL) {
        json_object_set_new(schema, "default", parse(parameter->default_json));
    }
    return schema;
}

static json_t *of_arguments(const struct action_description *action)
{
    json_t *properties = json_object();
    json_t *required = json_array();
    for (const struct parameter *p = action->parameters; p != NULL && p->name != NULL; p++) {
        json_object_set_new(properties, p->name, of_parameter(p));
        if (p->required) {
            json_array_append_new(required, json_string(p->name));
        }
    }
    return json_pack("{ss so so sb}", "type", "object", "properties", properties, "required",
                     required, "additionalProperties", 0);
}

/* if uses is this action, then with is its parameters. */
static json_t *rule_of_action(const struct action_description *action)
{
    json_t *then = json_pack("{s{so}}", "properties", "with", of_arguments(action));
    for (const struct parameter *p = action->parameters; p != NULL && p->name != NULL; p++) {
        if (p->required) {
            json_object_set_new(then, "required", json_pack("[s]", "with"));
        }
    }
    return json_pack("{s{s{s{ss}}s[s]}so}", "if", "properties", "uses", "const", action->name,
                     "required", "uses", "then", then);
}

static json_t *uses_schema(const struct plan_catalogue *catalogue)
{
    json_t *names = json_array();
    for (size_t i = 0; i < catalogue->count; i++) {
        json_array_append_new(names, json_string(catalogue->actions[i]->name));
    }
    return json_pack("{so}", "enum", names);
}

static json_t *reference(const char *definition)
{
    json_t *schema = json_object();
    json_object_set_new(schema, "$ref", json_sprintf("#/$defs/%s", definition));
    return schema;
}

/* The schemas of keys whose tables do not say them. */
static json_t *special(const char *key)
{
    if (strcmp(key, "uses") == 0 || strcmp(key, "unless") == 0 || strcmp(key, "undo") == 0) {
        return reference(key);
    }
    if (strcmp(key, "with") == 0) {
        return parse("{\"type\":\"object\"}");
    }
    if (strcmp(key, "retry") == 0) {
        return json_pack("{s[{sssisi}o]}", "anyOf", "type", "integer", "minimum", 1, "maximum", 100,
                         reference("retry"));
    }
    if (strcmp(key, "inputs") == 0) {
        return json_pack("{ss s{s[o{ss}]}}", "type", "object", "additionalProperties", "anyOf",
                         reference("input"), "type", "null");
    }
    if (strcmp(key, "steps") == 0) {
        return json_pack("{ss si so}", "type", "object", "minProperties", 1, "additionalProperties",
                         reference("step"));
    }
    if (strcmp(key, "objectives") == 0) {
        return json_pack("{ss so}", "type", "array", "items", reference("objective"));
    }
    json_t *types = json_array();
    for (int type = VALUE_ANY; type <= VALUE_STRING_MAP; type++) {
        json_array_append_new(types, json_string(value_type_name((enum value_type)type)));
    }
    return json_pack("{so}", "enum", types);
}

static json_t *of_rules(const struct key_rule *rules)
{
    json_t *properties = json_object();
    json_t *required = json_array();
    for (; rules->key != NULL; rules++) {
        json_t *schema = rules->schema != NULL ? parse(rules->schema) : special(rules->key);
        describe(schema, rules->doc);
        json_object_set_new(properties, rules->key, schema);
        if (rules->required) {
            json_array_append_new(required, json_string(rules->key));
        }
    }
    return json_pack("{ss so so sb}", "type", "object", "properties", properties, "required",
                     required, "additionalProperties", 0);
}

/* A map that has uses and with: its table's keys, and a rule for each action. */
static json_t *of_call(const struct key_rule *rules, json_t *action_rules)
{
    json_t *schema = of_rules(rules);
    if (json_array_size(action_rules) != 0) {
        json_object_set(schema, "allOf", action_rules);
    }
    return schema;
}

json_t *schema_of_plans(const struct plan_catalogue *catalogue)
{
    json_t *action_rules = json_array();
    for (size_t i = 0; i < catalogue->count; i++) {
        json_array_append_new(action_rules, rule_of_action(catalogue->actions[i]));
    }
    json_t *definitions =
        json_pack("{so so so so so so so}", "uses", uses_schema(catalogue), "input",
                  of_rules(input_rules), "objective", of_rules(objective_rules), "retry",
                  of_rules(retry_rules), "step", of_call(step_rules, action_rules), "unless",
                  of_call(probe_rules, action_rules), "undo", of_call(undo_rules, action_rules));
    json_decref(action_rules);
    json_t *schema = of_rules(plan_rules);
    json_object_set_new(schema, "$schema", json_string(DIALECT));
    json_object_set_new(schema, "title", json_string("A drctl plan"));
    json_object_set_new(schema, "$defs", definitions);
    return schema;
}
