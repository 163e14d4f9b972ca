/* Expressions: values, errors with their place, and what is secret. */
#include <stdlib.h>
#include <string.h>

#include "fixture.h"
#include "plan/expression.h"

static void make_context(struct context *context)
{
    fixture_context(context,
                    "{'pw':'hunter2','n':3,'zero':0,'text':'abc','list':[1,2,3],'off':'false',"
                    "'snaps':[{'id':'a','t':'2026-01-01T00:00:00Z'},"
                    "{'id':'b','t':'2026-02-01T00:00:00.5+01:00'},{'id':'c'}]}");
    json_object_set_new(context->secrets, "inputs", json_pack("{sb}", "pw", 1));
    CLEANUP(json_cleanup) json_t *outputs = fixture_json("{'arn':'x','key':'s3cr3t'}");
    context_set_step(context, "db", NULL, "succeeded", outputs, NULL);
    context_mark_output(context, "db", NULL, "key");
    context_set_step(context, "later", NULL, "skipped", NULL, NULL);
}

/* "value" or "offset: sentence"; with " SECRET" behind it when it is. */
static char *evaluate(const char *text)
{
    struct context context;
    struct expression *expression;
    struct error err = ERROR_INIT;
    struct value value;
    size_t offset;
    char *result;
    make_context(&context);
    if (expression_parse(text, 0, false, &expression, &offset, &err) != 0) {
        result = memory_format("%zu: %s", offset, err.message);
    } else {
        if (expression_evaluate(expression, &context, &value, &offset, &err) != 0) {
            result = memory_format("%zu: %s", offset, err.message);
        } else {
            CLEANUP(memory_cleanup) char *json = json_canonical(value.json);
            result = memory_format("%s%s", json, value_is_secret(&value) ? " SECRET" : "");
            value_release(&value);
        }
        expression_free(expression);
    }
    error_release(&err);
    context_release(&context);
    return result;
}

static void assert_evaluates(const char *text, const char *expected)
{
    CLEANUP(memory_cleanup) char *found = evaluate(text);
    if (strcmp(found, expected) != 0) {
        print_error("%s\n", text);
    }
    assert_string_equal(found, expected);
}

static void paths_lead_into_the_context(void **state)
{
    (void)state;
    assert_evaluates("inputs.n", "3");
    assert_evaluates("site.environments['prod'].region", "\"us-east-2\"");
    assert_evaluates("inputs.list[1]", "2");
    assert_evaluates("inputs.snaps[0].id", "\"a\"");
    assert_evaluates("steps.db.outputs.arn", "\"x\"");
    assert_evaluates("steps.later.status", "\"skipped\"");
}

static void what_is_not_there_is_an_error_at_its_place(void **state)
{
    (void)state;
    assert_evaluates("inputs.nn", "7: inputs has no 'nn'");
    assert_evaluates("inputs.n.x", "9: inputs.n is a number and has no 'x'");
    assert_evaluates("inputs.list[3]",
                     "12: inputs.list has 3 items, counted from 0, and none at 3");
    assert_evaluates("steps.later.outputs.x", "20: steps.later.outputs has no 'x'");
    assert_evaluates("each.key", "0: there is no 'each' here");
}

static void defaults_stand_in_for_what_is_not_there(void **state)
{
    (void)state;
    assert_evaluates("default(steps.later.outputs.x, 'none')", "\"none\"");
    assert_evaluates("steps.later.outputs.x || 'none'", "\"none\"");
    assert_evaluates("coalesce(site.a.b, site.c, inputs.n)", "3");
    assert_evaluates("exists(site.a.b)", "false");
    assert_evaluates("exists(site.name)", "true");
    assert_evaluates("default(first([]), 0)", "0");
    assert_evaluates("default(lower(site.nothing), 'x')", "\"x\"");
    assert_evaluates("default(site.a, site.b)", "21: site has no 'b'");
}

static void operators_bind_as_people_expect(void **state)
{
    (void)state;
    assert_evaluates("true || false && false", "true");
    assert_evaluates("!true || true", "true");
    assert_evaluates("1 < 2 == true", "true");
    assert_evaluates("inputs.n > 2 ? 'big' : 'small'", "\"big\"");
    assert_evaluates("false ? 1 : true ? 2 : 3", "2");
    assert_evaluates("inputs.n && 'yes' || 'no'", "\"yes\"");
    assert_evaluates("(1 == 2) || 'x'", "\"x\"");
}

static void numbers_and_texts_compare_as_they_are_written(void **state)
{
    (void)state;
    assert_evaluates("inputs.n == '3'", "true");
    assert_evaluates("inputs.n == '3.0'", "true");
    assert_evaluates("true == 'true'", "true");
    assert_evaluates("null == ''", "false");
    assert_evaluates("'10' < '9'", "true");
    assert_evaluates("'10' < 9", "false");
    assert_evaluates("9223372036854775807 == 9223372036854775806", "false");
    assert_evaluates("[1] < 2", "4: a list and a number have no order");
}

