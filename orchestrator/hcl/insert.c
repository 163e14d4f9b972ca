/* New arguments and items, written as their neighbours are: indentation, the place of the equals
 * sign, commas, line ends. The last line of a file that has no newline gets none. */
#include <string.h>

#include "hcl/edit.h"
#include "hcl/identifier.h"
#include "hcl/value.h"

static const struct hcl_node *node_at(const struct hcl_document *document, size_t index)
{
    return hcl_tree_at(&document->tree, index);
}

static size_t end_of(const struct hcl_node *node)
{
    return node->offset + node->size_bytes;
}

static bool has_newline(const struct hcl_document *document, size_t from, size_t to)
{
    return to > from && memchr(document->bytes.data + from, '\n', to - from) != NULL;
}

/* The first token at or behind an offset. */
static const struct hcl_token *token_at(const struct hcl_document *document, size_t offset)
{
    size_t low = 0;
    size_t high = document->tokens.list.count - 1;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (document->tokens.list.items[middle].offset < offset) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return &document->tokens.list.items[low];
}

/* The newline that ends the line of an offset, past a comment; NULL when something else or the end
 * of the file comes first. */
static const struct hcl_token *newline_behind(const struct hcl_document *document, size_t offset)
{
    const struct hcl_token *token = token_at(document, offset);
    while (token->kind == HCL_TOKEN_COMMENT ||
           (token->kind == HCL_TOKEN_SYMBOL && token->symbol == ',')) {
        token++;
    }
    return token->kind == HCL_TOKEN_NEWLINE ? token : NULL;
}

static size_t last_attribute(const struct hcl_document *document, size_t body)
{
    size_t last = 0;
    for (size_t i = node_at(document, body)->first_child; i != 0; i = node_at(document, i)->next) {
        if (node_at(document, i)->kind == HCL_ATTRIBUTE) {
            last = i;
        }
    }
    return last;
}

/* "name = value" with the equals sign below that of the neighbour, when it is on one line. */
static void append_pair(struct buffer *out, const struct hcl_document *document, const char *name,
                        const json_t *value, const struct hcl_node *neighbour, struct span indent)
{
    size_t start = out->size_bytes;
    size_t width = 0;
    const char *sign = " = ";
    hcl_key_append(out, name, document);
    bool lines = json_is_object(value) && json_object_size(value) > 0;
    if (neighbour != NULL && !lines &&
        !has_newline(document, neighbour->offset, end_of(neighbour))) {
        size_t at = neighbour->name_offset + neighbour->name_size_bytes;
        size_t equals = at + strcspn(document->bytes.data + at, "=:\"{[");
        char found = document->bytes.data[equals];
        width = equals - neighbour->name_offset;
        sign = found == ':' ? ": " : width == neighbour->name_size_bytes ? "=" : "= ";
        width -= found == ':' ? width : 0;
        if (width > neighbour->name_size_bytes) {
            buffer_append_char(out, ' ');
        }
    }
    while (width > 0 && out->size_bytes - start < width) {
        buffer_append_char(out, ' ');
    }
    buffer_append_text(out, sign);
    struct hcl_layout layout = {.newline = hcl_document_newline(document),
                                .unit = span_starts_with(indent, "\t")
                                            ? span_of_text("\t")
                                            : hcl_document_unit(document, 0),
                                .indent = indent,
                                .several_lines = lines};
    hcl_value_append(out, value, document, &layout);
}

/* Behind the last argument, on a line of its own. */
static void insert_behind(const struct hcl_document *document, const struct hcl_node *last,
                          const char *name, const json_t *value, struct hcl_splices *splices)
{
    const char *newline = hcl_document_newline(document);
    struct span indent = hcl_document_indent(document, last->offset);
    const struct hcl_token *end = newline_behind(document, end_of(last));
    CLEANUP(buffer_release) struct buffer text = BUFFER_INIT;
    if (end == NULL) {
        buffer_append_text(&text, newline);
    }
    buffer_append_span(&text, indent);
    append_pair(&text, document, name, value, last, indent);
    if (end != NULL) {
        buffer_append_text(&text, newline);
    }
    hcl_splices_add(splices,
                    end != NULL ? end->offset + end->size_bytes : document->bytes.size_bytes, 0,
                    buffer_span(&text));
}

