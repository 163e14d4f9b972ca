/* kubectl: any call of it. */
#include <stdlib.h>
#include <string.h>

#include "actions/action.h"
#include "actions/capture.h"
#include "base/json.h"
#include "kubernetes/kubectl_cli.h"

static const struct parameter parameters[] = {
    {.name = "args",
     .type = VALUE_STRINGS,
     .required = true,
     .exposed = true,
     .doc = "The words behind kubectl, its verb first: [scale, deployment/web, --replicas=3]"},
    KUBECTL_PARAMETERS,
    {.name = "stdin",
     .type = VALUE_STRING,
     .doc = "Text that it reads, with --filename=-; in a private file for as long as it runs"},
    {.name = "capture",
     .type = VALUE_CHOICE,
     .choices = capture_choices,
     .doc = "Keep its output as `result`, as text, lines or JSON (--output=json is added), instead "
            "of showing it"},
    {.name = "mutates",
     .type = VALUE_BOOLEAN,
     .doc = "Whether it changes something; otherwise told by its verb"},
    {.name = "probe",
     .type = VALUE_STRINGS,
     .exposed = true,
     .doc =
         "Words of a reading call that tells, when the end was not seen, whether it took effect: "
         "exit 0 yes, 1 no"},
    {0}};

static const struct output outputs[] = {
    {.name = "result", .type = VALUE_ANY, .doc = "Its output, with `capture`"}, {0}};

struct call {
    const struct kubectl *kubectl;
    const char *verb;
    bool watches; /* wait, rollout status: no limit for its requests */
};

static int read_call(struct attempt *attempt, struct call *call, struct error *err)
{
    const json_t *args = attempt_argument(attempt, "args");
    call->verb = json_string_value(json_array_get(args, 0));
    if (call->verb == NULL || call->verb[0] == '-') {
        return error_set(err, ERROR_INVALID, "`args` has to begin with kubectl's verb");
    }
    call->watches = strcmp(call->verb, "wait") == 0 || strcmp(call->verb, "rollout") == 0 ||
                    strcmp(call->verb, "drain") == 0;
    return 0;
}

static enum attempt_probe_answer probe(struct attempt *attempt, void *context)
{
    const struct call *call = context;
    const json_t *words = attempt_argument(attempt, "probe");
    if (words == NULL) {
        return kubectl_verb_is_repeatable(call->verb) ? PROBE_NOT_STARTED : PROBE_UNKNOWN;
    }
    struct argv argv = {0};
    kubectl_begin(call->kubectl, &argv, false);
    argv_add_list(&argv, words);
    struct attempt_command command = {
        .task = "probe", .argv = argv_words(&argv), .transient = true};
    struct attempt_result result = {0};
    struct error err = ERROR_INIT;
    int status = attempt_run(attempt, &command, &result, &err);
    if (status == 0 && result.exit_code == 1) {
        (void)!kubectl_failed(&result, "probe", &err);
    }
    enum attempt_probe_answer answer =
        status == 0 && result.exit_code == 0 ? PROBE_DONE
        : status == 0 && result.exit_code == 1 &&
                (err.code == ERROR_NOT_FOUND || err.code == ERROR_FAILED)
            ? PROBE_NOT_STARTED
            : PROBE_UNKNOWN;
    error_release(&err);
    attempt_result_release(&result);
    argv_release(&argv);
    return answer;
}

static void build_argv(struct attempt *attempt, const struct call *call, struct argv *argv)
{
    const char *capture = attempt_text(attempt, "capture");
    kubectl_begin(call->kubectl, argv, call->watches);
    argv_add_list(argv, attempt_argument(attempt, "args"));
    if (capture != NULL && strcmp(capture, "json") == 0) {
        argv_add(argv, "--output=json");
    }
}

static int make_call(struct attempt *attempt, struct call *call, struct argv *argv, bool mutates,
                     struct error *err)
{
    CLEANUP(memory_cleanup) char *stdin_path = NULL;
    if (capture_write_stdin(attempt, &stdin_path, err) != 0) {
        return -1;
    }
    struct attempt_command command = {
        .task = "kubectl",
        .argv = argv_words(argv),
        .stdin_path = stdin_path,
        .private_path = stdin_path,
        .mutates = mutates,
        .quiet = attempt_text(attempt, "capture") != NULL,
        .probe = probe,
        .context = call,
    };
    struct attempt_result result = {0};
    int status = attempt_run(attempt, &command, &result, err);
    if (status == 0 && result.exit_code != 0 && !result.found_done) {
        CLEANUP(memory_cleanup) char *what = memory_format("kubectl %s", call->verb);
        status = kubectl_failed(&result, what, err);
    }
    json_t *value;
    if (status == 0) {
        status = capture_take(attempt_text(attempt, "capture"), &result, &value, err);
    }
    if (status == 0) {
        attempt_set_output(attempt, "result", value);
    }
    attempt_result_release(&result);
    return status;
}

static int run(struct attempt *attempt, struct error *err)
{
    struct kubectl kubectl = {0};
    struct call call = {.kubectl = &kubectl};
    if (read_call(attempt, &call, err) != 0 || kubectl_open(attempt, &kubectl, err) != 0) {
        return -1;
    }
    bool mutates = attempt_argument(attempt, "mutates") != NULL ? attempt_flag(attempt, "mutates")
                                                                : kubectl_verb_mutates(call.verb);
    struct argv argv = {0};
    build_argv(attempt, &call, &argv);
    int status = 0;
    if (mutates && attempt_is_dry_run(attempt)) {
        CLEANUP(memory_cleanup) char *text = argv_to_text(argv_words(&argv));
        attempt_say(attempt, "would run: %s", text);
    } else {
        status = make_call(attempt, &call, &argv, mutates, err);
    }
    argv_release(&argv);
    kubectl_release(&kubectl);
    return status;
}

const struct action action_kubectl = {
    .description =
        {
            .name = "kubectl",
            .summary = "Run any kubectl command",
            .parameters = parameters,
            .outputs = outputs,
            .mutates = true,
            .memory_bytes = UINT64_C(100) * 1024 * 1024,
        },
    .run = run,
    .interrupted = "A kubectl that still runs is followed. When its end was not seen, a read and a "
                   "verb that may be repeated (apply, scale, label, …) are run again; another one "
                   "is judged by `probe`, and without it a person is asked.",
    .shows_dry_run = true,
};
