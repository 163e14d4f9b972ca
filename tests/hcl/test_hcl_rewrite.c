/* Rewrites as golden folders: in/ and request.json give expected/ (the files that change) or
 * errors.txt (and then nothing changes). Below them, what a folder cannot say. */
#include "hcl_test.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "hcl/glob.h"
#include "hcl/rewrite_request.h"

#define GOLDEN DRCTL_SOURCE_DIR "/tests/golden/hcl"

static const char *const everything[] = {"**"};

static struct buffer read_file(const char *path)
{
    struct buffer bytes = BUFFER_INIT;
    struct error err = ERROR_INIT;
    if (file_read(path, HCL_FILE_LIMIT_BYTES, &bytes, &err) != 0) {
        fail_msg("%s", err.message);
    }
    return bytes;
}

static char *scratch_copy(const char *from, const char *to)
{
    struct hcl_paths paths = {0};
    assert_int_equal(hcl_glob_list(from, everything, 1, &paths, NULL), 0);
    for (size_t i = 0; i < paths.list.count; i++) {
        CLEANUP(memory_cleanup) char *source = file_join(from, paths.list.items[i]);
        CLEANUP(memory_cleanup) char *target = file_join(to, paths.list.items[i]);
        struct buffer bytes = read_file(source);
        *strrchr(target, '/') = '\0';
        assert_int_equal(file_make_directories(target, 0700, NULL), 0);
        target[strlen(target)] = '/';
        assert_int_equal(file_write(target, buffer_span(&bytes), 0640, FILE_ATOMIC, NULL), 0);
        buffer_release(&bytes);
    }
    hcl_paths_release(&paths);
    return NULL;
}

/* Every file of root is what `changed` has for it, or else what `before` has. */
static void check_tree(const char *root, const char *before, const char *changed)
{
    struct hcl_paths paths = {0};
    assert_int_equal(hcl_glob_list(root, everything, 1, &paths, NULL), 0);
    for (size_t i = 0; i < paths.list.count; i++) {
        CLEANUP(memory_cleanup) char *path = file_join(root, paths.list.items[i]);
        CLEANUP(memory_cleanup) char *wanted = file_join(changed, paths.list.items[i]);
        CLEANUP(memory_cleanup) char *untouched = file_join(before, paths.list.items[i]);
        struct buffer got = read_file(path);
        struct buffer want = read_file(file_exists(wanted) ? wanted : untouched);
        if (!span_equals(buffer_span(&got), buffer_span(&want))) {
            fail_msg("%s is\n%s", path, buffer_text(&got));
        }
        buffer_release(&got);
        buffer_release(&want);
    }
    hcl_paths_release(&paths);
}

static void check_errors(const struct error_list *errors, const char *path)
{
    struct buffer text = BUFFER_INIT;
    vector_each (const struct error *, err, &errors->errors) {
        CLEANUP(memory_cleanup) char *line = error_format(err);
        buffer_append_format(&text, "%s\n", line);
    }
    struct buffer wanted = read_file(path);
    if (!span_equals(buffer_span(&text), buffer_span(&wanted))) {
        fail_msg("%s: the errors are\n%s", path, buffer_text(&text));
    }
    buffer_release(&text);
    buffer_release(&wanted);
}

static void run_golden(const char *name)
{
    char root[] = "/tmp/drctl-test-rewrite-XXXXXX";
    assert_non_null(mkdtemp(root));
    CLEANUP(memory_cleanup) char *in = memory_format(GOLDEN "/%s/in", name);
    CLEANUP(memory_cleanup) char *expected = memory_format(GOLDEN "/%s/expected", name);
    CLEANUP(memory_cleanup) char *errors_path = memory_format(GOLDEN "/%s/errors.txt", name);
    CLEANUP(memory_cleanup) char *request_path = memory_format(GOLDEN "/%s/request.json", name);
    struct error err = ERROR_INIT;
    struct error_list errors = {0};
    struct hcl_rewrite_request request = {0};
    struct hcl_rewrite_result result = {0};
    scratch_copy(in, root);
    json_t *object = json_read_file(request_path, HCL_FILE_LIMIT_BYTES, &err);
    if (object == NULL || hcl_rewrite_request_read(&request, root, object, &err) != 0) {
        fail_msg("%s: %s", name, err.message);
    }
    if (hcl_rewrite_compute(&request, &result, &errors) == 0) {
        assert_int_equal(hcl_rewrite_write(root, &result, &err), 0);
        check_tree(root, in, expected);
        if (file_exists(errors_path)) {
            fail_msg("%s has no errors", name);
        }
        hcl_rewrite_result_release(&result);
        for (size_t i = 0; i < request.edits.count; i++) {
            request.edits.items[i].edit.again = true;
        }
        assert_int_equal(hcl_rewrite_compute(&request, &result, &errors), 0);
        assert_int_equal(result.files.count, 0);
    } else {
        check_errors(&errors, errors_path);
        check_tree(root, in, in);
    }
    error_list_release(&errors);
    hcl_rewrite_result_release(&result);
    hcl_rewrite_request_release(&request);
    json_decref(object);
    assert_int_equal(file_remove_tree(root, NULL), 0);
}

static void golden_folders(void **state)
{
    (void)state;
    static const char *const requests[] = {"*/request.json"};
    struct hcl_paths paths = {0};
    assert_int_equal(hcl_glob_list(GOLDEN, requests, 1, &paths, NULL), 0);
    assert_true(paths.list.count >= 12);
    for (size_t i = 0; i < paths.list.count; i++) {
        *strchr(paths.list.items[i], '/') = '\0';
        run_golden(paths.list.items[i]);
    }
    hcl_paths_release(&paths);
}

