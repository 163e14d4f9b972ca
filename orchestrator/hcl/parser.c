/* Bodies, attributes and blocks of HCL native syntax, with the complaints that terraform has. What
 * it accepts beyond terraform: nothing that is known of; what it leaves to terraform: whether names
 * and types mean something. */
#include "hcl/parser.h"

#include <stdlib.h>

#include "base/memory.h"
#include "base/table.h"

const struct hcl_token *hcl_parser_peek(struct hcl_parser *parser)
{
    const struct hcl_token *tokens = parser->document->tokens.list.items;
    while (tokens[parser->at].kind == HCL_TOKEN_COMMENT ||
           (parser->skip_newlines && tokens[parser->at].kind == HCL_TOKEN_NEWLINE)) {
        parser->at++;
    }
    return &tokens[parser->at];
}

const struct hcl_token *hcl_parser_next(struct hcl_parser *parser)
{
    const struct hcl_token *token = hcl_parser_peek(parser);
    parser->end = token->offset + token->size_bytes;
    if (token->kind != HCL_TOKEN_END) {
        parser->at++;
    }
    return token;
}

bool hcl_parser_is(struct hcl_parser *parser, int symbol)
{
    const struct hcl_token *token = hcl_parser_peek(parser);
    return token->kind == HCL_TOKEN_SYMBOL && token->symbol == symbol;
}

bool hcl_parser_take(struct hcl_parser *parser, int symbol)
{
    if (!hcl_parser_is(parser, symbol)) {
        return false;
    }
    hcl_parser_next(parser);
    return true;
}

static char *token_text(const struct hcl_parser *parser, const struct hcl_token *token)
{
    struct span text = hcl_document_span(parser->document, token->offset, token->size_bytes);
    return memory_text_n(text.data, text.size_bytes);
}

int hcl_parse_plain_string(struct hcl_parser *parser, const char *what, char **ret_text)
{
    hcl_parser_next(parser);
    struct hcl_token text = {0};
    if (hcl_parser_peek(parser)->kind == HCL_TOKEN_TEXT) {
        text = *hcl_parser_next(parser);
    }
    const struct hcl_token *close = hcl_parser_next(parser);
    if (close->kind != HCL_TOKEN_QUOTE_CLOSE) {
        return hcl_parser_fail(parser, close,
                               "invalid string literal: template sequences are not allowed in %s",
                               what);
    }
    struct hcl_meaning meaning = {0};
    size_t bad = 0;
    int result =
        hcl_meaning_decode(hcl_document_span(parser->document, text.offset, text.size_bytes),
                           HCL_QUOTING_TEMPLATE, &meaning, &bad);
    if (result != 0) {
        text.offset += bad;
        hcl_parser_fail(parser, &text, "invalid escape sequence");
    } else {
        *ret_text = memory_text(buffer_text(&meaning.text));
    }
    hcl_meaning_release(&meaning);
    return result;
}

/* An argument ends at its newline, at the end of the file, or at the brace of a one-line block. */
static int end_of_argument(struct hcl_parser *parser, bool one_line)
{
    const struct hcl_token *token = hcl_parser_peek(parser);
    if (token->kind == HCL_TOKEN_NEWLINE || token->kind == HCL_TOKEN_END) {
        return 0;
    }
    if (one_line && hcl_parser_is(parser, '}')) {
        return 0;
    }
    if (one_line) {
        return hcl_parser_fail(parser, token,
                               "invalid single-argument block definition: a one-line block can "
                               "hold a single argument only");
    }
    return hcl_parser_fail(parser, token,
                           "missing newline after argument: an argument definition must end with "
                           "a newline");
}

