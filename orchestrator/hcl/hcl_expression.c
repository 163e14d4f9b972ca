/* Expressions, by recursive descent. Only literals, objects and tuples are worth a node of their
 * own; whatever else there is becomes an EXPRESSION that holds them, so that every literal of a
 * file is in the tree and it is known which of them are keys. In files of variable values, names
 * and functions are errors, as they are for terraform. */
#include "hcl/parser.h"

#include <stdlib.h>

#include "base/memory.h"

enum { SEQUENCE_DEPTH_LIMIT = 64 }; /* of %{ if } in %{ for } in one template */

static int parse_ternary(struct hcl_parser *parser, size_t *ret_node);

static struct hcl_tree *tree_of(struct hcl_parser *parser)
{
    return &parser->document->tree;
}

static bool is_word(struct hcl_parser *parser, const char *word)
{
    const struct hcl_token *token = hcl_parser_peek(parser);
    return token->kind == HCL_TOKEN_IDENTIFIER &&
           span_is(hcl_document_span(parser->document, token->offset, token->size_bytes), word);
}

static int expect(struct hcl_parser *parser, int symbol, const char *message)
{
    if (hcl_parser_take(parser, symbol)) {
        return 0;
    }
    return hcl_parser_fail(parser, hcl_parser_peek(parser), "%s", message);
}

static int enter(struct hcl_parser *parser)
{
    if (++parser->depth > HCL_DEPTH_LIMIT) {
        return hcl_parser_fail(parser, hcl_parser_peek(parser),
                               "expressions are nested more than %d deep", HCL_DEPTH_LIMIT);
    }
    return 0;
}

/* Makes *node the first child of a new EXPRESSION, unless it is one already. */
static void wrap(struct hcl_parser *parser, size_t *node)
{
    struct hcl_tree *tree = tree_of(parser);
    if (hcl_tree_at(tree, *node)->kind != HCL_EXPRESSION) {
        size_t outer = hcl_tree_add(tree, HCL_EXPRESSION, hcl_tree_at(tree, *node)->offset);
        hcl_tree_attach(tree, outer, *node);
        *node = outer;
    }
}

/* Parses an expression inside brackets and hangs it under parent. */
static int parse_inner(struct hcl_parser *parser, size_t parent)
{
    size_t child = 0;
    if (parse_ternary(parser, &child) != 0) {
        return -1;
    }
    hcl_tree_attach(tree_of(parser), parent, child);
    return 0;
}

static int check_escapes(struct hcl_parser *parser, const struct hcl_token *text)
{
    struct hcl_meaning meaning = {0};
    size_t bad = 0;
    struct span source = hcl_document_span(parser->document, text->offset, text->size_bytes);
    int result = hcl_meaning_decode(source, HCL_QUOTING_TEMPLATE, &meaning, &bad);
    hcl_meaning_release(&meaning);
    if (result != 0) {
        hcl_document_error(parser->document, parser->err, text->offset + bad,
                           "invalid escape sequence");
        return error_hint(parser->err, "known are \\n \\r \\t \\\" \\\\ \\uNNNN and \\UNNNNNNNN");
    }
    return 0;
}

/* The directives of one template that are open: 'i'f, 'e'lse or 'f'or. */
struct directives {
    char open[SEQUENCE_DEPTH_LIMIT];
    size_t count;
};

static int parse_for_intro(struct hcl_parser *parser, size_t parent);

static int open_directive(struct hcl_parser *parser, struct directives *directives, char kind)
{
    if (directives->count == SEQUENCE_DEPTH_LIMIT) {
        return hcl_parser_fail(parser, hcl_parser_peek(parser),
                               "template directives are nested too deep");
    }
    directives->open[directives->count++] = kind;
    return 0;
}

/* What stands between "%{" and "}". */
static int parse_directive(struct hcl_parser *parser, size_t parent, struct directives *directives)
{
    const struct hcl_token *keyword = hcl_parser_peek(parser);
    char top = '\0';
    if (directives->count > 0) {
        top = directives->open[directives->count - 1];
    }
    if (is_word(parser, "if")) {
        hcl_parser_next(parser);
        return open_directive(parser, directives, 'i') != 0 ? -1 : parse_inner(parser, parent);
    }
    if (is_word(parser, "for")) {
        hcl_parser_next(parser);
        parser->for_depth++; /* until the file ends: names of a loop may be anywhere behind it */
        return open_directive(parser, directives, 'f') != 0 ? -1 : parse_for_intro(parser, parent);
    }
    bool fits = (is_word(parser, "else") && top == 'i') ||
                (is_word(parser, "endif") && (top == 'i' || top == 'e')) ||
                (is_word(parser, "endfor") && top == 'f');
    if (!fits) {
        return hcl_parser_fail(parser, keyword,
                               "invalid template directive: expected if, for, or the else, endif "
                               "or endfor of one that is open");
    }
    if (is_word(parser, "else")) {
        directives->open[directives->count - 1] = 'e';
    } else {
        directives->count--;
        parser->for_depth -= top == 'f';
    }
    hcl_parser_next(parser);
    return 0;
}