/* Into a block without arguments: before what else is in it. A one-line block grows lines. */
static void insert_into_block(const struct hcl_document *document, size_t body, const char *name,
                              const json_t *value, struct hcl_splices *splices)
{
    const struct hcl_node *node = node_at(document, body);
    const char *newline = hcl_document_newline(document);
    struct span outer = hcl_document_indent(document, node_at(document, node->parent)->offset);
    bool one_line = !has_newline(document, node->offset, end_of(node));
    CLEANUP(buffer_release) struct buffer indent = BUFFER_INIT;
    CLEANUP(buffer_release) struct buffer text = BUFFER_INIT;
    buffer_append_span(&indent, outer);
    buffer_append_span(&indent, hcl_document_unit(document, node->offset));
    buffer_append_text(&text, newline);
    buffer_append_span(&text, buffer_span(&indent));
    append_pair(&text, document, name, value, NULL, buffer_span(&indent));
    if (one_line) {
        buffer_append_text(&text, newline);
        buffer_append_span(&text, outer);
    }
    size_t inner = node->offset + 1;
    size_t removed = one_line ? end_of(node) - 1 - inner : 0;
    hcl_splices_add(splices, inner, removed, buffer_span(&text));
}

/* "{ a = 1 }" becomes three lines and a new one. */
static void expand_block(const struct hcl_document *document, size_t body, size_t last,
                         const char *name, const json_t *value, struct hcl_splices *splices)
{
    const struct hcl_node *node = node_at(document, body);
    const struct hcl_node *only = node_at(document, last);
    struct span outer = hcl_document_indent(document, node->offset);
    CLEANUP(buffer_release) struct buffer line = BUFFER_INIT; /* newline and inner indentation */
    CLEANUP(buffer_release) struct buffer text = BUFFER_INIT;
    buffer_append_text(&line, hcl_document_newline(document));
    size_t newline_bytes = line.size_bytes;
    buffer_append_span(&line, outer);
    buffer_append_span(&line, hcl_document_unit(document, node->offset));
    hcl_splices_add(splices, node->offset + 1, only->offset - node->offset - 1, buffer_span(&line));
    buffer_append_span(&text, buffer_span(&line));
    append_pair(&text, document, name, value, only,
                span_of(line.data + newline_bytes, line.size_bytes - newline_bytes));
    buffer_append_text(&text, hcl_document_newline(document));
    buffer_append_span(&text, outer);
    hcl_splices_add(splices, end_of(only), end_of(node) - 1 - end_of(only), buffer_span(&text));
}

/* Into a file of values that has none: at its end. */
static void insert_first_value(const struct hcl_document *document, const char *name,
                               const json_t *value, struct hcl_splices *splices)
{
    struct span bytes = buffer_span(&document->bytes);
    CLEANUP(buffer_release) struct buffer text = BUFFER_INIT;
    const char *newline = hcl_document_newline(document);
    bool open_line =
        bytes.size_bytes > hcl_bom_size(bytes) && bytes.data[bytes.size_bytes - 1] != '\n';
    buffer_append_text(&text, open_line ? newline : "");
    append_pair(&text, document, name, value, NULL, span_of_text(""));
    buffer_append_text(&text, open_line ? "" : newline);
    hcl_splices_add(splices, bytes.size_bytes, 0, buffer_span(&text));
}

static int insert_attribute(const struct hcl_document *document, size_t body, const char *name,
                            const json_t *value, struct hcl_splices *splices, struct error *err)
{
    size_t last = last_attribute(document, body);
    const struct hcl_node *node = node_at(document, body);
    if (!identifier_is(span_of_text(name))) {
        return error_set_at(err, ERROR_INVALID, document->name, 0, 0,
                            "'%s' cannot be the name of an argument", name);
    }
    if (body == 0 && document->format == HCL_FORMAT_CONFIG) {
        return error_set_at(err, ERROR_INVALID, document->name, 0, 0,
                            "%s cannot be added: configuration has blocks only at its top", name);
    }
    if (last != 0 && body != 0 &&
        !has_newline(document, node->offset, node_at(document, last)->offset)) {
        expand_block(document, body, last, name, value, splices);
    } else if (last != 0) {
        insert_behind(document, node_at(document, last), name, value, splices);
    } else if (body != 0) {
        insert_into_block(document, body, name, value, splices);
    } else {
        insert_first_value(document, name, value, splices);
    }
    return 0;
}

/* The bytes between an item and the comma or bracket before it. */
static struct span gap_before(const struct hcl_document *document, const struct hcl_node *item)
{
    size_t start = item->offset;
    while (strchr(" \t\r\n", document->bytes.data[start - 1]) != NULL) {
        start--;
    }
    return hcl_document_span(document, start, item->offset - start);
}

