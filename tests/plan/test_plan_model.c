/* Plans as the engine gets to see them. */
#include <stdlib.h>
#include <string.h>

#include "fixture.h"
#include "plan/site.h"
#include "plan/validate.h"

/* "id:need,need" of all steps, with ^ before needs that are implied. */
static char *graph_of(const struct plan *plan)
{
    struct buffer text = BUFFER_INIT;
    vector_each (const struct plan_step *, step, &plan->steps) {
        buffer_append_format(&text, "%s:%s", step->id, step->needs_are_implied ? "^" : "");
        vector_each (const size_t *, need, &step->needs) {
            buffer_append_format(&text, "%s%s", need != step->needs.items ? "," : "",
                                 plan->steps.items[*need].id);
        }
        buffer_append_char(&text, ' ');
    }
    return buffer_take(&text);
}

static void a_step_without_needs_waits_for_the_step_above(void **state)
{
    (void)state;
    struct plan *plan = fixture_plan("plan: p\nsteps:\n"
                                     "  a: {uses: exec, with: {command: [a]}}\n"
                                     "  b: {uses: exec, with: {command: [b]}}\n"
                                     "  c: {uses: exec, with: {command: [c]}, needs: []}\n"
                                     "  d: {uses: exec, with: {command: [d]}, needs: [c, a]}\n"
                                     "  e: {uses: exec, with: {command: [e]}, needs: b}\n");
    CLEANUP(memory_cleanup) char *graph = graph_of(plan);
    assert_string_equal(graph, "a: b:^a c: d:a,c e:b ");
    plan_free(plan);
}

static void a_step_may_wait_for_one_further_down(void **state)
{
    (void)state;
    struct plan *plan = fixture_plan("plan: p\nsteps:\n"
                                     "  a: {uses: exec, with: {command: [a]}, needs: b}\n"
                                     "  b: {uses: exec, with: {command: [b]}, needs: []}\n");
    CLEANUP(memory_cleanup) char *graph = graph_of(plan);
    assert_string_equal(graph, "a:b b: ");
    plan_free(plan);
}

static void every_key_of_a_step_arrives(void **state)
{
    (void)state;
    struct plan *plan =
        fixture_plan("plan: p\nsteps:\n"
                     "  a:\n"
                     "    name: The first\n"
                     "    uses: exec\n"
                     "    with: {command: [a]}\n"
                     "    timeout: 90s\n"
                     "    retry: {attempts: 4, backoff: 1s, max_backoff: 8s, on: [network]}\n"
                     "    on_failure: ask\n"
                     "    memory: 1.5GiB\n"
                     "    locks: one\n"
                     "    confirm: Sure?\n");
    const struct plan_step *step = plan_find_step(plan, "a");
    assert_string_equal(step->name, "The first");
    assert_string_equal(step->call.action->name, "exec");
    assert_int_equal(step->timeout_ms, 90000);
    assert_int_equal(step->retry.attempts, 4);
    assert_int_equal(step->retry.backoff_ms, 1000);
    assert_int_equal(step->retry.max_backoff_ms, 8000);
    assert_int_equal(step->retry.on, 1u << ERROR_NETWORK);
    assert_int_equal(step->on_failure, PLAN_ON_FAILURE_ASK);
    assert_int_equal(step->memory_bytes, UINT64_C(1610612736));
    assert_non_null(step->confirm);
    assert_int_equal(step->at.line, 3);
    plan_free(plan);
}

static void one_attempt_is_what_a_step_gets_by_itself(void **state)
{
    (void)state;
    struct plan *plan = fixture_plan("plan: p\nsteps:\n"
                                     "  a: {uses: exec, with: {command: [a]}}\n"
                                     "  b: {uses: exec, with: {command: [a]}, retry: 3}\n");
    assert_int_equal(plan->steps.items[0].retry.attempts, 1);
    assert_int_equal(plan->steps.items[1].retry.attempts, 3);
    assert_int_equal(plan->steps.items[1].retry.backoff_ms, 5000);
    assert_true(plan->steps.items[1].retry.on & (1u << ERROR_THROTTLED));
    assert_false(plan->steps.items[1].retry.on & (1u << ERROR_REFUSED));
    plan_free(plan);
}

static void a_condition_on_the_runs_status_lets_a_step_run_after_failure(void **state)
{
    (void)state;
    struct plan *plan = fixture_plan(
        "plan: p\nsteps:\n"
        "  a: {uses: exec, with: {command: [a]}, if: success()}\n"
        "  b: {uses: exec, with: {command: [a]}, if: always()}\n"
        "  c: {uses: exec, with: {command: [a]}, if: \"${{ run.id == 'x' && failure() }}\"}\n"
        "  d: {uses: exec, with: {command: [a]}, if: false}\n");
    assert_false(plan->steps.items[0].runs_after_failure);
    assert_true(plan->steps.items[1].runs_after_failure);
    assert_true(plan->steps.items[2].runs_after_failure);
    assert_false(plan->steps.items[3].runs_after_failure);
    plan_free(plan);
}

static void a_duration_may_be_a_range(void **state)
{
    (void)state;
    struct plan *plan = fixture_plan("plan: p\nduration: 3h-6h\nsteps:\n"
                                     "  a: {uses: exec, with: {command: [a]}}\n");
    assert_string_equal(plan->duration_text, "3h-6h");
    assert_int_equal(plan->duration_ms, 6 * 3600 * 1000);
    plan_free(plan);
}

