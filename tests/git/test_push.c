/* git/push: the remote's word counts, not the connection's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "git/repo.h"
#include "remotes.h"
#include "scratch.h"

static const struct repo_access plain;

/* The checkout gets a branch "run" with one commit more than origin's main. */
static int setup(void **state)
{
    remotes_setup(state);
    struct remotes *remotes = *state;
    remotes_do(remotes, NULL, "clone", "-q", "origin.git", "checkout", NULL);
    remotes_do(remotes, "checkout", "checkout", "-q", "-b", "run", NULL);
    scratch_write(remotes->home, "checkout/README.md", "changed\n");
    remotes_do(remotes, "checkout", "commit", "-q", "-a", "-m", "Change", NULL);
    return 0;
}

struct pushed {
    int status;
    struct repo_push_result result;
    struct error err;
};

static struct pushed push(const struct remotes *remotes, const char *url, const char *branch)
{
    struct pushed out = {.err = ERROR_INIT};
    struct repo_push_request request = {.path = remotes->checkout, .url = url, .branch = branch};
    out.status = repo_push(&request, &plain, &out.result, &out.err);
    return out;
}

static char *revision(const struct remotes *remotes, const char *folder, const char *name)
{
    return remotes_git(remotes, folder, "rev-parse", name, NULL);
}

static void assert_origin_has(const struct remotes *remotes, const char *branch)
{
    CLEANUP(memory_cleanup) char *here = revision(remotes, "checkout", branch);
    CLEANUP(memory_cleanup) char *there = revision(remotes, "origin.git", branch);
    assert_string_equal(there, here);
}

static void assert_pushed(const struct remotes *remotes, const struct pushed *out,
                          const char *branch)
{
    if (out->status != 0) {
        fail_msg("%s: %s", error_code_name(out->err.code), out->err.message);
    }
    assert_origin_has(remotes, branch);
    CLEANUP(memory_cleanup) char *here = revision(remotes, "checkout", branch);
    assert_string_equal(out->result.id, here);
}

static char *serve(struct remotes *remotes, const char *fault)
{
    int port = fault != NULL ? remotes_serve(remotes, "--fault", fault, NULL)
                             : remotes_serve(remotes, NULL);
    return memory_format("http://127.0.0.1:%d/origin.git", port);
}

static void a_new_branch_is_pushed(void **state)
{
    struct remotes *remotes = *state;
    struct pushed out = push(remotes, remotes->origin, "run");
    assert_pushed(remotes, &out, "run");
    assert_true(out.result.pushed);
    assert_false(out.result.confirmed_later);
}

static void a_second_push_finds_it_done(void **state)
{
    struct remotes *remotes = *state;
    struct pushed out = push(remotes, remotes->origin, "run");
    out = push(remotes, remotes->origin, "run");
    assert_pushed(remotes, &out, "run");
    assert_false(out.result.pushed);
}

static void a_branch_is_moved_forward_over_http(void **state)
{
    struct remotes *remotes = *state;
    CLEANUP(memory_cleanup) char *url = serve(remotes, NULL);
    remotes_do(remotes, "checkout", "branch", "-q", "-f", "main", "run", NULL);
    struct pushed out = push(remotes, url, "main");
    assert_pushed(remotes, &out, "main");
    assert_true(out.result.pushed);
}

static void commits_of_somebody_else_are_not_overwritten(void **state)
{
    struct remotes *remotes = *state;
    scratch_write(remotes->home, "seed/README.md", "somebody else\n");
    remotes_do(remotes, "seed", "commit", "-q", "-a", "-m", "Else", NULL);
    remotes_do(remotes, "seed", "push", "-q", "origin", "main:run", NULL);
    struct pushed out = push(remotes, remotes->origin, "run");
    assert_int_equal(out.status, -1);
    assert_int_equal(out.err.code, ERROR_REFUSED);
    assert_non_null(strstr(out.err.message, "not part of what would be pushed"));
    CLEANUP(memory_cleanup) char *theirs = revision(remotes, "seed", "main");
    CLEANUP(memory_cleanup) char *there = revision(remotes, "origin.git", "run");
    assert_string_equal(there, theirs);
    error_release(&out.err);
}

static void a_rewritten_branch_is_not_forced(void **state)
{
    struct remotes *remotes = *state;
    struct pushed out = push(remotes, remotes->origin, "run");
    remotes_do(remotes, "checkout", "commit", "-q", "--amend", "-m", "Rewritten", NULL);
    out = push(remotes, remotes->origin, "run");
    assert_int_equal(out.status, -1);
    assert_int_equal(out.err.code, ERROR_REFUSED);
    error_release(&out.err);
}

static void the_remotes_refusal_is_told_in_its_words(void **state)
{
    struct remotes *remotes = *state;
    scratch_write(remotes->home, "origin.git/hooks/update",
                  "#!/bin/sh\necho this branch is frozen >&2\nexit 1\n");
    const char *argv[] = {"chmod", "+x", "origin.git/hooks/update", NULL};
    free(scratch_run(remotes->home, argv));
    CLEANUP(memory_cleanup) char *url = serve(remotes, NULL);
    struct pushed out = push(remotes, url, "run");
    assert_int_equal(out.status, -1);
    assert_int_equal(out.err.code, ERROR_REFUSED);
    assert_non_null(strstr(out.err.message, "hook declined"));
    error_release(&out.err);
}

