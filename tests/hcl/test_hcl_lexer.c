/* What terraform's scanner and parser accept and refuse, and where they complain. Each case was put
 * to terraform 1.11.4 (`terraform fmt -`); oracle.mjs asks it again. */
#include "hcl_test.h"

static void accepts(const char *text)
{
    struct hcl_document document = {0};
    struct error err = ERROR_INIT;
    if (hcl_document_init(&document, "x.tf", HCL_FORMAT_CONFIG, span_of_text(text), &err) != 0) {
        fail_msg("refused: %s\n%s", text, err.message);
    }
    hcl_document_release(&document);
}

static void refuses_at(enum hcl_format format, const char *text, size_t line, size_t column,
                       const char *part)
{
    struct hcl_document document = {0};
    struct error err = ERROR_INIT;
    if (hcl_document_init(&document, "x.tf", format, span_of_text(text), &err) == 0) {
        hcl_document_release(&document);
        fail_msg("accepted: %s", text);
    }
    if (err.line != line || err.column != column || strstr(err.message, part) == NULL) {
        fail_msg("%s\nsays %zu:%zu: %s", text, err.line, err.column, err.message);
    }
    assert_string_equal(err.file, "x.tf");
    error_release(&err);
}

static void refuses(const char *text, size_t line, size_t column, const char *part)
{
    refuses_at(HCL_FORMAT_CONFIG, text, line, column, part);
}

static void a_heredoc_ends_at_its_marker_even_when_indented(void **state)
{
    (void)state;
    accepts("a = <<E\nx\n   E\nb = 1\n");
    accepts("a = <<-E\n  x\n  E\nb = 1\n");
    accepts("a = <<E\nE\nb = 1\n");
    accepts("a = <<E\nx\n\xc2\xa0"
            "E\nb = 1\n");
    accepts("a = <<E\r\nx\r\nE\r\nb = 1\r\n");
}

static void a_heredoc_does_not_end_at_what_only_looks_like_its_marker(void **state)
{
    (void)state;
    accepts("a = <<E\nx\n  E # c\nE\n");
    accepts("a = <<E\nE,\nE\n");
    accepts("a = <<E\n${1}E\nE\n");
    accepts("a = <<E\n$E\nE\n");
    accepts("a = <<E\n$${E\nE\n");
}

static void a_heredoc_marker_at_the_end_of_the_file_is_an_error(void **state)
{
    (void)state;
    refuses("a = <<E\nx\nE", 1, 5, "unterminated heredoc");
    refuses("a = <<E\n${1}\nE", 1, 5, "unterminated heredoc");
}

static void a_heredoc_opens_with_nothing_behind_its_marker(void **state)
{
    (void)state;
    refuses("a = <<E \nx\nE\n", 1, 5, "opens no heredoc");
    refuses("a = << E\nx\nE\n", 1, 5, "opens no heredoc");
    refuses("a = <<\"E\"\nx\nE\n", 1, 5, "opens no heredoc");
}

static void heredocs_nest_in_templates(void **state)
{
    (void)state;
    accepts("a = \"${<<E\nx\nE\n}\"\n");
    accepts("a = <<A\n${f(<<B\nA\nB\n)}\nA\n");
    accepts("a = [<<E\nx\nE\n, 2]\n");
    accepts("a = {b = <<E\nx\nE\n}\n");
}

static void doubled_signs_are_literal(void **state)
{
    (void)state;
    accepts("a = \"$${1\"\n");
    accepts("a = \"$$${1\"\n");
    accepts("a = \"%%{ x\"\n");
    accepts("a = \"x$\"\nb = \"x$$\"\nc = \"100%\"\n");
}

static void sequences_hold_strings_objects_and_braces(void **state)
{
    (void)state;
    accepts("a = \"${f({x = \"}\"})[\"${b}\"]}\"\n");
    accepts("a = \"${~ x ~}\"\n");
    accepts("a = \"%{ if x ~}a%{else}b%{ endif }\"\n");
    accepts("a = \"%{ for k, v in y }a%{ endfor }\"\n");
    accepts("a = \"${x\n}\"\n");
    refuses("a = \"%{ for x in y }a\"\n", 1, 22, "unexpected end of template");
    refuses("a = \"%{ endif }\"\n", 1, 9, "invalid template directive");
    refuses("a = \"${x\"\n", 1, 10, "invalid multi-line string");
}

static void escapes_are_the_known_ones(void **state)
{
    (void)state;
    accepts("a = \"\\n\\r\\t\\\"\\\\\\u00e9\\U0001f600\"\n");
    refuses("a = \"x\\q\"\n", 1, 7, "invalid escape");
    refuses("a = \"\\u12\"\n", 1, 6, "invalid escape");
    refuses("a = \"\\ud800\"\n", 1, 6, "invalid escape");
    refuses("a = \"\\U00110000\"\n", 1, 6, "invalid escape");
    refuses("a = \"\\/\"\n", 1, 6, "invalid escape");
}

