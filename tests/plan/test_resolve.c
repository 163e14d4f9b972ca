/* From templates to the values that an action is handed. */
#include <stdlib.h>
#include <string.h>

#include "fixture.h"
#include "plan/resolve.h"

struct setting {
    struct plan *plan;
    struct context context;
};

static void set_up(struct setting *setting, const char *yaml)
{
    setting->plan = fixture_plan(yaml);
    fixture_context(&setting->context, "{'pw':'hunter2','to':'us-west-2','n':3,'none':null,"
                                       "'zones':['a','b'],'map':{'x':1,'y':2}}");
    json_object_set_new(setting->context.secrets, "inputs", json_pack("{sb}", "pw", 1));
}

static void tear_down(struct setting *setting)
{
    context_release(&setting->context);
    plan_free(setting->plan);
}

#define INPUTS                                                                                     \
    "plan: p\ninputs: {pw: {type: secret}, to: {}, n: {type: integer}, none: {}, zones: {type: "   \
    "list}, map: {type: map}}\nsteps:\n"

/* The arguments of the only step: "value", secrets and secret paths; or the error. */
static char *arguments_of(const char *step)
{
    CLEANUP(memory_cleanup) char *yaml = memory_format(INPUTS "  a:\n%s", step);
    struct setting setting;
    struct resolved resolved;
    struct error err = ERROR_INIT;
    char *result;
    set_up(&setting, yaml);
    if (resolve_arguments(setting.plan, &setting.plan->steps.items[0].call, &setting.context,
                          &resolved, &err) == 0) {
        CLEANUP(memory_cleanup) char *value = json_canonical(resolved.value);
        CLEANUP(memory_cleanup) char *secrets = json_canonical(resolved.secrets);
        CLEANUP(memory_cleanup) char *paths = json_canonical(resolved.secret_paths);
        bool open = json_array_size(resolved.secret_paths) == 0;
        result = open ? memory_text(value) : memory_format("%s %s %s", value, secrets, paths);
        resolved_release(&resolved);
    } else {
        result = error_format(&err);
        error_release(&err);
    }
    tear_down(&setting);
    return result;
}

static void assert_arguments(const char *step, const char *expected)
{
    CLEANUP(memory_cleanup) char *found = arguments_of(step);
    assert_string_equal(found, expected);
}

static void a_value_that_is_one_expression_keeps_its_type(void **state)
{
    (void)state;
    assert_arguments(
        "    uses: hcl.rewrite\n"
        "    with: {root: x, set: {n: \"${{ inputs.n }}\", t: \"n=${{ inputs.n }}\", "
        "l: \"${{ inputs.zones }}\", b: \"${{ 1 == 1 }}\"}}\n",
        "{\"root\":\"x\",\"set\":{\"b\":true,\"l\":[\"a\",\"b\"],\"n\":3,\"t\":\"n=3\"}}");
}

static void keys_of_maps_may_be_computed(void **state)
{
    (void)state;
    assert_arguments("    uses: hcl.rewrite\n"
                     "    with: {root: x, set: {\"${{ inputs.to }}.tf\": 1}}\n",
                     "{\"root\":\"x\",\"set\":{\"us-west-2.tf\":1}}");
    assert_arguments("    uses: hcl.rewrite\n"
                     "    with: {root: x, set: {us-west-2: 1, \"${{ inputs.to }}\": 1}}\n",
                     "plan.yaml:6:41: two keys of the map turn out to be the same");
}

static void defaults_of_the_table_fill_in(void **state)
{
    (void)state;
    assert_arguments("    uses: terraform.apply\n    with: {dir: x}\n",
                     "{\"dir\":\"x\",\"lock_timeout\":300000,\"refresh\":false}");
}

static void durations_arrive_in_milliseconds(void **state)
{
    (void)state;
    assert_arguments("    uses: terraform.apply\n    with: {dir: x, lock_timeout: 1h30m}\n",
                     "{\"dir\":\"x\",\"lock_timeout\":5400000,\"refresh\":false}");
}

static void plain_words_arrive_as_they_are_written_where_text_is_wanted(void **state)
{
    (void)state;
    assert_arguments("    uses: exec\n    with: {command: [012, 1.30, true, no, 0x1F, 5]}\n",
                     "{\"command\":[\"012\",\"1.30\",\"true\",\"no\",\"0x1F\",\"5\"]}");
}

