/* libyaml's events → the tree. What YAML can do and a plan does not need is refused here with a
 * sentence: several documents, merge keys, tags, keys that are no text, aliases that unfold to
 * more nodes than anybody writes. libyaml's own complaints are translated by yaml_explain(). */
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "base/memory.h"
#include "base/table.h"
#include "base/text.h"
#include "plan/document.h"
#include "plan/yaml_explain.h"

struct reader {
    yaml_parser_t parser;
    struct document *document;
    struct error_list *errors;
    struct table anchor_index; /* name → index in anchors */
    VECTOR(struct node *)
    anchors;
    size_t expanded; /* nodes so far, counted again wherever an alias stands */
};

static struct mark mark_of(yaml_mark_t mark)
{
    return (struct mark){mark.line + 1, mark.column + 1};
}

static struct error *complain(struct reader *reader, struct mark at, const char *message)
{
    return error_list_add_at(reader->errors, ERROR_INVALID, reader->document->file, at.line,
                             at.column, "%s", message);
}

static bool next_event(struct reader *reader, yaml_event_t *event)
{
    if (yaml_parser_parse(&reader->parser, event)) {
        return true;
    }
    struct error err = ERROR_INIT;
    yaml_explain(&reader->parser, reader->document, &err);
    error_list_add(reader->errors, &err);
    return false;
}

/* Counts nodes against the limit. */
static bool admit(struct reader *reader, size_t weight, struct mark at)
{
    reader->expanded += weight;
    if (reader->expanded <= DOCUMENT_NODE_LIMIT) {
        return true;
    }
    struct error *err =
        error_list_add_at(reader->errors, ERROR_INVALID, reader->document->file, at.line, at.column,
                          "the document unfolds to more than %d values", DOCUMENT_NODE_LIMIT);
    error_hint(err, "aliases (*name) count with everything that they stand for");
    return false;
}

static struct node *new_node(struct reader *reader, enum node_kind kind, const yaml_event_t *event)
{
    struct node *node = document_new_node(reader->document, kind);
    node->at = mark_of(event->start_mark);
    node->end = mark_of(event->end_mark);
    return node;
}

static void remember_anchor(struct reader *reader, const yaml_char_t *anchor, struct node *node)
{
    if (anchor != NULL) {
        table_set(&reader->anchor_index, (const char *)anchor, reader->anchors.count);
        vector_push(&reader->anchors, node);
    }
}

/* A tag says what libyaml's style cannot: `! 12` and `!!str 12` are text. */
static bool check_tag(struct reader *reader, const yaml_char_t *tag, struct mark at,
                      bool *ret_is_text)
{
    *ret_is_text = tag != NULL;
    if (tag == NULL || strcmp((const char *)tag, "!") == 0 ||
        strcmp((const char *)tag, YAML_STR_TAG) == 0) {
        return true;
    }
    struct error *err =
        error_list_add_at(reader->errors, ERROR_INVALID, reader->document->file, at.line, at.column,
                          "the tag %s is not part of the plan language", tag);
    error_hint(err, "text that starts with ! needs quotes");
    return false;
}

static enum node_style style_of(yaml_scalar_style_t style)
{
    switch (style) {
    case YAML_SINGLE_QUOTED_SCALAR_STYLE:
        return STYLE_SINGLE_QUOTED;
    case YAML_DOUBLE_QUOTED_SCALAR_STYLE:
        return STYLE_DOUBLE_QUOTED;
    case YAML_LITERAL_SCALAR_STYLE:
    case YAML_FOLDED_SCALAR_STYLE:
        return STYLE_BLOCK;
    default:
        return STYLE_PLAIN;
    }
}

static struct node *read_scalar(struct reader *reader, const yaml_event_t *event)
{
    struct mark at = mark_of(event->start_mark);
    bool tagged_text;
    if (!check_tag(reader, event->data.scalar.tag, at, &tagged_text) || !admit(reader, 1, at)) {
        return NULL;
    }
    if (memchr(event->data.scalar.value, '\0', event->data.scalar.length) != NULL) {
        complain(reader, at, "the text has a NUL character in it, which no program can be handed");
        return NULL;
    }
    struct node *node = new_node(reader, NODE_TEXT, event);
    node->text = memory_text_n((const char *)event->data.scalar.value, event->data.scalar.length);
    node->style = style_of(event->data.scalar.style);
    node->weight = 1;
    if (node->style == STYLE_PLAIN && !tagged_text) {
        scalar_resolve(node);
    }
    remember_anchor(reader, event->data.scalar.anchor, node);
    return node;
}