struct scratch {
    char root[40];
    char *file;
    struct hcl_rewrite_request request;
    struct hcl_rewrite_result result;
    struct error_list errors;
};

/* A folder with one file, and a request that maps us-east-2 in it. */
static void scratch_open(struct scratch *scratch)
{
    *scratch = (struct scratch){.root = "/tmp/drctl-test-rewrite-XXXXXX"};
    assert_non_null(mkdtemp(scratch->root));
    scratch->file = file_join(scratch->root, "terraform.tfvars");
    assert_int_equal(file_write(scratch->file, span_of_text("region = \"us-east-2\"\n"), 0640,
                                FILE_ATOMIC, NULL),
                     0);
    assert_int_equal(chmod(scratch->file, 0604), 0);
    scratch->request.root = scratch->root;
    hcl_words_add(&scratch->request.map, "us-east-2", "us-west-2");
}

static void scratch_close(struct scratch *scratch)
{
    hcl_rewrite_request_release(&scratch->request);
    hcl_rewrite_result_release(&scratch->result);
    error_list_release(&scratch->errors);
    assert_int_equal(file_remove_tree(scratch->root, NULL), 0);
    free(scratch->file);
}

static void modes_are_kept(void **state)
{
    (void)state;
    struct scratch scratch;
    struct stat status;
    scratch_open(&scratch);
    mode_t mask = umask(077);
    assert_int_equal(hcl_rewrite_compute(&scratch.request, &scratch.result, &scratch.errors), 0);
    assert_int_equal(hcl_rewrite_write(scratch.root, &scratch.result, NULL), 0);
    umask(mask);
    assert_int_equal(stat(scratch.file, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0604);
    scratch_close(&scratch);
}

static void a_file_that_changed_meanwhile_is_not_overwritten(void **state)
{
    (void)state;
    struct scratch scratch;
    struct error err = ERROR_INIT;
    scratch_open(&scratch);
    assert_int_equal(hcl_rewrite_compute(&scratch.request, &scratch.result, &scratch.errors), 0);
    assert_int_equal(
        file_write(scratch.file, span_of_text("region = \"x\"\n"), 0600, FILE_ATOMIC, NULL), 0);
    assert_int_equal(hcl_rewrite_write(scratch.root, &scratch.result, &err), -1);
    assert_non_null(strstr(err.message, "has changed"));
    error_release(&err);
    struct buffer now = read_file(scratch.file);
    assert_string_equal(buffer_text(&now), "region = \"x\"\n");
    buffer_release(&now);
    scratch_close(&scratch);
}

static void symbolic_links_and_paths_out_of_the_root_are_refused(void **state)
{
    (void)state;
    static const char *const paths[] = {"link.tfvars", "linked/x.tfvars", "../x.tfvars",
                                        "/etc/x.tfvars", "a/../../x.tfvars"};
    for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
        struct scratch scratch;
        scratch_open(&scratch);
        CLEANUP(memory_cleanup) char *link = file_join(scratch.root, "link.tfvars");
        CLEANUP(memory_cleanup) char *linked = file_join(scratch.root, "linked");
        assert_int_equal(symlink("/etc/passwd", link), 0);
        assert_int_equal(symlink("/etc", linked), 0);
        json_t *value = json_string("y");
        struct hcl_rewrite_edit edit = {paths[i], {"x", HCL_EDIT_PUT, value, false}};
        vector_push(&scratch.request.edits, edit);
        assert_int_equal(hcl_rewrite_compute(&scratch.request, &scratch.result, &scratch.errors),
                         -1);
        assert_int_equal(scratch.errors.errors.items[0].code, ERROR_REFUSED);
        json_decref(value);
        scratch_close(&scratch);
    }
}

static void requests_of_wrong_types_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"{\"set\": []}",
                                      "{\"set\": {\"f\": 1}}",
                                      "{\"remove\": {\"f\": [1]}}",
                                      "{\"map\": {\"a\": 1}}",
                                      "{\"map\": {\"a\": \"\"}}",
                                      "{\"forbid\": [\"\"]}",
                                      "{\"forbid_in\": [\"valeu\"]}",
                                      "{\"map_files\": [1]}"};
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        struct hcl_rewrite_request request = {0};
        struct error err = ERROR_INIT;
        json_t *object = json_parse(span_of_text(bad[i]), "request", NULL);
        assert_int_equal(hcl_rewrite_request_read(&request, "/", object, &err), -1);
        assert_int_equal(err.code, ERROR_INVALID);
        error_release(&err);
        hcl_rewrite_request_release(&request);
        json_decref(object);
    }
}

static void globs_name_paths(void **state)
{
    (void)state;
    assert_true(hcl_glob_match("**/*.tf", "main.tf"));
    assert_true(hcl_glob_match("**/*.tf", "a/b/main.tf"));
    assert_false(hcl_glob_match("*.tf", "a/main.tf"));
    assert_true(hcl_glob_match("a/**", "a/b/c"));
    assert_true(hcl_glob_match("a/**/c", "a/c"));
    assert_true(hcl_glob_match("a/[!x]?*.y[a-c]ml", "a/bcd.yaml"));
    assert_false(hcl_glob_match("a/[!x]*", "a/xy"));
    assert_false(hcl_glob_match("a*", "a/b"));
    assert_false(hcl_glob_match("", "a"));
    assert_true(hcl_glob_match("k8s/*/x.yaml", "k8s/deployments/x.yaml"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden_folders),
        cmocka_unit_test(modes_are_kept),
        cmocka_unit_test(a_file_that_changed_meanwhile_is_not_overwritten),
        cmocka_unit_test(symbolic_links_and_paths_out_of_the_root_are_refused),
        cmocka_unit_test(requests_of_wrong_types_are_refused),
        cmocka_unit_test(globs_name_paths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
