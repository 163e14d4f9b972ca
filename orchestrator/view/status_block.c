/* The block is made of whole lines, the most important ones first when not all of them fit: the
 * questions that hold the run up, then what runs, then the objectives. */
#include "view/status_block.h"

#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/text.h"

enum { LEAST_COLUMNS = 20, LEAST_ROWS = 2 };

struct block {
    struct buffer *out;
    const struct fold *fold;
    int64_t now_ns;
    size_t columns;
    size_t rows_left;
    size_t left_out;
};

/* --- lines ----------------------------------------------------------------------------------- */

static size_t character_bytes(const char *at, size_t left_bytes)
{
    size_t size_bytes = 1;
    while (size_bytes < left_bytes && ((unsigned char)at[size_bytes] & 0xC0) == 0x80) {
        size_bytes++;
    }
    return size_bytes;
}

/* Three bytes from U+1100 on: taken as wide, which is at worst a little less on the line. */
static size_t character_columns(const char *at, size_t size_bytes)
{
    return size_bytes > 3 || (size_bytes == 3 && (unsigned char)at[0] >= 0xE3) ? 2 : 1;
}

static size_t fitting_bytes(struct span line, size_t columns, size_t *ret_columns)
{
    size_t at = 0;
    size_t used = 0;
    while (at < line.size_bytes) {
        size_t size_bytes = character_bytes(line.data + at, line.size_bytes - at);
        size_t width = character_columns(line.data + at, size_bytes);
        if (used + width > columns) {
            break;
        }
        used += width;
        at += size_bytes;
    }
    *ret_columns = used;
    return at;
}

size_t status_block_width(struct span line)
{
    size_t columns;
    (void)fitting_bytes(line, SIZE_MAX, &columns);
    return columns;
}

static void add_line(struct block *block, const char *format, ...) PRINTF_LIKE(2, 3);

static void add_line(struct block *block, const char *format, ...)
{
    if (block->rows_left == 0) {
        block->left_out++;
        return;
    }
    block->rows_left--;
    CLEANUP(buffer_release) struct buffer raw = BUFFER_INIT;
    CLEANUP(buffer_release) struct buffer safe = BUFFER_INIT;
    va_list arguments;
    va_start(arguments, format);
    buffer_append_format_v(&raw, format, arguments);
    va_end(arguments);
    text_append_safe(&safe, buffer_span(&raw), false);
    size_t columns;
    size_t size_bytes = fitting_bytes(buffer_span(&safe), block->columns, &columns);
    buffer_append(block->out, buffer_text(&safe), size_bytes);
    buffer_append_char(block->out, '\n');
}

/* --- what they say --------------------------------------------------------------------------- */

/* Whole seconds: a tenth that stands still for a second looks broken. */
static char *in_seconds(int64_t duration_ms)
{
    char *text = clock_format_duration(duration_ms < 1000 ? 0 : duration_ms / 1000 * 1000);
    char *dot = strchr(text, '.');
    if (dot != NULL) {
        size_t tenths_bytes = strspn(dot, ".0123456789");
        memmove(dot, dot + tenths_bytes, strlen(dot + tenths_bytes) + 1);
    }
    return text;
}

static char *since(const struct block *block, int64_t from_ns)
{
    return in_seconds((block->now_ns - from_ns) / CLOCK_NS_PER_MS);
}

static bool is_busy(const struct fold_step *step)
{
    return step->question == NULL && step->state == STEP_RUNNING;
}

static void add_head(struct block *block)
{
    const struct fold *fold = block->fold;
    size_t done = fold_count(fold, STEP_SUCCEEDED) + fold_count(fold, STEP_SKIPPED);
    size_t failed = fold_count(fold, STEP_FAILED);
    size_t running = 0;
    vector_each (const struct fold_step *, step, &fold->steps) {
        running += is_busy(step);
    }
    CLEANUP(memory_cleanup) char *lasted = since(block, fold->first_at_ns);
    CLEANUP(memory_cleanup)
    char *bad = failed > 0 ? memory_format(", %zu failed", failed) : memory_text("");
    const char *run = json_get_text(fold->created, "run");
    add_line(block, "== %zu of %zu steps done, %zu running%s  %s  %s  %s", done, fold->steps.count,
             running, bad, lasted, fold_status(fold), run != NULL ? run : "");
}

