/* How the AWS CLI is called. The region is always a word of the command (version 1 does not know
 * AWS_REGION), the token endpoint is the region's own (version 1 would ask the one in us-east-1),
 * and a call that changes something is sent once: whether it may be sent again is decided here,
 * where it is known what the first one did. */
#include "aws/aws_cli.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/file.h"
#include "base/json.h"
#include "base/random.h"

enum {
    TRIES = 8,
    FIRST_PAUSE_MS = 500,
    LONGEST_PAUSE_MS = 30 * 1000,
    OUTPUT_LIMIT_BYTES = 256 * 1024 * 1024, /* the listing of a large account */
};

int aws_region(const struct attempt *attempt, const char **ret_region, struct error *err)
{
    const char *region = attempt_text(attempt, "region");
    if (region == NULL) {
        region = attempt_getenv(attempt, "AWS_REGION");
    }
    if (region == NULL || region[0] == '\0') {
        region = attempt_getenv(attempt, "AWS_DEFAULT_REGION");
    }
    if (region == NULL || region[0] == '\0') {
        error_set(err, ERROR_INVALID, "no region is given for a call of AWS");
        return error_hint(err, "give the step `region:`, or AWS_REGION in its env");
    }
    *ret_region = region;
    return 0;
}

/* --- words ----------------------------------------------------------------------------------- */

static bool is_plain(const json_t *value)
{
    return json_is_string(value) || json_is_number(value);
}

static bool is_list_of_plain(const json_t *value)
{
    size_t index;
    json_t *item;
    json_array_foreach (value, index, item) {
        if (!is_plain(item) || (json_is_string(item) && json_string_value(item)[0] == '-')) {
            return false;
        }
    }
    return json_array_size(value) > 0;
}

static void add_value(struct argv *argv, const char *option, const json_t *value)
{
    CLEANUP(memory_cleanup)
    char *text =
        json_is_string(value) ? memory_text(json_string_value(value)) : json_canonical(value);
    if (text[0] == '-') {
        argv_add_format(argv, "%s=%s", option, text);
    } else {
        argv_add_option(argv, option, text);
    }
}

static void add_one_option(struct argv *argv, const char *name, const json_t *value)
{
    CLEANUP(memory_cleanup)
    char *option = memory_format("--%s%s", json_is_false(value) ? "no-" : "", name);
    for (char *at = option; (at = strchr(at, '_')) != NULL;) {
        *at = '-';
    }
    if (json_is_boolean(value)) {
        argv_add(argv, option);
    } else if (is_list_of_plain(value)) {
        argv_add(argv, option);
        argv_add_list(argv, value);
    } else if (!json_is_null(value)) {
        add_value(argv, option, value);
    }
}

void aws_add_options(struct argv *argv, const json_t *options)
{
    const char *name;
    json_t *value;
    json_object_foreach ((json_t *)options, name, value) {
        add_one_option(argv, name, value);
    }
}

/* The same for every attempt of a step, so that a second attempt means the first one's effect. */
static void token_of(const struct attempt *attempt, char token[DIGEST_HEX_SIZE])
{
    CLEANUP(memory_cleanup)
    char *name = memory_format("%s/%s", attempt_run_id(attempt), attempt_step_id(attempt));
    digest_sha256_hex(span_of_text(name), token);
    token[32] = '\0'; /* some services take no more than 32 or 36 characters */
}

void aws_build_argv(const struct attempt *attempt, const struct aws_call *call, struct argv *argv)
{
    argv_add(argv, "aws");
    argv_add(argv, call->service);
    argv_add(argv, call->operation);
    aws_add_options(argv, call->options);
    argv_add_list(argv, call->args);
    if (call->token_option != NULL) {
        char token[DIGEST_HEX_SIZE];
        token_of(attempt, token);
        CLEANUP(memory_cleanup) char *option = memory_format("--%s", call->token_option);
        argv_add_option(argv, option, token);
    }
    argv_add_option(argv, "--region", call->region);
    argv_add_option(argv, "--output", "json");
    argv_add_option(argv, "--query", call->query);
    argv_add_option(argv, "--cli-connect-timeout", "10");
}

