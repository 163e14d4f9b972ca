/* Recursive descent over the grammar in expression.h. Nesting is limited, so that an expression
 * from outside cannot exhaust the stack, here or in the evaluator. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "plan/expression.h"
#include "plan/functions.h"
#include "plan/lexer.h"

struct parser {
    struct lexer lexer;
    size_t start;
    size_t depth;
    size_t bad_offset; /* of the error */
    struct error *err;
};

static struct expression *parse_ternary(struct parser *parser);

void expression_free(struct expression *expression)
{
    if (expression == NULL) {
        return;
    }
    vector_each (struct expression **, operand, &expression->operands) {
        expression_free(*operand);
    }
    vector_release(&expression->operands);
    json_decref(expression->literal);
    free(expression->name);
    free(expression);
}

static struct expression *new_expression(enum expression_kind kind, size_t offset)
{
    struct expression *expression = memory_new(1, sizeof *expression);
    expression->kind = kind;
    expression->offset = offset;
    return expression;
}

/* Takes the operands, of which the last may be NULL after an error; then all are freed. */
static struct expression *join_operands(enum expression_kind kind, size_t offset,
                                        struct expression *left, struct expression *right)
{
    if (right == NULL) {
        expression_free(left);
        return NULL;
    }
    struct expression *expression = new_expression(kind, offset);
    vector_push(&expression->operands, left);
    vector_push(&expression->operands, right);
    return expression;
}

static bool advance(struct parser *parser)
{
    if (parser->lexer.at - parser->start > EXPRESSION_SIZE_LIMIT) {
        parser->bad_offset = parser->start;
        error_set(parser->err, ERROR_INVALID, "the expression is longer than %d bytes",
                  EXPRESSION_SIZE_LIMIT);
        return false;
    }
    if (lexer_next(&parser->lexer, parser->err) != 0) {
        parser->bad_offset = parser->lexer.token.offset;
        return false;
    }
    return true;
}

static bool at_token(const struct parser *parser, enum token_kind kind)
{
    return parser->lexer.token.kind == kind;
}

static void *fail(struct parser *parser, const char *expected)
{
    const struct token *token = &parser->lexer.token;
    parser->bad_offset = token->offset;
    if (token->kind == TOKEN_END) {
        error_set(parser->err, ERROR_INVALID, "the expression ends where %s was expected",
                  expected);
    } else {
        error_set(parser->err, ERROR_INVALID, "'%.*s' stands where %s was expected",
                  (int)token->text.size_bytes, token->text.data, expected);
    }
    return NULL;
}

/* Consumes the token, or reports what was expected. */
static bool expect(struct parser *parser, enum token_kind kind, const char *expected)
{
    if (!at_token(parser, kind)) {
        fail(parser, expected);
        return false;
    }
    return advance(parser);
}

static struct expression *literal(struct parser *parser, json_t *value)
{
    struct expression *expression = new_expression(EXPRESSION_LITERAL, parser->lexer.token.offset);
    expression->literal = value;
    if (!advance(parser)) {
        expression_free(expression);
        return NULL;
    }
    return expression;
}

static struct expression *parse_number(struct parser *parser)
{
    struct span text = parser->lexer.token.text;
    CLEANUP(memory_cleanup) char *digits = memory_text_n(text.data, text.size_bytes);
    errno = 0;
    if (strchr(digits, '.') != NULL) {
        double real = strtod(digits, NULL);
        return isfinite(real) ? literal(parser, json_real(real))
                              : fail(parser, "a number of usual size");
    }
    long long integer = strtoll(digits, NULL, 10);
    return errno == 0 ? literal(parser, json_integer(integer))
                      : fail(parser, "a number of usual size");
}

static struct expression *parse_text(struct parser *parser)
{
    struct span text = parser->lexer.token.text;
    CLEANUP(buffer_release) struct buffer content = BUFFER_INIT;
    for (size_t i = 1; i + 1 < text.size_bytes; i++) {
        buffer_append_char(&content, text.data[i]);
        i += text.data[i] == '\'';
    }
    return literal(parser, json_stringn(buffer_text(&content), content.size_bytes));
}

/* Items up to the closing token, which is consumed. */
static struct expression *parse_items(struct parser *parser, struct expression *list,
                                      enum token_kind close, const char *expected)
{
    while (!at_token(parser, close)) {
        struct expression *item = parse_ternary(parser);
        if (item == NULL) {
            expression_free(list);
            return NULL;
        }
        vector_push(&list->operands, item);
        if (at_token(parser, TOKEN_COMMA)) {
            if (!advance(parser)) {
                expression_free(list);
                return NULL;
            }
        } else if (!at_token(parser, close)) {
            expression_free(list);
            return fail(parser, expected);
        }
    }
    if (!advance(parser)) {
        expression_free(list);
        return NULL;
    }
    return list;
}