static struct node *read_alias(struct reader *reader, const yaml_event_t *event, size_t depth)
{
    struct mark at = mark_of(event->start_mark);
    const char *name = (const char *)event->data.alias.anchor;
    size_t index;
    if (!table_get(&reader->anchor_index, name, &index)) {
        struct error *err =
            error_list_add_at(reader->errors, ERROR_INVALID, reader->document->file, at.line,
                              at.column, "the alias *%s names no anchor above it", name);
        error_hint(err, "text that starts with * needs quotes");
        return NULL;
    }
    struct node *node = reader->anchors.items[index];
    if (node->weight == 0) {
        complain(reader, at, "the alias stands inside the value that it names");
        return NULL;
    }
    if (depth + node->height > DOCUMENT_DEPTH_LIMIT) {
        complain(reader, at, "the document is nested too deeply");
        return NULL;
    }
    return admit(reader, node->weight, at) ? node : NULL;
}

static struct node *read_value(struct reader *reader, yaml_event_t *event, size_t depth);

/* The next event's value; NULL with *ret_end when it ends the collection instead. */
static struct node *read_next(struct reader *reader, size_t depth, yaml_event_type_t end,
                              bool *ret_end, struct mark *ret_mark)
{
    yaml_event_t event;
    *ret_end = false;
    if (!next_event(reader, &event)) {
        return NULL;
    }
    struct node *node = NULL;
    *ret_mark = mark_of(event.end_mark);
    if (event.type == end) {
        *ret_end = true;
    } else {
        node = read_value(reader, &event, depth);
    }
    yaml_event_delete(&event);
    return node;
}

static void append_item(struct node *parent, size_t *capacity, struct node *key, struct node *item)
{
    if (parent->count == *capacity) {
        *capacity = *capacity != 0 ? 2 * *capacity : 4;
        parent->items = memory_resize(parent->items, *capacity, sizeof(struct node *));
        if (parent->kind == NODE_MAP) {
            parent->keys = memory_resize(parent->keys, *capacity, sizeof(struct node *));
        }
    }
    if (parent->kind == NODE_MAP) {
        parent->keys[parent->count] = key;
    }
    parent->items[parent->count++] = item;
}

static void measure(struct node *parent, size_t *weight, const struct node *item)
{
    *weight += item->weight;
    if (item->height + 1 > parent->height) {
        parent->height = item->height + 1;
    }
}

static struct node *read_list(struct reader *reader, const yaml_event_t *event, size_t depth)
{
    struct node *list = new_node(reader, NODE_LIST, event);
    bool unused;
    if (!check_tag(reader, event->data.sequence_start.tag, list->at, &unused) ||
        !admit(reader, 1, list->at)) {
        return NULL;
    }
    remember_anchor(reader, event->data.sequence_start.anchor, list);
    size_t capacity = 0;
    size_t weight = 1;
    for (;;) {
        bool at_end;
        struct node *item =
            read_next(reader, depth + 1, YAML_SEQUENCE_END_EVENT, &at_end, &list->end);
        if (at_end) {
            list->weight = weight;
            return list;
        }
        if (item == NULL) {
            return NULL;
        }
        append_item(list, &capacity, NULL, item);
        measure(list, &weight, item);
    }
}

/* Says why a node cannot be a key; true when it can. */
static bool check_key(struct reader *reader, struct node *key)
{
    if (key->text == NULL || key->kind == NODE_NULL) {
        complain(reader, key->at, "a key has to be a word");
        return false;
    }
    if (key->style == STYLE_PLAIN && strcmp(key->text, "<<") == 0) {
        struct error *err =
            complain(reader, key->at, "merge keys (<<) are not part of the plan language");
        error_hint(err, "write the keys out, or use an alias for a whole value");
        return false;
    }
    return true;
}

/* True when the key is new; otherwise it is reported and its value does not count. */
static bool is_new_key(struct reader *reader, struct table *seen, const struct node *map,
                       const struct node *key)
{
    size_t first;
    if (!table_get(seen, key->text, &first)) {
        table_set(seen, key->text, map->count);
        return true;
    }
    error_list_add_at(reader->errors, ERROR_INVALID, reader->document->file, key->at.line,
                      key->at.column, "the key '%s' stands here a second time; line %zu has it",
                      key->text, map->keys[first]->at.line);
    return false;
}

