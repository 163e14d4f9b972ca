/* base/file: limits, atomic writes, private folders, and paths that try to get out. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/memory.h"
#include "scratch.h"

static mode_t mode_of(const char *path)
{
    struct stat status;
    assert_int_equal(lstat(path, &status), 0);
    return status.st_mode & 07777;
}

static int count_entries(const char *folder)
{
    const char *argv[] = {"find", ".", "-mindepth", "1", NULL};
    CLEANUP(memory_cleanup) char *out = scratch_run(folder, argv);
    int lines = out[0] != '\0';
    for (const char *at = out; *at != '\0'; at++) {
        lines += *at == '\n';
    }
    return lines;
}

/* --- reading and writing ------------------------------------------------------------------------
 */

static void a_file_comes_back_as_it_was_written(void **state)
{
    CLEANUP(memory_cleanup) char *path = scratch_path(*state, "file");
    char bytes[100000];
    memset(bytes, 'x', sizeof bytes);
    bytes[500] = '\0';
    for (int durability = FILE_ATOMIC; durability <= FILE_DURABLE; durability++) {
        assert_int_equal(file_write(path, span_of(bytes, sizeof bytes), FILE_PRIVATE_MODE,
                                    (enum file_durability)durability, NULL),
                         0);
        CLEANUP(buffer_release) struct buffer content = BUFFER_INIT;
        assert_int_equal(file_read(path, sizeof bytes, &content, NULL), 0);
        assert_int_equal(content.size_bytes, sizeof bytes);
        assert_memory_equal(content.data, bytes, sizeof bytes);
    }
    assert_int_equal(mode_of(path), 0600);
    assert_int_equal(count_entries(*state), 1);
}

static void writing_replaces_a_link_and_not_what_it_points_to(void **state)
{
    CLEANUP(memory_cleanup) char *target = scratch_path(*state, "target");
    CLEANUP(memory_cleanup) char *link = scratch_path(*state, "link");
    scratch_write(*state, "target", "untouched");
    assert_int_equal(symlink(target, link), 0);
    assert_int_equal(file_write(link, span_of_text("new"), 0600, FILE_ATOMIC, NULL), 0);
    CLEANUP(memory_cleanup) char *text = scratch_read(target, NULL);
    assert_string_equal(text, "untouched");
}

static void a_failed_write_leaves_the_old_file_and_nothing_else(void **state)
{
    CLEANUP(memory_cleanup) char *path = scratch_path(*state, "folder");
    assert_int_equal(mkdir(path, 0700), 0);
    CLEANUP(error_release) struct error err = ERROR_INIT;
    assert_int_equal(file_write(path, span_of_text("new"), 0600, FILE_ATOMIC, &err), -1);
    assert_int_equal(err.code, ERROR_IO);
    assert_int_equal(count_entries(*state), 1);
}

static void reading_stops_at_the_limit(void **state)
{
    CLEANUP(memory_cleanup) char *path = scratch_path(*state, "file");
    scratch_write(*state, "file", "12345");
    CLEANUP(buffer_release) struct buffer content = BUFFER_INIT;
    assert_int_equal(file_read(path, 5, &content, NULL), 0);
    CLEANUP(error_release) struct error err = ERROR_INIT;
    assert_int_equal(file_read(path, 4, &content, &err), -1);
    assert_int_equal(err.code, ERROR_INVALID);
}

static void a_descriptor_is_read_up_to_the_limit_as_well(void **state)
{
    (void)state;
    CLEANUP(file_close_cleanup) int zero = open("/dev/zero", O_RDONLY | O_CLOEXEC);
    CLEANUP(buffer_release) struct buffer content = BUFFER_INIT;
    CLEANUP(error_release) struct error err = ERROR_INIT;
    assert_int_equal(file_read_descriptor(zero, 1 << 20, &content, &err), -1);
    assert_int_equal(err.code, ERROR_INVALID);
    assert_true(content.size_bytes < 2 << 20);
}