static int parse_sequence(struct hcl_parser *parser, size_t parent, struct directives *directives)
{
    int sign = hcl_parser_next(parser)->symbol;
    bool skip_newlines = parser->skip_newlines;
    parser->skip_newlines = true;
    int result =
        sign == '$' ? parse_inner(parser, parent) : parse_directive(parser, parent, directives);
    if (result == 0 && hcl_parser_peek(parser)->kind != HCL_TOKEN_SEQUENCE_CLOSE) {
        result = hcl_parser_fail(parser, hcl_parser_peek(parser),
                                 "extra characters after the expression of a template sequence: "
                                 "expected a closing brace");
    }
    if (result == 0) {
        hcl_parser_next(parser);
    }
    parser->skip_newlines = skip_newlines;
    return result;
}

static int parse_template(struct hcl_parser *parser, enum hcl_token_kind close, size_t *ret_node)
{
    struct hcl_tree *tree = tree_of(parser);
    const struct hcl_token *open = hcl_parser_next(parser);
    bool heredoc = open->kind == HCL_TOKEN_HEREDOC_OPEN;
    size_t node = hcl_tree_add(tree, heredoc ? HCL_HEREDOC : HCL_STRING, open->offset);
    struct directives directives = {.count = 0};
    for (;;) {
        const struct hcl_token *token = hcl_parser_peek(parser);
        if (token->kind == close) {
            break;
        }
        if (token->kind == HCL_TOKEN_SEQUENCE_OPEN) {
            tree->nodes.items[node].has_sequences = true;
            if (parse_sequence(parser, node, &directives) != 0) {
                return -1;
            }
        } else {
            hcl_parser_next(parser);
            if (token->kind == HCL_TOKEN_TEXT && check_escapes(parser, token) != 0) {
                return -1;
            }
        }
    }
    const struct hcl_token *end = hcl_parser_next(parser);
    if (directives.count > 0) {
        return hcl_parser_fail(parser, end,
                               "unexpected end of template: a directive has no endif or endfor");
    }
    if (!heredoc && hcl_tree_at(tree, node)->has_sequences) {
        tree->nodes.items[node].kind = HCL_TEMPLATE;
    }
    hcl_tree_end(tree, node, end->offset + end->size_bytes);
    *ret_node = node;
    return 0;
}

/* "k, v in collection" and the ':' behind it is the caller's. */
static int parse_for_intro(struct hcl_parser *parser, size_t parent)
{
    for (int names = 0;; names++) {
        const struct hcl_token *name = hcl_parser_next(parser);
        if (name->kind != HCL_TOKEN_IDENTIFIER || names == 2) {
            return hcl_parser_fail(parser, name,
                                   "invalid 'for' expression: expected one or two variable names");
        }
        if (!hcl_parser_take(parser, ',')) {
            break;
        }
    }
    if (!is_word(parser, "in")) {
        return hcl_parser_fail(parser, hcl_parser_peek(parser),
                               "invalid 'for' expression: expected 'in' behind the names");
    }
    hcl_parser_next(parser);
    return parse_inner(parser, parent);
}

/* Behind "[" or "{" with "for" next; close is the bracket that ends it. */
static int parse_for(struct hcl_parser *parser, size_t node, int close)
{
    tree_of(parser)->nodes.items[node].kind = HCL_EXPRESSION;
    hcl_parser_next(parser);
    parser->for_depth++;
    if (parse_for_intro(parser, node) != 0 ||
        expect(parser, ':', "invalid 'for' expression: expected ':' behind the collection") != 0 ||
        parse_inner(parser, node) != 0) {
        return -1;
    }
    if (close == '}') {
        if (expect(parser, HCL_SYMBOL_ARROW,
                   "invalid 'for' expression: expected '=>' behind the key") != 0 ||
            parse_inner(parser, node) != 0) {
            return -1;
        }
        hcl_parser_take(parser, HCL_SYMBOL_ELLIPSIS);
    }
    if (is_word(parser, "if")) {
        hcl_parser_next(parser);
        if (parse_inner(parser, node) != 0) {
            return -1;
        }
    }
    parser->for_depth--;
    return expect(parser, close, "invalid 'for' expression: extra characters behind it");
}

