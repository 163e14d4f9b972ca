/* A run's directory: making it, taking it up again, and the one way in which its state changes. */
#include "runtime/run_private.h"

#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "plan/freeze.h"
#include "plan/resolve.h"
#include "plan/validate.h"
#include "runtime/state_directory.h"
#include "runtime/target_lock.h"

enum { PLAN_JSON_LIMIT_BYTES = 64 * 1024 * 1024 };

json_t *run_describe(const char *state, const char *plan_name, const char *operator_name)
{
    int64_t now_ns = clock_wall_ns();
    CLEANUP(memory_cleanup) char *id = state_new_run_id(plan_name, now_ns);
    CLEANUP(memory_cleanup) char *directory = state_run_directory(state, id);
    CLEANUP(memory_cleanup) char *work = file_join(directory, "work");
    char started_at[CLOCK_RFC3339_SIZE];
    clock_format_rfc3339_ms(now_ns, started_at);
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "id", id, "directory", directory, "work",
                     work, "started_at", started_at, "plan", plan_name, "operator", operator_name);
}

/* --- making one ------------------------------------------------------------------------------ */

static json_t *host_facts(json_t *event)
{
    char host[HOST_NAME_MAX + 1] = "";
    gethostname(host, sizeof host - 1);
    struct buffer boot_id = BUFFER_INIT;
    if (file_read("/proc/sys/kernel/random/boot_id", 4096, &boot_id, NULL) == 0 &&
        boot_id.size_bytes > 0) {
        buffer_truncate(&boot_id, strcspn(boot_id.data, "\n"));
    }
    json_object_set_new(event, "host", json_string(host));
    json_object_set_new(event, "pid", json_integer(getpid()));
    json_object_set_new(event, "boot_id", json_string(buffer_text(&boot_id)));
    buffer_release(&boot_id);
    return event;
}

/* The names of the secret inputs that the run was given: a resume has to be given the same again.
 */
static json_t *given_secrets(const struct plan *plan, const struct context *context)
{
    json_t *names = json_array();
    const json_t *inputs = json_object_get(context->values, "inputs");
    vector_each (const struct plan_input *, input, &plan->inputs) {
        if (input->type == VALUE_SECRET && json_get_text(inputs, input->name) != NULL) {
            json_array_append_new(names, json_string(input->name));
        }
    }
    return names;
}

static json_t *created_event(const struct plan *plan, const json_t *description,
                             const char *plan_file, const char *sha256,
                             const struct run_options *options)
{
    json_t *event = host_facts(event_new(EVENT_RUN_CREATED, NULL, 0));
    char incident_at[CLOCK_RFC3339_SIZE];
    json_object_set(event, "run", json_object_get(description, "id"));
    json_object_set(event, "operator", json_object_get(description, "operator"));
    json_object_set(event, "started_at", json_object_get(description, "started_at"));
    json_object_set_new(event, "plan", json_string(plan->name));
    json_object_set_new(event, "plan_file", json_string(plan_file));
    json_object_set_new(event, "plan_sha256", json_string(sha256));
    json_object_set_new(event, "target", json_string(plan->target_name));
    json_object_set_new(event, "dry_run", json_boolean(options->dry_run));
    json_object_set_new(event, "remote_lock", json_boolean(!options->without_remote_lock));
    if (options->incident_at_ns != 0) {
        clock_format_rfc3339_ms(options->incident_at_ns, incident_at);
        json_object_set_new(event, "incident_at", json_string(incident_at));
    }
    return event;
}

