/* Every folder of tests/golden/plan/invalid holds a broken plan and the lines that validation has
 * to say about it, every file of valid a plan that has to be without fault. With
 * DRCTL_UPDATE_GOLDEN=1 the lines are written instead of compared: read the difference before you
 * commit it. */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "fixture.h"
#include "plan/site.h"
#include "plan/validate.h"

#define GOLDEN DRCTL_SOURCE_DIR "/tests/golden/plan/"

static char *read_file(const char *path)
{
    struct buffer content = BUFFER_INIT;
    struct error err = ERROR_INIT;
    int result = file_read(path, 16 << 20, &content, &err);
    if (result != 0) {
        print_error("%s\n", err.message);
    }
    assert_int_equal(result, 0);
    return buffer_take(&content);
}

/* What a user would see about a plan, one error a line. */
static char *errors_of(const char *path, const char *shown_name, const json_t *site)
{
    CLEANUP(buffer_release) struct buffer content = BUFFER_INIT;
    struct error err = ERROR_INIT;
    struct error_list errors = {0};
    assert_int_equal(file_read(path, 16 << 20, &content, &err), 0);
    struct plan *plan = plan_parse(buffer_span(&content), shown_name, &errors);
    if (plan != NULL) {
        plan_validate(plan, &fixture_catalogue, site, &errors);
    }
    struct buffer text = BUFFER_INIT;
    vector_each (const struct error *, each, &errors.errors) {
        CLEANUP(memory_cleanup) char *line = error_format(each);
        assert_int_equal(error_code_exit_status(each->code), 3);
        assert_true(each->line > 0);
        assert_true(each->column > 0);
        buffer_append_format(&text, "%s\n", line);
    }
    error_list_release(&errors);
    plan_free(plan);
    return buffer_take(&text);
}

static struct site *read_site(const char *path)
{
    CLEANUP(memory_cleanup) char *text = read_file(path);
    struct error_list errors = {0};
    struct site *site = site_parse(span_of_text(text), "site.yaml", &errors);
    assert_non_null(site);
    error_list_release(&errors);
    return site;
}

static void check_invalid(const char *name, const struct site *site)
{
    CLEANUP(memory_cleanup) char *yaml = memory_format(GOLDEN "invalid/%s/plan.yaml", name);
    CLEANUP(memory_cleanup) char *json = memory_format(GOLDEN "invalid/%s/plan.json", name);
    CLEANUP(memory_cleanup) char *lines = memory_format(GOLDEN "invalid/%s/expected.txt", name);
    bool is_json = file_exists(json);
    CLEANUP(memory_cleanup)
    char *found =
        errors_of(is_json ? json : yaml, is_json ? "plan.json" : "plan.yaml", site->values);
    if (getenv("DRCTL_UPDATE_GOLDEN") != NULL) {
        struct error err = ERROR_INIT;
        assert_int_equal(file_write(lines, span_of_text(found), 0644, FILE_ATOMIC, &err), 0);
        return;
    }
    CLEANUP(memory_cleanup) char *expected = read_file(lines);
    if (strcmp(found, expected) != 0) {
        print_error("invalid/%s\n", name);
    }
    assert_string_equal(found, expected);
    assert_string_not_equal(found, "");
}

/* Calls check with every name in the folder, in order; gives how many there were. */
static size_t for_each_name(const char *folder, void (*check)(const char *, const struct site *),
                            const struct site *site)
{
    struct dirent **entries;
    int count = scandir(folder, &entries, NULL, alphasort);
    size_t checked = 0;
    assert_true(count >= 0);
    for (int i = 0; i < count; i++) {
        if (entries[i]->d_name[0] != '.') {
            check(entries[i]->d_name, site);
            checked++;
        }
        free(entries[i]);
    }
    free(entries);
    return checked;
}

static void every_broken_plan_is_explained_in_full(void **state)
{
    (void)state;
    struct site *site = read_site(GOLDEN "site.yaml");
    assert_true(for_each_name(GOLDEN "invalid", check_invalid, site) >= 30);
    site_free(site);
}

static void check_valid(const char *name, const struct site *site)
{
    CLEANUP(memory_cleanup) char *path = memory_format(GOLDEN "valid/%s", name);
    CLEANUP(memory_cleanup) char *found = errors_of(path, name, site->values);
    assert_string_equal(found, "");
}

static void every_sound_plan_passes(void **state)
{
    (void)state;
    struct site *site = read_site(GOLDEN "site.yaml");
    assert_true(for_each_name(GOLDEN "valid", check_valid, site) >= 3);
    site_free(site);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_broken_plan_is_explained_in_full),
        cmocka_unit_test(every_sound_plan_passes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