static void only_regular_files_are_read(void **state)
{
    CLEANUP(memory_cleanup) char *pipe_path = scratch_path(*state, "pipe");
    assert_int_equal(mkfifo(pipe_path, 0600), 0);
    const char *const paths[] = {pipe_path, *state, "/dev/zero"};
    for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
        CLEANUP(buffer_release) struct buffer content = BUFFER_INIT;
        CLEANUP(error_release) struct error err = ERROR_INIT;
        assert_int_equal(file_read(paths[i], 100, &content, &err), -1);
        assert_int_equal(err.code, ERROR_INVALID);
    }
}

static void a_missing_file_is_not_found(void **state)
{
    CLEANUP(memory_cleanup) char *path = scratch_path(*state, "none");
    CLEANUP(buffer_release) struct buffer content = BUFFER_INIT;
    CLEANUP(error_release) struct error err = ERROR_INIT;
    assert_int_equal(file_read(path, 100, &content, &err), -1);
    assert_int_equal(err.code, ERROR_NOT_FOUND);
    assert_false(file_exists(path));
}

/* --- folders ------------------------------------------------------------------------------------
 */

static void a_private_folder_is_made_with_its_parents(void **state)
{
    CLEANUP(memory_cleanup) char *path = scratch_path(*state, "a/b/c");
    assert_int_equal(file_make_private_directory(path, NULL), 0);
    assert_int_equal(mode_of(path), 0700);
    assert_int_equal(file_make_private_directory(path, NULL), 0);
}

static void a_folder_that_is_open_to_others_is_not_private(void **state)
{
    CLEANUP(memory_cleanup) char *path = scratch_path(*state, "open");
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(chmod(path, 0750), 0);
    CLEANUP(error_release) struct error err = ERROR_INIT;
    assert_int_equal(file_make_private_directory(path, &err), -1);
    assert_int_equal(err.code, ERROR_REFUSED);
    assert_non_null(strstr(err.hint, "chmod 700"));
}

static void a_link_or_a_file_is_no_private_folder(void **state)
{
    CLEANUP(memory_cleanup) char *real = scratch_path(*state, "real");
    CLEANUP(memory_cleanup) char *link = scratch_path(*state, "link");
    CLEANUP(memory_cleanup) char *file = scratch_path(*state, "file");
    assert_int_equal(mkdir(real, 0700), 0);
    assert_int_equal(symlink(real, link), 0);
    scratch_write(*state, "file", "");
    const char *const paths[] = {link, file};
    for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
        CLEANUP(error_release) struct error err = ERROR_INIT;
        assert_int_equal(file_make_private_directory(paths[i], &err), -1);
        assert_int_equal(err.code, ERROR_REFUSED);
    }
}

static void a_folder_without_a_name_is_refused(void **state)
{
    (void)state;
    CLEANUP(error_release) struct error err = ERROR_INIT;
    assert_int_equal(file_make_directories("", 0700, &err), -1);
    assert_int_equal(err.code, ERROR_INVALID);
}

static void a_tree_is_removed_but_not_what_its_links_point_to(void **state)
{
    CLEANUP(memory_cleanup) char *tree = scratch_path(*state, "tree");
    CLEANUP(memory_cleanup) char *kept = scratch_path(*state, "kept");
    CLEANUP(memory_cleanup) char *kept_file = scratch_path(*state, "kept/file");
    CLEANUP(memory_cleanup) char *link = scratch_path(*state, "tree/a/link");
    scratch_write(*state, "tree/a/b/file", "x");
    scratch_write(*state, "kept/file", "x");
    assert_int_equal(symlink(kept, link), 0);
    assert_int_equal(file_remove_tree(tree, NULL), 0);
    assert_false(file_exists(tree));
    assert_true(file_exists(kept_file));
    assert_int_equal(file_remove_tree(tree, NULL), 0);
}

static void a_link_to_a_tree_is_removed_alone(void **state)
{
    CLEANUP(memory_cleanup) char *kept = scratch_path(*state, "kept");
    CLEANUP(memory_cleanup) char *kept_file = scratch_path(*state, "kept/file");
    CLEANUP(memory_cleanup) char *link = scratch_path(*state, "link");
    scratch_write(*state, "kept/file", "x");
    assert_int_equal(symlink(kept, link), 0);
    assert_int_equal(file_remove_tree(link, NULL), 0);
    assert_false(file_exists(link));
    assert_true(file_exists(kept_file));
}

