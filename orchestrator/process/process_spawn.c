/* Starts shims. The spec goes to them in anonymous memory (shim/shim.h has its form): it holds the
 * environment and the secrets, which must be in no file and in no argument. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/file.h"
#include "process/process_internal.h"
#include "process/shim/shim.h"

enum {
    SPAWN_LOG_HEAD_BYTES = 64 << 20,
    SPAWN_LOG_TAIL_BYTES = 16 << 20,
    SPAWN_OUTPUT_GRACE_MS = 2000,
};

/* --- finding the program --- */

static const char *search_path(const char *const *environment)
{
    for (; *environment != NULL; environment++) {
        if (strncmp(*environment, "PATH=", 5) == 0) {
            return *environment + 5;
        }
    }
    return "/usr/local/bin:/usr/bin:/bin";
}

static bool is_program(const char *path)
{
    struct stat status;
    return access(path, X_OK) == 0 && stat(path, &status) == 0 && S_ISREG(status.st_mode);
}

int spawn_find_program(const struct process_spec *spec, char **ret_program, struct error *err)
{
    const char *name = spec->argv[0];
    if (strchr(name, '/') != NULL) {
        *ret_program = memory_text(name); /* relative to cwd: the command is there when it execs */
        return 0;
    }
    const char *at = search_path(spec->environment);
    while (*at != '\0') {
        size_t size_bytes = strcspn(at, ":");
        if (*at == '/') { /* an empty or relative entry would depend on where we are */
            char *path = memory_format("%.*s/%s", (int)size_bytes, at, name);
            if (is_program(path)) {
                *ret_program = path;
                return 0;
            }
            free(path);
        }
        at += size_bytes + (at[size_bytes] == ':');
    }
    return error_set(err, ERROR_NOT_FOUND, "there is no program %s in PATH", name);
}

/* --- the spec --- */

static void put_field(struct buffer *out, const void *bytes, size_t size_bytes)
{
    buffer_append_format(out, "%zu:", size_bytes);
    buffer_append(out, bytes, size_bytes);
    buffer_append_char(out, '\0');
}

static void put_text(struct buffer *out, const char *text)
{
    put_field(out, text, strlen(text));
}

static void put_number(struct buffer *out, uint64_t number)
{
    char text[24];
    snprintf(text, sizeof text, "%" PRIu64, number);
    put_text(out, text);
}

static void put_list(struct buffer *out, const char *const *list)
{
    size_t count = 0;
    while (list != NULL && list[count] != NULL) {
        count++;
    }
    put_number(out, count);
    for (size_t i = 0; i < count; i++) {
        put_text(out, list[i]);
    }
}

static uint64_t count_oom_kills(const struct process_host *host)
{
    char text[8192];
    ssize_t size = host->oom_counter >= 0 ? pread(host->oom_counter, text, sizeof text - 1, 0) : -1;
    text[size > 0 ? size : 0] = '\0';
    const char *line = strstr(text, "oom_kill ");
    return line != NULL ? strtoull(line + strlen("oom_kill "), NULL, 10) : 0;
}

static uint64_t or_default(uint64_t value, uint64_t fallback)
{
    return value != 0 ? value : fallback;
}

static void put_spec(struct buffer *out, const struct process_host *host,
                     const struct spawn_request *request)
{
    const struct process_spec *spec = request->spec;
    const struct task_child *orphan = request->orphan;
    put_text(out, SHIM_SPEC_VERSION);
    put_text(out, request->program != NULL ? request->program : "");
    put_list(out, orphan == NULL ? spec->argv : NULL);
    put_list(out, orphan == NULL ? spec->environment : NULL);
    put_text(out, spec->cwd != NULL ? spec->cwd : "/");
    put_text(out, spec->stdin_path != NULL ? spec->stdin_path : "");
    put_number(out, or_default(spec->log_head_bytes, SPAWN_LOG_HEAD_BYTES));
    put_number(out, or_default(spec->log_tail_bytes, SPAWN_LOG_TAIL_BYTES));
    put_number(out, or_default((uint64_t)spec->output_grace_ms, SPAWN_OUTPUT_GRACE_MS));
    put_text(out, host->oom_path);
    put_number(out, count_oom_kills(host));
    put_number(out, orphan != NULL ? (uint64_t)orphan->pid : 0);
    put_number(out, orphan != NULL ? (uint64_t)orphan->started_at_ns : 0);
    put_number(out, orphan != NULL ? orphan->inodes[0] : 0);
    put_number(out, orphan != NULL ? orphan->inodes[1] : 0);
    put_number(out, request->holdings->outputs[0] >= 0);
    put_number(out, spec->secret_count);
    for (size_t i = 0; i < spec->secret_count; i++) {
        put_field(out, spec->secrets[i].data, spec->secrets[i].size_bytes);
    }
}

/* What an earlier shim noted in the memory stays there for its successor. */
static int write_memory(int memory, const struct buffer *content, struct error *err)
{
    if (ftruncate(memory, SHIM_STATE_BYTES) != 0 ||
        lseek(memory, SHIM_STATE_BYTES, SEEK_SET) != SHIM_STATE_BYTES) {
        error_set_errno(err, errno, "cannot size memory");
        return error_context(err, "cannot tell the shim what to run");
    }
    if (file_write_all(memory, content->data, content->size_bytes, err) != 0) {
        return error_context(err, "cannot tell the shim what to run");
    }
    return 0;
}

