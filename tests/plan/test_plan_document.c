/* Documents: what YAML becomes, its limits, and where things stand. */
#include <stdlib.h>
#include <string.h>

#include "fixture.h"
#include "plan/document.h"

static struct document *parse(const char *yaml)
{
    struct error_list errors = {0};
    struct document *document = document_parse(span_of_text(yaml), "d.yaml", &errors);
    assert_int_equal(errors.errors.count, 0);
    assert_non_null(document);
    return document;
}

static void assert_document(const char *yaml, const char *expected)
{
    struct document *document = parse(yaml);
    json_t *value = node_to_json(document->root);
    assert_json(value, expected);
    json_decref(value);
    document_free(document);
}

/* The first error of a text that cannot be read. */
static void assert_refused(struct span text, const char *expected)
{
    struct error_list errors = {0};
    assert_null(document_parse(text, "d.yaml", &errors));
    assert_true(errors.errors.count >= 1);
    assert_error(&errors.errors.items[0], expected);
    error_list_release(&errors);
}

static void plain_scalars_follow_the_core_schema_of_yaml_1_2(void **state)
{
    (void)state;
    assert_document("[no, on, off, yes, y, n, 12:30, 1_000, .inf, .NaN, 0b1]",
                    "['no','on','off','yes','y','n','12:30','1_000','.inf','.NaN','0b1']");
    assert_document("[true, True, TRUE, false, null, ~, Null]",
                    "[true,true,true,false,null,null,null]");
    assert_document("[0, -7, +3, 0x1F, 0o17, 1.5, 1e3, -.5, 2.]",
                    "[0,-7,3,31,15,1.5,1000.0,-0.5,2.0]");
}

static void numbers_that_would_lose_digits_stay_text(void **state)
{
    (void)state;
    assert_document("[012, 000123456789, 9223372036854775807, 9223372036854775808, 1e999, 01.5]",
                    "['012','000123456789',9223372036854775807,'9223372036854775808','1e999',"
                    "'01.5']");
}

static void quoted_scalars_are_text(void **state)
{
    (void)state;
    assert_document("['true', \"1\", !!str 5, ! 6, '~']", "['true','1','5','6','~']");
}

static void json_is_read_with_its_own_escapes(void **state)
{
    (void)state;
    struct error_list errors = {0};
    struct document *document = document_parse(
        span_of_text("{\n\t\"a\": \"\\ud83d\\ude00\\/\\\\ud83d\",\n\t\"b\":[1,true,null]}"),
        "d.json", &errors);
    assert_non_null(document);
    json_t *value = node_to_json(document->root);
    CLEANUP(memory_cleanup) char *text = json_canonical(value);
    assert_string_equal(text, "{\"a\":\"\xf0\x9f\x98\x80/\\\\ud83d\",\"b\":[1,true,null]}");
    json_decref(value);
    document_free(document);
    error_list_release(&errors);
}

static void an_alias_shares_its_value(void **state)
{
    (void)state;
    assert_document("a: &x {b: [1]}\nc: *x\n", "{'a':{'b':[1]},'c':{'b':[1]}}");
}

static void a_file_of_a_hundred_megabytes_is_refused_unread(void **state)
{
    (void)state;
    size_t size = 100 * 1000 * 1000;
    char *text = memory_new(size, 1);
    memset(text, 'a', size);
    assert_refused(span_of(text, size), "d.yaml:1:1: the file is larger than 4 MiB; that is no "
                                        "plan that people wrote");
    free(text);
}

static void too_many_nodes_are_refused(void **state)
{
    (void)state;
    struct buffer text = BUFFER_INIT;
    buffer_append_text(&text, "a: [");
    for (size_t i = 0; i < DOCUMENT_NODE_LIMIT; i++) {
        buffer_append_text(&text, "1,");
    }
    buffer_append_text(&text, "]");
    assert_refused(buffer_span(&text), "d.yaml:1:199999: the document unfolds to more than 100000 "
                                       "values (aliases (*name) count with everything that they "
                                       "stand for)");
    buffer_release(&text);
}

static void deep_nesting_by_aliases_is_refused(void **state)
{
    (void)state;
    struct buffer text = BUFFER_INIT;
    buffer_append_text(&text, "a0: &a0 [1]\n");
    for (size_t i = 1; i < 80; i++) {
        buffer_append_format(&text, "a%zu: &a%zu [*a%zu]\n", i, i, i - 1);
    }
    assert_refused(buffer_span(&text), "d.yaml:64:12: the document is nested too deeply");
    buffer_release(&text);
}

static void escaped_nul_is_refused(void **state)
{
    (void)state;
    assert_refused(
        span_of_text("a: \"x\\0y\"\n"),
        "d.yaml:1:4: the text has a NUL character in it, which no program can be handed");
}

/* The position of the given word inside a scalar's content. */
static void assert_position(const char *yaml, const char *word, size_t line, size_t column)
{
    struct document *document = parse(yaml);
    const struct node *node = node_get(document->root, "k");
    const char *found = strstr(node->text, word);
    assert_non_null(found);
    struct mark at = document_position(document, node, (size_t)(found - node->text));
    assert_int_equal(at.line, line);
    assert_int_equal(at.column, column);
    document_free(document);
}

static void positions_inside_scalars_are_exact_in_every_style(void **state)
{
    (void)state;
    assert_position("k: ab ${{ cd }}\n", "cd", 1, 11);
    assert_position("k: 'it''s ${{ a == ''x'' && cd }}'\n", "cd", 1, 29);
    assert_position("k: \"t\\tu\\u00e9 ${{ 'a\\x41' && cd }}\"\n", "cd", 1, 31);
    assert_position("k: |\n  one\n  two ${{ a\n    || cd }}\n", "cd", 4, 8);
    assert_position("k: >-\n\n   one\n   two ${{ a }}\n   three ${{ cd }}\n", "cd", 5, 14);
    assert_position("k: one\n   two ${{ a\n   && cd }}\n", "cd", 3, 7);
    assert_position("\xc3\xa9: 1\nk: \xc3\xa9\xc3\xa9 ${{ cd }}\r\n", "cd", 2, 11);
    assert_position("k: steps.a &&\n   cd\n", "cd", 2, 4);
    assert_position("k: |\n  a &&\n  cd\n", "cd", 3, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_scalars_follow_the_core_schema_of_yaml_1_2),
        cmocka_unit_test(numbers_that_would_lose_digits_stay_text),
        cmocka_unit_test(quoted_scalars_are_text),
        cmocka_unit_test(json_is_read_with_its_own_escapes),
        cmocka_unit_test(an_alias_shares_its_value),
        cmocka_unit_test(a_file_of_a_hundred_megabytes_is_refused_unread),
        cmocka_unit_test(too_many_nodes_are_refused),
        cmocka_unit_test(deep_nesting_by_aliases_is_refused),
        cmocka_unit_test(escaped_nul_is_refused),
        cmocka_unit_test(positions_inside_scalars_are_exact_in_every_style),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
