/* Whatever bytes a plan holds: no crash, every error has a place inside the file, and what passes
 * can be settled, frozen and thawed to the same model. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "plan/freeze.h"
#include "plan/inputs.h"
#include "plan/resolve.h"
#include "plan/validate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const words[] = {"one", "two", NULL};

static const struct parameter parameters[] = {
    {.name = "command", .type = VALUE_STRINGS, .required = true, .exposed = true, .doc = "argv"},
    {.name = "word", .type = VALUE_CHOICE, .choices = words, .default_json = "\"one\"", .doc = "a"},
    {.name = "wait", .type = VALUE_DURATION, .default_json = "\"5m\"", .doc = "how long"},
    {.name = "set", .type = VALUE_MAP, .one_of = "what", .doc = "this"},
    {.name = "list", .type = VALUE_LIST, .one_of = "what", .doc = "or that"},
    {.name = "password", .type = VALUE_SECRET, .doc = "a secret"},
    {.name = "tags", .type = VALUE_STRING_MAP, .doc = "texts"},
    {0}};

static const struct output outputs[] = {
    {"text", VALUE_STRING, "what", false}, {"key", VALUE_STRING, "a secret", true}, {0}};

static const struct action_description action = {
    .name = "exec", .summary = "all", .parameters = parameters, .outputs = outputs};

static const struct action_description *const actions[] = {&action};
static const struct plan_catalogue catalogue = {actions, 1};

static void require(bool condition)
{
    if (!condition) {
        abort();
    }
}

static const char *fake_environment(const char *name, void *data)
{
    (void)data;
    return name[0] == 'A' ? "x" : NULL;
}

static void check_errors(const struct error_list *errors, size_t size)
{
    vector_each (const struct error *, err, &errors->errors) {
        require(err->code == ERROR_INVALID && err->message != NULL);
        require(err->line <= size + 1 && err->column <= size + 2);
    }
}

/* What the runtime does with a step when it starts; the answers may be errors. */
static void start_step(const struct plan *plan, const struct plan_step *step,
                       const struct context *context)
{
    struct resolved resolved;
    bool holds;
    if (resolve_condition(plan, step, context, &holds, NULL) == 0 &&
        resolve_env(plan, step, context, &resolved, NULL) == 0) {
        resolved_release(&resolved);
    }
    if (step->for_each != NULL && resolve_items(plan, step, context, &resolved, NULL) == 0) {
        resolved_release(&resolved);
    }
    struct error err = ERROR_INIT;
    if (resolve_arguments(plan, &step->call, context, &resolved, &err) == 0) {
        resolved_release(&resolved);
    } else {
        require(err.message != NULL && err.line != 0);
        error_release(&err);
    }
}

static void check_thawed(const struct plan *plan, const struct context *context)
{
    char sha256[DIGEST_HEX_SIZE];
    CLEANUP(memory_cleanup) char *bytes = plan_freeze(plan, context, sha256);
    struct context thawed_context;
    struct plan *thawed;
    context_init(&thawed_context);
    require(plan_thaw(span_of_text(bytes), "plan.json", &thawed, &thawed_context, NULL) == 0);
    require(strcmp(thawed->sha256, plan->sha256) == 0);
    require(thawed->steps.count == plan->steps.count);
    CLEANUP(memory_cleanup) char *again = plan_freeze(thawed, &thawed_context, sha256);
    require(strcmp(again, bytes) == 0);
    plan_free(thawed);
    context_release(&thawed_context);
}

static void use_plan(struct plan *plan, size_t size)
{
    struct context context;
    struct error_list errors = {0};
    struct inputs_source source = {NULL, fake_environment, NULL};
    context_init(&context);
    context_set(&context, "run", json_pack("{ss}", "id", "r"), NULL);
    inputs_resolve(plan, &source, &context, &errors);
    if (errors.errors.count == 0) {
        plan_settle(plan, &context, &errors);
        check_thawed(plan, &context);
        vector_each (const struct plan_step *, step, &plan->steps) {
            start_step(plan, step, &context);
        }
    }
    check_errors(&errors, size);
    error_list_release(&errors);
    context_release(&context);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct error_list errors = {0};
    struct plan *plan = plan_parse(span_of((const char *)data, size), "plan.yaml", &errors);
    require(plan != NULL || errors.errors.count != 0);
    if (plan != NULL) {
        plan_validate(plan, &catalogue, NULL, &errors);
    }
    check_errors(&errors, size);
    if (errors.errors.count == 0) {
        use_plan(plan, size);
    }
    error_list_release(&errors);
    plan_free(plan);
    return 0;
}
