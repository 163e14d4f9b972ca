/* Taking an argument or an item out: with its whole line when it has one to itself, comment behind
 * it included, and otherwise with one separator. What is added by insert.c is taken out without a
 * trace. */
#include <string.h>

#include "hcl/edit.h"

static const struct hcl_node *node_at(const struct hcl_document *document, size_t index)
{
    return hcl_tree_at(&document->tree, index);
}

static size_t end_of(const struct hcl_node *node)
{
    return node->offset + node->size_bytes;
}

/* The first token at or behind an offset. */
static size_t token_index_at(const struct hcl_document *document, size_t offset)
{
    size_t i = 0;
    while (document->tokens.list.items[i].offset < offset) {
        i++;
    }
    return i;
}

/* True when nothing but white space stands between the line's start and the node. */
static bool begins_line(const struct hcl_document *document, const struct hcl_node *node)
{
    size_t start = hcl_document_line_start(document, node->offset);
    return hcl_document_indent(document, node->offset).size_bytes == node->offset - start;
}

/* The offset behind the newline that ends the node's line, when only a comma and comments stand
 * before it; 0 otherwise. *ret_at_end says that the file ends there without a newline. */
static size_t line_end(const struct hcl_document *document, const struct hcl_node *node,
                       bool *ret_at_end)
{
    const struct hcl_token *token =
        &document->tokens.list.items[token_index_at(document, end_of(node))];
    while (token->kind == HCL_TOKEN_COMMENT ||
           (token->kind == HCL_TOKEN_SYMBOL && token->symbol == ',')) {
        token++;
    }
    *ret_at_end = token->kind == HCL_TOKEN_END;
    bool ends = token->kind == HCL_TOKEN_NEWLINE || *ret_at_end;
    return ends ? token->offset + token->size_bytes : 0;
}

/* Takes out whole lines; false when the node shares them. */
static bool remove_lines(const struct hcl_document *document, const struct hcl_node *node,
                         struct hcl_splices *splices)
{
    bool at_end = false;
    size_t end = line_end(document, node, &at_end);
    if (end == 0 || !begins_line(document, node)) {
        return false;
    }
    size_t start = hcl_document_line_start(document, node->offset);
    size_t bom = hcl_bom_size(buffer_span(&document->bytes));
    if (at_end && start > bom) {
        start--;
        start -= start > bom && document->bytes.data[start - 1] == '\r';
    }
    hcl_splices_add(splices, start, end - start, span_of("", 0));
    return true;
}

static const struct hcl_node *previous_sibling(const struct hcl_document *document, size_t holder)
{
    size_t i = node_at(document, node_at(document, holder)->parent)->first_child;
    if (i == holder) {
        return NULL;
    }
    while (node_at(document, i)->next != holder) {
        i = node_at(document, i)->next;
    }
    return node_at(document, i);
}

/* Takes out an item and the separator behind it, or before it when it is the last. */
static void remove_item(const struct hcl_document *document, size_t holder,
                        struct hcl_splices *splices)
{
    const struct hcl_node *node = node_at(document, holder);
    const struct hcl_node *previous = previous_sibling(document, holder);
    size_t start = node->offset;
    size_t end = end_of(node);
    if (node->next != 0) {
        end = node_at(document, node->next)->offset;
    } else if (previous != NULL) {
        start = end_of(previous);
    }
    hcl_splices_add(splices, start, end - start, span_of("", 0));
}

void hcl_remove(const struct hcl_document *document, size_t holder, struct hcl_splices *splices)
{
    const struct hcl_node *node = node_at(document, holder);
    if (hcl_format_is_native(document->format) && remove_lines(document, node, splices)) {
        return;
    }
    if (node->kind == HCL_ITEM) {
        remove_item(document, holder, splices);
        return;
    }
    size_t end = end_of(node);
    while (end < document->bytes.size_bytes &&
           (document->bytes.data[end] == ' ' || document->bytes.data[end] == '\t')) {
        end++;
    }
    hcl_splices_add(splices, node->offset, end - node->offset, span_of("", 0));
}