static struct expression *parse_list(struct parser *parser)
{
    struct expression *list = new_expression(EXPRESSION_LIST, parser->lexer.token.offset);
    if (!advance(parser)) {
        expression_free(list);
        return NULL;
    }
    return parse_items(parser, list, TOKEN_CLOSE_BRACKET, "',' or ']'");
}

static struct expression *check_count(struct parser *parser, struct expression *call)
{
    const struct function *function = call->function;
    size_t count = call->operands.count;
    if (count >= function->least && count <= function->most) {
        return call;
    }
    parser->bad_offset = call->offset;
    error_set(parser->err, ERROR_INVALID, "%s() is given %zu argument%s", function->name, count,
              count == 1 ? "" : "s");
    error_hint(parser->err, "%s", function->signature);
    expression_free(call);
    return NULL;
}

static struct expression *parse_call(struct parser *parser, const char *name, size_t offset)
{
    const char *nearest;
    const struct function *function = function_find(name, &nearest);
    if (function == NULL) {
        parser->bad_offset = offset;
        error_set(parser->err, ERROR_INVALID, "there is no function %s()", name);
        if (nearest != NULL) {
            error_hint(parser->err, "did you mean %s()?", nearest);
        }
        return NULL;
    }
    struct expression *call = new_expression(EXPRESSION_CALL, offset);
    call->function = function;
    if (!advance(parser)) {
        expression_free(call);
        return NULL;
    }
    call = parse_items(parser, call, TOKEN_CLOSE_PARENTHESIS, "',' or ')'");
    return call != NULL ? check_count(parser, call) : NULL;
}

static struct expression *parse_name(struct parser *parser)
{
    struct token token = parser->lexer.token;
    if (span_is(token.text, "true") || span_is(token.text, "false")) {
        return literal(parser, json_boolean(span_is(token.text, "true")));
    }
    if (span_is(token.text, "null")) {
        return literal(parser, json_null());
    }
    CLEANUP(memory_cleanup) char *name = memory_text_n(token.text.data, token.text.size_bytes);
    if (!advance(parser)) {
        return NULL;
    }
    if (at_token(parser, TOKEN_OPEN_PARENTHESIS)) {
        return parse_call(parser, name, token.offset);
    }
    struct expression *root = new_expression(EXPRESSION_ROOT, token.offset);
    root->name = memory_text(name);
    return root;
}

static struct expression *parse_parenthesis(struct parser *parser)
{
    if (!advance(parser)) {
        return NULL;
    }
    struct expression *inner = parse_ternary(parser);
    if (inner != NULL && !expect(parser, TOKEN_CLOSE_PARENTHESIS, "')'")) {
        expression_free(inner);
        return NULL;
    }
    return inner;
}

static struct expression *parse_primary(struct parser *parser)
{
    switch (parser->lexer.token.kind) {
    case TOKEN_NUMBER:
        return parse_number(parser);
    case TOKEN_TEXT:
        return parse_text(parser);
    case TOKEN_NAME:
        return parse_name(parser);
    case TOKEN_OPEN_PARENTHESIS:
        return parse_parenthesis(parser);
    case TOKEN_OPEN_BRACKET:
        return parse_list(parser);
    default:
        return fail(parser, "a value");
    }
}

static struct expression *parse_member(struct parser *parser, struct expression *left)
{
    struct token token = parser->lexer.token;
    if (token.kind != TOKEN_NAME) {
        expression_free(left);
        return fail(parser, "a name behind the dot");
    }
    if (!advance(parser)) {
        expression_free(left);
        return NULL;
    }
    struct expression *member = new_expression(EXPRESSION_MEMBER, token.offset);
    member->name = memory_text_n(token.text.data, token.text.size_bytes);
    vector_push(&member->operands, left);
    return member;
}

static struct expression *parse_index(struct parser *parser, struct expression *left)
{
    size_t offset = parser->lexer.token.offset;
    struct expression *index = join_operands(EXPRESSION_INDEX, offset, left, parse_ternary(parser));
    if (index != NULL && !expect(parser, TOKEN_CLOSE_BRACKET, "']'")) {
        expression_free(index);
        return NULL;
    }
    return index;
}

static struct expression *parse_postfix(struct parser *parser)
{
    struct expression *left = parse_primary(parser);
    size_t links = 0;
    while (left != NULL && (at_token(parser, TOKEN_DOT) || at_token(parser, TOKEN_OPEN_BRACKET))) {
        bool dot = at_token(parser, TOKEN_DOT);
        if (++links > EXPRESSION_DEPTH_LIMIT) {
            expression_free(left);
            return fail(parser, "a shorter path");
        }
        if (!advance(parser)) {
            expression_free(left);
            return NULL;
        }
        left = dot ? parse_member(parser, left) : parse_index(parser, left);
    }
    return left;
}

