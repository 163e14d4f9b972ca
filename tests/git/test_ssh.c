/* git over SSH against a real sshd of the test's own; without one installed these tests are
 * skipped. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pwd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/memory.h"
#include "git/repo.h"
#include "remotes.h"
#include "scratch.h"

/* libgit2 1.5 loses some memory in each SSH handshake, inside git_remote_connect(). */
const char *__lsan_default_suppressions(void);

const char *__lsan_default_suppressions(void)
{
    return "leak:libpcre2\nleak:libssh2\nleak:libgit2";
}

static const char sshd_path[] = "/usr/sbin/sshd";

static int free_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof address;
    CLEANUP(file_close_cleanup) int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(descriptor, (struct sockaddr *)&address, size), 0);
    assert_int_equal(getsockname(descriptor, (struct sockaddr *)&address, &size), 0);
    return ntohs(address.sin_port);
}

static void make_key(const struct remotes *remotes, const char *name)
{
    const char *argv[] = {"ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", name, NULL};
    free(scratch_run(remotes->home, argv));
}

static void wait_for_port(int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
    for (int i = 0; i < 100; i++) {
        CLEANUP(file_close_cleanup) int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (connect(descriptor, (struct sockaddr *)&address, sizeof address) == 0) {
            return;
        }
        usleep(50 * 1000);
    }
    fail_msg("sshd did not start");
}

static int start_sshd(struct remotes *remotes)
{
    int port = free_port();
    CLEANUP(memory_cleanup)
    char *config = memory_format("Port %d\nListenAddress 127.0.0.1\nHostKey %s/host\n"
                                 "AuthorizedKeysFile %s/.ssh/authorized_keys\nPidFile none\n"
                                 "StrictModes no\nUsePAM no\nPasswordAuthentication no\n",
                                 port, remotes->home, remotes->home);
    scratch_write(remotes->home, "sshd_config", config);
    CLEANUP(memory_cleanup) char *path = scratch_path(remotes->home, "sshd_config");
    (void)mkdir("/run/sshd", 0755); /* where sshd separates privileges; only root's needs it */
    const char *argv[] = {sshd_path, "-D", "-q", "-f", path, NULL};
    remotes_start(remotes, argv, NULL);
    wait_for_port(port);
    return port;
}

static void write_known_hosts(const struct remotes *remotes, int port, const char *key)
{
    CLEANUP(memory_cleanup) char *public = memory_format("%s.pub", key);
    CLEANUP(memory_cleanup) char *path = scratch_path(remotes->home, public);
    CLEANUP(memory_cleanup) char *text = scratch_read(path, NULL);
    CLEANUP(memory_cleanup) char *line = memory_format("[127.0.0.1]:%d %s", port, text);
    scratch_write(remotes->home, ".ssh/known_hosts", line);
}

/* libgit2 looks for known_hosts in the home that it saw when it started: the first test's. All
 * tests therefore share one fixture. */
struct fixture {
    struct remotes *remotes;
    char *url;
    int port;
};

static int setup(void **state)
{
    if (!file_exists(sshd_path)) {
        return 0;
    }
    struct fixture *fixture = memory_new(1, sizeof *fixture);
    remotes_setup((void **)&fixture->remotes);
    scratch_write(fixture->remotes->home, ".ssh/config", "");
    make_key(fixture->remotes, "host");
    make_key(fixture->remotes, "stranger");
    make_key(fixture->remotes, ".ssh/id_ed25519");
    const char *argv[] = {"cp", ".ssh/id_ed25519.pub", ".ssh/authorized_keys", NULL};
    free(scratch_run(fixture->remotes->home, argv));
    fixture->port = start_sshd(fixture->remotes);
    const struct passwd *user = getpwuid(getuid());
    fixture->url = memory_format("ssh://%s@127.0.0.1:%d%s", user->pw_name, fixture->port,
                                 fixture->remotes->origin);
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;
    if (fixture != NULL) {
        remotes_teardown((void **)&fixture->remotes);
        free(fixture->url);
        free(fixture);
    }
    return 0;
}

static int check_out(const struct fixture *fixture, const struct repo_access *access,
                     struct error *err)
{
    const char *urls[] = {fixture->url, NULL};
    struct repo_checkout_request request = {
        .urls = urls, .ref = "main", .branch = "run", .destination = fixture->remotes->checkout};
    struct repo_checkout_result result;
    int status = repo_checkout(&request, access, &result, err);
    repo_checkout_result_release(&result);
    return status;
}

static void an_unknown_host_key_is_refused(void **state)
{
    if (*state == NULL) {
        skip();
    }
    struct fixture *fixture = *state;
    static const struct repo_access plain;
    CLEANUP(error_release) struct error err = ERROR_INIT;
    assert_int_equal(check_out(fixture, &plain, &err), -1);
    assert_int_equal(err.code, ERROR_NOT_READY);
    assert_non_null(strstr(err.message, "known_hosts"));
    assert_non_null(strstr(err.hint, "ssh-keyscan"));
}

static void a_changed_host_key_is_refused(void **state)
{
    if (*state == NULL) {
        skip();
    }
    struct fixture *fixture = *state;
    write_known_hosts(fixture->remotes, fixture->port, "stranger");
    static const struct repo_access plain;
    CLEANUP(error_release) struct error err = ERROR_INIT;
    assert_int_equal(check_out(fixture, &plain, &err), -1);
    assert_int_equal(err.code, ERROR_NOT_READY);
}

static void a_key_that_the_server_does_not_know_is_said_so(void **state)
{
    if (*state == NULL) {
        skip();
    }
    struct fixture *fixture = *state;
    write_known_hosts(fixture->remotes, fixture->port, "host");
    CLEANUP(memory_cleanup) char *key = scratch_path(fixture->remotes->home, "stranger");
    struct repo_access access = {.ssh_key = key};
    CLEANUP(error_release) struct error err = ERROR_INIT;
    assert_int_equal(check_out(fixture, &access, &err), -1);
    assert_int_equal(err.code, ERROR_NOT_READY);
    assert_non_null(strstr(err.message, "took none of the SSH keys"));
}

static void with_a_known_host_and_key_it_is_checked_out_and_pushed(void **state)
{
    if (*state == NULL) {
        skip();
    }
    struct fixture *fixture = *state;
    write_known_hosts(fixture->remotes, fixture->port, "host");
    static const struct repo_access plain;
    CLEANUP(error_release) struct error err = ERROR_INIT;
    if (check_out(fixture, &plain, &err) != 0) {
        fail_msg("%s", err.message);
    }
    remotes_assert_clean(fixture->remotes, "checkout");
    struct repo_push_request request = {
        .path = fixture->remotes->checkout, .url = fixture->url, .branch = "run"};
    struct repo_push_result result;
    if (repo_push(&request, &plain, &result, &err) != 0) {
        fail_msg("%s", err.message);
    }
    CLEANUP(memory_cleanup)
    char *there = remotes_git(fixture->remotes, "origin.git", "rev-parse", "run", NULL);
    assert_string_equal(result.id, there);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_unknown_host_key_is_refused),
        cmocka_unit_test(a_changed_host_key_is_refused),
        cmocka_unit_test(a_key_that_the_server_does_not_know_is_said_so),
        cmocka_unit_test(with_a_known_host_and_key_it_is_checked_out_and_pushed),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
