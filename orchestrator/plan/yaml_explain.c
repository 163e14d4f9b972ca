/* What libyaml says is right and of little help ("did not find expected key"). The cause is often a
 * line earlier, so the source around the mark is looked at again to find the likely intent. */
#include "plan/yaml_explain.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

struct complaint {
    const yaml_parser_t *parser;
    const struct document *document;
    struct error *err;
    struct mark at;      /* the problem */
    struct mark context; /* what was being read */
    struct span line;    /* the line of the problem */
};

/* The line with that number, without its end; empty behind the last. */
static struct span source_line(const struct document *document, size_t number)
{
    const char *at = document->text;
    while (number > 1 && at != NULL) {
        at = strchr(at, '\n');
        at = at != NULL ? at + 1 : NULL;
        number--;
    }
    return at != NULL ? span_of(at, strcspn(at, "\r\n")) : span_of("", 0);
}

static size_t indentation(struct span line)
{
    size_t count = 0;
    while (count < line.size_bytes && line.data[count] == ' ') {
        count++;
    }
    return count;
}

static bool span_contains(struct span text, const char *word)
{
    return memmem(text.data, text.size_bytes, word, strlen(word)) != NULL;
}

/* The nearest line above that is neither blank nor a comment; 0 when there is none. */
static size_t line_above(const struct document *document, size_t number)
{
    while (--number > 0) {
        struct span line = source_line(document, number);
        size_t indent = indentation(line);
        if (indent < line.size_bytes && line.data[indent] != '#') {
            return number;
        }
    }
    return 0;
}

static int say(struct complaint *c, struct mark at, const char *message)
{
    return error_set_at(c->err, ERROR_INVALID, c->document->file, at.line, at.column, "%s",
                        message);
}

static void explain_token(struct complaint *c)
{
    const char *source = c->line.data;
    size_t column = c->at.column - 1;
    char found = column < c->line.size_bytes ? source[column] : '\0';
    if (found == '\t') {
        say(c, c->at, "a tab stands where YAML wants spaces");
        error_hint(c->err, "indent with spaces alone");
    } else {
        error_set_at(c->err, ERROR_INVALID, c->document->file, c->at.line, c->at.column,
                     "text cannot start with '%c'", isprint((unsigned char)found) ? found : '?');
        error_hint(c->err, "put it in quotes");
    }
}

/* `key` on one line and `inner: x` on the next, `a: b: c`, or a line too far to the right. */
static void explain_mapping_value(struct complaint *c)
{
    struct span before =
        span_of(c->line.data,
                c->at.column - 1 < c->line.size_bytes ? c->at.column - 1 : c->line.size_bytes);
    if (span_contains(before, "${{")) {
        say(c, c->at, "': ' inside an expression that has no quotes around it");
        error_hint(c->err, "put the whole value in quotes");
        return;
    }
    if (span_contains(before, ": ")) {
        say(c, c->at, "a second ': ' in the value of a key");
        error_hint(c->err, "text with ': ' in it needs quotes");
        return;
    }
    size_t above = line_above(c->document, c->at.line);
    struct span line = source_line(c->document, above);
    struct mark at = {above, indentation(line) + 1};
    if (above != 0 && !span_contains(line, ":")) {
        say(c, at, "this line looks like a key without its colon");
        error_hint(c->err, "write '%.*s:'", (int)(line.size_bytes - indentation(line)),
                   line.data + indentation(line));
        return;
    }
    if (above != 0 && !span_contains(line, ": ") && line.data[line.size_bytes - 1] != ':') {
        say(c, at, "a colon without a space behind it makes no key");
        error_hint(c->err, "write 'key: value'");
        return;
    }
    at = (struct mark){c->at.line, indentation(c->line) + 1};
    say(c, at, "this line is indented deeper than the one above it, which has a value already");
    error_hint(c->err, "line %zu begins in column %zu", above, indentation(line) + 1);
}

static void explain_missing_colon(struct complaint *c)
{
    say(c, c->context, "this line looks like a key without its colon");
    error_hint(c->err, "write 'key: value', with a space behind the colon");
}

