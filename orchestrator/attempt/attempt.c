/* One try of one step: the thread that its action runs on, what it was asked, what it says and what
 * comes out. The thread owns the attempt until the action's function has returned; then the loop's
 * thread does, which hears of it by ended(). */
#include "attempt/attempt_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "process/cri_log.h"

enum { SAID_LIMIT_BYTES = 64 * 1024 * 1024 };

/* --- what was asked -------------------------------------------------------------------------- */

const json_t *attempt_arguments(const struct attempt *attempt)
{
    return attempt->spec.arguments;
}

const json_t *attempt_argument(const struct attempt *attempt, const char *name)
{
    const json_t *value = json_object_get(attempt->spec.arguments, name);
    return json_is_null(value) ? NULL : value;
}

const char *attempt_text(const struct attempt *attempt, const char *name)
{
    return json_string_value(attempt_argument(attempt, name));
}

bool attempt_flag(const struct attempt *attempt, const char *name)
{
    return json_is_true(attempt_argument(attempt, name));
}

int64_t attempt_integer(const struct attempt *attempt, const char *name, int64_t fallback)
{
    const json_t *value = attempt_argument(attempt, name);
    return json_is_integer(value) ? json_integer_value(value) : fallback;
}

int64_t attempt_duration_ms(const struct attempt *attempt, const char *name, int64_t fallback_ms)
{
    return attempt_integer(attempt, name, fallback_ms);
}

const char *attempt_run_id(const struct attempt *attempt)
{
    return attempt->spec.run_id;
}

const char *attempt_step_id(const struct attempt *attempt)
{
    return attempt->spec.step;
}

const char *attempt_work_directory(const struct attempt *attempt)
{
    return attempt->spec.work_directory;
}

const char *attempt_directory(const struct attempt *attempt)
{
    return attempt->spec.directory;
}

char *attempt_plan_path(const struct attempt *attempt, const char *path)
{
    return path[0] == '/' ? memory_text(path) : file_join(attempt->spec.plan_directory, path);
}

bool attempt_is_dry_run(const struct attempt *attempt)
{
    return attempt->spec.dry_run;
}

bool attempt_is_resumed(const struct attempt *attempt)
{
    return attempt->spec.resumed;
}

bool attempt_is_undo(const struct attempt *attempt)
{
    return attempt->spec.undo;
}

void attempt_assume(struct attempt *attempt, const json_t *arguments, const json_t *remembered)
{
    json_decref(attempt->spec.arguments);
    attempt->spec.arguments = json_incref((json_t *)arguments);
    json_object_update_missing(attempt->remembered, (json_t *)remembered);
    attempt->spec.undo = true;
}

char *const *attempt_environment(const struct attempt *attempt)
{
    return attempt->spec.environment;
}

const char *attempt_getenv(const struct attempt *attempt, const char *name)
{
    size_t size_bytes = strlen(name);
    for (char *const *entry = attempt->spec.environment; *entry != NULL; entry++) {
        if (strncmp(*entry, name, size_bytes) == 0 && (*entry)[size_bytes] == '=') {
            return *entry + size_bytes + 1;
        }
    }
    return NULL;
}

void *attempt_user(const struct attempt *attempt)
{
    return attempt->spec.user;
}

size_t attempt_number(const struct attempt *attempt)
{
    return attempt->spec.number;
}

/* --- events ---------------------------------------------------------------------------------- */

json_t *attempt_event(const struct attempt *attempt, const char *type)
{
    json_t *event = json_pack("{s:s, s:s, s:I}", "type", type, "step", attempt->spec.step,
                              "attempt", (json_int_t)attempt->spec.number);
    if (attempt->spec.phase != NULL) {
        json_object_set_new(event, "phase", json_string(attempt->spec.phase));
    }
    return event;
}

struct append {
    struct attempt *attempt;
    json_t *event;
    bool durable;
    bool wait;
    bool done;
    struct error error;
};

