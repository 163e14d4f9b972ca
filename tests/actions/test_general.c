/* The actions that need nothing but commands and people: exec, assert, approval, fail, note,
 * template.render. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/json.h"
#include "harness.h"
#include "scratch.h"

extern const struct action action_approval;
extern const struct action action_assert;
extern const struct action action_exec;
extern const struct action action_fail;
extern const struct action action_note;
extern const struct action action_template_render;

static int set_up(void **state)
{
    *state = harness_new();
    return 0;
}

static int tear_down(void **state)
{
    harness_free(*state);
    return 0;
}

/* --- exec ------------------------------------------------------------------------------------ */

static void exec_shows_what_the_command_prints(void **state)
{
    struct harness *harness = *state;
    harness_run_ok(harness, &action_exec, "{'argv': ['printf', 'one\\ntwo\\n']}");
    assert_string_equal(buffer_text(&harness->lines), "command| one\ncommand| two\n");
    assert_int_equal(json_get_integer(harness->outputs, "exit_code", -1), 0);
    assert_true(json_is_null(json_object_get(harness->outputs, "stdout")));
}

static void exec_keeps_words_as_they_are(void **state)
{
    struct harness *harness = *state;
    harness_run_ok(harness, &action_exec,
                   "{'argv': ['printf', '[%s]', 'a  b', '$HOME;`id`'], 'capture': 'text'}");
    assert_string_equal(harness_output(harness, "stdout"), "[a  b][$HOME;`id`]");
}

static void exec_captures_lines(void **state)
{
    struct harness *harness = *state;
    harness_run_ok(harness, &action_exec,
                   "{'argv': ['printf', 'a\\n\\nb\\n'], 'capture': 'lines'}");
    CLEANUP(memory_cleanup)
    char *lines = json_canonical(json_object_get(harness->outputs, "stdout"));
    assert_string_equal(lines, "[\"a\",\"\",\"b\"]");
    assert_false(harness_shows(harness, "a"));
}

static void exec_captures_json(void **state)
{
    struct harness *harness = *state;
    harness_run_ok(harness, &action_exec, "{'argv': ['printf', '[1, {}]\\n'], 'capture': 'json'}");
    CLEANUP(memory_cleanup)
    char *value = json_canonical(json_object_get(harness->outputs, "stdout"));
    assert_string_equal(value, "[1,{}]");
}

static void exec_refuses_json_that_is_none(void **state)
{
    struct harness *harness = *state;
    harness_run(harness, &action_exec, "{'argv': ['printf', '{oops'], 'capture': 'json'}");
    assert_int_equal(harness->status, -1);
    assert_int_equal(harness->error.code, ERROR_INVALID);
}

static void exec_fails_with_the_exit_code(void **state)
{
    struct harness *harness = *state;
    harness_run(harness, &action_exec, "{'command': 'echo why >&2; exit 7', 'shell': true}");
    assert_int_equal(harness->error.code, ERROR_FAILED);
    assert_string_equal(harness->error.message, "/bin/sh ended with exit status 7");
    assert_int_equal(json_get_integer(harness->outputs, "exit_code", -1), 7);
    assert_true(harness_shows(harness, "command| why"));
}

static void exec_accepts_the_exit_codes_that_the_plan_expects(void **state)
{
    struct harness *harness = *state;
    harness_run_ok(harness, &action_exec, "{'command': 'exit 7', 'shell': true, 'expect': [3, 7]}");
    harness_run(harness, &action_exec, "{'argv': ['true'], 'expect': [3, 7]}");
    assert_int_equal(harness->status, -1);
}

static void exec_wants_a_shell_to_be_asked_for(void **state)
{
    struct harness *harness = *state;
    harness_run(harness, &action_exec, "{'command': 'rm -rf x'}");
    assert_int_equal(harness->error.code, ERROR_INVALID);
    assert_int_equal(harness_started(harness, "command"), 0);
}