static void insert_json_item(const struct hcl_document *document, const struct hcl_node *last,
                             const char *name, const json_t *value, struct hcl_splices *splices)
{
    CLEANUP(buffer_release) struct buffer text = BUFFER_INIT;
    size_t key_end = last->name_offset + last->name_size_bytes;
    size_t value_start = node_at(document, last->first_child)->offset;
    struct hcl_layout layout = {
        .newline = hcl_document_newline(document),
        .unit = hcl_document_unit(document, last->offset),
        .indent = hcl_document_indent(document, last->offset),
        .several_lines = json_is_object(value) &&
                         has_newline(document, last->offset - gap_before(document, last).size_bytes,
                                     last->offset)};
    buffer_append_char(&text, ',');
    struct span gap = gap_before(document, last);
    buffer_append_span(&text, gap.size_bytes > 0 || last->next != 0 ? gap : span_of_text(" "));
    hcl_key_append(&text, name, document);
    buffer_append_span(&text, hcl_document_span(document, key_end, value_start - key_end));
    hcl_value_append(&text, value, document, &layout);
    hcl_splices_add(splices, end_of(last), 0, buffer_span(&text));
}

static void insert_native_item(const struct hcl_document *document, const struct hcl_node *object,
                               const struct hcl_node *last, const char *name, const json_t *value,
                               struct hcl_splices *splices)
{
    struct span indent = hcl_document_indent(document, last->offset);
    const struct hcl_token *end = newline_behind(document, end_of(last));
    const struct hcl_token *behind = token_at(document, end_of(last));
    bool comma = behind->kind == HCL_TOKEN_SYMBOL && behind->symbol == ',';
    CLEANUP(buffer_release) struct buffer text = BUFFER_INIT;
    if (end == NULL || !has_newline(document, object->offset, last->offset)) {
        buffer_append_text(&text, ", ");
        append_pair(&text, document, name, value, NULL, indent);
        hcl_splices_add(splices, end_of(last), 0, buffer_span(&text));
        return;
    }
    buffer_append_span(&text, indent);
    append_pair(&text, document, name, value, last, indent);
    buffer_append_text(&text, comma ? "," : "");
    buffer_append_text(&text, hcl_document_newline(document));
    hcl_splices_add(splices, end->offset + end->size_bytes, 0, buffer_span(&text));
}

static void insert_only_item(const struct hcl_document *document, const struct hcl_node *object,
                             const char *name, const json_t *value, struct hcl_splices *splices)
{
    CLEANUP(buffer_release) struct buffer text = BUFFER_INIT;
    CLEANUP(buffer_release) struct buffer indent = BUFFER_INIT;
    bool json = hcl_format_is_json(document->format);
    bool lines = has_newline(document, object->offset, end_of(object));
    buffer_append_span(&indent, hcl_document_indent(document, object->offset));
    buffer_append_span(&indent, hcl_document_unit(document, object->offset));
    if (lines) {
        buffer_append_text(&text, hcl_document_newline(document));
        buffer_append_span(&text, buffer_span(&indent));
    } else if (!json) {
        buffer_append_char(&text, ' ');
    }
    struct hcl_layout layout = {.newline = hcl_document_newline(document),
                                .unit = hcl_document_unit(document, object->offset),
                                .indent = buffer_span(&indent),
                                .several_lines = lines && json_is_object(value)};
    hcl_key_append(&text, name, document);
    buffer_append_text(&text, json ? ": " : " = ");
    hcl_value_append(&text, value, document, &layout);
    if (!json && object->size_bytes == 2) {
        buffer_append_char(&text, ' ');
    }
    hcl_splices_add(splices, object->offset + 1, 0, buffer_span(&text));
}

int hcl_insert(const struct hcl_document *document, size_t container, const char *name,
               const json_t *value, struct hcl_splices *splices, struct error *err)
{
    const struct hcl_node *node = node_at(document, container);
    if (node->kind == HCL_BODY) {
        return insert_attribute(document, container, name, value, splices, err);
    }
    if (node->kind != HCL_OBJECT) {
        return hcl_document_error(document, err, node->offset,
                                  "%s cannot be added: what stands here has no parts", name);
    }
    if (node->first_child == 0) {
        insert_only_item(document, node, name, value, splices);
    } else if (hcl_format_is_json(document->format)) {
        insert_json_item(document, node_at(document, node->last_child), name, value, splices);
    } else {
        insert_native_item(document, node, node_at(document, node->last_child), name, value,
                           splices);
    }
    return 0;
}