static void too_many_steps_are_refused(void **state)
{
    (void)state;
    struct buffer text = BUFFER_INIT;
    buffer_append_text(&text, "plan: p\nsteps:\n");
    for (size_t i = 0; i <= PLAN_STEP_LIMIT; i++) {
        buffer_append_format(&text, "  s%zu: {uses: exec, with: {command: [a]}}\n", i);
    }
    CLEANUP(memory_cleanup) char *errors = fixture_errors(buffer_text(&text), NULL);
    assert_string_equal(errors,
                        "plan.yaml:3:3: a plan has at most 2000 steps, and this has 2001\n");
    buffer_release(&text);
}

static void the_longest_plan_allowed_is_checked_quickly(void **state)
{
    (void)state;
    struct buffer text = BUFFER_INIT;
    buffer_append_text(&text, "plan: p\nsteps:\n");
    for (size_t i = 0; i < PLAN_STEP_LIMIT; i++) {
        buffer_append_format(&text, "  s%zu: {uses: exec, with: {command: [\"${{ %s }}\"]}}\n", i,
                             i == 0 ? "run.id" : "steps.s0.outputs.text");
    }
    CLEANUP(memory_cleanup) char *errors = fixture_errors(buffer_text(&text), NULL);
    assert_string_equal(errors, "");
    buffer_release(&text);
}

static void a_plan_of_nothing_but_mistakes_is_refused_quickly(void **state)
{
    (void)state;
    struct buffer text = BUFFER_INIT;
    buffer_append_text(&text, "plan: p\nsteps: {a: {uses: exec, with: {command: [");
    for (size_t i = 0; i < 90000; i++) {
        buffer_append_text(&text, i % 2 == 0 ? "'${{ inputs.x }}'," : "'${{ x( }}',");
    }
    buffer_append_text(&text, "]}}}\n");
    struct error_list errors = {0};
    struct plan *plan = plan_parse(buffer_span(&text), "plan.yaml", &errors);
    assert_non_null(plan);
    plan_validate(plan, &fixture_catalogue, NULL, &errors);
    assert_int_equal(errors.errors.count, 100);
    assert_int_equal(errors.errors.count + errors.dropped, 90000);
    error_list_release(&errors);
    plan_free(plan);
    buffer_release(&text);
}

static void errors_come_in_the_order_of_the_file(void **state)
{
    (void)state;
    CLEANUP(memory_cleanup)
    char *errors = fixture_errors("plan: p\nsteps:\n"
                                  "  a: {uses: exec, with: {command: [\"${{ inputs.x }}\"]}}\n"
                                  "  b: {uses: nope}\n"
                                  "  c: {uses: exec, timeot: 5m, with: {command: [a]}}\n",
                                  NULL);
    assert_string_equal(errors,
                        "plan.yaml:3:48: the plan has no input 'x' (it has none)\n"
                        "plan.yaml:4:13: there is no action 'nope' (drctl actions lists what there "
                        "is)\n"
                        "plan.yaml:5:19: a step has no key 'timeot' (did you mean 'timeout'?)\n");
}

static void site_facts_are_checked_only_when_they_are_known(void **state)
{
    (void)state;
    const char *yaml = "plan: p\nsteps:\n"
                       "  a: {uses: exec, with: {command: [\"${{ site.regoin }}\"]}}\n";
    CLEANUP(memory_cleanup) char *without = fixture_errors(yaml, NULL);
    assert_string_equal(without, "");
    CLEANUP(json_cleanup) json_t *site = fixture_json("{'region':'us-east-2'}");
    CLEANUP(memory_cleanup) char *with = fixture_errors(yaml, site);
    assert_string_equal(with, "plan.yaml:3:46: the site file has no 'regoin' there (did you mean "
                              "'region'?)\n");
}

static void a_site_file_is_a_map_without_expressions(void **state)
{
    (void)state;
    struct error_list errors = {0};
    assert_null(site_parse(span_of_text("a: [\"${{ b }}\"]\nname: [x]\n"), "site.yaml", &errors));
    assert_int_equal(errors.errors.count, 2);
    assert_error(&errors.errors.items[0], "site.yaml:2:7: the site's name is text");
    assert_error(&errors.errors.items[1], "site.yaml:1:5: a site file has no expressions (plans "
                                          "have; the site file says what is)");
    error_list_release(&errors);
}

static void a_sites_facts_know_where_they_stand(void **state)
{
    (void)state;
    struct error_list errors = {0};
    struct site *site =
        site_parse(span_of_text("name: x\nenvironments:\n  prod: {zone: Z1}\n"), "s", &errors);
    assert_non_null(site);
    struct mark at = site_position(site, "environments.prod.zone");
    assert_int_equal(at.line, 3);
    assert_int_equal(at.column, 16);
    assert_int_equal(site_position(site, "environments.dev").line, 0);
    assert_json(site->values, "{'environments':{'prod':{'zone':'Z1'}},'name':'x'}");
    site_free(site);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_step_without_needs_waits_for_the_step_above),
        cmocka_unit_test(a_step_may_wait_for_one_further_down),
        cmocka_unit_test(every_key_of_a_step_arrives),
        cmocka_unit_test(one_attempt_is_what_a_step_gets_by_itself),
        cmocka_unit_test(a_condition_on_the_runs_status_lets_a_step_run_after_failure),
        cmocka_unit_test(a_duration_may_be_a_range),
        cmocka_unit_test(too_many_steps_are_refused),
        cmocka_unit_test(the_longest_plan_allowed_is_checked_quickly),
        cmocka_unit_test(a_plan_of_nothing_but_mistakes_is_refused_quickly),
        cmocka_unit_test(errors_come_in_the_order_of_the_file),
        cmocka_unit_test(site_facts_are_checked_only_when_they_are_known),
        cmocka_unit_test(a_site_file_is_a_map_without_expressions),
        cmocka_unit_test(a_sites_facts_know_where_they_stand),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