static void exec_hands_over_stdin_in_a_private_file_that_goes_away(void **state)
{
    struct harness *harness = *state;
    harness_run_ok(harness, &action_exec,
                   "{'command': 'stat -L -c %a /dev/fd/0; cat', 'shell': true, 'stdin': 'x\\ny', "
                   "'capture': 'lines'}");
    CLEANUP(memory_cleanup)
    char *lines = json_canonical(json_object_get(harness->outputs, "stdout"));
    assert_string_equal(lines, "[\"600\",\"x\",\"y\"]");
    CLEANUP(memory_cleanup) char *path = file_join(harness->folder, "steps/step/1/stdin");
    assert_false(file_exists(path));
}

static void exec_sets_folder_and_environment(void **state)
{
    struct harness *harness = *state;
    harness_setenv(harness, "FROM_STEP", "step");
    harness_setenv(harness, "BOTH", "step");
    scratch_write(harness->plan, "sub/file", "");
    harness_run_ok(harness, &action_exec,
                   "{'command': 'echo $FROM_STEP $BOTH; ls', 'shell': true, 'cwd': 'sub', "
                   "'env': {'BOTH': 'own'}, 'capture': 'text'}");
    assert_string_equal(harness_output(harness, "stdout"), "step own\nfile");
}

static void exec_refuses_a_secret_in_its_arguments(void **state)
{
    struct harness *harness = *state;
    harness_secret(harness, "hunter22");
    harness_run(harness, &action_exec, "{'argv': ['echo', '--password=hunter22']}");
    assert_int_equal(harness->error.code, ERROR_REFUSED);
    assert_int_equal(harness_started(harness, "command"), 0);
}

static void exec_shows_in_a_dry_run_what_it_would_do(void **state)
{
    struct harness *harness = *state;
    harness->dry_run = true;
    harness_run_ok(harness, &action_exec, "{'argv': ['touch', 'a file']}");
    assert_true(harness_shows(harness, "would run: touch 'a file'"));
    assert_int_equal(harness_started(harness, "command"), 0);
    harness_run_ok(harness, &action_exec,
                   "{'argv': ['echo', 'looked'], 'mutates': false, 'capture': 'text'}");
    assert_string_equal(harness_output(harness, "stdout"), "looked");
}

static void exec_is_followed_on_after_drctl_went_away(void **state)
{
    struct harness *harness = *state;
    harness->detach_at = "begun";
    harness_run(harness, &action_exec,
                "{'command': 'echo begun; echo run >> runs; sleep 0.5; echo over', "
                "'shell': true}");
    assert_true(harness->detached);
    harness_resume_ok(harness);
    assert_true(harness_shows(harness, "over"));
    assert_int_equal(harness_started(harness, "command"), 1);
    CLEANUP(memory_cleanup) char *path = file_join(harness->work, "runs");
    CLEANUP(memory_cleanup) char *runs = scratch_read(path, NULL);
    assert_string_equal(runs, "run\n");
}

static void exec_stops_its_command_when_it_is_cancelled(void **state)
{
    struct harness *harness = *state;
    harness->cancel_at = "begun";
    harness_run(harness, &action_exec,
                "{'command': 'bye() { exit 9; }; trap bye INT; echo begun; "
                "while :; do sleep 0.1; done', 'shell': true}");
    assert_int_equal(harness->status, -1);
    assert_int_equal(harness->error.code, ERROR_CANCELLED);
}

/* Begins a command that notes each of its starts, lets drctl go away, and kills both the command
 * and its shim, as a reboot would. `more` are further arguments. */
