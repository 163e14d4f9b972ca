/* The screen that an engineer reads at 3 a.m. to decide what to do next: it names the step, the
 * command, its last lines, what was and was not done, and what to type. */
#include "view/summary.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/text.h"

enum { TAIL_LINES_SHOWN = 8 };

static const char *run_of(const struct fold *fold)
{
    const char *run = json_get_text(fold->created, "run");
    return run != NULL ? run : "?";
}

static void append_safe(struct buffer *out, const char *text)
{
    text_append_safe(out, span_of_text(text), false);
}

static int64_t lasted_ms(int64_t from_ns, int64_t to_ns, int64_t now_ns)
{
    return from_ns == 0 ? 0 : ((to_ns != 0 ? to_ns : now_ns) - from_ns) / CLOCK_NS_PER_MS;
}

static void append_step(struct buffer *out, const struct fold_step *step, int64_t now_ns,
                        size_t width)
{
    static const char marks[] = {
        [STEP_PENDING] = '.', [STEP_EXPANDED] = '>',  [STEP_RUNNING] = '>',   [STEP_FAILING] = '!',
        [STEP_WAITING] = '~', [STEP_ASKING] = '?',    [STEP_SUCCEEDED] = '+', [STEP_SKIPPED] = '-',
        [STEP_FAILED] = '!',  [STEP_CANCELLED] = 'x',
    };
    buffer_append_format(out, "  %c %-*s  %-9s", marks[step->state], (int)width, step->name,
                         step_state_name(step->state));
    if (step->started_at_ns != 0) {
        CLEANUP(memory_cleanup)
        char *lasted =
            clock_format_duration(lasted_ms(step->started_at_ns, step->ended_at_ns, now_ns));
        buffer_append_format(out, "  %7s", lasted);
    }
    if (step->attempts > 1) {
        buffer_append_format(out, "  %zu attempts", step->attempts);
    }
    if (step->reason != NULL) {
        buffer_append_format(out, "  (%s)", step->reason);
    }
    buffer_append_char(out, '\n');
}

static void append_steps(struct buffer *out, const struct fold *fold, int64_t now_ns)
{
    size_t width = 8;
    vector_each (const struct fold_step *, step, &fold->steps) {
        width = strlen(step->name) > width ? strlen(step->name) : width;
    }
    vector_each (const struct fold_step *, step, &fold->steps) {
        append_step(out, step, now_ns, width);
    }
}

static void append_command(struct buffer *out, const json_t *task)
{
    size_t index;
    json_t *word;
    json_array_foreach (json_object_get(task, "argv"), index, word) {
        buffer_append_text(out, index == 0 ? "    command:  " : " ");
        append_safe(out, json_string_value(word));
    }
    if (index != 0) {
        buffer_append_char(out, '\n');
    }
}

static void append_tail(struct buffer *out, const json_t *tail)
{
    size_t count = json_array_size(tail);
    size_t from = count > TAIL_LINES_SHOWN ? count - TAIL_LINES_SHOWN : 0;
    for (size_t i = from; i < count; i++) {
        buffer_append_text(out, i == from ? "    its last lines:\n" : "");
        buffer_append_text(out, "      | ");
        append_safe(out, json_string_value(json_array_get(tail, i)));
        buffer_append_char(out, '\n');
    }
}

static void append_failure(struct buffer *out, const struct fold_step *step)
{
    const char *message = json_get_text(step->error, "message");
    const char *hint = json_get_text(step->error, "hint");
    const char *file = json_get_text(step->error, "file");
    buffer_append_format(out, "\nFailed: %s (%s)\n    why:      ", step->name,
                         step->uses != NULL ? step->uses : "?");
    if (file != NULL) {
        buffer_append_format(out, "%s:%lld:%lld: ", file,
                             (long long)json_get_integer(step->error, "line", 0),
                             (long long)json_get_integer(step->error, "column", 0));
    }
    append_safe(out, message != NULL ? message : "it failed");
    buffer_append_char(out, '\n');
    if (hint != NULL) {
        buffer_append_text(out, "    hint:     ");
        append_safe(out, hint);
        buffer_append_char(out, '\n');
    }
    append_command(out, step->task);
    append_tail(out, step->tail);
}