static void nothing_leaves_an_optional_parameter_out(void **state)
{
    (void)state;
    assert_arguments("    uses: aws\n    with: {args: [x], region: \"${{ inputs.none }}\"}\n",
                     "{\"args\":[\"x\"],\"format\":\"json\"}");
}

static void nothing_for_a_required_parameter_is_an_error(void **state)
{
    (void)state;
    assert_arguments("    uses: terraform.apply\n    with: {dir: \"${{ inputs.none }}\"}\n",
                     "plan.yaml:6:17: terraform.apply needs the parameter 'dir', and this gives "
                     "nothing");
}

static void types_are_checked_when_values_are_known(void **state)
{
    (void)state;
    assert_arguments("    uses: aws\n    with: {args: [x], region: \"${{ inputs.n }}\"}\n",
                     "plan.yaml:6:31: the parameter 'region': an AWS region such as us-west-2 is "
                     "wanted, and this is a number");
    assert_arguments(
        "    uses: aws\n    with: {args: [[x, \"${{ inputs.to }}\"]]}\n",
        "plan.yaml:6:18: the parameter 'args': a list of texts is wanted, and its item "
        "0 is a list");
}

static void an_error_is_reported_at_its_place_in_the_expression(void **state)
{
    (void)state;
    assert_arguments("    uses: exec\n    with:\n      command:\n        - >-\n"
                     "          one ${{ inputs.to }}\n          two ${{ site.nothing }}\n",
                     "plan.yaml:10:24: site has no 'nothing'");
}

static void an_escaped_expression_is_text(void **state)
{
    (void)state;
    assert_arguments(
        "    uses: exec\n    with: {command: [\"$${{ inputs.x }} ${{ inputs.to }}\"]}\n",
        "{\"command\":[\"${{ inputs.x }} us-west-2\"]}");
}

static void secrets_are_told_apart_from_the_rest(void **state)
{
    (void)state;
    assert_arguments("    uses: sql.check\n"
                     "    with: {host: h, password: \"${{ inputs.pw }}\"}\n",
                     "{\"host\":\"h\",\"password\":\"hunter2\"} [\"hunter2\"] [\"/password\"]");
    assert_arguments("    uses: hcl.rewrite\n"
                     "    with: {root: x, set: {a/b: {c: [1, \"u:${{ upper(inputs.pw) }}\"]}}}\n",
                     "{\"root\":\"x\",\"set\":{\"a/b\":{\"c\":[1,\"u:HUNTER2\"]}}} [\"HUNTER2\"] "
                     "[\"/set/a~1b/c/1\"]");
}

static void a_secret_that_would_show_is_refused(void **state)
{
    (void)state;
    assert_arguments("    uses: exec\n    with: {command: [\"${{ upper(inputs.pw) }}\"]}\n",
                     "plan.yaml:6:21: a secret would show in the parameter 'command' "
                     "(hand it over by the step's env or a parameter of type secret)");
}

static void errors_about_secrets_do_not_show_them(void **state)
{
    (void)state;
    assert_arguments(
        "    uses: sql.check\n"
        "    with: {host: h, password: \"x${{ inputs.pw }}\", since: \"${{ inputs.pw }}\"}\n",
        "plan.yaml:6:59: the parameter 'since': a time such as 2026-11-22T22:03:01Z is "
        "wanted, and the secret is none");
}

static void a_pointer_to_a_secrets_surroundings_is_secret_as_well(void **state)
{
    (void)state;
    struct resolved resolved = {NULL, NULL, json_pack("[s]", "/a/b")};
    assert_true(resolved_is_secret(&resolved, "/a/b"));
    assert_true(resolved_is_secret(&resolved, "/a"));
    assert_true(resolved_is_secret(&resolved, "/a/b/c"));
    assert_true(resolved_is_secret(&resolved, ""));
    assert_false(resolved_is_secret(&resolved, "/a/bb"));
    assert_false(resolved_is_secret(&resolved, "/b"));
    resolved_release(&resolved);
}