static void lose_a_command(struct harness *harness, const char *more)
{
    CLEANUP(memory_cleanup)
    char *arguments =
        memory_format("{'command': 'echo start >> starts; [ -e shim ] || { echo $PPID > shim; echo "
                      "begun; sleep 60; }', 'shell': true%s}",
                      more);
    harness->detach_at = "begun";
    harness_run(harness, &action_exec, arguments);
    assert_true(harness->detached);
    free(scratch_run(harness->work, (const char *const[]){"sh", "-c",
                                                          "shim=$(cat shim); kill -STOP $shim; "
                                                          "children=$(ps -o pid= --ppid $shim); "
                                                          "kill -STOP $children; "
                                                          "kill -9 $shim $children; sleep 0.2",
                                                          NULL}));
}

static void assert_starts(const struct harness *harness, const char *expected)
{
    CLEANUP(memory_cleanup) char *path = file_join(harness->work, "starts");
    CLEANUP(memory_cleanup) char *starts = scratch_read(path, NULL);
    assert_string_equal(starts, expected);
}

static void exec_that_was_lost_and_only_looks_is_repeated(void **state)
{
    struct harness *harness = *state;
    lose_a_command(harness, ", 'mutates': false");
    harness_resume_ok(harness);
    assert_starts(harness, "start\nstart\n");
}

static void exec_that_was_lost_is_judged_by_its_probe(void **state)
{
    struct harness *harness = *state;
    lose_a_command(harness, ", 'probe': ['test', '-e', 'starts']");
    harness_resume_ok(harness);
    assert_starts(harness, "start\n");
    assert_true(json_is_null(json_object_get(harness->outputs, "exit_code")));
}

static void exec_that_was_lost_without_effect_is_run_again(void **state)
{
    struct harness *harness = *state;
    lose_a_command(harness, ", 'probe': ['test', '-e', 'nothing']");
    harness_resume_ok(harness);
    assert_starts(harness, "start\nstart\n");
}

static void exec_that_was_lost_is_asked_about(void **state)
{
    struct harness *harness = *state;
    lose_a_command(harness, "");
    harness_answer(harness, "lost-command", "done");
    harness_resume_ok(harness);
    assert_starts(harness, "start\n");
}

/* --- assert ---------------------------------------------------------------------------------- */

static void assert_lets_pass_what_is_true(void **state)
{
    struct harness *harness = *state;
    harness_run_ok(harness, &action_assert, "{'that': true}");
    harness_run_ok(harness, &action_assert,
                   "{'that': [{'that': true, 'message': 'the sky is blue'}]}");
    assert_true(harness_shows(harness, "ok: the sky is blue"));
}

static void assert_names_what_is_not_so(void **state)
{
    struct harness *harness = *state;
    harness_run(harness, &action_assert, "{'that': false, 'message': 'one row'}");
    assert_int_equal(harness->error.code, ERROR_FAILED);
    assert_string_equal(harness->error.message, "one row");
}

static void assert_looks_at_all_before_it_fails(void **state)
{
    struct harness *harness = *state;
    harness_run(harness, &action_assert,
                "{'that': [{'that': false, 'message': 'a'}, {'that': true, 'message': 'b'}, "
                "{'that': false, 'message': 'c'}]}");
    assert_string_equal(harness->error.message, "2 statements do not hold, the first: a");
    assert_string_equal(buffer_text(&harness->lines), "NOT SO: a\nok: b\nNOT SO: c\n");
}

static void assert_refuses_what_is_neither_true_nor_false(void **state)
{
    struct harness *harness = *state;
    harness_run(harness, &action_assert, "{'that': 'false'}");
    assert_int_equal(harness->error.code, ERROR_INVALID);
    harness_run(harness, &action_assert, "{'that': [{'that': true}]}");
    assert_int_equal(harness->error.code, ERROR_INVALID);
}

/* --- approval, fail, note -------------------------------------------------------------------- */

static void approval_goes_on_when_a_person_agrees(void **state)
{
    struct harness *harness = *state;
    harness_answer(harness, "approval", "approve");
    harness_run_ok(harness, &action_approval, "{'text': 'Cut over?', 'evidence': {'rows': 3}}");
    assert_string_equal(harness_output(harness, "answer"), "approve");
}

