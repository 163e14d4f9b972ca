/* approval: the place in a plan where a person decides. Who answered, when and why is in the
 * journal with the answer; what the person was shown is there with the question. */
#include <stdlib.h>
#include <string.h>

#include "actions/action.h"
#include "base/json.h"

static const struct parameter parameters[] = {
    {.name = "text",
     .type = VALUE_STRING,
     .required = true,
     .exposed = true,
     .doc = "The question, in one sentence"},
    {.name = "evidence",
     .type = VALUE_ANY,
     .exposed = true,
     .doc = "What the person should know: text of several lines, or any value"},
    {.name = "choices",
     .type = VALUE_STRINGS,
     .default_json = "[\"reject\", \"approve\"]",
     .doc = "The answers that there are, the careful one first"},
    {.name = "refuse",
     .type = VALUE_STRINGS,
     .doc = "The answers that end the step as refused; otherwise the first of `choices`"},
    {0}};

static const struct output outputs[] = {
    {.name = "answer", .type = VALUE_STRING, .doc = "The choice that was taken"}, {0}};

static char *evidence_text(const json_t *evidence)
{
    if (evidence == NULL) {
        return NULL;
    }
    return json_is_string(evidence) ? memory_text(json_string_value(evidence))
                                    : json_dumps(evidence, JSON_INDENT(2) | JSON_ENCODE_ANY);
}

static int read_choices(const json_t *list, const char **choices, struct error *err)
{
    size_t count = json_array_size(list);
    if (count < 2) {
        return error_set(err, ERROR_INVALID, "`choices` has to name two answers at least");
    }
    for (size_t i = 0; i < count; i++) {
        choices[i] = json_string_value(json_array_get(list, i));
        if (choices[i] == NULL || choices[i][0] == '\0') {
            return error_set(err, ERROR_INVALID, "item %zu of `choices` is no text", i + 1);
        }
    }
    return 0;
}

static bool is_refusal(const struct attempt *attempt, const char *const *choices,
                       const char *answer)
{
    const json_t *refuse = attempt_argument(attempt, "refuse");
    if (refuse == NULL) {
        return strcmp(answer, choices[0]) == 0;
    }
    size_t index;
    json_t *item;
    json_array_foreach (refuse, index, item) {
        if (json_is_string(item) && strcmp(json_string_value(item), answer) == 0) {
            return true;
        }
    }
    return false;
}

static int ask(struct attempt *attempt, const char *const *choices, struct error *err)
{
    CLEANUP(memory_cleanup) char *evidence = evidence_text(attempt_argument(attempt, "evidence"));
    struct attempt_question question = {"approval", attempt_text(attempt, "text"), evidence,
                                        choices};
    const char *answer;
    if (attempt_ask(attempt, &question, &answer, err) != 0) {
        return -1;
    }
    attempt_set_output_text(attempt, "answer", answer);
    return is_refusal(attempt, choices, answer)
               ? error_set(err, ERROR_REFUSED, "a person answered: %s", answer)
               : 0;
}

static int run(struct attempt *attempt, struct error *err)
{
    const json_t *list = attempt_argument(attempt, "choices");
    const char **choices = memory_new(json_array_size(list) + 1, sizeof *choices);
    int status = read_choices(list, choices, err);
    if (status == 0 && attempt_is_dry_run(attempt)) {
        attempt_say(attempt, "would ask: %s", attempt_text(attempt, "text"));
    } else if (status == 0) {
        status = ask(attempt, choices, err);
    }
    free(choices);
    return status;
}

const struct action action_approval = {
    .description =
        {
            .name = "approval",
            .summary = "Wait until a person has decided",
            .doc = "The question appears in every terminal that is attached to the run; `drctl "
                   "approve` answers it from elsewhere. It waits as long as it takes, unless the "
                   "step has a timeout.",
            .parameters = parameters,
            .outputs = outputs,
        },
    .run = run,
    .interrupted = "An answer that was given stands; without one the question is still there.",
    .shows_dry_run = true,
};
