/* The JSON Schema says what the tables say. */
#include <stdlib.h>
#include <string.h>

#include "fixture.h"
#include "plan/functions.h"
#include "plan/reader.h"
#include "plan/schema.h"

static const json_t *at(const json_t *value, const char *const *path)
{
    for (; value != NULL && *path != NULL; path++) {
        value = json_object_get(value, *path);
    }
    return value;
}

#define AT(value, ...) at(value, (const char *const[]){__VA_ARGS__, NULL})

static void every_key_of_a_step_is_in_it_with_its_line(void **state)
{
    (void)state;
    json_t *schema = schema_of_plans(&fixture_catalogue);
    const json_t *properties = AT(schema, "$defs", "step", "properties");
    for (const struct key_rule *rule = step_rules; rule->key != NULL; rule++) {
        const char *description = json_get_text(AT(properties, rule->key), "description");
        assert_non_null(description);
        assert_string_equal(description, rule->doc);
    }
    assert_json(AT(schema, "$defs", "step", "required"), "['uses']");
    assert_json(AT(schema, "$defs", "step", "additionalProperties"), "false");
    json_decref(schema);
}

static void every_action_brings_its_parameters(void **state)
{
    (void)state;
    json_t *schema = schema_of_plans(&fixture_catalogue);
    const json_t *rules = AT(schema, "$defs", "step", "allOf");
    assert_int_equal(json_array_size(rules), fixture_catalogue.count);
    const json_t *apply = json_array_get(rules, 2);
    assert_json(AT(apply, "if", "properties", "uses", "const"), "'terraform.apply'");
    const json_t *with = AT(apply, "then", "properties", "with");
    assert_json(AT(with, "required"), "['dir']");
    assert_json(AT(with, "properties", "lock_timeout", "default"), "'5m'");
    assert_json(AT(apply, "then", "required"), "['with']");
    json_decref(schema);
}

static void every_reference_leads_somewhere(void **state)
{
    (void)state;
    json_t *schema = schema_of_plans(&fixture_catalogue);
    CLEANUP(memory_cleanup) char *text = json_canonical(schema);
    size_t found = 0;
    for (const char *ref = strstr(text, "#/$defs/"); ref != NULL;
         ref = strstr(ref + 1, "#/$defs/")) {
        CLEANUP(memory_cleanup) char *name = memory_text_n(ref + 8, strcspn(ref + 8, "\""));
        assert_non_null(AT(schema, "$defs", name));
        found++;
    }
    assert_true(found >= 8);
    json_decref(schema);
}

static void every_type_has_a_name_that_leads_back(void **state)
{
    (void)state;
    for (int type = VALUE_ANY; type <= VALUE_STRING_MAP; type++) {
        enum value_type found;
        assert_true(value_type_from_name(value_type_name((enum value_type)type), &found));
        assert_int_equal(found, type);
    }
}

static void every_function_is_found_and_documented(void **state)
{
    (void)state;
    for (const struct function *f = expression_functions; f->name != NULL; f++) {
        assert_ptr_equal(function_find(f->name, NULL), f);
        assert_true(strncmp(f->signature, f->name, strlen(f->name)) == 0);
        assert_true(strlen(f->doc) > 0);
        assert_true(f->least <= f->most);
        assert_true(f->most <= FUNCTION_ANY_COUNT);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_key_of_a_step_is_in_it_with_its_line),
        cmocka_unit_test(every_action_brings_its_parameters),
        cmocka_unit_test(every_reference_leads_somewhere),
        cmocka_unit_test(every_type_has_a_name_that_leads_back),
        cmocka_unit_test(every_function_is_found_and_documented),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