static void approval_ends_the_step_when_a_person_does_not(void **state)
{
    struct harness *harness = *state;
    harness_answer(harness, "approval", "reject");
    harness_run(harness, &action_approval, "{'text': 'Cut over?'}");
    assert_int_equal(harness->error.code, ERROR_REFUSED);
    assert_string_equal(harness_output(harness, "answer"), "reject");
}

static void approval_offers_choices_of_the_plan(void **state)
{
    struct harness *harness = *state;
    harness_answer(harness, "approval", "swap");
    harness_run_ok(harness, &action_approval,
                   "{'text': 'How?', 'choices': ['stop', 'swap', 'endpoint'], 'refuse': "
                   "['stop']}");
    assert_string_equal(harness_output(harness, "answer"), "swap");
}

static void approval_in_a_dry_run_asks_nobody(void **state)
{
    struct harness *harness = *state;
    harness->dry_run = true;
    harness_run_ok(harness, &action_approval, "{'text': 'Cut over?'}");
    assert_true(harness_shows(harness, "would ask: Cut over?"));
}

static void approval_that_was_given_stands_after_a_resume(void **state)
{
    struct harness *harness = *state;
    harness_answer(harness, "approval", "approve");
    harness_run_ok(harness, &action_approval, "{'text': 'Cut over?'}");
    size_t events = json_array_size(harness->events);
    harness_resume_ok(harness);
    assert_int_equal(json_array_size(harness->events), events);
}

static void fail_fails_with_the_words_of_the_plan(void **state)
{
    struct harness *harness = *state;
    harness_run(harness, &action_fail, "{'message': 'no snapshot', 'hint': 'make one'}");
    assert_int_equal(harness->error.code, ERROR_FAILED);
    assert_string_equal(harness->error.message, "no snapshot");
    assert_string_equal(harness->error.hint, "make one");
    harness_run(harness, &action_fail, "{'message': 'healthy', 'refused': true}");
    assert_int_equal(harness->error.code, ERROR_REFUSED);
}

static void note_is_a_fact_of_the_run(void **state)
{
    struct harness *harness = *state;
    harness_run_ok(harness, &action_note,
                   "{'text': '4m old', 'kind': 'data.age', 'values': {'ms': 240000}}");
    const json_t *fact = harness_fact(harness, "data.age");
    assert_int_equal(json_get_integer(fact, "ms", 0), 240000);
    assert_string_equal(json_get_text(fact, "text"), "4m old");
}

static void fact_that_was_told_before_is_not_told_again_on_a_resume(void **state)
{
    struct harness *harness = *state;
    harness_run_ok(harness, &action_note, "{'text': '4m old', 'kind': 'data.age'}");
    harness_resume_ok(harness);
    size_t facts = 0;
    size_t index;
    json_t *event;
    json_array_foreach (harness->events, index, event) {
        facts += strcmp(json_get_text(event, "type"), "fact") == 0;
    }
    assert_int_equal(facts, 1);
}

/* --- template.render ------------------------------------------------------------------------- */

static void template_sees_its_values(void **state)
{
    struct harness *harness = *state;
    harness_run_ok(harness, &action_template_render,
                   "{'inline': 'to ${{ region }}: ${{ hosts }}, $${{ x }}', 'values': {'region': "
                   "'us-west-2', 'hosts': ['a', 'b']}}");
    assert_string_equal(harness_output(harness, "text"), "to us-west-2: [\"a\",\"b\"], ${{ x }}");
}