static void the_text_false_is_no_condition(void **state)
{
    (void)state;
    assert_evaluates("inputs.off && 1", "7: the text 'false' is used as a condition");
    assert_evaluates("!inputs.off", "8: the text 'false' is used as a condition");
}

static void functions_do_what_their_table_says(void **state)
{
    (void)state;
    assert_evaluates("contains('abc', 'b')", "true");
    assert_evaluates("contains(inputs.list, 2)", "true");
    assert_evaluates("startsWith('abc', 'ab') && endsWith('abc', 'bc')", "true");
    assert_evaluates("format('{1}-{0}-{{x}}', 'a', 2)", "\"2-a-{x}\"");
    assert_evaluates("join(inputs.list, '/')", "\"1/2/3\"");
    assert_evaluates("split('a//b', '/')", "[\"a\",\"\",\"b\"]");
    assert_evaluates("replace('aXbX', 'X', '--')", "\"a--b--\"");
    assert_evaluates("upper(lower('aBc'))", "\"ABC\"");
    assert_evaluates("trim('  a b ')", "\"a b\"");
    assert_evaluates("basename('/a/b/') == 'b' && dirname('/a/b/') == '/a'", "true");
    assert_evaluates("length('\xc3\xa9\xc3\xa9')", "2");
    assert_evaluates("keys(site.environments)", "[\"prod\"]");
    assert_evaluates("values(site.environments)[0].region", "\"us-east-2\"");
    assert_evaluates("min(3, 1.5, 2)", "1.5");
    assert_evaluates("max(inputs.list)", "3");
    assert_evaluates("fromJSON(toJSON(inputs.list))[2]", "3");
    assert_evaluates("number('3.5')", "3.5");
    assert_evaluates("string(3)", "\"3\"");
    assert_evaluates("pluck(inputs.snaps, 'id')", "[\"a\",\"b\",\"c\"]");
    assert_evaluates("first(where(inputs.snaps, 'id', 'b')).id", "\"b\"");
    assert_evaluates("last(sortBy(inputs.snaps, 'id')).id", "\"c\"");
}

static void times_are_compared_as_instants(void **state)
{
    (void)state;
    assert_evaluates("newest(inputs.snaps, 't').id", "\"b\"");
    assert_evaluates("age(run.started_at)", "3600");
    assert_evaluates("age(run.started_at) <= duration('1h')", "true");
    assert_evaluates("formatDate(run.started_at, '%Y%m%d-%H%M%S')", "\"20261122-210000\"");
    assert_evaluates("formatDate(run.started_at, '%F %T %j %s %%')",
                     "\"2026-11-22 21:00:00 326 1795381200 %\"");
}

static void wrong_arguments_are_refused_by_name(void **state)
{
    (void)state;
    assert_evaluates("lower([1])", "0: lower() wants text as argument 1 and is given a list");
    assert_evaluates("join('a')", "0: join() wants a list as argument 1 and is given text");
    assert_evaluates("first([])", "0: first() finds nothing: the list is empty");
    assert_evaluates("split('a', '')", "0: split() needs a separator");
    assert_evaluates("format('{5}', 1)", "0: format() has a '{' that is no field {0} to {0}");
    assert_evaluates("contains(1)", "0: contains() is given 1 argument");
    assert_evaluates("nope()", "0: there is no function nope()");
}

static void mistakes_of_spelling_are_found_where_they_are(void **state)
{
    (void)state;
    assert_evaluates("", "0: the expression ends where a value was expected");
    assert_evaluates("inputs.", "7: the expression ends where a name behind the dot was expected");
    assert_evaluates("a = b", "2: '=' means nothing in an expression");
    assert_evaluates("a & b", "2: '&' means nothing in an expression");
    assert_evaluates("'abc", "0: the text that starts here has no closing '");
    assert_evaluates("\"abc\"", "0: '\"' means nothing in an expression");
    assert_evaluates("5m", "0: '5m' is no number");
    assert_evaluates("(1", "2: the expression ends where ')' was expected");
    assert_evaluates("1 2", "2: '2' stands where the end of the expression was expected");
    assert_evaluates("[1 2]", "3: '2' stands where ',' or ']' was expected");
    assert_evaluates("true ? 1", "8: the expression ends where ':' was expected");
}

static void nesting_has_a_limit(void **state)
{
    (void)state;
    struct buffer text = BUFFER_INIT;
    for (size_t i = 0; i < 200; i++) {
        buffer_append_char(&text, '(');
    }
    CLEANUP(memory_cleanup) char *found = evaluate(buffer_text(&text));
    assert_string_equal(found, "64: '(' stands where a simpler expression was expected");
    buffer_release(&text);
}

static void length_has_a_limit(void **state)
{
    (void)state;
    struct buffer text = BUFFER_INIT;
    for (size_t i = 0; i < EXPRESSION_SIZE_LIMIT; i++) {
        buffer_append_text(&text, "[],");
    }
    buffer_append_text(&text, "]");
    CLEANUP(memory_cleanup) char *all = memory_format("[%s", buffer_text(&text));
    CLEANUP(memory_cleanup) char *found = evaluate(all);
    assert_string_equal(found, "0: the expression is longer than 8192 bytes");
    buffer_release(&text);
}

