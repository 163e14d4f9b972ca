/* git.checkout and git.commit: real repositories, looked at with the real git. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/json.h"
#include "harness.h"
#include "scratch.h"

extern const struct action action_git_checkout;
extern const struct action action_git_commit;

/* git in a folder of the harness, words separated by blanks; the caller frees what it prints. */
static char *git(const struct harness *harness, const char *folder, const char *words)
{
    CLEANUP(memory_cleanup) char *path = file_join(harness->folder, folder);
    CLEANUP(memory_cleanup) char *line = memory_format("exec git %s", words);
    return scratch_run(path, (const char *const[]){"sh", "-c", line, NULL});
}

static void do_git(const struct harness *harness, const char *folder, const char *words)
{
    free(git(harness, folder, words));
}

/* origin.git with one commit on main. */
static int set_up(void **state)
{
    struct harness *harness = harness_new();
    setenv("GIT_CONFIG_GLOBAL", "/dev/null", 1);
    do_git(harness, ".", "init -q --bare -b main origin.git");
    do_git(harness, ".", "init -q -b main seed");
    scratch_write(harness->folder, "seed/main.tf", "region = \"us-east-2\"\n");
    do_git(harness, "seed", "add .");
    do_git(harness, "seed", "-c user.name=T -c user.email=t@t commit -q -m First");
    do_git(harness, "seed", "push -q ../origin.git main");
    *state = harness;
    return 0;
}

static int tear_down(void **state)
{
    harness_free(*state);
    return 0;
}

static void check_out(struct harness *harness)
{
    CLEANUP(memory_cleanup)
    char *arguments = memory_format("{'url': '%s/origin.git', 'branch': 'dr/run', 'path': 'infra'}",
                                    harness->folder);
    harness_run_ok(harness, &action_git_checkout, arguments);
}

/* Checks out and changes the one file. */
static void change(struct harness *harness)
{
    check_out(harness);
    scratch_write(harness->work, "infra/main.tf", "region = \"us-west-2\"\n");
}

static char *commit_arguments(const struct harness *harness)
{
    return memory_format("{'path': '%s/infra', 'message': 'Move', 'author_name': 'Op', "
                         "'author_email': 'op@x', 'url': '%s/origin.git'}",
                         harness->work, harness->folder);
}

static void checkout_is_on_a_branch_of_its_own(void **state)
{
    struct harness *harness = *state;
    check_out(harness);
    CLEANUP(memory_cleanup) char *branch = git(harness, "work/infra", "branch --show-current");
    assert_string_equal(branch, "dr/run");
    CLEANUP(memory_cleanup) char *head = git(harness, "origin.git", "rev-parse main");
    assert_string_equal(harness_output(harness, "commit"), head);
    assert_true(file_exists(harness_output(harness, "path")));
}

static void checkout_goes_on_to_the_mirror(void **state)
{
    struct harness *harness = *state;
    CLEANUP(memory_cleanup)
    char *arguments = memory_format("{'url': '%s/down.git', 'mirrors': ['%s/origin.git']}",
                                    harness->folder, harness->folder);
    harness_run_ok(harness, &action_git_checkout, arguments);
    assert_non_null(strstr(harness_output(harness, "url"), "origin.git"));
    const json_t *attempts = json_object_get(harness->outputs, "attempts");
    assert_int_equal(json_array_size(attempts), 2);
    assert_non_null(json_get_text(json_array_get(attempts, 0), "reason"));
}

static void checkout_of_an_earlier_attempt_is_replaced(void **state)
{
    struct harness *harness = *state;
    change(harness);
    check_out(harness);
    CLEANUP(memory_cleanup) char *path = file_join(harness->work, "infra/main.tf");
    CLEANUP(memory_cleanup) char *content = scratch_read(path, NULL);
    assert_string_equal(content, "region = \"us-east-2\"\n");
}

static void checkout_leaves_what_is_not_its_own(void **state)
{
    struct harness *harness = *state;
    scratch_write(harness->work, "infra/precious", "x");
    CLEANUP(memory_cleanup)
    char *arguments = memory_format("{'url': '%s/origin.git', 'path': 'infra'}", harness->folder);
    harness_run(harness, &action_git_checkout, arguments);
    assert_int_equal(harness->error.code, ERROR_REFUSED);
}

