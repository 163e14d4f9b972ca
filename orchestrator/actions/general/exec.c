/* exec: any command. It is the way out for what no other action does, and so it says as little as
 * possible about the command by itself: whether it changes something, which exit codes are good and
 * what its output is are for the plan to say. */
#include <stdlib.h>
#include <string.h>

#include "actions/action.h"
#include "actions/argv.h"
#include "actions/capture.h"
#include "base/json.h"

static const struct parameter parameters[] = {
    {.name = "argv",
     .type = VALUE_STRINGS,
     .exposed = true,
     .one_of = "command",
     .doc = "The program and its arguments, one item each; no shell sees them"},
    {.name = "command",
     .type = VALUE_STRING,
     .exposed = true,
     .one_of = "command",
     .doc = "A command line for /bin/sh; needs `shell: true`"},
    {.name = "shell",
     .type = VALUE_BOOLEAN,
     .default_json = "false",
     .doc = "Says that `command` is meant to be read by a shell"},
    {.name = "cwd",
     .type = VALUE_PATH,
     .doc = "Folder to run in, relative to the plan's; the run's own working folder otherwise"},
    {.name = "stdin",
     .type = VALUE_STRING,
     .doc = "Text that the command reads; in a private file for as long as it runs"},
    {.name = "env", .type = VALUE_STRING_MAP, .doc = "Variables over those of the step"},
    {.name = "expect",
     .type = VALUE_LIST,
     .default_json = "[0]",
     .doc = "Exit codes that mean success"},
    {.name = "capture",
     .type = VALUE_CHOICE,
     .choices = capture_choices,
     .doc = "Keep stdout as an output, as text, a list of lines or JSON, instead of showing it"},
    {.name = "mutates",
     .type = VALUE_BOOLEAN,
     .default_json = "true",
     .doc = "false: it only looks, so a dry run runs it too and an interrupted one is repeated"},
    {.name = "probe",
     .type = VALUE_STRINGS,
     .exposed = true,
     .doc = "A command that tells, when the end was not seen or it was killed, whether it took "
            "effect: exit 0 yes, 1 no, any other ask a person"},
    {.name = "grace",
     .type = VALUE_DURATION,
     .default_json = "\"10s\"",
     .doc = "How long it may take to stop when it is asked to"},
    {0}};

static const struct output outputs[] = {
    {.name = "exit_code", .type = VALUE_INTEGER, .doc = "Its exit code; null when it was not seen"},
    {.name = "stdout", .type = VALUE_ANY, .doc = "What it printed, with `capture`"},
    {0}};

static int build_argv(struct attempt *attempt, struct argv *argv, struct error *err)
{
    const char *command = attempt_text(attempt, "command");
    bool shell = attempt_flag(attempt, "shell");
    if (command != NULL && !shell) {
        error_set(err, ERROR_INVALID,
                  "`command` is a line for a shell, and `shell: true` is not "
                  "there");
        return error_hint(err, "write `argv: [program, argument, …]`, which needs no shell");
    }
    if (command != NULL) {
        argv_add(argv, "/bin/sh");
        argv_add(argv, "-c");
        argv_add(argv, command);
        return 0;
    }
    argv_add_list(argv, attempt_argument(attempt, "argv"));
    if (argv_count(argv) == 0) {
        return error_set(err, ERROR_INVALID, "`argv` is empty: there is no program to run");
    }
    return shell ? error_set(err, ERROR_INVALID, "`shell: true` goes with `command`, not `argv`")
                 : 0;
}

static bool is_expected(const json_t *expect, int exit_code)
{
    size_t index;
    json_t *code;
    json_array_foreach (expect, index, code) {
        if (json_is_integer(code) && json_integer_value(code) == exit_code) {
            return true;
        }
    }
    return false;
}

static int set_captured(struct attempt *attempt, const struct attempt_result *result,
                        struct error *err)
{
    json_t *value;
    if (capture_take(attempt_text(attempt, "capture"), result, &value, err) != 0) {
        return -1;
    }
    attempt_set_output(attempt, "stdout", value);
    return 0;
}

