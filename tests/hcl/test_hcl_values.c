/* Constants: what terraform reads from a file (asked with `terraform console`), and that what is
 * written is read back. */
#include "hcl_test.h"

static json_t *read_first(const char *name, const char *text, struct error *err)
{
    struct hcl_document document = hcl_test_open(name, text);
    json_t *value = hcl_value_read(
        &document,
        hcl_tree_at(&document.tree, hcl_tree_at(&document.tree, 0)->first_child)->first_child, err);
    hcl_document_release(&document);
    return value;
}

static void reads(const char *name, const char *text, const char *wanted)
{
    json_t *value = read_first(name, text, NULL);
    assert_non_null(value);
    char *json = json_canonical(value);
    assert_string_equal(json, wanted);
    free(json);
    json_decref(value);
}

static void a_string_means_what_terraform_says(void **state)
{
    (void)state;
    reads("x.tf", "a = \"$$${b} $${ $$$${ %%{ %%%{ $$ $x\"\n", "\"$${b} ${ $$${ %{ %%{ $$ $x\"");
    reads("x.tf", "a = \"\\n\\t\\\"\\\\\\u00e9\\U0001f600\\u0024{x}\"\n",
          "\"\\n\\t\\\"\\\\\xc3\xa9\xf0\x9f\x98\x80${x}\"");
}

static void a_heredoc_means_what_terraform_says(void **state)
{
    (void)state;
    reads("x.tf", "a = <<-E\n    x\n  \n      \n \n\n\ty\n  E\n",
          "\"   x\\n  \\n      \\n \\n\\ny\\n\"");
    reads("x.tf", "a = <<E\n x\n   E\n", "\" x\\n\"");
    reads("x.tf", "a = <<-E\n   $${x}\n  y $${\n     $$$${\nE\n", "\" ${x}\\ny ${\\n   $$${\\n\"");
    reads("x.tf", "a = <<-E\r\n    x\\n\r\n  y\r\n  E\r\n", "\"  x\\\\n\\r\\ny\\r\\n\"");
    reads("x.tf", "a = <<E\nE\n", "\"\"");
}

static void numbers_are_exact_or_refused(void **state)
{
    (void)state;
    reads("x.tfvars", "a = [1, -1, - 2.50, 1e3, 0.1, 1.0, 9007199254740993]\n",
          "[1,-1,-2.5,1000,0.10000000000000001,1,9007199254740993]");
    struct error err = ERROR_INIT;
    assert_null(read_first("x.tfvars", "a = 12345678901234567890\n", &err));
    assert_non_null(strstr(err.message, "larger than can be kept"));
    error_release(&err);
}

static void collections_and_keys_are_read(void **state)
{
    (void)state;
    reads("x.tfvars", "a = {b = [true, null], \"c.d\" : 2\n null = 4, 5 = 6 }\n",
          "{\"5\":6,\"b\":[true,null],\"c.d\":2,\"null\":4}");
}

static void json_strings_are_literal_in_values_and_templates_in_configuration(void **state)
{
    (void)state;
    reads("x.tfvars.json", "{\"a\": \"${x} $${y} \\ud83d\\ude00\"}",
          "\"${x} $${y} \xf0\x9f\x98\x80\"");
    reads("x.tf.json", "{\"a\": \"$${y}\"}", "\"${y}\"");
    struct error err = ERROR_INIT;
    assert_null(read_first("x.tf.json", "{\"a\": \"${x}\"}", &err));
    assert_non_null(strstr(err.message, "template"));
    error_release(&err);
}

static void expressions_are_refused_with_their_place(void **state)
{
    (void)state;
    static const char *const cases[] = {"a = [1,\n var.b]\n",     "a = [1,\n f(1)]\n",
                                        "a = [1,\n \"${b}\"]\n",  "a = [1,\n 1 + 2]\n",
                                        "a = [1,\n {(b) = 1}]\n", "a = [1,\n !true]\n"};
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct error err = ERROR_INIT;
        assert_null(read_first("x.tf", cases[i], &err));
        assert_int_equal(err.line, 2);
        error_release(&err);
    }
}

static void all_values_of_a_file_are_read(void **state)
{
    (void)state;
    struct hcl_document document =
        hcl_test_open("terraform.tfvars", "region = \"us-east-2\"\nazs = [\"a\"]\n");
    json_t *values = hcl_values_read(&document, NULL);
    assert_string_equal(json_get_text(values, "region"), "us-east-2");
    json_decref(values);
    hcl_document_release(&document);
}

/* Sets a value in a file and reads the whole file again. */
static void survives(const char *name, const char *text, const json_t *value)
{
    struct hcl_document document = hcl_test_open(name, text);
    struct hcl_edit edit = {"a", HCL_EDIT_SET, value, false};
    struct hcl_splices splices = {0};
    struct buffer bytes = BUFFER_INIT;
    assert_int_equal(hcl_edit_plan(&document, &edit, &splices, NULL), 0);
    assert_int_equal(hcl_splices_apply(&splices, buffer_span(&document.bytes), &bytes, NULL), 0);
    struct hcl_document edited = hcl_test_open(name, buffer_text(&bytes));
    assert_int_equal(hcl_edit_verify(&edited, &edit, NULL), 0);
    hcl_document_release(&edited);
    hcl_document_release(&document);
    hcl_splices_release(&splices);
    buffer_release(&bytes);
}

static void every_value_survives_being_written(void **state)
{
    (void)state;
    static const char *const values[] = {
        "\"plain\"",
        "\"\"",
        "\"${x} $${x} %{y} %%{y} $ % $$ {\"",
        "\"q\\\" b\\\\ n\\n r\\r t\\t\"",
        "\"\\u0001\\u007f\\u00e9\\ud83d\\ude00\"",
        "\"#no //comment /* */ <<EOT\"",
        "0",
        "-17",
        "9223372036854775807",
        "0.1",
        "-1.5e-300",
        "1e22",
        "true",
        "false",
        "null",
        "[]",
        "{}",
        "[1,[2,[\"x\"]],{\"k\":{\"l\":[]}}]",
        "{\"plain\":1,\"with space\":2,\"a.b\":3,\"for\":4,\"null\":5,\"\":6,\"${k}\":7}"};
    for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
        json_t *value = json_parse(span_of_text(values[i]), "value", NULL);
        assert_non_null(value);
        survives("x.tfvars", "a = 1\n", value);
        survives("x.tfvars", "a = [\n  1, # one\n]\n", value);
        survives("x.tfvars", "a = <<E\nE\n", value);
        survives("x.tfvars.json", "{\"a\": 1}", value);
        survives("x.tfvars.json", "{\r\n\t\"a\": {\r\n\t\t\"b\": 1\r\n\t}\r\n}\r\n", value);
        survives("x.tf.json", "{\"a\": 1}", value);
        json_decref(value);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_string_means_what_terraform_says),
        cmocka_unit_test(a_heredoc_means_what_terraform_says),
        cmocka_unit_test(numbers_are_exact_or_refused),
        cmocka_unit_test(collections_and_keys_are_read),
        cmocka_unit_test(json_strings_are_literal_in_values_and_templates_in_configuration),
        cmocka_unit_test(expressions_are_refused_with_their_place),
        cmocka_unit_test(all_values_of_a_file_are_read),
        cmocka_unit_test(every_value_survives_being_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
