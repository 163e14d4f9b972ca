/* YAML (or JSON) as a tree of nodes that know where they stand, so that every later error can cite
 * file, line and column. */
#ifndef DRCTL_PLAN_DOCUMENT_H
#define DRCTL_PLAN_DOCUMENT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"
#include "base/error.h"
#include "base/span.h"

enum {
    DOCUMENT_SIZE_LIMIT = 4 * 1024 * 1024, /* bytes; a plan is written by people */
    DOCUMENT_NODE_LIMIT = 100000,          /* nodes, counted again wherever an alias stands */
    DOCUMENT_DEPTH_LIMIT = 64
};

struct mark {
    size_t line;   /* from 1 */
    size_t column; /* from 1, in characters */
};

enum node_kind { NODE_NULL, NODE_BOOLEAN, NODE_INTEGER, NODE_REAL, NODE_TEXT, NODE_LIST, NODE_MAP };

enum node_style { STYLE_PLAIN, STYLE_SINGLE_QUOTED, STYLE_DOUBLE_QUOTED, STYLE_BLOCK };

struct node {
    enum node_kind kind;
    enum node_style style; /* of a scalar */
    struct mark at;        /* first character */
    struct mark end;       /* behind the last character */
    char *text;            /* scalars: the content, as written for plain ones; without NUL inside */
    union {
        bool boolean;
        json_int_t integer;
        double real;
    };
    struct node **keys;  /* NODE_MAP: NODE_TEXT keys in the order of the document, all different */
    struct node **items; /* NODE_MAP, NODE_LIST: values; shared where aliases stand */
    size_t count;
    size_t weight; /* nodes in it, itself included, counted wherever an alias stands; 0 while it is
                      being read */
    size_t height; /* levels below it */
};

struct document {
    char *file; /* what errors call it */
    char *text; /* the source, without BOM */
    size_t size_bytes;
    struct node *root;
    struct node **nodes; /* owns all of them */
    size_t node_count;
    size_t node_capacity;
};

/* Parses one document. Problems go to errors; NULL when there is no tree to go on with. A tree may
 * come back in spite of errors (duplicate keys, say), so that the rest can be checked as well. */
MUST_USE struct document *document_parse(struct span source, const char *file,
                                         struct error_list *errors);
void document_free(struct document *document);

/* The value at key of a map, NULL when it is missing or node is no map. */
struct node *node_get(const struct node *node, const char *key);

/* A new JSON value that says the same. */
json_t *node_to_json(const struct node *node);

/* "a map", "text", "a whole number": what a node is, for sentences. */
const char *node_kind_phrase(const struct node *node);

/* Where the byte at offset_bytes of a scalar's content stands in the file: exact on the line of an
 * expression, whatever the quoting. */
struct mark document_position(const struct document *document, const struct node *node,
                              size_t offset_bytes);

/* For the reader of YAML: a new node that the document owns. */
struct node *document_new_node(struct document *document, enum node_kind kind);

/* For the reader of YAML: decides what a plain scalar is, by the core schema of YAML 1.2, except
 * that a number with leading zeros (012) and one that int64 or double cannot hold stay text. */
void scalar_resolve(struct node *node);

/* For the reader of YAML: builds the tree; NULL after an error that ends the reading. */
MUST_USE struct node *yaml_read(struct document *document, struct error_list *errors);

#endif
