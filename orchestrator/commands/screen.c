/* Nothing here may fail because of the terminal: it may have gone away. */
#include "commands/screen.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "commands/run_reading.h"
#include "view/summary.h"

/* Changes are gathered for a blink; the time that passes is shown each second. */
enum { SOON_MS = 60, SECOND_MS = 1000 };

static size_t widest_step(const struct fold *fold)
{
    size_t width = 8;
    vector_each (const struct fold_step *, step, &fold->steps) {
        size_t size = strlen(step->name);
        width = size > width ? size : width;
    }
    return width;
}

static bool is_filled(const char *name)
{
    const char *value = getenv(name);
    return value != NULL && value[0] != '\0';
}

/* A terminal that understands where to move its cursor. */
static bool is_able_terminal(const struct invocation *invocation)
{
    const char *output = invocation_value(invocation, "output");
    return (output == NULL || strcmp(output, "auto") == 0) && isatty(STDOUT_FILENO) &&
           is_filled("TERM") && strcmp(getenv("TERM"), "dumb") != 0;
}

static struct view *make_view(const struct screen *screen, const struct screen_options *options)
{
    if (wants_json(screen->invocation)) {
        return view_json_new(STDOUT_FILENO);
    }
    struct plain_options plain = {
        .color = isatty(STDOUT_FILENO) && !is_filled("NO_COLOR") && is_filled("TERM") &&
                 strcmp(getenv("TERM"), "dumb") != 0,
        .long_times = options->long_times,
        .step_width = widest_step(screen->fold),
    };
    return options->status && is_able_terminal(screen->invocation)
               ? view_terminal_new(STDOUT_FILENO, &plain, screen->fold)
               : view_plain_new(STDOUT_FILENO, &plain);
}

static void on_timer(uv_timer_t *timer)
{
    struct screen *screen = timer->data;
    screen->soon = false;
    screen->view->tick(screen->view);
    uv_timer_start(timer, on_timer, SECOND_MS, 0);
}

static void changed(struct screen *screen)
{
    if (screen->handles_open && !screen->soon) {
        screen->soon = true;
        uv_timer_start(&screen->timer, on_timer, SOON_MS, 0);
    }
}

static void on_resize(uv_signal_t *handle, int signal_number)
{
    (void)signal_number;
    changed(handle->data);
}

void screen_open(struct screen *screen, const struct invocation *invocation,
                 const struct fold *fold, const struct screen_options *options, uv_loop_t *loop)
{
    *screen = (struct screen){.invocation = invocation, .fold = fold};
    screen->view = make_view(screen, options);
    if (screen->view->tick != NULL) {
        uv_timer_init(loop, &screen->timer);
        uv_signal_init(loop, &screen->resized);
        screen->timer.data = screen->resized.data = screen;
        uv_signal_start(&screen->resized, on_resize, SIGWINCH);
        uv_unref((uv_handle_t *)&screen->timer);
        uv_unref((uv_handle_t *)&screen->resized);
        screen->handles_open = true;
        changed(screen);
    }
}

void screen_event(struct screen *screen, const json_t *event)
{
    screen->view->event(screen->view, event);
    changed(screen);
}

void screen_line(struct screen *screen, const struct view_line *line)
{
    screen->view->line(screen->view, line);
    changed(screen);
}

void screen_notice(struct screen *screen, const char *text)
{
    screen->view->notice(screen->view, text);
    changed(screen);
}

void screen_typed(struct screen *screen)
{
    if (screen->view->typed != NULL) {
        screen->view->typed(screen->view);
    }
}

void screen_close(struct screen *screen)
{
    if (screen->handles_open) {
        screen->handles_open = false;
        uv_close((uv_handle_t *)&screen->timer, NULL);
        uv_close((uv_handle_t *)&screen->resized, NULL);
    }
}

static void append_summary(const struct screen *screen, struct buffer *text)
{
    if (wants_json(screen->invocation)) {
        CLEANUP(json_cleanup)
        json_t *summary =
            json_pack("{s:o}", "summary", summary_json(screen->fold, clock_wall_ns()));
        json_append(text, summary);
        buffer_append_char(text, '\n');
    } else {
        buffer_append_char(text, '\n');
        summary_append(text, screen->fold, clock_wall_ns());
    }
}

void screen_finish(struct screen *screen, bool summary)
{
    if (screen->view->settle != NULL) {
        screen->view->settle(screen->view);
    }
    if (summary) {
        CLEANUP(buffer_release) struct buffer text = BUFFER_INIT;
        append_summary(screen, &text);
        IGNORE(file_write_all(STDOUT_FILENO, text.data, text.size_bytes, NULL));
    }
}

void screen_release(struct screen *screen)
{
    view_free(screen->view);
}
