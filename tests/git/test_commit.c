/* git/commit: looking at a checkout and committing in it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/memory.h"
#include "git/repo.h"
#include "remotes.h"
#include "scratch.h"

static int setup(void **state)
{
    remotes_setup(state);
    struct remotes *remotes = *state;
    remotes_do(remotes, NULL, "clone", "-q", "origin.git", "checkout", NULL);
    return 0;
}

static void change_files(const struct remotes *remotes)
{
    scratch_write(remotes->home, "checkout/environments/prod/terraform.tfvars",
                  "region = \"us-west-2\"\n");
    scratch_write(remotes->home, "checkout/new/file [1].txt", "new\n");
    CLEANUP(memory_cleanup) char *gone = scratch_path(remotes->checkout, "README.md");
    assert_int_equal(unlink(gone), 0);
}

static struct repo_commit_result commit(const struct remotes *remotes, const char *const *paths)
{
    struct repo_commit_request request = {
        .path = remotes->checkout, .paths = paths, .message = "Retarget to us-west-2\n"};
    struct repo_commit_result result;
    CLEANUP(error_release) struct error err = ERROR_INIT;
    if (repo_commit(&request, &result, &err) != 0) {
        fail_msg("%s", err.message);
    }
    return result;
}

static void assert_git_says(const struct remotes *remotes, const char *expected, const char *verb,
                            const char *a, const char *b)
{
    CLEANUP(memory_cleanup) char *out = remotes_git(remotes, "checkout", verb, a, b, NULL);
    assert_string_equal(out, expected);
}

static void everything_that_changed_is_committed(void **state)
{
    struct remotes *remotes = *state;
    change_files(remotes);
    struct repo_commit_result result = commit(remotes, NULL);
    assert_true(result.committed);
    assert_int_equal(result.files, 3);
    assert_git_says(remotes, result.id, "rev-parse", "HEAD", NULL);
    assert_git_says(remotes,
                    "D\tREADME.md\nM\tenvironments/prod/terraform.tfvars\nA\tnew/file [1].txt",
                    "diff", "--name-status", "HEAD~1");
    assert_git_says(remotes, "Retarget to us-west-2", "log", "-1", "--format=%s");
    remotes_assert_clean(remotes, "checkout");
}

static void only_the_named_paths_are_committed_and_taken_literally(void **state)
{
    struct remotes *remotes = *state;
    change_files(remotes);
    scratch_write(remotes->home, "checkout/new/file 1.txt", "a glob would match this\n");
    const char *paths[] = {"new/file [1].txt", "environments", NULL};
    struct repo_commit_result result = commit(remotes, paths);
    assert_int_equal(result.files, 2);
    assert_git_says(remotes, "environments/prod/terraform.tfvars\nnew/file [1].txt", "show",
                    "--format=", "--name-only");
}

static void nothing_changed_makes_no_commit(void **state)
{
    struct remotes *remotes = *state;
    CLEANUP(memory_cleanup)
    char *head = remotes_git(remotes, "checkout", "rev-parse", "HEAD", NULL);
    struct repo_commit_result result = commit(remotes, NULL);
    assert_false(result.committed);
    assert_int_equal(result.files, 0);
    assert_string_equal(result.id, head);
    assert_git_says(remotes, head, "rev-parse", "HEAD", NULL);
}

static void ignored_files_stay_out(void **state)
{
    struct remotes *remotes = *state;
    scratch_write(remotes->home, "checkout/.gitignore", ".terraform/\n");
    scratch_write(remotes->home, "checkout/.terraform/big", "x");
    struct repo_commit_result result = commit(remotes, NULL);
    assert_int_equal(result.files, 1);
}

static void without_an_author_drctl_signs(void **state)
{
    struct remotes *remotes = *state;
    change_files(remotes);
    commit(remotes, NULL);
    assert_git_says(remotes, "drctl <drctl@localhost>", "log", "-1", "--format=%an <%ae>");
}

static void the_checkouts_configuration_names_the_author(void **state)
{
    struct remotes *remotes = *state;
    change_files(remotes);
    remotes_do(remotes, "checkout", "config", "user.name", "On Call", NULL);
    remotes_do(remotes, "checkout", "config", "user.email", "oncall@example.com", NULL);
    commit(remotes, NULL);
    assert_git_says(remotes, "On Call <oncall@example.com>", "log", "-1", "--format=%an <%ae>");
}

static void a_given_author_comes_first(void **state)
{
    struct remotes *remotes = *state;
    change_files(remotes);
    struct repo_commit_request request = {.path = remotes->checkout,
                                          .message = "x",
                                          .author_name = "A",
                                          .author_email = "a@example.com"};
    struct repo_commit_result result;
    assert_int_equal(repo_commit(&request, &result, NULL), 0);
    assert_git_says(remotes, "A <a@example.com>", "log", "-1", "--format=%an <%ae>");
}

static void hooks_of_the_checkout_are_not_run(void **state)
{
    struct remotes *remotes = *state;
    change_files(remotes);
    scratch_write(remotes->home, "checkout/.git/hooks/pre-commit", "#!/bin/sh\nexit 1\n");
    const char *argv[] = {"chmod", "+x", "checkout/.git/hooks/pre-commit", NULL};
    free(scratch_run(remotes->home, argv));
    assert_true(commit(remotes, NULL).committed);
}

static void head_tells_commit_and_branch(void **state)
{
    struct remotes *remotes = *state;
    CLEANUP(memory_cleanup)
    char *head = remotes_git(remotes, "checkout", "rev-parse", "HEAD", NULL);
    char id[REPO_ID_SIZE];
    char *branch;
    assert_int_equal(repo_head(remotes->checkout, id, &branch, NULL), 0);
    assert_string_equal(id, head);
    assert_string_equal(branch, "main");
    free(branch);
    remotes_do(remotes, "checkout", "checkout", "-q", "--detach", NULL);
    assert_int_equal(repo_head(remotes->checkout, id, &branch, NULL), 0);
    assert_null(branch);
}

static void a_folder_that_is_no_checkout_is_said_so(void **state)
{
    struct remotes *remotes = *state;
    char id[REPO_ID_SIZE];
    CLEANUP(error_release) struct error err = ERROR_INIT;
    assert_int_equal(repo_head(remotes->home, id, NULL, &err), -1);
    assert_int_equal(err.code, ERROR_NOT_FOUND);
}

static void the_diff_is_the_one_that_git_shows(void **state)
{
    struct remotes *remotes = *state;
    scratch_write(remotes->home, "checkout/environments/prod/terraform.tfvars",
                  "region = \"us-west-2\"\n");
    CLEANUP(memory_cleanup) char *expected = remotes_git(remotes, "checkout", "diff", "HEAD", NULL);
    CLEANUP(buffer_release) struct buffer diff = BUFFER_INIT;
    assert_int_equal(repo_diff(remotes->checkout, &diff, NULL), 0);
    buffer_truncate(&diff, diff.size_bytes - 1); /* the last newline, which remotes_git() trims */
    assert_string_equal(buffer_text(&diff), expected);
}

