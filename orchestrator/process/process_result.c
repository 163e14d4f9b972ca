/* exit.json, written by the shim (shim/shim_child.c):
 *
 *   {"outcome":"exited","exit_code":0,"started_at":"…Z","ended_at":"…Z","output_still_open":false,
 *    "output_lost":false,"log_bytes":123,"dropped_bytes":0,"lost_records":0,"log_error":0,"max_rss_bytes":1,
 *    "user_ms":1,"system_ms":1}
 *
 * outcome is exited, signalled (with signal and oom_killed), not_started (with failed_step and
 * error, an errno value) or lost (the shim that wrote this took over from one that was killed and
 * could not learn the status). Members that do not apply are missing. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "process/process_internal.h"

enum { EXIT_LIMIT_BYTES = 64 * 1024 };

static const char *const outcome_names[] = {
    [PROCESS_EXITED] = "exited",
    [PROCESS_SIGNALLED] = "signalled",
    [PROCESS_NOT_STARTED] = "not_started",
    [PROCESS_NEVER_STARTED] = "never_started",
    [PROCESS_LOST] = "lost",
};

const char *process_outcome_name(enum process_outcome outcome)
{
    return outcome_names[outcome];
}

static int read_outcome(const json_t *exit, enum process_outcome *ret_outcome, struct error *err)
{
    const char *name = json_get_text(exit, "outcome");
    for (size_t i = 0; name != NULL && i < ARRAY_SIZE(outcome_names); i++) {
        if (strcmp(name, outcome_names[i]) == 0) {
            *ret_outcome = (enum process_outcome)i;
            return 0;
        }
    }
    return error_set(err, ERROR_INVALID, "exit.json has no known outcome");
}

static int64_t read_time(const json_t *exit, const char *name)
{
    int64_t at_ns = 0;
    const char *text = json_get_text(exit, name);
    if (text == NULL || clock_parse_rfc3339(text, &at_ns, NULL) != 0) {
        return 0;
    }
    return at_ns;
}

static char *make_message(const json_t *exit, const struct process_result *result)
{
    if (result->outcome == PROCESS_NOT_STARTED) {
        const char *step = json_get_text(exit, "failed_step");
        return memory_format("cannot %s: %s", step != NULL ? step : "start",
                             strerror((int)json_get_integer(exit, "error", 0)));
    }
    if (result->outcome == PROCESS_LOST) {
        return memory_text("the shim was killed while the command ran, so how the command ended "
                           "is not known");
    }
    if (result->output_lost) {
        return memory_text("the end of its output may be missing: drctl and the shim had been "
                           "killed, and nobody read it before the command ended");
    }
    if (result->lost_records != 0) {
        return memory_format("%ju lines of its output could not be written: %s",
                             (uintmax_t)result->lost_records,
                             strerror((int)json_get_integer(exit, "log_error", 0)));
    }
    return result->oom_killed ? memory_text("the kernel killed it because memory ran out") : NULL;
}

int result_read(int directory, struct process_result *ret_result, char **ret_message,
                struct error *err)
{
    CLEANUP(buffer_release) struct buffer text = BUFFER_INIT;
    CLEANUP(file_close_cleanup)
    int descriptor = openat(directory, "exit.json", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (descriptor < 0) {
        return error_set_errno(err, errno, "cannot open exit.json");
    }
    if (file_read_descriptor(descriptor, EXIT_LIMIT_BYTES, &text, err) != 0) {
        return error_context(err, "exit.json");
    }
    CLEANUP(json_cleanup) json_t *exit = json_parse(buffer_span(&text), "exit.json", err);
    struct process_result result = {0};
    if (exit == NULL || read_outcome(exit, &result.outcome, err) != 0) {
        return -1;
    }
    result.exit_code = (int)json_get_integer(exit, "exit_code", 0);
    result.signal_number = (int)json_get_integer(exit, "signal", 0);
    result.started_at_ns = read_time(exit, "started_at");
    result.ended_at_ns = read_time(exit, "ended_at");
    result.oom_killed = json_is_true(json_object_get(exit, "oom_killed"));
    result.output_still_open = json_is_true(json_object_get(exit, "output_still_open"));
    result.output_lost = json_is_true(json_object_get(exit, "output_lost"));
    result.log_bytes = (uint64_t)json_get_integer(exit, "log_bytes", 0);
    result.dropped_bytes = (uint64_t)json_get_integer(exit, "dropped_bytes", 0);
    result.lost_records = (uint64_t)json_get_integer(exit, "lost_records", 0);
    result.max_rss_bytes = (uint64_t)json_get_integer(exit, "max_rss_bytes", 0);
    result.user_ms = json_get_integer(exit, "user_ms", 0);
    result.system_ms = json_get_integer(exit, "system_ms", 0);
    result.message = *ret_message = make_message(exit, &result);
    *ret_result = result;
    return 0;
}
