/* Myers' greedy algorithm on lines ("An O(ND) Difference Algorithm", 1986). Equal lines at both
 * ends are taken off first. Edits that differ in more than EDIT_LIMIT lines are shown as one
 * replaced block: correct as a patch, only not the shortest, and the memory stays bounded. */
#include "hcl/diff.h"

#include <stdint.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/vector.h"

enum { CONTEXT_LINES = 3, JOINED_LINES = 2 * CONTEXT_LINES + 1, EDIT_LIMIT = 1500 };

struct lines {
    VECTOR(struct span)
    list; /* each with its newline; the last one may have none */
};

/* What happens to the lines in order: ' ' both, '-' old, '+' new. */
struct script {
    VECTOR(struct script_line {
        char sign;
        struct span text;
    })
    list;
};

static void split(struct span text, struct lines *lines)
{
    while (text.size_bytes > 0) {
        const char *end = memchr(text.data, '\n', text.size_bytes);
        size_t size_bytes = end != NULL ? (size_t)(end - text.data) + 1 : text.size_bytes;
        vector_push(&lines->list, span_of(text.data, size_bytes));
        text = span_of(text.data + size_bytes, text.size_bytes - size_bytes);
    }
}

static void push(struct script *script, char sign, struct span text)
{
    vector_push(&script->list, ((struct script_line){sign, text}));
}

/* The two runs of lines between the common ends. */
struct middle {
    const struct span *old_lines;
    const struct span *new_lines;
    int old_count;
    int new_count;
};

/* For every number of edits d the farthest old line on each diagonal, d + 1 numbers each, kept so
 * that the way can be walked back. */
struct trace {
    int *rows[EDIT_LIMIT + 1];
    int count;
};

/* The farthest point on diagonal k with d edits, from the row of d - 1. */
static int step(const int *previous, int d, int k)
{
    if (d == 0) {
        return 0;
    }
    bool down =
        k == -d || (k != d && previous[(k - 1 + d - 1) / 2] < previous[(k + 1 + d - 1) / 2]);
    return down ? previous[(k + 1 + d - 1) / 2] : previous[(k - 1 + d - 1) / 2] + 1;
}

/* Fills the trace until the ends meet; false when that takes too many edits. */
static bool search(const struct middle *middle, struct trace *trace)
{
    for (int d = 0; d <= EDIT_LIMIT; d++) {
        int *row = memory_new((size_t)d + 1, sizeof *row);
        trace->rows[trace->count++] = row;
        for (int k = -d; k <= d; k += 2) {
            int x = step(d > 0 ? trace->rows[d - 1] : NULL, d, k);
            int y = x - k;
            while (x < middle->old_count && y < middle->new_count && y >= 0 &&
                   span_equals(middle->old_lines[x], middle->new_lines[y])) {
                x++;
                y++;
            }
            row[(k + d) / 2] = x;
            if (x >= middle->old_count && y >= middle->new_count) {
                return true;
            }
        }
    }
    return false;
}

/* Walks the trace back from the ends; the script comes out in reverse. */
static void walk_back(const struct middle *middle, const struct trace *trace,
                      struct script *reversed)
{
    int x = middle->old_count;
    int y = middle->new_count;
    for (int d = trace->count - 1; d >= 0; d--) {
        int k = x - y;
        int start = step(d > 0 ? trace->rows[d - 1] : NULL, d, k);
        while (x > start) {
            push(reversed, ' ', middle->old_lines[--x]);
            y--;
        }
        if (d == 0) {
            break;
        }
        const int *previous = trace->rows[d - 1];
        bool down =
            k == -d || (k != d && previous[(k - 1 + d - 1) / 2] < previous[(k + 1 + d - 1) / 2]);
        if (down) {
            push(reversed, '+', middle->new_lines[--y]);
        } else {
            push(reversed, '-', middle->old_lines[--x]);
        }
    }
}

static void compare_middle(const struct middle *middle, struct script *script)
{
    struct trace *trace = memory_new(1, sizeof *trace);
    struct script reversed = {0};
    if (search(middle, trace)) {
        walk_back(middle, trace, &reversed);
        for (size_t i = reversed.list.count; i > 0; i--) {
            vector_push(&script->list, reversed.list.items[i - 1]);
        }
    } else {
        for (int i = 0; i < middle->old_count; i++) {
            push(script, '-', middle->old_lines[i]);
        }
        for (int i = 0; i < middle->new_count; i++) {
            push(script, '+', middle->new_lines[i]);
        }
    }
    for (int i = 0; i < trace->count; i++) {
        free(trace->rows[i]);
    }
    free(trace);
    vector_release(&reversed.list);
}

static void compare(const struct lines *old_lines, const struct lines *new_lines,
                    struct script *script)
{
    size_t old_count = old_lines->list.count;
    size_t new_count = new_lines->list.count;
    size_t shorter = old_count < new_count ? old_count : new_count;
    size_t front = 0;
    size_t back = 0;
    while (front < shorter &&
           span_equals(old_lines->list.items[front], new_lines->list.items[front])) {
        push(script, ' ', old_lines->list.items[front++]);
    }
    while (back < shorter - front && span_equals(old_lines->list.items[old_count - 1 - back],
                                                 new_lines->list.items[new_count - 1 - back])) {
        back++;
    }
    static const struct span nothing;
    struct middle middle = {.old_lines = old_count > 0 ? old_lines->list.items + front : &nothing,
                            .new_lines = new_count > 0 ? new_lines->list.items + front : &nothing,
                            .old_count = (int)(old_count - front - back),
                            .new_count = (int)(new_count - front - back)};
    compare_middle(&middle, script);
    for (size_t i = old_count - back; i < old_count; i++) {
        push(script, ' ', old_lines->list.items[i]);
    }
}