static void append_done(void *data, const struct error *err)
{
    struct append *append = data;
    uv_mutex_lock(&append->attempt->mutex);
    if (err != NULL) {
        error_set(&append->error, err->code, "%s", err->message);
    }
    append->done = true;
    uv_cond_broadcast(&append->attempt->changed);
    uv_mutex_unlock(&append->attempt->mutex);
}

static void append_now(void *data)
{
    struct append *append = data;
    const struct attempt_host *host = append->attempt->spec.host;
    bool wait = append->wait;
    host->append(host->data, append->event, append->durable, wait ? append_done : NULL,
                 wait ? append : NULL);
    if (!wait) {
        free(append);
    }
}

int attempt_append(struct attempt *attempt, json_t *event, bool durable, bool wait,
                   struct error *err)
{
    struct append *append = memory_new(1, sizeof *append);
    *append = (struct append){attempt, event, durable, wait, false, ERROR_INIT};
    loop_queue_post(attempt->spec.queue, append_now, append);
    if (!wait) {
        return 0;
    }
    uv_mutex_lock(&attempt->mutex);
    while (!append->done) {
        uv_cond_wait(&attempt->changed, &attempt->mutex);
    }
    uv_mutex_unlock(&attempt->mutex);
    int result = error_is_set(&append->error) ? -1 : 0;
    if (result != 0) {
        error_set(err, append->error.code, "%s", append->error.message);
        error_context(err, "the journal cannot be written");
    }
    error_release(&append->error);
    free(append);
    return result;
}

/* A fact that an earlier life of this attempt told: telling it again, in its turn, adds nothing. */
static bool fact_is_known(struct attempt *attempt, const char *kind, const json_t *value)
{
    CLEANUP(memory_cleanup) char *index = memory_format("%zu", attempt->facts_next);
    const json_t *known = json_object_get(attempt->spec.record.facts, index);
    const char *known_kind = json_get_text(known, "kind");
    CLEANUP(json_cleanup) json_t *redacted = secrets_redact_json(attempt->spec.secrets, value);
    if (known_kind == NULL || strcmp(known_kind, kind) != 0 ||
        !json_equal(json_object_get(known, "value"), redacted)) {
        return false;
    }
    attempt->facts_next++;
    return true;
}

void attempt_fact(struct attempt *attempt, const char *kind, json_t *value)
{
    if (fact_is_known(attempt, kind, value)) {
        json_decref(value);
        return;
    }
    json_t *event = attempt_event(attempt, "fact");
    json_object_set_new(event, "kind", json_string(kind));
    json_object_set_new(event, "value", value);
    IGNORE(attempt_append(attempt, event, false, false, NULL));
}

int attempt_remember(struct attempt *attempt, const char *name, json_t *value, struct error *err)
{
    json_object_set(attempt->remembered, name, value);
    json_t *event = attempt_event(attempt, "remembered");
    json_object_set_new(event, "name", json_string(name));
    json_object_set_new(event, "value", value);
    return attempt_append(attempt, event, true, true, err);
}

json_t *attempt_recall(struct attempt *attempt, const char *name)
{
    return json_incref(json_object_get(attempt->remembered, name));
}

void attempt_hide(struct attempt *attempt, const char *secret)
{
    secrets_add(attempt->spec.secrets, secret);
}

void attempt_set_output(struct attempt *attempt, const char *name, json_t *value)
{
    json_object_set_new(attempt->outputs, name, value);
}

void attempt_set_output_text(struct attempt *attempt, const char *name, const char *value)
{
    attempt_set_output(attempt, name, value != NULL ? json_string(value) : json_null());
}

/* --- what the action says -------------------------------------------------------------------- */

/* The lines that an earlier life said: saying them again, in the same order, adds nothing. */
static void load_said(struct attempt *attempt, const char *path)
{
    CLEANUP(buffer_release) struct buffer content = BUFFER_INIT;
    struct error err = ERROR_INIT;
    if (file_read(path, SAID_LIMIT_BYTES, &content, &err) != 0) {
        error_release(&err);
        return;
    }
    const char *at = buffer_text(&content);
    for (const char *end; (end = strchr(at, '\n')) != NULL; at = end + 1) {
        struct cri_record record;
        if (cri_parse(span_of(at, (size_t)(end - at)), &record)) {
            vector_push(&attempt->said, memory_text_n(record.text.data, record.text.size_bytes));
        }
    }
}

