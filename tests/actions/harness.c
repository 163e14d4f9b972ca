/* The smallest host that an attempt can live in. Everything but harness_* runs on the test's own
 * thread, which is the loop's. */
#include "harness.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include <cmocka.h>

#include "actions/argv.h"
#include "attempt/attempt_host.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "scratch.h"

extern char **environ;

struct harness_engine {
    uv_loop_t loop;
    struct loop_queue *queue;
    struct process_host *processes;
    struct attempt_host host;
    struct secrets *secrets;
    json_t *environment; /* object NAME → VALUE */
    json_t *answers;     /* object question → answer */
    json_t *arguments;
    const struct action *action;
    size_t number;
    struct attempt *attempt; /* the one that runs */
    bool ended;
    bool stop_due; /* detach_at or cancel_at was seen */
};

/* --- the host -------------------------------------------------------------------------------- */

static void append(void *data, json_t *event, bool durable, attempt_appended done, void *done_data)
{
    (void)durable;
    struct harness *harness = data;
    struct harness_engine *engine = harness->engine;
    json_array_append_new(harness->events, event);
    if (done != NULL) {
        done(done_data, NULL);
    }
    const char *question = json_get_text(event, "question");
    if (question == NULL || engine->attempt == NULL) {
        return;
    }
    const char *answer = json_get_text(engine->answers, question);
    if (answer != NULL) {
        attempt_answer(engine->attempt, question, answer);
    } else {
        attempt_stop(engine->attempt, ERROR_CANCELLED, "nobody is there to answer", false);
    }
}

static void stop_if_due(struct harness *harness)
{
    const char *shown = buffer_text(&harness->lines);
    bool detach = harness->detach_at != NULL && strstr(shown, harness->detach_at) != NULL;
    bool cancel = harness->cancel_at != NULL && strstr(shown, harness->cancel_at) != NULL;
    if (harness->engine->stop_due || !(detach || cancel)) {
        return;
    }
    harness->engine->stop_due = true;
    if (detach) {
        attempt_detach(harness->engine->attempt);
    } else {
        attempt_stop(harness->engine->attempt, ERROR_CANCELLED, "the test cancels it", false);
    }
}

static void show(void *data, const struct attempt *attempt, const char *task,
                 const struct attempt_line *line)
{
    (void)attempt;
    struct harness *harness = data;
    if (task != NULL) {
        buffer_append_format(&harness->lines, "%s| ", task);
    }
    buffer_append_span(&harness->lines, line->text);
    buffer_append_char(&harness->lines, '\n');
}

static void ended(void *data, struct attempt *attempt)
{
    (void)attempt;
    ((struct harness *)data)->engine->ended = true;
}

/* --- life ------------------------------------------------------------------------------------ */

static json_t *environment_of_test(void)
{
    json_t *map = json_object();
    for (char **entry = environ; *entry != NULL; entry++) {
        const char *end = strchr(*entry, '=');
        CLEANUP(memory_cleanup)
        char *name = end != NULL ? memory_text_n(*entry, (size_t)(end - *entry)) : NULL;
        if (name != NULL) {
            json_object_set_new(map, name, json_string(end + 1));
        }
    }
    json_object_set_new(map, "AWS_PAGER", json_string(""));
    return map;
}

struct harness *harness_new(void)
{
    struct harness *harness = memory_new(1, sizeof *harness);
    struct harness_engine *engine = memory_new(1, sizeof *engine);
    harness->engine = engine;
    harness->folder = scratch_new();
    harness->work = file_join(harness->folder, "work");
    harness->plan = file_join(harness->folder, "plan");
    harness->events = json_array();
    struct error err = ERROR_INIT;
    assert_int_equal(file_make_private_directory(harness->work, &err), 0);
    assert_int_equal(file_make_private_directory(harness->plan, &err), 0);
    assert_int_equal(uv_loop_init(&engine->loop), 0);
    engine->queue = loop_queue_new(&engine->loop);
    engine->secrets = secrets_new();
    engine->host = (struct attempt_host){harness, append, show, ended};
    engine->environment = environment_of_test();
    engine->answers = json_object();
    if (process_host_open(&engine->loop, NULL, &engine->processes, &err) != 0) {
        fail_msg("%s", err.message);
    }
    return harness;
}

static void forget_outcome(struct harness *harness)
{
    error_release(&harness->error);
    harness->error = (struct error)ERROR_INIT;
    json_decref(harness->outputs);
    harness->outputs = NULL;
}

void harness_free(struct harness *harness)
{
    if (harness == NULL) {
        return;
    }
    struct harness_engine *engine = harness->engine;
    process_host_close(engine->processes, NULL, NULL);
    loop_queue_close(engine->queue);
    uv_run(&engine->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&engine->loop), 0);
    secrets_free(engine->secrets);
    json_decref(engine->environment);
    json_decref(engine->answers);
    json_decref(engine->arguments);
    free(engine);
    forget_outcome(harness);
    json_decref(harness->events);
    buffer_release(&harness->lines);
    scratch_free(harness->folder);
    free(harness->work);
    free(harness->plan);
    free(harness);
}

