/* Both ends of the control socket. The path of a run can be longer than sun_path allows, so both
 * go through /proc/self/fd/N of the run's directory. */
#include "runtime/control.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "runtime/run_private.h"

enum { REQUEST_LIMIT_BYTES = 64 * 1024, REPLY_TIMEOUT_MS = 10 * 1000, BACKLOG = 16 };

struct control {
    uv_pipe_t listener;
    struct run *run;
    struct client *clients;
};

struct client {
    uv_pipe_t pipe;
    struct control *control;
    struct client *next;
    struct buffer request;
};

struct reply {
    uv_write_t write;
    char *text;
};

static int bind_address(const char *directory, int *ret_directory, struct sockaddr_un *address,
                        struct error *err)
{
    int descriptor = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0) {
        return error_set_errno(err, errno, "cannot open %s", directory);
    }
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    snprintf(address->sun_path, sizeof address->sun_path, "/proc/self/fd/%d/control.sock",
             descriptor);
    *ret_directory = descriptor;
    return 0;
}

/* --- the side that works on the run ---------------------------------------------------------- */

static void client_closed(uv_handle_t *handle)
{
    struct client *client = handle->data;
    buffer_release(&client->request);
    free(client);
}

static void drop(struct client *client)
{
    if (uv_is_closing((uv_handle_t *)&client->pipe)) {
        return;
    }
    struct client **link = &client->control->clients;
    while (*link != client) {
        link = &(*link)->next;
    }
    *link = client->next;
    uv_close((uv_handle_t *)&client->pipe, client_closed);
}

static void reply_written(uv_write_t *write, int status)
{
    (void)status;
    struct reply *reply = write->data;
    free(reply->text);
    free(reply);
}

static void send_reply(struct client *client, json_t *value)
{
    struct buffer text = BUFFER_INIT;
    json_append(&text, value);
    buffer_append_char(&text, '\n');
    json_decref(value);
    struct reply *reply = memory_new(1, sizeof *reply);
    reply->write.data = reply;
    unsigned size_bytes = (unsigned)text.size_bytes;
    reply->text = buffer_take(&text);
    uv_buf_t part = uv_buf_init(reply->text, size_bytes);
    if (uv_write(&reply->write, (uv_stream_t *)&client->pipe, &part, 1, reply_written) != 0) {
        reply_written(&reply->write, -1);
    }
}

static void answer_line(struct client *client, struct span line)
{
    struct error err = ERROR_INIT;
    char *text = NULL;
    CLEANUP(json_cleanup) json_t *decision = json_parse(line, "the request", &err);
    if (decision != NULL && run_decide(client->control->run, decision, &text, &err) == 0) {
        send_reply(client, json_pack("{s:b, s:s}", "ok", 1, "text", text));
    } else {
        json_t *refusal = json_pack("{s:b, s:s, s:s}", "ok", 0, "code", error_code_name(err.code),
                                    "message", err.message);
        if (err.hint != NULL) {
            json_object_set_new(refusal, "hint", json_string(err.hint));
        }
        send_reply(client, refusal);
    }
    free(text);
    error_release(&err);
}

static void allocate(uv_handle_t *handle, size_t suggested_bytes, uv_buf_t *ret_buffer)
{
    struct client *client = handle->data;
    (void)suggested_bytes;
    *ret_buffer = uv_buf_init(buffer_reserve(&client->request, 4096), 4096);
}

static void read_request(uv_stream_t *stream, ssize_t size, const uv_buf_t *part)
{
    (void)part;
    struct client *client = stream->data;
    if (size < 0 || client->request.size_bytes > REQUEST_LIMIT_BYTES) {
        drop(client);
        return;
    }
    buffer_advance(&client->request, (size_t)size);
    char *end;
    while (client->request.size_bytes > 0 &&
           (end = memchr(client->request.data, '\n', client->request.size_bytes)) != NULL) {
        size_t line_bytes = (size_t)(end - client->request.data);
        answer_line(client, span_of(client->request.data, line_bytes));
        buffer_consume(&client->request, line_bytes + 1);
    }
}

static void connected(uv_stream_t *listener, int status)
{
    struct control *control = listener->data;
    if (status != 0) {
        return;
    }
    struct client *client = memory_new(1, sizeof *client);
    client->control = control;
    client->pipe.data = client;
    uv_pipe_init(listener->loop, &client->pipe, 0);
    client->next = control->clients;
    control->clients = client;
    if (uv_accept(listener, (uv_stream_t *)&client->pipe) != 0 ||
        uv_read_start((uv_stream_t *)&client->pipe, allocate, read_request) != 0) {
        drop(client);
    }
}

static int listen_at(const char *directory, struct error *err)
{
    int folder;
    struct sockaddr_un address;
    if (bind_address(directory, &folder, &address, err) != 0) {
        return -1;
    }
    CLEANUP(file_close_cleanup) int folder_cleanup = folder;
    /* Only this process works on the run (it holds the journal's lock): an old socket is dead. */
    (void)unlinkat(folder, "control.sock", 0);
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (listener < 0 || bind(listener, (struct sockaddr *)&address, sizeof address) != 0) {
        error_set_errno(err, errno, "cannot open the control socket in %s", directory);
        file_close_cleanup(&listener);
        return -1;
    }
    return listener;
}

