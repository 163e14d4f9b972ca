/* The loop of a run: what the engine decides is done, until it decides that the run has ended, or
 * drctl leaves. Leaving never stops a child: attempts are detached, and the next drctl follows on.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "runtime/remote_lock_keeper.h"
#include "runtime/run_private.h"
#include "runtime/target_lock.h"

enum { STALL_RETRY_MS = 2000 };

void run_notice(struct run *run, const char *format, ...)
{
    if (run->observer.notice == NULL) {
        return;
    }
    va_list arguments;
    va_start(arguments, format);
    CLEANUP(memory_cleanup) char *text = memory_format_v(format, arguments);
    va_end(arguments);
    run->observer.notice(run->observer.data, text);
}

void run_want_advance(struct run *run)
{
    run->advance_wanted = true;
}

/* --- leaving --------------------------------------------------------------------------------- */

static void close_handles(struct run *run)
{
    if (!run->handles_open) {
        return;
    }
    run->handles_open = false;
    if (run->observer.closing != NULL) {
        run->observer.closing(run->observer.data);
    }
    control_close(run->control);
    remote_lock_keeper_close(run->remote_lock);
    process_host_close(run->processes, NULL, NULL);
    loop_queue_close(run->queue);
    uv_close((uv_handle_t *)&run->timer, NULL);
    uv_close((uv_handle_t *)&run->advance, NULL);
    for (size_t i = 0; i < RUN_SIGNAL_COUNT; i++) {
        uv_close((uv_handle_t *)&run->signals[i], NULL);
    }
}

static void close_journal(struct run *run)
{
    if (run->journal != NULL) {
        struct journal *journal = run->journal;
        run->journal = NULL;
        journal_close(journal, NULL, NULL);
    }
}

static void close_when_quiet(struct run *run)
{
    if (run->leaving && run->running == NULL) {
        close_handles(run);
        close_journal(run);
    }
}

void run_leave(struct run *run, int exit_status)
{
    if (!run->leaving) {
        run->leaving = true;
        run->exit_status = exit_status;
        run_detach_attempts(run);
        if (run->journal != NULL && journal_is_stalled(run->journal)) {
            close_journal(run); /* attempts that wait for it are told, and can end */
        }
    }
    close_when_quiet(run);
}

/* --- effects --------------------------------------------------------------------------------- */

/* 0, 7 or 1; 5 when all that failed was refused by a guard. */
static int exit_status_of(const struct run *run)
{
    const char *outcome = engine_outcome(run->engine);
    if (strcmp(outcome, "failed") != 0) {
        return strcmp(outcome, "succeeded") == 0 ? 0 : error_code_exit_status(ERROR_CANCELLED);
    }
    bool refused = true;
    for (size_t i = 0; i < engine_node_count(run->engine); i++) {
        const struct engine_node *node = engine_node_at(run->engine, i);
        const char *code = json_get_text(node->error, "code");
        if (node->state == STEP_FAILED) {
            refused = refused && code != NULL && error_code_from_name(code) == ERROR_REFUSED;
        }
    }
    return error_code_exit_status(refused ? ERROR_REFUSED : ERROR_FAILED);
}

static void run_is_over(void *data, const struct error *err)
{
    struct run *run = data;
    if (err != NULL) {
        error_set(&run->error, err->code, "%s", err->message);
        run_leave(run, 1);
        return;
    }
    run->finished = true;
    struct error lock_error = ERROR_INIT;
    if (!run->dry_run &&
        target_lock_release(run->state, run->plan->target_name, run->id, &lock_error) != 0) {
        run_notice(run, "%s", lock_error.message);
    }
    error_release(&lock_error);
    run_leave(run, exit_status_of(run));
}

static void perform(struct run *run, struct engine_effect *effect)
{
    bool is_end = effect->kind == ENGINE_END;
    bool is_start = effect->kind == ENGINE_START;
    run_commit(run, engine_effect_event(effect), is_start ? JOURNAL_RELAXED : JOURNAL_DURABLE,
               is_end ? run_is_over : NULL, is_end ? run : NULL);
    if (is_start && !run->leaving) {
        run_start_step(run, effect->node, false);
    }
}