static int parse_tuple(struct hcl_parser *parser, size_t node)
{
    if (is_word(parser, "for")) {
        return parse_for(parser, node, ']');
    }
    while (!hcl_parser_take(parser, ']')) {
        if (parse_inner(parser, node) != 0) {
            return -1;
        }
        if (!hcl_parser_take(parser, ',') && !hcl_parser_is(parser, ']')) {
            return hcl_parser_fail(parser, hcl_parser_peek(parser),
                                   "missing item separator: expected a comma between items");
        }
    }
    return 0;
}

/* The key of an object's item into item's name, which stays NULL for one that is computed. */
static int parse_key(struct hcl_parser *parser, size_t item)
{
    struct hcl_tree *tree = tree_of(parser);
    const struct hcl_token *first = hcl_parser_peek(parser);
    size_t for_depth = parser->for_depth;
    parser->for_depth++; /* a bare name is a key here, not a variable */
    size_t key = 0;
    if (parse_ternary(parser, &key) != 0) {
        return -1;
    }
    parser->for_depth = for_depth;
    size_t end = parser->end;
    struct hcl_node *node = &tree->nodes.items[item];
    node->name_offset = first->offset;
    node->name_size_bytes = end - first->offset;
    enum hcl_node_kind kind = hcl_tree_at(tree, key)->kind;
    struct span text = hcl_document_span(parser->document, first->offset, end - first->offset);
    if (kind == HCL_STRING) {
        struct hcl_meaning meaning = {0};
        size_t bad = 0;
        int result = hcl_meaning_decode(span_of(text.data + 1, text.size_bytes - 2),
                                        HCL_QUOTING_TEMPLATE, &meaning, &bad);
        node->name = result == 0 ? memory_text(buffer_text(&meaning.text)) : NULL;
        hcl_meaning_release(&meaning);
    } else if (kind == HCL_NUMBER ||
               (first->kind == HCL_TOKEN_IDENTIFIER && first->size_bytes == text.size_bytes)) {
        node->name = memory_text_n(text.data, text.size_bytes);
    }
    return 0;
}

static int parse_object_item(struct hcl_parser *parser, size_t object)
{
    struct hcl_tree *tree = tree_of(parser);
    size_t item = hcl_tree_add(tree, HCL_ITEM, hcl_parser_peek(parser)->offset);
    if (parse_key(parser, item) != 0) {
        return -1;
    }
    if (!hcl_parser_take(parser, '=') && !hcl_parser_take(parser, ':')) {
        return hcl_parser_fail(parser, hcl_parser_peek(parser),
                               "missing attribute value: expected '=' or ':' behind the key");
    }
    if (parse_inner(parser, item) != 0) {
        return -1;
    }
    hcl_tree_end(tree, item, parser->end);
    hcl_tree_attach(tree, object, item);
    const struct hcl_token *after = hcl_parser_peek(parser);
    if (after->kind == HCL_TOKEN_NEWLINE || hcl_parser_is(parser, '}') ||
        hcl_parser_take(parser, ',')) {
        return 0;
    }
    return hcl_parser_fail(parser, after,
                           "missing attribute separator: expected a newline or comma");
}

static int parse_object(struct hcl_parser *parser, size_t node)
{
    parser->skip_newlines = true;
    if (is_word(parser, "for")) {
        return parse_for(parser, node, '}');
    }
    parser->skip_newlines = false;
    while (!hcl_parser_take(parser, '}')) {
        if (hcl_parser_peek(parser)->kind == HCL_TOKEN_NEWLINE) {
            hcl_parser_next(parser);
        } else if (parse_object_item(parser, node) != 0) {
            return -1;
        }
    }
    return 0;
}

