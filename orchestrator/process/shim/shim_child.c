/* The command itself: how it is started, watched, and how its end is written down.
 *
 * Invariants: before it executes, the command has written into the lock file who it is; its
 * zombie is kept until the shim ends, so that while the lock is held its pid and its process group
 * are its own and can be signalled by number; it holds its output pipes open for reading too, so
 * that a killed shim does not mean SIGPIPE. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/ioctl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "shim.h"

/* --- starting --- */

static int64_t boottime_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_BOOTTIME, &now);
    return now.tv_sec * CLOCK_NS_PER_S + now.tv_nsec;
}

/* The other side of an output pipe, for writing and, so that there always is a reader, reading. */
static int open_command_end(int read_end)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", read_end);
    return open(path, O_RDWR | O_CLOEXEC);
}

static uintmax_t inode_of(int descriptor)
{
    struct stat status;
    return fstat(descriptor, &status) == 0 ? status.st_ino : 0;
}

/* What the new process needs, made beforehand: between vfork() and exec it shares our memory. */
struct birth {
    const struct shim_spec *spec;
    int stdio[3];
    uintmax_t inodes[2];
    int64_t started_at_ns;
    int64_t before_ns; /* boot time: brackets the start time that the kernel notes */
    volatile int error;
    const char *volatile failed_step;
};

/* "child PID STARTED BEFORE AFTER STDOUT-INODE STDERR-INODE" goes into the lock file. */
static int write_who(const struct birth *birth)
{
    char line[192];
    int size = snprintf(line, sizeof line, "child %d %" PRId64 " %" PRId64 " %" PRId64 " %ju %ju\n",
                        (int)getpid(), birth->started_at_ns, birth->before_ns, boottime_ns(),
                        birth->inodes[0], birth->inodes[1]);
    return write(SHIM_LOCK_FD, line, (size_t)size) == size ? 0 : -1;
}

static bool connect_stdio(const struct birth *birth)
{
    for (int i = 0; i < 3; i++) {
        if (dup2(birth->stdio[i], i) < 0) {
            return false;
        }
    }
    for (int i = SHIM_LOCK_FD; i < SHIM_OUTPUT_FD + 2; i++) {
        close(i); /* all others close on exec */
    }
    return true;
}

static _Noreturn void become_command(struct birth *birth)
{
    sigset_t none;
    sigemptyset(&none);
    setsid();
    birth->failed_step = "write the lock file";
    if (write_who(birth) == 0) {
        birth->failed_step = "connect its descriptors";
        if (connect_stdio(birth)) {
            birth->failed_step = "change to its directory";
            if (chdir(birth->spec->cwd) == 0) {
                birth->failed_step = "execute";
                sigprocmask(SIG_SETMASK, &none, NULL);
                execve(birth->spec->program, birth->spec->argv, birth->spec->environment);
            }
        }
    }
    birth->error = errno;
    _exit(127);
}

/* A function of its own: what it keeps in registers does not matter after vfork() returns twice. */
static __attribute__((noinline)) pid_t fork_command(struct birth *birth)
{
    pid_t pid = vfork(); /* NOLINT: the point is not to copy page tables */
    if (pid == 0) {
        become_command(birth); /* NOLINT: it makes system calls only */
    }
    return pid;
}

static int watch_children(void)
{
    sigset_t child_ended;
    sigemptyset(&child_ended);
    sigaddset(&child_ended, SIGCHLD);
    return signalfd(-1, &child_ended, SFD_CLOEXEC | SFD_NONBLOCK);
}

void shim_child_fail(struct shim_child *child, const char *step)
{
    child->exec_error = errno != 0 ? errno : EIO;
    child->failed_step = step;
}

static void launch(struct shim_child *child, struct birth *birth)
{
    child->started_at_ns = birth->started_at_ns = clock_wall_ns();
    birth->before_ns = boottime_ns();
    pid_t pid = fork_command(birth);
    if (pid < 0) {
        shim_child_fail(child, "fork");
    } else if (birth->error != 0) {
        waitpid(pid, NULL, 0);
        child->exec_error = birth->error;
        child->failed_step = birth->failed_step;
    } else {
        child->pid = pid;
    }
}

static void release_stdio(const struct birth *birth)
{
    for (int i = 0; i < 3; i++) {
        if (birth->stdio[i] > 0) {
            close(birth->stdio[i]);
        }
    }
}

