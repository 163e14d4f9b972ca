/* One command as drctl sees it: a task directory that is followed. Whether the shim was started by
 * this drctl or an earlier one makes no difference after the first look.
 *
 * Invariant: on_done comes once, and after it nothing else. It needs two things: no more log can
 * come (exit.json is there, or neither shim nor command is), and the log was read to its end. */
#include "process/process.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/redact.h"
#include "process/process_internal.h"

enum {
    PROCESS_EXIT_TRIES = 20, /* of 1 ms: the kernel tells of a closed file before it unlocks it */
    PROCESS_RETRY_MS = 1000,
    PROCESS_READ_TRIES = 5, /* of the log and of exit.json, before their loss is reported */
};

/* --- life --- */

static void copy_spec(struct process *process, const struct process_spec *spec)
{
    struct span *secrets = memory_new(spec->secret_count, sizeof *secrets);
    for (size_t i = 0; i < spec->secret_count; i++) {
        struct span secret = spec->secrets[i];
        secrets[i] = span_of(memory_text_n(secret.data, secret.size_bytes), secret.size_bytes);
    }
    process->spec = (struct process_spec){
        .directory = process->directory_path,
        .secrets = secrets,
        .secret_count = spec->secret_count,
        .log_head_bytes = spec->log_head_bytes,
        .log_tail_bytes = spec->log_tail_bytes,
        .output_grace_ms = spec->output_grace_ms,
    };
}

static void release_spec(struct process_spec *spec)
{
    struct span *secrets = (struct span *)(uintptr_t)spec->secrets;
    for (size_t i = 0; i < spec->secret_count; i++) {
        char *secret = (char *)(uintptr_t)secrets[i].data;
        explicit_bzero(secret, secrets[i].size_bytes);
        free(secret);
    }
    free(secrets);
}

static struct process *process_new(struct process_host *host, const struct process_spec *spec,
                                   const struct process_callbacks *callbacks, void *context)
{
    struct process *process = memory_new(1, sizeof *process);
    process->host = host;
    process->callbacks = *callbacks;
    process->context = context;
    process->directory_path = memory_text(spec->directory);
    process->directory = process->watch = process->piece = -1;
    process->holdings = (struct spawn_holdings){-1, {-1, -1}};
    copy_spec(process, spec);
    process->next = host->first;
    host->first = process;
    return process;
}

static void close_retry(uv_handle_t *handle)
{
    free(handle);
}

static void release(struct process *process)
{
    host_unwatch(process);
    follow_close(process);
    file_close_cleanup(&process->directory);
    spawn_holdings_release(&process->holdings);
    stop_release(process);
    if (process->retry != NULL) {
        uv_close((uv_handle_t *)process->retry, close_retry);
        process->retry = NULL;
    }
}

void process_free(struct process *process)
{
    if (process != NULL && !process->freed) {
        release(process);
        process->freed = true;
        host_sweep(process->host);
    }
}

void host_sweep(struct process_host *host)
{
    struct process **link = &host->first;
    while (!host->dispatching && *link != NULL) {
        struct process *process = *link;
        if (process->freed) {
            *link = process->next;
            release_spec(&process->spec);
            free(process->directory_path);
            free(process);
        } else {
            link = &process->next;
        }
    }
}

/* --- starting and adopting --- */

static int check_secrets(const struct process_spec *spec, struct error *err)
{
    for (size_t i = 0; i < spec->secret_count; i++) {
        if (spec->secrets[i].size_bytes < REDACT_MIN_BYTES) {
            return error_set(err, ERROR_INVALID,
                             "a secret of fewer than %d bytes cannot be taken out of the output",
                             REDACT_MIN_BYTES);
        }
    }
    return 0;
}

static int check_cwd(const struct process_spec *spec, struct error *err)
{
    struct stat status;
    if (stat(spec->cwd, &status) != 0 || !S_ISDIR(status.st_mode)) {
        return error_set(err, ERROR_NOT_FOUND, "there is no directory %s", spec->cwd);
    }
    return 0;
}

/* Mostly its parent is there and it is not: one system call. */
static int make_directory(const char *path, struct error *err)
{
    return mkdir(path, FILE_PRIVATE_DIRECTORY_MODE) == 0 ? 0
                                                         : file_make_private_directory(path, err);
}

static int open_directory(struct process *process, struct error *err)
{
    process->directory = open(process->directory_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (process->directory < 0) {
        return error_set_errno(err, errno, "cannot open %s", process->directory_path);
    }
    return host_watch(process, err);
}

static int launch(struct process *process, const struct process_spec *spec, const char *program,
                  struct error *err)
{
    CLEANUP(file_close_cleanup) int lock = -1;
    if (open_directory(process, err) != 0 || task_claim(process->directory, &lock, err) != 0) {
        return -1;
    }
    struct spawn_request request = {
        .spec = spec, .program = program, .lock = lock, .holdings = &process->holdings};
    return spawn_shim(process->host, &request, err);
}

int process_start(struct process_host *host, const struct process_spec *spec,
                  const struct process_callbacks *callbacks, void *context,
                  struct process **ret_process, struct error *err)
{
    CLEANUP(memory_cleanup) char *program = NULL;
    if (check_secrets(spec, err) != 0 || check_cwd(spec, err) != 0 ||
        spawn_find_program(spec, &program, err) != 0 || make_directory(spec->directory, err) != 0) {
        return -1;
    }
    struct process *process = process_new(host, spec, callbacks, context);
    if (launch(process, spec, program, err) != 0) {
        process_free(process);
        return error_context(err, "cannot run %s in %s", spec->argv[0], spec->directory);
    }
    *ret_process = process;
    return 0;
}

int process_adopt(struct process_host *host, const struct process_spec *spec, uint64_t from_offset,
                  const struct process_callbacks *callbacks, void *context,
                  struct process **ret_process, struct error *err)
{
    enum process_state state;
    if (check_secrets(spec, err) != 0 || process_inspect(spec->directory, &state, err) != 0) {
        return -1;
    }
    struct process *process = process_new(host, spec, callbacks, context);
    if (open_directory(process, err) != 0) {
        process_free(process);
        return error_context(err, "cannot take up %s", spec->directory);
    }
    process->offset = from_offset;
    process->unsettled = true;
    process->pieces_seen = true;
    host_wake(process);
    *ret_process = process;
    return 0;
}

int process_inspect(const char *directory, enum process_state *ret_state, struct error *err)
{
    CLEANUP(file_close_cleanup)
    int descriptor = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0) {
        return errno == ENOENT
                   ? error_set(err, ERROR_NOT_FOUND, "there is no task directory %s", directory)
                   : error_set_errno(err, errno, "cannot open %s", directory);
    }
    return task_state(descriptor, ret_state, err);
}

