/* Steps that start, and attempts that end. A step with `unless` takes two attempts' worth of work
 * under one number: first its probe, and when that does not find the work done, its action. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "plan/resolve.h"
#include "runtime/run_private.h"
#include "runtime/state_directory.h"

enum { TAIL_LINES_IN_EVENT = 20 };

struct running *run_find_running(struct run *run, const char *step)
{
    for (struct running *running = run->running; running != NULL; running = running->next) {
        if (strcmp(running->node->name, step) == 0) {
            return running;
        }
    }
    return NULL;
}

static void forget(struct running *running)
{
    struct running **link = &running->run->running;
    while (*link != running) {
        link = &(*link)->next;
    }
    *link = running->next;
    attempt_free(running->attempt);
    free(running->confirm);
    json_decref(running->environment);
    free(running);
}

/* --- events ---------------------------------------------------------------------------------- */

static json_t *error_to_json(const struct error *err)
{
    json_t *value = json_pack("{s:s, s:s}", "code", error_code_name(err->code), "message",
                              err->message != NULL ? err->message : "it failed");
    if (err->hint != NULL) {
        json_object_set_new(value, "hint", json_string(err->hint));
    }
    if (err->file != NULL) {
        json_object_set_new(value, "file", json_string(err->file));
        json_object_set_new(value, "line", json_integer((json_int_t)err->line));
        json_object_set_new(value, "column", json_integer((json_int_t)err->column));
    }
    return value;
}

/* Text of a child may be any bytes; an event holds UTF-8. */
static json_t *lines_to_json(const char *text)
{
    json_t *lines = json_array();
    while (*text != '\0') {
        size_t size_bytes = strcspn(text, "\n");
        struct buffer safe = BUFFER_INIT;
        text_append_safe(&safe, span_of(text, size_bytes), false);
        json_array_append_new(lines, json_stringn(buffer_text(&safe), safe.size_bytes));
        buffer_release(&safe);
        text += size_bytes + (text[size_bytes] == '\n');
    }
    while (json_array_size(lines) > TAIL_LINES_IN_EVENT) {
        json_array_remove(lines, 0);
    }
    return lines;
}

static void commit_failure(struct run *run, struct engine_node *node, const struct error *err,
                           const char *last_lines)
{
    json_t *event = event_new(EVENT_ATTEMPT_FAILED, node->name, node->attempts);
    json_object_set_new(event, "error", error_to_json(err));
    if (last_lines != NULL && last_lines[0] != '\0') {
        json_object_set_new(event, "tail", lines_to_json(last_lines));
    }
    run_commit(run, event, JOURNAL_DURABLE, NULL, NULL);
}

static void hide_secret_outputs(struct run *run, const struct action *action, json_t *outputs)
{
    const struct output *output = action->description.outputs;
    for (; output != NULL && output->name != NULL; output++) {
        const char *text = json_get_text(outputs, output->name);
        if (output->secret && text != NULL) {
            secrets_add(run->secrets, text);
        }
    }
}

static void commit_success(struct run *run, struct engine_node *node, const struct action *action,
                           json_t *outputs)
{
    hide_secret_outputs(run, action, outputs);
    json_t *event = event_new(EVENT_STEP_SUCCEEDED, node->name, node->attempts);
    json_object_set(event, "outputs", outputs);
    run_commit(run, event, JOURNAL_DURABLE, NULL, NULL);
    engine_reveal_outputs(run->engine, node, json_incref(outputs));
}

/* --- a phase starts -------------------------------------------------------------------------- */

#define UNKNOWN_OPENING "(known after "

/* What is not known before a dry run's step would have been done; what the action can find out all
 * the same takes its place. */
static void leave_outputs_unknown(struct attempt *attempt, const struct action *action)
{
    CLEANUP(memory_cleanup)
    char *unknown = memory_format(UNKNOWN_OPENING "%s)", attempt_step_id(attempt));
    const struct output *output = action->description.outputs;
    for (; output != NULL && output->name != NULL; output++) {
        attempt_set_output_text(attempt, output->name, unknown);
    }
}

static bool holds_unknown(const json_t *value)
{
    const char *key;
    size_t index;
    json_t *item;
    if (json_is_object(value)) {
        json_object_foreach ((json_t *)value, key, item) {
            if (holds_unknown(item)) {
                return true;
            }
        }
    } else if (json_is_array(value)) {
        json_array_foreach (value, index, item) {
            if (holds_unknown(item)) {
                return true;
            }
        }
    }
    return json_is_string(value) && strstr(json_string_value(value), UNKNOWN_OPENING) != NULL;
}