static void commit_shows_and_pushes_what_changed(void **state)
{
    struct harness *harness = *state;
    change(harness);
    CLEANUP(memory_cleanup) char *arguments = commit_arguments(harness);
    harness_run_ok(harness, &action_git_commit, arguments);
    assert_true(harness_shows(harness, "+region = \"us-west-2\""));
    CLEANUP(memory_cleanup)
    char *pushed = git(harness, "origin.git", "show -s --format='%H %an %s' dr/run");
    CLEANUP(memory_cleanup)
    char *expected = memory_format("%s Op Move", harness_output(harness, "commit"));
    assert_string_equal(pushed, expected);
    assert_true(json_is_true(json_object_get(harness->outputs, "committed")));
    assert_true(json_is_true(json_object_get(harness->outputs, "pushed")));
}

static void commit_of_nothing_makes_no_commit(void **state)
{
    struct harness *harness = *state;
    check_out(harness);
    CLEANUP(memory_cleanup) char *before = git(harness, "origin.git", "rev-parse main");
    CLEANUP(memory_cleanup) char *arguments = commit_arguments(harness);
    harness_run_ok(harness, &action_git_commit, arguments);
    assert_true(json_is_false(json_object_get(harness->outputs, "committed")));
    assert_string_equal(harness_output(harness, "commit"), before);
}

static void commit_in_a_dry_run_is_shown_alone(void **state)
{
    struct harness *harness = *state;
    change(harness);
    CLEANUP(memory_cleanup) char *before = git(harness, "work/infra", "rev-parse HEAD");
    CLEANUP(memory_cleanup) char *arguments = commit_arguments(harness);
    harness->dry_run = true;
    harness_run_ok(harness, &action_git_commit, arguments);
    assert_true(harness_shows(harness, "-region = \"us-east-2\""));
    CLEANUP(memory_cleanup) char *after = git(harness, "work/infra", "rev-parse HEAD");
    assert_string_equal(after, before);
}

static void commit_that_is_resumed_is_not_made_twice(void **state)
{
    struct harness *harness = *state;
    change(harness);
    CLEANUP(memory_cleanup) char *arguments = commit_arguments(harness);
    harness_run_ok(harness, &action_git_commit, arguments);
    CLEANUP(memory_cleanup) char *id = memory_text(harness_output(harness, "commit"));
    harness_resume_ok(harness);
    assert_string_equal(harness_output(harness, "commit"), id);
    assert_true(json_is_true(json_object_get(harness->outputs, "committed")));
    assert_true(json_is_true(json_object_get(harness->outputs, "pushed")));
    CLEANUP(memory_cleanup) char *count = git(harness, "origin.git", "rev-list --count dr/run");
    assert_string_equal(count, "2");
}

static void undo_removes_the_branch_that_was_made(void **state)
{
    struct harness *harness = *state;
    change(harness);
    CLEANUP(memory_cleanup) char *arguments = commit_arguments(harness);
    harness_run_ok(harness, &action_git_commit, arguments);
    harness_undo(harness);
    assert_int_equal(harness->status, 0);
    CLEANUP(memory_cleanup) char *left = git(harness, "origin.git", "branch --list dr/run");
    assert_string_equal(left, "");
}

static void undo_leaves_a_branch_that_others_moved(void **state)
{
    struct harness *harness = *state;
    change(harness);
    CLEANUP(memory_cleanup) char *arguments = commit_arguments(harness);
    harness_run_ok(harness, &action_git_commit, arguments);
    do_git(harness, "origin.git", "update-ref refs/heads/dr/run refs/heads/main");
    harness_undo(harness);
    assert_int_equal(harness->error.code, ERROR_REFUSED);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(checkout_is_on_a_branch_of_its_own),
        TEST(checkout_goes_on_to_the_mirror),
        TEST(checkout_of_an_earlier_attempt_is_replaced),
        TEST(checkout_leaves_what_is_not_its_own),
        TEST(commit_shows_and_pushes_what_changed),
        TEST(commit_of_nothing_makes_no_commit),
        TEST(commit_in_a_dry_run_is_shown_alone),
        TEST(commit_that_is_resumed_is_not_made_twice),
        TEST(undo_removes_the_branch_that_was_made),
        TEST(undo_leaves_a_branch_that_others_moved),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
