/* Looking up variables in a given environment, since a step's differs from drctl's own. */
#ifndef DRCTL_NET_VARIABLES_H
#define DRCTL_NET_VARIABLES_H

#include <stdbool.h>

/* The value of a variable in "NAME=VALUE" strings that end in NULL; NULL when it is not there. The
 * environment itself may be NULL, which is an empty one. Borrowed. */
const char *variable_get(char *const *environment, const char *name);

/* The same, and an empty value counts as not there. */
const char *variable_get_filled(char *const *environment, const char *name);

/* True for "true" in any case, as botocore reads its switches. */
bool variable_is_true(const char *value);

/* A copy with memory of its own, and its end; the values may be secrets and are overwritten. */
char **variables_copy(char *const *environment);
void variables_free(char **variables);

#endif
