/* Child commands that outlive drctl. Each runs under a shim of its own (shim/shim.c), which copies
 * its output into a log, waits for it and writes down how it ended, all in a task directory:
 *
 *   lock         held by the kernel for the shim while it lives; says who the command is
 *   output.log   the redacted output, CRI records (cri_log.h); output.OFFSET.log are its later
 *                pieces once it is longer than log_head_bytes
 *   exit.json    how it ended, there completely or not at all (process_result.c has its form)
 *
 * drctl never touches the output itself: it follows the log, in the first life as after a resume.
 * Whichever of drctl, the shim and the shim's guard (from 100 ms on) is killed, the command runs on
 * and no line is lost or doubled. All of them killed in one instant can cost the output that the
 * shim had read and not logged yet, some microseconds' worth. When the command then ends before
 * another drctl has adopted it, what it wrote meanwhile goes with its pipes (output_lost says so),
 * and the exit status may be lost as well.
 *
 * Order of calls: process_host_open(); then process_start() or process_adopt() any number of times,
 * process_free() for each; process_host_close(). All on the loop's thread. Callbacks come from the
 * loop, never from inside the call that asked. A callback may call anything here, process_free() of
 * its own process included. */
#ifndef DRCTL_PROCESS_PROCESS_H
#define DRCTL_PROCESS_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/compiler.h"
#include "base/error.h"
#include "base/span.h"
#include "process/cri_log.h"

struct process;
struct process_host;

/* --- host: what all processes of a loop share --- */

/* shim_path: the drctl-shim program; NULL means $DRCTL_SHIM, else beside this program or in
 * ../libexec/drctl, else on PATH. ERROR_NOT_READY when there is none. */
MUST_USE int process_host_open(uv_loop_t *loop, const char *shim_path,
                               struct process_host **ret_host, struct error *err);

/* Detaches from the processes that are left (they go on) and closes; done(context) comes when the
 * loop has let go of everything. done may be NULL. */
void process_host_close(struct process_host *host, void (*done)(void *context), void *context);

/* --- what to run --- */

struct process_spec {
    const char *directory;   /* the task directory, absolute; made with mode 0700 when missing */
    const char *const *argv; /* NULL-terminated; argv[0] without '/' is looked up in PATH */
    const char *const *environment; /* NULL-terminated NAME=VALUE, the whole of it */
    const char *cwd;                /* absolute */
    const char *stdin_path;         /* absolute; NULL means /dev/null */

    /* Replaced by *** in the output, their base64, URL and JSON forms as well (base/redact.h). Only
     * read during the call. Shorter than four bytes: refused with ERROR_INVALID. */
    const struct span *secrets;
    size_t secret_count;

    uint64_t log_head_bytes; /* kept from the start of the log; 0 means 64 MiB */
    uint64_t log_tail_bytes; /* and at least this much of its end; 0 means 16 MiB */

    /* How long after the command's end the shim waits for processes that it left behind and that
     * hold its output open; 0 means 2 s. */
    int64_t output_grace_ms;
};

/* --- what becomes of it --- */

struct process_line {
    struct cri_record record; /* its text is valid during the callback only */
    uint64_t offset;          /* where it stands in the log; rises, also across pieces */
    uint64_t next_offset;     /* what process_adopt() takes to go on behind it */
};

enum process_outcome {
    PROCESS_EXITED,        /* exit_code is set */
    PROCESS_SIGNALLED,     /* signal_number is set */
    PROCESS_NOT_STARTED,   /* the program could not be executed: certainly no effect; message */
    PROCESS_NEVER_STARTED, /* adopted, but its shim never came to starting it: no effect either */
    PROCESS_LOST,          /* ended, nobody knows how: only a probe of the world can tell */
};

