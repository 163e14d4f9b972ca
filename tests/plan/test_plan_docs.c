/* docs/plan-language.md tells all that the tables have, and its examples are plans. */
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "fixture.h"
#include "plan/functions.h"
#include "plan/reader.h"

static char *read_docs(void)
{
    struct buffer content = BUFFER_INIT;
    struct error err = ERROR_INIT;
    assert_int_equal(file_read(DRCTL_SOURCE_DIR "/docs/plan-language.md", 1 << 20, &content, &err),
                     0);
    return buffer_take(&content);
}

static void assert_told(const char *docs, const char *what, const char *name)
{
    CLEANUP(memory_cleanup) char *quoted = memory_format("`%s", name);
    if (strstr(docs, quoted) == NULL) {
        print_error("%s %s is not in docs/plan-language.md\n", what, name);
    }
    assert_non_null(strstr(docs, quoted));
}

static void every_key_is_told(void **state)
{
    (void)state;
    const struct key_rule *const tables[] = {plan_rules,  input_rules, objective_rules, step_rules,
                                             retry_rules, probe_rules, undo_rules};
    CLEANUP(memory_cleanup) char *docs = read_docs();
    for (size_t i = 0; i < ARRAY_SIZE(tables); i++) {
        for (const struct key_rule *rule = tables[i]; rule->key != NULL; rule++) {
            assert_told(docs, "the key", rule->key);
        }
    }
}

static void every_type_is_told(void **state)
{
    (void)state;
    CLEANUP(memory_cleanup) char *docs = read_docs();
    for (int type = VALUE_ANY; type <= VALUE_STRING_MAP; type++) {
        assert_told(docs, "the type", value_type_name((enum value_type)type));
    }
}

static void every_function_is_told_with_its_signature(void **state)
{
    (void)state;
    CLEANUP(memory_cleanup) char *docs = read_docs();
    for (const struct function *f = expression_functions; f->name != NULL; f++) {
        assert_told(docs, "the function", f->signature);
    }
}

/* An example that is a whole plan has to parse; other ones only as documents. */
static void check_example(const char *yaml)
{
    struct error_list errors = {0};
    if (strncmp(yaml, "plan:", 5) == 0) {
        struct plan *plan = plan_parse(span_of_text(yaml), "example", &errors);
        assert_non_null(plan);
        plan_free(plan);
    } else {
        struct document *document = document_parse(span_of_text(yaml), "example", &errors);
        assert_non_null(document);
        document_free(document);
    }
    for (size_t i = 0; i < errors.errors.count; i++) {
        print_error("%s\n%s\n", yaml, errors.errors.items[i].message);
    }
    assert_int_equal(errors.errors.count, 0);
    error_list_release(&errors);
}

static void every_example_can_be_read(void **state)
{
    (void)state;
    CLEANUP(memory_cleanup) char *docs = read_docs();
    size_t count = 0;
    for (const char *at = strstr(docs, "```yaml\n"); at != NULL; at = strstr(at, "```yaml\n")) {
        at += strlen("```yaml\n");
        const char *end = strstr(at, "```");
        assert_non_null(end);
        CLEANUP(memory_cleanup) char *yaml = memory_text_n(at, (size_t)(end - at));
        check_example(yaml);
        at = end + 3;
        count++;
    }
    assert_true(count >= 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_key_is_told),
        cmocka_unit_test(every_type_is_told),
        cmocka_unit_test(every_function_is_told_with_its_signature),
        cmocka_unit_test(every_example_can_be_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