/* --- paths --------------------------------------------------------------------------------------
 */

static void joining_puts_one_slash_between(void **state)
{
    (void)state;
    CLEANUP(memory_cleanup) char *plain = file_join("a", "b");
    CLEANUP(memory_cleanup) char *slashed = file_join("a/", "b");
    CLEANUP(memory_cleanup) char *root = file_join("/", "b");
    assert_string_equal(plain, "a/b");
    assert_string_equal(slashed, "a/b");
    assert_string_equal(root, "/b");
}

static void a_path_inside_is_joined(void **state)
{
    static const char *const inside[] = {"a", "a/b", "a/./b", "..a", "a..", "...", "a//b", "new/x"};
    for (size_t i = 0; i < ARRAY_SIZE(inside); i++) {
        CLEANUP(memory_cleanup) char *path = NULL;
        assert_int_equal(file_join_inside(*state, inside[i], &path, NULL), 0);
        assert_memory_equal(path, *state, strlen(*state));
    }
}

static void a_path_that_leaves_is_refused(void **state)
{
    static const char *const outside[] = {
        "", "/", "/etc/passwd", "..", "../x", "a/..", "a/../../x", "a/b/..", "./..", "a//../..",
    };
    for (size_t i = 0; i < ARRAY_SIZE(outside); i++) {
        char *path = NULL;
        CLEANUP(error_release) struct error err = ERROR_INIT;
        if (file_join_inside(*state, outside[i], &path, &err) == 0) {
            fail_msg("'%s' was taken", outside[i]);
        }
        assert_int_equal(err.code, ERROR_REFUSED);
        assert_null(path);
    }
}

static void a_path_through_a_link_is_refused(void **state)
{
    CLEANUP(memory_cleanup) char *link = scratch_path(*state, "link");
    CLEANUP(memory_cleanup) char *inner = scratch_path(*state, "folder/link");
    CLEANUP(memory_cleanup) char *dangling = scratch_path(*state, "dangling");
    scratch_write(*state, "folder/file", "x");
    assert_int_equal(symlink("/etc", link), 0);
    assert_int_equal(symlink("/etc/passwd", inner), 0);
    assert_int_equal(symlink("/nowhere/at/all", dangling), 0);
    static const char *const through[] = {"link/passwd", "link",     "folder/link",
                                          "dangling",    "./link/x", "link/"};
    for (size_t i = 0; i < ARRAY_SIZE(through); i++) {
        char *path = NULL;
        CLEANUP(error_release) struct error err = ERROR_INIT;
        if (file_join_inside(*state, through[i], &path, &err) == 0) {
            fail_msg("'%s' was taken", through[i]);
        }
        assert_int_equal(err.code, ERROR_REFUSED);
    }
}

int main(void)
{
#define SCRATCH_TEST(test) cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown)
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(a_file_comes_back_as_it_was_written),
        SCRATCH_TEST(writing_replaces_a_link_and_not_what_it_points_to),
        SCRATCH_TEST(a_failed_write_leaves_the_old_file_and_nothing_else),
        SCRATCH_TEST(reading_stops_at_the_limit),
        SCRATCH_TEST(a_descriptor_is_read_up_to_the_limit_as_well),
        SCRATCH_TEST(only_regular_files_are_read),
        SCRATCH_TEST(a_missing_file_is_not_found),
        SCRATCH_TEST(a_private_folder_is_made_with_its_parents),
        SCRATCH_TEST(a_folder_that_is_open_to_others_is_not_private),
        SCRATCH_TEST(a_link_or_a_file_is_no_private_folder),
        SCRATCH_TEST(a_folder_without_a_name_is_refused),
        SCRATCH_TEST(a_tree_is_removed_but_not_what_its_links_point_to),
        SCRATCH_TEST(a_link_to_a_tree_is_removed_alone),
        SCRATCH_TEST(joining_puts_one_slash_between),
        SCRATCH_TEST(a_path_inside_is_joined),
        SCRATCH_TEST(a_path_that_leaves_is_refused),
        SCRATCH_TEST(a_path_through_a_link_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
