/* The journal is followed as journal_follow() does, the logs as run_logs does; this only ties them
 * to a view. Nothing of the run is opened for writing, so any number of these can look on. */
#include "commands/following.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "commands/keyboard.h"
#include "commands/plan_loading.h"
#include "commands/screen.h"
#include "engine/event.h"
#include "journal/follow.h"
#include "runtime/control.h"
#include "runtime/run_logs.h"

/* Events reach the file in groups, with an fsync between: about as long as that may take. */
enum { SETTLE_MS = 250 };

struct onlooker {
    const struct run_reading *reading;
    const struct following *following;
    uv_loop_t loop;
    struct journal_follower *journal;
    struct run_logs *logs;
    struct screen screen;
    struct fold fold;
    struct keyboard keyboard;
    uv_signal_t interrupt;
    bool interrupted;
    bool caught_up;
    bool ended; /* the journal said so, and no later event that it goes on */
    bool closed;
    struct error error;
};

static void close_all(struct onlooker *onlooker)
{
    if (!onlooker->closed) {
        onlooker->closed = true;
        run_logs_finish(onlooker->logs);
        run_logs_close(onlooker->logs);
        journal_follower_close(onlooker->journal);
        keyboard_close(&onlooker->keyboard);
        screen_close(&onlooker->screen);
        uv_close((uv_handle_t *)&onlooker->interrupt, NULL);
    }
}

/* --- what is shown --------------------------------------------------------------------------- */

static void show_event(void *data, const json_t *event)
{
    struct onlooker *onlooker = data;
    fold_event(&onlooker->fold, event);
    if (!onlooker->following->lines_only) {
        screen_event(&onlooker->screen, event);
    }
}

static void show_line(void *data, const struct run_line *line)
{
    struct onlooker *onlooker = data;
    struct view_line shown = {line->step,  line->attempt,   line->task,
                              line->at_ns, line->is_stderr, line->text};
    screen_line(&onlooker->screen, &shown);
}

static void show_notice(void *data, const char *text)
{
    struct onlooker *onlooker = data;
    screen_notice(&onlooker->screen, text);
}

static void entered(void *data)
{
    struct onlooker *onlooker = data;
    screen_typed(&onlooker->screen);
}

/* --- what happens ---------------------------------------------------------------------------- */

static void on_event(void *data, const struct journal_event *event)
{
    struct onlooker *onlooker = data;
    enum event_type type = event_type_of(event->json);
    onlooker->ended = type == EVENT_RUN_ENDED || (onlooker->ended && type != EVENT_RUN_RESUMED);
    run_logs_event(onlooker->logs, event->json);
    if (onlooker->ended && onlooker->caught_up) {
        close_all(onlooker);
    }
}

static void on_caught_up(void *data)
{
    struct onlooker *onlooker = data;
    onlooker->caught_up = true;
    if (onlooker->ended || !onlooker->following->follow) {
        close_all(onlooker);
        return;
    }
    if (!control_is_open(onlooker->reading->directory)) {
        CLEANUP(memory_cleanup)
        char *text =
            memory_format("No drctl works on this run now; what it started goes on. `drctl "
                          "resume %s` picks it up. Waiting.",
                          onlooker->reading->id);
        show_notice(onlooker, text);
    }
    run_logs_live(onlooker->logs);
    if (onlooker->following->keyboard && !wants_json(onlooker->following->invocation)) {
        keyboard_open(&onlooker->keyboard, &onlooker->loop);
    }
}

static void on_failed(void *data, const struct error *err)
{
    struct onlooker *onlooker = data;
    error_set_at(&onlooker->error, err->code, err->file, err->line, err->column, "%s",
                 err->message);
    close_all(onlooker);
}

static int decide(void *data, const json_t *decision, char **ret_text, struct error *err)
{
    const struct onlooker *onlooker = data;
    if (control_send(onlooker->reading->directory, decision, ret_text, err) == 0) {
        return 0;
    }
    return err->code == ERROR_NOT_FOUND
               ? error_hint(err, "put it on record with: drctl answer %s %s %s",
                            onlooker->reading->id, json_get_text(decision, "step"),
                            json_get_text(decision, "answer"))
               : -1;
}

static void on_interrupt(uv_signal_t *handle, int signal_number)
{
    (void)signal_number;
    struct onlooker *onlooker = handle->data;
    onlooker->interrupted = true;
    close_all(onlooker);
}

/* --- the whole ------------------------------------------------------------------------------- */

static int open_all(struct onlooker *onlooker, struct error *err)
{
    static const struct journal_follow_callbacks callbacks = {on_event, on_caught_up, on_failed};
    const struct following *following = onlooker->following;
    if (journal_follow(&onlooker->loop, onlooker->reading->journal, &callbacks, onlooker,
                       &onlooker->journal, err) != 0) {
        return -1;
    }
    struct run_logs_options options = {
        .run_directory = onlooker->reading->directory,
        .step = following->step,
        .attempt = following->attempt,
        .loop = &onlooker->loop,
        .watch = true,
        .settle_ms = SETTLE_MS,
        .data = onlooker,
        .event = show_event,
        .line = show_line,
    };
    onlooker->logs = run_logs_new(&options);
    uv_signal_init(&onlooker->loop, &onlooker->interrupt);
    onlooker->interrupt.data = onlooker;
    uv_signal_start(&onlooker->interrupt, on_interrupt, SIGINT);
    uv_unref((uv_handle_t *)&onlooker->interrupt);
    return 0;
}

static int finish(struct onlooker *onlooker, struct error *err)
{
    if (error_is_set(&onlooker->error)) {
        error_move(err, &onlooker->error);
        return -1;
    }
    if (onlooker->following->lines_only) {
        return 0;
    }
    if (onlooker->interrupted) {
        show_notice(onlooker, "No longer attached; the run goes on.");
        screen_finish(&onlooker->screen, false);
        return 0;
    }
    screen_finish(&onlooker->screen, true);
    const char *outcome = onlooker->ended ? onlooker->fold.outcome : NULL;
    return outcome == NULL                     ? 0
           : strcmp(outcome, "succeeded") == 0 ? 0
           : strcmp(outcome, "cancelled") == 0 ? 7
                                               : 1;
}

int follow_run(const struct run_reading *reading, const struct following *following,
               struct error *err)
{
    CLEANUP(memory_cleanup) char *who = operator_name();
    struct onlooker onlooker = {.reading = reading, .following = following};
    onlooker.keyboard = (struct keyboard){.fold = &onlooker.fold,
                                          .who = who,
                                          .data = &onlooker,
                                          .decide = decide,
                                          .notice = show_notice,
                                          .entered = entered};
    uv_loop_init(&onlooker.loop);
    fold_plan(&onlooker.fold, reading->plan);
    struct screen_options screen_options = {.long_times = following->long_times,
                                            .status = following->follow && !following->lines_only};
    screen_open(&onlooker.screen, following->invocation, &onlooker.fold, &screen_options,
                &onlooker.loop);
    int result = open_all(&onlooker, err);
    if (result == 0) {
        uv_run(&onlooker.loop, UV_RUN_DEFAULT);
        result = finish(&onlooker, err);
    } else {
        screen_close(&onlooker.screen);
        uv_run(&onlooker.loop, UV_RUN_DEFAULT);
    }
    uv_loop_close(&onlooker.loop);
    screen_release(&onlooker.screen);
    fold_release(&onlooker.fold);
    keyboard_release(&onlooker.keyboard);
    return result;
}
