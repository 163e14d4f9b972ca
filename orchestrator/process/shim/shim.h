/* drctl-shim: holds one command each, so that the command outlives drctl. Read shim.c first.
 *
 * drctl starts it once, with an argument of blanks (its shims show their directory there) and a
 * socket as descriptor 7, and asks it for a shim for each command. A shim works in the task
 * directory and has the descriptors 0 to 2: /dev/null; 3: anonymous memory with the state and the
 * spec (which holds the environment and the secrets and so never is a file); 4: the lock file of
 * the task, locked; 5 and 6: the reading ends of the pipes for the command's stdout and stderr,
 * which drctl holds as well: what is in them is not lost when the shim is killed. A shim that takes
 * over from one that another drctl had started has no 5 and 6. */
#ifndef DRCTL_PROCESS_SHIM_H
#define DRCTL_PROCESS_SHIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "base/buffer.h"
#include "base/redact.h"

enum {
    SHIM_SPEC_FD = 3,
    SHIM_LOCK_FD = 4,
    SHIM_OUTPUT_FD = 5, /* and 6 */
    SHIM_FD_END = 7,
    SHIM_NURSERY_FD = 7,
    SHIM_NAME_BYTES = 256,      /* of the argument */
    SHIM_STATE_BYTES = 1 << 20, /* of the memory at SHIM_SPEC_FD: shim_state.c; then the spec */
    SHIM_TEXT_BYTES = 16384,    /* of a record, as in Kubernetes' runtimes */
    SHIM_BATCH_BYTES = 256 * 1024,
};

/* The spec is a sequence of fields, each "SIZE:" in decimal, the bytes and a NUL: version, program,
 * argv count, the arguments, environment count, the variables, cwd, stdin path ("" for none), log
 * head and tail bytes, output grace in ms, the file that counts OOM kills and its count at the
 * start, then of a running command to take over: pid (0: none, start one), start in ns, inodes of
 * its output pipes (stdout, stderr); whether SHIM_OUTPUT_FD is there; then secret count and the
 * secrets. */
#define SHIM_SPEC_VERSION "drctl-shim 1"

struct shim_spec {
    char *program; /* what is executed: argv[0] as found in PATH */
    char **argv;
    char **environment;
    const char *cwd;
    const char *stdin_path;
    uint64_t log_head_bytes;
    uint64_t log_tail_bytes;
    uint64_t output_grace_ms;
    const char *oom_path;
    uint64_t oom_kills;
    uint64_t adopt_pid;
    uint64_t adopt_started_at_ns;
    uint64_t adopt_inodes[2];
    uint64_t has_outputs; /* SHIM_OUTPUT_FD is there */
    struct redactor redactor;
};

/* Reads and checks the spec from SHIM_SPEC_FD, behind the state, and closes it. False, with errno,
 * on failure. */
bool shim_spec_read(struct shim_spec *spec);

/* --- shim_log.c: the log and its pieces --- */

/* Plain data: a successor gets it as it is. */
struct shim_log_place {
    uint64_t size_bytes;     /* of all pieces ever, the dropped ones too */
    uint64_t piece_offset;   /* where the current piece begins */
    uint64_t older_offset;   /* the tail piece before the current one; 0: none */
    uint64_t dropped_bytes;  /* in pieces that were removed */
    uint64_t lost_records;   /* that could not be written */
    uint64_t untold_records; /* of those, the ones that no notice in the log speaks of yet */
    int error;               /* errno of the last failure; 0: none */
};

struct shim_log {
    int descriptor;
    struct buffer pending; /* whole records, not written yet */
    uint64_t head_bytes;   /* limits of the first piece and of each later one */
    uint64_t tail_bytes;
    struct shim_log_place at;
};

/* Opens the current piece, at first output.log, in the working directory. -1 and errno on failure,
 * also of the next two. */
int shim_log_open(struct shim_log *log);

/* Goes on with the log of a shim that was killed and of which nothing else is known: with its last
 * piece, behind what may be a torn record. */
int shim_log_reopen(struct shim_log *log);

/* Cuts the log back to a place where it was. */
int shim_log_rewind(struct shim_log *log, const struct shim_log_place *place);

/* Writes what is pending. Never fails: what cannot be written is counted, so that the command does
 * not suffer from a full disk. */
void shim_log_flush(struct shim_log *log);

/* --- shim_stream.c: one of the command's outputs on its way into the log --- */

