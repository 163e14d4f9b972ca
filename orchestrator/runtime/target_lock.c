/* Taking and naming are one step: both happen while the file locks/door is locked, so a loser
 * always reads who won. The kernel opens the door again when a process dies with its hand on it. */
#include "runtime/target_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "engine/event.h"
#include "journal/journal.h"
#include "journal/replay.h"
#include "runtime/state_directory.h"

enum { LOCK_FILE_LIMIT_BYTES = 64 * 1024 };

static int open_door(const char *locks, struct error *err)
{
    CLEANUP(memory_cleanup) char *path = file_join(locks, "door");
    int door = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, FILE_PRIVATE_MODE);
    if (door < 0) {
        return error_set_errno(err, errno, "cannot open %s", path);
    }
    while (flock(door, LOCK_EX) != 0) {
        if (errno != EINTR) {
            error_set_errno(err, errno, "cannot lock %s", path);
            close(door);
            return -1;
        }
    }
    return door;
}

struct progress {
    size_t ended;
    size_t running;
    bool over;
    char last_at[CLOCK_RFC3339_SIZE];
};

static int count_progress(const struct journal_event *event, void *data, struct error *err)
{
    (void)err;
    struct progress *progress = data;
    switch (event_type_of(event->json)) {
    case EVENT_STEP_STARTED:
        progress->running++;
        break;
    case EVENT_STEP_SUCCEEDED:
    case EVENT_STEP_SKIPPED:
        progress->ended++;
        break;
    case EVENT_RUN_ENDED:
        progress->over = true;
        break;
    case EVENT_RUN_RESUMED:
        progress->over = false;
        break;
    default:
        break;
    }
    clock_format_rfc3339_ms(event->at_ns, progress->last_at);
    return 0;
}

/* A run whose drctl was killed while it made it: nothing is in its journal, and nobody writes it.
 */
static bool was_never_made(const char *journal_path)
{
    struct journal *journal = NULL;
    if (journal_open(journal_path, NULL, NULL, NULL, &journal, NULL, NULL) != 0) {
        return false;
    }
    bool empty = journal_last_seq(journal) == 0;
    journal_close(journal, NULL, NULL);
    return empty;
}

/* Whether the run that a lock names is over; a run whose directory is gone is. One whose journal
 * cannot be read is not. */
static bool run_is_over(const char *state, const char *run_id, struct progress *progress)
{
    CLEANUP(memory_cleanup) char *directory = state_run_directory(state, run_id);
    CLEANUP(memory_cleanup) char *journal = file_join(directory, "journal.jsonl");
    struct error err = ERROR_INIT;
    struct journal_tail tail;
    int result = journal_replay(journal, count_progress, progress, &tail, &err);
    bool gone = err.code == ERROR_NOT_FOUND;
    error_release(&err);
    if (result == 0 && progress->last_at[0] == '\0') {
        return was_never_made(journal);
    }
    return result == 0 ? progress->over : gone;
}

static int refuse(const json_t *holder, const char *target, const struct progress *progress,
                  struct error *err)
{
    const char *run = json_get_text(holder, "run");
    error_set(err, ERROR_LOCKED,
              "%s is being recovered by the run %s, which %s started at %s: %zu steps done, last "
              "event at %s",
              target, run, json_get_text(holder, "operator"), json_get_text(holder, "since"),
              progress->ended,
              progress->last_at[0] != '\0' ? progress->last_at : "an unknown time");
    return error_hint(err,
                      "watch it with `drctl attach %s`, go on with `drctl resume %s`, or give "
                      "it up with `drctl cancel %s`",
                      run, run, run);
}

static int check_holder(const char *state, const char *path, const char *target, const char *run_id,
                        struct error *err)
{
    if (!file_exists(path)) {
        return 0;
    }
    CLEANUP(json_cleanup) json_t *holder = json_read_file(path, LOCK_FILE_LIMIT_BYTES, err);
    if (holder == NULL) {
        return error_context(err, "the lock of %s", target);
    }
    const char *run = json_get_text(holder, "run");
    if (run == NULL || json_get_text(holder, "operator") == NULL ||
        json_get_text(holder, "since") == NULL) {
        error_set(err, ERROR_LOCKED, "%s does not say who holds %s", path, target);
        return error_hint(err, "remove it when you are sure that nobody does");
    }
    struct progress progress = {0};
    if (strcmp(run, run_id) == 0 || run_is_over(state, run, &progress)) {
        return 0;
    }
    return refuse(holder, target, &progress, err);
}

static char *lock_path(const char *locks, const char *target)
{
    CLEANUP(memory_cleanup) char *folder = state_step_folder(target);
    return memory_format("%s/%s.json", locks, folder);
}

static int write_holder(const char *path, const char *run_id, const char *operator_name,
                        struct error *err)
{
    char since[CLOCK_RFC3339_SIZE];
    clock_format_rfc3339_ms(clock_wall_ns(), since);
    CLEANUP(json_cleanup)
    json_t *holder =
        json_pack("{s:s, s:s, s:s}", "run", run_id, "operator", operator_name, "since", since);
    CLEANUP(memory_cleanup) char *text = json_canonical(holder);
    return file_write(path, span_of_text(text), FILE_PRIVATE_MODE, FILE_DURABLE, err);
}

int target_lock_take(const char *state, const char *target, const char *run_id,
                     const char *operator_name, struct error *err)
{
    CLEANUP(memory_cleanup) char *locks = file_join(state, "locks");
    if (file_make_private_directory(locks, err) != 0) {
        return -1;
    }
    CLEANUP(file_close_cleanup) int door = open_door(locks, err);
    if (door < 0) {
        return -1;
    }
    CLEANUP(memory_cleanup) char *path = lock_path(locks, target);
    if (check_holder(state, path, target, run_id, err) != 0) {
        return -1;
    }
    return write_holder(path, run_id, operator_name, err);
}

int target_lock_release(const char *state, const char *target, const char *run_id,
                        struct error *err)
{
    CLEANUP(memory_cleanup) char *locks = file_join(state, "locks");
    CLEANUP(file_close_cleanup) int door = open_door(locks, err);
    if (door < 0) {
        return -1;
    }
    CLEANUP(memory_cleanup) char *path = lock_path(locks, target);
    CLEANUP(json_cleanup) json_t *holder = json_read_file(path, LOCK_FILE_LIMIT_BYTES, NULL);
    const char *run = json_get_text(holder, "run");
    if (run != NULL && strcmp(run, run_id) == 0 && unlink(path) != 0 && errno != ENOENT) {
        return error_set_errno(err, errno, "cannot remove %s", path);
    }
    return 0;
}