/* The first line of the map on which a double quote opens and does not close; 0 when there is none.
 */
static size_t line_with_open_quote(const struct complaint *c)
{
    for (size_t number = c->context.line; number < c->at.line; number++) {
        struct span line = source_line(c->document, number);
        size_t quotes = 0;
        for (size_t i = 0; i < line.size_bytes; i++) {
            quotes += line.data[i] == '"' && (i == 0 || line.data[i - 1] != '\\');
        }
        if (quotes % 2 == 1) {
            return number;
        }
    }
    return 0;
}

static void explain_expected_key(struct complaint *c)
{
    size_t quote_line = line_with_open_quote(c);
    if (c->at.column > indentation(c->line) + 1 && quote_line != 0) {
        struct span line = source_line(c->document, quote_line);
        const char *quote = memrchr(line.data, '"', line.size_bytes);
        size_t unused;
        struct mark at = {quote_line, 0};
        text_position(line, (size_t)(quote - line.data), &unused, &at.column);
        say(c, at, "the quote that opens here is not closed on its line");
        error_hint(c->err, "line %zu has the next quote", c->at.line);
        return;
    }
    if (c->at.column > indentation(c->line) + 1) {
        say(c, c->at, "something stands behind the end of a value");
        error_hint(c->err, "is a quote closed too early, or a line break missing?");
        return;
    }
    if (indentation(c->line) < c->line.size_bytes && c->line.data[indentation(c->line)] == '-') {
        error_set_at(c->err, ERROR_INVALID, c->document->file, c->at.line, c->at.column,
                     "a list item among the keys of the map that begins at line %zu",
                     c->context.line);
        return;
    }
    error_set_at(c->err, ERROR_INVALID, c->document->file, c->at.line, c->at.column,
                 "the indentation of this line fits no level above it");
    error_hint(c->err, "the keys of the map that begins at line %zu stand in column %zu",
               c->context.line, c->context.column);
}

static void explain_expected_item(struct complaint *c)
{
    error_set_at(c->err, ERROR_INVALID, c->document->file, c->at.line, c->at.column,
                 "the list that begins at line %zu goes on here without a '- '", c->context.line);
    error_hint(c->err, "its items stand in column %zu", c->context.column);
}

static void explain_flow(struct complaint *c)
{
    struct span opening = source_line(c->document, c->context.line);
    if (span_contains(opening, "${{") || span_contains(c->line, "${{")) {
        say(c, c->context, "an expression without quotes inside [ ] or { }");
        error_hint(c->err, "write \"${{ … }}\"");
        return;
    }
    bool is_map = strstr(c->parser->problem, "'}'") != NULL;
    error_set_at(c->err, ERROR_INVALID, c->document->file, c->context.line, c->context.column,
                 "this %s is not closed, or a comma is missing", is_map ? "{" : "[");
    error_hint(c->err, "line %zu column %zu does not go on with it", c->at.line, c->at.column);
}

static void explain_end(struct complaint *c)
{
    say(c, c->context, "the quote that opens here is never closed");
}

static void explain_escape(struct complaint *c)
{
    say(c, c->at, "an escape that YAML does not know");
    error_hint(c->err, "in 'single quotes' a backslash is just a backslash");
}

static void explain_sequence(struct complaint *c)
{
    say(c, c->at, "a list cannot begin here");
    error_hint(c->err, "begin it on a line of its own, or write [a, b]");
}

static void explain_tab(struct complaint *c)
{
    say(c, c->at, "a tab stands where YAML wants spaces");
    error_hint(c->err, "indent with spaces alone");
}

static void explain_document_start(struct complaint *c)
{
    say(c, c->at, "this line does not belong to what stands above it");
    error_hint(c->err, "keys of the same map begin in the same column");
}

static void explain_content(struct complaint *c)
{
    say(c, c->at, "a value is missing here");
}