/* --- settings -------------------------------------------------------------------------------- */

void harness_setenv(struct harness *harness, const char *name, const char *value)
{
    if (value != NULL) {
        json_object_set_new(harness->engine->environment, name, json_string(value));
    } else {
        json_object_del(harness->engine->environment, name);
    }
}

static void set_line(struct harness *harness, char *line)
{
    if (strncmp(line, "export ", 7) == 0) {
        line += 7;
    }
    char *value = strchr(line, '=');
    if (value == NULL || line[0] == '#') {
        return;
    }
    *value++ = '\0';
    size_t size_bytes = strlen(value);
    bool quoted = size_bytes >= 2 && (value[0] == '\'' || value[0] == '"');
    if (quoted) {
        value[size_bytes - 1] = '\0';
    }
    harness_setenv(harness, line, quoted ? value + 1 : value);
}

void harness_setenv_file(struct harness *harness, const char *path)
{
    CLEANUP(memory_cleanup) char *content = scratch_read(path, NULL);
    char *rest = content;
    for (char *line; (line = strsep(&rest, "\n")) != NULL;) {
        set_line(harness, line);
    }
}

void harness_answer(struct harness *harness, const char *question, const char *answer)
{
    json_object_set_new(harness->engine->answers, question, json_string(answer));
}

void harness_secret(struct harness *harness, const char *secret)
{
    secrets_add(harness->engine->secrets, secret);
}

/* --- arguments ------------------------------------------------------------------------------- */

static bool is_of_type(const json_t *value, enum value_type type)
{
    switch (type) {
    case VALUE_ANY:
        return true;
    case VALUE_INTEGER:
        return json_is_integer(value);
    case VALUE_NUMBER:
        return json_is_number(value);
    case VALUE_BOOLEAN:
        return json_is_boolean(value);
    case VALUE_LIST:
    case VALUE_STRINGS:
        return json_is_array(value);
    case VALUE_MAP:
    case VALUE_STRING_MAP:
        return json_is_object(value);
    default:
        return json_is_string(value);
    }
}

/* The value as it arrives at the action; takes the reference. */
static json_t *convert(const struct parameter *parameter, json_t *value)
{
    if (!is_of_type(value, parameter->type)) {
        fail_msg("%s is not %s", parameter->name, value_type_phrase(parameter->type));
    }
    if (parameter->type != VALUE_DURATION) {
        return value;
    }
    int64_t duration_ms = 0;
    assert_int_equal(clock_parse_duration(json_string_value(value), &duration_ms, NULL), 0);
    json_decref(value);
    return json_integer(duration_ms);
}

static json_t *through_table(const struct action_description *description, json_t *given)
{
    const char *name;
    json_t *value;
    json_object_foreach (given, name, value) {
        if (catalogue_parameter(description, name) == NULL) {
            fail_msg("%s has no parameter %s", description->name, name);
        }
    }
    json_t *arguments = json_object();
    for (const struct parameter *p = description->parameters; p != NULL && p->name != NULL; p++) {
        value = json_incref(json_object_get(given, p->name));
        if (value == NULL && p->default_json != NULL) {
            value = json_loads(p->default_json, JSON_DECODE_ANY, NULL);
            assert_non_null(value);
        }
        if (value == NULL && p->required) {
            fail_msg("%s needs %s", description->name, p->name);
        }
        if (value != NULL) {
            json_object_set_new(arguments, p->name, convert(p, value));
        }
    }
    json_decref(given);
    return arguments;
}

/* --- attempts -------------------------------------------------------------------------------- */

/* What the events of this attempt say, as the runtime gathers it for a resume. */
static struct attempt_record gather_record(const struct harness *harness)
{
    struct attempt_record record = {json_object(), json_object(), json_object(), json_object(),
                                    json_object()};
    size_t index;
    json_t *event;
    json_array_foreach (harness->events, index, event) {
        const char *type = json_get_text(event, "type");
        if (strcmp(type, "remembered") == 0) {
            json_object_set(record.remembered, json_get_text(event, "name"),
                            json_object_get(event, "value"));
        } else if (strcmp(type, "fact") == 0) {
            CLEANUP(memory_cleanup)
            char *number = memory_format("%zu", json_object_size(record.facts));
            json_object_set(record.facts, number, event);
        } else if (strcmp(type, "task_ended") == 0) {
            json_object_set_new(record.ended, json_get_text(event, "task"), json_true());
        } else if (strcmp(type, "asked") == 0) {
            const char *question = json_get_text(event, "question");
            json_t *answer = json_object_get(harness->engine->answers, question);
            json_object_set(answer != NULL ? record.answers : record.asked, question,
                            answer != NULL ? answer : event);
        }
    }
    return record;
}

static void release_record(struct attempt_record *record)
{
    json_decref(record->remembered);
    json_decref(record->answers);
    json_decref(record->asked);
    json_decref(record->ended);
    json_decref(record->facts);
}