static void start_timer(struct run *run);

/* True when nothing can happen before a person decides. */
static bool waits_for_people(const struct run *run)
{
    size_t asking = engine_asking_count(run->engine);
    return asking > 0 && asking >= engine_running_count(run->engine) &&
           engine_next_time_ns(run->engine) == INT64_MAX;
}

static void advance(struct run *run)
{
    while (!run->leaving && !run->stalled) {
        struct engine_effect effect;
        engine_decide(run->engine, clock_wall_ns(), &effect);
        if (effect.kind == ENGINE_NONE) {
            engine_effect_release(&effect);
            break;
        }
        perform(run, &effect);
        engine_effect_release(&effect);
    }
    if (!run->leaving) {
        start_timer(run);
        bool paused = engine_is_paused(run->engine) && run->running == NULL;
        if (!run->stay && engine_outcome(run->engine) == NULL &&
            (waits_for_people(run) || paused)) {
            run_leave(run, 8);
        }
    }
}

static void on_prepare(uv_prepare_t *prepare)
{
    struct run *run = prepare->data;
    /* As often as something changed: performing an effect asks for another look itself. */
    while (run->advance_wanted) {
        run->advance_wanted = false;
        if (run->leaving) {
            close_when_quiet(run);
        } else {
            advance(run);
        }
    }
}

static void on_timer(uv_timer_t *timer)
{
    struct run *run = timer->data;
    if (run->stalled && run->journal != NULL) {
        journal_retry(run->journal);
        run->stalled = journal_is_stalled(run->journal);
        start_timer(run);
    }
    run_want_advance(run);
}

static void start_timer(struct run *run)
{
    if (run->stalled) {
        uv_timer_start(&run->timer, on_timer, STALL_RETRY_MS, 0);
        return;
    }
    int64_t next_ns = engine_next_time_ns(run->engine);
    if (next_ns == INT64_MAX) {
        uv_timer_stop(&run->timer);
        return;
    }
    int64_t wait_ns = next_ns - clock_wall_ns();
    uv_timer_start(&run->timer, on_timer,
                   wait_ns > 0 ? (uint64_t)(wait_ns / CLOCK_NS_PER_MS + 1) : 0, 0);
}

static void on_stall(void *data, const struct error *err)
{
    struct run *run = data;
    if (!run->stalled) {
        run_notice(run,
                   "the journal cannot be written (%s): nothing new is started until it can; "
                   "what runs goes on",
                   err->message);
    }
    run->stalled = true;
    start_timer(run);
}

/* --- signals --------------------------------------------------------------------------------- */

static void interrupted(struct run *run)
{
    run->interrupts++;
    if (run->interrupts == 1) {
        CLEANUP(json_cleanup)
        json_t *decision = json_pack("{s:s, s:s, s:s}", "verb", "cancel", "who", run->operator_name,
                                     "why", "Ctrl-C");
        char *text = NULL;
        if (run_decide(run, decision, &text, NULL) == 0) {
            run_notice(run,
                       "Stopping: what runs was asked to stop once and is waited for; nothing "
                       "new starts. (To leave it running instead: `kill %d`, then `drctl resume "
                       "%s`.)",
                       (int)getpid(), run->id);
        }
        free(text);
    } else if (run->interrupts == 2) {
        run_notice(run,
                   "Still waiting for what runs to stop in order. Killing it now can leave a "
                   "state lock behind and resources that no state knows. Press Ctrl-C once more "
                   "to kill it all the same.");
    } else {
        run_notice(run, "Killing what still runs.");
        run_stop_attempts(run, ERROR_CANCELLED, "killed on request", true);
    }
}

static void on_signal(uv_signal_t *handle, int signal_number)
{
    struct run *run = handle->data;
    switch (signal_number) {
    case SIGINT:
        interrupted(run);
        break;
    case SIGTERM:
        run_notice(run,
                   "Told to end: leaving the run as it is; its children go on. `drctl resume %s` "
                   "picks it up.",
                   run->id);
        run_leave(run, 1);
        break;
    default:
        break; /* SIGHUP, SIGPIPE: a terminal that goes away does not stop a recovery */
    }
}

