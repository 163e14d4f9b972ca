/* Stopping a command, one step after the other. A signal goes to the command's pid alone, so that
 * terraform's providers, which share its group, do not get it as well; only the last step is for
 * the whole group. A command that has ended because it was asked to may have left others behind in
 * its group (a shell dies of the SIGINT, what it was waiting for does not get one): these get
 * SIGTERM, and SIGKILL after the grace for it, before the end is told.
 *
 * Invariant: a pid is signalled only after it was found to be the command's own (its start time is
 * the one in the lock file), and by a pidfd, which cannot come to mean another process. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "process/process_internal.h"

enum stop_step { STOP_INTERRUPT, STOP_TERMINATE, STOP_KILL, STOP_STEPS };

enum {
    STOP_LOOK_MS = 20,      /* between two looks at what is left of a group */
    STOP_AFTER_KILL = 1000, /* milliseconds that the kernel gets to end what was killed */
};

struct process_stop {
    uv_timer_t timer;
    struct process *process;
    struct process_stop_policy policy;
    enum stop_step step;    /* to be taken next, or taken last when not due */
    bool due;               /* the step was not taken yet: the command is not there yet */
    bool reached;           /* a signal came to the command: it ended because of us */
    bool sweeping;          /* it has ended, others of its group have not */
    int64_t sweep_until_ns; /* when the next step is taken against these; INT64_MAX: never */
};

static int learn_child(struct process *process, struct error *err)
{
    if (process->done || process->ended) {
        return error_set(err, ERROR_NOT_READY, "the command has ended");
    }
    if (process->child.pid == 0) {
        int error = task_read_child(process->directory, &process->child);
        if (error != 0) {
            return error_set_errno(err, error, "cannot read the lock file");
        }
    }
    if (process->child.pid == 0) {
        return error_set(err, ERROR_NOT_READY, "the command has not started yet");
    }
    return 0;
}

int process_child_pid(const struct process *process)
{
    struct task_child child = process->child;
    if (child.pid == 0 && process->directory >= 0 &&
        task_read_child(process->directory, &child) != 0) {
        return 0;
    }
    return child.pid;
}

int process_signal(struct process *process, int signal_number, struct error *err)
{
    if (learn_child(process, err) != 0) {
        return -1;
    }
    CLEANUP(file_close_cleanup)
    int pidfd = (int)syscall(SYS_pidfd_open, process->child.pid, 0);
    if (pidfd < 0 || !task_child_is_alive(&process->child)) {
        return error_set(err, ERROR_NOT_READY, "the command has ended");
    }
    if (syscall(SYS_pidfd_send_signal, pidfd, signal_number, NULL, 0) != 0) {
        return error_set_errno(err, errno, "cannot signal process %d", (int)process->child.pid);
    }
    return 0;
}

int process_kill(struct process *process, struct error *err)
{
    if (process->stop != NULL && process->stop->sweeping) {
        process->stop->sweep_until_ns = 0;
        return 0;
    }
    if (learn_child(process, err) != 0) {
        return -1;
    }
    /* A shim keeps the zombie, and with it the number of the group, until it is done. */
    bool locked = false;
    bool ours = task_child_is_alive(&process->child) ||
                (task_is_locked(process->directory, &locked) == 0 && locked);
    if (!ours || kill(-process->child.pid, SIGKILL) != 0) {
        return error_set(err, ERROR_NOT_READY, "the command has ended");
    }
    process->killed = true;
    return 0;
}

static void on_timer(uv_timer_t *timer);

static void wait_for_next(struct process_stop *stop)
{
    int64_t grace_ms = stop->step == STOP_INTERRUPT   ? stop->policy.interrupt_grace_ms
                       : stop->step == STOP_TERMINATE ? stop->policy.terminate_grace_ms
                                                      : -1;
    if (grace_ms < 0) {
        uv_timer_stop(&stop->timer);
    } else {
        uv_update_time(stop->timer.loop);
        uv_timer_start(&stop->timer, on_timer, (uint64_t)grace_ms, 0);
    }
}

static void take_step(struct process_stop *stop)
{
    CLEANUP(error_release) struct error err = ERROR_INIT;
    int result =
        stop->step == STOP_KILL
            ? process_kill(stop->process, &err)
            : process_signal(stop->process, stop->step == STOP_INTERRUPT ? SIGINT : SIGTERM, &err);
    stop->due = result != 0; /* not there yet, or gone: the next event tells which */
    if (!stop->due) {
        stop->reached = true;
        wait_for_next(stop);
    }
}

static void on_timer(uv_timer_t *timer)
{
    struct process_stop *stop = timer->data;
    if (stop->sweeping) {
        host_wake(stop->process);
    } else if (stop->step < STOP_KILL) {
        stop->step++;
        stop->due = true;
        take_step(stop);
    }
}

void stop_advance(struct process *process)
{
    if (process->stop != NULL && process->stop->due && !process->ended) {
        take_step(process->stop);
    }
}

/* --- what the command has left behind --- */

static int64_t deadline_ns(int64_t grace_ms)
{
    return grace_ms < 0 ? INT64_MAX : clock_monotonic_ns() + grace_ms * CLOCK_NS_PER_MS;
}

/* Sends the next signal to the group. False when there is none left. */
static bool sweep_on(struct process_stop *stop)
{
    pid_t group = stop->process->child.pid;
    if (stop->sweeping && stop->step == STOP_KILL) {
        return false;
    }
    stop->step = stop->sweeping ? STOP_KILL : STOP_TERMINATE;
    stop->sweeping = true;
    if (stop->step == STOP_KILL) {
        stop->sweep_until_ns = deadline_ns(STOP_AFTER_KILL);
        return kill(-group, SIGKILL) == 0;
    }
    stop->sweep_until_ns = deadline_ns(stop->policy.terminate_grace_ms);
    return kill(-group, SIGTERM) == 0;
}

/* After a sweep the end is told when the shim has let go of the task as well. */
static bool shim_is_left(const struct process *process)
{
    bool locked = false;
    return task_is_locked(process->directory, &locked) == 0 && locked;
}

bool stop_sweep(struct process *process)
{
    struct process_stop *stop = process->stop;
    if (stop == NULL || !stop->reached) {
        return false;
    }
    if (!task_group_is_left(&process->child)) {
        if (!stop->sweeping || !shim_is_left(process)) {
            return false;
        }
        uv_timer_start(&stop->timer, on_timer, STOP_LOOK_MS, 0);
        return true;
    }
    if ((!stop->sweeping || clock_monotonic_ns() >= stop->sweep_until_ns) && !sweep_on(stop)) {
        return false;
    }
    uv_update_time(stop->timer.loop);
    uv_timer_start(&stop->timer, on_timer, STOP_LOOK_MS, 0);
    return true;
}

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

void stop_release(struct process *process)
{
    if (process->stop != NULL) {
        uv_close((uv_handle_t *)&process->stop->timer, on_closed);
        process->stop = NULL;
    }
}

void process_stop(struct process *process, const struct process_stop_policy *policy)
{
    if (process->done || process->freed) {
        return;
    }
    bool first = process->stop == NULL;
    if (first) {
        process->stop = memory_new(1, sizeof *process->stop);
        process->stop->process = process;
        uv_timer_init(process->host->loop, &process->stop->timer);
        process->stop->timer.data = process->stop;
        process->stop->due = true;
    }
    process->stop->policy = *policy;
    if (process->stop->sweeping) {
        return;
    }
    if (process->stop->due) {
        take_step(process->stop);
    } else {
        wait_for_next(process->stop);
    }
}