static void the_diff_shows_new_files(void **state)
{
    struct remotes *remotes = *state;
    change_files(remotes);
    CLEANUP(buffer_release) struct buffer diff = BUFFER_INIT;
    assert_int_equal(repo_diff(remotes->checkout, &diff, NULL), 0);
    assert_non_null(strstr(buffer_text(&diff), "+new\n"));
}

int main(void)
{
#define COMMIT_TEST(test) cmocka_unit_test_setup_teardown(test, setup, remotes_teardown)
    const struct CMUnitTest tests[] = {
        COMMIT_TEST(everything_that_changed_is_committed),
        COMMIT_TEST(only_the_named_paths_are_committed_and_taken_literally),
        COMMIT_TEST(nothing_changed_makes_no_commit),
        COMMIT_TEST(ignored_files_stay_out),
        COMMIT_TEST(without_an_author_drctl_signs),
        COMMIT_TEST(the_checkouts_configuration_names_the_author),
        COMMIT_TEST(a_given_author_comes_first),
        COMMIT_TEST(hooks_of_the_checkout_are_not_run),
        COMMIT_TEST(head_tells_commit_and_branch),
        COMMIT_TEST(a_folder_that_is_no_checkout_is_said_so),
        COMMIT_TEST(the_diff_is_the_one_that_git_shows),
        COMMIT_TEST(the_diff_shows_new_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
