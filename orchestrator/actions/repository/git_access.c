/* From arguments to access. Without a token, git's own credential helpers are asked where a git is
 * there to do it, so that what works in the operator's terminal works here. */
#include "repository/git_access.h"

#include "base/memory.h"

static bool is_cancelled(void *data)
{
    struct error err = ERROR_INIT;
    bool cancelled = attempt_check(data, &err) != 0;
    error_release(&err);
    return cancelled;
}

static void show_progress(void *data, const char *line)
{
    attempt_say(data, "%s", line);
}

void git_access_read(struct attempt *attempt, struct repo_access *ret_access)
{
    static const char *const helper[] = {"git", "credential", "fill", NULL};
    *ret_access = (struct repo_access){
        .username = attempt_text(attempt, "username"),
        .token = attempt_text(attempt, "token"),
        .credential_helper = helper,
        .ca_file = attempt_text(attempt, "ca_file"),
        .ssh_key = attempt_text(attempt, "ssh_key"),
        .connect_timeout_ms = attempt_duration_ms(attempt, "connect_timeout", 0),
        .stall_timeout_ms = attempt_duration_ms(attempt, "stall_timeout", 0),
        .cancelled = is_cancelled,
        .progress = show_progress,
        .data = attempt,
    };
}

const char **git_texts(const json_t *list)
{
    size_t count = json_array_size(list);
    if (count == 0) {
        return NULL;
    }
    const char **texts = memory_new(count + 1, sizeof *texts);
    for (size_t i = 0; i < count; i++) {
        texts[i] = json_string_value(json_array_get(list, i));
    }
    return texts;
}
