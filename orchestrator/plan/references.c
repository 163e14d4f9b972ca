/* What an expression mentions, known without evaluating it: `validate` checks these paths. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "plan/expression.h"
#include "plan/functions.h"

struct walk {
    struct reference_list *list;
    bool may_be_missing;
};

static void visit(struct walk *walk, const struct expression *expression);

static void visit_operands(struct walk *walk, const struct expression *expression, size_t first)
{
    for (size_t i = first; i < expression->operands.count; i++) {
        visit(walk, expression->operands.items[i]);
    }
}

/* Adds the parts of a path from its root on; false when it does not start at a root. */
static bool collect(const struct expression *expression, struct reference *reference)
{
    switch (expression->kind) {
    case EXPRESSION_ROOT:
        break;
    case EXPRESSION_MEMBER:
        if (!collect(expression->operands.items[0], reference)) {
            return false;
        }
        break;
    case EXPRESSION_INDEX: {
        if (!collect(expression->operands.items[0], reference)) {
            return false;
        }
        const struct expression *index = expression->operands.items[1];
        if (index->kind != EXPRESSION_LITERAL || !json_is_string(index->literal)) {
            reference->continues = true;
        } else if (!reference->continues) {
            vector_push(&reference->parts, memory_text(json_string_value(index->literal)));
            vector_push(&reference->offsets, index->offset);
        }
        return true;
    }
    default:
        return false;
    }
    if (!reference->continues) {
        vector_push(&reference->parts, memory_text(expression->name));
        vector_push(&reference->offsets, expression->offset);
    }
    return true;
}

static void reference_release(struct reference *reference)
{
    vector_each (char **, part, &reference->parts) {
        free(*part);
    }
    vector_release(&reference->parts);
    vector_release(&reference->offsets);
}

/* The indexes of a path are expressions of their own. */
static void visit_indexes(struct walk *walk, const struct expression *expression)
{
    while (expression->kind == EXPRESSION_MEMBER || expression->kind == EXPRESSION_INDEX) {
        visit_operands(walk, expression, 1);
        expression = expression->operands.items[0];
    }
    if (expression->kind != EXPRESSION_ROOT) {
        visit(walk, expression);
    }
}

static void visit_path(struct walk *walk, const struct expression *expression)
{
    struct reference reference = {.may_be_missing = walk->may_be_missing};
    if (collect(expression, &reference)) {
        vector_push(&walk->list->items, reference);
    } else {
        reference_release(&reference);
    }
    visit_indexes(walk, expression);
}

/* Which operands are asked for only if they are there: all but the last of default(), coalesce();
 * the one of exists(); the left side of ||. */
static size_t lenient_operands(const struct expression *expression)
{
    if (expression->kind == EXPRESSION_OR) {
        return 1;
    }
    if (expression->kind != EXPRESSION_CALL || expression->function->call != NULL) {
        return 0;
    }
    return strcmp(expression->function->name, "exists") == 0 ? 1 : expression->operands.count - 1;
}

static void visit(struct walk *walk, const struct expression *expression)
{
    if (expression->kind == EXPRESSION_ROOT || expression->kind == EXPRESSION_MEMBER ||
        expression->kind == EXPRESSION_INDEX) {
        visit_path(walk, expression);
        return;
    }
    bool before = walk->may_be_missing;
    size_t lenient = lenient_operands(expression);
    for (size_t i = 0; i < expression->operands.count; i++) {
        walk->may_be_missing = before || i < lenient;
        visit(walk, expression->operands.items[i]);
    }
    walk->may_be_missing = before;
}

void expression_references(const struct expression *expression, struct reference_list *list)
{
    struct walk walk = {.list = list};
    visit(&walk, expression);
}

void reference_list_release(struct reference_list *list)
{
    vector_each (struct reference *, reference, &list->items) {
        reference_release(reference);
    }
    vector_release(&list->items);
}

bool expression_calls(const struct expression *expression, const char *function_name)
{
    if (expression->kind == EXPRESSION_CALL &&
        strcmp(expression->function->name, function_name) == 0) {
        return true;
    }
    for (size_t i = 0; i < expression->operands.count; i++) {
        if (expression_calls(expression->operands.items[i], function_name)) {
            return true;
        }
    }
    return false;
}
