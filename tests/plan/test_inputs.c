/* What the command line, the environment and the defaults make of a plan's inputs. */
#include <stdlib.h>
#include <string.h>

#include "fixture.h"
#include "plan/inputs.h"

#define STEPS "steps:\n  a: {uses: exec, with: {command: [a]}}\n"

static const char *fake_environment(const char *name, void *data)
{
    (void)data;
    return strcmp(name, "DB_PASSWORD") == 0 ? "from-env" : NULL;
}

/* The resolved inputs as JSON, with all errors behind them, one a line. */
static char *resolve(const char *inputs_yaml, const char *given)
{
    CLEANUP(memory_cleanup) char *yaml = memory_format("plan: p\n%s" STEPS, inputs_yaml);
    struct plan *plan = fixture_plan(yaml);
    struct context context;
    fixture_context(&context, "{}");
    json_t *given_json = fixture_json(given);
    struct inputs_source source = {given_json, fake_environment, NULL};
    struct error_list errors = {0};
    inputs_resolve(plan, &source, &context, &errors);
    struct buffer text = BUFFER_INIT;
    CLEANUP(memory_cleanup)
    char *values = json_canonical(json_object_get(context.values, "inputs"));
    buffer_append_text(&text, values);
    vector_each (const struct error *, err, &errors.errors) {
        CLEANUP(memory_cleanup) char *line = error_format(err);
        buffer_append_format(&text, "\n%s", line);
    }
    error_list_release(&errors);
    json_decref(given_json);
    context_release(&context);
    plan_free(plan);
    return buffer_take(&text);
}

static void assert_inputs(const char *inputs_yaml, const char *given, const char *expected)
{
    CLEANUP(memory_cleanup) char *found = resolve(inputs_yaml, given);
    assert_string_equal(found, expected);
}

static void texts_become_what_their_type_says(void **state)
{
    (void)state;
    assert_inputs(
        "inputs: {s: {}, i: {type: integer}, n: {type: number}, b: {type: boolean},\n"
        "  d: {type: duration}, r: {type: region}, l: {type: list}, t: {type: strings},\n"
        "  m: {type: map}, c: {choices: [x, 1]}, p: {type: path}, w: {type: timestamp}}\n",
        "{'s':'012','i':'7','n':'1.5','b':'true','d':'5m','r':'us-west-2','l':'a,b',"
        "'t':'[\\u0022x\\u0022]','m':'{\\u0022k\\u0022:1}','c':'1','p':'/x',"
        "'w':'2026-01-01T00:00:00Z'}",
        "{\"b\":true,\"c\":\"1\",\"d\":\"5m\",\"i\":7,\"l\":[\"a\",\"b\"],\"m\":{\"k\":1},"
        "\"n\":1.5,\"p\":\"/x\",\"r\":\"us-west-2\",\"s\":\"012\",\"t\":[\"x\"],"
        "\"w\":\"2026-01-01T00:00:00Z\"}");
}

static void wrong_texts_are_refused_with_the_inputs_name(void **state)
{
    (void)state;
    assert_inputs("inputs: {i: {type: integer}}\n", "{'i':'seven'}",
                  "{}\ninput 'i': a whole number is wanted, and this is text");
    assert_inputs("inputs: {r: {type: region}}\n", "{'r':'Ohio'}",
                  "{}\ninput 'r': 'Ohio' is no AWS region (regions look like us-west-2)");
    assert_inputs("inputs: {c: {choices: [prod, staging]}}\n", "{'c':'prd'}",
                  "{}\ninput 'c': 'prd' is none of prod, staging (did you mean 'prod'?)");
    assert_inputs("inputs: {s: {pattern: '[a-z]+'}}\n", "{'s':'abc1'}",
                  "{}\ninput 's': the value does not match [a-z]+");
    assert_inputs("inputs: {b: {type: boolean}}\n", "{'b':'yes'}",
                  "{}\ninput 'b': true or false is wanted, and this is text (yes, no, on and off "
                  "are text in YAML 1.2)");
}

