/* Commands of an attempt. Each has a folder of its own below the attempt's, named after the task (a
 * task that is used again gets .2, .3 …; another go after a lost one gets ~2, ~3 …), and what is
 * found there on a resume decides what happens: nothing → announce and start; running → follow;
 * finished → take its result; lost → look at the world, and where that cannot tell, ask. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "attempt/attempt_private.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/random.h"

static void announce_end(struct attempt *attempt, const char *task,
                         const struct process_result *result)
{
    json_t *event = attempt_event(attempt, "task_ended");
    json_object_set_new(event, "task", json_string(task));
    if (result->outcome == PROCESS_EXITED) {
        json_object_set_new(event, "exit_code", json_integer(result->exit_code));
    } else if (result->outcome == PROCESS_SIGNALLED) {
        json_object_set_new(event, "signal", json_integer(result->signal_number));
        json_object_set_new(event, "out_of_memory", json_boolean(result->oom_killed));
    } else {
        json_object_set_new(event, "outcome", json_string(process_outcome_name(result->outcome)));
    }
    if (result->ended_at_ns > result->started_at_ns) {
        json_object_set_new(
            event, "duration_ms",
            json_integer((result->ended_at_ns - result->started_at_ns) / CLOCK_NS_PER_MS));
    }
    if (result->dropped_bytes + result->lost_records > 0) {
        json_object_set_new(event, "dropped_bytes",
                            json_integer((json_int_t)result->dropped_bytes));
        json_object_set_new(event, "lost_records", json_integer((json_int_t)result->lost_records));
    }
    if (result->output_lost) {
        json_object_set_new(event, "output_lost", json_true());
        attempt_say(attempt, "%s: the end of its output may be missing: nobody read it", task);
    }
    IGNORE(attempt_append(attempt, event, false, false, NULL));
}

static json_t *argv_to_json(const char *const *argv)
{
    json_t *list = json_array();
    for (; *argv != NULL; argv++) {
        json_array_append_new(list, json_string(*argv));
    }
    return list;
}

static int announce_start(struct attempt *attempt, const char *task, const char *directory,
                          const struct attempt_command *command, struct error *err)
{
    json_t *event = attempt_event(attempt, "task_started");
    json_object_set_new(event, "task", json_string(task));
    json_object_set_new(event, "argv", argv_to_json(command->argv));
    json_object_set_new(event, "mutates", json_boolean(command->mutates));
    json_object_set_new(event, "quiet", json_boolean(command->quiet));
    json_object_set_new(event, "folder", json_string(strrchr(directory, '/') + 1));
    return attempt_append(attempt, event, true, true, err);
}

static int refuse_secrets(struct attempt *attempt, const struct attempt_command *command,
                          struct error *err)
{
    for (const char *const *argument = command->argv; *argument != NULL; argument++) {
        if (secrets_contain(attempt->spec.secrets, *argument)) {
            error_set(err, ERROR_REFUSED,
                      "an argument of %s contains a secret, which every user of this machine could "
                      "read in the list of processes",
                      command->argv[0]);
            return error_hint(err, "hand it over by the environment or by a file");
        }
    }
    return 0;
}

/* --- a command that was begun before --------------------------------------------------------- */

enum verdict { VERDICT_RUN, VERDICT_ADOPT, VERDICT_DONE, VERDICT_STOP };

/* The question is named after the go: an answer about one go says nothing about the next. */
static int ask_about_lost(struct attempt *attempt, const struct attempt_command *command,
                          const char *task, const char *directory, enum verdict *ret_verdict,
                          struct error *err)
{
    static const char *const choices[] = {"stop", "done", "run-again", NULL};
    CLEANUP(memory_cleanup) char *id = memory_format("lost-%s", strrchr(directory, '/') + 1);
    CLEANUP(memory_cleanup)
    char *text = memory_format("%s was started by an earlier drctl, its end was not seen, and "
                               "whether it took effect cannot be told. What is the case?",
                               task);
    struct buffer evidence = BUFFER_INIT;
    for (const char *const *argument = command->argv; *argument != NULL; argument++) {
        buffer_append_format(&evidence, "%s%s", argument == command->argv ? "" : " ", *argument);
    }
    buffer_append_text(&evidence, "\nstop: leave everything as it is; done: it took effect, go on "
                                  "behind it; run-again: it did not, start it once more");
    struct attempt_question question = {id, text, evidence.data, choices};
    const char *answer = NULL;
    int result = attempt_ask(attempt, &question, &answer, err);
    buffer_release(&evidence);
    if (result != 0) {
        return -1;
    }
    *ret_verdict = strcmp(answer, "done") == 0        ? VERDICT_DONE
                   : strcmp(answer, "run-again") == 0 ? VERDICT_RUN
                                                      : VERDICT_STOP;
    return 0;
}