struct process_result {
    enum process_outcome outcome;
    int exit_code;
    int signal_number;
    int64_t started_at_ns;  /* 0 when it never started */
    int64_t ended_at_ns;    /* 0 when unknown */
    const char *message;    /* NULL, or one sentence; valid during the callback */
    bool oom_killed;        /* the kernel killed it for memory */
    bool output_lost;       /* its last lines may be missing: nobody held its pipes when it ended */
    bool output_still_open; /* it left processes behind that hold its output */
    uint64_t log_bytes;     /* length of the log as if nothing had been dropped from its middle */
    uint64_t dropped_bytes; /* log_bytes that are not kept: beyond the limits */
    uint64_t lost_records;  /* records that could not be written: disk full, I/O error */
    uint64_t max_rss_bytes; /* of the largest process of the command */
    int64_t user_ms;        /* CPU time */
    int64_t system_ms;
};

struct process_callbacks {
    void (*on_line)(struct process *process, const struct process_line *line, void *context);

    /* Records between the two offsets are gone (log limits). NULL when nobody wants to know. */
    void (*on_gap)(struct process *process, uint64_t from_offset, uint64_t to_offset,
                   void *context);

    /* Exactly once, after the last line, unless the process is freed before. */
    void (*on_done)(struct process *process, const struct process_result *result, void *context);
};

/* Starts a command. On failure nothing was started: ERROR_NOT_FOUND when there is no such program
 * or cwd, ERROR_LOCKED when the directory holds a task already, ERROR_IO. The result belongs to the
 * caller, who frees it in or after on_done, or before that to detach from it. */
MUST_USE int process_start(struct process_host *host, const struct process_spec *spec,
                           const struct process_callbacks *callbacks, void *context,
                           struct process **ret_process, struct error *err);

/* Takes up a task that is there already: follows it when it runs, delivers the rest of its log and
 * its result when it has ended. Lines come from from_offset on (0, or a line's next_offset). Of the
 * spec, argv, environment, cwd and stdin_path are not used; the secrets are needed in case that the
 * shim was killed and the command runs on: a new shim then takes its place. ERROR_NOT_FOUND when
 * there is no such directory. */
MUST_USE int process_adopt(struct process_host *host, const struct process_spec *spec,
                           uint64_t from_offset, const struct process_callbacks *callbacks,
                           void *context, struct process **ret_process, struct error *err);

/* Ends the following, not the command. NULL is accepted. */
void process_free(struct process *process);

enum process_state {
    PROCESS_STATE_ABSENT,   /* no task directory, or its shim never came to starting the command */
    PROCESS_STATE_RUNNING,  /* the shim lives */
    PROCESS_STATE_ORPHANED, /* the shim was killed, the command runs on; process_adopt() mends it */
    PROCESS_STATE_FINISHED, /* exit.json is there */
    PROCESS_STATE_LOST,     /* started, not running, and no exit.json */
};

/* Asks the kernel what a task directory's task is doing now. No loop needed, changes nothing. */
MUST_USE int process_inspect(const char *directory, enum process_state *ret_state,
                             struct error *err);

const char *process_outcome_name(enum process_outcome outcome);

/* --- backpressure --- */

/* No lines and no on_done until process_continue(). Nothing is lost meanwhile but what the log
 * limits drop. */
void process_pause(struct process *process);
void process_continue(struct process *process);

/* --- stopping --- */

/* One signal to the command's pid alone (process_signal) or to its whole process group
 * (process_kill: SIGKILL). ERROR_NOT_READY when it is not running (any more, or not yet). */
MUST_USE int process_signal(struct process *process, int signal_number, struct error *err);
MUST_USE int process_kill(struct process *process, struct error *err);

/* Stops step by step: SIGINT to the pid, after interrupt_grace_ms SIGTERM to the pid, after
 * terminate_grace_ms more SIGKILL to the group. A grace of -1 waits without limit and so never
 * takes the step behind it; 0 takes the next step at once. A second call replaces the deadlines of
 * the first and sends no second SIGINT (terraform would count it). */
struct process_stop_policy {
    int64_t interrupt_grace_ms;
    int64_t terminate_grace_ms;
};
void process_stop(struct process *process, const struct process_stop_policy *policy);

/* The command's pid and group, for showing; 0 when it is not known (yet). */
int process_child_pid(const struct process *process);

#endif
