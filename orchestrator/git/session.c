/* What libgit2 asks during a conversation is answered here. The invariant: a secret goes only to
 * the scheme, host and port that it was given for, whatever redirects and submodules say. */
#include "git/session.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "git/credential.h"
#include "git/library.h"

enum { DEFAULT_CONNECT_MS = 10 * 1000 };

static char **copy_argv(const char *const *argv)
{
    size_t count = 0;
    while (argv != NULL && argv[count] != NULL) {
        count++;
    }
    if (count == 0) {
        return NULL;
    }
    char **copy = memory_new(count + 1, sizeof *copy);
    for (size_t i = 0; i < count; i++) {
        copy[i] = memory_text(argv[i]);
    }
    return copy;
}

int session_init(struct session *session, const char *url, const struct repo_access *access,
                 struct error *err)
{
    *session = (struct session){0};
    if (library_trust(access->ca_file, err) != 0 || url_parse(url, &session->url, err) != 0) {
        return -1;
    }
    session->text = memory_text(url);
    session->username = memory_text(access->username);
    session->token = memory_text(access->token);
    session->credential_helper = copy_argv(access->credential_helper);
    session->ssh_key = memory_text(access->ssh_key);
    session->connect_timeout_ms =
        access->connect_timeout_ms > 0 ? access->connect_timeout_ms : DEFAULT_CONNECT_MS;
    session->percent_said = -1;
    return 0;
}

void session_release(struct session *session)
{
    memory_free_secret(session->text);
    url_release(&session->url);
    free(session->username);
    memory_free_secret(session->token);
    for (char **word = session->credential_helper; word != NULL && *word != NULL; word++) {
        free(*word);
    }
    free(session->credential_helper);
    free(session->ssh_key);
    error_release(&session->failure);
    *session = (struct session){0};
}

/* --- reaching the host --------------------------------------------------------------------------
 */

static int connect_in_time(const struct addrinfo *address, int64_t timeout_ms)
{
    CLEANUP(file_close_cleanup)
    int descriptor = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (descriptor < 0) {
        return errno;
    }
    if (connect(descriptor, address->ai_addr, address->ai_addrlen) == 0) {
        return 0;
    }
    if (errno != EINPROGRESS) {
        return errno;
    }
    struct pollfd wait = {.fd = descriptor, .events = POLLOUT};
    if (poll(&wait, 1, (int)timeout_ms) == 0) {
        return ETIMEDOUT;
    }
    int result = 0;
    socklen_t size = sizeof result;
    getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &result, &size);
    return result;
}

/* Behind a proxy the host need not be reachable from here. */
static bool has_proxy(const struct url *url)
{
    const char *name = url->kind == URL_HTTPS ? "https_proxy" : "http_proxy";
    const char *other = url->kind == URL_HTTPS ? "HTTPS_PROXY" : "HTTP_PROXY";
    return url->kind != URL_SSH && (getenv(name) != NULL || getenv(other) != NULL);
}

int session_reach(struct session *session, struct error *err)
{
    const struct url *url = &session->url;
    if (url->kind == URL_LOCAL || has_proxy(url)) {
        return 0;
    }
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *addresses;
    int status = getaddrinfo(url->host, url->port, &hints, &addresses);
    if (status != 0) {
        return error_set(err, ERROR_NETWORK, "the host %s cannot be resolved: %s", url->host,
                         gai_strerror(status));
    }
    int result = ECONNREFUSED;
    for (struct addrinfo *one = addresses; one != NULL && result != 0; one = one->ai_next) {
        job_touch(session->job);
        result = job_is_stopping(session->job) ? ECANCELED
                                               : connect_in_time(one, session->connect_timeout_ms);
    }
    freeaddrinfo(addresses);
    if (result != 0) {
        return error_set(err, ERROR_NETWORK, "%s port %s does not answer: %s", url->host, url->port,
                         strerror(result));
    }
    return 0;
}

/* --- what libgit2 asks --------------------------------------------------------------------------
 */

