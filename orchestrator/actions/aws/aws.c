/* aws: any call of AWS. What matters in a recovery is that a call which changes something is made
 * once: it is sent without the CLI's own retries, throttling is waited out here, and a call whose
 * answer was lost is judged by its idempotency token or by a probe. */
#include <stdlib.h>
#include <string.h>

#include "actions/action.h"
#include "aws/aws_request.h"
#include "base/json.h"

static const struct parameter parameters[] = {
    AWS_REQUEST_PARAMETERS,
    {.name = "query",
     .type = VALUE_STRING,
     .exposed = true,
     .doc = "JMESPath: the part of the answer that becomes `result`"},
    {.name = "mutates",
     .type = VALUE_BOOLEAN,
     .doc = "Whether it changes something; otherwise told by its verb (describe, get, list … do "
            "not)"},
    {.name = "token",
     .type = VALUE_STRING,
     .exposed = true,
     .doc = "Option that takes the API's idempotency token, such as client-token: a lost call is "
            "then made again, which has no second effect"},
    {.name = "probe",
     .type = VALUE_MAP,
     .exposed = true,
     .doc = "A reading call {service, operation, options, args, query, expect} that tells, when "
            "the answer was lost, whether it took effect: its result is `expect`, or without that "
            "is there at all"},
    {.name = "ignore_errors",
     .type = VALUE_STRINGS,
     .default_json = "[]",
     .doc = "Error codes that count as success, such as DBSnapshotAlreadyExists; `code` says so"},
    {0}};

static const struct output outputs[] = {
    {.name = "result",
     .type = VALUE_ANY,
     .doc = "The answer, or what `query` picks of it; null when there is none. After a lost call "
            "that took effect, what the probe saw"},
    {.name = "code", .type = VALUE_STRING, .doc = "The error code that was ignored, else null"},
    {0}};

/* --- when the answer was lost ---------------------------------------------------------------- */

struct lost {
    const struct aws_call *call;
    json_t *seen; /* what the probe saw */
};

static bool is_there(const json_t *value)
{
    return !(value == NULL || json_is_null(value) || json_is_false(value) ||
             (json_is_array(value) && json_array_size(value) == 0) ||
             (json_is_object(value) && json_object_size(value) == 0) ||
             (json_is_string(value) && json_string_length(value) == 0));
}

static enum attempt_probe_answer ask_probe(struct attempt *attempt, const json_t *probe,
                                           struct lost *lost)
{
    const char *service = json_get_text(probe, "service");
    struct aws_call call = {
        .task = "probe",
        .service = service != NULL ? service : lost->call->service,
        .operation = json_get_text(probe, "operation"),
        .region = lost->call->region,
        .options = json_object_get(probe, "options"),
        .args = json_object_get(probe, "args"),
        .input = json_object_get(probe, "input"),
        .query = json_get_text(probe, "query"),
        .transient = true,
    };
    const json_t *expect = json_object_get(probe, "expect");
    struct aws_answer answer = {0};
    struct error err = ERROR_INIT;
    enum attempt_probe_answer seen = PROBE_UNKNOWN;
    if (aws_call_persist(attempt, &call, &answer, &err) == 0) {
        bool done = expect != NULL ? json_equal(expect, answer.value) == 1 : is_there(answer.value);
        seen = done ? PROBE_DONE : PROBE_NOT_STARTED;
        json_decref(lost->seen);
        lost->seen = json_incref(answer.value);
    } else if (err.code == ERROR_NOT_FOUND) {
        seen = PROBE_NOT_STARTED;
    } else {
        attempt_say(attempt, "the probe cannot tell: %s", err.message);
    }
    error_release(&err);
    aws_answer_release(&answer);
    return seen;
}

