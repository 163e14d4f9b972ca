/* One command under its shim, from the start (or the adoption) of its process to its last line: the
 * loop's thread gets the lines and the end, the attempt's thread takes them from a queue. When the
 * action is slower than its command, the reading is paused, never the command. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "attempt/attempt_private.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/random.h"
#include "base/ui_line.h"

enum {
    DEFAULT_STDOUT_LIMIT_BYTES = 16 * 1024 * 1024,
    QUEUE_LIMIT_BYTES = 8 * 1024 * 1024, /* lines that the action has not looked at yet */
    TAIL_LINES = 20,
    TAIL_LINE_BYTES = 2000,
    DEFAULT_GRACE_MS = 10 * 1000,
    TERMINATE_GRACE_MS = 10 * 1000,
};

struct queued_line {
    int64_t at_ns;
    bool is_stderr;
    char *text;
    size_t size_bytes;
};

/* One command on its way. Fields as in attempt_private.h: L, A, M. */
struct call {
    struct attempt *attempt;
    const struct attempt_command *command;
    const char *directory;
    char **environment;
    bool adopt;
    bool seen_before;        /* its end is in the journal: views have had its lines */
    struct process *process; /* L */
    uv_timer_t *timer;       /* L: the command's own timeout */
    struct cri_lines lines;  /* L */
    VECTOR(struct queued_line)
    queue;                        /* M */
    size_t queued_bytes;          /* M */
    bool paused;                  /* M */
    bool done;                    /* M */
    bool timed_out;               /* M */
    struct process_result result; /* M: once done */
    char *message;                /* M */
    struct error error;           /* M: it could not be started */
    VECTOR(char *)
    tail;            /* A */
    bool was_paused; /* A: posts that name this call may still be on their way */
    bool overflow;   /* A: more stdout than allowed */
};

/* --- on the loop ----------------------------------------------------------------------------- */

static void finish(struct call *call)
{
    call->attempt->call = NULL;
    if (call->timer != NULL) {
        uv_close((uv_handle_t *)call->timer, (uv_close_cb)free);
        call->timer = NULL;
    }
    uv_mutex_lock(&call->attempt->mutex);
    call->done = true;
    uv_cond_broadcast(&call->attempt->changed);
    uv_mutex_unlock(&call->attempt->mutex);
}

static void pass_line(struct call *call, int64_t at_ns, bool is_stderr, struct span text)
{
    struct attempt *attempt = call->attempt;
    bool is_data = call->command->quiet && !is_stderr;
    if (!is_data && !call->seen_before) {
        struct attempt_line line = {at_ns, is_stderr, text};
        attempt->spec.host->line(attempt->spec.host->data, attempt, call->command->task, &line);
    }
    uv_mutex_lock(&attempt->mutex);
    vector_push(&call->queue,
                ((struct queued_line){at_ns, is_stderr, memory_text_n(text.data, text.size_bytes),
                                      text.size_bytes}));
    call->queued_bytes += text.size_bytes;
    bool pause = call->queued_bytes > QUEUE_LIMIT_BYTES && !call->paused;
    call->paused = call->paused || pause;
    uv_cond_broadcast(&attempt->changed);
    uv_mutex_unlock(&attempt->mutex);
    if (pause) {
        process_pause(call->process);
    }
}

static void on_line(struct process *process, const struct process_line *line, void *context)
{
    (void)process;
    struct call *call = context;
    struct span text;
    if (cri_lines_add(&call->lines, &line->record, &text)) {
        pass_line(call, line->record.at_ns, line->record.stream == CRI_STDERR, text);
    }
}

static void on_gap(struct process *process, uint64_t from_offset, uint64_t to_offset, void *context)
{
    (void)process;
    CLEANUP(memory_cleanup)
    char *text = memory_format("[%llu bytes of output were not kept]",
                               (unsigned long long)(to_offset - from_offset));
    pass_line(context, clock_wall_ns(), true, span_of_text(text));
}

static void on_done(struct process *process, const struct process_result *result, void *context)
{
    struct call *call = context;
    for (enum cri_stream stream = CRI_STDOUT; stream < CRI_STREAM_COUNT; stream++) {
        struct span text;
        if (cri_lines_end(&call->lines, stream, &text)) {
            pass_line(call, result->ended_at_ns, stream == CRI_STDERR, text);
        }
    }
    call->result = *result;
    call->message = memory_text(result->message);
    call->result.message = call->message;
    process_free(process);
    call->process = NULL;
    finish(call);
}

