/* libgit2 asks again after each refusal, for ever if it is let. So every candidate is offered once,
 * in a fixed order, and the end of the list is an error that names what was tried:
 *
 *   SSH    the agent, then the configured key, or the usual ones that exist
 *   HTTP   the password in the URL, the token, the credential helper */
#include "git/credential.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"

enum {
    HELPER_TIMEOUT_MS = 20 * 1000,
    HELPER_ANSWER_LIMIT_BYTES = 64 * 1024, /* Kerberos-like tokens are long; nothing is longer */
};

extern char **environ;

/* --- SSH ----------------------------------------------------------------------------------------
 */

static const char *const usual_keys[] = {"id_ed25519", "id_ecdsa", "id_rsa"};

static char *key_path(const struct session *session, int index)
{
    if (session->ssh_key != NULL) {
        return index == 0 ? memory_text(session->ssh_key) : NULL;
    }
    const char *home = getenv("HOME");
    if (home == NULL || index >= (int)ARRAY_SIZE(usual_keys)) {
        return NULL;
    }
    return memory_format("%s/.ssh/%s", home, usual_keys[index]);
}

static int offer_key(const char *path, const char *user, git_credential **out)
{
    CLEANUP(memory_cleanup) char *public_path = memory_format("%s.pub", path);
    return git_credential_ssh_key_new(out, user, file_exists(public_path) ? public_path : NULL,
                                      path, "");
}

/* The agent is number 0, the keys follow. */
static int next_key(struct session *session, const char *user, git_credential **out)
{
    if (session->keys_tried == 0) {
        session->keys_tried++;
        if (getenv("SSH_AUTH_SOCK") != NULL) {
            return git_credential_ssh_key_from_agent(out, user);
        }
    }
    for (;;) {
        CLEANUP(memory_cleanup) char *path = key_path(session, session->keys_tried - 1);
        if (path == NULL) {
            error_set(&session->failure, ERROR_NOT_READY,
                      "%s took none of the SSH keys for %s: agent, %s", session->url.host, user,
                      session->ssh_key != NULL ? session->ssh_key
                                               : "~/.ssh/id_ed25519, id_ecdsa, "
                                                 "id_rsa");
            return GIT_EAUTH;
        }
        session->keys_tried++;
        if (file_exists(path)) {
            return offer_key(path, user, out);
        }
    }
}

/* --- the credential helper ----------------------------------------------------------------------
 */

struct helper {
    pid_t child;
    int question; /* the helper's stdin */
    int answer;   /* its stdout */
};

static int spawn_helper(struct helper *helper, char *const *argv, const int question[2],
                        const int answer[2])
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none;
    sigemptyset(&none);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, question[0], STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, answer[1], STDOUT_FILENO);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
    int result = posix_spawnp(&helper->child, argv[0], &actions, &attributes, argv, environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return result;
}

static int start_helper(struct helper *helper, char *const *argv, struct error *err)
{
    int question[2];
    int answer[2];
    if (pipe2(question, O_CLOEXEC) != 0) {
        return error_set_errno(err, errno, "cannot make a pipe");
    }
    if (pipe2(answer, O_CLOEXEC) != 0) {
        close(question[0]);
        close(question[1]);
        return error_set_errno(err, errno, "cannot make a pipe");
    }
    int result = spawn_helper(helper, argv, question, answer);
    close(question[0]);
    close(answer[1]);
    helper->question = question[1];
    helper->answer = answer[0];
    if (result != 0) {
        close(helper->question);
        close(helper->answer);
        return error_set_errno(err, result, "cannot run the credential helper %s", argv[0]);
    }
    return 0;
}

static int read_answer(struct helper *helper, struct buffer *answer, struct error *err)
{
    int64_t deadline_ns = clock_monotonic_ns() + HELPER_TIMEOUT_MS * CLOCK_NS_PER_MS;
    for (;;) {
        int64_t left_ms = (deadline_ns - clock_monotonic_ns()) / CLOCK_NS_PER_MS;
        struct pollfd wait = {.fd = helper->answer, .events = POLLIN};
        if (left_ms <= 0 || poll(&wait, 1, (int)left_ms) == 0) {
            return error_set(err, ERROR_TIMEOUT, "the credential helper did not answer");
        }
        char *end = buffer_reserve(answer, HELPER_ANSWER_LIMIT_BYTES);
        ssize_t size = read(helper->answer, end, HELPER_ANSWER_LIMIT_BYTES);
        if (size == 0) {
            return 0;
        }
        if (size < 0 && errno != EINTR) {
            return error_set_errno(err, errno, "cannot hear the credential helper");
        }
        buffer_advance(answer, size > 0 ? (size_t)size : 0);
        if (answer->size_bytes > HELPER_ANSWER_LIMIT_BYTES) {
            return error_set(err, ERROR_INVALID, "the credential helper says too much");
        }
    }
}