static void template_is_found_in_the_folder_of_templates(void **state)
{
    struct harness *harness = *state;
    scratch_write(harness->folder, "templates/batch.json", "{\"Name\": \"${{ name }}\"}\n");
    harness_run_ok(harness, &action_template_render,
                   "{'file': 'batch.json', 'values': {'name': 'db'}, 'to': 'out/batch.json', "
                   "'format': 'json'}");
    CLEANUP(memory_cleanup) char *content = scratch_read(harness_output(harness, "path"), NULL);
    assert_string_equal(content, "{\"Name\": \"db\"}\n");
    assert_string_equal(json_get_text(json_object_get(harness->outputs, "json"), "Name"), "db");
}

static void template_names_the_place_of_what_is_missing(void **state)
{
    struct harness *harness = *state;
    scratch_write(harness->plan, "t", "a\nb ${{ nothing.there }}\n");
    harness_run(harness, &action_template_render, "{'file': 't', 'values': {}}");
    assert_int_equal(harness->error.code, ERROR_INVALID);
    assert_int_equal(harness->error.line, 2);
    assert_int_equal(harness->error.column, 7);
    assert_non_null(strstr(harness->error.file, "/t"));
}

static void template_never_leaves_a_blank(void **state)
{
    struct harness *harness = *state;
    harness_run(harness, &action_template_render,
                "{'inline': '[${{ a }}]', 'values': {'a': null}}");
    assert_int_equal(harness->error.code, ERROR_INVALID);
}

static void template_stays_in_the_folder_of_the_run(void **state)
{
    struct harness *harness = *state;
    harness_run(harness, &action_template_render,
                "{'inline': 'x', 'to': '../plan/x', 'values': {}}");
    assert_int_equal(harness->status, -1);
}

static void template_result_that_is_to_be_json_has_to_be(void **state)
{
    struct harness *harness = *state;
    harness_run(harness, &action_template_render,
                "{'inline': '{${{ a }}}', 'values': {'a': 1}, 'format': 'json'}");
    assert_int_equal(harness->error.code, ERROR_INVALID);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(exec_shows_what_the_command_prints),
        TEST(exec_keeps_words_as_they_are),
        TEST(exec_captures_lines),
        TEST(exec_captures_json),
        TEST(exec_refuses_json_that_is_none),
        TEST(exec_fails_with_the_exit_code),
        TEST(exec_accepts_the_exit_codes_that_the_plan_expects),
        TEST(exec_wants_a_shell_to_be_asked_for),
        TEST(exec_hands_over_stdin_in_a_private_file_that_goes_away),
        TEST(exec_sets_folder_and_environment),
        TEST(exec_refuses_a_secret_in_its_arguments),
        TEST(exec_shows_in_a_dry_run_what_it_would_do),
        TEST(exec_is_followed_on_after_drctl_went_away),
        TEST(exec_stops_its_command_when_it_is_cancelled),
        TEST(exec_that_was_lost_and_only_looks_is_repeated),
        TEST(exec_that_was_lost_is_judged_by_its_probe),
        TEST(exec_that_was_lost_without_effect_is_run_again),
        TEST(exec_that_was_lost_is_asked_about),
        TEST(assert_lets_pass_what_is_true),
        TEST(assert_names_what_is_not_so),
        TEST(assert_looks_at_all_before_it_fails),
        TEST(assert_refuses_what_is_neither_true_nor_false),
        TEST(approval_goes_on_when_a_person_agrees),
        TEST(approval_ends_the_step_when_a_person_does_not),
        TEST(approval_offers_choices_of_the_plan),
        TEST(approval_in_a_dry_run_asks_nobody),
        TEST(approval_that_was_given_stands_after_a_resume),
        TEST(fail_fails_with_the_words_of_the_plan),
        TEST(note_is_a_fact_of_the_run),
        TEST(fact_that_was_told_before_is_not_told_again_on_a_resume),
        TEST(template_sees_its_values),
        TEST(template_is_found_in_the_folder_of_templates),
        TEST(template_names_the_place_of_what_is_missing),
        TEST(template_never_leaves_a_blank),
        TEST(template_stays_in_the_folder_of_the_run),
        TEST(template_result_that_is_to_be_json_has_to_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
