/* Why there is a shim: a command whose output ends in drctl dies with drctl (terraform: of SIGPIPE,
 * with an empty state and its lock left). So this small process stands between them. It starts the
 * command in a session of its own, copies its output through the redactor to output.log, waits for
 * it and writes exit.json. Nothing that happens to drctl, its terminal or its session reaches
 * either of them.
 *
 * Shims are forked by a process of the same program that drctl keeps (shim_nursery.c).
 *
 * The order that others rely on: the lock was taken by drctl before this process began and is held
 * until it ends; the command writes who it is into the lock file before it executes; exit.json
 * appears after the last record of the log. So whoever finds no lock and no exit.json knows that
 * the shim was killed; whoever finds no word about a command knows that none was executed.
 *
 * When the shim itself is killed, the command must not die of SIGPIPE either: it holds its output
 * pipes open for reading as well (shim_child.c), waits in write(2) when they are full, and the
 * shim's guard (shim_guard.c) or else a new shim, started by drctl, takes over. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"
#include "shim.h"

enum {
    SHIM_PROMPT_MS = 200, /* a line without an end is shown after this long */
    SHIM_USAGE_STATUS = 64,
};

static int64_t monotonic_ms(void)
{
    return clock_monotonic_ns() / CLOCK_NS_PER_MS;
}

static void protect(void)
{
    sigset_t all;
    struct rlimit core = {0, 0};
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    /* The command's environment is secret: no core files, its own included. */
    getrlimit(RLIMIT_CORE, &core);
    core.rlim_cur = 0;
    setrlimit(RLIMIT_CORE, &core);
    prctl(PR_SET_DUMPABLE, 0);
    umask(077);
    /* Whatever a library of drctl's opened without O_CLOEXEC. */
    syscall(SYS_close_range, SHIM_NURSERY_FD + 1, ~0U, 0);
}

static int64_t sooner(int64_t a_ms, int64_t b_ms)
{
    return a_ms < 0 || (b_ms >= 0 && b_ms < a_ms) ? b_ms : a_ms;
}

/* How long poll() may sleep; -1 for ever. */
static int patience_ms(struct shim *shim, int64_t give_up_at_ms)
{
    int64_t patience = shim_guard_patience_ms(shim);
    if (shim->streams[0].line.size_bytes != 0 || shim->streams[1].line.size_bytes != 0) {
        patience = sooner(patience, SHIM_PROMPT_MS);
    }
    if (shim->child.ended) {
        int64_t left_ms = give_up_at_ms - monotonic_ms();
        patience = sooner(patience, left_ms > 0 ? left_ms : 0);
    }
    return (int)patience;
}

static void read_streams(struct shim *shim, const struct pollfd *polls)
{
    for (int i = 0; i < 2; i++) {
        if (polls[i].revents != 0) {
            shim_stream_read(shim, i);
        }
    }
}

static bool output_is_open(const struct shim *shim)
{
    return shim->streams[0].descriptor >= 0 || shim->streams[1].descriptor >= 0;
}

/* Copies output until the command has ended and nobody holds its output open any more, or the grace
 * for those who do is over. */
static void copy_output(struct shim *shim)
{
    int64_t give_up_at_ms = 0;
    while (!shim->child.ended || (output_is_open(shim) && monotonic_ms() <= give_up_at_ms)) {
        if (shim_guard_patience_ms(shim) == 0) {
            shim_guard_start(shim);
        }
        struct pollfd polls[3] = {{shim->streams[0].descriptor, POLLIN, 0},
                                  {shim->streams[1].descriptor, POLLIN, 0},
                                  {shim->child.ended ? -1 : shim->child.watch, POLLIN, 0}};
        int ready = poll(polls, 3, patience_ms(shim, give_up_at_ms));
        read_streams(shim, polls);
        if (ready == 0) {
            shim_streams_flush(shim);
        }
        if (polls[2].revents != 0) {
            shim_guard_check(shim);
            shim_child_check(&shim->child);
            give_up_at_ms = monotonic_ms() + (int64_t)shim->spec.output_grace_ms;
        }
    }
}

static void take_over(struct shim *shim)
{
    shim_child_adopt(&shim->child, &shim->spec, shim->streams);
    if (shim_state_resume(shim) != 0) {
        shim->log.descriptor = -1; /* each record counts as lost, the command runs on */
    }
}

static void start(struct shim *shim)
{
    shim->state = shim_state_map();
    if (!shim_spec_read(&shim->spec)) {
        shim_child_fail(&shim->child, "read what to run");
        return;
    }
    shim->log.head_bytes = shim->spec.log_head_bytes;
    shim->log.tail_bytes = shim->spec.log_tail_bytes;
    if (shim->spec.adopt_pid != 0) {
        take_over(shim);
    } else if (shim_log_open(&shim->log) != 0) {
        shim_child_fail(&shim->child, "open output.log");
    } else {
        shim_state_begin(shim->state);
        shim_child_start(&shim->child, &shim->spec, shim->streams);
    }
}

static void run(void)
{
    struct shim shim = {.log = {.descriptor = -1}, .child = {.watch = -1}, .guard = {.pipe = -1}};
    shim.streams[0] = (struct shim_stream){.descriptor = -1, .name = "stdout", .log = &shim.log};
    shim.streams[1] = (struct shim_stream){.descriptor = -1, .name = "stderr", .log = &shim.log};
    start(&shim);
    if (shim.child.exec_error == 0) {
        copy_output(&shim);
        shim_streams_flush(&shim);
    }
    shim_exit_write(&shim.child, &shim.spec, &shim.log, output_is_open(&shim));
    shim_guard_dismiss(&shim);
    redact_release(&shim.spec.redactor);
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        return SHIM_USAGE_STATUS;
    }
    protect();
    if (shim_nursery_serve(argv[1])) {
        run();
    }
    return 0;
}
