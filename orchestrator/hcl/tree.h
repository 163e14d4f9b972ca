/* What a file says, as a tree of nodes that know their places. HCL and its JSON variants make the
 * same kinds of nodes, so that everything above works on both. Nodes name each other by index; node
 * 0 is the root and is nobody's child. */
#ifndef DRCTL_HCL_TREE_H
#define DRCTL_HCL_TREE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/span.h"
#include "base/vector.h"

enum hcl_node_kind {
    HCL_BODY,      /* children: ATTRIBUTE, BLOCK */
    HCL_ATTRIBUTE, /* child: its value */
    HCL_BLOCK,     /* children: LABEL … then one BODY */
    HCL_LABEL,     /* of a block */
    HCL_OBJECT,    /* children: ITEM */
    HCL_ITEM,      /* child: its value */
    HCL_TUPLE,     /* children: values */
    HCL_STRING,    /* quoted, without sequences */
    HCL_TEMPLATE,  /* quoted, with sequences; children: what stands in them */
    HCL_HEREDOC,   /* with or without sequences; children: what stands in them */
    HCL_NUMBER,
    HCL_KEYWORD,    /* true, false, null */
    HCL_EXPRESSION, /* anything else; children: the literals and collections inside */
};

struct hcl_node {
    enum hcl_node_kind kind;
    bool has_sequences; /* HEREDOC: a template that is not constant */
    size_t offset;      /* of its first byte */
    size_t size_bytes;
    size_t name_offset; /* ATTRIBUTE, ITEM, BLOCK: the name or key as written, quotes included */
    size_t name_size_bytes;
    char *name;         /* decoded, owned; also of a LABEL. NULL where a key is an expression */
    size_t first_child; /* 0: none */
    size_t last_child;
    size_t next; /* sibling; 0: none */
    size_t parent;
};

struct hcl_tree {
    VECTOR(struct hcl_node)
    nodes;
};

/* A new node that has no parent yet; its index. */
size_t hcl_tree_add(struct hcl_tree *tree, enum hcl_node_kind kind, size_t offset);

/* Puts child behind the children of parent. */
void hcl_tree_attach(struct hcl_tree *tree, size_t parent, size_t child);

/* Says where a node ends: end is the offset behind its last byte. */
void hcl_tree_end(struct hcl_tree *tree, size_t index, size_t end);

const struct hcl_node *hcl_tree_at(const struct hcl_tree *tree, size_t index);

/* The index of the child with that name, 0 when there is none. */
size_t hcl_tree_child_named(const struct hcl_tree *tree, size_t parent, const char *name);

/* The nth child (from 0), or 0. */
size_t hcl_tree_child_at(const struct hcl_tree *tree, size_t parent, size_t position);
size_t hcl_tree_child_count(const struct hcl_tree *tree, size_t parent);

void hcl_tree_release(struct hcl_tree *tree);

#endif
