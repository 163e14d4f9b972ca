/* Weaves events and lines into one stream (the order is in the header). The events say which logs
 * there are and when each is complete, so that no folder is searched and none is open for longer
 * than its task runs. */
#include "runtime/run_logs.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "engine/event.h"
#include "runtime/log_reader.h"
#include "runtime/log_watch.h"
#include "runtime/state_directory.h"

struct source {
    char *step;
    size_t attempt;
    char *phase; /* NULL: the action itself */
    char *task;  /* NULL: what the action says */
    char *directory;
    bool quiet; /* its stdout is data */
    struct log_reader *reader;
    struct log_watch *watch;
    struct log_line head; /* the next line, when has_head */
    bool has_head;
    bool dry;        /* nothing more at this look */
    int64_t seen_ns; /* when the head showed up (monotonic) */
};

struct queued_event {
    json_t *event;
    int64_t at_ns;
    int64_t seen_ns;
};

enum { LINES_AT_ONCE = 2000 };

enum mode { MODE_HISTORY, MODE_LIVE, MODE_FINISH };

struct run_logs {
    struct run_logs_options options;
    char *run_directory;
    char *step;
    enum mode mode;
    VECTOR(struct source *)
    sources;
    VECTOR(struct queued_event)
    queue;
    size_t queue_next;
    int64_t reached_ns; /* the latest time that was handed on */
    uv_timer_t timer;
    bool closing;
};

/* --- sources --------------------------------------------------------------------------------- */