int run_open_handles(struct run *run, struct error *err)
{
    static const int signal_numbers[RUN_SIGNAL_COUNT] = {SIGINT, SIGTERM, SIGHUP, SIGPIPE};
    if (process_host_open(&run->loop, NULL, &run->processes, err) != 0) {
        return -1;
    }
    run->queue = loop_queue_new(&run->loop);
    run->host = run_attempt_host(run);
    uv_timer_init(&run->loop, &run->timer);
    run->timer.data = run;
    uv_prepare_init(&run->loop, &run->advance);
    run->advance.data = run;
    for (size_t i = 0; i < RUN_SIGNAL_COUNT; i++) {
        uv_signal_init(&run->loop, &run->signals[i]);
        run->signals[i].data = run;
        uv_signal_start(&run->signals[i], on_signal, signal_numbers[i]);
    }
    journal_on_stall(run->journal, on_stall, run);
    run->handles_open = true;
    return 0;
}

/* --- the whole ------------------------------------------------------------------------------- */

static void take_up(struct run *run, enum run_mode mode)
{
    json_t *resumed = event_new(EVENT_RUN_RESUMED, NULL, 0);
    json_object_set_new(resumed, "operator", json_string(run->operator_name));
    json_object_set_new(resumed, "pid", json_integer(getpid()));
    run_commit(run, resumed, JOURNAL_DURABLE, NULL, NULL);
    size_t count = engine_node_count(run->engine);
    if (mode == RUN_CANCEL) {
        json_t *cancelled = event_new(EVENT_RUN_CANCELLED, NULL, 0);
        json_object_set_new(cancelled, "who", json_string(run->operator_name));
        run_commit(run, cancelled, JOURNAL_DURABLE, NULL, NULL);
    } else {
        VECTOR(struct engine_node *)
        again = {0};
        for (size_t i = 0; i < count; i++) {
            struct engine_node *node = engine_node_at(run->engine, i);
            if (engine_is_retried_on_resume(run->engine, node)) {
                vector_push(&again, node);
            }
        }
        vector_each (struct engine_node **, node, &again) {
            json_t *retried = event_new(EVENT_STEP_RETRIED, (*node)->name, 0);
            json_object_set_new(retried, "who", json_string(run->operator_name));
            json_object_set_new(retried, "why", json_string("resume"));
            run_commit(run, retried, JOURNAL_DURABLE, NULL, NULL);
        }
        vector_release(&again);
    }
    for (size_t i = 0; i < count; i++) {
        struct engine_node *node = engine_node_at(run->engine, i);
        if (node->state == STEP_RUNNING) {
            run_start_step(run, node, true);
        }
    }
    if (mode == RUN_CANCEL) {
        run_stop_attempts(run, ERROR_CANCELLED, "the run was cancelled", false);
    }
}

static int begin(struct run *run, enum run_mode mode, struct error *err)
{
    if (!run->dry_run && !run->without_remote_lock &&
        remote_lock_keeper_open(run, &run->remote_lock, err) != 0) {
        run->discard = mode == RUN_START;
        return -1;
    }
    if (control_open(run, &run->control, err) != 0) {
        return -1;
    }
    uv_prepare_start(&run->advance, on_prepare);
    if (mode != RUN_START) {
        take_up(run, mode);
    }
    run_want_advance(run);
    return 0;
}

int run_execute(struct run *run, enum run_mode mode, int *ret_exit_status, struct error *err)
{
    int result = 0;
    if (mode == RUN_REST) {
        run_leave(run, 0);
    } else {
        result = begin(run, mode, err);
        if (result != 0) {
            run_leave(run, 1);
        }
    }
    uv_run(&run->loop, UV_RUN_DEFAULT);
    struct error lock_error = ERROR_INIT;
    if (remote_lock_keeper_free(run->remote_lock, run->finished, &lock_error) != 0) {
        run_notice(run, "the remote lock could not be given up: %s", lock_error.message);
    }
    run->remote_lock = NULL;
    error_release(&lock_error);
    if (error_is_set(&run->error)) {
        error_move(err, &run->error);
        result = -1;
    }
    *ret_exit_status = run->exit_status;
    return result;
}
