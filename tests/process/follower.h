/* A loop, a host and what came of one process, for the tests of process/. */
#ifndef DRCTL_TESTS_FOLLOWER_H
#define DRCTL_TESTS_FOLLOWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/buffer.h"
#include "process/process.h"

struct follower {
    uv_loop_t loop;
    struct process_host *host;
    char *folder; /* scratch */
    char *task;   /* folder/task: the task directory */

    struct process *process;
    struct process_spec spec;             /* argv and what a test changes; the rest is filled in */
    struct buffer text[CRI_STREAM_COUNT]; /* what came: parts as they are, lines with newlines */
    size_t lines;
    size_t parts;
    uint64_t next_offset;
    uint64_t gap_bytes;
    bool done;
    struct process_result result;
    char *message;

    size_t stop_after_lines; /* leave follower_run() after so many; 0: at the end */
    void (*on_line)(struct follower *follower, const struct process_line *line);
    const void *shared; /* a test's own */
};

/* cmocka setup and teardown; *state is the follower. */
int follower_setup(void **state);
int follower_teardown(void **state);

/* Starts argv (NULL-terminated) with PATH and nothing else in its environment. */
void follower_start(struct follower *follower, const char *const *argv);
void follower_start_shell(struct follower *follower, const char *script);
void follower_adopt(struct follower *follower, uint64_t from_offset);

/* Runs the loop until on_done came, or stop_after_lines lines did. Fails after 60 seconds. */
void follower_run(struct follower *follower);

/* Start a shell script and run the loop until its end. */
void follower_run_shell(struct follower *follower, const char *script);

/* Runs the loop until the predicate holds. */
void follower_run_until(struct follower *follower, bool (*holds)(const struct follower *));

/* Gives up the process and forgets what came; the task directory stays. */
void follower_forget(struct follower *follower);

/* The shims that hold the task, found by their command line, oldest (the shim before its guard)
 * first. Returns how many. */
enum { FOLLOWER_SHIMS = 4 };
size_t follower_shims(const struct follower *follower, int pids[FOLLOWER_SHIMS]);

/* The processes whose command line holds the text. */
size_t follower_count_processes(const char *text);

#endif
