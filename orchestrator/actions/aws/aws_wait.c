/* aws.wait: asks again and again until something is in the state that is wanted. The CLI's own
 * waiters give up after a time that a large database needs, and none of them knows that a state is
 * the end of all hope; here both are said by the plan. */
#include <stdlib.h>
#include <string.h>

#include "actions/action.h"
#include "aws/aws_request.h"
#include "base/clock.h"
#include "base/json.h"

static const char *const when_absent[] = {"fail", "wait", "done", NULL};

static const struct parameter parameters[] = {
    AWS_REQUEST_PARAMETERS,
    {.name = "query",
     .type = VALUE_STRING,
     .required = true,
     .exposed = true,
     .doc = "JMESPath: the state in the answer, one value or a list of them, all of which have to "
            "be wanted ones"},
    {.name = "until",
     .type = VALUE_LIST,
     .required = true,
     .doc = "The states that are waited for"},
    {.name = "fail",
     .type = VALUE_LIST,
     .default_json = "[]",
     .doc = "The states that mean that it will not come to that"},
    {.name = "not_found",
     .type = VALUE_CHOICE,
     .choices = when_absent,
     .default_json = "\"fail\"",
     .doc = "What it means that the thing does not exist: fail, wait on, or done"},
    {.name = "result",
     .type = VALUE_STRING,
     .exposed = true,
     .default_json = "\"@\"",
     .doc = "JMESPath: the part of the last answer that becomes the output `result`"},
    {.name = "interval",
     .type = VALUE_DURATION,
     .default_json = "\"10s\"",
     .doc = "Between two looks"},
    {.name = "deadline",
     .type = VALUE_DURATION,
     .default_json = "\"1h\"",
     .doc = "How long to wait at most, from the first look of the attempt on"},
    {0}};

static const struct output outputs[] = {
    {.name = "state", .type = VALUE_ANY, .doc = "The state in the end; null when it is not there"},
    {.name = "result", .type = VALUE_ANY, .doc = "What `result` picks of the last answer"},
    {0}};

struct waiting {
    const struct aws_call *call;
    const json_t *until;
    const json_t *fail;
    const char *not_found;
    char *shown;        /* the state as it was last said; NULL before the first look */
    int64_t started_ns; /* wall clock, remembered across a resume */
    int64_t since_ns;   /* when the shown state was first seen */
};

static bool is_in(const json_t *list, const json_t *value)
{
    size_t index;
    json_t *item;
    json_array_foreach (list, index, item) {
        if (json_equal(item, value) == 1) {
            return true;
        }
    }
    return false;
}

static bool all_in(const json_t *list, const json_t *state)
{
    if (!json_is_array(state)) {
        return is_in(list, state);
    }
    size_t index;
    json_t *item;
    json_array_foreach (state, index, item) {
        if (!is_in(list, item)) {
            return false;
        }
    }
    return json_array_size(state) > 0;
}

/* The first value of a state that is in the list, or NULL. */
static const json_t *any_in(const json_t *list, const json_t *state)
{
    if (!json_is_array(state)) {
        return is_in(list, state) ? state : NULL;
    }
    size_t index;
    json_t *item;
    json_array_foreach (state, index, item) {
        if (is_in(list, item)) {
            return item;
        }
    }
    return NULL;
}

static char *state_text(const json_t *state)
{
    return json_is_string(state) ? memory_text(json_string_value(state)) : json_canonical(state);
}

/* Says each change of the state, and how long it was in the one before. */
static void show_state(struct attempt *attempt, struct waiting *waiting, const char *state)
{
    if (waiting->shown != NULL && strcmp(waiting->shown, state) == 0) {
        return;
    }
    int64_t now_ns = clock_monotonic_ns();
    if (waiting->shown == NULL) {
        attempt_say(attempt, "state: %s", state);
    } else {
        CLEANUP(memory_cleanup)
        char *after = clock_format_duration((now_ns - waiting->since_ns) / CLOCK_NS_PER_MS);
        attempt_say(attempt, "state: %s (after %s in %s)", state, after, waiting->shown);
    }
    free(waiting->shown);
    waiting->shown = memory_text(state);
    waiting->since_ns = now_ns;
}

enum verdict { VERDICT_WAIT, VERDICT_DONE, VERDICT_FAILED };

static enum verdict judge_state(struct attempt *attempt, struct waiting *waiting, json_t *answer,
                                struct error *err)
{
    json_t *state = json_object_get(answer, "state");
    CLEANUP(memory_cleanup) char *text = state_text(state);
    show_state(attempt, waiting, text);
    if (all_in(waiting->until, state)) {
        attempt_set_output(attempt, "state", json_incref(state));
        attempt_set_output(attempt, "result", json_incref(json_object_get(answer, "result")));
        return VERDICT_DONE;
    }
    const json_t *bad = any_in(waiting->fail, state);
    if (bad != NULL) {
        CLEANUP(memory_cleanup) char *bad_text = state_text(bad);
        CLEANUP(memory_cleanup) char *wanted = json_canonical(waiting->until);
        error_set(err, ERROR_FAILED, "its state is %s, from which it does not become %s", bad_text,
                  wanted);
        return VERDICT_FAILED;
    }
    return VERDICT_WAIT;
}