/* Reads key and value; 1 for a pair, 0 at the end, -1 after an error that ends the reading. */
static int read_pair(struct reader *reader, struct node *map, size_t depth, struct node **ret_key,
                     struct node **ret_item)
{
    bool at_end;
    struct mark unused;
    struct node *key = read_next(reader, depth + 1, YAML_MAPPING_END_EVENT, &at_end, &map->end);
    if (at_end) {
        return 0;
    }
    if (key == NULL || !check_key(reader, key)) {
        return -1;
    }
    *ret_item = read_next(reader, depth + 1, YAML_NO_EVENT, &at_end, &unused);
    *ret_key = key;
    return *ret_item != NULL ? 1 : -1;
}

static struct node *read_map(struct reader *reader, const yaml_event_t *event, size_t depth)
{
    struct node *map = new_node(reader, NODE_MAP, event);
    bool unused;
    if (!check_tag(reader, event->data.mapping_start.tag, map->at, &unused) ||
        !admit(reader, 1, map->at)) {
        return NULL;
    }
    remember_anchor(reader, event->data.mapping_start.anchor, map);
    CLEANUP(table_release) struct table seen = {0};
    size_t capacity = 0;
    size_t weight = 1;
    struct node *key;
    struct node *item;
    int result;
    while ((result = read_pair(reader, map, depth, &key, &item)) > 0) {
        if (is_new_key(reader, &seen, map, key)) {
            append_item(map, &capacity, key, item);
        }
        measure(map, &weight, key);
        measure(map, &weight, item);
    }
    map->weight = weight;
    return result == 0 ? map : NULL;
}

static struct node *read_value(struct reader *reader, yaml_event_t *event, size_t depth)
{
    if (depth > DOCUMENT_DEPTH_LIMIT) {
        complain(reader, mark_of(event->start_mark), "the document is nested too deeply");
        return NULL;
    }
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        return read_scalar(reader, event);
    case YAML_ALIAS_EVENT:
        return read_alias(reader, event, depth);
    case YAML_SEQUENCE_START_EVENT:
        return read_list(reader, event, depth);
    case YAML_MAPPING_START_EVENT:
        return read_map(reader, event, depth);
    default:
        complain(reader, mark_of(event->start_mark), "a value was expected here");
        return NULL;
    }
}

/* Skips to the first event of content; false when there is none. */
static bool read_prologue(struct reader *reader, yaml_event_t *event)
{
    for (;;) {
        if (!next_event(reader, event)) {
            return false;
        }
        if (event->type == YAML_STREAM_END_EVENT) {
            yaml_event_delete(event);
            complain(reader, (struct mark){1, 1}, "the document is empty");
            return false;
        }
        if (event->type != YAML_STREAM_START_EVENT && event->type != YAML_DOCUMENT_START_EVENT) {
            return true;
        }
        yaml_event_delete(event);
    }
}

/* Nothing but the end may follow. */
static bool read_epilogue(struct reader *reader)
{
    for (;;) {
        yaml_event_t event;
        if (!next_event(reader, &event)) {
            return false;
        }
        yaml_event_type_t type = event.type;
        struct mark at = mark_of(event.start_mark);
        yaml_event_delete(&event);
        if (type == YAML_STREAM_END_EVENT) {
            return true;
        }
        if (type != YAML_DOCUMENT_END_EVENT) {
            complain(reader, at, "a second document begins here; a file holds one");
            return false;
        }
    }
}

static struct node *read_document(struct reader *reader)
{
    yaml_event_t event;
    if (!read_prologue(reader, &event)) {
        return NULL;
    }
    struct node *root = read_value(reader, &event, 0);
    yaml_event_delete(&event);
    if (root == NULL || !read_epilogue(reader)) {
        return NULL;
    }
    if (root->kind == NODE_NULL) {
        complain(reader, root->at, "the document is empty");
        return NULL;
    }
    return root;
}

struct node *yaml_read(struct document *document, struct error_list *errors)
{
    struct reader reader = {.document = document, .errors = errors};
    if (!yaml_parser_initialize(&reader.parser)) {
        abort();
    }
    yaml_parser_set_encoding(&reader.parser, YAML_UTF8_ENCODING);
    CLEANUP(memory_cleanup) char *joined = yaml_join_surrogates(document);
    const char *text = joined != NULL ? joined : document->text;
    yaml_parser_set_input_string(&reader.parser, (const unsigned char *)text, strlen(text));
    struct node *root = read_document(&reader);
    yaml_parser_delete(&reader.parser);
    table_release(&reader.anchor_index);
    vector_release(&reader.anchors);
    return root;
}