static int judge_lost(struct attempt *attempt, const struct attempt_command *command,
                      const char *task, const char *directory, enum verdict *ret_verdict,
                      struct error *err)
{
    if (!command->mutates) {
        *ret_verdict = VERDICT_RUN;
        return 0;
    }
    enum attempt_probe_answer answer =
        command->probe != NULL ? command->probe(attempt, command->context) : PROBE_UNKNOWN;
    if (answer == PROBE_UNKNOWN) {
        return ask_about_lost(attempt, command, task, directory, ret_verdict, err);
    }
    attempt_say(attempt, "%s: its end was not seen; %s", task,
                answer == PROBE_DONE ? "its effect is there"
                                     : "it had no effect and is started again");
    *ret_verdict = answer == PROBE_DONE ? VERDICT_DONE : VERDICT_RUN;
    return 0;
}

static int judge(struct attempt *attempt, const struct attempt_command *command, const char *task,
                 const char *directory, enum verdict *ret_verdict, struct error *err)
{
    enum process_state state;
    if (process_inspect(directory, &state, err) != 0) {
        return -1;
    }
    switch (state) {
    case PROCESS_STATE_RUNNING:
    case PROCESS_STATE_ORPHANED:
    case PROCESS_STATE_FINISHED:
        *ret_verdict = VERDICT_ADOPT;
        return 0;
    case PROCESS_STATE_ABSENT:
        *ret_verdict = VERDICT_RUN;
        return 0;
    case PROCESS_STATE_LOST:
        break;
    }
    if (json_object_get(attempt->spec.record.ended, task) == NULL) {
        announce_end(attempt, task, &(struct process_result){.outcome = PROCESS_LOST});
    }
    return judge_lost(attempt, command, task, directory, ret_verdict, err);
}

static char *task_name(struct attempt *attempt, const struct attempt_command *command)
{
    size_t uses = 0;
    (void)table_get(&attempt->calls, command->task, &uses);
    uses++;
    (void)table_set(&attempt->calls, command->task, uses);
    return uses == 1 ? memory_text(command->task) : memory_format("%s.%zu", command->task, uses);
}

/* The folder of the latest go of a task, and how many there were. */
static char *latest_go(const struct attempt *attempt, const char *task, size_t *ret_goes)
{
    char *latest = NULL;
    size_t goes = 0;
    for (;;) {
        CLEANUP(memory_cleanup)
        char *name = goes == 0 ? memory_text(task) : memory_format("%s~%zu", task, goes + 1);
        char *directory = file_join(attempt->spec.directory, name);
        if (!file_exists(directory)) {
            free(directory);
            break;
        }
        free(latest);
        latest = directory;
        goes++;
    }
    *ret_goes = goes;
    return latest;
}

static void take_result(struct attempt *attempt, const struct process_result *process,
                        struct attempt_result *result)
{
    result->exit_code = process->outcome == PROCESS_EXITED ? process->exit_code : -1;
    result->signal = process->outcome == PROCESS_SIGNALLED ? process->signal_number : 0;
    result->out_of_memory = process->oom_killed;
    buffer_clear(&attempt->last_lines);
    buffer_append_span(&attempt->last_lines, buffer_span(&result->tail));
}

static int stopped_instead(struct attempt *attempt, const struct attempt_result *result,
                           struct error *err)
{
    /* What came to a good end in spite of the request to stop is done; the next wait says no. */
    return result->exit_code == 0 ? 0 : attempt_check(attempt, err);
}

static int run_transient(struct attempt *attempt, const struct attempt_command *command,
                         struct attempt_result *result, struct error *err)
{
    char id[RANDOM_ID_SIZE];
    random_id(id);
    CLEANUP(memory_cleanup) char *name = memory_format("%s-%s", command->task, id);
    CLEANUP(memory_cleanup) char *directory = file_join(attempt->spec.directory, name);
    struct process_result process = {0};
    int status = call_run(attempt, command, directory, false, false, result, &process, err);
    IGNORE(file_remove_tree(directory, NULL));
    if (status == 0) {
        take_result(attempt, &process, result);
        status = stopped_instead(attempt, result, err);
    }
    return status;
}