static void what_grows_has_a_limit(void **state)
{
    (void)state;
    struct buffer text = BUFFER_INIT;
    buffer_append_text(&text, "'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'");
    for (size_t i = 0; i < 6; i++) {
        CLEANUP(memory_cleanup) char *inner = buffer_take(&text);
        buffer_append_format(&text, "replace(%s, 'a', 'aaaaaaaaaaaaaaaa')", inner);
    }
    CLEANUP(memory_cleanup) char *found = evaluate(buffer_text(&text));
    assert_non_null(strstr(found, "the text grows beyond 4 MiB"));
    buffer_release(&text);
}

static void secrets_taint_what_is_made_from_them(void **state)
{
    (void)state;
    assert_evaluates("inputs.pw", "\"hunter2\" SECRET");
    assert_evaluates("upper(inputs.pw)", "\"HUNTER2\" SECRET");
    assert_evaluates("format('{0}', inputs.pw)", "\"hunter2\" SECRET");
    assert_evaluates("[inputs.pw]", "[\"hunter2\"] SECRET");
    assert_evaluates("steps.db.outputs.key", "\"s3cr3t\" SECRET");
    assert_evaluates("toJSON(steps.db.outputs)",
                     "\"{\\\"arn\\\":\\\"x\\\",\\\"key\\\":\\\"s3cr3t\\\"}\" SECRET");
    assert_evaluates("default(inputs.none, inputs.pw)", "\"hunter2\" SECRET");
    assert_evaluates("true && inputs.pw", "\"hunter2\" SECRET");
    assert_evaluates("inputs['pw']", "\"hunter2\" SECRET");
}

static void what_tells_nothing_of_a_secret_is_none(void **state)
{
    (void)state;
    assert_evaluates("steps.db.outputs.arn", "\"x\"");
    assert_evaluates("inputs.pw == ''", "false");
    assert_evaluates("length(inputs.pw)", "7");
    assert_evaluates("exists(inputs.pw)", "true");
    assert_evaluates("inputs.pw ? 'set' : 'not set'", "\"set\"");
}

static void errors_do_not_show_secrets(void **state)
{
    (void)state;
    assert_evaluates("fromJSON(inputs.pw)", "0: fromJSON() cannot work on this secret value");
    assert_evaluates("duration(inputs.pw)", "0: duration() cannot work on this secret value");
    assert_evaluates("inputs.pw.x", "10: inputs.pw is text and has no 'x'");
}

static void references_are_known_without_evaluating(void **state)
{
    (void)state;
    struct expression *expression;
    struct reference_list list = {0};
    struct error err = ERROR_INIT;
    size_t end;
    const char *text = "default(site.a['b'].c, steps[inputs.x].outputs) || lower(each.key)[0].z";
    assert_int_equal(expression_parse(text, 0, false, &expression, &end, &err), 0);
    expression_references(expression, &list);
    struct buffer found = BUFFER_INIT;
    vector_each (const struct reference *, reference, &list.items) {
        for (size_t i = 0; i < reference->parts.count; i++) {
            buffer_append_format(&found, "%s@%zu ", reference->parts.items[i],
                                 reference->offsets.items[i]);
        }
        buffer_append_format(&found, "%s%s; ", reference->continues ? "…" : "",
                             reference->may_be_missing ? "?" : "");
    }
    assert_string_equal(buffer_text(&found), "site@8 a@13 b@15 c@20 ?; steps@23 …?; "
                                             "inputs@29 x@36 ?; each@57 key@62 ; ");
    buffer_release(&found);
    reference_list_release(&list);
    expression_free(expression);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_lead_into_the_context),
        cmocka_unit_test(what_is_not_there_is_an_error_at_its_place),
        cmocka_unit_test(defaults_stand_in_for_what_is_not_there),
        cmocka_unit_test(operators_bind_as_people_expect),
        cmocka_unit_test(numbers_and_texts_compare_as_they_are_written),
        cmocka_unit_test(the_text_false_is_no_condition),
        cmocka_unit_test(functions_do_what_their_table_says),
        cmocka_unit_test(times_are_compared_as_instants),
        cmocka_unit_test(wrong_arguments_are_refused_by_name),
        cmocka_unit_test(mistakes_of_spelling_are_found_where_they_are),
        cmocka_unit_test(nesting_has_a_limit),
        cmocka_unit_test(length_has_a_limit),
        cmocka_unit_test(what_grows_has_a_limit),
        cmocka_unit_test(secrets_taint_what_is_made_from_them),
        cmocka_unit_test(what_tells_nothing_of_a_secret_is_none),
        cmocka_unit_test(errors_do_not_show_secrets),
        cmocka_unit_test(references_are_known_without_evaluating),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