static int write_run(const struct plan *plan, const struct context *context, const char *plan_file,
                     const struct run_options *options, const char *directory,
                     struct journal **journal, struct error *err)
{
    const json_t *description = json_object_get(context->values, "run");
    const char *id = json_get_text(description, "id");
    CLEANUP(memory_cleanup) char *plan_path = file_join(directory, "plan.json");
    CLEANUP(memory_cleanup) char *journal_path = file_join(directory, "journal.jsonl");
    char sha256[DIGEST_HEX_SIZE];
    CLEANUP(memory_cleanup) char *frozen = plan_freeze(plan, context, sha256);
    if (file_make_private_directory(json_get_text(description, "work"), err) != 0 ||
        file_write(plan_path, span_of_text(frozen), FILE_PRIVATE_MODE, FILE_DURABLE, err) != 0 ||
        journal_create(journal_path, NULL, journal, err) != 0) {
        return -1;
    }
    if (!options->dry_run &&
        target_lock_take(options->state, plan->target_name, id, options->operator_name, err) != 0) {
        return -1;
    }
    CLEANUP(json_cleanup)
    json_t *event = created_event(plan, description, plan_file, sha256, options);
    json_object_set_new(event, "secrets", given_secrets(plan, context));
    return journal_append_now(*journal, event, err);
}

int run_create(const struct plan *plan, const struct context *context, const char *plan_file,
               const struct run_options *options, struct error *err)
{
    const json_t *description = json_object_get(context->values, "run");
    const char *directory = json_get_text(description, "directory");
    struct journal *journal = NULL;
    int result = write_run(plan, context, plan_file, options, directory, &journal, err);
    if (journal != NULL) {
        journal_close(journal, NULL, NULL);
    }
    if (result != 0) {
        IGNORE(file_remove_tree(directory, NULL));
    }
    return result;
}

/* --- taking one up --------------------------------------------------------------------------- */

static int fold(const struct journal_event *event, void *data, struct error *err)
{
    struct run *run = data;
    records_apply(&run->records, event->json);
    if (event_type_of(event->json) == EVENT_RUN_CREATED) {
        free(run->plan_file);
        run->plan_file = memory_text(json_get_text(event->json, "plan_file"));
        run->dry_run = json_is_true(json_object_get(event->json, "dry_run"));
        run->without_remote_lock = json_is_false(json_object_get(event->json, "remote_lock"));
    }
    return engine_apply(run->engine, event->json, err);
}

/* The run's first event, before anything else of it is read; NULL when there is none. */
static json_t *read_created(const struct run *run)
{
    CLEANUP(memory_cleanup) char *path = file_join(run->directory, "journal.jsonl");
    struct journal_reader *reader;
    struct journal_event event;
    json_t *created = NULL;
    if (journal_reader_open(path, &reader, NULL) == 0) {
        if (journal_reader_next(reader, &event, NULL) == 1) {
            created = json_incref(event.json);
        }
        journal_reader_free(reader);
    }
    return created;
}

static bool was_given(const json_t *created, const char *name)
{
    const json_t *names = json_object_get(created, "secrets");
    size_t index;
    json_t *given;
    json_array_foreach (names, index, given) {
        if (strcmp(json_string_value(given), name) == 0) {
            return true;
        }
    }
    return names == NULL;
}

static int give_secrets(struct run *run, const json_t *created,
                        const char *(*secret)(void *data, const char *input), void *secret_data,
                        struct error *err)
{
    const struct plan_input *input;
    while ((input = plan_missing_secret(run->plan, &run->context)) != NULL) {
        const char *text = secret != NULL ? secret(secret_data, input->name) : NULL;
        if (text == NULL && input->env_name != NULL) {
            text = getenv(input->env_name);
        }
        if (text == NULL && was_given(created, input->name)) {
            error_set(err, ERROR_NOT_READY, "the secret input '%s' has to be given again",
                      input->name);
            return error_hint(err,
                              "secrets are never written down; --secret-file %s=FILE or the "
                              "variable that the plan names",
                              input->name);
        }
        if (text != NULL) {
            secrets_add(run->secrets, text);
        }
        plan_thaw_secret(input, text, &run->context);
    }
    return 0;
}

static int read_plan(struct run *run, struct error *err)
{
    CLEANUP(memory_cleanup) char *path = file_join(run->directory, "plan.json");
    CLEANUP(buffer_release) struct buffer bytes = BUFFER_INIT;
    if (file_read(path, PLAN_JSON_LIMIT_BYTES, &bytes, err) != 0) {
        return -1;
    }
    return plan_thaw(buffer_span(&bytes), path, &run->plan, &run->context, err);
}

