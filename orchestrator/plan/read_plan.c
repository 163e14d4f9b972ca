/* A document → a plan: its own keys, its inputs and objectives. What is wrong is reported and left
 * out, so that one reading finds all that is wrong. */
#include <ctype.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/nearest.h"
#include "plan/reader.h"

enum { PATTERN_LIMIT = 256, INPUT_LIMIT = 200, OBJECTIVE_LIMIT = 200 };

#define SCHEMA_TEXT "{\"type\":\"string\"}"
#define SCHEMA_TEXTS "{\"type\":[\"string\",\"array\"],\"items\":{\"type\":\"string\"}}"
#define SCHEMA_ENV                                                                                 \
    "{\"type\":\"object\",\"additionalProperties\":{\"type\":[\"string\",\"number\","              \
    "\"boolean\"]}}"

/* --- inputs --- */

static void read_input_type(struct reader *reader, void *target, const struct node *value)
{
    struct plan_input *input = target;
    const char *name = reader_text(reader, value, "a type");
    if (name == NULL || value_type_from_name(name, &input->type)) {
        return;
    }
    struct nearest nearest;
    nearest_init(&nearest, name);
    for (int type = VALUE_ANY; type <= VALUE_STRING_MAP; type++) {
        nearest_offer(&nearest, value_type_name((enum value_type)type));
    }
    struct error *err = reader_complain(reader, value, "there is no type '%s'", name);
    if (nearest.best != NULL) {
        error_hint(err, "did you mean '%s'?", nearest.best);
    } else {
        error_hint(err, "string, secret, integer, number, boolean, duration, timestamp, region, "
                        "path, choice, list, strings, map, string_map, any");
    }
}

static void read_input_required(struct reader *reader, void *target, const struct node *value)
{
    struct plan_input *input = target;
    reader_boolean(reader, value, &input->required);
}

static void read_input_default(struct reader *reader, void *target, const struct node *value)
{
    (void)reader;
    ((struct plan_input *)target)->default_value = value;
}

static void read_input_description(struct reader *reader, void *target, const struct node *value)
{
    ((struct plan_input *)target)->description = reader_text(reader, value, "a description");
}

static void read_input_env(struct reader *reader, void *target, const struct node *value)
{
    ((struct plan_input *)target)->env_name =
        reader_text(reader, value, "the name of an environment variable");
}

static void read_input_choices(struct reader *reader, void *target, const struct node *value)
{
    struct plan_input *input = target;
    if (reader_of_kind(reader, value, NODE_LIST, "the choices") == NULL) {
        return;
    }
    for (size_t i = 0; i < value->count; i++) {
        if (reader_text(reader, value->items[i], "a choice") == NULL) {
            return;
        }
    }
    if (value->count == 0 || value->count >= 64) {
        reader_complain(reader, value, "an input has 1 to 63 choices, and here are %zu",
                        value->count);
        return;
    }
    input->choices = value;
}

/* glibc's regcomp() needs exponential memory for nested repetition counts. */
static bool is_tame(const char *pattern)
{
    const char *brace = strchr(pattern, '{');
    return strlen(pattern) <= PATTERN_LIMIT && (brace == NULL || strchr(brace + 1, '{') == NULL);
}

static void read_input_pattern(struct reader *reader, void *target, const struct node *value)
{
    struct plan_input *input = target;
    const char *pattern = reader_text(reader, value, "a pattern");
    regex_t compiled;
    if (pattern == NULL) {
        return;
    }
    if (!is_tame(pattern)) {
        reader_complain(reader, value,
                        "a pattern has at most %d bytes and one repetition count {n,m}",
                        PATTERN_LIMIT);
        return;
    }
    int result = regcomp(&compiled, pattern, REG_EXTENDED | REG_NOSUB);
    if (result != 0) {
        char why[128];
        regerror(result, &compiled, why, sizeof why);
        reader_complain(reader, value, "the pattern is no POSIX extended regular expression: %s",
                        why);
        return;
    }
    regfree(&compiled);
    input->pattern = pattern;
}

const struct key_rule input_rules[] = {
    {"type", false, read_input_type, NULL, "what kind of value it is; string by itself"},
    {"description", false, read_input_description, SCHEMA_TEXT, "one line for people"},
    {"required", false, read_input_required, "{\"type\":\"boolean\"}",
     "false: it may stay without a value, which is then null"},
    {"default", false, read_input_default, "{}",
     "the value when none is given; may use site, run and the inputs above"},
    {"env", false, read_input_env, SCHEMA_TEXT,
     "the environment variable that gives the value when --input does not"},
    {"choices", false, read_input_choices,
     "{\"type\":\"array\",\"items\":{\"type\":[\"string\",\"number\",\"boolean\"]}}",
     "the values that a choice can have"},
    {"pattern", false, read_input_pattern, SCHEMA_TEXT,
     "POSIX extended regular expression for the whole text"},
    {NULL, false, NULL, NULL, NULL},
};