void shim_child_start(struct shim_child *child, const struct shim_spec *spec,
                      struct shim_stream streams[2])
{
    struct birth birth = {.spec = spec};
    child->watch = watch_children();
    for (int i = 0; i < 2; i++) {
        streams[i].descriptor = SHIM_OUTPUT_FD + i;
        birth.inodes[i] = inode_of(SHIM_OUTPUT_FD + i);
        birth.stdio[1 + i] = open_command_end(SHIM_OUTPUT_FD + i);
    }
    if (child->watch < 0 || birth.stdio[1] < 0 || birth.stdio[2] < 0) {
        shim_child_fail(child, "open its output pipes");
        return;
    }
    birth.stdio[0] = *spec->stdin_path != '\0' ? open(spec->stdin_path, O_RDONLY | O_CLOEXEC) : 0;
    if (birth.stdio[0] < 0) {
        shim_child_fail(child, "open its standard input");
        return;
    }
    launch(child, &birth);
    release_stdio(&birth);
}

/* --- taking over --- */

/* Opens the reading side of a pipe that the running command writes to, if it still is that pipe. */
static int reopen_output(uint64_t pid, int descriptor, uint64_t inode)
{
    char path[64];
    struct stat status;
    snprintf(path, sizeof path, "/proc/%" PRIu64 "/fd/%d", pid, descriptor);
    if (stat(path, &status) != 0 || !S_ISFIFO(status.st_mode) || status.st_ino != inode) {
        return -1;
    }
    return open(path, O_RDONLY | O_CLOEXEC);
}

void shim_child_watch_adopted(struct shim_child *child)
{
    child->adopted = true;
    child->watch = (int)syscall(SYS_pidfd_open, child->pid, 0);
    if (child->watch < 0) {
        child->ended = true;
        child->ended_at_ns = clock_wall_ns();
    }
}

void shim_child_adopt(struct shim_child *child, const struct shim_spec *spec,
                      struct shim_stream streams[2])
{
    child->pid = (pid_t)spec->adopt_pid;
    child->started_at_ns = (int64_t)spec->adopt_started_at_ns;
    shim_child_watch_adopted(child);
    for (int i = 0; i < 2; i++) {
        streams[i].descriptor = spec->has_outputs != 0
                                    ? SHIM_OUTPUT_FD + i
                                    : reopen_output(spec->adopt_pid, i + 1, spec->adopt_inodes[i]);
        /* The command has ended, or closed it, while nobody else held the pipe: what nobody had
         * read went with it, and whether there was anything nobody knows. */
        child->output_lost |= streams[i].descriptor < 0;
    }
}

/* --- the end --- */

/* How a process ended whose parent somebody else is stands in /proc/PID/stat (its last field) until
 * that parent reaps it, */
static bool read_zombie(struct shim_child *child)
{
    char path[64];
    char text[1024];
    snprintf(path, sizeof path, "/proc/%d/stat", (int)child->pid);
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t size = descriptor >= 0 ? read(descriptor, text, sizeof text - 1) : -1;
    if (descriptor >= 0) {
        close(descriptor);
    }
    text[size > 0 ? size : 0] = '\0';
    const char *state = strrchr(text, ')');
    const char *last = strrchr(text, ' ');
    if (state == NULL || strncmp(state, ") Z", 3) != 0) {
        return false;
    }
    child->status = (int)strtol(last, NULL, 10);
    return true;
}

/* and afterwards Linux 6.15 tells the holder of a pidfd (include/uapi/linux/pidfd.h). Older kernels
 * refuse. */
struct pidfd_status {
    uint64_t mask;
    uint64_t cgroup;
    uint32_t ids[11];
    int32_t exit_code;
};
#define PIDFD_STATUS_EXIT 8
#define PIDFD_GET_STATUS _IOWR(0xff, 11, struct pidfd_status)

static bool read_pidfd(struct shim_child *child)
{
    struct pidfd_status status = {.mask = PIDFD_STATUS_EXIT};
    if (ioctl(child->watch, PIDFD_GET_STATUS, &status) != 0 ||
        (status.mask & PIDFD_STATUS_EXIT) == 0) {
        return false;
    }
    child->status = status.exit_code;
    return true;
}

static void check_adopted(struct shim_child *child)
{
    child->ended = true;
    child->ended_at_ns = clock_wall_ns();
    child->status_known = read_zombie(child) || read_pidfd(child);
}

void shim_child_check(struct shim_child *child)
{
    struct signalfd_siginfo ignored;
    if (child->adopted) {
        check_adopted(child);
        return;
    }
    while (read(child->watch, &ignored, sizeof ignored) > 0) {
        /* signals of one kind come together: the list of zombies says who ended */
    }
    siginfo_t info = {0};
    while (!child->ended && waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           info.si_pid != 0) {
        if (info.si_pid == child->pid) {
            child->ended = true;
            child->ended_at_ns = clock_wall_ns();
        } else {
            waitpid(info.si_pid, NULL, 0);
        }
        info.si_pid = 0;
    }
}

