/* The block at the bottom is drawn with its own lines above the line that the cursor stays on,
 * where the terminal echoes what a person types. Everything that changes the screen goes out in one
 * piece: block away, new lines, block again, so that nothing flickers and nothing is half there.
 *
 * The descriptor is a description of its own that does not block. What a stopped terminal does not
 * take is kept up to a limit; further lines are counted and left out: they are in the logs. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "view/status_block.h"
#include "view/view.h"

enum { PENDING_LIMIT_BYTES = 1024 * 1024 };

struct terminal {
    struct view view;
    int descriptor; /* -1: the terminal is gone */
    const struct fold *fold;
    struct view *plain;
    struct buffer lines;   /* new, not on their way yet */
    struct buffer pending; /* on their way, with everything that moves the cursor */
    size_t skipped;        /* lines that were left out */
    struct buffer block;   /* as it is on the screen; empty: none */
    size_t typed_rows;     /* how far below the block's last row the cursor is by typing */
};

static void send_pending(struct terminal *terminal)
{
    while (terminal->descriptor >= 0 && terminal->pending.size_bytes > 0) {
        ssize_t size =
            write(terminal->descriptor, terminal->pending.data, terminal->pending.size_bytes);
        if (size > 0) {
            buffer_consume(&terminal->pending, (size_t)size);
        } else if (size < 0 && errno == EAGAIN) {
            return;
        } else if (size < 0 && errno != EINTR) {
            file_close_cleanup(&terminal->descriptor);
            terminal->descriptor = -1;
        }
    }
}

