/* The lock file of a task directory:
 *
 *   drctl-task 1 BOOT-ID
 *   child PID STARTED-AT BEFORE AFTER STDOUT-INODE STDERR-INODE
 *
 * The first line is written by drctl, the second by the command just before it executes. The lock
 * is an open file description lock that the shim inherits: it is held from before the shim exists
 * until the shim's end, without a gap in which nobody would hold it, and asking for it takes
 * nothing. STARTED-AT is wall-clock time; BEFORE and AFTER are boot time; all in nanoseconds. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "process/process_internal.h"

enum {
    LOCK_LIMIT_BYTES = 4096,
    STAT_START_FIELD = 22, /* starttime in /proc/PID/stat, counted from 1 */
};

static void read_boot_id(char boot_id[TASK_BOOT_ID_SIZE])
{
    int descriptor = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    ssize_t size = descriptor >= 0 ? read(descriptor, boot_id, TASK_BOOT_ID_SIZE - 1) : 0;
    boot_id[size > 0 ? size : 0] = '\0';
    file_close_cleanup(&descriptor);
}

/* It cannot change while we live. */
static const char *this_boot(void)
{
    static char boot_id[TASK_BOOT_ID_SIZE];
    if (boot_id[0] == '\0') {
        read_boot_id(boot_id);
    }
    return boot_id;
}

static struct flock whole_file(void)
{
    return (struct flock){.l_type = F_WRLCK, .l_whence = SEEK_SET};
}

