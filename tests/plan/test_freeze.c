/* plan.json: what goes in comes back, and what was altered is noticed. */
#include <stdlib.h>
#include <string.h>

#include "fixture.h"
#include "plan/freeze.h"
#include "plan/resolve.h"
#include "plan/validate.h"

static const char yaml[] = "plan: p\ninputs: {pw: {type: secret}, to: {}}\nsteps:\n"
                           "  a: {uses: exec, with: {command: [\"${{ inputs.to }}\"]}}\n"
                           "  b: {uses: exec, with: {command: [\"${{ site.nothing }}\"]}}\n";

static char *freeze(char sha256[DIGEST_HEX_SIZE])
{
    struct plan *plan = fixture_plan(yaml);
    struct context context;
    fixture_context(&context, "{'pw':'hunter2','to':'us-west-2'}");
    char *bytes = plan_freeze(plan, &context, sha256);
    context_release(&context);
    plan_free(plan);
    return bytes;
}

static void the_same_run_freezes_to_the_same_bytes(void **state)
{
    (void)state;
    char first_sha256[DIGEST_HEX_SIZE];
    char second_sha256[DIGEST_HEX_SIZE];
    CLEANUP(memory_cleanup) char *first = freeze(first_sha256);
    CLEANUP(memory_cleanup) char *second = freeze(second_sha256);
    assert_string_equal(first, second);
    assert_string_equal(first_sha256, second_sha256);
    char expected[DIGEST_HEX_SIZE];
    digest_sha256_hex(span_of_text(first), expected);
    assert_string_equal(first_sha256, expected);
}

static void secret_inputs_are_not_written(void **state)
{
    (void)state;
    char sha256[DIGEST_HEX_SIZE];
    CLEANUP(memory_cleanup) char *bytes = freeze(sha256);
    assert_null(strstr(bytes, "hunter2"));
    assert_non_null(strstr(bytes, "\"inputs\":{\"to\":\"us-west-2\"}"));
}

static void what_was_frozen_comes_back(void **state)
{
    (void)state;
    char sha256[DIGEST_HEX_SIZE];
    CLEANUP(memory_cleanup) char *bytes = freeze(sha256);
    struct context context;
    struct plan *plan;
    struct error err = ERROR_INIT;
    context_init(&context);
    assert_int_equal(plan_thaw(span_of_text(bytes), "plan.json", &plan, &context, &err), 0);
    assert_int_equal(plan->steps.count, 2);
    assert_string_equal(plan->name, "p");
    const struct plan_input *missing = plan_missing_secret(plan, &context);
    assert_non_null(missing);
    assert_string_equal(missing->name, "pw");
    plan_thaw_secret(missing, "hunter2", &context);
    assert_null(plan_missing_secret(plan, &context));
    assert_json(json_object_get(context.values, "inputs"), "{'pw':'hunter2','to':'us-west-2'}");
    assert_json(json_object_get(context.secrets, "inputs"), "{'pw':true}");
    char again[DIGEST_HEX_SIZE];
    CLEANUP(memory_cleanup) char *second = plan_freeze(plan, &context, again);
    assert_string_equal(second, bytes);
    context_release(&context);
    plan_free(plan);
}

static void errors_of_a_thawed_plan_cite_the_authors_file(void **state)
{
    (void)state;
    char sha256[DIGEST_HEX_SIZE];
    CLEANUP(memory_cleanup) char *bytes = freeze(sha256);
    struct context context;
    struct plan *plan;
    struct resolved resolved;
    struct error err = ERROR_INIT;
    struct error_list errors = {0};
    context_init(&context);
    assert_int_equal(plan_thaw(span_of_text(bytes), "plan.json", &plan, &context, &err), 0);
    plan_validate(plan, &fixture_catalogue, NULL, &errors);
    assert_int_equal(errors.errors.count, 0);
    assert_int_equal(resolve_arguments(plan, &plan->steps.items[1].call, &context, &resolved, &err),
                     -1);
    assert_error(&err, "plan.yaml:5:46: site has no 'nothing'");
    error_list_release(&errors);
    context_release(&context);
    plan_free(plan);
}

/* Replaces the first `from` in the frozen bytes and expects the thaw to refuse. */
static void assert_damaged(const char *from, const char *to, const char *expected)
{
    char sha256[DIGEST_HEX_SIZE];
    CLEANUP(memory_cleanup) char *bytes = freeze(sha256);
    char *at = strstr(bytes, from);
    assert_non_null(at);
    CLEANUP(memory_cleanup)
    char *altered = memory_format("%.*s%s%s", (int)(at - bytes), bytes, to, at + strlen(from));
    struct context context;
    struct plan *plan = NULL;
    struct error err = ERROR_INIT;
    context_init(&context);
    assert_int_equal(plan_thaw(span_of_text(altered), "plan.json", &plan, &context, &err), -1);
    assert_int_equal(err.code, ERROR_DAMAGED);
    assert_non_null(strstr(err.message, expected));
    error_release(&err);
    context_release(&context);
}

static void an_altered_plan_is_not_thawed(void **state)
{
    (void)state;
    assert_damaged("site.nothing", "site.region", "its text is not the one that was frozen");
    assert_damaged("plan: p", "plan: p p", "its text is no plan");
    assert_damaged("\"format\":1", "\"format\":2", "its format is not 1");
    assert_damaged("\"text\"", "\"tekst\"", "file, text or sha256 is missing");
    assert_damaged("{", "", "not valid JSON");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_run_freezes_to_the_same_bytes),
        cmocka_unit_test(secret_inputs_are_not_written),
        cmocka_unit_test(what_was_frozen_comes_back),
        cmocka_unit_test(errors_of_a_thawed_plan_cite_the_authors_file),
        cmocka_unit_test(an_altered_plan_is_not_thawed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