int control_open(struct run *run, struct control **ret_control, struct error *err)
{
    int listener = listen_at(run->directory, err);
    if (listener < 0) {
        return -1;
    }
    struct control *control = memory_new(1, sizeof *control);
    control->run = run;
    control->listener.data = control;
    uv_pipe_init(&run->loop, &control->listener, 0);
    *ret_control = control;
    if (uv_pipe_open(&control->listener, listener) != 0 ||
        uv_listen((uv_stream_t *)&control->listener, BACKLOG, connected) != 0) {
        return error_set(err, ERROR_IO, "cannot listen at the control socket");
    }
    return 0;
}

static void listener_closed(uv_handle_t *handle)
{
    free(handle->data);
}

void control_close(struct control *control)
{
    if (control == NULL) {
        return;
    }
    int folder = open(control->run->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder >= 0) {
        (void)unlinkat(folder, "control.sock", 0);
        close(folder);
    }
    while (control->clients != NULL) {
        drop(control->clients);
    }
    uv_close((uv_handle_t *)&control->listener, listener_closed);
}

/* --- the side that asks ---------------------------------------------------------------------- */

static int connect_to(const char *directory, struct error *err)
{
    int folder;
    struct sockaddr_un address;
    if (bind_address(directory, &folder, &address, err) != 0) {
        return -1;
    }
    CLEANUP(file_close_cleanup) int folder_cleanup = folder;
    int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (descriptor < 0 || connect(descriptor, (struct sockaddr *)&address, sizeof address) != 0) {
        bool nobody = errno == ENOENT || errno == ECONNREFUSED;
        if (nobody) {
            error_set(err, ERROR_NOT_FOUND, "no drctl works on this run now");
        } else {
            error_set_errno(err, errno, "cannot reach the drctl that works on this run");
        }
        file_close_cleanup(&descriptor);
        return -1;
    }
    return descriptor;
}

static int read_reply(int descriptor, struct buffer *reply, struct error *err)
{
    int64_t end_ns = clock_monotonic_ns() + REPLY_TIMEOUT_MS * CLOCK_NS_PER_MS;
    while (reply->size_bytes == 0 || memchr(reply->data, '\n', reply->size_bytes) == NULL) {
        int64_t left_ms = (end_ns - clock_monotonic_ns()) / CLOCK_NS_PER_MS;
        struct pollfd wait = {.fd = descriptor, .events = POLLIN};
        if (left_ms <= 0 || poll(&wait, 1, (int)left_ms) == 0) {
            return error_set(err, ERROR_TIMEOUT,
                             "the drctl that works on this run does not answer");
        }
        ssize_t size = read(descriptor, buffer_reserve(reply, 4096), 4096);
        if (size <= 0) {
            return error_set(err, ERROR_IO, "the drctl that works on this run hung up");
        }
        buffer_advance(reply, (size_t)size);
    }
    return 0;
}

static int take_reply(const struct buffer *text, char **ret_text, struct error *err)
{
    CLEANUP(json_cleanup) json_t *reply = json_parse(buffer_span(text), "the reply", err);
    if (reply == NULL) {
        return -1;
    }
    if (json_is_true(json_object_get(reply, "ok"))) {
        *ret_text = memory_text(json_get_text(reply, "text"));
        return 0;
    }
    const char *code = json_get_text(reply, "code");
    const char *message = json_get_text(reply, "message");
    error_set(err, code != NULL ? error_code_from_name(code) : ERROR_FAILED, "%s",
              message != NULL ? message : "refused");
    const char *hint = json_get_text(reply, "hint");
    return hint != NULL ? error_hint(err, "%s", hint) : -1;
}

int control_send(const char *run_directory, const json_t *decision, char **ret_text,
                 struct error *err)
{
    CLEANUP(file_close_cleanup) int descriptor = connect_to(run_directory, err);
    if (descriptor < 0) {
        return -1;
    }
    CLEANUP(buffer_release) struct buffer request = BUFFER_INIT;
    CLEANUP(buffer_release) struct buffer reply = BUFFER_INIT;
    json_append(&request, decision);
    buffer_append_char(&request, '\n');
    if (send(descriptor, request.data, request.size_bytes, MSG_NOSIGNAL) !=
        (ssize_t)request.size_bytes) {
        return error_set_errno(err, errno, "cannot talk to the drctl that works on this run");
    }
    if (read_reply(descriptor, &reply, err) != 0) {
        return -1;
    }
    return take_reply(&reply, ret_text, err);
}

bool control_is_open(const char *run_directory)
{
    CLEANUP(file_close_cleanup) int descriptor = connect_to(run_directory, NULL);
    return descriptor >= 0;
}