static int run_in_folder(struct attempt *attempt, const struct attempt_command *command,
                         const char *task, enum verdict verdict, const char *directory,
                         struct attempt_result *result, struct error *err)
{
    bool adopt = verdict == VERDICT_ADOPT;
    bool seen_before = adopt && json_object_get(attempt->spec.record.ended, task) != NULL;
    if (!adopt && announce_start(attempt, task, directory, command, err) != 0) {
        return -1;
    }
    struct process_result process = {0};
    if (call_run(attempt, command, directory, adopt, seen_before, result, &process, err) != 0) {
        if (!attempt->detached) {
            take_result(attempt, &process, result);
        }
        return -1;
    }
    if (!seen_before) {
        announce_end(attempt, task, &process);
    }
    take_result(attempt, &process, result);
    if (process.outcome == PROCESS_LOST) {
        enum verdict after;
        if (judge_lost(attempt, command, task, directory, &after, err) != 0) {
            return -1;
        }
        result->found_done = after == VERDICT_DONE;
        return result->found_done
                   ? 0
                   : error_set(err, ERROR_UNKNOWN, "how %s ended is not known", command->argv[0]);
    }
    return stopped_instead(attempt, result, err);
}

static int run_task(struct attempt *attempt, const struct attempt_command *command,
                    struct attempt_result *ret_result, struct error *err)
{
    *ret_result = (struct attempt_result){.exit_code = -1};
    if (refuse_secrets(attempt, command, err) != 0) {
        return -1;
    }
    if (command->transient) {
        return run_transient(attempt, command, ret_result, err);
    }
    CLEANUP(memory_cleanup) char *task = task_name(attempt, command);
    size_t goes;
    CLEANUP(memory_cleanup) char *directory = latest_go(attempt, task, &goes);
    enum verdict verdict = VERDICT_RUN;
    if (goes > 0 && judge(attempt, command, task, directory, &verdict, err) != 0) {
        return -1;
    }
    if (verdict == VERDICT_DONE) {
        ret_result->found_done = true;
        return 0;
    }
    if (verdict == VERDICT_STOP) {
        return error_set(err, ERROR_UNKNOWN,
                         "how %s ended is not known, and a person chose to stop", command->argv[0]);
    }
    if (verdict == VERDICT_RUN) {
        CLEANUP(memory_cleanup)
        char *name = goes == 0 ? memory_text(task) : memory_format("%s~%zu", task, goes + 1);
        free(directory);
        directory = file_join(attempt->spec.directory, name);
    }
    return run_in_folder(attempt, command, task, verdict, directory, ret_result, err);
}

/* A command that was left running may still want to read it; whoever sees its end removes it. */
static void remove_private(struct attempt *attempt, const struct attempt_command *command)
{
    uv_mutex_lock(&attempt->mutex);
    bool detached = attempt->detached;
    uv_mutex_unlock(&attempt->mutex);
    if (command->private_path != NULL && !detached) {
        (void)unlink(command->private_path);
    }
}

int attempt_run(struct attempt *attempt, const struct attempt_command *command,
                struct attempt_result *ret_result, struct error *err)
{
    int status = run_task(attempt, command, ret_result, err);
    remove_private(attempt, command);
    return status;
}

int attempt_run_ok(struct attempt *attempt, const struct attempt_command *command,
                   struct attempt_result *ret_result, struct error *err)
{
    if (attempt_run(attempt, command, ret_result, err) != 0) {
        return -1;
    }
    if (ret_result->exit_code == 0 || ret_result->found_done) {
        return 0;
    }
    if (ret_result->out_of_memory) {
        error_set(err, ERROR_FAILED, "%s was killed by the kernel for want of memory",
                  command->argv[0]);
        return error_hint(err, "give the step `memory:` so that less runs beside it");
    }
    if (ret_result->signal != 0) {
        return error_set(err, ERROR_FAILED, "%s was ended by signal %d (%s)", command->argv[0],
                         ret_result->signal, strsignal(ret_result->signal));
    }
    return error_set(err, ERROR_FAILED, "%s ended with exit status %d", command->argv[0],
                     ret_result->exit_code);
}

int attempt_run_json(struct attempt *attempt, const struct attempt_command *command,
                     json_t **ret_value, struct error *err)
{
    struct attempt_result result = {0};
    int status = attempt_run_ok(attempt, command, &result, err);
    if (status == 0) {
        size_t blank_bytes = strspn(buffer_text(&result.out), " \t\r\n");
        json_t *value = blank_bytes == result.out.size_bytes
                            ? json_null()
                            : json_parse(buffer_span(&result.out), command->argv[0], err);
        status = value != NULL ? 0 : error_context(err, "what it printed");
        if (value != NULL) {
            *ret_value = value;
        }
    }
    attempt_result_release(&result);
    return status;
}

void attempt_result_release(struct attempt_result *result)
{
    buffer_release(&result->out);
    buffer_release(&result->tail);
}
