/* git/checkout against real repositories and servers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"
#include "git/repo.h"
#include "remotes.h"
#include "scratch.h"

static const struct repo_access plain;

struct checked_out {
    struct repo_checkout_result result;
    struct error err;
    int status;
};

static struct checked_out check_out(const struct remotes *remotes, const char *const *urls,
                                    const char *ref, const char *branch,
                                    const struct repo_access *access)
{
    struct checked_out out = {.err = ERROR_INIT};
    struct repo_checkout_request request = {
        .urls = urls, .ref = ref, .destination = remotes->checkout, .branch = branch};
    out.status = repo_checkout(&request, access, &out.result, &out.err);
    return out;
}

static struct checked_out check_out_origin(const struct remotes *remotes, const char *ref,
                                           const char *branch)
{
    const char *urls[] = {remotes->origin, NULL};
    return check_out(remotes, urls, ref, branch, &plain);
}

static void release(struct checked_out *out)
{
    repo_checkout_result_release(&out->result);
    error_release(&out->err);
}

static void assert_commit(const struct remotes *remotes, const struct checked_out *out,
                          const char *revision)
{
    if (out->status != 0) {
        fail_msg("%s", out->err.message);
    }
    CLEANUP(memory_cleanup)
    char *expected = remotes_git(remotes, "seed", "rev-parse", revision, NULL);
    CLEANUP(memory_cleanup)
    char *head = remotes_git(remotes, "checkout", "rev-parse", "HEAD", NULL);
    assert_string_equal(out->result.id, expected);
    assert_string_equal(head, expected);
    remotes_assert_clean(remotes, "checkout");
}

static void assert_failed(const struct remotes *remotes, struct checked_out *out,
                          enum error_code code, const char *words)
{
    assert_int_equal(out->status, -1);
    if (out->err.code != code || strstr(out->err.message, words) == NULL) {
        fail_msg("%s: %s", error_code_name(out->err.code), out->err.message);
    }
    assert_false(file_exists(remotes->checkout));
    release(out);
}

static void assert_nothing_left_behind(const struct remotes *remotes)
{
    const char *argv[] = {"find", ".", "-maxdepth", "1", "-name", "checkout*", NULL};
    CLEANUP(memory_cleanup) char *found = scratch_run(remotes->home, argv);
    assert_string_equal(found, "");
}

/* --- refs ---------------------------------------------------------------------------------------
 */

static void without_a_ref_the_default_branch_is_checked_out(void **state)
{
    struct checked_out out = check_out_origin(*state, NULL, NULL);
    assert_commit(*state, &out, "main");
    assert_string_equal(out.result.branch, "main");
    release(&out);
}

static void a_branch_is_checked_out_and_follows_its_remote(void **state)
{
    struct checked_out out = check_out_origin(*state, "develop", NULL);
    assert_commit(*state, &out, "develop");
    CLEANUP(memory_cleanup)
    char *upstream = remotes_git(*state, "checkout", "rev-parse", "--abbrev-ref", "@{u}", NULL);
    assert_string_equal(upstream, "origin/develop");
    release(&out);
}

static void an_annotated_tag_gives_its_commit(void **state)
{
    struct checked_out out = check_out_origin(*state, "v1", NULL);
    assert_commit(*state, &out, "v1^{commit}");
    assert_null(out.result.branch);
    release(&out);
}

static void a_commit_is_found_by_its_beginning(void **state)
{
    CLEANUP(memory_cleanup)
    char *id = remotes_git(*state, "seed", "rev-parse", "--short=9", "main~1", NULL);
    struct checked_out out = check_out_origin(*state, id, NULL);
    assert_commit(*state, &out, "main~1");
    release(&out);
}

static void a_branch_for_the_run_is_made_at_the_ref(void **state)
{
    struct checked_out out = check_out_origin(*state, "v1", "drctl/run-1");
    assert_commit(*state, &out, "v1^{commit}");
    CLEANUP(memory_cleanup)
    char *branch = remotes_git(*state, "checkout", "symbolic-ref", "--short", "HEAD", NULL);
    assert_string_equal(branch, "drctl/run-1");
    assert_string_equal(out.result.branch, "drctl/run-1");
    release(&out);
}

static void an_unknown_ref_is_not_found(void **state)
{
    struct checked_out out = check_out_origin(*state, "nowhere", NULL);
    assert_failed(*state, &out, ERROR_NOT_FOUND, "'nowhere'");
    assert_nothing_left_behind(*state);
}

