/* A step has an environment of its own, so nothing in net/ reads the process's. */
#include "net/variables.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"

const char *variable_get(char *const *environment, const char *name)
{
    size_t size_bytes = strlen(name);
    for (size_t i = 0; environment != NULL && environment[i] != NULL; i++) {
        if (strncmp(environment[i], name, size_bytes) == 0 && environment[i][size_bytes] == '=') {
            return environment[i] + size_bytes + 1;
        }
    }
    return NULL;
}

const char *variable_get_filled(char *const *environment, const char *name)
{
    const char *value = variable_get(environment, name);
    return value != NULL && *value != '\0' ? value : NULL;
}

bool variable_is_true(const char *value)
{
    return value != NULL && strcasecmp(value, "true") == 0;
}

char **variables_copy(char *const *environment)
{
    size_t count = 0;
    while (environment != NULL && environment[count] != NULL) {
        count++;
    }
    char **copy = memory_new(count + 1, sizeof *copy);
    for (size_t i = 0; i < count; i++) {
        copy[i] = memory_text(environment[i]);
    }
    return copy;
}

void variables_free(char **variables)
{
    for (char **variable = variables; variable != NULL && *variable != NULL; variable++) {
        memory_free_secret(*variable);
    }
    free(variables);
}