static void conditions_hold_by_what_is_not_empty(void **state)
{
    (void)state;
    static const struct {
        const char *condition;
        bool holds;
    } cases[] = {{"true", true},          {"false", false},
                 {"inputs.n == 3", true}, {"\"${{ inputs.none }}\"", false},
                 {"inputs.zones", true},  {"inputs.to != 'us-west-2'", false}};
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        CLEANUP(memory_cleanup)
        char *yaml = memory_format(INPUTS "  a: {uses: exec, with: {command: [a]}, if: %s}\n",
                                   cases[i].condition);
        struct setting setting;
        bool holds = !cases[i].holds;
        set_up(&setting, yaml);
        assert_int_equal(resolve_condition(setting.plan, &setting.plan->steps.items[0],
                                           &setting.context, &holds, NULL),
                         0);
        assert_int_equal(holds, cases[i].holds);
        tear_down(&setting);
    }
}

static void the_steps_environment_lies_over_the_plans(void **state)
{
    (void)state;
    struct setting setting;
    struct resolved env;
    struct error err = ERROR_INIT;
    set_up(&setting,
           "plan: p\ninputs: {pw: {type: secret}, to: {}}\n"
           "env: {REGION: \"${{ inputs.to }}\", A: 1, GONE: x}\nsteps:\n"
           "  a:\n    uses: exec\n    with: {command: [a]}\n"
           "    env: {A: 2, B: \"${{ env.REGION }}!\", PW: \"${{ inputs.pw }}\", GONE: ~}\n");
    assert_int_equal(
        resolve_env(setting.plan, &setting.plan->steps.items[0], &setting.context, &env, &err), 0);
    assert_json(env.value,
                "{'A':'2','B':'us-west-2!','GONE':null,'PW':'hunter2','REGION':'us-west-2'}");
    assert_json(env.secret_paths, "['/PW']");
    resolved_release(&env);
    tear_down(&setting);
}

static void conditions_and_items_see_the_plans_environment(void **state)
{
    (void)state;
    struct setting setting;
    struct resolved items;
    struct error err = ERROR_INIT;
    bool holds = false;
    set_up(&setting, "plan: p\nenv: {MODE: full}\ntarget: ${{ env.MODE }}\nsteps:\n"
                     "  a:\n    uses: exec\n    with: {command: [a]}\n    env: {ZONE: z1}\n"
                     "    if: env.MODE == 'full' && env.ZONE == 'z1'\n"
                     "    for_each: [\"${{ env.ZONE }}\"]\n");
    const struct plan_step *step = &setting.plan->steps.items[0];
    assert_int_equal(resolve_condition(setting.plan, step, &setting.context, &holds, &err), 0);
    assert_true(holds);
    assert_int_equal(resolve_items(setting.plan, step, &setting.context, &items, &err), 0);
    assert_json(items.value, "{'z1':'z1'}");
    resolved_release(&items);
    struct error_list errors = {0};
    plan_settle(setting.plan, &setting.context, &errors);
    assert_string_equal(setting.plan->target_name, "full");
    error_list_release(&errors);
    tear_down(&setting);
}

static void secrets_of_the_environment_stay_secret_in_the_context(void **state)
{
    (void)state;
    struct setting setting;
    struct resolved env;
    struct resolved resolved;
    struct error err = ERROR_INIT;
    set_up(&setting, "plan: p\ninputs: {pw: {type: secret}}\nsteps:\n"
                     "  a:\n    uses: exec\n    with: {command: [\"${{ env.PW }}\"]}\n"
                     "    env: {PW: \"${{ inputs.pw }}\"}\n");
    const struct plan_step *step = &setting.plan->steps.items[0];
    assert_int_equal(resolve_env(setting.plan, step, &setting.context, &env, &err), 0);
    resolve_overlay_env(&setting.context, &env);
    resolved_release(&env);
    assert_int_equal(
        resolve_arguments(setting.plan, &step->call, &setting.context, &resolved, &err), -1);
    assert_int_equal(err.code, ERROR_REFUSED);
    error_release(&err);
    tear_down(&setting);
}