static int open_said(struct attempt *attempt)
{
    if (attempt->said_descriptor < 0) {
        CLEANUP(memory_cleanup) char *path = file_join(attempt->spec.directory, "output.log");
        load_said(attempt, path);
        attempt->said_descriptor =
            open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, FILE_PRIVATE_MODE);
    }
    return attempt->said_descriptor;
}

struct said_line {
    struct attempt *attempt;
    int64_t at_ns;
    char *text;
};

static void show_said(void *data)
{
    struct said_line *said = data;
    const struct attempt_host *host = said->attempt->spec.host;
    struct attempt_line line = {said->at_ns, false, span_of_text(said->text)};
    host->line(host->data, said->attempt, NULL, &line);
    free(said->text);
    free(said);
}

static void say_line(struct attempt *attempt, struct span text)
{
    CLEANUP(buffer_release) struct buffer redacted = BUFFER_INIT;
    secrets_redact(attempt->spec.secrets, text, &redacted);
    int descriptor = open_said(attempt);
    if (attempt->said_next < attempt->said.count &&
        strcmp(attempt->said.items[attempt->said_next], buffer_text(&redacted)) == 0) {
        attempt->said_next++;
        return;
    }
    attempt->said_next = attempt->said.count;
    int64_t at_ns = clock_wall_ns();
    char at[CLOCK_RFC3339_SIZE];
    clock_format_rfc3339_ns(at_ns, at);
    CLEANUP(memory_cleanup)
    char *record = memory_format("%s stdout F %s\n", at, buffer_text(&redacted));
    if (descriptor >= 0) {
        /* A full disk stops the run at the journal; here it only costs this line. */
        IGNORE(file_write_all(descriptor, record, strlen(record), NULL));
    }
    struct said_line *said = memory_new(1, sizeof *said);
    *said = (struct said_line){attempt, at_ns, buffer_take(&redacted)};
    loop_queue_post(attempt->spec.queue, show_said, said);
}

void attempt_say_block(struct attempt *attempt, struct span text)
{
    while (text.size_bytes > 0) {
        const char *end = memchr(text.data, '\n', text.size_bytes);
        size_t size_bytes = end != NULL ? (size_t)(end - text.data) : text.size_bytes;
        say_line(attempt, span_of(text.data, size_bytes));
        size_bytes += end != NULL;
        text = span_of(text.data + size_bytes, text.size_bytes - size_bytes);
    }
}

void attempt_say(struct attempt *attempt, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    CLEANUP(memory_cleanup) char *text = memory_format_v(format, arguments);
    va_end(arguments);
    attempt_say_block(attempt, span_of_text(text));
}

/* --- life ------------------------------------------------------------------------------------ */

static void report_end(void *data)
{
    struct attempt *attempt = data;
    if (attempt->deadline != NULL) {
        uv_close((uv_handle_t *)attempt->deadline, (uv_close_cb)free);
        attempt->deadline = NULL;
    }
    attempt->spec.host->ended(attempt->spec.host->data, attempt);
}

static void run_thread(void *data)
{
    struct attempt *attempt = data;
    attempt->result = file_make_private_directory(attempt->spec.directory, &attempt->error);
    if (attempt->result == 0) {
        attempt->result = attempt->spec.function(attempt, &attempt->error);
    }
    loop_queue_post(attempt->spec.queue, report_end, attempt);
}

static char **copy_environment(char *const *environment)
{
    size_t count = 0;
    while (environment[count] != NULL) {
        count++;
    }
    char **copy = memory_new(count + 1, sizeof *copy);
    for (size_t i = 0; i < count; i++) {
        copy[i] = memory_text(environment[i]);
    }
    return copy;
}

