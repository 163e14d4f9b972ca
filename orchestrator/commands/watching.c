/* The terminal may go away at any time: writing to it may fail, reading from it may end, and
 * neither does anything to the run. */
#include "commands/watching.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "commands/plan_loading.h"
#include "journal/replay.h"
#include "view/summary.h"
#include "view/view.h"

struct watch {
    struct run *run;
    struct view *view;
    struct fold fold;
    bool json;
    uv_tty_t keyboard;
    bool keyboard_open;
    struct buffer typed;
    const char *who;
};

static void fold_plan(struct fold *fold, const struct engine *engine)
{
    for (size_t i = 0; i < engine_node_count(engine); i++) {
        const struct engine_node *node = engine_node_at(engine, i);
        if (node->parent == NULL) {
            fold_add_step(fold, node->name, node->step->call.uses);
        }
    }
}

static void saw_event(void *data, const json_t *event)
{
    struct watch *watch = data;
    fold_event(&watch->fold, event);
    watch->view->event(watch->view, event);
}

static void saw_line(void *data, const struct run_line *line)
{
    struct watch *watch = data;
    struct view_line shown = {line->step,  line->attempt,   line->task,
                              line->at_ns, line->is_stderr, line->text};
    watch->view->line(watch->view, &shown);
}

static void saw_notice(void *data, const char *text)
{
    struct watch *watch = data;
    if (watch->view != NULL) {
        watch->view->notice(watch->view, text);
    } else {
        fprintf(stderr, "drctl: %s\n", text);
    }
}

/* --- the keyboard ---------------------------------------------------------------------------- */

static void close_keyboard(void *data)
{
    struct watch *watch = data;
    if (watch->keyboard_open) {
        watch->keyboard_open = false;
        uv_close((uv_handle_t *)&watch->keyboard, NULL);
    }
}

static void allocate(uv_handle_t *handle, size_t suggested_bytes, uv_buf_t *ret_buffer)
{
    (void)suggested_bytes;
    struct watch *watch = handle->data;
    *ret_buffer = uv_buf_init(buffer_reserve(&watch->typed, 1024), 1024);
}

static const struct engine_node *only_question(const struct watch *watch)
{
    const struct engine *engine = run_engine(watch->run);
    const struct engine_node *found = NULL;
    for (size_t i = 0; i < engine_node_count(engine); i++) {
        const struct engine_node *node = engine_node_at(engine, i);
        if (node->question != NULL) {
            if (found != NULL) {
                return NULL;
            }
            found = node;
        }
    }
    return found;
}

/* "ANSWER" when one step asks, "STEP ANSWER" always. */
static void take_answer(struct watch *watch, char *line)
{
    char *rest = line + strcspn(line, " \t\r");
    char *answer = rest + strspn(rest, " \t\r");
    const char *step = line;
    if (*answer == '\0') {
        const struct engine_node *node = only_question(watch);
        *rest = '\0';
        answer = line;
        step = node != NULL ? node->name : NULL;
    } else {
        *rest = '\0';
        answer[strcspn(answer, " \t\r")] = '\0';
    }
    if (*line == '\0') {
        return;
    }
    if (step == NULL) {
        saw_notice(watch, "type an answer, or `STEP ANSWER` when several steps ask");
        return;
    }
    CLEANUP(json_cleanup)
    json_t *decision = json_pack("{s:s, s:s, s:s, s:s}", "verb", "answer", "step", step, "answer",
                                 answer, "who", watch->who);
    struct error err = ERROR_INIT;
    char *text = NULL;
    if (run_decide(watch->run, decision, &text, &err) != 0) {
        CLEANUP(memory_cleanup) char *message = error_format(&err);
        saw_notice(watch, message);
        error_release(&err);
    }
    free(text);
}

static void typed(uv_stream_t *stream, ssize_t size, const uv_buf_t *part)
{
    (void)part;
    struct watch *watch = stream->data;
    if (size < 0) {
        close_keyboard(watch);
        return;
    }
    buffer_advance(&watch->typed, (size_t)size);
    char *end;
    while (watch->typed.size_bytes > 0 &&
           (end = memchr(watch->typed.data, '\n', watch->typed.size_bytes)) != NULL) {
        *end = '\0';
        size_t line_bytes = (size_t)(end - watch->typed.data);
        take_answer(watch, watch->typed.data);
        buffer_consume(&watch->typed, line_bytes + 1);
    }
}