static void a_push_whose_answer_was_cut_off_is_found_done(void **state)
{
    struct remotes *remotes = *state;
    CLEANUP(memory_cleanup) char *url = serve(remotes, "cut-push");
    struct pushed out = push(remotes, url, "run");
    assert_pushed(remotes, &out, "run");
    assert_true(out.result.confirmed_later);
}

static void a_push_that_did_not_arrive_is_a_network_error(void **state)
{
    struct remotes *remotes = *state;
    CLEANUP(memory_cleanup) char *url = serve(remotes, "refuse-push");
    struct pushed out = push(remotes, url, "run");
    assert_int_equal(out.status, -1);
    assert_int_not_equal(out.err.code, ERROR_UNKNOWN);
    CLEANUP(memory_cleanup)
    char *branches = remotes_git(remotes, "origin.git", "branch", "--list", "run", NULL);
    assert_string_equal(branches, "");
    error_release(&out.err);
}

static void a_branch_that_is_not_here_cannot_be_pushed(void **state)
{
    struct remotes *remotes = *state;
    struct pushed out = push(remotes, remotes->origin, "nowhere");
    assert_int_equal(out.status, -1);
    assert_int_equal(out.err.code, ERROR_NOT_FOUND);
    error_release(&out.err);
}

static void a_remote_ref_is_read(void **state)
{
    struct remotes *remotes = *state;
    CLEANUP(memory_cleanup) char *url = serve(remotes, NULL);
    CLEANUP(memory_cleanup) char *expected = revision(remotes, "origin.git", "develop");
    char id[REPO_ID_SIZE];
    assert_int_equal(repo_remote_ref(url, "refs/heads/develop", &plain, id, NULL), 0);
    assert_string_equal(id, expected);
}

static void a_remote_ref_that_is_not_there_is_not_found(void **state)
{
    struct remotes *remotes = *state;
    char id[REPO_ID_SIZE];
    CLEANUP(error_release) struct error err = ERROR_INIT;
    assert_int_equal(repo_remote_ref(remotes->origin, "refs/heads/none", &plain, id, &err), -1);
    assert_int_equal(err.code, ERROR_NOT_FOUND);
}

static int take_away(const struct remotes *remotes, const char *id, bool *ret_removed,
                     struct error *err)
{
    struct repo_push_request request = {
        .path = remotes->checkout, .url = remotes->origin, .branch = "run"};
    return repo_remove_branch(&request, id, &plain, ret_removed, err);
}

static void a_branch_is_taken_away_and_once_is_enough(void **state)
{
    struct remotes *remotes = *state;
    struct pushed out = push(remotes, remotes->origin, "run");
    assert_pushed(remotes, &out, "run");
    struct error err = ERROR_INIT;
    bool removed;
    assert_int_equal(take_away(remotes, out.result.id, &removed, &err), 0);
    assert_true(removed);
    CLEANUP(memory_cleanup)
    char *left = remotes_git(remotes, "origin.git", "branch", "--list", "run", NULL);
    assert_string_equal(left, "");
    assert_int_equal(take_away(remotes, out.result.id, &removed, &err), 0);
    assert_false(removed);
}

static void a_branch_that_somebody_moved_stays(void **state)
{
    struct remotes *remotes = *state;
    struct pushed out = push(remotes, remotes->origin, "run");
    assert_pushed(remotes, &out, "run");
    remotes_do(remotes, "origin.git", "update-ref", "refs/heads/run", "refs/heads/main", NULL);
    struct error err = ERROR_INIT;
    bool removed;
    assert_int_equal(take_away(remotes, out.result.id, &removed, &err), -1);
    assert_int_equal(err.code, ERROR_REFUSED);
    error_release(&err);
    CLEANUP(memory_cleanup) char *at = revision(remotes, "origin.git", "run");
    CLEANUP(memory_cleanup) char *main_id = revision(remotes, "origin.git", "main");
    assert_string_equal(at, main_id);
}

int main(void)
{
#define PUSH_TEST(test) cmocka_unit_test_setup_teardown(test, setup, remotes_teardown)
    const struct CMUnitTest tests[] = {
        PUSH_TEST(a_new_branch_is_pushed),
        PUSH_TEST(a_second_push_finds_it_done),
        PUSH_TEST(a_branch_is_moved_forward_over_http),
        PUSH_TEST(commits_of_somebody_else_are_not_overwritten),
        PUSH_TEST(a_rewritten_branch_is_not_forced),
        PUSH_TEST(the_remotes_refusal_is_told_in_its_words),
        PUSH_TEST(a_push_whose_answer_was_cut_off_is_found_done),
        PUSH_TEST(a_push_that_did_not_arrive_is_a_network_error),
        PUSH_TEST(a_branch_that_is_not_here_cannot_be_pushed),
        PUSH_TEST(a_branch_is_taken_away_and_once_is_enough),
        PUSH_TEST(a_branch_that_somebody_moved_stays),
        PUSH_TEST(a_remote_ref_is_read),
        PUSH_TEST(a_remote_ref_that_is_not_there_is_not_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
