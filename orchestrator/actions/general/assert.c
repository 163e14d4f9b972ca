/* assert: says in a plan what must be true here, in words that the person reading a failed run
 * understands. All statements are looked at before it fails, so that one look shows all of them. */
#include "actions/action.h"
#include "base/json.h"

static const struct parameter parameters[] = {
    {.name = "that",
     .type = VALUE_ANY,
     .required = true,
     .doc = "A boolean, or a list of {that, message}: what must be true"},
    {.name = "message",
     .type = VALUE_STRING,
     .exposed = true,
     .doc = "What to say when a single `that` is false"},
    {0}};

/* Whether a value is true; a text is refused, since "false" would be true. */
static int truth_of(const json_t *value, bool *ret_holds, struct error *err)
{
    if (!json_is_boolean(value)) {
        error_set(err, ERROR_INVALID, "`that` has to be true or false");
        return error_hint(err, "write it as one expression: \"${{ … }}\"");
    }
    *ret_holds = json_is_true(value);
    return 0;
}

static int check_one(struct attempt *attempt, const json_t *that, const char *message,
                     size_t *failures, struct error *err)
{
    bool holds;
    if (truth_of(that, &holds, err) != 0) {
        return -1;
    }
    attempt_say(attempt, "%s: %s", holds ? "ok" : "NOT SO", message);
    if (!holds) {
        (*failures)++;
        error_set(err, ERROR_FAILED, "%s", message);
    }
    return 0;
}

static int check_list(struct attempt *attempt, const json_t *list, size_t *failures,
                      struct error *err)
{
    size_t index;
    json_t *item;
    json_array_foreach (list, index, item) {
        const char *message = json_get_text(item, "message");
        const json_t *that = json_object_get(item, "that");
        if (that == NULL || message == NULL) {
            return error_set(err, ERROR_INVALID, "item %zu of `that` is not a map {that, message}",
                             index + 1);
        }
        if (check_one(attempt, that, message, failures, err) != 0) {
            return error_context(err, "item %zu", index + 1);
        }
    }
    return 0;
}

static int run(struct attempt *attempt, struct error *err)
{
    const json_t *that = attempt_argument(attempt, "that");
    const char *message = attempt_text(attempt, "message");
    size_t failures = 0;
    struct error failure = ERROR_INIT;
    int status =
        json_is_array(that)
            ? check_list(attempt, that, &failures, &failure)
            : check_one(attempt, that, message != NULL ? message : "what this step asserts",
                        &failures, &failure);
    if (status == 0 && failures > 1) {
        error_context(&failure, "%zu statements do not hold, the first", failures);
    }
    if (status == 0 && failures == 0) {
        return 0;
    }
    error_move(err, &failure);
    return -1;
}

const struct action action_assert = {
    .description =
        {
            .name = "assert",
            .summary = "Go on only when something is true",
            .parameters = parameters,
        },
    .run = run,
    .interrupted = "It changes nothing and is evaluated again.",
};
