/* fail: ends a plan that has found out, by an `if`, that it must not go on. */
#include "actions/action.h"

static const struct parameter parameters[] = {
    {.name = "message",
     .type = VALUE_STRING,
     .required = true,
     .exposed = true,
     .doc = "Why, in one sentence"},
    {.name = "hint", .type = VALUE_STRING, .exposed = true, .doc = "What the reader can do"},
    {.name = "refused",
     .type = VALUE_BOOLEAN,
     .default_json = "false",
     .doc = "true: a guard says no, which is another exit code than a failure"},
    {0}};

static int run(struct attempt *attempt, struct error *err)
{
    const char *hint = attempt_text(attempt, "hint");
    error_set(err, attempt_flag(attempt, "refused") ? ERROR_REFUSED : ERROR_FAILED, "%s",
              attempt_text(attempt, "message"));
    return hint != NULL ? error_hint(err, "%s", hint) : -1;
}

const struct action action_fail = {
    .description =
        {
            .name = "fail",
            .summary = "Fail, for a step with a condition",
            .parameters = parameters,
        },
    .run = run,
    .interrupted = "It changes nothing and fails again.",
};