static void a_name_that_is_branch_and_tag_is_not_guessed(void **state)
{
    remotes_do(*state, "seed", "push", "-q", "origin", "main:refs/heads/v1", NULL);
    struct checked_out out = check_out_origin(*state, "v1", NULL);
    assert_failed(*state, &out, ERROR_INVALID, "a branch and a tag");
    out = check_out_origin(*state, "refs/heads/v1", NULL);
    assert_commit(*state, &out, "main");
    release(&out);
}

static void an_empty_repository_says_so(void **state)
{
    struct remotes *remotes = *state;
    remotes_do(remotes, NULL, "init", "-q", "--bare", "empty.git", NULL);
    CLEANUP(memory_cleanup) char *url = memory_format("file://%s/empty.git", remotes->home);
    const char *urls[] = {url, NULL};
    struct checked_out out = check_out(remotes, urls, NULL, NULL, &plain);
    assert_failed(remotes, &out, ERROR_NOT_FOUND, "default");
}

/* --- files --------------------------------------------------------------------------------------
 */

static void bytes_come_out_as_they_were_committed(void **state)
{
    struct remotes *remotes = *state;
    remotes_do(remotes, NULL, "config", "--global", "core.autocrlf", "true", NULL);
    struct checked_out out = check_out_origin(remotes, NULL, NULL);
    assert_int_equal(out.status, 0);
    CLEANUP(memory_cleanup) char *path = scratch_path(remotes->checkout, "README.md");
    CLEANUP(memory_cleanup) char *text = scratch_read(path, NULL);
    assert_string_equal(text, "first\r\nline\n");
    release(&out);
}

static void an_existing_destination_is_refused(void **state)
{
    struct remotes *remotes = *state;
    scratch_write(remotes->home, "checkout/kept", "mine");
    struct checked_out out = check_out_origin(remotes, NULL, NULL);
    assert_int_equal(out.status, -1);
    assert_int_equal(out.err.code, ERROR_REFUSED);
    CLEANUP(memory_cleanup) char *kept = scratch_path(remotes->checkout, "kept");
    assert_true(file_exists(kept));
    release(&out);
}