static const struct key_advice input_advice[] = {
    {"enum", "write 'choices'"},
    {"options", "write 'choices'"},
    {"value", "write 'default'"},
    {"sensitive", "write 'type: secret'"},
    {NULL, NULL},
};

static void read_input(struct reader *reader, const struct node *key, const struct node *value)
{
    if (!reader_name(reader, key, "an input")) {
        return;
    }
    struct plan_input input = {.name = key->text, .type = VALUE_STRING, .at = key->at};
    if (value->kind != NODE_NULL) {
        reader_map(reader, value, input_rules, input_advice, "an input", &input);
    }
    if (node_get(value, "type") == NULL && input.choices != NULL) {
        input.type = VALUE_CHOICE;
    }
    if (input.type == VALUE_CHOICE && node_get(value, "choices") == NULL) {
        reader_complain(reader, key, "the input '%s' is a choice and lacks 'choices'", input.name);
    }
    if (node_get(value, "required") == NULL) {
        input.required = input.default_value == NULL && input.env_name == NULL;
    }
    vector_push(&reader->plan->inputs, input);
}

static void read_inputs(struct reader *reader, void *target, const struct node *value)
{
    (void)target;
    if (value->kind == NODE_NULL || reader_of_kind(reader, value, NODE_MAP, "inputs") == NULL) {
        return;
    }
    for (size_t i = 0; i < value->count; i++) {
        if (i == INPUT_LIMIT) {
            reader_complain(reader, value->keys[i], "a plan has at most %d inputs", INPUT_LIMIT);
            return;
        }
        read_input(reader, value->keys[i], value->items[i]);
    }
}

/* --- objectives --- */

static void read_component(struct reader *reader, void *target, const struct node *value)
{
    ((struct plan_objective *)target)->component = reader_text(reader, value, "a component");
}

/* A duration, an expression that gives one, or that there is none. */
static const struct node *read_goal(struct reader *reader, const struct node *value)
{
    int64_t unused;
    if (value->kind == NODE_NULL ||
        (value->text != NULL &&
         (strcasecmp(value->text, "n/a") == 0 || strcasecmp(value->text, "none") == 0))) {
        return NULL;
    }
    reader_duration(reader, value, &unused);
    return value;
}

static void read_rto(struct reader *reader, void *target, const struct node *value)
{
    ((struct plan_objective *)target)->rto = read_goal(reader, value);
}

static void read_rpo(struct reader *reader, void *target, const struct node *value)
{
    ((struct plan_objective *)target)->rpo = read_goal(reader, value);
}

static void read_reached_by(struct reader *reader, void *target, const struct node *value)
{
    /* The step is looked up once all steps are known. */
    (void)target;
    reader_text(reader, value, "the name of a step");
}

const struct key_rule objective_rules[] = {
    {"component", true, read_component, SCHEMA_TEXT, "what has to be back"},
    {"rto", false, read_rto, SCHEMA_TEXT, "how long that may take; N/A for no such goal"},
    {"rpo", false, read_rpo, SCHEMA_TEXT, "how old its data may be; N/A for no such goal"},
    {"reached_by", false, read_reached_by, SCHEMA_TEXT,
     "the step whose end means that it is back; the end of the run by itself"},
    {NULL, false, NULL, NULL, NULL},
};

static void read_objectives(struct reader *reader, void *target, const struct node *value)
{
    (void)target;
    if (reader_of_kind(reader, value, NODE_LIST, "objectives") == NULL) {
        return;
    }
    for (size_t i = 0; i < value->count && i < OBJECTIVE_LIMIT; i++) {
        struct plan_objective objective = {
            .rto_ms = -1, .rpo_ms = -1, .step = SIZE_MAX, .at = value->items[i]->at};
        reader_map(reader, value->items[i], objective_rules, NULL, "an objective", &objective);
        vector_push(&reader->plan->objectives, objective);
    }
}

static void bind_objectives(struct reader *reader, const struct node *list)
{
    struct plan *plan = reader->plan;
    for (size_t i = 0; i < plan->objectives.count; i++) {
        const struct node *id = node_get(list->items[i], "reached_by");
        if (id == NULL || id->text == NULL) {
            continue;
        }
        const struct plan_step *step = plan_find_step(plan, id->text);
        if (step != NULL) {
            plan->objectives.items[i].step = step->index;
            continue;
        }
        struct nearest nearest;
        nearest_init(&nearest, id->text);
        vector_each (const struct plan_step *, known, &plan->steps) {
            nearest_offer(&nearest, known->id);
        }
        struct error *err = reader_complain(reader, id, "there is no step '%s'", id->text);
        if (nearest.best != NULL) {
            error_hint(err, "did you mean '%s'?", nearest.best);
        }
    }
}