/* The shim's descriptors are put in place one after the other: none may be in the way of another.
 */
static int move_up(int descriptor)
{
    if (descriptor < 0 || descriptor >= SHIM_FD_END) {
        return descriptor;
    }
    int moved = fcntl(descriptor, F_DUPFD_CLOEXEC, SHIM_FD_END);
    close(descriptor);
    return moved;
}

/* --- the nursery --- */

static int spawn_nursery(struct process_host *host, int socket)
{
    char name[SHIM_NAME_BYTES + 1];
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t all;
    char *argv[] = {(char[]){"drctl-shim"}, name, NULL};
    char *environment[] = {NULL};
    memset(name, ' ', SHIM_NAME_BYTES);
    name[SHIM_NAME_BYTES] = '\0';
    posix_spawn_file_actions_init(&actions);
    for (int i = 0; i < SHIM_SPEC_FD; i++) {
        posix_spawn_file_actions_adddup2(&actions, host->null, i);
    }
    posix_spawn_file_actions_adddup2(&actions, socket, SHIM_NURSERY_FD);
    posix_spawnattr_init(&attributes);
    sigfillset(&all);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSID);
    int error =
        posix_spawn(&host->nursery_pid, host->shim_path, &actions, &attributes, argv, environment);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return error;
}

static int start_nursery(struct process_host *host)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
        return errno;
    }
    ends[1] = move_up(ends[1]);
    int error = ends[1] >= 0 ? spawn_nursery(host, ends[1]) : errno;
    file_close_cleanup(&ends[1]);
    if (error != 0) {
        close(ends[0]);
        host->nursery_pid = 0;
        return error;
    }
    host->nursery = ends[0];
    return 0;
}

void spawn_stop(struct process_host *host)
{
    file_close_cleanup(&host->nursery);
    if (host->nursery_pid != 0) {
        waitpid(host->nursery_pid, NULL, 0); /* it has its orders, ends, and leaves its shims */
        host->nursery_pid = 0;
    }
}

/* 0 or an errno value. */
static int send_request(const struct process_host *host, const struct spawn_request *request,
                        int lock)
{
    const struct spawn_holdings *holdings = request->holdings;
    int descriptors[] = {holdings->memory, lock, holdings->outputs[0], holdings->outputs[1]};
    size_t size_bytes = holdings->outputs[0] >= 0 ? sizeof descriptors : 2 * sizeof *descriptors;
    char *directory = (char *)(uintptr_t)request->spec->directory;
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof descriptors)] = {0};
    struct iovec text = {directory, strlen(directory)};
    struct msghdr message = {
        .msg_iov = &text,
        .msg_iovlen = 1,
        .msg_control = control,
        .msg_controllen = CMSG_SPACE(size_bytes),
    };
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(size_bytes);
    memcpy(CMSG_DATA(header), descriptors, size_bytes);
    return sendmsg(host->nursery, &message, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0 ? 0 : errno;
}

/* A nursery that was killed is replaced. */
static int spawn(struct process_host *host, const struct spawn_request *request, int lock)
{
    int error = host->nursery >= 0 ? send_request(host, request, lock) : EPIPE;
    if (error == EPIPE || error == ECONNRESET || error == ENOTCONN) {
        spawn_stop(host);
        error = start_nursery(host);
        error = error == 0 ? send_request(host, request, lock) : error;
    }
    return error;
}

/* --- one shim --- */

static int make_memory(struct spawn_holdings *holdings, struct error *err)
{
    if (holdings->memory < 0) {
        holdings->memory = move_up(memfd_create("drctl-task", MFD_CLOEXEC));
    }
    return holdings->memory >= 0 ? 0
                                 : error_set_errno(err, errno, "cannot make memory for the shim");
}

/* Only the reading ends: the shim opens the others. */
static int make_outputs(struct spawn_holdings *holdings, struct error *err)
{
    for (int i = 0; i < 2; i++) {
        int ends[2];
        if (pipe2(ends, O_CLOEXEC) != 0) {
            return error_set_errno(err, errno, "cannot make its output pipes");
        }
        close(ends[1]);
        holdings->outputs[i] = move_up(ends[0]);
    }
    return 0;
}

void spawn_holdings_release(struct spawn_holdings *holdings)
{
    file_close_cleanup(&holdings->memory);
    file_close_cleanup(&holdings->outputs[0]);
    file_close_cleanup(&holdings->outputs[1]);
}

int spawn_shim(struct process_host *host, const struct spawn_request *request, struct error *err)
{
    CLEANUP(buffer_release) struct buffer content = BUFFER_INIT;
    if (make_memory(request->holdings, err) != 0 ||
        (request->orphan == NULL && make_outputs(request->holdings, err) != 0)) {
        return -1;
    }
    put_spec(&content, host, request);
    int result = write_memory(request->holdings->memory, &content, err);
    explicit_bzero(content.data, content.size_bytes);
    if (result != 0) {
        return -1;
    }
    CLEANUP(file_close_cleanup) int lock = fcntl(request->lock, F_DUPFD_CLOEXEC, SHIM_FD_END);
    int error = lock >= 0 ? spawn(host, request, lock) : errno;
    if (error != 0) {
        return error_set_errno(err, error, "cannot start %s", host->shim_path);
    }
    return 0;
}