static void the_checkout_is_private(void **state)
{
    struct remotes *remotes = *state;
    struct checked_out out = check_out_origin(remotes, NULL, NULL);
    struct stat status;
    assert_int_equal(stat(remotes->checkout, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0700);
    release(&out);
}

/* --- servers ------------------------------------------------------------------------------------
 */

static void mirrors_are_tried_in_order_and_reasons_are_kept(void **state)
{
    struct remotes *remotes = *state;
    CLEANUP(memory_cleanup) char *missing = memory_format("file://%s/missing.git", remotes->home);
    CLEANUP(memory_cleanup) char *good = memory_format("file://%s", remotes->origin);
    const char *urls[] = {missing, "http://127.0.0.1:1/down.git", good, NULL};
    struct checked_out out = check_out(remotes, urls, "main", NULL, &plain);
    assert_commit(remotes, &out, "main");
    assert_string_equal(out.result.url, good);
    assert_int_equal(out.result.attempts.count, 3);
    assert_non_null(out.result.attempts.items[0].reason);
    assert_non_null(strstr(out.result.attempts.items[1].reason, "does not answer"));
    assert_null(out.result.attempts.items[2].reason);
    release(&out);
}

static void when_no_url_answers_every_reason_is_in_the_message(void **state)
{
    struct remotes *remotes = *state;
    CLEANUP(memory_cleanup) char *missing = memory_format("file://%s/missing.git", remotes->home);
    const char *urls[] = {missing, "http://127.0.0.1:1/down.git", NULL};
    struct checked_out out = check_out(remotes, urls, "main", NULL, &plain);
    assert_non_null(strstr(out.err.message, "missing.git"));
    assert_failed(remotes, &out, ERROR_NETWORK, "127.0.0.1 port 1 does not answer");
    assert_nothing_left_behind(remotes);
}

static void http_works(void **state)
{
    struct remotes *remotes = *state;
    int port = remotes_serve(remotes, NULL);
    CLEANUP(memory_cleanup) char *url = memory_format("http://127.0.0.1:%d/origin.git", port);
    const char *urls[] = {url, NULL};
    struct checked_out out = check_out(remotes, urls, "main", "drctl/x", &plain);
    assert_commit(remotes, &out, "main");
    release(&out);
}

static void a_repository_that_the_server_does_not_have_is_said_so(void **state)
{
    struct remotes *remotes = *state;
    int port = remotes_serve(remotes, NULL);
    CLEANUP(memory_cleanup) char *url = memory_format("http://127.0.0.1:%d/other.git", port);
    const char *urls[] = {url, NULL};
    struct checked_out out = check_out(remotes, urls, "main", NULL, &plain);
    assert_failed(remotes, &out, ERROR_NETWORK, "404");
}

static struct checked_out check_out_with(struct remotes *remotes, const char *user_info,
                                         const struct repo_access *access)
{
    int port = remotes_serve(remotes, "--password", "me:s3cret", NULL);
    CLEANUP(memory_cleanup)
    char *url = memory_format("http://%s127.0.0.1:%d/origin.git", user_info, port);
    const char *urls[] = {url, NULL};
    return check_out(remotes, urls, "main", NULL, access);
}

static void a_token_opens_a_private_repository(void **state)
{
    struct repo_access access = {.username = "me", .token = "s3cret"};
    struct checked_out out = check_out_with(*state, "", &access);
    assert_commit(*state, &out, "main");
    release(&out);
}

static void a_wrong_token_is_offered_once_and_not_shown(void **state)
{
    struct repo_access access = {.username = "me", .token = "wr0ng"};
    struct checked_out out = check_out_with(*state, "", &access);
    assert_null(strstr(out.err.message, "wr0ng"));
    assert_failed(*state, &out, ERROR_NOT_READY, "does not accept the password or token");
}

static void a_missing_password_is_said_so(void **state)
{
    struct checked_out out = check_out_with(*state, "", &plain);
    assert_failed(*state, &out, ERROR_NOT_READY, "asks for a password and none was given");
}

static void a_password_in_the_url_works_and_is_kept_out_of_sight(void **state)
{
    struct checked_out out = check_out_with(*state, "me:s3cret@", &plain);
    assert_commit(*state, &out, "main");
    assert_null(strstr(out.result.url, "s3cret"));
    CLEANUP(memory_cleanup) char *config = remotes_git(*state, "checkout", "config", "-l", NULL);
    assert_null(strstr(config, "s3cret"));
    release(&out);
}

static void a_credential_helper_is_asked(void **state)
{
    struct remotes *remotes = *state;
    scratch_write(remotes->home, "helper.sh",
                  "cat >\"$HOME/asked\"\nprintf 'username=me\\npassword=s3cret\\n'\n");
    CLEANUP(memory_cleanup) char *script = scratch_path(remotes->home, "helper.sh");
    const char *helper[] = {"sh", script, NULL};
    struct repo_access access = {.credential_helper = helper};
    struct checked_out out = check_out_with(remotes, "", &access);
    assert_commit(remotes, &out, "main");
    CLEANUP(memory_cleanup) char *asked = scratch_path(remotes->home, "asked");
    CLEANUP(memory_cleanup) char *question = scratch_read(asked, NULL);
    assert_non_null(strstr(question, "protocol=http\nhost=127.0.0.1:"));
    release(&out);
}

static void make_certificate(const struct remotes *remotes)
{
    const char *argv[] = {"openssl",
                          "req",
                          "-x509",
                          "-batch",
                          "-nodes",
                          "-days",
                          "2",
                          "-newkey",
                          "ec",
                          "-pkeyopt",
                          "ec_paramgen_curve:P-256",
                          "-keyout",
                          "key.pem",
                          "-out",
                          "cert.pem",
                          "-subj",
                          "/CN=localhost",
                          "-addext",
                          "subjectAltName=DNS:localhost",
                          NULL};
    free(scratch_run(remotes->home, argv));
}

/* The order matters: libgit2 keeps a trusted authority for the rest of the process. */
static void https_wants_a_trusted_certificate(void **state)
{
    struct remotes *remotes = *state;
    make_certificate(remotes);
    CLEANUP(memory_cleanup) char *certificate = scratch_path(remotes->home, "cert.pem");
    CLEANUP(memory_cleanup) char *key = scratch_path(remotes->home, "key.pem");
    int port = remotes_serve(remotes, "--tls", certificate, key, NULL);
    CLEANUP(memory_cleanup) char *url = memory_format("https://localhost:%d/origin.git", port);
    const char *urls[] = {url, NULL};
    struct checked_out out = check_out(remotes, urls, "main", NULL, &plain);
    assert_failed(remotes, &out, ERROR_NOT_READY, "certificate");

    struct repo_access access = {.ca_file = certificate};
    out = check_out(remotes, urls, "main", NULL, &access);
    assert_commit(remotes, &out, "main");
    release(&out);
}

/* --- time ---------------------------------------------------------------------------------------
 */

static void a_server_that_says_nothing_is_left_for_the_mirror(void **state)
{
    struct remotes *remotes = *state;
    int port = remotes_serve(remotes, "--fault", "silent", NULL);
    CLEANUP(memory_cleanup) char *url = memory_format("http://127.0.0.1:%d/origin.git", port);
    const char *urls[] = {url, remotes->origin, NULL};
    struct repo_access access = {.stall_timeout_ms = 500};
    int64_t start_ns = clock_monotonic_ns();
    struct checked_out out = check_out(remotes, urls, "main", NULL, &access);
    assert_commit(remotes, &out, "main");
    assert_true(clock_monotonic_ns() - start_ns < 20 * CLOCK_NS_PER_S);
    assert_non_null(strstr(out.result.attempts.items[0].reason, "nothing moved"));
    release(&out);
}

static bool always(void *data)
{
    (void)data;
    return true;
}

static void cancelling_ends_it_although_the_server_says_nothing(void **state)
{
    struct remotes *remotes = *state;
    int port = remotes_serve(remotes, "--fault", "silent", NULL);
    CLEANUP(memory_cleanup) char *url = memory_format("http://127.0.0.1:%d/origin.git", port);
    const char *urls[] = {url, remotes->origin, NULL};
    struct repo_access access = {.cancelled = always};
    struct checked_out out = check_out(remotes, urls, "main", NULL, &access);
    assert_int_equal(out.result.attempts.count, 1);
    assert_failed(remotes, &out, ERROR_CANCELLED, "cancelled");
}

static void count_line(void *data, const char *line)
{
    int *lines = data;
    *lines += line[0] != '\0';
}

static void progress_is_reported(void **state)
{
    struct remotes *remotes = *state;
    int port = remotes_serve(remotes, NULL);
    CLEANUP(memory_cleanup) char *url = memory_format("http://127.0.0.1:%d/origin.git", port);
    const char *urls[] = {url, NULL};
    int lines = 0;
    struct repo_access access = {.progress = count_line, .data = &lines};
    struct checked_out out = check_out(remotes, urls, "main", NULL, &access);
    assert_int_equal(out.status, 0);
    assert_true(lines > 0);
    release(&out);
}

int main(void)
{
#define REMOTES_TEST(test) cmocka_unit_test_setup_teardown(test, remotes_setup, remotes_teardown)
    const struct CMUnitTest tests[] = {
        REMOTES_TEST(without_a_ref_the_default_branch_is_checked_out),
        REMOTES_TEST(a_branch_is_checked_out_and_follows_its_remote),
        REMOTES_TEST(an_annotated_tag_gives_its_commit),
        REMOTES_TEST(a_commit_is_found_by_its_beginning),
        REMOTES_TEST(a_branch_for_the_run_is_made_at_the_ref),
        REMOTES_TEST(an_unknown_ref_is_not_found),
        REMOTES_TEST(a_name_that_is_branch_and_tag_is_not_guessed),
        REMOTES_TEST(an_empty_repository_says_so),
        REMOTES_TEST(bytes_come_out_as_they_were_committed),
        REMOTES_TEST(an_existing_destination_is_refused),
        REMOTES_TEST(the_checkout_is_private),
        REMOTES_TEST(mirrors_are_tried_in_order_and_reasons_are_kept),
        REMOTES_TEST(when_no_url_answers_every_reason_is_in_the_message),
        REMOTES_TEST(http_works),
        REMOTES_TEST(a_repository_that_the_server_does_not_have_is_said_so),
        REMOTES_TEST(a_token_opens_a_private_repository),
        REMOTES_TEST(a_wrong_token_is_offered_once_and_not_shown),
        REMOTES_TEST(a_missing_password_is_said_so),
        REMOTES_TEST(a_password_in_the_url_works_and_is_kept_out_of_sight),
        REMOTES_TEST(a_credential_helper_is_asked),
        REMOTES_TEST(https_wants_a_trusted_certificate),
        REMOTES_TEST(a_server_that_says_nothing_is_left_for_the_mirror),
        REMOTES_TEST(cancelling_ends_it_although_the_server_says_nothing),
        REMOTES_TEST(progress_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