static void append_names(struct buffer *out, const struct fold *fold, const char *title,
                         enum step_state a, enum step_state b)
{
    size_t count = 0;
    vector_each (const struct fold_step *, step, &fold->steps) {
        if (step->state == a || step->state == b) {
            buffer_append_format(out, "%s%s", count++ == 0 ? title : ", ", step->name);
        }
    }
    if (count != 0) {
        buffer_append_char(out, '\n');
    }
}

static void append_questions(struct buffer *out, const struct fold *fold)
{
    vector_each (const struct fold_step *, step, &fold->steps) {
        if (step->question == NULL) {
            continue;
        }
        buffer_append_format(out, "\nA person decides: %s asks\n    ", step->name);
        append_safe(out, json_get_text(step->question, "text"));
        buffer_append_char(out, '\n');
        const json_t *choices = json_object_get(step->question, "choices");
        size_t index;
        json_t *choice;
        json_array_foreach (choices, index, choice) {
            buffer_append_format(out, "    drctl answer %s %s %s\n", run_of(fold), step->name,
                                 json_string_value(choice));
        }
    }
}

static void append_way_on(struct buffer *out, const struct fold *fold)
{
    const char *run = run_of(fold);
    if (fold->outcome == NULL) {
        buffer_append_format(out, "\nGo on with:  drctl resume %s\n", run);
    } else if (strcmp(fold->outcome, "succeeded") != 0) {
        buffer_append_format(out,
                             "\nGo on with:  drctl resume %s     (tries again what failed)\n"
                             "       or:   drctl skip %s STEP    then resume, to go on without a "
                             "step\n"
                             "All output:  drctl logs %s\n",
                             run, run, run);
    }
}

void summary_append(struct buffer *out, const struct fold *fold, int64_t now_ns)
{
    CLEANUP(memory_cleanup)
    char *lasted = clock_format_duration(lasted_ms(fold->first_at_ns, fold->ended_at_ns, now_ns));
    const char *plan = json_get_text(fold->created, "plan");
    buffer_append_format(out, "Run %s of %s: %s after %s\n\n", run_of(fold),
                         plan != NULL ? plan : "?", fold_status(fold), lasted);
    append_steps(out, fold, now_ns);
    vector_each (const struct fold_step *, step, &fold->steps) {
        if (step->state == STEP_FAILED || step->state == STEP_FAILING) {
            append_failure(out, step);
        }
    }
    if (fold->outcome == NULL || strcmp(fold->outcome, "succeeded") != 0) {
        buffer_append_char(out, '\n');
        append_names(out, fold, "Done:      ", STEP_SUCCEEDED, STEP_SUCCEEDED);
        append_names(out, fold, "Not done:  ", STEP_PENDING, STEP_CANCELLED);
        append_questions(out, fold);
        append_way_on(out, fold);
    }
}

static void set_time(json_t *object, const char *key, int64_t at_ns)
{
    if (at_ns != 0) {
        char text[CLOCK_RFC3339_SIZE];
        clock_format_rfc3339_ms(at_ns, text);
        json_object_set_new(object, key, json_string(text));
    }
}

static json_t *step_json(const struct fold_step *step, int64_t now_ns)
{
    json_t *value =
        json_pack("{s:s, s:s?, s:s, s:I}", "name", step->name, "uses", step->uses, "state",
                  step_state_name(step->state), "attempts", (json_int_t)step->attempts);
    set_time(value, "started_at", step->started_at_ns);
    set_time(value, "ended_at", step->ended_at_ns);
    json_object_set_new(value, "duration_ms",
                        json_integer(lasted_ms(step->started_at_ns, step->ended_at_ns, now_ns)));
    if (step->error != NULL) {
        json_object_set(value, "error", step->error);
    }
    if (step->question != NULL) {
        json_object_set(value, "question", step->question);
    }
    if (json_array_size(step->facts) > 0) {
        json_object_set(value, "facts", step->facts);
    }
    return value;
}

json_t *summary_json(const struct fold *fold, int64_t now_ns)
{
    json_t *steps = json_array();
    vector_each (const struct fold_step *, step, &fold->steps) {
        json_array_append_new(steps, step_json(step, now_ns));
    }
    json_t *value = json_pack("{s:s, s:s?, s:s, s:o}", "run", run_of(fold), "plan",
                              json_get_text(fold->created, "plan"), "status", fold_status(fold),
                              "steps", steps);
    set_time(value, "started_at", fold->first_at_ns);
    set_time(value, "ended_at", fold->ended_at_ns);
    return value;
}
