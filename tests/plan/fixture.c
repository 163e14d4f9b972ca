#include "fixture.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "plan/validate.h"

static const char *const formats[] = {"json", "text", NULL};

static const struct action_description checkout = {
    .name = "git.checkout",
    .summary = "Check out a repository",
    .parameters =
        (const struct parameter[]){
            {.name = "url",
             .type = VALUE_STRING,
             .required = true,
             .exposed = true,
             .doc = "where"},
            {.name = "mirrors", .type = VALUE_STRINGS, .doc = "tried in order"},
            {.name = "ref", .type = VALUE_STRING, .default_json = "\"main\"", .doc = "what"},
            {.name = "depth", .type = VALUE_INTEGER, .doc = "how many commits"},
            {0}},
    .outputs = (const struct output[]){{"path", VALUE_PATH, "where it is", false},
                                       {"commit", VALUE_STRING, "its id", false},
                                       {0}},
};

static const struct action_description rewrite = {
    .name = "hcl.rewrite",
    .summary = "Rewrite Terraform files",
    .parameters =
        (const struct parameter[]){
            {.name = "root", .type = VALUE_PATH, .required = true, .doc = "the folder"},
            {.name = "set", .type = VALUE_MAP, .doc = "attributes by file"},
            {.name = "forbid", .type = VALUE_STRINGS, .doc = "texts that may not be left"},
            {0}},
    .outputs = (const struct output[]){{"diff", VALUE_STRING, "what changed", false}, {0}},
};

static const struct action_description apply = {
    .name = "terraform.apply",
    .summary = "Apply a saved plan",
    .parameters =
        (const struct parameter[]){
            {.name = "dir", .type = VALUE_PATH, .required = true, .doc = "the root module"},
            {.name = "plan", .type = VALUE_PATH, .doc = "the saved plan"},
            {.name = "refresh",
             .type = VALUE_BOOLEAN,
             .default_json = "false",
             .doc = "look first"},
            {.name = "lock_timeout",
             .type = VALUE_DURATION,
             .default_json = "\"5m\"",
             .doc = "how long to wait for the lock"},
            {0}},
    .outputs = (const struct output[]){{"values", VALUE_MAP, "the outputs", false},
                                       {"password", VALUE_STRING, "of the database", true},
                                       {0}},
    .mutates = true,
    .memory_bytes = 600 << 20,
};

static const struct action_description aws = {
    .name = "aws",
    .summary = "Any call of the AWS CLI",
    .parameters =
        (const struct parameter[]){{.name = "args",
                                    .type = VALUE_STRINGS,
                                    .required = true,
                                    .exposed = true,
                                    .doc = "argv"},
                                   {.name = "region", .type = VALUE_REGION, .doc = "where"},
                                   {.name = "format",
                                    .type = VALUE_CHOICE,
                                    .choices = formats,
                                    .default_json = "\"json\"",
                                    .doc = "of the answer"},
                                   {0}},
    .outputs = (const struct output[]){{"json", VALUE_ANY, "the answer", false}, {0}},
    .mutates = true,
};

static const struct action_description output_action = {
    .name = "terraform.output",
    .summary = "Read outputs",
    .parameters =
        (const struct parameter[]){
            {.name = "dir", .type = VALUE_PATH, .required = true, .doc = "the root module"}, {0}},
    .open_outputs = true,
};

static const struct action_description change = {
    .name = "route53.change",
    .summary = "Change records",
    .parameters =
        (const struct parameter[]){
            {.name = "zone", .type = VALUE_STRING, .required = true, .doc = "the zone"},
            {.name = "records", .type = VALUE_LIST, .one_of = "what", .doc = "the records"},
            {.name = "batch", .type = VALUE_PATH, .one_of = "what", .doc = "a change batch"},
            {0}},
    .outputs = (const struct output[]){{"change_id", VALUE_STRING, "its id", false}, {0}},
    .mutates = true,
};

static const struct action_description sql = {
    .name = "sql.check",
    .summary = "Ask a database",
    .parameters =
        (const struct parameter[]){
            {.name = "host", .type = VALUE_STRING, .required = true, .doc = "where"},
            {.name = "password", .type = VALUE_SECRET, .required = true, .doc = "the password"},
            {.name = "since", .type = VALUE_TIMESTAMP, .doc = "from when"},
            {0}},
    .outputs = (const struct output[]){{"rows", VALUE_INTEGER, "how many", false}, {0}},
};