static void resume_reading(void *data)
{
    struct call *call = data;
    if (call->process != NULL) {
        process_continue(call->process);
    }
}

void call_stop(struct call *call, bool forced)
{
    if (call->process == NULL) {
        return;
    }
    if (forced) {
        IGNORE(process_kill(call->process, NULL));
        return;
    }
    int64_t grace_ms = call->command->grace_ms != 0 ? call->command->grace_ms : DEFAULT_GRACE_MS;
    struct process_stop_policy policy = {grace_ms, TERMINATE_GRACE_MS};
    process_stop(call->process, &policy);
}

void call_detach(struct call *call)
{
    process_free(call->process);
    call->process = NULL;
    error_set(&call->error, ERROR_CANCELLED, "drctl went away and left the command running");
    finish(call);
}

static void command_timed_out(uv_timer_t *timer)
{
    struct call *call = timer->data;
    uv_mutex_lock(&call->attempt->mutex);
    call->timed_out = true;
    uv_mutex_unlock(&call->attempt->mutex);
    call_stop(call, false);
}

static void start_timer(struct call *call)
{
    if (call->command->timeout_ms <= 0) {
        return;
    }
    call->timer = memory_new(1, sizeof *call->timer);
    call->timer->data = call;
    uv_timer_init(loop_queue_loop(call->attempt->spec.queue), call->timer);
    uv_timer_start(call->timer, command_timed_out, (uint64_t)call->command->timeout_ms, 0);
}

static int start_process(struct call *call, struct error *err)
{
    static const struct process_callbacks callbacks = {on_line, on_gap, on_done};
    struct attempt *attempt = call->attempt;
    struct process_spec spec = {
        .directory = call->directory,
        .argv = call->command->argv,
        .environment = (const char *const *)call->environment,
        .cwd = call->command->cwd != NULL ? call->command->cwd : attempt->spec.work_directory,
        .stdin_path = call->command->stdin_path,
    };
    struct span *secrets = secrets_list(attempt->spec.secrets, &spec.secret_count);
    spec.secrets = secrets;
    int result = call->adopt ? process_adopt(attempt->spec.processes, &spec, 0, &callbacks, call,
                                             &call->process, err)
                             : process_start(attempt->spec.processes, &spec, &callbacks, call,
                                             &call->process, err);
    free(secrets);
    return result;
}

static void begin(void *data)
{
    struct call *call = data;
    struct attempt *attempt = call->attempt;
    uv_mutex_lock(&attempt->mutex);
    int stopped = call->adopt && !attempt->detached ? 0 : attempt_stop_error(attempt, &call->error);
    bool stop_adopted = call->adopt && attempt->stopping;
    uv_mutex_unlock(&attempt->mutex);
    if (stopped != 0 || start_process(call, &call->error) != 0) {
        finish(call);
        return;
    }
    attempt->call = call;
    start_timer(call);
    if (stop_adopted) {
        call_stop(call, false);
    }
}

/* --- on the attempt's thread ----------------------------------------------------------------- */

static void keep_tail(struct call *call, const struct queued_line *line)
{
    CLEANUP(buffer_release) struct buffer shown = BUFFER_INIT;
    struct span text = span_of(line->text, line->size_bytes);
    enum ui_line_kind kind = ui_line_append(&shown, text);
    if (kind == UI_LINE_HIDDEN) {
        return;
    }
    text = kind == UI_LINE_TEXT ? buffer_span(&shown) : text;
    size_t size_bytes = text.size_bytes < TAIL_LINE_BYTES ? text.size_bytes : TAIL_LINE_BYTES;
    vector_push(&call->tail, memory_text_n(text.data, size_bytes));
    if (call->tail.count > TAIL_LINES) {
        free(call->tail.items[0]);
        call->tail.count--;
        memmove(call->tail.items, call->tail.items + 1, call->tail.count * sizeof(char *));
    }
}