/* What was valid when the run began is so still, unless drctl itself has changed. */
static int check_plan(struct run *run, struct error *err)
{
    struct error_list errors = {0};
    plan_validate(run->plan, actions_catalogue(), json_object_get(run->context.values, "site"),
                  &errors);
    plan_settle(run->plan, &run->context, &errors);
    int result = 0;
    if (errors.errors.count > 0) {
        CLEANUP(memory_cleanup) char *first = error_format(&errors.errors.items[0]);
        result =
            error_set(err, ERROR_INVALID, "this drctl does not accept the run's plan: %s", first);
    }
    error_list_release(&errors);
    return result;
}

static json_t *description_of(const struct run *run)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:s}", "id", run->id, "directory", run->directory,
                     "work", run->work_directory, "plan", run->plan->name, "operator",
                     run->operator_name);
}

/* `run` in expressions is the same in every life of the run. */
static void describe_as_created(struct run *run, const json_t *created)
{
    json_t *description = json_object_get(run->context.values, "run");
    json_t *started_at = json_object_get(created, "started_at");
    json_t *creator = json_object_get(created, "operator");
    if (started_at != NULL && creator != NULL) {
        json_object_set(description, "started_at", started_at);
        json_object_set(description, "operator", creator);
    }
}

static struct engine_limits limits_of_machine(struct engine_limits limits)
{
    if (limits.memory_bytes == 0) {
        /* Three quarters of what could be had now: the rest is for the page cache and the person.
         */
        limits.memory_bytes = uv_get_free_memory() / 4 * 3;
    }
    if (limits.running == 0) {
        limits.running = 16;
    }
    return limits;
}

static void notice_torn_tail(struct run *run, const struct journal_tail *tail)
{
    if (tail->size_bytes > 0) {
        run_notice(run, "the last line of the journal was torn (%llu bytes) and has been %s",
                   (unsigned long long)tail->size_bytes,
                   tail->whole_bytes > 0 ? "completed" : "cut off");
    }
}

static int open_files(struct run *run, const struct run_options *options,
                      const char *(*secret)(void *data, const char *input), void *secret_data,
                      struct error *err)
{
    if (!file_exists(run->directory)) {
        return error_set(err, ERROR_NOT_FOUND, "there is no run %s", run->id);
    }
    if (read_plan(run, err) != 0) {
        return -1;
    }
    context_set(&run->context, "env", run_environment_values(), NULL);
    context_set(&run->context, "run", description_of(run), NULL);
    CLEANUP(json_cleanup) json_t *created = read_created(run);
    describe_as_created(run, created);
    if (give_secrets(run, created, secret, secret_data, err) != 0 || check_plan(run, err) != 0) {
        return -1;
    }
    struct engine_limits limits = limits_of_machine(options->limits);
    run->engine = engine_new(run->plan, &run->context, &limits, run->id);
    CLEANUP(memory_cleanup) char *journal_path = file_join(run->directory, "journal.jsonl");
    struct journal_tail torn = {0};
    if (journal_open(journal_path, &run->loop, fold, run, &run->journal, &torn, err) != 0) {
        if (err->code == ERROR_LOCKED) {
            error_hint(err, "watch it with `drctl attach %s`", run->id);
        }
        return -1;
    }
    notice_torn_tail(run, &torn);
    if (journal_last_seq(run->journal) == 0) {
        error_set(err, ERROR_NOT_FOUND, "drctl was killed while it made the run %s", run->id);
        return error_hint(err, "nothing was started: start the run anew");
    }
    return 0;
}

static void find_plan_changes(struct run *run)
{
    CLEANUP(memory_cleanup) char *copy = memory_text(run->plan_file != NULL ? run->plan_file : ".");
    run->plan_directory = memory_text(dirname(copy));
    CLEANUP(buffer_release) struct buffer source = BUFFER_INIT;
    if (run->plan_file != NULL &&
        file_read(run->plan_file, DOCUMENT_SIZE_LIMIT, &source, NULL) == 0) {
        char sha256[DIGEST_HEX_SIZE];
        digest_sha256_hex(buffer_span(&source), sha256);
        run->plan_changed = strcmp(sha256, run->plan->sha256) != 0;
    }
}

