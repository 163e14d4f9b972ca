/* What children see of the environment. Nothing of drctl's own goes on to them, pagers and prompts
 * are off, since nobody would answer, and what is a secret there by its name is hidden everywhere.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "runtime/run_private.h"

extern char **environ;

/* Over what the operator has; the plan's and the step's env go over these. */
static const char *const protections[] = {
    "TF_IN_AUTOMATION=1",    "TF_INPUT=0", "CHECKPOINT_DISABLE=1",    "AWS_PAGER=", "PAGER=cat",
    "GIT_TERMINAL_PROMPT=0", "NO_COLOR=1", "AWS_CLI_AUTO_PROMPT=off",
};

static const char *const not_for_children[] = {"DRCTL_STATE_DIR", "DRCTL_SHIM", "OLDPWD", "_"};

static void set_entry(json_t *values, const char *entry)
{
    const char *equals = strchr(entry, '=');
    if (equals == NULL || equals == entry) {
        return;
    }
    CLEANUP(memory_cleanup) char *name = memory_text_n(entry, (size_t)(equals - entry));
    json_t *value = json_string(equals + 1);
    if (value != NULL) { /* NULL: not UTF-8, which no expression could hold */
        json_object_set_new(values, name, value);
    }
}

json_t *run_environment_values(void)
{
    json_t *values = json_object();
    for (char *const *entry = environ; *entry != NULL; entry++) {
        set_entry(values, *entry);
    }
    return values;
}

char **run_environment(const struct run *run, const json_t *step_env)
{
    CLEANUP(json_cleanup) json_t *values = run_environment_values();
    for (size_t i = 0; i < ARRAY_SIZE(not_for_children); i++) {
        json_object_del(values, not_for_children[i]);
    }
    for (size_t i = 0; i < ARRAY_SIZE(protections); i++) {
        set_entry(values, protections[i]);
    }
    json_object_set_new(values, "DRCTL_RUN_ID", json_string(run->id));
    const char *name;
    json_t *value;
    json_object_foreach ((json_t *)step_env, name, value) {
        if (json_is_null(value)) {
            json_object_del(values, name);
        } else {
            json_object_set(values, name, value);
        }
    }
    char **environment = memory_new(json_object_size(values) + 1, sizeof *environment);
    size_t count = 0;
    json_object_foreach (values, name, value) {
        environment[count++] = memory_format("%s=%s", name, json_string_value(value));
    }
    return environment;
}

void run_environment_free(char **environment)
{
    for (char **entry = environment; entry != NULL && *entry != NULL; entry++) {
        memory_free_secret(*entry);
    }
    free(environment);
}

static bool ends_with(const char *name, size_t size_bytes, const char *ending)
{
    size_t ending_bytes = strlen(ending);
    return size_bytes >= ending_bytes &&
           strncasecmp(name + size_bytes - ending_bytes, ending, ending_bytes) == 0;
}

/* By the names that tools give to what they keep secret. */
static bool is_secret_name(const char *name, size_t size_bytes)
{
    static const char *const endings[] = {"SECRET_ACCESS_KEY",
                                          "SESSION_TOKEN",
                                          "SECURITY_TOKEN",
                                          "PASSWORD",
                                          "PASSWD",
                                          "SECRET",
                                          "TOKEN",
                                          "API_KEY",
                                          "ROUTING_KEY",
                                          "_PWD",
                                          "PRIVATE_KEY"};
    for (size_t i = 0; i < ARRAY_SIZE(endings); i++) {
        if (ends_with(name, size_bytes, endings[i])) {
            return true;
        }
    }
    return false;
}

void run_hide_environment_secrets(struct secrets *secrets)
{
    for (char *const *entry = environ; *entry != NULL; entry++) {
        size_t name_bytes = strcspn(*entry, "=");
        if ((*entry)[name_bytes] == '=' && is_secret_name(*entry, name_bytes)) {
            secrets_add(secrets, *entry + name_bytes + 1);
        }
    }
}