static int parse_attribute(struct hcl_parser *parser, const struct hcl_token *name, size_t body,
                           bool one_line)
{
    struct hcl_tree *tree = &parser->document->tree;
    hcl_parser_next(parser); /* '=' */
    const struct hcl_token *value_token = hcl_parser_peek(parser);
    if (value_token->kind == HCL_TOKEN_NEWLINE || value_token->kind == HCL_TOKEN_END) {
        return hcl_parser_fail(parser, value_token,
                               "invalid expression: expected the start of an expression behind "
                               "'=' on the same line");
    }
    size_t value = 0;
    if (hcl_parse_expression(parser, &value) != 0) {
        return -1;
    }
    size_t end = parser->end;
    CLEANUP(memory_cleanup) char *text = token_text(parser, name);
    size_t attribute = hcl_tree_add(tree, HCL_ATTRIBUTE, name->offset);
    struct hcl_node *node = &tree->nodes.items[attribute];
    node->name_offset = name->offset;
    node->name_size_bytes = name->size_bytes;
    node->name = text;
    text = NULL;
    hcl_tree_attach(tree, attribute, value);
    hcl_tree_end(tree, attribute, end);
    hcl_tree_attach(tree, body, attribute);
    return end_of_argument(parser, one_line);
}

static int parse_body(struct hcl_parser *parser, size_t body, bool is_root);

static int parse_label(struct hcl_parser *parser, size_t block)
{
    struct hcl_tree *tree = &parser->document->tree;
    const struct hcl_token *token = hcl_parser_peek(parser);
    char *text = NULL;
    if (token->kind == HCL_TOKEN_IDENTIFIER) {
        text = token_text(parser, hcl_parser_next(parser));
    } else if (hcl_parse_plain_string(parser, "a block label", &text) != 0) {
        return -1;
    }
    size_t label = hcl_tree_add(tree, HCL_LABEL, token->offset);
    tree->nodes.items[label].name = text;
    hcl_tree_end(tree, label, parser->end);
    hcl_tree_attach(tree, block, label);
    return 0;
}

/* "{ a = 1 }" or "{}": the brace is taken already. */
static int parse_one_line_body(struct hcl_parser *parser, size_t body)
{
    const struct hcl_token *name = hcl_parser_peek(parser);
    if (!hcl_parser_is(parser, '}')) {
        if (name->kind != HCL_TOKEN_IDENTIFIER) {
            return hcl_parser_fail(parser, name,
                                   "invalid single-argument block definition: a one-line block "
                                   "holds one argument or nothing");
        }
        hcl_parser_next(parser);
        if (!hcl_parser_is(parser, '=')) {
            return hcl_parser_fail(parser, hcl_parser_peek(parser),
                                   "argument definition required: a one-line block can hold a "
                                   "single argument only");
        }
        if (parse_attribute(parser, name, body, true) != 0) {
            return -1;
        }
    }
    if (!hcl_parser_take(parser, '}')) {
        return hcl_parser_fail(parser, hcl_parser_peek(parser),
                               "invalid single-argument block definition: it must end with '}' "
                               "on the same line");
    }
    return 0;
}

static int parse_block_body(struct hcl_parser *parser, size_t block)
{
    struct hcl_tree *tree = &parser->document->tree;
    const struct hcl_token *open = hcl_parser_next(parser); /* '{' */
    size_t body = hcl_tree_add(tree, HCL_BODY, open->offset);
    hcl_tree_attach(tree, block, body);
    if (++parser->depth > HCL_DEPTH_LIMIT) {
        return hcl_parser_fail(parser, open, "blocks are nested too deep");
    }
    int result = hcl_parser_peek(parser)->kind == HCL_TOKEN_NEWLINE
                     ? parse_body(parser, body, false)
                     : parse_one_line_body(parser, body);
    if (result != 0) {
        return -1;
    }
    parser->depth--;
    hcl_tree_end(tree, body, parser->end);
    hcl_tree_end(tree, block, parser->end);
    const struct hcl_token *after = hcl_parser_peek(parser);
    if (after->kind != HCL_TOKEN_NEWLINE && after->kind != HCL_TOKEN_END) {
        return hcl_parser_fail(parser, after,
                               "missing newline after block definition: a block must end with a "
                               "newline");
    }
    return 0;
}

