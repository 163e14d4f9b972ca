/* What holds for every action that there is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "actions/action.h"
#include "base/json.h"

static void actions_are_sorted_by_name(void **state)
{
    (void)state;
    for (size_t i = 1; i < actions_count; i++) {
        assert_true(strcmp(actions[i - 1]->description.name, actions[i]->description.name) < 0);
    }
}

static void action_is_found_by_its_name(void **state)
{
    (void)state;
    for (size_t i = 0; i < actions_count; i++) {
        assert_ptr_equal(action_find(actions[i]->description.name), actions[i]);
    }
    assert_null(action_find("terraform"));
    assert_null(action_find(""));
    assert_int_equal(actions_catalogue()->count, actions_count);
}

static void every_action_says_what_it_does(void **state)
{
    (void)state;
    for (size_t i = 0; i < actions_count; i++) {
        const struct action *action = actions[i];
        const char *name = action->description.name;
        if (action->description.summary == NULL || action->run == NULL ||
            action->interrupted == NULL || strlen(action->interrupted) < 20) {
            fail_msg("%s lacks its summary, its function or what an interruption means", name);
        }
    }
}

static void check_parameter(const char *action, const struct parameter *parameter)
{
    if (parameter->doc == NULL || strchr(parameter->doc, '\n') != NULL) {
        fail_msg("%s: %s has no line of documentation", action, parameter->name);
    }
    if (parameter->required && (parameter->default_json != NULL || parameter->one_of != NULL)) {
        fail_msg("%s: %s is required and has a default", action, parameter->name);
    }
    if ((parameter->type == VALUE_CHOICE) != (parameter->choices != NULL)) {
        fail_msg("%s: %s is a choice without choices", action, parameter->name);
    }
    if (parameter->default_json != NULL) {
        json_t *value = json_loads(parameter->default_json, JSON_DECODE_ANY, NULL);
        if (value == NULL) {
            fail_msg("%s: the default of %s is no JSON", action, parameter->name);
        }
        json_decref(value);
    }
}

static void every_parameter_and_output_is_documented(void **state)
{
    (void)state;
    for (size_t i = 0; i < actions_count; i++) {
        const struct action_description *action = &actions[i]->description;
        for (const struct parameter *p = action->parameters; p != NULL && p->name != NULL; p++) {
            check_parameter(action->name, p);
        }
        for (const struct output *o = action->outputs; o != NULL && o->name != NULL; o++) {
            if (o->doc == NULL || strchr(o->doc, '\n') != NULL) {
                fail_msg("%s: %s has no line of documentation", action->name, o->name);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(actions_are_sorted_by_name),
        cmocka_unit_test(action_is_found_by_its_name),
        cmocka_unit_test(every_action_says_what_it_does),
        cmocka_unit_test(every_parameter_and_output_is_documented),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
