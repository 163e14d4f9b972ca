/* Splits a text at `${{` … `}}`. Where an expression ends is known only to its parser, since a
 * quoted '}}' does not end it. */
#include "plan/template.h"

#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"

bool template_is_needed(const char *text)
{
    return strstr(text, "${{") != NULL;
}

void template_release(struct template *parsed)
{
    vector_each (struct template_part *, part, &parsed->parts) {
        free(part->literal);
        expression_free(part->expression);
    }
    vector_release(&parsed->parts);
}

static void flush_literal(struct template *parsed, struct buffer *literal)
{
    if (literal->size_bytes != 0) {
        struct template_part *part = vector_grow(&parsed->parts);
        part->literal = buffer_take(literal);
    }
}

int template_parse(const char *text, struct template *ret, size_t *ret_offset, struct error *err)
{
    struct template parsed = {0};
    CLEANUP(buffer_release) struct buffer literal = BUFFER_INIT;
    for (size_t at = 0; text[at] != '\0';) {
        if (strncmp(text + at, "$${{", 4) == 0) {
            buffer_append_text(&literal, "${{");
            at += 4;
        } else if (strncmp(text + at, "${{", 3) == 0) {
            struct expression *expression;
            size_t end;
            if (expression_parse(text, at + 3, true, &expression, &end, err) != 0) {
                *ret_offset = text[end] == '\0' ? at : end;
                template_release(&parsed);
                return -1;
            }
            flush_literal(&parsed, &literal);
            vector_push(&parsed.parts, ((struct template_part){NULL, expression}));
            at = end;
        } else {
            buffer_append_char(&literal, text[at++]);
        }
    }
    flush_literal(&parsed, &literal);
    *ret = parsed;
    return 0;
}

static int refuse_text_around(size_t *ret_offset, struct error *err)
{
    *ret_offset = 0;
    error_set(err, ERROR_INVALID, "a condition is one expression, and text stands beside it");
    return error_hint(err, "write it without ${{ }} at all, or put them around the whole");
}

int template_parse_condition(const char *text, struct template *ret, size_t *ret_offset,
                             struct error *err)
{
    struct template parsed = {0};
    if (template_is_needed(text)) {
        if (template_parse(text, &parsed, ret_offset, err) != 0) {
            return -1;
        }
        if (template_only_expression(&parsed) == NULL) {
            template_release(&parsed);
            return refuse_text_around(ret_offset, err);
        }
        *ret = parsed;
        return 0;
    }
    struct expression *expression;
    size_t end;
    if (expression_parse(text, 0, false, &expression, &end, err) != 0) {
        *ret_offset = end;
        return -1;
    }
    vector_push(&parsed.parts, ((struct template_part){NULL, expression}));
    *ret = parsed;
    return 0;
}

const struct expression *template_only_expression(const struct template *parsed)
{
    return parsed->parts.count == 1 ? parsed->parts.items[0].expression : NULL;
}