static struct expression *parse_unary(struct parser *parser)
{
    if (!at_token(parser, TOKEN_NOT)) {
        return parse_postfix(parser);
    }
    size_t offset = parser->lexer.token.offset;
    if (++parser->depth > EXPRESSION_DEPTH_LIMIT) {
        return fail(parser, "a simpler expression");
    }
    struct expression *operand = advance(parser) ? parse_unary(parser) : NULL;
    parser->depth--;
    if (operand == NULL) {
        return NULL;
    }
    struct expression *negation = new_expression(EXPRESSION_NOT, offset);
    vector_push(&negation->operands, operand);
    return negation;
}

/* Binary operators by how tightly they bind, loosest first. */
static const struct {
    enum token_kind token;
    enum expression_kind kind;
    unsigned level;
} operators[] = {
    {TOKEN_OR, EXPRESSION_OR, 0},           {TOKEN_AND, EXPRESSION_AND, 1},
    {TOKEN_EQUAL, EXPRESSION_EQUAL, 2},     {TOKEN_UNEQUAL, EXPRESSION_UNEQUAL, 2},
    {TOKEN_LESS, EXPRESSION_LESS, 3},       {TOKEN_LESS_EQUAL, EXPRESSION_LESS_EQUAL, 3},
    {TOKEN_GREATER, EXPRESSION_GREATER, 3}, {TOKEN_GREATER_EQUAL, EXPRESSION_GREATER_EQUAL, 3},
};

enum { TIGHTEST_LEVEL = 3 };

static bool operator_at(const struct parser *parser, unsigned level, enum expression_kind *ret_kind)
{
    for (size_t i = 0; i < ARRAY_SIZE(operators); i++) {
        if (operators[i].level == level && at_token(parser, operators[i].token)) {
            *ret_kind = operators[i].kind;
            return true;
        }
    }
    return false;
}

static struct expression *parse_binary(struct parser *parser, unsigned level)
{
    if (level > TIGHTEST_LEVEL) {
        return parse_unary(parser);
    }
    struct expression *left = parse_binary(parser, level + 1);
    enum expression_kind kind;
    size_t links = 0;
    while (left != NULL && operator_at(parser, level, &kind)) {
        size_t offset = parser->lexer.token.offset;
        if (++links > EXPRESSION_DEPTH_LIMIT) {
            expression_free(left);
            return fail(parser, "a simpler expression");
        }
        struct expression *right = advance(parser) ? parse_binary(parser, level + 1) : NULL;
        left = join_operands(kind, offset, left, right);
    }
    return left;
}

/* Behind the `?`. */
static struct expression *parse_branches(struct parser *parser, struct expression *condition,
                                         size_t offset)
{
    struct expression *yes = parse_ternary(parser);
    if (yes == NULL || !expect(parser, TOKEN_COLON, "':'")) {
        expression_free(condition);
        expression_free(yes);
        return NULL;
    }
    struct expression *choice = join_operands(EXPRESSION_CONDITIONAL, offset, condition, yes);
    struct expression *no = parse_ternary(parser);
    if (no == NULL) {
        expression_free(choice);
        return NULL;
    }
    vector_push(&choice->operands, no);
    return choice;
}

static struct expression *parse_ternary(struct parser *parser)
{
    if (++parser->depth > EXPRESSION_DEPTH_LIMIT) {
        return fail(parser, "a simpler expression");
    }
    struct expression *left = parse_binary(parser, 0);
    if (left != NULL && at_token(parser, TOKEN_QUESTION)) {
        size_t offset = parser->lexer.token.offset;
        if (advance(parser)) {
            left = parse_branches(parser, left, offset);
        } else {
            expression_free(left);
            left = NULL;
        }
    }
    parser->depth--;
    return left;
}

static struct expression *parse_all(struct parser *parser)
{
    if (!advance(parser)) {
        return NULL;
    }
    if (at_token(parser, TOKEN_END)) {
        return fail(parser, "a value");
    }
    struct expression *expression = parse_ternary(parser);
    if (expression != NULL && !at_token(parser, TOKEN_END)) {
        expression_free(expression);
        return fail(parser, "the end of the expression");
    }
    return expression;
}

int expression_parse(const char *text, size_t start, bool in_template, struct expression **ret,
                     size_t *ret_end, struct error *err)
{
    struct parser parser = {
        .lexer = {.text = text, .at = start, .in_template = in_template},
        .start = start,
        .err = err,
    };
    struct expression *expression = parse_all(&parser);
    if (expression == NULL) {
        *ret_end = parser.bad_offset;
        return -1;
    }
    *ret_end = parser.lexer.at;
    *ret = expression;
    return 0;
}
