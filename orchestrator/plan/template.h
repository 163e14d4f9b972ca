/* Text with ${{ expressions }} in it. `$${{` stands for a plain `${{`. */
#ifndef DRCTL_PLAN_TEMPLATE_H
#define DRCTL_PLAN_TEMPLATE_H

#include "plan/expression.h"

struct template_part {
    char *literal;                 /* NULL for an expression */
    struct expression *expression; /* NULL for literal text */
};

struct template
{
    VECTOR(struct template_part)
    parts;
};

/* Whether the text has an expression, or the `$${{` that stands for a plain one. */
bool template_is_needed(const char *text);

/* On failure err has no place, and *ret_offset is the byte that is wrong; the template stays empty.
 */
MUST_USE int template_parse(const char *text, struct template *ret, size_t *ret_offset,
                            struct error *err);

/* The same for a condition, where `${{ }}` around the whole may be left out. The template has one
 * part, an expression. */
MUST_USE int template_parse_condition(const char *text, struct template *ret, size_t *ret_offset,
                                      struct error *err);

/* The expression when the whole text is exactly one, so that its value keeps its type; else NULL.
 */
const struct expression *template_only_expression(const struct template *parsed);

void template_release(struct template *parsed);

#endif