static void a_secret_in_a_question_or_an_item_is_refused(void **state)
{
    (void)state;
    struct setting setting;
    struct resolved items;
    struct error err = ERROR_INIT;
    char *text = NULL;
    set_up(&setting, "plan: p\ninputs: {pw: {type: secret}}\nsteps:\n"
                     "  a:\n    uses: exec\n    with: {command: [a]}\n"
                     "    confirm: \"${{ upper(inputs.pw) }}?\"\n"
                     "    for_each: [\"${{ inputs.pw }}\"]\n");
    const struct plan_step *step = &setting.plan->steps.items[0];
    assert_int_equal(resolve_text(setting.plan, step->confirm, &setting.context, &text, NULL, &err),
                     -1);
    assert_error(&err, "plan.yaml:7:14: a secret would show here");
    assert_int_equal(resolve_items(setting.plan, step, &setting.context, &items, &err), -1);
    assert_error(&err, "plan.yaml:8:15: a secret among the items of for_each would show in the "
                       "journal");
    tear_down(&setting);
}

/* The items of a for_each as JSON, or the error. */
static char *items_of(const char *for_each)
{
    CLEANUP(memory_cleanup)
    char *yaml =
        memory_format(INPUTS "  a: {uses: exec, with: {command: [a]}, for_each: %s}\n", for_each);
    struct setting setting;
    struct resolved items;
    struct error err = ERROR_INIT;
    char *result;
    set_up(&setting, yaml);
    if (resolve_items(setting.plan, &setting.plan->steps.items[0], &setting.context, &items,
                      &err) == 0) {
        struct buffer text = BUFFER_INIT;
        json_append(&text, items.value);
        result = buffer_take(&text);
        resolved_release(&items);
    } else {
        result = error_format(&err);
        error_release(&err);
    }
    tear_down(&setting);
    return result;
}

static void assert_items(const char *for_each, const char *expected)
{
    CLEANUP(memory_cleanup) char *found = items_of(for_each);
    assert_string_equal(found, expected);
}

static void items_are_keyed_by_what_they_are(void **state)
{
    (void)state;
    assert_items("[b, 1, true]", "{\"b\":\"b\",\"1\":1,\"true\":true}");
    assert_items("[{x: 1}, {x: 2}]", "{\"0\":{\"x\":1},\"1\":{\"x\":2}}");
    assert_items("{z: 1, a: \"${{ inputs.n }}\"}", "{\"z\":1,\"a\":3}");
    assert_items("\"${{ inputs.zones }}\"", "{\"a\":\"a\",\"b\":\"b\"}");
    assert_items("[]", "{}");
}

static void items_need_different_and_printable_keys(void **state)
{
    (void)state;
    assert_items("[a, a]", "plan.yaml:4:51: for_each of the step 'a' has an item twice, and items "
                           "need different names");
    assert_items("[\"a\\e\"]", "plan.yaml:4:51: for_each of the step 'a' has an item whose name is "
                               "empty, too long or has control characters");
    assert_items("\"${{ inputs.n }}\"",
                 "plan.yaml:4:51: for_each is a list or a map, and this gives a number");
}

static void a_probe_decides_and_gives_the_outputs(void **state)
{
    (void)state;
    struct setting setting;
    struct resolved outputs;
    struct error err = ERROR_INIT;
    bool done = false;
    set_up(&setting, INPUTS "  a:\n    uses: terraform.apply\n    with: {dir: x}\n"
                            "    unless:\n      uses: aws\n      with: {args: [x]}\n"
                            "      expect: probe.outputs.json.n > 1\n"
                            "      outputs: {values: \"${{ probe.outputs.json }}\"}\n");
    const struct plan_step *step = &setting.plan->steps.items[0];
    context_set(&setting.context, "probe", fixture_json("{'outputs':{'json':{'n':2}}}"), NULL);
    assert_int_equal(resolve_probe(setting.plan, step, &setting.context, &done, &outputs, &err), 0);
    assert_true(done);
    assert_json(outputs.value, "{'values':{'n':2}}");
    resolved_release(&outputs);
    context_set(&setting.context, "probe", fixture_json("{'outputs':{'json':{'n':1}}}"), NULL);
    assert_int_equal(resolve_probe(setting.plan, step, &setting.context, &done, &outputs, &err), 0);
    assert_false(done);
    resolved_release(&outputs);
    tear_down(&setting);
}