static enum attempt_probe_answer probe_lost(struct attempt *attempt, void *context)
{
    struct lost *lost = context;
    const json_t *probe = attempt_argument(attempt, "probe");
    if (probe != NULL) {
        return ask_probe(attempt, probe, lost);
    }
    return lost->call->token_option != NULL ? PROBE_NOT_STARTED : PROBE_UNKNOWN;
}

static int check_probe(const struct attempt *attempt, struct error *err)
{
    const json_t *probe = attempt_argument(attempt, "probe");
    const char *operation = json_get_text(probe, "operation");
    if (probe == NULL) {
        return 0;
    }
    if (operation == NULL) {
        return error_set(err, ERROR_INVALID, "`probe` does not say which operation");
    }
    return aws_operation_mutates("", operation)
               ? error_set(err, ERROR_INVALID, "`probe` has to read, and %s does not", operation)
               : 0;
}

/* --- the call -------------------------------------------------------------------------------- */

static bool is_ignored(const struct attempt *attempt, const char *code)
{
    size_t index;
    json_t *ignored;
    json_array_foreach (attempt_argument(attempt, "ignore_errors"), index, ignored) {
        if (code != NULL && json_is_string(ignored) &&
            strcmp(json_string_value(ignored), code) == 0) {
            return true;
        }
    }
    return false;
}

static int finish(struct attempt *attempt, int status, const struct aws_answer *answer,
                  const struct lost *lost, struct error *failure, struct error *err)
{
    if (status == 0) {
        json_t *result = answer->found_done && lost->seen != NULL ? lost->seen : answer->value;
        attempt_set_output(attempt, "result", json_incref(result));
        attempt_set_output(attempt, "code", json_null());
        return 0;
    }
    if (is_ignored(attempt, answer->error.code)) {
        attempt_say(attempt, "%s counts as success here", answer->error.code);
        attempt_set_output(attempt, "result", json_null());
        attempt_set_output_text(attempt, "code", answer->error.code);
        error_release(failure);
        return 0;
    }
    error_move(err, failure);
    return -1;
}

static int make_call(struct attempt *attempt, const struct aws_call *request, struct error *err)
{
    struct aws_call call = *request;
    struct lost lost = {&call, NULL};
    struct aws_answer answer = {0};
    struct error failure = ERROR_INIT;
    call.probe = probe_lost;
    call.context = &lost;
    int status = aws_call_persist(attempt, &call, &answer, &failure);
    status = finish(attempt, status, &answer, &lost, &failure, err);
    json_decref(lost.seen);
    aws_answer_release(&answer);
    return status;
}

static int run(struct attempt *attempt, struct error *err)
{
    struct aws_call call;
    if (aws_request_read(attempt, &call, err) != 0 || check_probe(attempt, err) != 0) {
        return -1;
    }
    call.query = attempt_text(attempt, "query");
    call.token_option = attempt_text(attempt, "token");
    if (attempt_argument(attempt, "mutates") != NULL) {
        call.mutates = attempt_flag(attempt, "mutates");
    }
    if (attempt_is_dry_run(attempt) && call.mutates) {
        struct argv argv = {0};
        aws_build_argv(attempt, &call, &argv);
        CLEANUP(memory_cleanup) char *text = argv_to_text(argv_words(&argv));
        attempt_say(attempt, "would call: %s", text);
        argv_release(&argv);
        return 0;
    }
    return make_call(attempt, &call, err);
}

const struct action action_aws = {
    .description =
        {
            .name = "aws",
            .summary = "Make any call of AWS by its command-line client",
            .doc = "Calls that change something are sent once. Throttling and a service that "
                   "cannot be reached are waited out for a few minutes, by pauses that double.",
            .parameters = parameters,
            .outputs = outputs,
            .mutates = true,
            .memory_bytes = UINT64_C(100) * 1024 * 1024,
        },
    .run = run,
    .interrupted = "A call that still runs is followed. When its end was not seen, a read is made "
                   "again, and so is a call with `token`; another one is judged by `probe`, and "
                   "without one a person is asked.",
    .shows_dry_run = true,
};