static int read_lock(int directory, char text[LOCK_LIMIT_BYTES])
{
    CLEANUP(file_close_cleanup)
    int descriptor = openat(directory, "lock", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    ssize_t size = descriptor >= 0 ? read(descriptor, text, LOCK_LIMIT_BYTES - 1) : -1;
    if (size < 0) {
        return errno;
    }
    text[size] = '\0';
    return 0;
}

static bool has_exit(int directory)
{
    return faccessat(directory, "exit.json", F_OK, 0) == 0;
}

static int write_header(int lock, struct error *err)
{
    char header[64];
    int size = snprintf(header, sizeof header, "drctl-task 1 %s\n", this_boot());
    if (ftruncate(lock, 0) != 0) {
        return error_set_errno(err, errno, "cannot truncate the lock file");
    }
    if (file_write_all(lock, header, (size_t)size, err) != 0) {
        return error_context(err, "cannot write the lock file");
    }
    return 0;
}

int task_claim(int directory, int *ret_lock, struct error *err)
{
    struct flock request = whole_file();
    char text[LOCK_LIMIT_BYTES];
    int lock = openat(directory, "lock", O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW,
                      FILE_PRIVATE_MODE);
    if (lock < 0) {
        return error_set_errno(err, errno, "cannot open the lock file");
    }
    ssize_t size = pread(lock, text, sizeof text - 1, 0);
    text[size > 0 ? size : 0] = '\0';
    if (fcntl(lock, F_OFD_SETLK, &request) != 0) {
        error_set(err, ERROR_LOCKED, "a command runs there already");
    } else if (strstr(text, "\nchild ") != NULL || (size > 0 && has_exit(directory))) {
        error_set(err, ERROR_LOCKED, "a command was run there already");
    } else if (write_header(lock, err) == 0) {
        *ret_lock = lock;
        return 0;
    }
    close(lock);
    return -1;
}

bool task_reclaim(int directory, int *ret_lock)
{
    struct flock request = whole_file();
    int lock = openat(directory, "lock", O_RDWR | O_APPEND | O_CLOEXEC | O_NOFOLLOW);
    if (lock < 0) {
        return false;
    }
    if (fcntl(lock, F_OFD_SETLK, &request) != 0) {
        close(lock);
        return false;
    }
    *ret_lock = lock;
    return true;
}

int task_is_locked(int directory, bool *ret_locked)
{
    struct flock request = whole_file();
    CLEANUP(file_close_cleanup)
    int lock = openat(directory, "lock", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (lock < 0 || fcntl(lock, F_OFD_GETLK, &request) != 0) {
        return errno;
    }
    *ret_locked = request.l_type != F_UNLCK;
    return 0;
}

/* The number at *at, behind which *at then stands. */
static bool take_number(const char **at, uint64_t *ret_number)
{
    char *end;
    errno = 0;
    *ret_number = strtoull(*at, &end, 10);
    bool taken = end != *at && errno == 0;
    *at = end;
    return taken;
}

static bool parse_child(const char *line, struct task_child *child)
{
    uint64_t numbers[6];
    const char *at = line + strlen("child ");
    if (strncmp(line, "child ", strlen("child ")) != 0) {
        return false;
    }
    for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
        if (!take_number(&at, &numbers[i])) {
            return false;
        }
    }
    child->pid = (pid_t)numbers[0];
    child->started_at_ns = (int64_t)numbers[1];
    child->before_ns = (int64_t)numbers[2];
    child->after_ns = (int64_t)numbers[3];
    child->inodes[0] = numbers[4];
    child->inodes[1] = numbers[5];
    return *at == '\n';
}

int task_read_child(int directory, struct task_child *ret_child)
{
    static const char header[] = "drctl-task 1 ";
    char text[LOCK_LIMIT_BYTES];
    struct task_child child = {0};
    int error = read_lock(directory, text);
    if (error != 0) {
        return error;
    }
    char *newline = strchr(text, '\n');
    if (newline != NULL && strncmp(text, header, strlen(header)) == 0) {
        *newline = '\0';
        child.same_boot = strcmp(text + strlen(header), this_boot()) == 0;
        if (!parse_child(newline + 1, &child)) {
            child.pid = 0; /* it is written before the command executes: so none was */
        }
    }
    *ret_child = child;
    return 0;
}

/* State and start time, in nanoseconds of boot time, from /proc/PID/stat (proc(5)). */
static bool read_start(pid_t pid, char *ret_state, int64_t *ret_start_ns, int64_t *ret_tick_ns)
{
    char path[64];
    char text[1024];
    uint64_t ticks = 0;
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    CLEANUP(file_close_cleanup) int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t size = descriptor >= 0 ? read(descriptor, text, sizeof text - 1) : -1;
    if (size <= 0) {
        return false;
    }
    text[size] = '\0';
    const char *at = strrchr(text, ')'); /* the name before it may hold anything */
    for (int field = 2; at != NULL && field < STAT_START_FIELD; field++) {
        at = strchr(at + 1, ' ');
        if (at != NULL && field == 2) {
            *ret_state = at[1];
        }
    }
    if (at == NULL || !take_number(&at, &ticks)) {
        return false;
    }
    *ret_tick_ns = CLOCK_NS_PER_S / sysconf(_SC_CLK_TCK);
    *ret_start_ns = (int64_t)ticks * *ret_tick_ns;
    return true;
}

bool task_child_is_alive(const struct task_child *child)
{
    char state = 'X';
    int64_t start_ns;
    int64_t tick_ns;
    if (child->pid == 0 || !child->same_boot ||
        !read_start(child->pid, &state, &start_ns, &tick_ns)) {
        return false;
    }
    return state != 'Z' && state != 'X' && start_ns >= child->before_ns - tick_ns &&
           start_ns <= child->after_ns;
}

/* A process that runs, other than a zombie, and is in the group. */
static bool runs_in_group(const char *pid, pid_t group)
{
    char path[64];
    char text[1024];
    char state = 'X';
    int parent = 0;
    int its_group = 0;
    snprintf(path, sizeof path, "/proc/%.20s/stat", pid);
    CLEANUP(file_close_cleanup) int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t size = descriptor >= 0 ? read(descriptor, text, sizeof text - 1) : -1;
    if (size <= 0) {
        return false;
    }
    text[size] = '\0';
    const char *at = strrchr(text, ')');
    return at != NULL && sscanf(at + 1, " %c %d %d", &state, &parent, &its_group) == 3 &&
           its_group == group && state != 'Z' && state != 'X';
}

bool task_group_is_left(const struct task_child *child)
{
    /* The kernel gives a number to nobody while a group has it: a process with this pid that is not
     * the command's zombie means that the group was gone. Its shim, or who reaps after it, may take
     * a moment to let go of the zombie. */
    if (child->pid == 0 || !child->same_boot || task_child_is_alive(child)) {
        return false;
    }
    DIR *processes = opendir("/proc");
    bool found = false;
    for (struct dirent *entry;
         processes != NULL && !found && (entry = readdir(processes)) != NULL;) {
        found = entry->d_name[0] >= '1' && entry->d_name[0] <= '9' &&
                runs_in_group(entry->d_name, child->pid);
        if (found && (pid_t)strtol(entry->d_name, NULL, 10) == child->pid) {
            found = false; /* a new process has the number, so the group is a new one, too */
            break;
        }
    }
    if (processes != NULL) {
        closedir(processes);
    }
    return found;
}

int task_state(int directory, enum process_state *ret_state, struct error *err)
{
    struct task_child child;
    bool locked = false;
    if (has_exit(directory)) {
        *ret_state = PROCESS_STATE_FINISHED;
        return 0;
    }
    int error = task_is_locked(directory, &locked);
    error = error == 0 ? task_read_child(directory, &child) : error;
    if (error == ENOENT) {
        *ret_state = PROCESS_STATE_ABSENT;
        return 0;
    }
    if (error != 0) {
        return error_set_errno(err, error, "cannot examine the lock file");
    }
    if (locked) {
        *ret_state = PROCESS_STATE_RUNNING;
    } else if (has_exit(directory)) { /* it ended between the two questions */
        *ret_state = PROCESS_STATE_FINISHED;
    } else if (child.pid == 0) {
        *ret_state = PROCESS_STATE_ABSENT;
    } else {
        *ret_state = task_child_is_alive(&child) ? PROCESS_STATE_ORPHANED : PROCESS_STATE_LOST;
    }
    return 0;
}