static const struct action_description exec = {
    .name = "exec",
    .summary = "Run a command",
    .parameters = (const struct parameter[]){{.name = "command",
                                              .type = VALUE_STRINGS,
                                              .required = true,
                                              .exposed = true,
                                              .doc = "argv"},
                                             {0}},
    .outputs = (const struct output[]){{"text", VALUE_STRING, "its output", false}, {0}},
    .mutates = true,
};

static const struct action_description assertion = {
    .name = "assert",
    .summary = "Stop unless it holds",
    .parameters =
        (const struct parameter[]){
            {.name = "that", .type = VALUE_BOOLEAN, .required = true, .doc = "what has to hold"},
            {.name = "ratio", .type = VALUE_NUMBER, .doc = "a number"},
            {.name = "tags", .type = VALUE_STRING_MAP, .doc = "texts by name"},
            {0}},
};

static const struct action_description *const actions[] = {
    &checkout, &rewrite, &apply, &aws, &output_action, &change, &sql, &exec, &assertion};

const struct plan_catalogue fixture_catalogue = {actions, ARRAY_SIZE(actions)};

static void print_errors(const struct error_list *errors)
{
    vector_each (const struct error *, err, &errors->errors) {
        char *line = error_format(err);
        print_error("%s\n", line);
        free(line);
    }
}

struct plan *fixture_plan(const char *yaml)
{
    struct error_list errors = {0};
    struct plan *plan = plan_parse(span_of_text(yaml), "plan.yaml", &errors);
    if (plan != NULL) {
        plan_validate(plan, &fixture_catalogue, NULL, &errors);
    }
    print_errors(&errors);
    assert_int_equal(errors.errors.count, 0);
    error_list_release(&errors);
    return plan;
}

char *fixture_errors(const char *yaml, const json_t *site)
{
    struct error_list errors = {0};
    struct plan *plan = plan_parse(span_of_text(yaml), "plan.yaml", &errors);
    if (plan != NULL) {
        plan_validate(plan, &fixture_catalogue, site, &errors);
    }
    struct buffer text = BUFFER_INIT;
    vector_each (const struct error *, err, &errors.errors) {
        char *line = error_format(err);
        buffer_append_format(&text, "%s\n", line);
        free(line);
    }
    error_list_release(&errors);
    plan_free(plan);
    return buffer_take(&text);
}

static char *with_quotes(const char *text)
{
    char *copy = memory_text(text);
    for (char *at = copy; *at != '\0'; at++) {
        *at = *at == '\'' ? '"' : *at;
    }
    return copy;
}

json_t *fixture_json(const char *text)
{
    CLEANUP(memory_cleanup) char *json = with_quotes(text);
    struct error err = ERROR_INIT;
    json_t *value = json_parse(span_of_text(json), "test", &err);
    if (value == NULL) {
        print_error("%s: %s\n", json, err.message);
    }
    assert_non_null(value);
    return value;
}

void assert_json(const json_t *value, const char *text)
{
    assert_non_null(value);
    CLEANUP(memory_cleanup) char *expected = with_quotes(text);
    CLEANUP(memory_cleanup) char *found = json_canonical(value);
    assert_string_equal(found, expected);
}

void fixture_context(struct context *context, const char *inputs)
{
    context_init(context);
    context->now_ns = INT64_C(1795384800) * 1000000000; /* 2026-11-22T22:00:00Z */
    context_set(context, "inputs", fixture_json(inputs), NULL);
    context_set(context, "site",
                fixture_json("{'name':'maestro','dr_region':'us-west-2','environments':"
                             "{'prod':{'region':'us-east-2'}}}"),
                NULL);
    context_set(
        context, "run",
        fixture_json("{'id':'r1','directory':'/runs/r1','started_at':'2026-11-22T21:00:00Z'}"),
        NULL);
}

void assert_error(struct error *err, const char *expected)
{
    CLEANUP(memory_cleanup) char *found = error_format(err);
    assert_string_equal(found, expected);
    error_release(err);
}
