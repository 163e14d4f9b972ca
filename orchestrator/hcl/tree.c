/* Nodes in one array: a file of a hundred thousand literals costs a few allocations, and growing
 * cannot leave a pointer dangling, since links are indices. */
#include "hcl/tree.h"

#include <stdlib.h>
#include <string.h>

size_t hcl_tree_add(struct hcl_tree *tree, enum hcl_node_kind kind, size_t offset)
{
    struct hcl_node *node = vector_grow(&tree->nodes);
    node->kind = kind;
    node->offset = offset;
    return tree->nodes.count - 1;
}

void hcl_tree_attach(struct hcl_tree *tree, size_t parent, size_t child)
{
    struct hcl_node *above = &tree->nodes.items[parent];
    tree->nodes.items[child].parent = parent;
    if (above->first_child == 0) {
        above->first_child = child;
    } else {
        tree->nodes.items[above->last_child].next = child;
    }
    above->last_child = child;
}

void hcl_tree_end(struct hcl_tree *tree, size_t index, size_t end)
{
    tree->nodes.items[index].size_bytes = end - tree->nodes.items[index].offset;
}

const struct hcl_node *hcl_tree_at(const struct hcl_tree *tree, size_t index)
{
    return &tree->nodes.items[index];
}

size_t hcl_tree_child_named(const struct hcl_tree *tree, size_t parent, const char *name)
{
    for (size_t i = hcl_tree_at(tree, parent)->first_child; i != 0;
         i = hcl_tree_at(tree, i)->next) {
        const char *known = hcl_tree_at(tree, i)->name;
        if (known != NULL && strcmp(known, name) == 0) {
            return i;
        }
    }
    return 0;
}

size_t hcl_tree_child_at(const struct hcl_tree *tree, size_t parent, size_t position)
{
    size_t i = hcl_tree_at(tree, parent)->first_child;
    while (i != 0 && position-- > 0) {
        i = hcl_tree_at(tree, i)->next;
    }
    return i;
}

size_t hcl_tree_child_count(const struct hcl_tree *tree, size_t parent)
{
    size_t count = 0;
    for (size_t i = hcl_tree_at(tree, parent)->first_child; i != 0;
         i = hcl_tree_at(tree, i)->next) {
        count++;
    }
    return count;
}

void hcl_tree_release(struct hcl_tree *tree)
{
    vector_each (struct hcl_node *, node, &tree->nodes) {
        free(node->name);
    }
    vector_release(&tree->nodes);
}
