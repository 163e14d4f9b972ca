/* note: puts what a plan has found out into the run's record, so that the report of a recovery says
 * it without anybody having written it down at 3 a.m. */
#include <string.h>

#include "actions/action.h"
#include "base/clock.h"
#include "base/json.h"

static const struct parameter parameters[] = {
    {.name = "text", .type = VALUE_STRING, .required = true, .exposed = true, .doc = "What to say"},
    {.name = "kind",
     .type = VALUE_STRING,
     .exposed = true,
     .default_json = "\"note\"",
     .doc = "What sort of fact it is, such as data.age, for the report"},
    {.name = "values",
     .type = VALUE_MAP,
     .default_json = "{}",
     .doc = "Further facts that belong to it; passed on as outputs"},
    {0}};

static const struct output outputs[] = {
    {.name = "text", .type = VALUE_STRING, .doc = "What was said"},
    {.name = "values", .type = VALUE_MAP, .doc = "The facts"},
    {0}};

static int run(struct attempt *attempt, struct error *err)
{
    (void)err;
    const char *text = attempt_text(attempt, "text");
    const json_t *values = attempt_argument(attempt, "values");
    attempt_say(attempt, "%s", text);
    json_t *fact = json_object();
    json_object_update(fact, (json_t *)values);
    json_object_set_new(fact, "text", json_string(text));
    attempt_fact(attempt, attempt_text(attempt, "kind"), fact);
    attempt_set_output_text(attempt, "text", text);
    attempt_set_output(attempt, "values", json_deep_copy(values));
    return 0;
}

const struct action action_note = {
    .description =
        {
            .name = "note",
            .summary = "Put something on the run's record",
            .parameters = parameters,
            .outputs = outputs,
        },
    .run = run,
    .interrupted = "It changes nothing outside the run and is said once more.",
};
