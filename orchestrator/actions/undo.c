/* undo: takes back what a step of another run did, by that step's own action, from what it
 * remembered. The steps of a rollback use it; a person seldom writes one. */
#include "actions/action.h"
#include "base/json.h"

static const struct parameter parameters[] = {
    {.name = "action",
     .type = VALUE_STRING,
     .required = true,
     .exposed = true,
     .doc = "The action whose effect is undone"},
    {.name = "arguments", .type = VALUE_MAP, .default_json = "{}", .doc = "What it was given then"},
    {.name = "remembered",
     .type = VALUE_MAP,
     .default_json = "{}",
     .doc = "What it remembered then: how the world was before"},
    {0}};

static int run(struct attempt *attempt, struct error *err)
{
    const struct action *action = action_find(attempt_text(attempt, "action"));
    if (action == NULL || action->undo == NULL) {
        return error_set(err, ERROR_INVALID, "'%s' is not an action that can be undone",
                         attempt_text(attempt, "action"));
    }
    CLEANUP(json_cleanup)
    json_t *arguments = json_incref((json_t *)attempt_argument(attempt, "arguments"));
    CLEANUP(json_cleanup)
    json_t *remembered = json_incref((json_t *)attempt_argument(attempt, "remembered"));
    attempt_assume(attempt, arguments, remembered);
    return action->undo(attempt, err);
}

const struct action action_undo = {
    .description =
        {
            .name = "undo",
            .summary = "Undo what a step of an earlier run did",
            .doc = "Looks first, and changes only what is still as that step left it.",
            .parameters = parameters,
            .mutates = true,
        },
    .run = run,
    .interrupted = "It looks again and undoes what is left to undo.",
};