static void comments_stand_between_name_sign_and_value(void **state)
{
    (void)state;
    accepts("a /* x */ = /* y\n */ 1 // z\n# \xff\n# lone \r here\n");
    accepts("a = 1 /* no /* nesting */\n");
    accepts("# at the end");
    refuses("a = 1 /* /* */ */\n", 1, 17, "invalid expression");
    refuses("a = 1 /* x\n", 1, 7, "unterminated comment");
}

static void a_byte_order_mark_is_fine_at_the_start_only(void **state)
{
    (void)state;
    accepts("\xef\xbb\xbf"
            "a = 1\n");
    refuses("a = \xef\xbb\xbf"
            "1\n",
            1, 5, "byte order mark");
    refuses("\xef\xbb\xbf"
            "a = ?\n",
            1, 5, "invalid expression");
}

static void odd_characters_are_errors(void **state)
{
    (void)state;
    refuses("a = 1\rb = 2\n", 1, 6, "carriage return");
    refuses("a = \"x\ry\"\n", 1, 7, "invalid multi-line string");
    refuses("a = <<E\nx\ry\nE\n", 2, 2, "carriage return");
    refuses("a =\f1\n", 1, 4, "invalid character U+000C");
    refuses("a =\xc2\xa0"
            "1\n",
            1, 4, "invalid character U+00A0");
    refuses("a = \"\xff\"\n", 1, 6, "UTF-8");
    refuses("a = 1;\n", 1, 6, "invalid character ';'");
    refuses("a = 'x'\n", 1, 5, "single quotes");
}

static void an_argument_is_one_line_with_its_value(void **state)
{
    (void)state;
    refuses("a =\n1\n", 1, 4, "invalid expression");
    accepts("a = (\n1\n)\n");
    accepts("a = (1 +\n 2)\nb = f(\n1,\n2\n)\nc = x[\n1\n]\n");
    refuses("a = 1 +\n 2\n", 1, 8, "invalid expression");
    refuses("a = true ? 1 :\n 2\n", 1, 15, "invalid expression");
    refuses("a = 1 b = 2\n", 1, 7, "missing newline");
    refuses("a = \"a\" \"b\"\n", 1, 9, "missing newline");
    accepts("a = 1");
}

static void duplicate_arguments_are_errors(void **state)
{
    (void)state;
    refuses("a = 1\nb = 2\na = 3\n", 3, 1, "already set on line 1");
    accepts("x {\n a = 1\n}\nx {\n a = 1\n}\n");
}

static void object_keys_are_bare_quoted_or_computed(void **state)
{
    (void)state;
    accepts("a = {b = 1, \"c.d\" : 2, (e) = 3, 4 = 5, f.g = 6\nh = 7,\n\n}\n");
    refuses("a = {b=1 c=2}\n", 1, 10, "missing attribute separator");
    refuses("a = {\n b\n=\n1\n}\n", 2, 3, "missing attribute value");
    accepts("a = {for k, v in x : k => v... if true}\n");
    refuses("a = {for = 1}\n", 1, 10, "'for'");
    refuses("a = [for k, v in x : k => v]\n", 1, 24, "'for'");
}

static void names_are_unicode_with_hyphens(void **state)
{
    (void)state;
    accepts("region-n\xc3\xa4me_2 = 1\n_x = 2\n\xe5\x8c\xba = 3\n");
    refuses("-x = 1\n", 1, 1, "argument or block definition");
    refuses("\"x\" = 1\n", 1, 1, "must not be quoted");
}

static void blocks_have_labels_and_one_line_forms(void **state)
{
    (void)state;
    accepts("b {}\nb { a = 1 }\nb \"x\" y {\n}\n");
    refuses("b { a = 1, c = 2 }\n", 1, 10, "single-argument block");
    refuses("b { c {} }\n", 1, 7, "argument definition required");
    refuses("b {\n a = 1 }\n", 2, 8, "missing newline");
    refuses("b\n{}\n", 1, 1, "argument or block definition");
    refuses("b \"x${1}\" {}\n", 1, 5, "template sequences are not allowed");
    refuses("b {\n a = 1\n", 1, 3, "unclosed configuration block");
    refuses("}\n", 1, 1, "argument or block definition");
}

static void traversals_and_calls_are_as_terraform_has_them(void **state)
{
    (void)state;
    accepts("a = x.0.b[*].c.*.d\nb = provider::x::y(1, 2...)\nc = {}.b\nd = -1\ne = !true\n");
    refuses("a = x.0.1\n", 1, 7, "legacy index");
    refuses("a = 0x10\n", 1, 6, "missing newline");
    refuses("a = f(1 2)\n", 1, 9, "missing argument separator");
    refuses("a = [1 2]\n", 1, 8, "missing item separator");
}