/* Asks as git-credential(1) describes; answer gets its lines. */
static int ask_helper(const struct session *session, struct buffer *answer, struct error *err)
{
    struct helper helper;
    if (start_helper(&helper, session->credential_helper, err) != 0) {
        return -1;
    }
    const struct url *url = &session->url;
    bool usual_port = strcmp(url->port, url->kind == URL_HTTPS ? "443" : "80") == 0;
    CLEANUP(memory_cleanup)
    char *question = memory_format("protocol=%s\nhost=%s%s%s\n\n", url_scheme(url), url->host,
                                   usual_port ? "" : ":", usual_port ? "" : url->port);
    int result = file_write_all(helper.question, question, strlen(question), err);
    close(helper.question);
    if (result == 0) {
        result = read_answer(&helper, answer, err);
    }
    close(helper.answer);
    if (result != 0) {
        kill(helper.child, SIGKILL);
    }
    int status = 0;
    while (waitpid(helper.child, &status, 0) < 0 && errno == EINTR) {
    }
    if (result == 0 && status != 0) {
        return error_set(err, ERROR_NOT_READY, "the credential helper %s has no password for %s",
                         session->credential_helper[0], session->url.host);
    }
    return result;
}

/* The value of "name=value" in the answer's lines, or NULL. The caller frees it. */
static char *find_value(const struct buffer *answer, const char *name)
{
    size_t name_bytes = strlen(name);
    for (const char *line = buffer_text(answer); *line != '\0';) {
        size_t line_bytes = strcspn(line, "\n");
        if (strncmp(line, name, name_bytes) == 0 && line[name_bytes] == '=') {
            return memory_text_n(line + name_bytes + 1, line_bytes - name_bytes - 1);
        }
        line += line_bytes + (line[line_bytes] == '\n');
    }
    return NULL;
}

static int offer_helper(struct session *session, git_credential **out)
{
    struct buffer answer = BUFFER_INIT;
    int status = GIT_EAUTH;
    if (ask_helper(session, &answer, &session->failure) == 0) {
        char *username = find_value(&answer, "username");
        char *password = find_value(&answer, "password");
        if (username != NULL && password != NULL) {
            status = git_credential_userpass_plaintext_new(out, username, password);
        } else {
            error_set(&session->failure, ERROR_NOT_READY,
                      "the credential helper %s has no password for %s",
                      session->credential_helper[0], session->url.host);
        }
        free(username);
        memory_free_secret(password);
    }
    if (answer.data != NULL) {
        explicit_bzero(answer.data, answer.capacity_bytes);
    }
    buffer_release(&answer);
    return status;
}

/* --- HTTP ---------------------------------------------------------------------------------------
 */

static int offer_password(struct session *session, const struct url *url, git_credential **out)
{
    if (!session_trusts(session, url)) {
        error_set(&session->failure, ERROR_REFUSED, "%s asks for a password that was given for %s",
                  url->shown, session->url.shown);
        return GIT_EAUTH;
    }
    if (session->password_sent) {
        error_set(&session->failure, ERROR_NOT_READY, "%s does not accept the password or token",
                  session->url.host);
        return GIT_EAUTH;
    }
    session->password_sent = true;
    const char *user = session->username != NULL ? session->username : session->url.user;
    if (session->url.password != NULL) {
        return git_credential_userpass_plaintext_new(out, session->url.user, session->url.password);
    }
    if (session->token != NULL) {
        return git_credential_userpass_plaintext_new(out, user != NULL ? user : "git",
                                                     session->token);
    }
    if (session->credential_helper != NULL) {
        return offer_helper(session, out);
    }
    if (session->url.user != NULL) {
        return git_credential_userpass_plaintext_new(out, session->url.user, "");
    }
    error_set(&session->failure, ERROR_NOT_READY, "%s asks for a password and none was given",
              session->url.host);
    return GIT_EAUTH;
}

int credential_answer(struct session *session, const struct url *url, const char *user,
                      unsigned int allowed, git_credential **out)
{
    const char *name = user != NULL ? user : session->url.user != NULL ? session->url.user : "git";
    if (allowed & GIT_CREDENTIAL_SSH_KEY) {
        return next_key(session, name, out);
    }
    if (allowed & GIT_CREDENTIAL_USERNAME) {
        return git_credential_username_new(out, name);
    }
    if (allowed & GIT_CREDENTIAL_USERPASS_PLAINTEXT) {
        return offer_password(session, url, out);
    }
    error_set(&session->failure, ERROR_NOT_READY, "%s asks for a kind of credential not known here",
              session->url.host);
    return GIT_EAUTH;
}