bool session_trusts(const struct session *session, const struct url *url)
{
    return url->kind == session->url.kind && url->kind != URL_LOCAL &&
           strcasecmp(url->host, session->url.host) == 0 &&
           strcmp(url->port, session->url.port) == 0;
}

static int answer_credential(git_credential **out, const char *asked_by, const char *user,
                             unsigned int allowed, void *payload)
{
    struct session *session = payload;
    job_touch(session->job);
    struct url url;
    if (url_parse(asked_by, &url, &session->failure) != 0) {
        return GIT_EAUTH;
    }
    int status = credential_answer(session, &url, user, allowed, out);
    url_release(&url);
    return status;
}

static int check_certificate(git_cert *certificate, int valid, const char *host, void *payload)
{
    struct session *session = payload;
    if (valid != 0) {
        return 0;
    }
    if (certificate->cert_type == GIT_CERT_HOSTKEY_LIBSSH2) {
        error_set(&session->failure, ERROR_NOT_READY,
                  "the host key of %s is not the one in ~/.ssh/known_hosts, or not there", host);
        error_hint(&session->failure,
                   "compare it with the one that its owner publishes, then ssh-keyscan -p %s %s",
                   session->url.port, session->url.host);
    } else {
        error_set(&session->failure, ERROR_NOT_READY,
                  "the certificate of %s is not signed by an authority that is trusted here", host);
    }
    return GIT_ECERTIFICATE;
}

static int stop_or_go_on(struct session *session)
{
    job_touch(session->job);
    return job_is_stopping(session->job) ? -1 : 0;
}

static int hear_remote(const char *text, int size_bytes, void *payload)
{
    struct session *session = payload;
    struct span span = span_of(text, (size_t)(size_bytes > 0 ? size_bytes : 0));
    while (span.size_bytes > 0 && strchr("\r\n", span.data[span.size_bytes - 1]) != NULL) {
        span.size_bytes--;
    }
    /* Counters come with a carriage return for each step; the last one is enough. */
    if (size_bytes > 0 && text[size_bytes - 1] == '\n' && span.size_bytes > 0) {
        CLEANUP(buffer_release) struct buffer line = BUFFER_INIT;
        text_append_safe(&line, span, false);
        job_say(session->job, "remote: %.400s", buffer_text(&line));
    }
    return stop_or_go_on(session);
}

static int count_objects(const git_indexer_progress *progress, void *payload)
{
    struct session *session = payload;
    if (progress->total_objects > 0) {
        int percent = (int)(100ULL * progress->indexed_objects / progress->total_objects);
        if (percent / 25 > session->percent_said / 25 || session->percent_said < 0) {
            session->percent_said = percent;
            job_say(session->job, "received %u of %u objects, %zu KiB", progress->received_objects,
                    progress->total_objects, progress->received_bytes / 1024);
        }
    }
    return stop_or_go_on(session);
}

static int count_packed(int stage, uint32_t current, uint32_t total, void *payload)
{
    (void)stage;
    (void)current;
    (void)total;
    return stop_or_go_on(payload);
}

static int count_sent(unsigned int current, unsigned int total, size_t size_bytes, void *payload)
{
    (void)current;
    (void)total;
    (void)size_bytes;
    return stop_or_go_on(payload);
}

void session_callbacks(struct session *session, git_remote_callbacks *callbacks)
{
    callbacks->sideband_progress = hear_remote;
    callbacks->credentials = answer_credential;
    callbacks->certificate_check = check_certificate;
    callbacks->transfer_progress = count_objects;
    callbacks->pack_progress = count_packed;
    callbacks->push_transfer_progress = count_sent;
    callbacks->payload = session;
}

int session_error(struct session *session, struct error *err, int status, const char *what)
{
    if (error_is_set(&session->failure) && !error_is_set(err)) {
        error_move(err, &session->failure);
        return -1;
    }
    return library_error(err, status, "%s", what);
}
