/* Where shims are born. drctl starts one of these and sends it a message for each command; it forks
 * a shim for each. To fork this small program costs a fifth of what it costs to execute it anew.
 *
 * A message is the task directory, with the descriptors that a shim wants (shim.h) beside it: 3 to
 * 6 are free here, so they arrive under these numbers. Nothing is answered: a shim that does not
 * come to be lets go of the lock, and exit.json or its absence says why. When drctl is gone, so is
 * the nursery; its shims are not. */
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "shim.h"

enum { NURSERY_FDS = SHIM_FD_END - SHIM_SPEC_FD };

struct request {
    char directory[PATH_MAX];
    size_t fd_count;
};

static void close_received(void)
{
    for (int i = SHIM_SPEC_FD; i < SHIM_FD_END; i++) {
        close(i);
    }
}

/* False when drctl is gone. */
static bool receive(struct request *request)
{
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int[NURSERY_FDS]))];
    struct iovec text = {request->directory, sizeof request->directory - 1};
    struct msghdr message = {
        .msg_iov = &text,
        .msg_iovlen = 1,
        .msg_control = control,
        .msg_controllen = sizeof control,
    };
    ssize_t size = recvmsg(SHIM_NURSERY_FD, &message, 0);
    if (size <= 0) {
        return false;
    }
    request->directory[size] = '\0';
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    request->fd_count = header != NULL ? (header->cmsg_len - CMSG_LEN(0)) / sizeof(int) : 0;
    return true;
}

/* What ps shows. */
static void rename_process(char *name, const char *directory)
{
    size_t room_bytes = strlen(name);
    memset(name, '\0', room_bytes);
    memcpy(name, directory, strnlen(directory, room_bytes));
}

static void become_shim(const struct request *request, char *name)
{
    signal(SIGCHLD, SIG_DFL);
    setsid();
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    close(SHIM_NURSERY_FD);
    rename_process(name, request->directory);
    if (request->fd_count < 2 || chdir(request->directory) != 0) {
        _exit(1);
    }
}

static void tell_failure(const struct request *request)
{
    struct shim_spec spec = {0};
    struct shim_log log = {.descriptor = -1};
    struct shim_child child = {.watch = -1};
    shim_child_fail(&child, "fork a shim");
    if (chdir(request->directory) == 0) {
        shim_exit_write(&child, &spec, &log, false);
    }
    if (chdir("/") != 0) {
        _exit(1);
    }
}

bool shim_nursery_serve(char *name)
{
    static struct request request;
    close_received();         /* whatever drctl was itself started with */
    signal(SIGCHLD, SIG_IGN); /* nobody here wants to know how a shim ended */
    while (receive(&request)) {
        pid_t pid = fork();
        if (pid == 0) {
            become_shim(&request, name);
            return true;
        }
        if (pid < 0) {
            tell_failure(&request);
        }
        close_received();
    }
    return false;
}
