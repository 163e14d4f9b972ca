/* A step has an environment of its own, so nothing in net/ reads the process's. */
#include "net/environment.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

const char *environment_get(char *const *environment, const char *name)
{
    size_t size_bytes = strlen(name);
    for (size_t i = 0; environment != NULL && environment[i] != NULL; i++) {
        if (strncmp(environment[i], name, size_bytes) == 0 && environment[i][size_bytes] == '=') {
            return environment[i] + size_bytes + 1;
        }
    }
    return NULL;
}

const char *environment_get_filled(char *const *environment, const char *name)
{
    const char *value = environment_get(environment, name);
    return value != NULL && *value != '\0' ? value : NULL;
}

bool environment_is_true(const char *value)
{
    return value != NULL && strcasecmp(value, "true") == 0;
}
