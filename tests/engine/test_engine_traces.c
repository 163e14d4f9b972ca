/* Golden folders tests/golden/engine/NAME: plan.yaml and script.json → trace.txt, one line for each
 * event: seconds since the start, type, step, what else matters. Run with DRCTL_ACCEPT=1 to write
 * the traces anew, and read the difference. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "engine/simulate.h"
#include "plan/resolve.h"

enum { GOLDEN_LIMIT_BYTES = 1024 * 1024 };

static const int64_t start_ns = INT64_C(1800000000) * CLOCK_NS_PER_S;

static void fail_with(struct error *err)
{
    if (error_is_set(err)) {
        char *text = error_format(err);
        print_error("%s\n", text);
        free(text);
        error_release(err);
        fail();
    }
}

static void append_event(struct buffer *trace, const json_t *event)
{
    int64_t at_ns = 0;
    assert_int_equal(clock_parse_rfc3339(json_get_text(event, "at"), &at_ns, NULL), 0);
    buffer_append_format(trace, "%8.3f %s", (double)(at_ns - start_ns) / 1e9,
                         json_get_text(event, "type"));
    static const char *const texts[] = {"step", "reason", "outcome", "answer", "question"};
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        if (json_get_text(event, texts[i]) != NULL) {
            buffer_append_format(trace, " %s", json_get_text(event, texts[i]));
        }
    }
    if (json_get_integer(event, "attempt", 0) > 1) {
        buffer_append_format(trace, " attempt %d", (int)json_get_integer(event, "attempt", 0));
    }
    const json_t *error = json_object_get(event, "error");
    if (error != NULL) {
        buffer_append_format(trace, " %s: %s", json_get_text(error, "code"),
                             json_get_text(error, "message"));
    }
    buffer_append_char(trace, '\n');
}

static struct plan *load_plan(const char *folder, struct context *context)
{
    struct error err = ERROR_INIT;
    struct error_list errors = {0};
    CLEANUP(memory_cleanup) char *path = file_join(folder, "plan.yaml");
    CLEANUP(buffer_release) struct buffer source = BUFFER_INIT;
    assert_int_equal(file_read(path, GOLDEN_LIMIT_BYTES, &source, &err), 0);
    struct plan *plan = plan_parse(buffer_span(&source), path, &errors);
    assert_non_null(plan);
    plan_settle(plan, context, &errors);
    if (errors.errors.count > 0) {
        fail_with(&errors.errors.items[0]);
    }
    error_list_release(&errors);
    return plan;
}

static void check_folder(const char *folder)
{
    struct error err = ERROR_INIT;
    struct context context;
    context_init(&context);
    context_set(&context, "inputs", json_pack("{s:[s, s]}", "regions", "us-west-2", "eu-west-1"),
                NULL);
    context_set(&context, "site", json_object(), NULL);
    struct plan *plan = load_plan(folder, &context);
    CLEANUP(memory_cleanup) char *script_path = file_join(folder, "script.json");
    CLEANUP(json_cleanup) json_t *script = json_read_file(script_path, GOLDEN_LIMIT_BYTES, &err);
    fail_with(&err);
    struct engine_limits limits = {
        .running = (size_t)json_get_integer(script, "running", 0),
        .memory_bytes = (uint64_t)json_get_integer(script, "memory_bytes", 0),
    };
    CLEANUP(json_cleanup)
    json_t *events = simulate(plan, &context, &limits, script, start_ns, &err);
    fail_with(&err);
    CLEANUP(buffer_release) struct buffer trace = BUFFER_INIT;
    size_t index;
    json_t *event;
    json_array_foreach (events, index, event) {
        append_event(&trace, event);
    }
    plan_free(plan);
    context_release(&context);
    CLEANUP(memory_cleanup) char *golden = file_join(folder, "trace.txt");
    if (getenv("DRCTL_ACCEPT") != NULL) {
        assert_int_equal(file_write(golden, buffer_span(&trace), 0644, FILE_ATOMIC, &err), 0);
        return;
    }
    CLEANUP(buffer_release) struct buffer expected = BUFFER_INIT;
    assert_int_equal(file_read(golden, GOLDEN_LIMIT_BYTES, &expected, &err), 0);
    if (strcmp(buffer_text(&expected), buffer_text(&trace)) != 0) {
        print_error("%s: expected\n%sgot\n%s", folder, buffer_text(&expected), buffer_text(&trace));
        fail();
    }
}

static void every_golden_folder_gives_its_trace(void **state)
{
    (void)state;
    const char *root = DRCTL_SOURCE_DIR "/tests/golden/engine";
    DIR *directory = opendir(root);
    assert_non_null(directory);
    size_t checked = 0;
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        if (entry->d_name[0] != '.') {
            CLEANUP(memory_cleanup) char *folder = file_join(root, entry->d_name);
            check_folder(folder);
            checked++;
        }
    }
    closedir(directory);
    assert_true(checked >= 12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_golden_folder_gives_its_trace),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
