/* drctl resume: goes on with a run that failed, was cancelled or was left behind. */
#include "base/file.h"
#include "base/json.h"
#include "commands/watching.h"
#include "runtime/state_directory.h"

enum { SECRET_LIMIT_BYTES = 64 * 1024 };

static const struct command_option options[] = {
    WATCHING_OPTIONS,
    {"secret-file", 0, "NAME=FILE", true, "a secret input, read from a file"},
    {NULL, 0, NULL, false, NULL},
};

static json_t *read_secrets(const struct invocation *invocation, struct error *err)
{
    json_t *secrets = json_object();
    for (const char *const *pair = invocation_values(invocation, "secret-file"); *pair != NULL;
         pair++) {
        const char *equals = strchr(*pair, '=');
        CLEANUP(buffer_release) struct buffer content = BUFFER_INIT;
        if (equals == NULL) {
            error_set(err, ERROR_USAGE, "--secret-file wants NAME=FILE, not '%s'", *pair);
        }
        if (equals == NULL || file_read(equals + 1, SECRET_LIMIT_BYTES, &content, err) != 0) {
            json_decref(secrets);
            return NULL;
        }
        CLEANUP(memory_cleanup) char *name = memory_text_n(*pair, (size_t)(equals - *pair));
        buffer_truncate(&content, strcspn(buffer_text(&content), "\r\n"));
        json_object_set_new(secrets, name, json_string(buffer_text(&content)));
    }
    return secrets;
}

static int run(const struct invocation *invocation, struct error *err)
{
    CLEANUP(memory_cleanup) char *state = NULL;
    CLEANUP(memory_cleanup) char *id = NULL;
    if (state_directory(invocation_value(invocation, "state-dir"), &state, err) != 0 ||
        state_find_run(state, invocation_argument(invocation, 0), &id, err) != 0) {
        return -1;
    }
    CLEANUP(json_cleanup) json_t *secrets = read_secrets(invocation, err);
    return secrets == NULL ? -1 : watch_run(invocation, state, id, RUN_RESUME, secrets, err);
}

const struct command command_resume = {
    .name = "resume",
    .arguments = "RUN",
    .summary = "go on with a run: follow what still runs, try again what failed",
    .least_arguments = 1,
    .most_arguments = 1,
    .options = options,
    .run = run,
};
