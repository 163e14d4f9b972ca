/* What the files of process/ share. */
#ifndef DRCTL_PROCESS_PROCESS_INTERNAL_H
#define DRCTL_PROCESS_PROCESS_INTERNAL_H

#include <sys/types.h>

#include "base/json.h"
#include "base/vector.h"
#include "process/process.h"

/* --- process_task.c: what a task directory says --- */

enum { TASK_BOOT_ID_SIZE = 37 };

/* The command, as it described itself in the lock file before it executed. */
struct task_child {
    pid_t pid; /* 0: none was executed */
    int64_t started_at_ns;
    int64_t before_ns; /* boot time; the kernel's start time of the process lies between them */
    int64_t after_ns;
    uint64_t inodes[2]; /* of its output pipes */
    bool same_boot;
};

/* Claims the task directory for a new command and gives the locked descriptor of its lock file.
 * ERROR_LOCKED when a task is there or was there. */
MUST_USE int task_claim(int directory, int *ret_lock, struct error *err);

/* Takes the free lock of a task whose shim is gone. False when somebody else has it. */
MUST_USE bool task_reclaim(int directory, int *ret_lock);

/* Does a shim hold the lock? An errno value when the lock file cannot be examined. */
MUST_USE int task_is_locked(int directory, bool *ret_locked);

/* 0, or an errno value when the lock file cannot be read. */
MUST_USE int task_read_child(int directory, struct task_child *ret_child);

/* Is it running now, and not another process with its pid? A zombie runs no more. */
bool task_child_is_alive(const struct task_child *child);

/* Has it ended and left others behind in its process group? */
bool task_group_is_left(const struct task_child *child);

MUST_USE int task_state(int directory, enum process_state *ret_state, struct error *err);

/* --- process_spawn.c: starting shims --- */

/* What drctl holds besides the shim, so that a successor finds it when the shim is killed. -1: it
 * was another drctl's. */
struct spawn_holdings {
    int memory;     /* the shim's state and spec */
    int outputs[2]; /* reading ends of the command's pipes */
};

void spawn_holdings_release(struct spawn_holdings *holdings);

struct spawn_request {
    const struct process_spec *spec;
    const char *program;             /* NULL to take over a command */
    const struct task_child *orphan; /* the command to take over, or NULL */
    int lock;
    struct spawn_holdings *holdings;
};

/* The file that argv[0] of the spec means; ERROR_NOT_FOUND. The caller frees it. */
MUST_USE int spawn_find_program(const struct process_spec *spec, char **ret_program,
                                struct error *err);

/* Makes what is missing in the holdings, which the caller releases in any case. */
MUST_USE int spawn_shim(struct process_host *host, const struct spawn_request *request,
                        struct error *err);

/* Lets the nursery go, when all requests were taken. */
void spawn_stop(struct process_host *host);

/* --- process_host.c --- */

enum { HOST_READ_BYTES = 256 * 1024 };

struct process_host {
    uv_loop_t *loop;
    char *shim_path;
    int inotify;
    int null;
    int oom_counter; /* -1: the kernel does not tell */
    char *oom_path;
    uv_poll_t poll; /* of inotify: referenced while there are processes that run */
    uv_idle_t idle; /* runs while there is something to read */
    int open_handles;
    int nursery; /* socket to the process that forks shims; -1: none yet */
    pid_t nursery_pid;
    struct process *first;
    size_t watched;
    bool dispatching;
    bool closing;
    void (*closed)(void *context);
    void *closed_context;
    char *read_buffer; /* of HOST_READ_BYTES */
};

/* Makes the loop look at the process again, soon. */
void host_wake(struct process *process);

MUST_USE int host_watch(struct process *process, struct error *err);
void host_unwatch(struct process *process);

/* Frees the processes that were given up, unless one of their callbacks is running. */
void host_sweep(struct process_host *host);

/* --- process.c --- */

struct process_stop; /* process_stop.c */

struct process {
    struct process_host *host;
    struct process *next;
    struct process_callbacks callbacks;
    void *context;
    struct process_spec spec; /* what a new shim needs: the secrets and the limits, copied */
    char *directory_path;
    int directory;
    struct spawn_holdings holdings;
    int watch; /* inotify's name for it; -1: none */

    int piece; /* the open piece of the log; -1: none yet */
    uint64_t piece_offset;
    uint64_t offset;   /* of the first byte that was not handed on */
    bool pieces_seen;  /* the log may have more pieces than output.log */
    int read_error;    /* errno of the last failure to read log or exit.json; 0: none */
    int read_failures; /* in a row */

    bool dirty;       /* something may have changed */
    bool unsettled;   /* find out whether shim and command are there */
    bool lock_closed; /* by the shim: it is about to be gone */
    bool ended;       /* no more log will come */
    bool lost;        /* ended without exit.json */
    bool paused;
    bool done; /* on_done was called */
    bool freed;
    bool killed; /* we sent SIGKILL */
    struct task_child child;
    struct process_stop *stop;
    uv_timer_t *retry; /* of starting a new shim */
};

/* Deals with what has happened: reads the log, finds out about the end. */
void process_advance(struct process *process);

/* --- process_follow.c: the log --- */

enum follow_outcome {
    FOLLOW_MORE,   /* there is more, or nobody wants it now */
    FOLLOW_END,    /* nothing more for now */
    FOLLOW_FAILED, /* read_error says why */
};

/* Hands on what is there, up to a budget. */
enum follow_outcome follow_log(struct process *process);
void follow_close(struct process *process);

/* --- process_result.c: exit.json --- */

/* Reads exit.json. *ret_message is the caller's to free; result->message points to it. */
MUST_USE int result_read(int directory, struct process_result *ret_result, char **ret_message,
                         struct error *err);

/* --- process_stop.c --- */

/* Sends the signals that are due and could not be sent before the command was there. */
void stop_advance(struct process *process);

/* True while processes that a stopped command left behind are being ended: the end is not told yet.
 */
bool stop_sweep(struct process *process);
void stop_release(struct process *process);

#endif