/* --- the plan --- */

static void read_name(struct reader *reader, void *target, const struct node *value)
{
    const char *name = reader_text(reader, value, "the plan's name");
    if (name != NULL && reader_name(reader, value, "a plan")) {
        ((struct plan *)target)->name = name;
    }
}

static void read_summary(struct reader *reader, void *target, const struct node *value)
{
    ((struct plan *)target)->summary = reader_text(reader, value, "a summary");
}

static void read_description(struct reader *reader, void *target, const struct node *value)
{
    ((struct plan *)target)->description = reader_text(reader, value, "a description");
}

/* "45m" or "30m-60m" */
static void read_duration(struct reader *reader, void *target, const struct node *value)
{
    struct plan *plan = target;
    const char *text = reader_text(reader, value, "a duration");
    if (text == NULL) {
        return;
    }
    int64_t least_ms = 0;
    int64_t most_ms = 0;
    const char *dash = strchr(text, '-');
    CLEANUP(memory_cleanup) char *first = memory_text_n(text, strcspn(text, "-"));
    if (clock_parse_duration(first, &least_ms, NULL) != 0 ||
        (dash != NULL && clock_parse_duration(dash + 1, &most_ms, NULL) != 0) ||
        (dash != NULL && most_ms < least_ms)) {
        struct error *err = reader_complain(reader, value, "'%s' is no duration", text);
        error_hint(err, "write 45m or, from the least to the most, 30m-1h");
        return;
    }
    plan->duration_text = text;
    plan->duration_ms = dash != NULL ? most_ms : least_ms;
}

static void read_env(struct reader *reader, void *target, const struct node *value)
{
    ((struct plan *)target)->env = reader_env(reader, value);
}

static void read_steps(struct reader *reader, void *target, const struct node *value)
{
    (void)target;
    reader_steps(reader, value);
}

static void read_without(struct reader *reader, void *target, const struct node *value)
{
    ((struct plan *)target)->without = reader_texts(reader, value, "without");
}

static void read_target(struct reader *reader, void *target, const struct node *value)
{
    ((struct plan *)target)->target =
        reader_text(reader, value, "the target") != NULL ? value : NULL;
}

static void read_outputs(struct reader *reader, void *target, const struct node *value)
{
    ((struct plan *)target)->outputs = reader_of_kind(reader, value, NODE_MAP, "outputs");
}

const struct key_rule plan_rules[] = {
    {"plan", true, read_name, SCHEMA_TEXT, "the plan's name"},
    {"summary", false, read_summary, SCHEMA_TEXT, "one line: what it does"},
    {"description", false, read_description, SCHEMA_TEXT,
     "for the runbook: when, and what to know"},
    {"duration", false, read_duration, SCHEMA_TEXT, "how long it takes by the runbook: 30m-1h"},
    {"inputs", false, read_inputs, NULL, "what it is told before it runs"},
    {"objectives", false, read_objectives, NULL, "what has to be back, and when"},
    {"without", false, read_without, SCHEMA_TEXTS, "the regions that it must do without"},
    {"target", false, read_target, SCHEMA_TEXT,
     "what a run locks; site and environment by themselves"},
    {"env", false, read_env, SCHEMA_ENV, "environment of all steps, and env.NAME"},
    {"steps", true, read_steps, NULL, "the steps, each below what it waits for"},
    {"outputs", false, read_outputs, "{\"type\":\"object\"}", "what a plan around it gets to know"},
    {NULL, false, NULL, NULL, NULL},
};

static const struct key_advice plan_advice[] = {
    {"name", "write 'plan' for the name"},
    {"jobs", "write 'steps'"},
    {"variables", "write 'inputs'"},
    {"vars", "write 'inputs'"},
    {NULL, NULL},
};

struct plan *plan_parse(struct span source, const char *file, struct error_list *errors)
{
    struct document *document = document_parse(source, file, errors);
    if (document == NULL) {
        return NULL;
    }
    struct plan *plan = memory_new(1, sizeof *plan);
    struct reader reader = {plan, errors};
    plan->document = document;
    digest_sha256_hex(span_of(document->text, document->size_bytes), plan->sha256);
    reader_map(&reader, document->root, plan_rules, plan_advice, "a plan", plan);
    if (document->root->kind != NODE_MAP) {
        plan_free(plan);
        return NULL;
    }
    const struct node *objectives = node_get(document->root, "objectives");
    if (objectives != NULL && objectives->kind == NODE_LIST) {
        bind_objectives(&reader, objectives);
    }
    return plan;
}