static int parse_block(struct hcl_parser *parser, const struct hcl_token *type, size_t body)
{
    struct hcl_tree *tree = &parser->document->tree;
    if (parser->document->format == HCL_FORMAT_VALUES) {
        return hcl_parser_fail(parser, type,
                               "unexpected block: a file of variable values holds arguments only");
    }
    size_t block = hcl_tree_add(tree, HCL_BLOCK, type->offset);
    struct hcl_node *node = &tree->nodes.items[block];
    node->name_offset = type->offset;
    node->name_size_bytes = type->size_bytes;
    node->name = token_text(parser, type);
    hcl_tree_attach(tree, body, block);
    for (;;) {
        const struct hcl_token *token = hcl_parser_peek(parser);
        if (hcl_parser_is(parser, '{')) {
            return parse_block_body(parser, block);
        }
        if (token->kind != HCL_TOKEN_IDENTIFIER && token->kind != HCL_TOKEN_QUOTE_OPEN) {
            return hcl_parser_fail(parser, token,
                                   "invalid block definition: expected '{' or a label on the "
                                   "same line");
        }
        if (parse_label(parser, block) != 0) {
            return -1;
        }
    }
}

/* One argument or block. */
static int parse_item(struct hcl_parser *parser, size_t body, struct table *seen)
{
    const struct hcl_token *name = hcl_parser_next(parser);
    if (name->kind == HCL_TOKEN_QUOTE_OPEN) {
        return hcl_parser_fail(parser, name,
                               "invalid argument name: argument names must not be quoted");
    }
    if (name->kind != HCL_TOKEN_IDENTIFIER) {
        return hcl_parser_fail(parser, name, "an argument or block definition is required here");
    }
    const struct hcl_token *after = hcl_parser_peek(parser);
    if (!hcl_parser_is(parser, '=')) {
        if (after->kind == HCL_TOKEN_IDENTIFIER || after->kind == HCL_TOKEN_QUOTE_OPEN ||
            hcl_parser_is(parser, '{')) {
            return parse_block(parser, name, body);
        }
        return hcl_parser_fail(parser, name,
                               "an argument or block definition is required here: to set an "
                               "argument, use '=' behind its name");
    }
    CLEANUP(memory_cleanup) char *text = token_text(parser, name);
    size_t earlier = 0;
    if (table_get(seen, text, &earlier)) {
        size_t line = 0;
        size_t column = 0;
        hcl_position(buffer_span(&parser->document->bytes), earlier, &line, &column);
        return hcl_parser_fail(parser, name, "attribute redefined: %s was already set on line %zu",
                               text, line);
    }
    table_set(seen, text, name->offset);
    return parse_attribute(parser, name, body, false);
}

static int parse_body(struct hcl_parser *parser, size_t body, bool is_root)
{
    CLEANUP(table_release) struct table seen = {0};
    for (;;) {
        const struct hcl_token *token = hcl_parser_peek(parser);
        if (token->kind == HCL_TOKEN_NEWLINE) {
            hcl_parser_next(parser);
        } else if (!is_root && hcl_parser_take(parser, '}')) {
            return 0;
        } else if (token->kind == HCL_TOKEN_END) {
            const struct hcl_node *node = hcl_tree_at(&parser->document->tree, body);
            return is_root ? 0
                           : hcl_document_error(parser->document, parser->err, node->offset,
                                                "unclosed configuration block: there is no "
                                                "closing brace before the end of the file");
        } else if (parse_item(parser, body, &seen) != 0) {
            return -1;
        }
    }
}

int hcl_parse(struct hcl_document *document, struct error *err)
{
    struct hcl_parser parser = {.document = document, .err = err};
    size_t root = hcl_tree_add(&document->tree, HCL_BODY, 0);
    if (parse_body(&parser, root, true) != 0) {
        return -1;
    }
    hcl_tree_end(&document->tree, root, document->bytes.size_bytes);
    return 0;
}
