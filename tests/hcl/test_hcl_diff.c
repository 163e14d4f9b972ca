/* Differences: `git apply` has to make the new bytes from the old ones. */
#include "hcl_test.h"

#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "hcl/diff.h"

static void the_form_is_that_of_git(void **state)
{
    (void)state;
    struct buffer out = BUFFER_INIT;
    hcl_diff_append(&out, "a/b.tf", span_of_text("1\n2\n3\n4\n5\n6\n7\n8\n9\n"),
                    span_of_text("1\n2\n3\n4\nfive\n6\n7\n8\nnine"));
    assert_string_equal(buffer_text(&out), "diff --git a/a/b.tf b/a/b.tf\n"
                                           "--- a/a/b.tf\n"
                                           "+++ b/a/b.tf\n"
                                           "@@ -2,8 +2,8 @@\n"
                                           " 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n-9\n+nine\n"
                                           "\\ No newline at end of file\n");
    buffer_clear(&out);
    hcl_diff_append(&out, "x", span_of_text("same"), span_of_text("same"));
    assert_int_equal(out.size_bytes, 0);
    buffer_release(&out);
}

/* Runs `git apply` in a folder; true when it succeeded. */
static bool git_apply(const char *folder)
{
    pid_t child = fork();
    if (child == 0) {
        if (chdir(folder) != 0) {
            _exit(126);
        }
        execlp("git", "git", "apply", "--unsafe-paths", "--whitespace=nowarn", "patch",
               (char *)NULL);
        _exit(127);
    }
    int status = 0;
    return waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void random_lines(struct buffer *out, unsigned *seed, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        buffer_append_format(out, "%d\n", rand_r(seed) % 4);
    }
    if (rand_r(seed) % 3 == 0 && out->size_bytes > 1) {
        buffer_truncate(out, out->size_bytes - 1);
    }
}

static void git_makes_the_new_file_from_it(void **state)
{
    (void)state;
    char folder[] = "/tmp/drctl-test-diff-XXXXXX";
    assert_non_null(mkdtemp(folder));
    char *path = file_join(folder, "x y.tf");
    char *patch = file_join(folder, "patch");
    for (unsigned seed = 1; seed <= 60; seed++) {
        unsigned random = seed;
        struct buffer old_bytes = BUFFER_INIT;
        struct buffer new_bytes = BUFFER_INIT;
        struct buffer diff = BUFFER_INIT;
        struct buffer got = BUFFER_INIT;
        random_lines(&old_bytes, &random, 1 + seed % 30);
        random_lines(&new_bytes, &random, 1 + seed * 7 % 30);
        hcl_diff_append(&diff, "x y.tf", buffer_span(&old_bytes), buffer_span(&new_bytes));
        if (diff.size_bytes > 0) {
            assert_int_equal(file_write(path, buffer_span(&old_bytes), 0600, FILE_ATOMIC, NULL), 0);
            assert_int_equal(file_write(patch, buffer_span(&diff), 0600, FILE_ATOMIC, NULL), 0);
            if (!git_apply(folder)) {
                fail_msg("seed %u:\n%s", seed, buffer_text(&diff));
            }
            assert_int_equal(file_read(path, 1 << 20, &got, NULL), 0);
            assert_true(span_equals(buffer_span(&got), buffer_span(&new_bytes)));
        }
        buffer_release(&old_bytes);
        buffer_release(&new_bytes);
        buffer_release(&diff);
        buffer_release(&got);
    }
    free(path);
    free(patch);
    assert_int_equal(file_remove_tree(folder, NULL), 0);
}

static void large_changes_stay_bounded(void **state)
{
    (void)state;
    struct buffer old_bytes = BUFFER_INIT;
    struct buffer new_bytes = BUFFER_INIT;
    struct buffer out = BUFFER_INIT;
    for (int i = 0; i < 20000; i++) {
        buffer_append_format(&old_bytes, "old %d\n", i);
        buffer_append_format(&new_bytes, "new %d\n", i);
    }
    hcl_diff_append(&out, "x", buffer_span(&old_bytes), buffer_span(&new_bytes));
    assert_non_null(strstr(buffer_text(&out), "@@ -1,20000 +1,20000 @@\n-old 0\n"));
    buffer_release(&old_bytes);
    buffer_release(&new_bytes);
    buffer_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_form_is_that_of_git),
        cmocka_unit_test(git_makes_the_new_file_from_it),
        cmocka_unit_test(large_changes_stay_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
