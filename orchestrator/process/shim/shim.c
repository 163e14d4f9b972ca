/* Why there is a shim: a command whose output ends in drctl dies with drctl (terraform: of SIGPIPE,
 * with an empty state and its lock left). So this small process stands between them. It starts the
 * command in a session of its own, copies its output through the redactor to output.log, waits for
 * it and writes exit.json. Nothing that happens to drctl, its terminal or its session reaches
 * either of them.
 *
 * The order that others rely on: the lock was taken by drctl before this process began and is held
 * until it ends; the command writes who it is into the lock file before it executes; exit.json
 * appears after the last record of the log. So whoever finds no lock and no exit.json knows that
 * the shim was killed; whoever finds no word about a command knows that none was executed.
 *
 * When the shim itself is killed, the command must not die of SIGPIPE either: it holds its output
 * pipes open for reading as well (shim_child.c), waits in write(2) when they are full, and a new
 * shim takes over. */
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
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    umask(077);
    /* Whatever a library of drctl's opened without O_CLOEXEC. */
    syscall(SYS_close_range, SHIM_LOCK_FD + 1, ~0U, 0);
}

/* How long poll() may sleep; -1 for ever. */
static int patience_ms(const struct shim_child *child, const struct shim_stream streams[2],
                       int64_t give_up_at_ms)
{
    int64_t patience = -1;
    if (streams[0].line.size_bytes != 0 || streams[1].line.size_bytes != 0) {
        patience = SHIM_PROMPT_MS;
    }
    if (child->ended) {
        int64_t left = give_up_at_ms - monotonic_ms();
        left = left > 0 ? left : 0;
        patience = patience < 0 || left < patience ? left : patience;
    }
    return (int)patience;
}

/* Copies output until the command has ended and nobody holds its output open any more, or the grace
 * for those who do is over. True when somebody still does. */
static bool copy_output(struct shim_child *child, struct shim_spec *spec,
                        struct shim_stream streams[2])
{
    int64_t give_up_at_ms = 0;
    while (!child->ended || streams[0].descriptor >= 0 || streams[1].descriptor >= 0) {
        struct pollfd polls[3] = {{streams[0].descriptor, POLLIN, 0},
                                  {streams[1].descriptor, POLLIN, 0},
                                  {child->ended ? -1 : child->watch, POLLIN, 0}};
        int ready = poll(polls, 3, patience_ms(child, streams, give_up_at_ms));
        if (ready < 0 && errno != EINTR) {
            break;
        }
        for (int i = 0; i < 2; i++) {
            if (ready == 0) {
                shim_stream_flush_line(&streams[i]);
            } else if (polls[i].revents != 0) {
                shim_stream_read(&streams[i], &spec->redactor);
            }
        }
        shim_log_flush(streams[0].log);
        if (polls[2].revents != 0) {
            shim_child_check(child);
            give_up_at_ms = monotonic_ms() + (int64_t)spec->output_grace_ms;
        }
        if (child->ended && monotonic_ms() > give_up_at_ms) {
            break;
        }
    }
    return streams[0].descriptor >= 0 || streams[1].descriptor >= 0;
}

int main(int argc, char **argv)
{
    struct shim_spec spec = {0};
    struct shim_log log = {.descriptor = -1};
    struct shim_child child = {.watch = -1};
    struct shim_stream streams[2] = {{.descriptor = -1, .name = "stdout", .log = &log},
                                     {.descriptor = -1, .name = "stderr", .log = &log}};
    bool output_still_open = false;

    protect();
    if (argc != 2 || !shim_spec_read(&spec) || chdir(argv[1]) != 0) {
        return SHIM_USAGE_STATUS;
    }
    if (shim_log_open(&log, &spec) != 0) {
        child.exec_error = errno;
        child.failed_step = "open output.log";
    } else if (spec.adopt_pid != 0) {
        shim_child_adopt(&child, &spec, streams);
    } else {
        shim_child_start(&child, &spec, streams);
    }
    if (child.exec_error == 0) {
        output_still_open = copy_output(&child, &spec, streams);
        for (int i = 0; i < 2; i++) {
            shim_stream_flush_line(&streams[i]);
        }
        shim_log_flush(&log);
    }
    shim_exit_write(&child, &spec, &log, output_still_open);
    redact_release(&spec.redactor);
    return 0;
}