/* "(…)", "[…]" and "{…}". */
static int parse_bracketed(struct hcl_parser *parser, size_t *ret_node)
{
    struct hcl_tree *tree = tree_of(parser);
    bool skip_newlines = parser->skip_newlines;
    parser->skip_newlines = true;
    const struct hcl_token *open = hcl_parser_next(parser);
    enum hcl_node_kind kind = open->symbol == '['   ? HCL_TUPLE
                              : open->symbol == '{' ? HCL_OBJECT
                                                    : HCL_EXPRESSION;
    size_t node = hcl_tree_add(tree, kind, open->offset);
    int result = 0;
    if (kind == HCL_TUPLE) {
        result = parse_tuple(parser, node);
    } else if (kind == HCL_OBJECT) {
        result = parse_object(parser, node);
    } else {
        result = parse_inner(parser, node);
        if (result == 0) {
            result = expect(parser, ')', "unbalanced parentheses: expected a closing one");
        }
    }
    parser->skip_newlines = skip_newlines;
    if (result == 0) {
        hcl_tree_end(tree, node, parser->end);
        *ret_node = node;
    }
    return result;
}

/* Behind the "(" of a function call. */
static int parse_arguments(struct hcl_parser *parser, size_t node)
{
    bool skip_newlines = parser->skip_newlines;
    parser->skip_newlines = true;
    while (!hcl_parser_take(parser, ')')) {
        if (parse_inner(parser, node) != 0) {
            return -1;
        }
        hcl_parser_take(parser, HCL_SYMBOL_ELLIPSIS);
        if (!hcl_parser_take(parser, ',') && !hcl_parser_is(parser, ')')) {
            return hcl_parser_fail(parser, hcl_parser_peek(parser),
                                   "missing argument separator: expected a comma or ')'");
        }
    }
    parser->skip_newlines = skip_newlines;
    return 0;
}

static int refuse_in_values(struct hcl_parser *parser, const struct hcl_token *name, bool call)
{
    if (parser->document->format != HCL_FORMAT_VALUES || (!call && parser->for_depth > 0)) {
        return 0;
    }
    hcl_parser_fail(parser, name, "%s not allowed: variable values must be literals",
                    call ? "function calls are" : "variables are");
    return call ? -1 : error_hint(parser->err, "strings need double quotes");
}

static int parse_name(struct hcl_parser *parser, size_t *ret_node)
{
    struct hcl_tree *tree = tree_of(parser);
    bool keyword = is_word(parser, "true") || is_word(parser, "false") || is_word(parser, "null");
    const struct hcl_token *name = hcl_parser_next(parser);
    size_t node = hcl_tree_add(tree, keyword ? HCL_KEYWORD : HCL_EXPRESSION, name->offset);
    while (hcl_parser_take(parser, HCL_SYMBOL_NAMESPACE)) {
        if (hcl_parser_next(parser)->kind != HCL_TOKEN_IDENTIFIER) {
            return hcl_parser_fail(parser, name, "missing function name behind '::'");
        }
    }
    if (hcl_parser_is(parser, '(')) {
        tree->nodes.items[node].kind = HCL_EXPRESSION;
        if (refuse_in_values(parser, name, true) != 0) {
            return -1;
        }
        hcl_parser_next(parser);
        if (parse_arguments(parser, node) != 0) {
            return -1;
        }
    } else if (!keyword && refuse_in_values(parser, name, false) != 0) {
        return -1;
    }
    hcl_tree_end(tree, node, parser->end);
    *ret_node = node;
    return 0;
}

static int parse_term(struct hcl_parser *parser, size_t *ret_node)
{
    const struct hcl_token *token = hcl_parser_peek(parser);
    switch (token->kind) {
    case HCL_TOKEN_NUMBER:
        hcl_parser_next(parser);
        *ret_node = hcl_tree_add(tree_of(parser), HCL_NUMBER, token->offset);
        hcl_tree_end(tree_of(parser), *ret_node, token->offset + token->size_bytes);
        return 0;
    case HCL_TOKEN_QUOTE_OPEN:
        return parse_template(parser, HCL_TOKEN_QUOTE_CLOSE, ret_node);
    case HCL_TOKEN_HEREDOC_OPEN:
        return parse_template(parser, HCL_TOKEN_HEREDOC_CLOSE, ret_node);
    case HCL_TOKEN_IDENTIFIER:
        return parse_name(parser, ret_node);
    default:
        if (hcl_parser_is(parser, '(') || hcl_parser_is(parser, '[') ||
            hcl_parser_is(parser, '{')) {
            return parse_bracketed(parser, ret_node);
        }
        return hcl_parser_fail(parser, token,
                               "invalid expression: expected the start of an expression");
    }
}

