/* Nothing here may fail because of the terminal: it may have gone away. */
#include "commands/screen.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "commands/run_reading.h"
#include "view/summary.h"

static size_t widest_step(const struct fold *fold)
{
    size_t width = 8;
    vector_each (const struct fold_step *, step, &fold->steps) {
        size_t size = strlen(step->name);
        width = size > width ? size : width;
    }
    return width;
}

struct view *screen_view(const struct invocation *invocation, const struct fold *fold,
                         bool long_times)
{
    if (wants_json(invocation)) {
        return view_json_new(STDOUT_FILENO);
    }
    const char *no_color = getenv("NO_COLOR");
    struct plain_options options = {
        .color = isatty(STDOUT_FILENO) && (no_color == NULL || no_color[0] == '\0'),
        .long_times = long_times,
        .step_width = widest_step(fold),
    };
    return view_plain_new(STDOUT_FILENO, &options);
}

void screen_print_summary(const struct invocation *invocation, const struct fold *fold)
{
    struct buffer text = BUFFER_INIT;
    if (wants_json(invocation)) {
        json_t *summary = json_pack("{s:o}", "summary", summary_json(fold, clock_wall_ns()));
        json_append(&text, summary);
        buffer_append_char(&text, '\n');
        json_decref(summary);
    } else {
        buffer_append_char(&text, '\n');
        summary_append(&text, fold, clock_wall_ns());
    }
    IGNORE(file_write_all(STDOUT_FILENO, text.data, text.size_bytes, NULL));
    buffer_release(&text);
}