static void what_a_run_must_know_beforehand_is_settled_from_inputs(void **state)
{
    (void)state;
    struct setting setting;
    struct error_list errors = {0};
    set_up(&setting, "plan: p\ninputs: {n: {type: integer}, to: {}, none: {}}\n"
                     "without: [us-east-2, \"${{ inputs.to }}\"]\n"
                     "objectives:\n"
                     "  - {component: A, rto: \"${{ inputs.n }}h\", rpo: \"${{ inputs.none }}\"}\n"
                     "  - {component: B, rto: N/A, reached_by: b}\n"
                     "steps:\n"
                     "  a:\n    uses: exec\n    with: {command: [a]}\n"
                     "    timeout: ${{ inputs.n }}m\n    memory: ${{ inputs.n }}MiB\n"
                     "    locks: [one, \"two-${{ inputs.to }}\"]\n"
                     "  b: {uses: terraform.apply, with: {dir: x}}\n");
    for (size_t again = 0; again < 2; again++) {
        plan_settle(setting.plan, &setting.context, &errors);
        assert_int_equal(errors.errors.count, 0);
        const struct plan *plan = setting.plan;
        const struct plan_step *a = &plan->steps.items[0];
        assert_int_equal(a->timeout_ms, 3 * 60 * 1000);
        assert_int_equal(a->memory_bytes, 3 << 20);
        assert_int_equal(a->lock_names.count, 2);
        assert_string_equal(a->lock_names.items[1], "two-us-west-2");
        assert_int_equal(plan->steps.items[1].memory_bytes, 600 << 20);
        assert_int_equal(plan->without_regions.count, 2);
        assert_string_equal(plan->target_name, "maestro");
        assert_int_equal(plan->objectives.items[0].rto_ms, 3 * 3600 * 1000);
        assert_int_equal(plan->objectives.items[0].rpo_ms, -1);
        assert_int_equal(plan->objectives.items[1].rto_ms, -1);
        assert_int_equal(plan->objectives.items[1].step, 1);
    }
    error_list_release(&errors);
    tear_down(&setting);
}

static void a_setting_that_turns_out_wrong_is_reported_where_it_stands(void **state)
{
    (void)state;
    struct setting setting;
    struct error_list errors = {0};
    set_up(&setting, "plan: p\ninputs: {pw: {type: secret}, to: {}}\ntarget: ${{ inputs.pw }}\n"
                     "steps:\n  a:\n    uses: exec\n    with: {command: [a]}\n"
                     "    timeout: ${{ inputs.to }}\n");
    plan_settle(setting.plan, &setting.context, &errors);
    assert_int_equal(errors.errors.count, 2);
    assert_error(&errors.errors.items[0],
                 "plan.yaml:8:14: 'us-west-2' is not a duration such as 90s, 5m, 1h30m or 2d");
    assert_error(&errors.errors.items[1], "plan.yaml:3:9: a secret would show here");
    error_list_release(&errors);
    tear_down(&setting);
}

static void a_file_is_expanded_and_its_errors_are_cited(void **state)
{
    (void)state;
    struct context context;
    struct resolved resolved;
    struct error err = ERROR_INIT;
    fixture_context(&context, "{'to':'us-west-2'}");
    assert_int_equal(resolve_file(span_of_text("region: ${{ inputs.to }}\n{\"a\": \"$${{\"}\n"),
                                  "t.json", &context, &resolved, &err),
                     0);
    assert_string_equal(json_string_value(resolved.value), "region: us-west-2\n{\"a\": \"${{\"}\n");
    resolved_release(&resolved);
    assert_int_equal(resolve_file(span_of_text("one\n  \xc3\xa9 ${{ inputs.too }}\n"), "t.json",
                                  &context, &resolved, &err),
                     -1);
    assert_error(&err, "t.json:2:16: inputs has no 'too' (did you mean 'to'?)");
    assert_int_equal(resolve_file(span_of_text("\xff"), "t.json", &context, &resolved, &err), -1);
    error_release(&err);
    context_release(&context);
}