static void explain_anchor(struct complaint *c)
{
    say(c, c->context, "this is no name for an anchor or alias");
    error_hint(c->err, "text that starts with & or * needs quotes");
}

static void explain_block_header(struct complaint *c)
{
    say(c, c->at, "nothing may stand behind | or > on the same line");
    error_hint(c->err, "text that starts with | or > needs quotes");
}

static const struct {
    const char *problem; /* part of libyaml's sentence */
    void (*explain)(struct complaint *c);
} explanations[] = {
    {"cannot start any token", explain_token},
    {"mapping values are not allowed", explain_mapping_value},
    {"could not find expected ':'", explain_missing_colon},
    {"did not find expected key", explain_expected_key},
    {"did not find expected '-' indicator", explain_expected_item},
    {"did not find expected ',' or", explain_flow},
    {"found unexpected end of stream", explain_end},
    {"found unexpected document indicator", explain_end},
    {"unknown escape character", explain_escape},
    {"expected hexdecimal number", explain_escape},
    {"invalid Unicode character escape", explain_escape},
    {"block sequence entries are not allowed", explain_sequence},
    {"tab character", explain_tab},
    {"expected <document start>", explain_document_start},
    {"expected node content", explain_content},
    {"alphabetic or numeric character", explain_anchor},
    {"expected comment or line break", explain_block_header},
};

static void explain_reader(const yaml_parser_t *parser, const struct document *document,
                           struct error *err)
{
    size_t line;
    size_t column;
    text_position(span_of(document->text, document->size_bytes), parser->problem_offset, &line,
                  &column);
    error_set_at(err, ERROR_INVALID, document->file, line, column,
                 "the control character U+%04X is not allowed in YAML",
                 (unsigned)(parser->problem_value > 0 ? parser->problem_value : 0));
}

void yaml_explain(const yaml_parser_t *parser, const struct document *document, struct error *err)
{
    if (parser->error == YAML_MEMORY_ERROR) {
        abort();
    }
    if (parser->error == YAML_READER_ERROR) {
        explain_reader(parser, document, err);
        return;
    }
    struct complaint c = {
        .parser = parser,
        .document = document,
        .err = err,
        .at = {parser->problem_mark.line + 1, parser->problem_mark.column + 1},
        .context = {parser->context_mark.line + 1, parser->context_mark.column + 1},
        .line = source_line(document, parser->problem_mark.line + 1),
    };
    for (size_t i = 0; i < ARRAY_SIZE(explanations); i++) {
        if (strstr(parser->problem, explanations[i].problem) != NULL) {
            explanations[i].explain(&c);
            return;
        }
    }
    error_set_at(err, ERROR_INVALID, document->file, c.at.line, c.at.column, "not valid YAML: %s",
                 parser->problem);
}

/* The number of a \uXXXX escape at `at`, 0 when there is none. */
static unsigned long escape_value(const char *at)
{
    if (at[0] != '\\' || at[1] != 'u') {
        return 0;
    }
    char digits[5] = {0};
    for (size_t i = 0; i < 4; i++) {
        if (!isxdigit((unsigned char)at[2 + i])) {
            return 0;
        }
        digits[i] = at[2 + i];
    }
    return strtoul(digits, NULL, 16);
}

char *yaml_join_surrogates(const struct document *document)
{
    size_t name_size = strlen(document->file);
    if (name_size < 5 || strcmp(document->file + name_size - 5, ".json") != 0) {
        return NULL;
    }
    struct buffer out = BUFFER_INIT;
    for (const char *at = document->text; *at != '\0';) {
        unsigned long high = escape_value(at);
        unsigned long low = high >= 0xd800 && high <= 0xdbff ? escape_value(at + 6) : 0;
        if (low >= 0xdc00 && low <= 0xdfff) {
            buffer_append_format(&out, "\\U%08lx",
                                 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00));
            at += 12;
        } else {
            size_t size_bytes = at[0] == '\\' && at[1] != '\0' ? 2 : 1;
            buffer_append(&out, at, size_bytes);
            at += size_bytes;
        }
    }
    return buffer_take(&out);
}
