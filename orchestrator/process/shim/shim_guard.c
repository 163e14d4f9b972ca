/* The guard: a second, sleeping process, forked by a shim whose command runs for longer than a
 * moment. It does nothing but hold the lock and the output pipes. When the shim is killed, the
 * kernel closes the pipe between them, and the guard goes on as the shim, with a guard of its own.
 * So it takes two kills within a moment to leave a command alone, and what is in the pipes is not
 * lost even if the command ends meanwhile. */
#include <errno.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "shim.h"

enum { GUARD_AFTER_MS = 100, GUARD_RETRY_MS = 1000 };

static int64_t now_ms(void)
{
    return clock_monotonic_ns() / CLOCK_NS_PER_MS;
}

/* What the guard does until its shim ends; it returns when it is the shim. */
static void stand_by(struct shim *shim, int life)
{
    char farewell;
    ssize_t got;
    setsid(); /* who kills the shim's session has not killed the guard */
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    close(shim->child.watch);
    shim_child_watch_adopted(&shim->child);
    do {
        got = read(life, &farewell, 1);
    } while (got < 0 && errno == EINTR);
    if (got == 1) {
        _exit(0);
    }
    close(life);
}

/* What this copy of the shim remembers is from the time of the fork: the state says more. */
static void succeed(struct shim *shim)
{
    close(shim->log.descriptor);
    if (shim_state_resume(shim) != 0) {
        shim->log.descriptor = -1; /* each record counts as lost, the command runs on */
    }
    shim->guard = (struct shim_guard){.pipe = -1, .due_at_ms = now_ms() + GUARD_AFTER_MS};
}

int64_t shim_guard_patience_ms(struct shim *shim)
{
    struct shim_guard *guard = &shim->guard;
    if (guard->due_at_ms == 0) {
        guard->due_at_ms = now_ms() + GUARD_AFTER_MS;
    }
    if (guard->pid != 0 || shim->child.ended) {
        return -1;
    }
    int64_t left_ms = guard->due_at_ms - now_ms();
    return left_ms > 0 ? left_ms : 0;
}

void shim_guard_start(struct shim *shim)
{
    struct shim_guard *guard = &shim->guard;
    int life[2];
    guard->due_at_ms = now_ms() + GUARD_RETRY_MS;
    if (pipe2(life, O_CLOEXEC) != 0) {
        return;
    }
    pid_t pid = fork();
    if (pid == 0) {
        close(life[1]);
        stand_by(shim, life[0]);
        succeed(shim);
        return;
    }
    close(life[0]);
    if (pid < 0) {
        close(life[1]);
        return;
    }
    guard->pid = pid;
    guard->pipe = life[1];
}

void shim_guard_check(struct shim *shim)
{
    if (shim->guard.pid != 0 && waitpid(shim->guard.pid, NULL, WNOHANG) != 0) {
        close(shim->guard.pipe);
        shim->guard = (struct shim_guard){.pipe = -1, .due_at_ms = now_ms() + GUARD_AFTER_MS};
    }
}

void shim_guard_dismiss(struct shim *shim)
{
    if (shim->guard.pid != 0) {
        ssize_t wrote = write(shim->guard.pipe, "x", 1);
        (void)wrote; /* it was killed: then it is gone as well */
        waitpid(shim->guard.pid, NULL, 0);
    }
}