static void take_line(struct call *call, const struct queued_line *line,
                      struct attempt_result *result)
{
    const struct attempt_command *command = call->command;
    size_t limit_bytes =
        command->stdout_limit_bytes != 0 ? command->stdout_limit_bytes : DEFAULT_STDOUT_LIMIT_BYTES;
    bool is_data = command->quiet && !line->is_stderr;
    if (is_data && result->out.size_bytes + line->size_bytes + 1 > limit_bytes) {
        call->overflow = true;
    } else if (is_data) {
        buffer_append(&result->out, line->text, line->size_bytes);
        buffer_append_char(&result->out, '\n');
    }
    if (!is_data) {
        keep_tail(call, line);
    }
    if (command->on_line != NULL) {
        struct attempt_line passed = {line->at_ns, line->is_stderr,
                                      span_of(line->text, line->size_bytes)};
        command->on_line(command->context, &passed);
    }
}

/* Takes what has come until the command is done. */
static void follow(struct call *call, struct attempt_result *result)
{
    struct attempt *attempt = call->attempt;
    bool done = false;
    while (!done) {
        uv_mutex_lock(&attempt->mutex);
        while (!call->done && call->queue.count == 0) {
            uv_cond_wait(&attempt->changed, &attempt->mutex);
        }
        done = call->done;
        struct queued_line *lines = call->queue.items;
        size_t count = call->queue.count;
        call->queue.items = NULL;
        call->queue.count = call->queue.capacity = 0;
        call->queued_bytes = 0;
        bool paused = call->paused;
        call->paused = false;
        uv_mutex_unlock(&attempt->mutex);
        if (paused && !done) {
            call->was_paused = true;
            loop_queue_post(attempt->spec.queue, resume_reading, call);
        }
        for (size_t i = 0; i < count; i++) {
            take_line(call, &lines[i], result);
            free(lines[i].text);
        }
        free(lines);
    }
}

static size_t name_length(const char *entry)
{
    return strcspn(entry, "=");
}

static bool is_overridden(const char *entry, const char *const *set)
{
    size_t size_bytes = name_length(entry);
    for (; set != NULL && *set != NULL; set++) {
        if (name_length(*set) == size_bytes && strncmp(*set, entry, size_bytes) == 0) {
            return true;
        }
    }
    return false;
}

static char **build_environment(const struct attempt *attempt, const char *const *set)
{
    VECTOR(char *)
    entries = {0};
    for (char *const *entry = attempt->spec.environment; *entry != NULL; entry++) {
        if (!is_overridden(*entry, set)) {
            vector_push(&entries, *entry);
        }
    }
    for (; set != NULL && *set != NULL; set++) {
        vector_push(&entries, (char *)*set);
    }
    vector_push(&entries, NULL);
    return entries.items;
}

int call_run(struct attempt *attempt, const struct attempt_command *command, const char *directory,
             bool adopt, bool seen_before, struct attempt_result *result,
             struct process_result *ret_process, struct error *err)
{
    struct call call = {
        .attempt = attempt,
        .command = command,
        .directory = directory,
        .adopt = adopt,
        .seen_before = seen_before,
        .environment = build_environment(attempt, command->set),
    };
    loop_queue_post(attempt->spec.queue, begin, &call);
    follow(&call, result);
    if (call.was_paused) {
        attempt_drain_posts(attempt);
    }
    vector_each (char **, line, &call.tail) {
        buffer_append_format(&result->tail, "%s\n", *line);
        free(*line);
    }
    vector_release(&call.tail);
    cri_lines_release(&call.lines);
    free(call.environment);
    int status = 0;
    if (error_is_set(&call.error)) {
        error_move(err, &call.error);
        status = -1;
    } else if (call.timed_out && call.result.outcome != PROCESS_EXITED) {
        CLEANUP(memory_cleanup) char *limit = clock_format_duration(command->timeout_ms);
        status = error_set(err, ERROR_TIMEOUT, "%s took longer than %s", command->argv[0], limit);
    } else if (call.overflow) {
        status = error_set(err, ERROR_INVALID, "%s printed more than is taken from it",
                           command->argv[0]);
    }
    if (status == 0 && call.message != NULL &&
        (call.result.outcome == PROCESS_NOT_STARTED ||
         call.result.outcome == PROCESS_NEVER_STARTED)) {
        status = error_set(err, ERROR_NOT_READY, "%s", call.message);
    }
    *ret_process = call.result;
    ret_process->message = NULL;
    free(call.message);
    return status;
}