static void open_keyboard(struct watch *watch)
{
    if (watch->json || !isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)) {
        return;
    }
    if (uv_tty_init(run_loop(watch->run), &watch->keyboard, STDIN_FILENO, 1) == 0) {
        watch->keyboard.data = watch;
        watch->keyboard_open = true;
        uv_read_start((uv_stream_t *)&watch->keyboard, allocate, typed);
        uv_unref((uv_handle_t *)&watch->keyboard);
    }
}

/* --- the whole ------------------------------------------------------------------------------- */

static const char *given_secret(void *data, const char *input)
{
    return json_get_text(data, input);
}

static bool wants_json(const struct invocation *invocation)
{
    const char *output = invocation_value(invocation, "output");
    return output != NULL && strcmp(output, "json") == 0;
}

static struct view *make_view(const struct invocation *invocation, const struct engine *engine)
{
    if (wants_json(invocation)) {
        return view_json_new(STDOUT_FILENO);
    }
    size_t width = 8;
    for (size_t i = 0; i < engine_node_count(engine); i++) {
        size_t size = strlen(engine_node_at(engine, i)->name);
        width = size > width ? size : width;
    }
    const char *no_color = getenv("NO_COLOR");
    bool color = isatty(STDOUT_FILENO) && (no_color == NULL || no_color[0] == '\0');
    return view_plain_new(STDOUT_FILENO, color, width);
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

static int fold_history(const struct journal_event *event, void *data, struct error *err)
{
    (void)err;
    fold_event(data, event->json);
    return 0;
}

static void print_summary(const struct watch *watch)
{
    struct buffer text = BUFFER_INIT;
    if (watch->json) {
        json_t *summary =
            json_pack("{s:o}", "summary", summary_json(&watch->fold, clock_wall_ns()));
        json_append(&text, summary);
        buffer_append_char(&text, '\n');
        json_decref(summary);
    } else {
        buffer_append_char(&text, '\n');
        summary_append(&text, &watch->fold, clock_wall_ns());
    }
    IGNORE(file_write_all(STDOUT_FILENO, text.data, text.size_bytes, NULL));
    buffer_release(&text);
}

int watch_run(const struct invocation *invocation, const char *state, const char *id,
              enum run_mode mode, const json_t *secrets, struct error *err)
{
    CLEANUP(memory_cleanup) char *who = operator_name();
    struct watch watch = {.who = who, .json = wants_json(invocation)};
    struct run_options options = {
        .state = state,
        .operator_name = who,
        .observer = {&watch, saw_event, saw_line, saw_notice, close_keyboard},
        .approvals = invocation_values(invocation, "approve"),
        .approve_all = invocation_flag(invocation, "yes"),
        .stay = invocation_flag(invocation, "stay") ||
                (isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) && !watch.json),
    };
    if (parse_parallel(invocation, &options.limits.running, err) != 0 ||
        run_open(id, &options, given_secret, (void *)secrets, &watch.run, err) != 0) {
        return -1;
    }
    const struct engine *engine = run_engine(watch.run);
    CLEANUP(memory_cleanup) char *journal = file_join(run_directory(watch.run), "journal.jsonl");
    struct journal_tail tail;
    fold_plan(&watch.fold, engine);
    IGNORE(journal_replay(journal, fold_history, &watch.fold, &tail, NULL));
    watch.view = make_view(invocation, engine);
    if (run_plan_has_changed(watch.run)) {
        saw_notice(&watch, "the plan's file was changed after this run began; the run keeps to the "
                           "plan as it was");
    }
    open_keyboard(&watch);
    int status = 1;
    int result = run_execute(watch.run, mode, &status, err);
    print_summary(&watch);
    run_free(watch.run);
    view_free(watch.view);
    fold_release(&watch.fold);
    buffer_release(&watch.typed);
    return result == 0 ? status : -1;
}
