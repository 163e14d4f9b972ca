/* From a byte of a scalar's content back to its line and column in the file. YAML folds lines,
 * doubles quotes and has escapes, so content and source are walked side by side, starting at the
 * `${{` that stands before the byte: that spelling is the same in both. */
#include <string.h>

#include "base/span.h"
#include "plan/document.h"

/* The line breaks that libyaml counts. Returns the length of the one at `at`, 0 when there is none.
 */
static size_t break_length(const char *at, const char *end)
{
    size_t left = (size_t)(end - at);
    if (left >= 2 && memcmp(at, "\r\n", 2) == 0) {
        return 2;
    }
    if (left >= 1 && (*at == '\n' || *at == '\r')) {
        return 1;
    }
    if (left >= 2 && memcmp(at, "\xc2\x85", 2) == 0) {
        return 2;
    }
    if (left >= 3 && (memcmp(at, "\xe2\x80\xa8", 3) == 0 || memcmp(at, "\xe2\x80\xa9", 3) == 0)) {
        return 3;
    }
    return 0;
}

static size_t character_length(const char *at, const char *end)
{
    const char *next = at + 1;
    while (next < end && ((unsigned char)*next & 0xc0) == 0x80) {
        next++;
    }
    return (size_t)(next - at);
}

/* The byte of the source at a mark. */
static const char *source_at(const struct document *document, struct mark mark)
{
    const char *at = document->text;
    const char *end = document->text + document->size_bytes;
    size_t line = 1;
    while (line < mark.line && at < end) {
        size_t length = break_length(at, end);
        line += length != 0;
        at += length != 0 ? length : 1;
    }
    for (size_t column = 1; column < mark.column && at < end; column++) {
        at += character_length(at, end);
    }
    return at;
}

/* The mark of a source byte behind a known one. */
static struct mark mark_behind(struct mark mark, const char *from, const char *to, const char *end)
{
    while (from < to) {
        size_t length = break_length(from, end);
        if (length != 0) {
            mark.line++;
            mark.column = 1;
        } else {
            length = character_length(from, end);
            mark.column++;
        }
        from += length;
    }
    return mark;
}

static size_t escape_length(const char *at, const char *end)
{
    if (end - at < 2) {
        return 1;
    }
    size_t length = at[1] == 'x' ? 4 : at[1] == 'u' ? 6 : at[1] == 'U' ? 10 : 2;
    return length > (size_t)(end - at) ? (size_t)(end - at) : length;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Steps over one character of the content and over what stands for it in the source. A run of white
 * space stands for a run of white space, however YAML folds it. */
static void step_both(enum node_style style, const char **content, const char **source,
                      const char *content_end, const char *source_end)
{
    if (is_blank(**source)) {
        while (*source < source_end && is_blank(**source)) {
            (*source)++;
        }
        while (*content < content_end && is_blank(**content)) {
            (*content)++;
        }
        return;
    }
    if (style == STYLE_DOUBLE_QUOTED && **source == '\\') {
        *source += escape_length(*source, source_end);
    } else if (style == STYLE_SINGLE_QUOTED && source_end - *source > 1 &&
               memcmp(*source, "''", 2) == 0) {
        *source += 2;
    } else {
        *source += character_length(*source, source_end);
    }
    *content += character_length(*content, content_end);
}

/* The last `${{` of the content at or before the offset, and how many stand before it. */
static const char *expression_before(const char *content, size_t offset_bytes, size_t *ret_nth)
{
    const char *found = NULL;
    *ret_nth = 0;
    for (const char *at = strstr(content, "${{"); at != NULL; at = strstr(at + 3, "${{")) {
        if ((size_t)(at - content) > offset_bytes) {
            break;
        }
        *ret_nth += found != NULL;
        found = at;
    }
    return found;
}

static const char *nth_expression(const char *source, const char *end, size_t nth)
{
    for (; end - source >= 3; source++) {
        if (memcmp(source, "${{", 3) == 0) {
            if (nth-- == 0) {
                return source;
            }
            source += 2;
        }
    }
    return NULL;
}

/* The first character of the content in the source: behind the quote or the block's header. */
static const char *content_start(const struct node *node, const char *source, const char *end)
{
    if (node->style == STYLE_SINGLE_QUOTED || node->style == STYLE_DOUBLE_QUOTED) {
        return source < end ? source + 1 : source;
    }
    if (node->style == STYLE_BLOCK) {
        while (source < end && break_length(source, end) == 0) {
            source++;
        }
        while (source < end && (*source == ' ' || break_length(source, end) != 0)) {
            source++;
        }
    }
    return source;
}

struct mark document_position(const struct document *document, const struct node *node,
                              size_t offset_bytes)
{
    if (node->text == NULL) {
        return node->at;
    }
    const char *start = source_at(document, node->at);
    const char *end = source_at(document, node->end);
    size_t nth;
    const char *content = expression_before(node->text, offset_bytes, &nth);
    const char *source = content != NULL ? nth_expression(start, end, nth) : NULL;
    if (source == NULL) {
        content = node->text;
        source = content_start(node, start, end);
    }
    const char *content_end = node->text + strlen(node->text);
    const char *wanted = node->text + offset_bytes;
    while (content < wanted && content < content_end && source < end) {
        step_both(node->style, &content, &source, content_end, end);
    }
    return mark_behind(node->at, start, source, end);
}