struct shim_stream {
    int descriptor;      /* -1 after its end */
    const char *name;    /* "stdout" */
    struct buffer input; /* read, and not decided by the redactor yet */
    struct redact_stream redact;
    struct buffer line; /* the line that has not ended yet */
    int64_t at_ns;      /* of the last read */
    char prefix[48];    /* of a record, with that time */
    size_t prefix_bytes;
    int failures; /* to read it, in a row */
    struct shim_log *log;
};

/* What one read brought; nothing means the end. */
struct shim_batch {
    int64_t at_ns;
    size_t size_bytes;
    char bytes[SHIM_BATCH_BYTES];
};

struct shim;

/* Reads once what is there and puts it into the log. At the end of the output it closes. */
void shim_stream_read(struct shim *shim, int index);

/* The second half of that: writes the batch into the log. */
void shim_stream_take(struct shim_stream *stream, struct redactor *redactor,
                      const struct shim_batch *batch);

/* Sets the time of the records that follow. */
void shim_stream_stamp(struct shim_stream *stream, int64_t at_ns);

/* Puts lines that have not ended into the log as parts: a prompt must be seen. */
void shim_streams_flush(struct shim *shim);

/* --- shim_state.c: what a successor must know --- */

struct shim_state;

/* Of SHIM_SPEC_FD; memory of its own when that fails. */
struct shim_state *shim_state_map(void);

/* At the start of a command: its log is empty. */
void shim_state_begin(struct shim_state *state);

/* Around a read of expected_bytes (0: unknown): where to and how much, and what came of it. */
struct shim_batch *shim_state_begin_read(struct shim_state *state, int index,
                                         size_t expected_bytes);
void shim_state_end_read(struct shim_state *state, size_t size_bytes);

/* Before lines are flushed. */
void shim_state_begin_flush(struct shim_state *state);

/* After a read or a flush, when all of it is in the log. */
void shim_state_commit(struct shim *shim);

/* In a successor: goes on where the shim was when it was killed. -1 when the log cannot be opened.
 */
int shim_state_resume(struct shim *shim);

/* --- shim_child.c: the command --- */

struct shim_child {
    pid_t pid;
    int watch; /* becomes readable when the command may have ended */
    bool adopted;
    bool output_lost; /* adopted when an output could not be opened any more */
    bool ended;
    bool status_known;
    int status;     /* as of waitpid() */
    int exec_error; /* errno when it could not be started; what in failed_step */
    const char *failed_step;
    int64_t started_at_ns;
    int64_t ended_at_ns;
};

/* Starts the command, or takes over a running one, with its outputs as the streams' descriptors.
 * What went wrong stands in exec_error. */
void shim_child_start(struct shim_child *child, const struct shim_spec *spec,
                      struct shim_stream streams[2]);
void shim_child_adopt(struct shim_child *child, const struct shim_spec *spec,
                      struct shim_stream streams[2]);

/* Notes that the command cannot be started: errno, and in which step. */
void shim_child_fail(struct shim_child *child, const char *step);

/* To be called when `watch` is readable: notes the end, reaps what the command left to us. */
void shim_child_check(struct shim_child *child);

/* Makes `watch` the pidfd of a command whose parent we are not. */
void shim_child_watch_adopted(struct shim_child *child);

/* Writes exit.json, waiting for space when the disk is full: how a command ended is not lost. */
void shim_exit_write(const struct shim_child *child, const struct shim_spec *spec,
                     const struct shim_log *log, bool output_still_open);

/* --- shim_guard.c: what remains when the shim is killed --- */

struct shim_guard {
    pid_t pid; /* 0: none */
    int pipe;  /* closed by the kernel when the shim is killed */
    int64_t due_at_ms;
};

struct shim {
    struct shim_spec spec;
    struct shim_state *state;
    struct shim_log log;
    struct shim_child child;
    struct shim_stream streams[2];
    struct shim_guard guard;
};

/* How long until a guard is due: 0: now; -1: none is. */
int64_t shim_guard_patience_ms(struct shim *shim);

/* Forks the guard. Returns twice, as fork() does: in the guard when the shim was killed, whose
 * place it then takes. */
void shim_guard_start(struct shim *shim);

/* After SIGCHLD: when the guard was killed, a new one is due. */
void shim_guard_check(struct shim *shim);

/* Sends the guard home, since the work is done. */
void shim_guard_dismiss(struct shim *shim);

/* --- shim_nursery.c --- */

/* Forks a shim for each message. Returns false in the nursery itself when drctl is gone, true in
 * each shim. `name` is the program's argument. */
bool shim_nursery_serve(char *name);

#endif