/* --- what has become of the shim --- */

static void on_retry(uv_timer_t *timer)
{
    struct process *process = timer->data;
    process->unsettled = !process->ended;
    host_wake(process);
}

/* Something that must not fail did: it is tried again until it succeeds. */
static void retry_later(struct process *process)
{
    if (process->retry == NULL) {
        process->retry = memory_new(1, sizeof *process->retry);
        uv_timer_init(process->host->loop, process->retry);
        process->retry->data = process;
    }
    uv_timer_start(process->retry, on_retry, PROCESS_RETRY_MS, 0);
}

static void take_over(struct process *process)
{
    CLEANUP(file_close_cleanup) int lock = -1;
    CLEANUP(error_release) struct error ignored = ERROR_INIT; /* the retry is the answer to it */
    struct spawn_request request = {
        .spec = &process->spec, .orphan = &process->child, .holdings = &process->holdings};
    if (task_read_child(process->directory, &process->child) != 0 ||
        !task_reclaim(process->directory, &lock)) {
        retry_later(process);
        return;
    }
    request.lock = lock;
    if (spawn_shim(process->host, &request, &ignored) != 0) {
        retry_later(process);
    }
}

/* Finds out whether the command runs on, ended or was orphaned. */
static void settle(struct process *process)
{
    enum process_state state = PROCESS_STATE_RUNNING;
    CLEANUP(error_release) struct error err = ERROR_INIT;
    for (int tries = 0; tries < PROCESS_EXIT_TRIES; tries++) {
        if (task_state(process->directory, &state, &err) != 0) {
            retry_later(process);
            return;
        }
        if (state != PROCESS_STATE_RUNNING || !process->lock_closed) {
            break;
        }
        nanosleep(&(struct timespec){0, 1000000}, NULL);
    }
    /* Also when the command has ended: what it printed last is in the pipes that we hold. */
    if (state == PROCESS_STATE_ORPHANED ||
        (state == PROCESS_STATE_LOST && process->holdings.outputs[0] >= 0)) {
        take_over(process);
        return;
    }
    process->ended = state != PROCESS_STATE_RUNNING;
    process->lost = process->ended && state != PROCESS_STATE_FINISHED;
}

/* --- the end --- */

/* True when reading it again may help: a descriptor was missing, a disk hiccuped. */
static bool retry_reading(struct process *process)
{
    if (++process->read_failures >= PROCESS_READ_TRIES) {
        return false;
    }
    retry_later(process);
    return true;
}

/* What the lock file tells of a command that ended without exit.json. */
static void tell_loss(struct process *process, struct process_result *result)
{
    int error = task_read_child(process->directory, &process->child);
    if (error != 0 && error != ENOENT) {
        result->message = "the lock file cannot be read, so how it ended is not known";
    } else if (process->child.pid == 0) {
        result->outcome = PROCESS_NEVER_STARTED;
        result->message = "its shim ended before it started the command";
    } else {
        result->message = process->child.same_boot
                              ? "shim and command ended, and nobody noted how"
                              : "the machine was restarted while the command ran";
    }
    result->started_at_ns = process->child.started_at_ns;
}

static void finish(struct process *process)
{
    CLEANUP(memory_cleanup) char *message = NULL;
    CLEANUP(error_release) struct error err = ERROR_INIT;
    struct process_result result = {.outcome = PROCESS_LOST, .log_bytes = process->offset};
    if (!process->lost && result_read(process->directory, &result, &message, &err) != 0) {
        if (err.code == ERROR_IO && retry_reading(process)) {
            return;
        }
        result.message = err.message;
    }
    if (process->lost) {
        tell_loss(process, &result);
    }
    if (result.message == NULL && process->read_error != 0) {
        result.message = message =
            memory_format("its output could not be read: %s", strerror(process->read_error));
    }
    result.oom_killed = result.oom_killed && !process->killed;
    process->done = true;
    release(process);
    process->callbacks.on_done(process, &result, process->context);
}

void process_advance(struct process *process)
{
    process->dirty = false;
    if (process->done) {
        return;
    }
    if (process->unsettled) {
        process->unsettled = false;
        settle(process);
        process->lock_closed = false;
    }
    stop_advance(process);
    enum follow_outcome outcome = follow_log(process);
    if (process->freed || process->paused || (outcome == FOLLOW_FAILED && retry_reading(process))) {
        return;
    }
    if (outcome == FOLLOW_MORE) {
        process->read_failures = 0;
        host_wake(process);
    } else if (process->ended && !stop_sweep(process)) {
        finish(process);
    }
}

/* --- backpressure --- */

void process_pause(struct process *process)
{
    process->paused = true;
}

void process_continue(struct process *process)
{
    process->paused = false;
    host_wake(process);
}