/* Behind "[": an index or a splat. */
static int parse_index(struct hcl_parser *parser, size_t node)
{
    bool skip_newlines = parser->skip_newlines;
    parser->skip_newlines = true;
    int result = hcl_parser_take(parser, '*') ? 0 : parse_inner(parser, node);
    if (result == 0) {
        result = expect(parser, ']', "missing close bracket on index");
    }
    parser->skip_newlines = skip_newlines;
    return result;
}

/* Behind ".": a name, a splat or a legacy index. */
static int parse_member(struct hcl_parser *parser)
{
    const struct hcl_token *token = hcl_parser_peek(parser);
    struct span text = hcl_document_span(parser->document, token->offset, token->size_bytes);
    if (token->kind == HCL_TOKEN_NUMBER && memchr(text.data, '.', text.size_bytes) != NULL) {
        return hcl_parser_fail(parser, token,
                               "invalid legacy index syntax: write the indexes in brackets");
    }
    if (token->kind != HCL_TOKEN_IDENTIFIER && token->kind != HCL_TOKEN_NUMBER &&
        !hcl_parser_is(parser, '*')) {
        return hcl_parser_fail(parser, token, "invalid attribute name behind '.'");
    }
    hcl_parser_next(parser);
    return 0;
}

static int parse_traversal(struct hcl_parser *parser, size_t *ret_node)
{
    if (parse_term(parser, ret_node) != 0) {
        return -1;
    }
    for (;;) {
        bool member = hcl_parser_is(parser, '.');
        if (!member && !hcl_parser_is(parser, '[')) {
            return 0;
        }
        hcl_parser_next(parser);
        wrap(parser, ret_node);
        if ((member ? parse_member(parser) : parse_index(parser, *ret_node)) != 0) {
            return -1;
        }
        hcl_tree_end(tree_of(parser), *ret_node, parser->end);
    }
}

static int parse_unary(struct hcl_parser *parser, size_t *ret_node)
{
    size_t start = hcl_parser_peek(parser)->offset;
    bool has_sign = false;
    while (hcl_parser_take(parser, '-') || hcl_parser_take(parser, '!')) {
        has_sign = true;
    }
    if (parse_traversal(parser, ret_node) != 0) {
        return -1;
    }
    if (has_sign) {
        size_t inner = *ret_node;
        *ret_node = hcl_tree_add(tree_of(parser), HCL_EXPRESSION, start);
        hcl_tree_attach(tree_of(parser), *ret_node, inner);
        hcl_tree_end(tree_of(parser), *ret_node, parser->end);
    }
    return 0;
}

static bool take_binary_operator(struct hcl_parser *parser)
{
    static const int operators[] = {'+',
                                    '-',
                                    '*',
                                    '/',
                                    '%',
                                    '<',
                                    '>',
                                    HCL_SYMBOL_EQUAL,
                                    HCL_SYMBOL_NOT_EQUAL,
                                    HCL_SYMBOL_LESS_EQUAL,
                                    HCL_SYMBOL_GREATER_EQUAL,
                                    HCL_SYMBOL_AND,
                                    HCL_SYMBOL_OR};
    for (size_t i = 0; i < ARRAY_SIZE(operators); i++) {
        if (hcl_parser_take(parser, operators[i])) {
            return true;
        }
    }
    return false;
}

/* A chain of operands: which operator binds tighter changes no place of any literal. */
static int parse_binary(struct hcl_parser *parser, size_t *ret_node)
{
    if (parse_unary(parser, ret_node) != 0) {
        return -1;
    }
    while (take_binary_operator(parser)) {
        size_t operand = 0;
        wrap(parser, ret_node);
        if (parse_unary(parser, &operand) != 0) {
            return -1;
        }
        hcl_tree_attach(tree_of(parser), *ret_node, operand);
        hcl_tree_end(tree_of(parser), *ret_node, parser->end);
    }
    return 0;
}

static int parse_ternary(struct hcl_parser *parser, size_t *ret_node)
{
    if (enter(parser) != 0 || parse_binary(parser, ret_node) != 0) {
        return -1;
    }
    if (hcl_parser_take(parser, '?')) {
        wrap(parser, ret_node);
        if (parse_inner(parser, *ret_node) != 0 ||
            expect(parser, ':', "missing false expression in conditional: expected ':'") != 0 ||
            parse_inner(parser, *ret_node) != 0) {
            return -1;
        }
        hcl_tree_end(tree_of(parser), *ret_node, parser->end);
    }
    parser->depth--;
    return 0;
}

int hcl_parse_expression(struct hcl_parser *parser, size_t *ret_node)
{
    return parse_ternary(parser, ret_node);
}
