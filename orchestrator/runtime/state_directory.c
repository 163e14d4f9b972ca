/* The layout of the state directory; nothing else in the program joins these paths. */
#include "runtime/state_directory.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/nearest.h"
#include "base/random.h"

static char *default_directory(void)
{
    const char *own = getenv("DRCTL_STATE_DIR");
    if (own != NULL && own[0] != '\0') {
        return memory_text(own);
    }
    const char *xdg = getenv("XDG_STATE_HOME");
    if (xdg != NULL && xdg[0] == '/') {
        return file_join(xdg, "drctl");
    }
    const char *home = getenv("HOME");
    return home != NULL && home[0] == '/' ? file_join(home, ".local/state/drctl") : NULL;
}

int state_directory(const char *given, char **ret_path, struct error *err)
{
    CLEANUP(memory_cleanup) char *path = given != NULL ? memory_text(given) : default_directory();
    if (path == NULL) {
        error_set(err, ERROR_NOT_READY, "there is no home directory to keep runs in");
        return error_hint(err, "give one with --state-dir DIR");
    }
    if (file_make_private_directory(path, err) != 0) {
        return error_context(err, "the state directory cannot be used");
    }
    char *absolute = realpath(path, NULL);
    if (absolute == NULL) {
        return error_set_errno(err, errno, "cannot resolve %s", path);
    }
    *ret_path = absolute;
    return 0;
}

char *state_new_run_id(const char *plan_name, int64_t now_ns)
{
    char at[CLOCK_RFC3339_SIZE];
    clock_format_rfc3339_ms(now_ns, at);
    char id[RANDOM_ID_SIZE];
    random_id(id);
    return memory_format("%s-%.4s%.2s%.2s-%.2s%.2s%.2s-%.4s", plan_name, at, at + 5, at + 8,
                         at + 11, at + 14, at + 17, id);
}

char *state_run_directory(const char *state, const char *run_id)
{
    return memory_format("%s/runs/%s", state, run_id);
}

/* By the time in the id, then by the id: names of plans must not come first. */
static int compare_ids(const void *a, const void *b)
{
    const char *x = *(char *const *)a;
    const char *y = *(char *const *)b;
    enum { STAMP = sizeof "YYYYMMDD-HHMMSS-xxxx" - 1 };
    size_t x_size = strlen(x);
    size_t y_size = strlen(y);
    if (x_size >= STAMP && y_size >= STAMP) {
        int order = strcmp(x + x_size - STAMP, y + y_size - STAMP);
        if (order != 0) {
            return order;
        }
    }
    return strcmp(x, y);
}

int state_list_runs(const char *state, struct state_runs *ret_runs, struct error *err)
{
    CLEANUP(memory_cleanup) char *path = file_join(state, "runs");
    DIR *directory = opendir(path);
    struct state_runs runs = {0};
    if (directory == NULL && errno != ENOENT) {
        return error_set_errno(err, errno, "cannot list %s", path);
    }
    for (struct dirent *entry; directory != NULL && (entry = readdir(directory)) != NULL;) {
        CLEANUP(memory_cleanup)
        char *journal = memory_format("%s/%s/journal.jsonl", path, entry->d_name);
        if (entry->d_name[0] != '.' && file_exists(journal)) {
            vector_push(&runs.ids, memory_text(entry->d_name));
        }
    }
    if (directory != NULL) {
        closedir(directory);
    }
    if (runs.ids.count > 1) {
        qsort(runs.ids.items, runs.ids.count, sizeof *runs.ids.items, compare_ids);
    }
    *ret_runs = runs;
    return 0;
}

void state_runs_release(struct state_runs *runs)
{
    vector_each (char **, id, &runs->ids) {
        free(*id);
    }
    vector_release(&runs->ids);
}

static bool matches(const char *id, const char *given)
{
    size_t id_size = strlen(id);
    size_t given_size = strlen(given);
    return given_size <= id_size &&
           (strncmp(id, given, given_size) == 0 || strcmp(id + id_size - given_size, given) == 0);
}

static int pick_run(const struct state_runs *runs, const char *given, char **ret_id,
                    struct error *err)
{
    if (runs->ids.count == 0) {
        return error_set(err, ERROR_NOT_FOUND, "there are no runs here");
    }
    if (strcmp(given, "last") == 0) {
        *ret_id = memory_text(runs->ids.items[runs->ids.count - 1]);
        return 0;
    }
    const char *found = NULL;
    struct nearest nearest;
    nearest_init(&nearest, given);
    vector_each (char *const *, id, &runs->ids) {
        nearest_offer(&nearest, *id);
        if (strcmp(*id, given) == 0) {
            *ret_id = memory_text(*id);
            return 0;
        }
        if (matches(*id, given)) {
            if (found != NULL) {
                return error_set(err, ERROR_USAGE, "'%s' may mean %s or %s", given, found, *id);
            }
            found = *id;
        }
    }
    if (found == NULL) {
        error_set(err, ERROR_NOT_FOUND, "there is no run '%s'", given);
        return nearest.best != NULL ? error_hint(err, "did you mean %s?", nearest.best)
                                    : error_hint(err, "`drctl runs` lists them");
    }
    *ret_id = memory_text(found);
    return 0;
}

int state_find_run(const char *state, const char *given, char **ret_id, struct error *err)
{
    struct state_runs runs = {0};
    if (state_list_runs(state, &runs, err) != 0) {
        return -1;
    }
    int result = pick_run(&runs, given, ret_id, err);
    state_runs_release(&runs);
    return result;
}

char *state_step_folder(const char *step)
{
    struct buffer name = BUFFER_INIT;
    for (const char *at = step; *at != '\0'; at++) {
        unsigned char byte = (unsigned char)*at;
        bool plain = isalnum(byte) || byte == '-' || byte == '_' || (byte == '.' && at != step);
        if (plain) {
            buffer_append_char(&name, *at);
        } else {
            buffer_append_format(&name, "%%%02X", byte);
        }
    }
    return buffer_take(&name);
}