static void results_of_items_are_found_by_their_keys(void **state)
{
    (void)state;
    struct setting setting;
    struct resolved resolved;
    struct error err = ERROR_INIT;
    set_up(&setting,
           "plan: p\nsteps:\n  many: {uses: git.checkout, for_each: [x, y], with: {url: "
           "u}}\n  a: {uses: exec, with: {command: [\"${{ steps.many.outputs.y.path }}\", "
           "\"${{ steps.many.status }}\", \"${{ steps.many.items.x }}\"]}}\n");
    CLEANUP(json_cleanup) json_t *outputs = fixture_json("{'path':'/y'}");
    context_set_step(&setting.context, "many", "x", "skipped", NULL, NULL);
    context_set_step(&setting.context, "many", "y", "succeeded", outputs, NULL);
    context_set_step(&setting.context, "many", NULL, "succeeded", NULL, NULL);
    assert_int_equal(resolve_arguments(setting.plan, &setting.plan->steps.items[1].call,
                                       &setting.context, &resolved, &err),
                     0);
    assert_json(resolved.value, "{'command':['/y','succeeded','skipped']}");
    resolved_release(&resolved);
    tear_down(&setting);
}

static void a_secret_output_of_the_table_stays_secret(void **state)
{
    (void)state;
    struct setting setting;
    struct resolved resolved;
    struct error err = ERROR_INIT;
    set_up(&setting, "plan: p\nsteps:\n  db: {uses: terraform.apply, with: {dir: x}}\n"
                     "  q: {uses: sql.check, with: {host: h, password: \"${{ "
                     "steps.db.outputs.password }}\"}}\n");
    CLEANUP(json_cleanup) json_t *outputs = fixture_json("{'password':'geheim'}");
    context_set_step(&setting.context, "db", NULL, "succeeded", outputs,
                     setting.plan->steps.items[0].call.action);
    assert_int_equal(resolve_arguments(setting.plan, &setting.plan->steps.items[1].call,
                                       &setting.context, &resolved, &err),
                     0);
    assert_json(resolved.secrets, "['geheim']");
    assert_json(resolved.secret_paths, "['/password']");
    resolved_release(&resolved);
    tear_down(&setting);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_value_that_is_one_expression_keeps_its_type),
        cmocka_unit_test(keys_of_maps_may_be_computed),
        cmocka_unit_test(defaults_of_the_table_fill_in),
        cmocka_unit_test(durations_arrive_in_milliseconds),
        cmocka_unit_test(plain_words_arrive_as_they_are_written_where_text_is_wanted),
        cmocka_unit_test(nothing_leaves_an_optional_parameter_out),
        cmocka_unit_test(nothing_for_a_required_parameter_is_an_error),
        cmocka_unit_test(types_are_checked_when_values_are_known),
        cmocka_unit_test(an_error_is_reported_at_its_place_in_the_expression),
        cmocka_unit_test(an_escaped_expression_is_text),
        cmocka_unit_test(secrets_are_told_apart_from_the_rest),
        cmocka_unit_test(a_secret_that_would_show_is_refused),
        cmocka_unit_test(errors_about_secrets_do_not_show_them),
        cmocka_unit_test(a_pointer_to_a_secrets_surroundings_is_secret_as_well),
        cmocka_unit_test(conditions_hold_by_what_is_not_empty),
        cmocka_unit_test(the_steps_environment_lies_over_the_plans),
        cmocka_unit_test(conditions_and_items_see_the_plans_environment),
        cmocka_unit_test(secrets_of_the_environment_stay_secret_in_the_context),
        cmocka_unit_test(a_secret_in_a_question_or_an_item_is_refused),
        cmocka_unit_test(items_are_keyed_by_what_they_are),
        cmocka_unit_test(items_need_different_and_printable_keys),
        cmocka_unit_test(a_probe_decides_and_gives_the_outputs),
        cmocka_unit_test(what_a_run_must_know_beforehand_is_settled_from_inputs),
        cmocka_unit_test(a_setting_that_turns_out_wrong_is_reported_where_it_stands),
        cmocka_unit_test(a_file_is_expanded_and_its_errors_are_cited),
        cmocka_unit_test(results_of_items_are_found_by_their_keys),
        cmocka_unit_test(a_secret_output_of_the_table_stays_secret),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