/* What a dry run does with an action that would change something and cannot show it by itself, or
 * that would be asked about something that is not there yet. */
static void show_arguments(struct attempt *attempt, const struct action *action)
{
    struct buffer text = BUFFER_INIT;
    buffer_append_format(&text, "would do %s with ", action->description.name);
    json_append(&text, attempt_arguments(attempt));
    attempt_say(attempt, "%s", buffer_text(&text));
    buffer_release(&text);
}

static int run_phase(struct attempt *attempt, struct error *err)
{
    const struct running *running = attempt_user(attempt);
    if (running->confirm != NULL && !attempt_is_dry_run(attempt)) {
        static const char *const choices[] = {"reject", "approve", NULL};
        struct attempt_question question = {"confirm", running->confirm, NULL, choices};
        const char *answer;
        if (attempt_ask(attempt, &question, &answer, err) != 0) {
            return -1;
        }
        if (strcmp(answer, "approve") != 0) {
            return error_set(err, ERROR_REFUSED, "a person did not agree to it");
        }
    }
    const struct action *action = running->action;
    if (attempt_is_dry_run(attempt)) {
        leave_outputs_unknown(attempt, action);
        if ((action->description.mutates && !action->shows_dry_run) ||
            holds_unknown(attempt_arguments(attempt))) {
            show_arguments(attempt, action);
            return 0;
        }
    }
    return action->run(attempt, err);
}

static char *attempt_folder(const struct run *run, const struct engine_node *node,
                            const char *phase)
{
    CLEANUP(memory_cleanup) char *folder = state_step_folder(node->name);
    return memory_format("%s/steps/%s/%zu%s%s", run->directory, folder, node->attempts,
                         phase != NULL ? "/" : "", phase != NULL ? phase : "");
}

static void start_phase(struct run *run, struct engine_node *node, const char *phase,
                        const struct action *action, const struct resolved *arguments,
                        json_t *environment, char *confirm, bool resumed)
{
    secrets_add_all(run->secrets, arguments->secrets);
    struct running *running = memory_new(1, sizeof *running);
    *running = (struct running){.next = run->running,
                                .run = run,
                                .node = node,
                                .phase = phase,
                                .action = action,
                                .confirm = confirm,
                                .environment = json_incref(environment)};
    run->running = running;
    CLEANUP(memory_cleanup) char *directory = attempt_folder(run, node, phase);
    char **list = run_environment(run, environment);
    struct attempt_spec spec = {
        .queue = run->queue,
        .processes = run->processes,
        .host = &run->host,
        .secrets = run->secrets,
        .run_id = run->id,
        .step = node->name,
        .number = node->attempts,
        .phase = phase,
        .directory = directory,
        .work_directory = run->work_directory,
        .plan_directory = run->plan_directory,
        .arguments = arguments->value,
        .environment = list,
        .timeout_ms = node->step->timeout_ms,
        .record = records_find(&run->records, node->name, node->attempts, phase),
        .dry_run = run->dry_run,
        .resumed = resumed,
        .function = run_phase,
        .user = running,
    };
    running->attempt = attempt_start(&spec);
    run_environment_free(list);
}

/* The step's own env as resolved, put into its context; NULL with err when it cannot be. */
static json_t *step_environment(struct run *run, const struct engine_node *node,
                                struct context *context, struct error *err)
{
    struct resolved resolved = {0};
    if (resolve_env(run->plan, node->step, context, &resolved, err) != 0) {
        return NULL;
    }
    secrets_add_all(run->secrets, resolved.secrets);
    json_t *environment = json_incref(resolved.value);
    resolve_overlay_env(context, &resolved);
    resolved_release(&resolved);
    return environment;
}

static int start_call(struct run *run, struct engine_node *node, const char *phase,
                      const struct plan_call *call, const struct context *context,
                      json_t *environment, bool resumed, struct error *err)
{
    char *confirm = NULL;
    if (phase == NULL && node->step->confirm != NULL &&
        resolve_text(run->plan, node->step->confirm, context, &confirm, NULL, err) != 0) {
        return -1;
    }
    struct resolved arguments = {0};
    if (resolve_arguments(run->plan, call, context, &arguments, err) != 0) {
        free(confirm);
        return -1;
    }
    start_phase(run, node, phase, action_find(call->uses), &arguments, environment, confirm,
                resumed);
    resolved_release(&arguments);
    return 0;
}