static void take_outcome(struct harness *harness, struct attempt *attempt)
{
    const struct error *error;
    json_t *outputs;
    harness->status = attempt_outcome(attempt, &error, &outputs);
    harness->outputs = json_deep_copy(outputs);
    harness->detached = attempt_was_detached(attempt);
    if (error_is_set(error)) {
        error_set(&harness->error, error->code, "%s", error->message);
        if (error->hint != NULL) {
            error_hint(&harness->error, "%s", error->hint);
        }
        harness->error.file = memory_text(error->file);
        harness->error.line = error->line;
        harness->error.column = error->column;
    }
}

static void live(struct harness *harness, bool resumed, bool undo)
{
    struct harness_engine *engine = harness->engine;
    struct argv environment = {0};
    argv_add_settings(&environment, engine->environment);
    CLEANUP(memory_cleanup)
    char *directory = memory_format("%s/steps/step/%zu", harness->folder, engine->number);
    bool has_past = resumed || undo;
    struct attempt_record record = gather_record(harness);
    struct attempt_spec spec = {
        .queue = engine->queue,
        .processes = engine->processes,
        .host = &engine->host,
        .secrets = engine->secrets,
        .run_id = "run-of-the-test",
        .step = "step",
        .number = engine->number,
        .directory = directory,
        .work_directory = harness->work,
        .plan_directory = harness->plan,
        .arguments = engine->arguments,
        .environment = (char *const *)argv_words(&environment),
        .timeout_ms = harness->timeout_ms,
        .record = has_past ? record : (struct attempt_record){0},
        .dry_run = harness->dry_run,
        .resumed = resumed,
        .undo = undo,
        .function = undo ? engine->action->undo : engine->action->run,
    };
    forget_outcome(harness);
    engine->ended = engine->stop_due = false;
    engine->attempt = attempt_start(&spec);
    while (!engine->ended) {
        uv_run(&engine->loop, UV_RUN_ONCE);
        stop_if_due(harness);
    }
    take_outcome(harness, engine->attempt);
    attempt_free(engine->attempt);
    engine->attempt = NULL;
    release_record(&record);
    argv_release(&environment);
}

void harness_run_json(struct harness *harness, const struct action *action, json_t *arguments)
{
    struct harness_engine *engine = harness->engine;
    assert_non_null(arguments);
    json_decref(engine->arguments);
    engine->arguments = through_table(&action->description, arguments);
    engine->action = action;
    engine->number++;
    json_array_clear(harness->events);
    buffer_clear(&harness->lines);
    live(harness, false, false);
}

void harness_run(struct harness *harness, const struct action *action, const char *arguments)
{
    CLEANUP(memory_cleanup) char *text = memory_text(arguments);
    for (char *quote; (quote = strchr(text, '\'')) != NULL;) {
        *quote = '"';
    }
    json_error_t error;
    json_t *value = json_loads(text, 0, &error);
    if (value == NULL) {
        fail_msg("the test's arguments: %s at %d", error.text, error.position);
    }
    harness_run_json(harness, action, value);
}

static void require_success(const struct harness *harness)
{
    if (harness->status != 0) {
        fail_msg("%s: %s (%s)\n%s", harness->engine->action->description.name,
                 harness->error.message,
                 harness->error.hint != NULL ? harness->error.hint : "no hint",
                 buffer_text(&harness->lines));
    }
}

void harness_run_ok(struct harness *harness, const struct action *action, const char *arguments)
{
    harness_run(harness, action, arguments);
    require_success(harness);
}

void harness_resume(struct harness *harness)
{
    harness->detach_at = NULL;
    buffer_clear(&harness->lines);
    live(harness, true, false);
}

void harness_resume_ok(struct harness *harness)
{
    harness_resume(harness);
    require_success(harness);
}

void harness_undo(struct harness *harness)
{
    assert_non_null(harness->engine->action->undo);
    buffer_clear(&harness->lines);
    live(harness, false, true);
}

/* --- what became of it ----------------------------------------------------------------------- */

const char *harness_output(const struct harness *harness, const char *name)
{
    const char *text = json_get_text(harness->outputs, name);
    if (text == NULL) {
        fail_msg("there is no output %s\n%s", name, buffer_text(&harness->lines));
    }
    return text;
}

bool harness_shows(const struct harness *harness, const char *text)
{
    return strstr(buffer_text(&harness->lines), text) != NULL;
}

size_t harness_started(const struct harness *harness, const char *task)
{
    size_t count = 0;
    size_t index;
    json_t *event;
    json_array_foreach (harness->events, index, event) {
        const char *name = json_get_text(event, "task");
        count += strcmp(json_get_text(event, "type"), "task_started") == 0 && name != NULL &&
                 strcmp(name, task) == 0;
    }
    return count;
}

json_t *harness_fact(const struct harness *harness, const char *kind)
{
    for (size_t i = json_array_size(harness->events); i > 0; i--) {
        json_t *event = json_array_get(harness->events, i - 1);
        const char *found = json_get_text(event, "kind");
        if (found != NULL && strcmp(found, kind) == 0) {
            return json_object_get(event, "value");
        }
    }
    return NULL;
}