static void add_questions(struct block *block)
{
    size_t count = 0;
    vector_each (const struct fold_step *, step, &block->fold->steps) {
        count += step->question != NULL;
    }
    vector_each (const struct fold_step *, step, &block->fold->steps) {
        if (step->question == NULL) {
            continue;
        }
        CLEANUP(buffer_release) struct buffer choices = BUFFER_INIT;
        size_t index;
        json_t *choice;
        json_array_foreach (json_object_get(step->question, "choices"), index, choice) {
            buffer_append_format(&choices, "%s%s%s%s", index > 0 ? " | " : "",
                                 count > 1 ? step->name : "", count > 1 ? " " : "",
                                 json_string_value(choice));
        }
        const char *text = json_get_text(step->question, "text");
        add_line(block, "? %s: %s", step->name, text != NULL ? text : "");
        add_line(block, "  type  %s", buffer_text(&choices));
    }
}

static void add_running(struct block *block)
{
    vector_each (const struct fold_step *, step, &block->fold->steps) {
        if (step->state == STEP_WAITING) {
            add_line(block, "~ %s  another attempt soon", step->name);
        }
        if (is_busy(step)) {
            CLEANUP(memory_cleanup) char *lasted = since(block, step->started_at_ns);
            const char *task = json_get_text(step->task, "task");
            CLEANUP(memory_cleanup)
            char *attempt = step->attempts > 1 ? memory_format("  attempt %zu", step->attempts)
                                               : memory_text("");
            add_line(block, "> %s  %s  %s%s%s%s", step->name, lasted,
                     step->uses != NULL ? step->uses : "", attempt, task != NULL ? "  " : "",
                     task != NULL ? task : "");
        }
    }
}

static void add_objectives(struct block *block)
{
    int64_t incident_ns = fold_incident_ns(block->fold);
    vector_each (const struct fold_objective *, objective, &block->fold->objectives) {
        if (objective->rto_ms < 0) {
            continue;
        }
        int64_t due_ns = incident_ns + objective->rto_ms * CLOCK_NS_PER_MS;
        int64_t reached_ns = fold_reached_ns(block->fold, objective);
        int64_t at_ns = reached_ns != 0 ? reached_ns : block->now_ns;
        int64_t left_ms = (due_ns - at_ns) / CLOCK_NS_PER_MS;
        CLEANUP(memory_cleanup)
        char *left = in_seconds(left_ms < 0 ? -left_ms : left_ms);
        CLEANUP(memory_cleanup) char *rto = in_seconds(objective->rto_ms);
        add_line(block, "%c %s  RTO %s: %s%s%s",
                 left_ms < 0       ? '!'
                 : reached_ns != 0 ? '+'
                                   : ' ',
                 objective->component, rto,
                 reached_ns != 0 ? (left_ms < 0 ? "reached " : "reached with ") : "", left,
                 left_ms < 0       ? (reached_ns != 0 ? " too late" : " over")
                 : reached_ns != 0 ? " to spare"
                                   : " left");
    }
}

void status_block_append(struct buffer *out, const struct fold *fold, int64_t now_ns,
                         size_t columns, size_t rows)
{
    if (columns < LEAST_COLUMNS || rows < LEAST_ROWS || fold->created == NULL ||
        fold->outcome != NULL) {
        return;
    }
    struct block block = {out, fold, now_ns, columns, rows - 1, 0};
    add_head(&block);
    add_questions(&block);
    add_running(&block);
    add_objectives(&block);
    if (block.left_out > 0) {
        block.rows_left = 1;
        add_line(&block, "  … and %zu more", block.left_out);
    }
}