int run_open(const char *run_id, const struct run_options *options,
             const char *(*secret)(void *data, const char *input), void *secret_data,
             struct run **ret_run, struct error *err)
{
    struct run *run = memory_new(1, sizeof *run);
    run->id = memory_text(run_id);
    run->state = memory_text(options->state);
    run->directory = state_run_directory(options->state, run_id);
    run->work_directory = file_join(run->directory, "work");
    run->operator_name = memory_text(options->operator_name);
    run->observer = options->observer;
    run->approvals = options->approvals;
    run->approve_all = options->approve_all;
    run->stay = options->stay;
    run->secrets = secrets_new();
    run_hide_environment_secrets(run->secrets);
    records_init(&run->records);
    context_init(&run->context);
    uv_loop_init(&run->loop);
    if (open_files(run, options, secret, secret_data, err) != 0) {
        run_free(run);
        return -1;
    }
    find_plan_changes(run);
    if (run_open_handles(run, err) != 0) {
        run_free(run);
        return -1;
    }
    *ret_run = run;
    return 0;
}

void run_free(struct run *run)
{
    if (run == NULL) {
        return;
    }
    if (run->handles_open || run->journal != NULL) {
        run_leave(run, 1);
        uv_run(&run->loop, UV_RUN_DEFAULT);
    }
    uv_loop_close(&run->loop);
    if (run->discard) {
        IGNORE(target_lock_release(run->state, run->plan->target_name, run->id, NULL));
        IGNORE(file_remove_tree(run->directory, NULL)); /* what is left of it names no effect */
    }
    engine_free(run->engine);
    records_release(&run->records);
    context_release(&run->context);
    plan_free(run->plan);
    secrets_free(run->secrets);
    error_release(&run->error);
    free(run->id);
    free(run->state);
    free(run->directory);
    free(run->work_directory);
    free(run->plan_directory);
    free(run->plan_file);
    free(run->operator_name);
    free(run);
}

/* --- changing it ----------------------------------------------------------------------------- */

static void give_up(struct run *run, struct error *err)
{
    error_move(&run->error, err);
    run_leave(run, 1);
}

void run_commit(struct run *run, json_t *event, enum journal_durability durability,
                attempt_appended done, void *done_data)
{
    struct error err = ERROR_INIT;
    if (run->journal == NULL) {
        error_set(&err, ERROR_CANCELLED, "the journal is closed");
        if (done != NULL) {
            done(done_data, &err);
        }
        error_release(&err);
        json_decref(event);
        return;
    }
    CLEANUP(json_cleanup) json_t *redacted = secrets_redact_json(run->secrets, event);
    json_decref(event);
    if (journal_append(run->journal, redacted, durability, done, done_data, &err) != 0) {
        if (done != NULL) {
            done(done_data, &err);
        }
        give_up(run, &err);
        return;
    }
    records_apply(&run->records, redacted);
    if (engine_apply(run->engine, redacted, &err) != 0) {
        give_up(run, &err);
        return;
    }
    if (run->observer.event != NULL) {
        run->observer.event(run->observer.data, redacted);
    }
    if (event_type_of(redacted) == EVENT_ASKED) {
        run_answer_beforehand(run, redacted);
    }
    run_want_advance(run);
}

/* --- reading it ------------------------------------------------------------------------------ */

const char *run_id(const struct run *run)
{
    return run->id;
}

const char *run_directory(const struct run *run)
{
    return run->directory;
}

const struct plan *run_plan(const struct run *run)
{
    return run->plan;
}

const struct engine *run_engine(const struct run *run)
{
    return run->engine;
}

bool run_plan_has_changed(const struct run *run)
{
    return run->plan_changed;
}

uv_loop_t *run_loop(struct run *run)
{
    return &run->loop;
}

bool run_closing(const struct run *run)
{
    return run->leaving;
}