static struct winsize size_of(const struct terminal *terminal)
{
    struct winsize size = {0};
    if (ioctl(terminal->descriptor, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) {
        size.ws_col = 80;
        size.ws_row = 24;
    }
    return size;
}

/* Rows that text takes on a screen that may have become narrower since it was written. */
static size_t rows_of(struct span text, size_t columns)
{
    size_t rows = 0;
    while (text.size_bytes > 0) {
        const char *end = memchr(text.data, '\n', text.size_bytes);
        size_t size_bytes = end != NULL ? (size_t)(end - text.data) : text.size_bytes;
        size_t width = status_block_width(span_of(text.data, size_bytes));
        rows += width <= columns ? 1 : (width + columns - 1) / columns;
        size_bytes += end != NULL;
        text = span_of(text.data + size_bytes, text.size_bytes - size_bytes);
    }
    return rows;
}

static void take_block_away(struct terminal *terminal, size_t columns)
{
    size_t rows = rows_of(buffer_span(&terminal->block), columns) + terminal->typed_rows;
    if (terminal->block.size_bytes > 0) {
        buffer_append_format(&terminal->pending, "\r\033[%zuA\033[J", rows);
    }
    buffer_clear(&terminal->block);
    terminal->typed_rows = 0;
}

static void put_block(struct terminal *terminal, const struct buffer *block)
{
    buffer_append_span(&terminal->pending, buffer_span(block));
    buffer_clear(&terminal->block);
    buffer_append_span(&terminal->block, buffer_span(block));
}

/* The same rows with new text: the line below, on which a person may be typing, stays. */
static void refresh_block(struct terminal *terminal, const struct buffer *block, size_t rows)
{
    buffer_append_format(&terminal->pending, "\0337\r\033[%zuA", rows + terminal->typed_rows);
    for (const char *at = buffer_text(block); *at != '\0';) {
        size_t size_bytes = strcspn(at, "\n");
        buffer_append_text(&terminal->pending, "\033[2K");
        buffer_append(&terminal->pending, at, size_bytes + 1);
        at += size_bytes + 1;
    }
    buffer_append_text(&terminal->pending, "\0338");
    buffer_clear(&terminal->block);
    buffer_append_span(&terminal->block, buffer_span(block));
}

static void tick(struct view *view)
{
    struct terminal *terminal = (struct terminal *)view;
    send_pending(terminal);
    if (terminal->descriptor < 0 || terminal->pending.size_bytes > 0) {
        return;
    }
    struct winsize size = size_of(terminal);
    CLEANUP(buffer_release) struct buffer block = BUFFER_INIT;
    status_block_append(&block, terminal->fold, clock_wall_ns(), size.ws_col - 1u,
                        size.ws_row / 2u);
    size_t rows = rows_of(buffer_span(&block), size.ws_col);
    bool same_rows = terminal->block.size_bytes > 0 &&
                     rows == rows_of(buffer_span(&terminal->block), size.ws_col);
    if (terminal->skipped > 0) {
        buffer_append_format(&terminal->lines,
                             "[%zu lines were not shown, since the terminal did not take them: "
                             "see drctl logs]\n",
                             terminal->skipped);
        terminal->skipped = 0;
    }
    if (terminal->lines.size_bytes == 0 && same_rows) {
        if (!span_equals(buffer_span(&block), buffer_span(&terminal->block))) {
            refresh_block(terminal, &block, rows);
        }
    } else {
        take_block_away(terminal, size.ws_col);
        buffer_append_span(&terminal->pending, buffer_span(&terminal->lines));
        buffer_clear(&terminal->lines);
        put_block(terminal, &block);
    }
    send_pending(terminal);
}

/* Makes room for what is about to be shown. False when it cannot be. */
static bool has_room(struct terminal *terminal)
{
    if (terminal->lines.size_bytes > PENDING_LIMIT_BYTES) {
        tick(&terminal->view);
    }
    bool room = terminal->descriptor >= 0 && terminal->lines.size_bytes <= PENDING_LIMIT_BYTES;
    terminal->skipped += !room;
    return room;
}

static void show_event(struct view *view, const json_t *event)
{
    struct terminal *terminal = (struct terminal *)view;
    if (has_room(terminal)) {
        terminal->plain->event(terminal->plain, event);
    }
}

static void show_line(struct view *view, const struct view_line *line)
{
    struct terminal *terminal = (struct terminal *)view;
    if (has_room(terminal)) {
        terminal->plain->line(terminal->plain, line);
    }
}

static void show_notice(struct view *view, const char *text)
{
    struct terminal *terminal = (struct terminal *)view;
    if (has_room(terminal)) {
        terminal->plain->notice(terminal->plain, text);
    }
}

static void typed(struct view *view)
{
    struct terminal *terminal = (struct terminal *)view;
    terminal->typed_rows += terminal->block.size_bytes > 0;
}

/* The run is over or left to itself: now the terminal may take its time. */
static void settle(struct view *view)
{
    struct terminal *terminal = (struct terminal *)view;
    if (terminal->descriptor < 0) {
        return;
    }
    (void)fcntl(terminal->descriptor, F_SETFL, 0);
    send_pending(terminal);
    tick(view);
    if (terminal->descriptor >= 0) {
        take_block_away(terminal, size_of(terminal).ws_col);
        send_pending(terminal);
    }
}

static void release(struct view *view)
{
    struct terminal *terminal = (struct terminal *)view;
    file_close_cleanup(&terminal->descriptor);
    view_free(terminal->plain);
    buffer_release(&terminal->lines);
    buffer_release(&terminal->pending);
    buffer_release(&terminal->block);
    free(terminal);
}

static int open_again(int descriptor)
{
    CLEANUP(memory_cleanup) char *path = memory_format("/proc/self/fd/%d", descriptor);
    return open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

struct view *view_terminal_new(int descriptor, const struct plain_options *options,
                               const struct fold *fold)
{
    struct terminal *terminal = memory_new(1, sizeof *terminal);
    terminal->view = (struct view){.event = show_event,
                                   .line = show_line,
                                   .notice = show_notice,
                                   .release = release,
                                   .tick = tick,
                                   .typed = typed,
                                   .settle = settle};
    terminal->descriptor = open_again(descriptor);
    terminal->fold = fold;
    struct plain_options inner = *options;
    inner.into = &terminal->lines;
    terminal->plain = view_plain_new(-1, &inner);
    return &terminal->view;
}