static enum attempt_probe_answer probe(struct attempt *attempt, void *context)
{
    (void)context;
    struct argv argv = {0};
    argv_add_list(&argv, attempt_argument(attempt, "probe"));
    struct attempt_command command = {
        .task = "probe", .argv = argv_words(&argv), .transient = true};
    struct attempt_result result = {0};
    int status = argv_count(&argv) > 0 ? attempt_run(attempt, &command, &result, NULL) : -1;
    enum attempt_probe_answer answer = status != 0             ? PROBE_UNKNOWN
                                       : result.exit_code == 0 ? PROBE_DONE
                                       : result.exit_code == 1 ? PROBE_NOT_STARTED
                                                               : PROBE_UNKNOWN;
    attempt_result_release(&result);
    argv_release(&argv);
    return answer;
}

static int judge(struct attempt *attempt, const char *program, const struct attempt_result *result,
                 struct error *err)
{
    bool killed_when_done =
        !result->found_done && result->signal != 0 && probe(attempt, NULL) == PROBE_DONE;
    if (killed_when_done) {
        attempt_say(attempt, "%s was ended by signal %d (%s); its probe finds its effect there",
                    program, result->signal, strsignal(result->signal));
    }
    if (result->found_done || killed_when_done) {
        attempt_set_output(attempt, "exit_code", json_null());
        return set_captured(attempt, result, err);
    }
    attempt_set_output(attempt, "exit_code", json_integer(result->exit_code));
    if (result->signal != 0) {
        return error_set(err, ERROR_FAILED, "%s was ended by signal %d (%s)%s", program,
                         result->signal, strsignal(result->signal),
                         result->out_of_memory ? ", by the kernel for want of memory" : "");
    }
    if (!is_expected(attempt_argument(attempt, "expect"), result->exit_code)) {
        return error_set(err, ERROR_FAILED, "%s ended with exit status %d", program,
                         result->exit_code);
    }
    return set_captured(attempt, result, err);
}

static int run_argv(struct attempt *attempt, struct argv *argv, struct error *err)
{
    struct argv settings = {0};
    argv_add_settings(&settings, attempt_argument(attempt, "env"));
    const char *cwd_argument = attempt_text(attempt, "cwd");
    CLEANUP(memory_cleanup)
    char *cwd = cwd_argument != NULL ? attempt_plan_path(attempt, cwd_argument) : NULL;
    CLEANUP(memory_cleanup) char *stdin_path = NULL;
    struct attempt_result result = {0};
    int status = capture_write_stdin(attempt, &stdin_path, err);
    if (status == 0) {
        struct attempt_command command = {
            .task = "command",
            .argv = argv_words(argv),
            .set = argv_words(&settings),
            .cwd = cwd,
            .stdin_path = stdin_path,
            .private_path = stdin_path,
            .mutates = attempt_flag(attempt, "mutates"),
            .quiet = attempt_text(attempt, "capture") != NULL,
            .grace_ms = attempt_duration_ms(attempt, "grace", 0),
            .probe = probe,
        };
        status = attempt_run(attempt, &command, &result, err);
    }
    if (status == 0) {
        status = judge(attempt, argv_words(argv)[0], &result, err);
    }
    attempt_result_release(&result);
    argv_release(&settings);
    return status;
}

static int run(struct attempt *attempt, struct error *err)
{
    struct argv argv = {0};
    int status = build_argv(attempt, &argv, err);
    if (status == 0 && attempt_is_dry_run(attempt) && attempt_flag(attempt, "mutates")) {
        CLEANUP(memory_cleanup) char *text = argv_to_text(argv_words(&argv));
        attempt_say(attempt, "would run: %s", text);
    } else if (status == 0) {
        status = run_argv(attempt, &argv, err);
    }
    argv_release(&argv);
    return status;
}

const struct action action_exec = {
    .description =
        {
            .name = "exec",
            .summary = "Run any command",
            .doc =
                "The command runs in its own session and outlives drctl. What it prints is shown "
                "line by line, unless `capture` makes it an output.",
            .parameters = parameters,
            .outputs = outputs,
            .mutates = true,
        },
    .run = run,
    .interrupted = "A command that still runs is followed, one that ended meanwhile gives its "
                   "result. When its end was not seen: one with `mutates: false` is repeated, "
                   "otherwise `probe` is asked and without one a person. One that was "
                   "killed has failed, unless `probe` finds its effect there.",
    .shows_dry_run = true,
};