static void an_input_that_has_to_be_given_is_asked_for(void **state)
{
    (void)state;
    assert_inputs(
        "inputs:\n  to: {type: region, description: where to}\n", "{}",
        "{}\nplan.yaml:3:3: the input 'to' has no value (--input to=…, an AWS region such "
        "as us-west-2: where to)");
}

static void an_input_that_the_plan_does_not_have_is_refused(void **state)
{
    (void)state;
    assert_inputs(
        "inputs: {region: {default: x}}\n", "{'regoin':'y'}",
        "{\"region\":\"x\"}\nthe plan 'p' has no input 'regoin' (did you mean 'region'?)");
}

static void defaults_use_the_site_and_the_inputs_above(void **state)
{
    (void)state;
    assert_inputs("inputs:\n"
                  "  environment: {default: prod}\n"
                  "  from: {type: region, default: \"${{ "
                  "site.environments[inputs.environment].region }}\"}\n"
                  "  label: {default: \"${{ inputs.environment }}-${{ run.id }}\"}\n",
                  "{}", "{\"environment\":\"prod\",\"from\":\"us-east-2\",\"label\":\"prod-r1\"}");
}

static void a_default_that_cannot_be_found_is_reported_where_it_stands(void **state)
{
    (void)state;
    assert_inputs("inputs:\n"
                  "  environment: {}\n"
                  "  from: {default: \"${{ site.environments[inputs.environment].region }}\"}\n",
                  "{'environment':'dev'}",
                  "{\"environment\":\"dev\"}\n"
                  "plan.yaml:4:42: site.environments has no 'dev'");
}

static void plain_defaults_are_taken_as_they_are_written(void **state)
{
    (void)state;
    assert_inputs("inputs: {version: {default: 1.30}, account: {default: 012345678901}}\n", "{}",
                  "{\"account\":\"012345678901\",\"version\":\"1.30\"}");
}

static void an_optional_input_may_stay_without_value(void **state)
{
    (void)state;
    assert_inputs("inputs: {snapshot: {required: false}}\n", "{}", "{\"snapshot\":null}");
}

static void the_environment_gives_what_the_command_line_does_not(void **state)
{
    (void)state;
    const char *yaml = "inputs: {pw: {type: secret, env: DB_PASSWORD}}\n";
    assert_inputs(yaml, "{}", "{\"pw\":\"from-env\"}");
    assert_inputs(yaml, "{'pw':'given'}", "{\"pw\":\"given\"}");
    assert_inputs("inputs: {pw: {type: secret, env: OTHER}}\n", "{}",
                  "{}\nplan.yaml:2:10: the input 'pw' has no value (set the environment variable "
                  "OTHER)");
}

static void secret_inputs_are_marked_in_the_context(void **state)
{
    (void)state;
    struct plan *plan = fixture_plan("plan: p\ninputs: {pw: {type: secret}, x: {}}\n" STEPS);
    struct context context;
    fixture_context(&context, "{}");
    CLEANUP(json_cleanup) json_t *given = fixture_json("{'pw':'s','x':'y'}");
    struct inputs_source source = {given, NULL, NULL};
    struct error_list errors = {0};
    inputs_resolve(plan, &source, &context, &errors);
    assert_int_equal(errors.errors.count, 0);
    assert_json(json_object_get(context.secrets, "inputs"), "{'pw':true}");
    error_list_release(&errors);
    context_release(&context);
    plan_free(plan);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_become_what_their_type_says),
        cmocka_unit_test(wrong_texts_are_refused_with_the_inputs_name),
        cmocka_unit_test(an_input_that_has_to_be_given_is_asked_for),
        cmocka_unit_test(an_input_that_the_plan_does_not_have_is_refused),
        cmocka_unit_test(defaults_use_the_site_and_the_inputs_above),
        cmocka_unit_test(a_default_that_cannot_be_found_is_reported_where_it_stands),
        cmocka_unit_test(plain_defaults_are_taken_as_they_are_written),
        cmocka_unit_test(an_optional_input_may_stay_without_value),
        cmocka_unit_test(the_environment_gives_what_the_command_line_does_not),
        cmocka_unit_test(secret_inputs_are_marked_in_the_context),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