static void start_or_fail(struct run *run, struct engine_node *node, const char *phase,
                          bool resumed)
{
    struct context context;
    struct error err = ERROR_INIT;
    engine_context(run->engine, node, clock_wall_ns(), &context);
    const struct plan_call *call = phase != NULL ? &node->step->probe : &node->step->call;
    CLEANUP(json_cleanup) json_t *environment = step_environment(run, node, &context, &err);
    if (environment == NULL ||
        start_call(run, node, phase, call, &context, environment, resumed, &err) != 0) {
        commit_failure(run, node, &err, NULL);
        run_want_advance(run);
    }
    error_release(&err);
    context_release(&context);
}

void run_start_step(struct run *run, struct engine_node *node, bool resumed)
{
    const char *phase = node->step->probe.uses != NULL ? "unless" : NULL;
    start_or_fail(run, node, phase, resumed);
}

/* --- a phase ends ---------------------------------------------------------------------------- */

/* True when the probe found the work done; then the step's end is committed. */
static bool settle_probe(struct run *run, struct engine_node *node, int result, json_t *outputs)
{
    struct context context;
    struct error err = ERROR_INIT;
    engine_context(run->engine, node, clock_wall_ns(), &context);
    context_set(
        &context, "probe",
        json_pack("{s:s, s:O}", "status", result == 0 ? "succeeded" : "failed", "outputs", outputs),
        NULL);
    bool done = false;
    struct resolved given = {0};
    int resolved =
        result != 0 ? 0 : resolve_probe(run->plan, node->step, &context, &done, &given, &err);
    context_release(&context);
    if (resolved != 0) {
        commit_failure(run, node, &err, NULL);
        error_release(&err);
        return true;
    }
    if (done) {
        json_t *event = event_new(EVENT_STEP_SKIPPED, node->name, node->attempts);
        json_object_set_new(event, "reason", json_string("unless"));
        json_object_set(event, "outputs", given.value);
        run_commit(run, event, JOURNAL_DURABLE, NULL, NULL);
    }
    resolved_release(&given);
    return done;
}

static void settle_action(struct run *run, const struct running *running, int result,
                          const struct error *err, json_t *outputs)
{
    struct engine_node *node = running->node;
    if (result == 0) {
        commit_success(run, node, running->action, outputs);
    } else if (err->code == ERROR_CANCELLED && engine_is_cancelled(run->engine)) {
        json_t *event = event_new(EVENT_STEP_CANCELLED, node->name, node->attempts);
        run_commit(run, event, JOURNAL_DURABLE, NULL, NULL);
    } else {
        commit_failure(run, node, err, attempt_last_lines(running->attempt));
    }
}

static void attempt_ended(void *data, struct attempt *attempt)
{
    struct run *run = data;
    struct running *running = attempt_user(attempt);
    struct engine_node *node = running->node;
    const struct error *err;
    json_t *outputs;
    int result = attempt_outcome(attempt, &err, &outputs);
    bool probe = running->phase != NULL;
    bool go_on = false;
    if (!attempt_was_detached(attempt)) {
        bool stopped = result != 0 && err->code == ERROR_CANCELLED;
        if (!probe || stopped) {
            settle_action(run, running, result, err, outputs);
        } else {
            go_on = !settle_probe(run, node, result, outputs);
        }
    }
    bool resumed = attempt_is_resumed(attempt);
    forget(running);
    if (go_on && run->leaving) {
        go_on = false;
    }
    if (go_on) {
        start_or_fail(run, node, NULL, resumed);
    }
    run_want_advance(run);
}

/* --- what attempts tell ---------------------------------------------------------------------- */

static void attempt_append_event(void *data, json_t *event, bool durable, attempt_appended done,
                                 void *done_data)
{
    run_commit(data, event, durable ? JOURNAL_DURABLE : JOURNAL_RELAXED, done, done_data);
}

static void attempt_line_came(void *data, const struct attempt *attempt, const char *task,
                              const struct attempt_line *line)
{
    struct run *run = data;
    if (run->observer.line == NULL) {
        return;
    }
    struct run_line seen = {attempt_step_id(attempt),
                            attempt_number(attempt),
                            task,
                            line->at_ns,
                            line->is_stderr,
                            line->text};
    run->observer.line(run->observer.data, &seen);
}

struct attempt_host run_attempt_host(struct run *run)
{
    return (struct attempt_host){run, attempt_append_event, attempt_line_came, attempt_ended};
}

void run_stop_attempts(struct run *run, enum error_code code, const char *why, bool forced)
{
    for (struct running *running = run->running; running != NULL; running = running->next) {
        if (!running->node->step->runs_after_failure || forced) {
            attempt_stop(running->attempt, code, why, forced);
        }
    }
}

void run_detach_attempts(struct run *run)
{
    for (struct running *running = run->running; running != NULL; running = running->next) {
        attempt_detach(running->attempt);
    }
}
