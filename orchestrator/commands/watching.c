/* The terminal may go away at any time: writing to it may fail, reading from it may end, and
 * neither does anything to the run. */
#include "commands/watching.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/json.h"
#include "commands/keyboard.h"
#include "commands/plan_loading.h"
#include "commands/run_reading.h"
#include "commands/screen.h"
#include "journal/replay.h"
#include "runtime/run_logs.h"

/* How long a line may be on its way from the shim to here. */
enum { SETTLE_MS = 40 };

struct watch {
    const struct invocation *invocation;
    struct run *run;
    struct run_logs *logs;
    struct screen screen;
    bool screen_open;
    struct fold fold;
    struct keyboard keyboard;
};

/* --- what the run tells ---------------------------------------------------------------------- */

static void saw_event(void *data, const json_t *event)
{
    struct watch *watch = data;
    run_logs_event(watch->logs, event);
}

/* The line itself is read from the log, as by all who look on. */
static void saw_line(void *data, const struct run_line *line)
{
    (void)line;
    struct watch *watch = data;
    run_logs_wake(watch->logs);
}

static void saw_notice(void *data, const char *text)
{
    struct watch *watch = data;
    if (watch->screen_open) {
        screen_notice(&watch->screen, text);
    } else {
        fprintf(stderr, "drctl: %s\n", text);
    }
}

static void closing(void *data)
{
    struct watch *watch = data;
    keyboard_close(&watch->keyboard);
    run_logs_finish(watch->logs);
    run_logs_close(watch->logs);
    screen_close(&watch->screen);
}

static void entered(void *data)
{
    struct watch *watch = data;
    screen_typed(&watch->screen);
}

/* --- what is shown --------------------------------------------------------------------------- */

static void show_event(void *data, const json_t *event)
{
    struct watch *watch = data;
    fold_event(&watch->fold, event);
    screen_event(&watch->screen, event);
}

static void show_line(void *data, const struct run_line *line)
{
    struct watch *watch = data;
    struct view_line shown = {line->step,  line->attempt,   line->task,
                              line->at_ns, line->is_stderr, line->text};
    screen_line(&watch->screen, &shown);
}

static int decide(void *data, const json_t *decision, char **ret_text, struct error *err)
{
    const struct watch *watch = data;
    return run_decide(watch->run, decision, ret_text, err);
}

/* --- the whole ------------------------------------------------------------------------------- */

static const char *given_secret(void *data, const char *input)
{
    return json_get_text(data, input);
}

static int parse_parallel(const struct invocation *invocation, size_t *ret_running,
                          struct error *err)
{
    const char *given = invocation_value(invocation, "parallel");
    if (given == NULL) {
        return 0;
    }
    char *end;
    long running = strtol(given, &end, 10);
    if (*end != '\0' || running < 1 || running > 1000) {
        return error_set(err, ERROR_USAGE, "--parallel is a number from 1 to 1000, not '%s'",
                         given);
    }
    *ret_running = (size_t)running;
    return 0;
}

static int take_history(const struct journal_event *event, void *data, struct error *err)
{
    (void)err;
    struct watch *watch = data;
    fold_event(&watch->fold, event->json);
    run_logs_skip(watch->logs, event->json);
    return 0;
}

static int show_beginning(const struct journal_event *event, void *data, struct error *err)
{
    (void)err;
    const struct watch *watch = data;
    run_logs_event(watch->logs, event->json);
    return 0;
}

static void begin_to_show(struct watch *watch, enum run_mode mode)
{
    struct run_logs_options options = {
        .run_directory = run_directory(watch->run),
        .loop = run_loop(watch->run),
        .settle_ms = SETTLE_MS,
        .data = watch,
        .event = show_event,
        .line = show_line,
    };
    watch->logs = run_logs_new(&options);
    CLEANUP(memory_cleanup) char *journal = file_join(run_directory(watch->run), "journal.jsonl");
    struct journal_tail tail;
    fold_plan(&watch->fold, run_plan(watch->run));
    struct screen_options screen_options = {.status = true};
    screen_open(&watch->screen, watch->invocation, &watch->fold, &screen_options,
                run_loop(watch->run));
    watch->screen_open = true;
    IGNORE(journal_replay(journal, mode == RUN_START ? show_beginning : take_history, watch, &tail,
                          NULL));
    run_logs_live(watch->logs);
    if (run_plan_has_changed(watch->run)) {
        saw_notice(watch, "the plan's file was changed after this run began; the run keeps to the "
                          "plan as it was");
    }
    if (!wants_json(watch->invocation)) {
        keyboard_open(&watch->keyboard, run_loop(watch->run));
    }
}

int watch_run(const struct invocation *invocation, const char *state, const char *id,
              enum run_mode mode, const json_t *secrets, struct error *err)
{
    CLEANUP(memory_cleanup) char *who = operator_name();
    struct watch watch = {.invocation = invocation};
    watch.keyboard = (struct keyboard){.fold = &watch.fold,
                                       .who = who,
                                       .data = &watch,
                                       .decide = decide,
                                       .notice = saw_notice,
                                       .entered = entered};
    struct run_options options = {
        .state = state,
        .operator_name = who,
        .observer = {&watch, saw_event, saw_line, saw_notice, closing},
        .approvals = invocation_values(invocation, "approve"),
        .approve_all = invocation_flag(invocation, "yes"),
        .stay =
            invocation_flag(invocation, "stay") || (keyboard_is_there() && !wants_json(invocation)),
    };
    if (parse_parallel(invocation, &options.limits.running, err) != 0 ||
        run_open(id, &options, given_secret, (void *)secrets, &watch.run, err) != 0) {
        return -1;
    }
    begin_to_show(&watch, mode);
    int status = 1;
    int result = run_execute(watch.run, mode, &status, err);
    screen_finish(&watch.screen, true);
    run_free(watch.run);
    screen_release(&watch.screen);
    fold_release(&watch.fold);
    keyboard_release(&watch.keyboard);
    return result == 0 ? status : -1;
}
