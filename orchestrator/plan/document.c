/* The tree of a document. Nodes are owned by the document's list, not by each other, since an alias
 * makes two parents share a child; after document_parse() nothing changes any more. */
#include "plan/document.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

struct node *document_new_node(struct document *document, enum node_kind kind)
{
    if (document->node_count == document->node_capacity) {
        document->node_capacity = document->node_capacity != 0 ? 2 * document->node_capacity : 64;
        document->nodes =
            memory_resize(document->nodes, document->node_capacity, sizeof *document->nodes);
    }
    struct node *node = memory_new(1, sizeof *node);
    node->kind = kind;
    document->nodes[document->node_count++] = node;
    return node;
}

void document_free(struct document *document)
{
    if (document == NULL) {
        return;
    }
    for (size_t i = 0; i < document->node_count; i++) {
        free(document->nodes[i]->text);
        free(document->nodes[i]->keys);
        free(document->nodes[i]->items);
        free(document->nodes[i]);
    }
    free(document->nodes);
    free(document->text);
    free(document->file);
    free(document);
}

static void report_encoding(struct span source, size_t offset, const char *file,
                            struct error_list *errors)
{
    size_t line;
    size_t column;
    text_position(source, offset, &line, &column);
    struct error *err =
        error_list_add_at(errors, ERROR_INVALID, file, line, column, "the byte 0x%02x is not UTF-8",
                          (unsigned)(unsigned char)source.data[offset]);
    bool is_utf16 = span_starts_with(source, "\xff\xfe") || span_starts_with(source, "\xfe\xff");
    error_hint(err, "%s",
               is_utf16 ? "the file is UTF-16; save it as UTF-8" : "save the file as UTF-8");
}

static void report_nul(struct span source, size_t offset, const char *file,
                       struct error_list *errors)
{
    size_t line;
    size_t column;
    text_position(source, offset, &line, &column);
    error_list_add_at(errors, ERROR_INVALID, file, line, column,
                      "a NUL byte; this is no text file");
}

struct document *document_parse(struct span source, const char *file, struct error_list *errors)
{
    if (source.size_bytes > DOCUMENT_SIZE_LIMIT) {
        error_list_add_at(errors, ERROR_INVALID, file, 1, 1,
                          "the file is larger than %d MiB; that is no plan that people wrote",
                          DOCUMENT_SIZE_LIMIT / 1024 / 1024);
        return NULL;
    }
    if (source.size_bytes == 0) {
        error_list_add_at(errors, ERROR_INVALID, file, 1, 1, "the document is empty");
        return NULL;
    }
    if (span_starts_with(source, "\xef\xbb\xbf")) {
        source = span_of(source.data + 3, source.size_bytes - 3);
    }
    size_t valid = text_valid_utf8_prefix(source);
    if (valid != source.size_bytes) {
        report_encoding(source, valid, file, errors);
        return NULL;
    }
    const char *nul = memchr(source.data, '\0', source.size_bytes);
    if (nul != NULL) {
        report_nul(source, (size_t)(nul - source.data), file, errors);
        return NULL;
    }
    struct document *document = memory_new(1, sizeof *document);
    document->file = memory_text(file);
    document->text = memory_text_n(source.data, source.size_bytes);
    document->size_bytes = source.size_bytes;
    document->root = yaml_read(document, errors);
    if (document->root == NULL) {
        document_free(document);
        return NULL;
    }
    return document;
}

struct node *node_get(const struct node *node, const char *key)
{
    if (node == NULL || node->kind != NODE_MAP) {
        return NULL;
    }
    for (size_t i = 0; i < node->count; i++) {
        if (strcmp(node->keys[i]->text, key) == 0) {
            return node->items[i];
        }
    }
    return NULL;
}

static json_t *list_to_json(const struct node *node)
{
    json_t *list = json_array();
    for (size_t i = 0; i < node->count; i++) {
        json_array_append_new(list, node_to_json(node->items[i]));
    }
    return list;
}

static json_t *map_to_json(const struct node *node)
{
    json_t *map = json_object();
    for (size_t i = 0; i < node->count; i++) {
        json_object_set_new(map, node->keys[i]->text, node_to_json(node->items[i]));
    }
    return map;
}

json_t *node_to_json(const struct node *node)
{
    switch (node->kind) {
    case NODE_BOOLEAN:
        return json_boolean(node->boolean);
    case NODE_INTEGER:
        return json_integer(node->integer);
    case NODE_REAL:
        return json_real(node->real);
    case NODE_TEXT:
        return json_string(node->text);
    case NODE_LIST:
        return list_to_json(node);
    case NODE_MAP:
        return map_to_json(node);
    case NODE_NULL:
        break;
    }
    return json_null();
}

const char *node_kind_phrase(const struct node *node)
{
    static const char *const phrases[] = {
        [NODE_NULL] = "nothing",     [NODE_BOOLEAN] = "true or false",
        [NODE_INTEGER] = "a number", [NODE_REAL] = "a number",
        [NODE_TEXT] = "text",        [NODE_LIST] = "a list",
        [NODE_MAP] = "a map",
    };
    return phrases[node->kind];
}
