/* A library for LD_PRELOAD that makes one system call fail:
 *
 *   DRCTL_FAULT=KIND:N:ERRNO[:PATH-PART]   the N-th call of KIND (open, read, write, fsync, rename,
 *                                          mkdir, spawn, connect) fails with ERRNO (ENOSPC, …);
 *                                          with PATH-PART, only calls on such a path are counted.
 *                                          N = 0 fails none. In place of ERRNO, KILL means
 *                                          SIGKILL before the call, KILLAFTER after it.
 *   DRCTL_FAULT_LOG=FILE                   gets a line "fired KIND N PATH" when it does, and
 *                                          "counted KIND N" when the process exits.
 *
 *   DRCTL_FAULT_ONCE=1                     does nothing when that file is there already, nor in
 *                                          grandchildren: of several processes, one is hit.
 *
 * It takes the calls of the program and of its libraries, not those that libc makes by itself. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

enum { FAULT_KILL = -1, FAULT_KILL_AFTER = -2 };

static const struct {
    const char *name;
    int value;
} known_errors[] = {
    {"ENOSPC", ENOSPC},   {"EIO", EIO},
    {"EACCES", EACCES},   {"EMFILE", EMFILE},
    {"ENOMEM", ENOMEM},   {"EAGAIN", EAGAIN},
    {"EROFS", EROFS},     {"EDQUOT", EDQUOT},
    {"KILL", FAULT_KILL}, {"KILLAFTER", FAULT_KILL_AFTER},
    {"EINTR", EINTR},     {"ENOENT", ENOENT},
    {"EPIPE", EPIPE},     {"ECONNREFUSED", ECONNREFUSED},
};

static struct {
    bool ready;
    char kind[16];
    long number;
    int error;
    char path_part[128];
    atomic_long count;
    bool kill_pending;
} fault;

static void note(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* By system calls, since our own calls must not be counted. */
static void note(const char *format, ...)
{
    char line[512];
    const char *path = getenv("DRCTL_FAULT_LOG");
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    long log = path == NULL ? -1
                            : syscall(SYS_openat, AT_FDCWD, path,
                                      O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (log >= 0) {
        syscall(SYS_write, log, line, (size_t)size < sizeof line ? (size_t)size : sizeof line - 1);
        syscall(SYS_close, log);
    }
}

static bool hit_already(void)
{
    const char *log = getenv("DRCTL_FAULT_LOG");
    return getenv("DRCTL_FAULT_ONCE") != NULL && log != NULL && access(log, F_OK) == 0;
}

__attribute__((constructor)) static void read_setting(void)
{
    char error[24] = "";
    const char *setting = getenv("DRCTL_FAULT");
    if (setting == NULL || sscanf(setting, "%15[a-z]:%ld:%23[A-Z]:%127s", fault.kind, &fault.number,
                                  error, fault.path_part) < 3) {
        return;
    }
    for (size_t i = 0; i < sizeof known_errors / sizeof *known_errors; i++) {
        if (strcmp(known_errors[i].name, error) == 0) {
            fault.error = known_errors[i].value;
        }
    }
    fault.ready = fault.error != 0 && !hit_already();
}

__attribute__((destructor)) static void tell_count(void)
{
    if (fault.ready) {
        note("counted %s %ld\n", fault.kind, atomic_load(&fault.count));
    }
}

/* True, with errno, when this call is the one that is to fail. */
static bool fails(const char *kind, const char *path)
{
    if (!fault.ready || strcmp(kind, fault.kind) != 0 ||
        strstr(path != NULL ? path : "", fault.path_part) == NULL ||
        atomic_fetch_add(&fault.count, 1) + 1 != fault.number) {
        return false;
    }
    note("fired %s %ld %s\n", kind, fault.number, path != NULL ? path : "");
    if (fault.error == FAULT_KILL) {
        kill(getpid(), SIGKILL);
    }
    fault.kill_pending = fault.error == FAULT_KILL_AFTER;
    errno = fault.error;
    return !fault.kill_pending;
}

static void after_call(void)
{
    if (fault.kill_pending) {
        kill(getpid(), SIGKILL);
    }
}

static bool fails_on(const char *kind, int descriptor)
{
    char link[64];
    char path[512] = "";
    if (!fault.ready || strcmp(kind, fault.kind) != 0) {
        return false;
    }
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    long size = syscall(SYS_readlinkat, AT_FDCWD, link, path, sizeof path - 1);
    path[size > 0 ? size : 0] = '\0';
    return fails(kind, path);
}

/* --- the calls --- */

#define WRAP(result, name, parameters, failed, fault_check, arguments)                             \
    result name parameters;                                                                        \
    result name parameters                                                                         \
    {                                                                                              \
        static result(*real) parameters;                                                           \
        if (real == NULL) {                                                                        \
            *(void **)&real = dlsym(RTLD_NEXT, #name);                                             \
        }                                                                                          \
        if (fault_check) {                                                                         \
            return failed;                                                                         \
        }                                                                                          \
        result outcome = real arguments;                                                           \
        after_call();                                                                              \
        return outcome;                                                                            \
    }

/* The third argument is there only with O_CREAT; reading it in any case is what libc does, too. */
#define WRAP_OPEN(name)                                                                            \
    int name(const char *path, int flags, ...);                                                    \
    int name(const char *path, int flags, ...)                                                     \
    {                                                                                              \
        static int (*real)(const char *, int, ...);                                                \
        va_list arguments;                                                                         \
        va_start(arguments, flags);                                                                \
        mode_t mode = va_arg(arguments, mode_t);                                                   \
        va_end(arguments);                                                                         \
        if (real == NULL) {                                                                        \
            *(void **)&real = dlsym(RTLD_NEXT, #name);                                             \
        }                                                                                          \
        int descriptor = fails("open", path) ? -1 : real(path, flags, mode);                       \
        after_call();                                                                              \
        return descriptor;                                                                         \
    }

#define WRAP_OPENAT(name)                                                                          \
    int name(int directory, const char *path, int flags, ...);                                     \
    int name(int directory, const char *path, int flags, ...)                                      \
    {                                                                                              \
        static int (*real)(int, const char *, int, ...);                                           \
        va_list arguments;                                                                         \
        va_start(arguments, flags);                                                                \
        mode_t mode = va_arg(arguments, mode_t);                                                   \
        va_end(arguments);                                                                         \
        if (real == NULL) {                                                                        \
            *(void **)&real = dlsym(RTLD_NEXT, #name);                                             \
        }                                                                                          \
        int descriptor = fails("open", path) ? -1 : real(directory, path, flags, mode);            \
        after_call();                                                                              \
        return descriptor;                                                                         \
    }

#undef open
#undef openat
WRAP_OPEN(open)
WRAP_OPEN(open64)
WRAP_OPENAT(openat)
WRAP_OPENAT(openat64)
WRAP(int, __open64_2, (const char *path, int flags), -1, fails("open", path), (path, flags))
WRAP(int, __openat64_2, (int directory, const char *path, int flags), -1, fails("open", path),
     (directory, path, flags))

WRAP(ssize_t, read, (int fd, void *bytes, size_t size), -1, fails_on("read", fd), (fd, bytes, size))
WRAP(ssize_t, pread64, (int fd, void *bytes, size_t size, off64_t at), -1, fails_on("read", fd),
     (fd, bytes, size, at))
WRAP(ssize_t, __read_chk, (int fd, void *bytes, size_t size, size_t room), -1, fails_on("read", fd),
     (fd, bytes, size, room))
WRAP(ssize_t, __pread64_chk, (int fd, void *bytes, size_t size, off64_t at, size_t room), -1,
     fails_on("read", fd), (fd, bytes, size, at, room))
WRAP(ssize_t, write, (int fd, const void *bytes, size_t size), -1, fails_on("write", fd),
     (fd, bytes, size))
WRAP(ssize_t, pwrite64, (int fd, const void *bytes, size_t size, off64_t at), -1,
     fails_on("write", fd), (fd, bytes, size, at))
WRAP(int, ftruncate64, (int fd, off64_t size), -1, fails_on("write", fd), (fd, size))
WRAP(int, fsync, (int fd), -1, fails_on("fsync", fd), (fd))
WRAP(int, fdatasync, (int fd), -1, fails_on("fsync", fd), (fd))
WRAP(int, rename, (const char *from, const char *to), -1, fails("rename", to), (from, to))
WRAP(int, renameat, (int from_fd, const char *from, int to_fd, const char *to), -1,
     fails("rename", to), (from_fd, from, to_fd, to))
WRAP(int, mkdir, (const char *path, mode_t mode), -1, fails("mkdir", path), (path, mode))
WRAP(int, connect, (int fd, const struct sockaddr *address, socklen_t size), -1,
     fails("connect", ""), (fd, address, size))

pid_t fork(void);
pid_t fork(void)
{
    static pid_t (*real)(void);
    if (real == NULL) {
        *(void **)&real = dlsym(RTLD_NEXT, "fork");
    }
    pid_t pid = fails("spawn", "fork") ? -1 : real();
    if (pid == 0) { /* a process of its own, with calls of its own */
        static int generation;
        generation++;
        atomic_store(&fault.count, 0);
        fault.ready = fault.ready && !hit_already() &&
                      (getenv("DRCTL_FAULT_ONCE") == NULL || generation == 1);
    }
    return pid;
}

WRAP(int, posix_spawn,
     (pid_t * pid, const char *path, const posix_spawn_file_actions_t *actions,
      const posix_spawnattr_t *attributes, char *const *argv, char *const *environment),
     fault.error, fails("spawn", path), (pid, path, actions, attributes, argv, environment))