static void values_files_hold_literals_only(void **state)
{
    (void)state;
    enum hcl_format values = HCL_FORMAT_VALUES;
    refuses_at(values, "a = var.x\n", 1, 5, "variables are not allowed");
    refuses_at(values, "a = us-east-2\n", 1, 5, "variables are not allowed");
    refuses_at(values, "a = upper(\"x\")\n", 1, 5, "function calls are not allowed");
    refuses_at(values, "a = \"${b}\"\n", 1, 8, "variables are not allowed");
    refuses_at(values, "b {\n}\n", 1, 1, "unexpected block");
    struct hcl_document document = {0};
    assert_int_equal(hcl_document_init(&document, "x.tfvars", values,
                                       span_of_text("a = {k = [for x in [1] : x]}\n"), NULL),
                     0);
    hcl_document_release(&document);
}

static void json_is_strict(void **state)
{
    (void)state;
    enum hcl_format json = HCL_FORMAT_VALUES_JSON;
    refuses_at(json, "\xef\xbb\xbf{}", 1, 1, "byte order mark");
    refuses_at(json, "{\"a\": 1,\n \"a\": 2}", 2, 2, "duplicate key");
    refuses_at(json, "{\"a\": 01}", 1, 7, "not a number");
    refuses_at(json, "{\"a\": 1,}", 1, 9, "expected a string");
    refuses_at(json, "{\"a\": 1} x", 1, 10, "extraneous");
    refuses_at(json, "[]", 1, 1, "must be a JSON object");
    refuses_at(json, "{\"a\": \"\\x\"}", 1, 8, "invalid escape");
    refuses_at(json, "{\"a\": \"\xff\"}", 1, 8, "UTF-8");
    refuses_at(json, "{\"a\": \"x\ny\"}", 1, 9, "control character");
    refuses_at(json, "{\"a\": \"x", 1, 7, "unclosed string");
    refuses_at(json, "{\"a\": tru}", 1, 7, "expected a value");
    refuses_at(json, "", 1, 1, "expected a value");
}

static void nesting_has_a_limit(void **state)
{
    (void)state;
    struct buffer deep = BUFFER_INIT;
    buffer_append_text(&deep, "a = ");
    for (int i = 0; i < 100000; i++) {
        buffer_append_char(&deep, '[');
    }
    refuses(buffer_text(&deep), 1, 205, "nested more than");
    buffer_clear(&deep);
    for (int i = 0; i < 100000; i++) {
        buffer_append_text(&deep, i == 0 ? "a = \"${" : "\"${");
    }
    refuses(buffer_text(&deep), 1, 303, "nested more than");
    buffer_clear(&deep);
    for (int i = 0; i < 100000; i++) {
        buffer_append_text(&deep, "[");
    }
    refuses_at(HCL_FORMAT_CONFIG_JSON, buffer_text(&deep), 1, 201, "nested more than");
    buffer_release(&deep);
}

static void tokens_and_spaces_are_the_whole_file(void **state)
{
    (void)state;
    const char *text =
        "a /*c*/ = \"x${ {b = \"y\"} }z\" # d\r\nb = <<-E\n  t ${u}\n  E\n\tc=[1,\n2]";
    struct hcl_tokens tokens = {0};
    assert_int_equal(hcl_lex(span_of_text(text), "x.tf", &tokens, NULL), 0);
    size_t at = 0;
    vector_each (const struct hcl_token *, token, &tokens.list) {
        assert_true(token->offset >= at);
        for (; at < token->offset; at++) {
            assert_true(text[at] == ' ' || text[at] == '\t');
        }
        at += token->size_bytes;
    }
    assert_int_equal(at, strlen(text));
    hcl_tokens_release(&tokens);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_heredoc_ends_at_its_marker_even_when_indented),
        cmocka_unit_test(a_heredoc_does_not_end_at_what_only_looks_like_its_marker),
        cmocka_unit_test(a_heredoc_marker_at_the_end_of_the_file_is_an_error),
        cmocka_unit_test(a_heredoc_opens_with_nothing_behind_its_marker),
        cmocka_unit_test(heredocs_nest_in_templates),
        cmocka_unit_test(doubled_signs_are_literal),
        cmocka_unit_test(sequences_hold_strings_objects_and_braces),
        cmocka_unit_test(escapes_are_the_known_ones),
        cmocka_unit_test(comments_stand_between_name_sign_and_value),
        cmocka_unit_test(a_byte_order_mark_is_fine_at_the_start_only),
        cmocka_unit_test(odd_characters_are_errors),
        cmocka_unit_test(an_argument_is_one_line_with_its_value),
        cmocka_unit_test(duplicate_arguments_are_errors),
        cmocka_unit_test(object_keys_are_bare_quoted_or_computed),
        cmocka_unit_test(names_are_unicode_with_hyphens),
        cmocka_unit_test(blocks_have_labels_and_one_line_forms),
        cmocka_unit_test(traversals_and_calls_are_as_terraform_has_them),
        cmocka_unit_test(values_files_hold_literals_only),
        cmocka_unit_test(json_is_strict),
        cmocka_unit_test(nesting_has_a_limit),
        cmocka_unit_test(tokens_and_spaces_are_the_whole_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