static void deadline_passed(uv_timer_t *timer)
{
    struct attempt *attempt = timer->data;
    CLEANUP(memory_cleanup) char *limit = clock_format_duration(attempt->spec.timeout_ms);
    CLEANUP(memory_cleanup)
    char *why = memory_format("it took longer than its timeout of %s", limit);
    attempt_stop(attempt, ERROR_TIMEOUT, why, false);
}

static void start_deadline(struct attempt *attempt)
{
    attempt->deadline_ns = INT64_MAX;
    if (attempt->spec.timeout_ms <= 0) {
        return;
    }
    attempt->deadline_ns = clock_monotonic_ns() + attempt->spec.timeout_ms * CLOCK_NS_PER_MS;
    attempt->deadline = memory_new(1, sizeof *attempt->deadline);
    attempt->deadline->data = attempt;
    uv_timer_init(loop_queue_loop(attempt->spec.queue), attempt->deadline);
    uv_timer_start(attempt->deadline, deadline_passed, (uint64_t)attempt->spec.timeout_ms, 0);
}

struct attempt *attempt_start(const struct attempt_spec *spec)
{
    struct attempt *attempt = memory_new(1, sizeof *attempt);
    attempt->spec = *spec;
    attempt->spec.run_id = memory_text(spec->run_id);
    attempt->spec.step = memory_text(spec->step);
    attempt->spec.directory = memory_text(spec->directory);
    attempt->spec.work_directory = memory_text(spec->work_directory);
    attempt->spec.plan_directory = memory_text(spec->plan_directory);
    attempt->spec.environment = copy_environment(spec->environment);
    json_incref(attempt->spec.arguments);
    attempt->spec.record.asked = json_copy(spec->record.asked);
    attempt->spec.record.ended = json_copy(spec->record.ended);
    attempt->spec.record.facts = json_copy(spec->record.facts);
    attempt->answers =
        spec->record.answers != NULL ? json_copy(spec->record.answers) : json_object();
    attempt->remembered =
        spec->record.remembered != NULL ? json_copy(spec->record.remembered) : json_object();
    attempt->outputs = json_object();
    attempt->said_descriptor = -1;
    start_deadline(attempt);
    if (uv_mutex_init(&attempt->mutex) != 0 || uv_cond_init(&attempt->changed) != 0 ||
        uv_thread_create(&attempt->thread, run_thread, attempt) != 0) {
        abort();
    }
    return attempt;
}

int attempt_outcome(const struct attempt *attempt, const struct error **ret_error,
                    json_t **ret_outputs)
{
    *ret_error = &attempt->error;
    *ret_outputs = attempt->outputs;
    return attempt->result;
}

const char *attempt_last_lines(const struct attempt *attempt)
{
    return buffer_text(&attempt->last_lines);
}

bool attempt_was_detached(const struct attempt *attempt)
{
    return attempt->detached;
}

void attempt_free(struct attempt *attempt)
{
    if (attempt == NULL) {
        return;
    }
    uv_thread_join(&attempt->thread);
    for (char *const *entry = attempt->spec.environment; *entry != NULL; entry++) {
        free(*entry);
    }
    free((void *)attempt->spec.environment);
    free((void *)attempt->spec.run_id);
    free((void *)attempt->spec.step);
    free((void *)attempt->spec.directory);
    free((void *)attempt->spec.work_directory);
    free((void *)attempt->spec.plan_directory);
    json_decref(attempt->spec.arguments);
    json_decref(attempt->spec.record.asked);
    json_decref(attempt->spec.record.ended);
    json_decref(attempt->spec.record.facts);
    json_decref(attempt->answers);
    json_decref(attempt->remembered);
    json_decref(attempt->outputs);
    table_release(&attempt->calls);
    buffer_release(&attempt->last_lines);
    vector_each (char **, text, &attempt->said) {
        free(*text);
    }
    vector_release(&attempt->said);
    file_close_cleanup(&attempt->said_descriptor);
    error_release(&attempt->error);
    free(attempt->stop_reason);
    uv_mutex_destroy(&attempt->mutex);
    uv_cond_destroy(&attempt->changed);
    free(attempt);
}