/* The members that are there: as with options, null is left out. To be freed. */
static char *input_text(const json_t *input)
{
    json_t *present = json_object();
    const char *key;
    json_t *value;
    json_object_foreach ((json_t *)input, key, value) {
        if (!json_is_null(value)) {
            json_object_set(present, key, value);
        }
    }
    char *text = json_canonical(present);
    json_decref(present);
    return text;
}

static int add_input(struct attempt *attempt, const struct aws_call *call, struct argv *argv,
                     char **ret_path, struct error *err)
{
    if (call->input == NULL) {
        return 0;
    }
    CLEANUP(memory_cleanup) char *name = memory_format("%s.input.json", call->task);
    CLEANUP(memory_cleanup) char *path = file_join(attempt_directory(attempt), name);
    CLEANUP(memory_cleanup) char *text = input_text(call->input);
    if (file_write(path, span_of_text(text), FILE_PRIVATE_MODE, FILE_ATOMIC, err) != 0) {
        return -1;
    }
    argv_add(argv, "--cli-input-json");
    argv_add_format(argv, "file://%s", path);
    *ret_path = memory_text(path);
    return 0;
}

static void add_settings(const struct attempt *attempt, const struct aws_call *call,
                         struct argv *settings)
{
    argv_add(settings, "AWS_PAGER=");
    argv_add(settings, "AWS_CLI_AUTO_PROMPT=off");
    if (attempt_getenv(attempt, "AWS_STS_REGIONAL_ENDPOINTS") == NULL) {
        argv_add(settings, "AWS_STS_REGIONAL_ENDPOINTS=regional");
    }
    if (call->mutates) {
        argv_add(settings, "AWS_MAX_ATTEMPTS=1");
    }
}

/* --- one call -------------------------------------------------------------------------------- */

static int take_answer(const struct aws_call *call, const struct attempt_result *result,
                       struct aws_answer *answer, struct error *err)
{
    struct span text = buffer_span(&result->out);
    if (result->found_done || strspn(buffer_text(&result->out), " \t\r\n") == text.size_bytes) {
        answer->value = json_null();
        answer->found_done = result->found_done;
        return 0;
    }
    answer->value = call->text ? json_stringn(text.data, text.size_bytes)
                               : json_parse(text, "the answer of AWS", err);
    return answer->value != NULL
               ? 0
               : error_set(err, ERROR_INVALID, "the answer of AWS is not valid UTF-8");
}

static int take_failure(const struct attempt_result *result, struct aws_answer *answer,
                        struct error *err)
{
    aws_error_parse(buffer_text(&result->tail), &answer->error);
    if (result->signal != 0) {
        answer->error.ambiguous = true;
        return error_set(err, ERROR_FAILED, "aws was ended by signal %d", result->signal);
    }
    error_set(err, answer->error.kind, "%s",
              answer->error.message[0] != '\0' ? answer->error.message : "aws failed in silence");
    if (answer->error.kind == ERROR_NOT_READY) {
        error_hint(err, "look at the credentials that the step's environment names");
    }
    return -1;
}

int aws_call_run(struct attempt *attempt, const struct aws_call *call,
                 struct aws_answer *ret_answer, struct error *err)
{
    *ret_answer = (struct aws_answer){0};
    struct argv argv = {0};
    struct argv settings = {0};
    struct attempt_result result = {0};
    aws_build_argv(attempt, call, &argv);
    add_settings(attempt, call, &settings);
    CLEANUP(memory_cleanup) char *input_path = NULL;
    int status = add_input(attempt, call, &argv, &input_path, err);
    if (status == 0) {
        struct attempt_command command = {
            .task = call->task,
            .argv = argv_words(&argv),
            .set = argv_words(&settings),
            .private_path = input_path,
            .mutates = call->mutates,
            .transient = call->transient,
            .quiet = true,
            .stdout_limit_bytes = OUTPUT_LIMIT_BYTES,
            .probe = call->probe,
            .context = call->context,
        };
        status = attempt_run(attempt, &command, &result, err);
    }
    if (status == 0) {
        status = result.exit_code == 0 || result.found_done
                     ? take_answer(call, &result, ret_answer, err)
                     : take_failure(&result, ret_answer, err);
    }
    attempt_result_release(&result);
    argv_release(&argv);
    argv_release(&settings);
    return status;
}