static bool same_text(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static void free_source(struct source *source)
{
    log_watch_close(source->watch);
    log_reader_free(source->reader);
    free(source->step);
    free(source->phase);
    free(source->task);
    free(source->directory);
    free(source);
}

static void drop_source(struct run_logs *logs, size_t index)
{
    free_source(logs->sources.items[index]);
    logs->sources.count--;
    memmove(logs->sources.items + index, logs->sources.items + index + 1,
            (logs->sources.count - index) * sizeof(struct source *));
}

static bool is_wanted(const struct run_logs *logs, const char *step, size_t attempt)
{
    if (logs->options.attempt != 0 && logs->options.attempt != attempt) {
        return false;
    }
    size_t size_bytes = logs->step != NULL ? strlen(logs->step) : 0;
    return logs->step == NULL || (strncmp(step, logs->step, size_bytes) == 0 &&
                                  (step[size_bytes] == '\0' || step[size_bytes] == '['));
}

static void changed(void *data)
{
    run_logs_wake(data);
}

static void watch_source(struct run_logs *logs, struct source *source)
{
    if (logs->options.watch && logs->mode == MODE_LIVE && source->watch == NULL) {
        source->watch = log_watch_new(logs->options.loop, logs->run_directory, source->directory,
                                      changed, logs);
    }
}

static void open_source(struct run_logs *logs, const json_t *event, const char *phase,
                        const char *task)
{
    const char *step = json_get_text(event, "step");
    size_t attempt = (size_t)json_get_integer(event, "attempt", 1);
    if (!is_wanted(logs, step, attempt)) {
        return;
    }
    const char *folder = json_get_text(event, "folder");
    CLEANUP(memory_cleanup) char *step_folder = state_step_folder(step);
    char *directory =
        memory_format("%s/steps/%s/%zu%s%s%s%s", logs->run_directory, step_folder, attempt,
                      phase != NULL ? "/" : "", phase != NULL ? phase : "", task != NULL ? "/" : "",
                      task == NULL     ? ""
                      : folder != NULL ? folder
                                       : task);
    vector_each (struct source **, other, &logs->sources) {
        if (strcmp((*other)->directory, directory) == 0) {
            free(directory); /* announced again, since it had not begun */
            return;
        }
    }
    struct source *source = memory_new(1, sizeof *source);
    *source = (struct source){.step = memory_text(step),
                              .attempt = attempt,
                              .phase = memory_text(phase),
                              .task = memory_text(task),
                              .directory = directory,
                              .quiet = json_is_true(json_object_get(event, "quiet")),
                              .reader = log_reader_new(directory)};
    vector_push(&logs->sources, source);
    watch_source(logs, source);
}

/* Whether the event says that the source gets no more lines. */
static bool ends_source(const json_t *event, const struct source *source)
{
    if (!same_text(json_get_text(event, "step"), source->step)) {
        return false;
    }
    switch (event_type_of(event)) {
    case EVENT_TASK_ENDED:
        return source->task != NULL && same_text(json_get_text(event, "task"), source->task) &&
               same_text(json_get_text(event, "phase"), source->phase);
    case EVENT_STEP_SUCCEEDED:
    case EVENT_STEP_SKIPPED:
    case EVENT_STEP_FAILED:
    case EVENT_STEP_CANCELLED:
    case EVENT_ATTEMPT_FAILED:
        return true;
    default:
        return false;
    }
}

static void open_sources(struct run_logs *logs, const json_t *event)
{
    switch (event_type_of(event)) {
    case EVENT_STEP_STARTED:
        open_source(logs, event, "unless", NULL);
        open_source(logs, event, NULL, NULL);
        break;
    case EVENT_TASK_STARTED:
        open_source(logs, event, json_get_text(event, "phase"), json_get_text(event, "task"));
        break;
    default:
        break;
    }
}

/* --- lines ----------------------------------------------------------------------------------- */

/* Makes the source's next line its head. */
static bool look(struct source *source, bool ended)
{
    while (!source->has_head && !source->dry) {
        if (!log_reader_next(source->reader, ended, &source->head)) {
            source->dry = true;
        } else if (!source->quiet || source->head.is_stderr) {
            source->has_head = true;
            source->seen_ns = clock_monotonic_ns();
        }
    }
    return source->has_head;
}

static void hand_on_head(struct run_logs *logs, struct source *source)
{
    struct run_line line = {source->step,       source->attempt,        source->task,
                            source->head.at_ns, source->head.is_stderr, source->head.text};
    logs->reached_ns = line.at_ns > logs->reached_ns ? line.at_ns : logs->reached_ns;
    source->has_head = false;
    logs->options.line(logs->options.data, &line);
}

/* Hands on the lines up to a time; live, only those that have settled, and not so many at once that
 * the loop would be held up. True when there is no further one now. */
static bool hand_on_lines(struct run_logs *logs, int64_t until_ns, bool settled)
{
    int64_t settle_ns = logs->options.settle_ms * CLOCK_NS_PER_MS;
    for (size_t count = 0; logs->mode != MODE_LIVE || count < LINES_AT_ONCE; count++) {
        struct source *first = NULL;
        vector_each (struct source **, source, &logs->sources) {
            if (look(*source, false) &&
                (first == NULL || (*source)->head.at_ns < first->head.at_ns)) {
                first = *source;
            }
        }
        if (first == NULL || first->head.at_ns > until_ns) {
            return true;
        }
        /* The second and third case are for a clock that was set back. */
        if (!settled && first->head.at_ns > clock_wall_ns() - settle_ns &&
            first->head.at_ns > logs->reached_ns &&
            first->seen_ns > clock_monotonic_ns() - settle_ns) {
            return true;
        }
        hand_on_head(logs, first);
    }
    return false;
}

static void end_sources(struct run_logs *logs, const json_t *event, bool silent)
{
    for (size_t i = 0; i < logs->sources.count;) {
        struct source *source = logs->sources.items[i];
        if (!ends_source(event, source)) {
            i++;
            continue;
        }
        source->dry = false;
        while (!silent && look(source, true)) {
            hand_on_head(logs, source);
        }
        drop_source(logs, i);
    }
}

/* --- the stream ------------------------------------------------------------------------------ */

/* Whether what belongs before the event has had its time to show up. */
static bool is_settled(const struct run_logs *logs, const struct queued_event *queued)
{
    return logs->mode != MODE_LIVE ||
           queued->seen_ns <= clock_monotonic_ns() - logs->options.settle_ms * CLOCK_NS_PER_MS;
}

static void hand_on_event(struct run_logs *logs, json_t *event, bool silent)
{
    end_sources(logs, event, silent);
    if (!silent && logs->options.event != NULL) {
        logs->options.event(logs->options.data, event);
    }
    open_sources(logs, event);
}

static void look_again(struct run_logs *logs)
{
    vector_each (struct source **, source, &logs->sources) {
        (*source)->dry = false;
    }
}

static bool hand_on_next_event(struct run_logs *logs)
{
    if (logs->queue_next == logs->queue.count) {
        logs->queue.count = logs->queue_next = 0;
        return false;
    }
    struct queued_event queued = logs->queue.items[logs->queue_next];
    if (!is_settled(logs, &queued)) {
        return false;
    }
    if (!hand_on_lines(logs, queued.at_ns, true)) {
        return false;
    }
    logs->queue_next++;
    logs->reached_ns = queued.at_ns > logs->reached_ns ? queued.at_ns : logs->reached_ns;
    hand_on_event(logs, queued.event, false);
    json_decref(queued.event);
    look_again(logs);
    return true;
}

static void on_timer(uv_timer_t *timer)
{
    struct run_logs *logs = timer->data;
    uv_timer_stop(timer);
    look_again(logs);
    while (hand_on_next_event(logs)) {
    }
    bool waiting = logs->queue_next < logs->queue.count;
    int64_t until_ns = waiting ? logs->queue.items[logs->queue_next].at_ns : INT64_MAX;
    waiting = !hand_on_lines(logs, until_ns, false) || waiting;
    vector_each (struct source *const *, source, &logs->sources) {
        waiting = waiting || (*source)->has_head;
    }
    if (waiting) {
        run_logs_wake(logs);
    }
}

void run_logs_wake(struct run_logs *logs)
{
    if (logs->mode == MODE_LIVE && !uv_is_active((uv_handle_t *)&logs->timer)) {
        uv_timer_start(&logs->timer, on_timer, (uint64_t)logs->options.settle_ms, 0);
    }
}

static int64_t time_of(const json_t *event)
{
    const char *text = json_get_text(event, "at");
    int64_t at_ns = 0;
    return text != NULL && clock_parse_rfc3339(text, &at_ns, NULL) == 0 ? at_ns : 0;
}

void run_logs_event(struct run_logs *logs, const json_t *event)
{
    vector_push(&logs->queue, ((struct queued_event){json_incref((json_t *)event), time_of(event),
                                                     clock_monotonic_ns()}));
    if (logs->mode == MODE_LIVE) {
        run_logs_wake(logs);
        return;
    }
    look_again(logs);
    while (hand_on_next_event(logs)) {
    }
}

void run_logs_skip(struct run_logs *logs, const json_t *event)
{
    hand_on_event(logs, (json_t *)event, true);
}

void run_logs_live(struct run_logs *logs)
{
    logs->mode = MODE_LIVE;
    vector_each (struct source **, source, &logs->sources) {
        watch_source(logs, *source);
    }
    run_logs_wake(logs);
}

void run_logs_finish(struct run_logs *logs)
{
    logs->mode = MODE_FINISH;
    look_again(logs);
    while (hand_on_next_event(logs)) {
    }
    IGNORE(hand_on_lines(logs, INT64_MAX, true) ? 0 : -1);
}

struct run_logs *run_logs_new(const struct run_logs_options *options)
{
    struct run_logs *logs = memory_new(1, sizeof *logs);
    logs->options = *options;
    logs->run_directory = memory_text(options->run_directory);
    logs->step = memory_text(options->step);
    if (options->loop != NULL) {
        uv_timer_init(options->loop, &logs->timer);
        logs->timer.data = logs;
    }
    return logs;
}

static void free_logs(struct run_logs *logs)
{
    for (; logs->queue_next < logs->queue.count; logs->queue_next++) {
        json_decref(logs->queue.items[logs->queue_next].event);
    }
    vector_release(&logs->queue);
    vector_release(&logs->sources);
    free(logs->run_directory);
    free(logs->step);
    free(logs);
}

static void on_closed(uv_handle_t *handle)
{
    free_logs(handle->data);
}

void run_logs_close(struct run_logs *logs)
{
    if (logs == NULL || logs->closing) {
        return;
    }
    logs->closing = true;
    while (logs->sources.count > 0) {
        drop_source(logs, logs->sources.count - 1);
    }
    if (logs->options.loop != NULL) {
        uv_close((uv_handle_t *)&logs->timer, on_closed);
    } else {
        free_logs(logs);
    }
}