static enum verdict judge_failure(struct attempt *attempt, struct waiting *waiting,
                                  struct error *failure, struct error *err)
{
    if (failure->code == ERROR_NOT_FOUND && strcmp(waiting->not_found, "fail") != 0) {
        show_state(attempt, waiting, "not there");
        bool done = strcmp(waiting->not_found, "done") == 0;
        if (done) {
            attempt_set_output(attempt, "state", json_null());
            attempt_set_output(attempt, "result", json_null());
        }
        return done ? VERDICT_DONE : VERDICT_WAIT;
    }
    if (failure->code == ERROR_THROTTLED || failure->code == ERROR_NETWORK) {
        attempt_say(attempt, "no answer this time: %s", failure->message);
        return VERDICT_WAIT;
    }
    error_move(err, failure);
    return VERDICT_FAILED;
}

static enum verdict look(struct attempt *attempt, struct waiting *waiting, struct error *err)
{
    struct aws_answer answer = {0};
    struct error failure = ERROR_INIT;
    enum verdict verdict = aws_call_run(attempt, waiting->call, &answer, &failure) == 0
                               ? judge_state(attempt, waiting, answer.value, err)
                               : judge_failure(attempt, waiting, &failure, err);
    aws_answer_release(&answer);
    error_release(&failure);
    return verdict;
}

static int give_up(const struct waiting *waiting, int64_t deadline_ms, struct error *err)
{
    CLEANUP(memory_cleanup) char *limit = clock_format_duration(deadline_ms);
    CLEANUP(memory_cleanup) char *wanted = json_canonical(waiting->until);
    return error_set(err, ERROR_TIMEOUT, "after %s its state is %s and not %s", limit,
                     waiting->shown != NULL ? waiting->shown : "unknown", wanted);
}

static int wait_on(struct attempt *attempt, struct waiting *waiting, struct error *err)
{
    int64_t interval_ms = attempt_duration_ms(attempt, "interval", 10000);
    int64_t deadline_ms = attempt_duration_ms(attempt, "deadline", 3600000);
    for (;;) {
        enum verdict verdict = look(attempt, waiting, err);
        if (verdict != VERDICT_WAIT) {
            return verdict == VERDICT_DONE ? 0 : -1;
        }
        int64_t passed_ms = (clock_wall_ns() - waiting->started_ns) / CLOCK_NS_PER_MS;
        int64_t left_ms = deadline_ms - passed_ms;
        if (left_ms <= 0) {
            return give_up(waiting, deadline_ms, err);
        }
        if (attempt_sleep(attempt, interval_ms < left_ms ? interval_ms : left_ms, err) != 0) {
            return -1;
        }
    }
}

/* The deadline counts from the first look, whoever made it: drctl's absence is no extra time. */
static int recall_start(struct attempt *attempt, int64_t *ret_started_ns, struct error *err)
{
    CLEANUP(json_cleanup) json_t *started = attempt_recall(attempt, "started");
    if (json_is_integer(started)) {
        *ret_started_ns = json_integer_value(started);
        return 0;
    }
    *ret_started_ns = clock_wall_ns();
    return attempt_remember(attempt, "started", json_integer(*ret_started_ns), err);
}

static int run(struct attempt *attempt, struct error *err)
{
    struct aws_call call;
    if (aws_request_read(attempt, &call, err) != 0) {
        return -1;
    }
    if (call.mutates) {
        return error_set(err, ERROR_INVALID,
                         "%s %s changes something and cannot be asked again "
                         "and again",
                         call.service, call.operation);
    }
    if (attempt_is_dry_run(attempt)) {
        attempt_say(attempt, "would wait for it");
        return 0;
    }
    CLEANUP(memory_cleanup)
    char *query = memory_format("{state: %s, result: %s}", attempt_text(attempt, "query"),
                                attempt_text(attempt, "result"));
    call.task = "look";
    call.query = query;
    call.transient = true;
    struct waiting waiting = {
        .call = &call,
        .until = attempt_argument(attempt, "until"),
        .fail = attempt_argument(attempt, "fail"),
        .not_found = attempt_text(attempt, "not_found"),
    };
    if (recall_start(attempt, &waiting.started_ns, err) != 0) {
        return -1;
    }
    int status = wait_on(attempt, &waiting, err);
    free(waiting.shown);
    return status;
}

const struct action action_aws_wait = {
    .description =
        {
            .name = "aws.wait",
            .summary = "Ask AWS until something is in the state that is wanted",
            .doc = "Each change of the state is said. A look that is throttled or cannot be made "
                   "is no failure; the deadline is the limit.",
            .parameters = parameters,
            .outputs = outputs,
            .memory_bytes = UINT64_C(100) * 1024 * 1024,
        },
    .run = run,
    .interrupted = "It changes nothing and looks again; the deadline goes on from the first look.",
    .shows_dry_run = true,
};
