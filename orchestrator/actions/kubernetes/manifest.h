/* Kubernetes manifests, cut into their documents without changing a byte of them. */
#ifndef DRCTL_ACTIONS_MANIFEST_H
#define DRCTL_ACTIONS_MANIFEST_H

#include <stdbool.h>

#include "base/buffer.h"
#include "base/compiler.h"
#include "base/error.h"
#include "base/vector.h"

struct manifest {
    char *file;
    char *kind;
    char *api_version;
    char *name;       /* NULL when it has none (generateName) */
    char *name_space; /* NULL when it says none */
    char *text;       /* its document, as it stands in the file */
};

struct manifest_list {
    VECTOR(struct manifest)
    items; /* in the order in which kubectl would read them */
};

/* Adds the documents of a file, or of all .yaml, .yml and .json files of a folder in the order of
 * their names (and of the folders in it, when recursive). A document without a kind is
 * ERROR_INVALID at its place, an empty one is nothing. */
MUST_USE int manifest_read(const char *path, bool recursive, struct manifest_list *list,
                           struct error *err);
void manifest_list_release(struct manifest_list *list);

/* True for what other objects need to be there: namespaces and definitions of resources. */
bool manifest_comes_first(const struct manifest *manifest);

/* Appends the documents that come first, or the others; true when there are any. */
bool manifest_join(const struct manifest_list *list, bool first, struct buffer *text);

#endif
