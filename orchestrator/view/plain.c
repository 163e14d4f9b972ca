/* One line for each thing that happens: time, a mark, the step, what. The marks tell the kinds of
 * lines apart without colour, and colour does it at a glance where there is some.
 *
 *   22:03:01 > apply             terraform.apply begins
 *   22:03:01 $ apply             terraform apply -json …
 *   22:03:04 | apply             aws_vpc.main: Creating...
 *   22:03:09 ! apply             failed: …
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "base/ui_line.h"
#include "engine/event.h"
#include "view/fold.h"
#include "view/view.h"

struct plain_view {
    struct view view;
    int descriptor;
    struct plain_options options;
};

enum tone { TONE_QUIET, TONE_NORMAL, TONE_GOOD, TONE_BAD, TONE_ASK, TONE_HEAD };

static const char *const tones[] = {
    [TONE_QUIET] = "2",  [TONE_NORMAL] = "0", [TONE_GOOD] = "32",
    [TONE_BAD] = "1;31", [TONE_ASK] = "1;33", [TONE_HEAD] = "1",
};

static void write_line(struct plain_view *plain, int64_t at_ns, char mark, const char *step,
                       enum tone tone, struct span text)
{
    char at[CLOCK_RFC3339_SIZE];
    clock_format_rfc3339_ns(at_ns, at);
    CLEANUP(buffer_release) struct buffer line = BUFFER_INIT;
    if (plain->options.long_times) {
        buffer_append_format(&line, "%s ", at);
    } else {
        buffer_append_format(&line, "%.8s ", at + 11);
    }
    if (plain->options.color) {
        buffer_append_format(&line, "\033[%sm", tones[tone]);
    }
    buffer_append_format(&line, "%c %-*s ", mark, (int)plain->options.step_width, step);
    text_append_safe(&line, text, false);
    if (plain->options.color) {
        buffer_append_text(&line, "\033[0m");
    }
    buffer_append_char(&line, '\n');
    if (plain->options.into != NULL) {
        buffer_append_span(plain->options.into, buffer_span(&line));
    } else {
        IGNORE(file_write_all(plain->descriptor, line.data, line.size_bytes, NULL));
    }
}

static void say(struct plain_view *plain, const json_t *event, char mark, enum tone tone,
                const char *format, ...) PRINTF_LIKE(5, 6);

static void say(struct plain_view *plain, const json_t *event, char mark, enum tone tone,
                const char *format, ...)
{
    const char *step = json_get_text(event, "step");
    va_list arguments;
    va_start(arguments, format);
    CLEANUP(memory_cleanup) char *text = memory_format_v(format, arguments);
    va_end(arguments);
    const char *at = text;
    do {
        size_t size_bytes = strcspn(at, "\n");
        write_line(plain, fold_time(event, "at"), mark, step != NULL ? step : "", tone,
                   span_of(at, size_bytes));
        at += size_bytes + (at[size_bytes] == '\n');
    } while (*at != '\0');
}

static const char *text_of(const json_t *event, const char *key)
{
    const char *text = json_get_text(event, key);
    return text != NULL ? text : "";
}

static void say_error(struct plain_view *plain, const json_t *event, const char *what)
{
    const json_t *error = json_object_get(event, "error");
    const char *hint = json_get_text(error, "hint");
    say(plain, event, '!', TONE_BAD, "%s: %s%s%s%s", what, text_of(error, "message"),
        hint != NULL ? " (" : "", hint != NULL ? hint : "", hint != NULL ? ")" : "");
}

static void say_command(struct plain_view *plain, const json_t *event)
{
    struct buffer words = BUFFER_INIT;
    size_t index;
    json_t *word;
    json_array_foreach (json_object_get(event, "argv"), index, word) {
        buffer_append_format(&words, "%s%s", index != 0 ? " " : "", json_string_value(word));
    }
    say(plain, event, '$', TONE_HEAD, "%s", buffer_text(&words));
    buffer_release(&words);
}

static void say_question(struct plain_view *plain, const json_t *event)
{
    say(plain, event, '?', TONE_ASK, "%s", text_of(event, "text"));
    if (json_get_text(event, "evidence") != NULL) {
        say(plain, event, '?', TONE_ASK, "%s", text_of(event, "evidence"));
    }
    CLEANUP(memory_cleanup) char *choices = json_canonical(json_object_get(event, "choices"));
    say(plain, event, '?', TONE_ASK, "one of %s", choices);
}

static void say_fact(struct plain_view *plain, const json_t *event)
{
    const json_t *value = json_object_get(event, "value");
    CLEANUP(memory_cleanup)
    char *text =
        json_is_string(value) ? memory_text(json_string_value(value)) : json_canonical(value);
    say(plain, event, '=', TONE_QUIET, "%s %s", text_of(event, "kind"), text);
}

static void say_person(struct plain_view *plain, const json_t *event, const char *what)
{
    const char *why = json_get_text(event, "why");
    say(plain, event, '@', TONE_HEAD, "%s by %s%s%s%s", what, text_of(event, "who"),
        why != NULL ? " (" : "", why != NULL ? why : "", why != NULL ? ")" : "");
}

static void show_step_event(struct plain_view *plain, enum event_type type, const json_t *event)
{
    long long attempt = (long long)json_get_integer(event, "attempt", 1);
    switch (type) {
    case EVENT_STEP_EXPANDED:
        say(plain, event, '>', TONE_HEAD, "%zu instances",
            json_object_size(json_object_get(event, "items")));
        break;
    case EVENT_STEP_STARTED:
        if (attempt > 1) {
            say(plain, event, '>', TONE_HEAD, "%s begins, attempt %lld", text_of(event, "uses"),
                attempt);
        } else {
            say(plain, event, '>', TONE_HEAD, "%s begins", text_of(event, "uses"));
        }
        break;
    case EVENT_STEP_SUCCEEDED:
        say(plain, event, '<', TONE_GOOD, "done");
        break;
    case EVENT_STEP_SKIPPED:
        say(plain, event, '<', TONE_QUIET, "skipped: %s",
            strcmp(text_of(event, "reason"), "if") == 0       ? "its condition does not hold"
            : strcmp(text_of(event, "reason"), "unless") == 0 ? "it is done already"
                                                              : "a person decided so");
        break;
    case EVENT_ATTEMPT_FAILED:
        say_error(plain, event, "failed");
        break;
    case EVENT_STEP_WAITING:
        say(plain, event, '>', TONE_QUIET, "another attempt at %s", text_of(event, "until"));
        break;
    case EVENT_STEP_FAILED:
        say(plain, event, '!', TONE_BAD, "no further attempt");
        break;
    case EVENT_STEP_CANCELLED:
        say(plain, event, '!', TONE_BAD, "cancelled");
        break;
    case EVENT_STEP_RETRIED:
        say_person(plain, event, "another attempt, asked for");
        break;
    case EVENT_TASK_STARTED:
        say_command(plain, event);
        break;
    case EVENT_FACT:
        say_fact(plain, event);
        break;
    case EVENT_ASKED:
        say_question(plain, event);
        break;
    case EVENT_ANSWERED:
        say(plain, event, '@', TONE_HEAD, "%s: %s by %s", text_of(event, "question"),
            text_of(event, "answer"), text_of(event, "who"));
        break;
    default:
        break;
    }
}

static void show_event(struct view *view, const json_t *event)
{
    struct plain_view *plain = (struct plain_view *)view;
    enum event_type type = event_type_of(event);
    switch (type) {
    case EVENT_RUN_CREATED:
        say(plain, event, '=', TONE_HEAD, "run %s of %s, target %s", text_of(event, "run"),
            text_of(event, "plan"), text_of(event, "target"));
        break;
    case EVENT_RUN_RESUMED:
        say(plain, event, '=', TONE_HEAD, "resumed by %s", text_of(event, "operator"));
        break;
    case EVENT_RUN_PAUSED:
        say_person(plain, event, "paused");
        break;
    case EVENT_RUN_CONTINUED:
        say_person(plain, event, "continued");
        break;
    case EVENT_RUN_CANCELLED:
        say_person(plain, event, "cancelled");
        break;
    case EVENT_RUN_ENDED:
        say(plain, event, '=',
            strcmp(text_of(event, "outcome"), "succeeded") == 0 ? TONE_GOOD : TONE_BAD,
            "the run has %s", text_of(event, "outcome"));
        break;
    default:
        show_step_event(plain, type, event);
        break;
    }
}

static void show_line(struct view *view, const struct view_line *line)
{
    CLEANUP(buffer_release) struct buffer shown = BUFFER_INIT;
    enum ui_line_kind kind =
        line->task != NULL ? ui_line_append(&shown, line->text) : UI_LINE_PLAIN;
    if (kind == UI_LINE_HIDDEN) {
        return;
    }
    struct plain_view *plain = (struct plain_view *)view;
    write_line(plain, line->at_ns, line->task == NULL ? '-' : '|', line->step,
               line->is_stderr ? TONE_NORMAL : TONE_QUIET,
               kind == UI_LINE_TEXT ? buffer_span(&shown) : line->text);
}

static void show_notice(struct view *view, const char *text)
{
    struct plain_view *plain = (struct plain_view *)view;
    write_line(plain, clock_wall_ns(), '*', "drctl", TONE_ASK, span_of_text(text));
}

static void release(struct view *view)
{
    free(view);
}

struct view *view_plain_new(int descriptor, const struct plain_options *options)
{
    struct plain_view *plain = memory_new(1, sizeof *plain);
    plain->view = (struct view){
        .event = show_event, .line = show_line, .notice = show_notice, .release = release};
    plain->descriptor = descriptor;
    plain->options = *options;
    return &plain->view;
}