/* --- exit.json --- */

static uint64_t count_oom_kills(const char *path)
{
    char text[8192];
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t size = descriptor >= 0 ? read(descriptor, text, sizeof text - 1) : -1;
    if (descriptor >= 0) {
        close(descriptor);
    }
    text[size > 0 ? size : 0] = '\0';
    const char *line = strstr(text, "oom_kill ");
    return line != NULL ? strtoull(line + strlen("oom_kill "), NULL, 10) : 0;
}

static void append_time(struct buffer *out, const char *name, int64_t at_ns)
{
    char at[CLOCK_RFC3339_SIZE];
    if (at_ns != 0) {
        clock_format_rfc3339_ns(at_ns, at);
        buffer_append_format(out, ",\"%s\":\"%s\"", name, at);
    }
}

static void append_usage(struct buffer *out, const struct rusage *usage)
{
    buffer_append_format(out, ",\"max_rss_bytes\":%ld,\"user_ms\":%ld,\"system_ms\":%ld",
                         usage->ru_maxrss * 1024,
                         usage->ru_utime.tv_sec * 1000 + usage->ru_utime.tv_usec / 1000,
                         usage->ru_stime.tv_sec * 1000 + usage->ru_stime.tv_usec / 1000);
}

static void append_outcome(struct buffer *out, const struct shim_child *child,
                           const struct shim_spec *spec)
{
    if (child->exec_error != 0) {
        buffer_append_format(out, "\"outcome\":\"not_started\",\"failed_step\":\"%s\",\"error\":%d",
                             child->failed_step, child->exec_error);
    } else if (!child->status_known) {
        buffer_append_text(out, "\"outcome\":\"lost\"");
    } else if (WIFEXITED(child->status)) {
        buffer_append_format(out, "\"outcome\":\"exited\",\"exit_code\":%d",
                             WEXITSTATUS(child->status));
    } else {
        bool oom_killed =
            WTERMSIG(child->status) == SIGKILL && count_oom_kills(spec->oom_path) > spec->oom_kills;
        buffer_append_format(out, "\"outcome\":\"signalled\",\"signal\":%d,\"oom_killed\":%s",
                             WTERMSIG(child->status), oom_killed ? "true" : "false");
    }
}

/* Without reaping. The system call gives the usage, which its wrapper in libc does not. */
static void read_status(struct shim_child *child, struct rusage *usage)
{
    siginfo_t info = {0};
    if (syscall(SYS_waitid, P_PID, child->pid, &info, WEXITED | WNOWAIT, usage) == 0) {
        child->status = info.si_code == CLD_EXITED ? W_EXITCODE(info.si_status, 0)
                                                   : W_EXITCODE(0, info.si_status);
        child->status_known = true;
    }
}

static int write_file(const struct buffer *content)
{
    int descriptor = open("exit.json.new", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (descriptor < 0) {
        return -1;
    }
    errno = ENOSPC;
    bool whole =
        write(descriptor, content->data, content->size_bytes) == (ssize_t)content->size_bytes;
    close(descriptor);
    return whole ? rename("exit.json.new", "exit.json") : -1;
}

void shim_exit_write(const struct shim_child *child, const struct shim_spec *spec,
                     const struct shim_log *log, bool output_still_open)
{
    CLEANUP(buffer_release) struct buffer text = BUFFER_INIT;
    struct shim_child known = *child;
    struct rusage usage = {0};
    if (!known.adopted && known.ended) {
        read_status(&known, &usage);
    }
    buffer_append_char(&text, '{');
    append_outcome(&text, &known, spec);
    append_time(&text, "started_at", known.started_at_ns);
    append_time(&text, "ended_at", known.ended_at_ns);
    buffer_append_format(
        &text,
        ",\"output_still_open\":%s,\"output_lost\":%s,\"log_bytes\":%" PRIu64
        ",\"dropped_bytes\":%" PRIu64 ",\"lost_records\":%" PRIu64 ",\"log_error\":%d",
        output_still_open ? "true" : "false", known.output_lost ? "true" : "false",
        log->at.size_bytes, log->at.dropped_bytes, log->at.lost_records, log->at.error);
    if (known.status_known && !known.adopted) {
        append_usage(&text, &usage);
    }
    buffer_append_text(&text, "}\n");
    while (write_file(&text) != 0 && errno != ENOENT && errno != EROFS && errno != EACCES) {
        nanosleep(&(struct timespec){0, 200 * 1000000L}, NULL);
    }
    if (!known.adopted && known.ended) {
        waitpid(known.pid, NULL, 0);
    }
}
