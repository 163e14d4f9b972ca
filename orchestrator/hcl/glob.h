/* Which files of a folder are meant. */
#ifndef DRCTL_HCL_GLOB_H
#define DRCTL_HCL_GLOB_H

#include <stdbool.h>

#include "base/compiler.h"
#include "base/error.h"
#include "base/vector.h"

struct hcl_paths {
    VECTOR(char *)
    list; /* relative to the root, sorted */
};

/* Matches a relative path: '*' and '?' stay within one part of it, '**' as a part of its own stands
 * for any number of parts, [a-z] for one of the characters. */
bool hcl_glob_match(const char *pattern, const char *path);

/* The regular files below root that match one of the patterns. Folders of git and terraform
 * (.git, .terraform), states and symbolic links are left out. */
MUST_USE int hcl_glob_list(const char *root, const char *const *patterns, size_t pattern_count,
                           struct hcl_paths *paths, struct error *err);
void hcl_paths_release(struct hcl_paths *paths);

#endif