static void append_line(struct buffer *out, const struct script_line *line)
{
    buffer_append_char(out, line->sign);
    buffer_append_span(out, line->text);
    if (line->text.data[line->text.size_bytes - 1] != '\n') {
        buffer_append_text(out, "\n\\ No newline at end of file\n");
    }
}

/* Line numbers count from 1; an empty range names the line before it. */
static void append_range(struct buffer *out, char sign, size_t before, size_t count)
{
    size_t start = count > 0 ? before + 1 : before;
    buffer_append_format(out, "%c%zu", sign, start);
    if (count != 1) {
        buffer_append_format(out, ",%zu", count);
    }
}

struct hunk {
    size_t start; /* in the script */
    size_t end;
    size_t old_before; /* lines before it */
    size_t new_before;
};

static void append_hunk(struct buffer *out, const struct script *script, const struct hunk *hunk)
{
    size_t old_count = 0;
    size_t new_count = 0;
    for (size_t i = hunk->start; i < hunk->end; i++) {
        old_count += script->list.items[i].sign != '+';
        new_count += script->list.items[i].sign != '-';
    }
    buffer_append_text(out, "@@ ");
    append_range(out, '-', hunk->old_before, old_count);
    buffer_append_char(out, ' ');
    append_range(out, '+', hunk->new_before, new_count);
    buffer_append_text(out, " @@\n");
    for (size_t i = hunk->start; i < hunk->end; i++) {
        append_line(out, &script->list.items[i]);
    }
}

/* The end of the hunk whose first change is at `change`: changes with at most twice the context
 * between them belong together. */
static size_t hunk_end(const struct script *script, size_t change)
{
    size_t last = change;
    for (size_t i = change; i < script->list.count && i <= last + JOINED_LINES; i++) {
        if (script->list.items[i].sign != ' ') {
            last = i;
        }
    }
    size_t end = last + 1 + CONTEXT_LINES;
    return end < script->list.count ? end : script->list.count;
}

static void append_hunks(struct buffer *out, const struct script *script)
{
    struct hunk hunk = {0};
    for (size_t i = 0; i < script->list.count;) {
        if (script->list.items[i].sign == ' ') {
            i++;
            continue;
        }
        size_t start = i > CONTEXT_LINES ? i - CONTEXT_LINES : 0;
        start = start < hunk.end ? hunk.end : start;
        for (size_t j = hunk.end; j < start; j++) {
            hunk.old_before++;
            hunk.new_before++;
        }
        hunk.start = start;
        hunk.end = hunk_end(script, i);
        append_hunk(out, script, &hunk);
        for (size_t j = hunk.start; j < hunk.end; j++) {
            hunk.old_before += script->list.items[j].sign != '+';
            hunk.new_before += script->list.items[j].sign != '-';
        }
        i = hunk.end;
    }
}

/* A path as git writes it: quoted when it has bytes that would confuse a reader. */
static void append_path(struct buffer *out, const char *prefix, const char *path)
{
    bool plain = true;
    for (const char *at = path; *at != '\0'; at++) {
        plain &= *at > 0x1f && *at < 0x7f && *at != '"' && *at != '\\';
    }
    if (plain) {
        buffer_append_format(out, "%s%s", prefix, path);
        return;
    }
    buffer_append_format(out, "\"%s", prefix);
    for (const unsigned char *at = (const unsigned char *)path; *at != '\0'; at++) {
        if (*at == '"' || *at == '\\') {
            buffer_append_format(out, "\\%c", *at);
        } else if (*at <= 0x1f || *at >= 0x7f) {
            buffer_append_format(out, "\\%03o", *at);
        } else {
            buffer_append_char(out, (char)*at);
        }
    }
    buffer_append_char(out, '"');
}

void hcl_diff_append(struct buffer *out, const char *path, struct span old_bytes,
                     struct span new_bytes)
{
    if (span_equals(old_bytes, new_bytes)) {
        return;
    }
    struct lines old_lines = {0};
    struct lines new_lines = {0};
    struct script script = {0};
    split(old_bytes, &old_lines);
    split(new_bytes, &new_lines);
    compare(&old_lines, &new_lines, &script);
    bool spaced = strchr(path, ' ') != NULL; /* a tab ends a name with spaces, as git has it */
    buffer_append_text(out, "diff --git ");
    append_path(out, "a/", path);
    buffer_append_char(out, ' ');
    append_path(out, "b/", path);
    buffer_append_text(out, "\n--- ");
    append_path(out, "a/", path);
    buffer_append_text(out, spaced ? "\t\n+++ " : "\n+++ ");
    append_path(out, "b/", path);
    buffer_append_text(out, spaced ? "\t\n" : "\n");
    append_hunks(out, &script);
    vector_release(&script.list);
    vector_release(&old_lines.list);
    vector_release(&new_lines.list);
}