void aws_answer_release(struct aws_answer *answer)
{
    json_decref(answer->value);
    aws_error_release(&answer->error);
    *answer = (struct aws_answer){0};
}

/* --- calls that have to come through --------------------------------------------------------- */

enum next { NEXT_AGAIN, NEXT_DONE, NEXT_GIVE_UP };

/* What to do about a failed call. */
static enum next after_failure(struct attempt *attempt, const struct aws_call *call,
                               const struct aws_answer *answer)
{
    const struct aws_error *error = &answer->error;
    if (error->kind == ERROR_THROTTLED || (error->kind == ERROR_NETWORK && !call->mutates)) {
        return NEXT_AGAIN;
    }
    if (!call->mutates || error->message == NULL) {
        return NEXT_GIVE_UP;
    }
    if (!error->ambiguous) {
        return error->kind == ERROR_NETWORK ? NEXT_AGAIN : NEXT_GIVE_UP;
    }
    enum attempt_probe_answer seen =
        call->probe != NULL ? call->probe(attempt, call->context) : PROBE_UNKNOWN;
    return seen == PROBE_DONE ? NEXT_DONE : seen == PROBE_NOT_STARTED ? NEXT_AGAIN : NEXT_GIVE_UP;
}

static int pause_before_next(struct attempt *attempt, unsigned tries, const struct error *failure,
                             struct error *err)
{
    int64_t limit_ms = (int64_t)FIRST_PAUSE_MS << tries;
    limit_ms = limit_ms < LONGEST_PAUSE_MS ? limit_ms : LONGEST_PAUSE_MS;
    int64_t pause_ms = limit_ms / 2 + (int64_t)random_below((uint64_t)limit_ms / 2);
    CLEANUP(memory_cleanup) char *pause = clock_format_duration(pause_ms);
    attempt_say(attempt, "%s; again in %s", failure->message, pause);
    return attempt_sleep(attempt, pause_ms, err);
}

static int give_up(const struct aws_call *call, const struct aws_answer *answer,
                   struct error *failure, struct error *err)
{
    if (call->mutates && answer->error.ambiguous) {
        error_set(err, ERROR_UNKNOWN, "whether %s %s took effect is not known: %s", call->service,
                  call->operation, failure->message);
        error_release(failure);
        return -1;
    }
    error_move(err, failure);
    return -1;
}

int aws_call_persist(struct attempt *attempt, const struct aws_call *call,
                     struct aws_answer *ret_answer, struct error *err)
{
    for (unsigned tries = 0;; tries++) {
        struct error failure = ERROR_INIT;
        if (aws_call_run(attempt, call, ret_answer, &failure) == 0) {
            return 0;
        }
        enum next next = after_failure(attempt, call, ret_answer);
        if (next == NEXT_DONE) {
            attempt_say(attempt, "the connection broke, but its effect is there");
            error_release(&failure);
            aws_answer_release(ret_answer);
            ret_answer->value = json_null();
            ret_answer->found_done = true;
            return 0;
        }
        if (next == NEXT_GIVE_UP || tries + 1 == TRIES) {
            return give_up(call, ret_answer, &failure, err);
        }
        int status = pause_before_next(attempt, tries, &failure, err);
        error_release(&failure);
        if (status != 0) {
            return -1;
        }
        aws_answer_release(ret_answer);
    }
}

int aws_read(struct attempt *attempt, const char *task, const char *region, const char *service,
             const char *operation, json_t *options, const char *query, json_t **ret_value,
             struct error *err)
{
    struct aws_call call = {
        .task = task,
        .service = service,
        .operation = operation,
        .region = region,
        .options = options,
        .query = query,
    };
    struct aws_answer answer = {0};
    int status = aws_call_persist(attempt, &call, &answer, err);
    if (status == 0) {
        *ret_value = json_incref(answer.value);
    }
    aws_answer_release(&answer);
    json_decref(options);
    return status;
}
