/* A rollback is planned from two things that do not change any more: the frozen plan and the
 * journal. For each step that was begun, newest first: its own `undo` when the plan gives one, else
 * its action's, with the arguments that it had and what it remembered. */
#include "runtime/rollback.h"

#include <stdlib.h>
#include <string.h>

#include "actions/action.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "engine/engine.h"
#include "journal/replay.h"
#include "plan/freeze.h"
#include "plan/resolve.h"
#include "plan/validate.h"
#include "runtime/records.h"
#include "runtime/state_directory.h"

enum { PLAN_JSON_LIMIT_BYTES = 64 * 1024 * 1024 };

struct past {
    struct plan *plan;
    struct context context;
    struct engine *engine;
    struct records records;
    json_t *created;
};

void rollback_release(struct rollback *rollback)
{
    free(rollback->plan_text);
    free(rollback->plan_file);
    json_decref(rollback->undone);
    json_decref(rollback->kept);
}

static void past_release(struct past *past)
{
    engine_free(past->engine);
    records_release(&past->records);
    context_release(&past->context);
    plan_free(past->plan);
    json_decref(past->created);
}

static int fold(const struct journal_event *event, void *data, struct error *err)
{
    struct past *past = data;
    if (event_type_of(event->json) == EVENT_RUN_CREATED) {
        past->created = json_incref(event->json);
    }
    records_apply(&past->records, event->json);
    return engine_apply(past->engine, event->json, err);
}

static int read_plan(struct past *past, const char *directory, struct error *err)
{
    CLEANUP(memory_cleanup) char *path = file_join(directory, "plan.json");
    CLEANUP(buffer_release) struct buffer bytes = BUFFER_INIT;
    if (file_read(path, PLAN_JSON_LIMIT_BYTES, &bytes, err) != 0 ||
        plan_thaw(buffer_span(&bytes), path, &past->plan, &past->context, err) != 0) {
        return -1;
    }
    const struct plan_input *secret;
    while ((secret = plan_missing_secret(past->plan, &past->context)) != NULL) {
        plan_thaw_secret(secret, "***", &past->context);
    }
    struct error_list errors = {0};
    plan_validate(past->plan, actions_catalogue(), json_object_get(past->context.values, "site"),
                  &errors);
    plan_settle(past->plan, &past->context, &errors);
    int result = 0;
    if (errors.errors.count > 0) {
        result = error_set(err, ERROR_INVALID, "this drctl does not accept the run's plan: %s",
                           errors.errors.items[0].message);
    }
    error_list_release(&errors);
    return result;
}

static int read_past(struct past *past, const char *state, const char *run_id, struct error *err)
{
    CLEANUP(memory_cleanup) char *directory = state_run_directory(state, run_id);
    CLEANUP(memory_cleanup) char *work = file_join(directory, "work");
    CLEANUP(memory_cleanup) char *journal = file_join(directory, "journal.jsonl");
    struct journal_tail tail;
    context_init(&past->context);
    records_init(&past->records);
    context_set(&past->context, "run",
                json_pack("{s:s, s:s, s:s}", "id", run_id, "directory", directory, "work", work),
                NULL);
    context_set(&past->context, "env", json_object(), NULL);
    if (read_plan(past, directory, err) != 0) {
        return -1;
    }
    struct engine_limits limits = {0};
    past->engine = engine_new(past->plan, &past->context, &limits, run_id);
    return journal_replay(journal, fold, past, &tail, err);
}

/* --- what was begun, newest first ------------------------------------------------------------ */

struct done_nodes {
    VECTOR(struct engine_node *)
    nodes;
};

static int compare_newest_first(const void *a, const void *b)
{
    const struct engine_node *x = *(struct engine_node *const *)a;
    const struct engine_node *y = *(struct engine_node *const *)b;
    int64_t x_ns = x->ended_at_ns != 0 ? x->ended_at_ns : INT64_MAX;
    int64_t y_ns = y->ended_at_ns != 0 ? y->ended_at_ns : INT64_MAX;
    if (x_ns != y_ns) {
        return x_ns < y_ns ? 1 : -1;
    }
    return x->step->index < y->step->index ? 1 : x->step->index > y->step->index ? -1 : 0;
}

static struct done_nodes begun_nodes(const struct engine *engine)
{
    struct done_nodes done = {0};
    for (size_t i = 0; i < engine_node_count(engine); i++) {
        struct engine_node *node = engine_node_at(engine, i);
        if (node->attempts > 0 && node->items == NULL && node->state != STEP_SKIPPED) {
            vector_push(&done.nodes, node);
        }
    }
    if (done.nodes.count > 1) {
        qsort(done.nodes.items, done.nodes.count, sizeof *done.nodes.items, compare_newest_first);
    }
    return done;
}

/* --- their undoing as steps ------------------------------------------------------------------ */

/* A text of the past must stay what it is: its `${{` is not an expression of the new plan. */
static json_t *quote(const json_t *value)
{
    if (json_is_string(value)) {
        struct buffer text = BUFFER_INIT;
        const char *at = json_string_value(value);
        for (const char *found; (found = strstr(at, "${{")) != NULL; at = found + 3) {
            buffer_append(&text, at, (size_t)(found - at));
            buffer_append_text(&text, "$${{");
        }
        buffer_append_text(&text, at);
        json_t *quoted = json_string(buffer_text(&text));
        buffer_release(&text);
        return quoted;
    }
    if (json_is_array(value)) {
        json_t *list = json_array();
        size_t index;
        json_t *item;
        json_array_foreach (value, index, item) {
            json_array_append_new(list, quote(item));
        }
        return list;
    }
    if (json_is_object(value)) {
        json_t *map = json_object();
        const char *key;
        json_t *item;
        json_object_foreach ((json_t *)value, key, item) {
            json_object_set_new(map, key, quote(item));
        }
        return map;
    }
    return json_deep_copy(value);
}

/* The arguments of a call: as they are written in a plan, or as an action is given them. */
static json_t *resolve_call(const struct past *past, const struct engine_node *node,
                            const struct plan_call *call, bool as_written, struct error *err)
{
    if (as_written && call->with == NULL) {
        return json_object();
    }
    struct context context;
    struct resolved resolved = {0};
    engine_context(past->engine, node, clock_wall_ns(), &context);
    int result = as_written ? resolve_value(past->plan, call->with, &context, &resolved, err)
                            : resolve_arguments(past->plan, call, &context, &resolved, err);
    context_release(&context);
    if (result != 0) {
        error_context(err, "the undoing of %s", node->name);
        return NULL;
    }
    json_t *quoted = quote(resolved.value);
    resolved_release(&resolved);
    return quoted;
}

/* Everything that the step's attempts remembered; what a later one remembered comes first. */
static json_t *remembered_of(const struct past *past, const struct engine_node *node)
{
    json_t *all = json_object();
    for (size_t attempt = node->attempts; attempt > 0; attempt--) {
        json_t *one = records_find(&past->records, node->name, attempt, NULL).remembered;
        if (one != NULL) {
            json_object_update_missing(all, one);
        }
    }
    return all;
}

static json_t *step_of(const struct past *past, const struct engine_node *node, struct error *err)
{
    const struct plan_step *step = node->step;
    if (step->undo.uses != NULL) {
        json_t *with = resolve_call(past, node, &step->undo, true, err);
        return with == NULL ? NULL : json_pack("{s:s, s:o}", "uses", step->undo.uses, "with", with);
    }
    json_t *arguments = resolve_call(past, node, &step->call, false, err);
    if (arguments == NULL) {
        return NULL;
    }
    CLEANUP(json_cleanup) json_t *remembered = remembered_of(past, node);
    return json_pack("{s:s, s:{s:s, s:o, s:o}}", "uses", "undo", "with", "action", step->call.uses,
                     "arguments", arguments, "remembered", quote(remembered));
}

static bool can_be_undone(const struct engine_node *node)
{
    const struct action *action = action_find(node->step->call.uses);
    return node->step->undo.uses != NULL || (action != NULL && action->undo != NULL);
}

static bool undo_destroys(const struct engine_node *node)
{
    const char *uses = node->step->undo.uses;
    const struct action *action = uses != NULL ? action_find(uses) : NULL;
    return action != NULL && action->destroys;
}

static bool is_named(const char *const *names, const char *name)
{
    for (; names != NULL && *names != NULL; names++) {
        if (strcmp(*names, name) == 0) {
            return true;
        }
    }
    return false;
}

static char *undo_id(const struct engine_node *node)
{
    struct buffer id = BUFFER_INIT;
    buffer_append_text(&id, "undo-");
    for (const char *at = node->name; *at != '\0'; at++) {
        bool plain = (*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z') ||
                     (*at >= '0' && *at <= '9') || *at == '-' || *at == '_';
        buffer_append_char(&id, plain ? *at : '-');
    }
    return buffer_take(&id);
}

static int add_steps(const struct past *past, const char *const *destroy, json_t *steps,
                     struct rollback *rollback, struct error *err)
{
    struct done_nodes done = begun_nodes(past->engine);
    CLEANUP(buffer_release) struct buffer refused = BUFFER_INIT;
    int result = 0;
    vector_each (struct engine_node **, item, &done.nodes) {
        struct engine_node *node = *item;
        const struct action *action = action_find(node->step->call.uses);
        if (!can_be_undone(node)) {
            if (action != NULL && action->description.mutates) {
                json_array_append_new(rollback->kept, json_pack("{s:s, s:s}", "step", node->name,
                                                                "action", node->step->call.uses));
            }
            continue;
        }
        if (undo_destroys(node) && !is_named(destroy, node->name)) {
            buffer_append_format(&refused, "%s%s", refused.size_bytes != 0 ? ", " : "", node->name);
            continue;
        }
        CLEANUP(memory_cleanup) char *id = undo_id(node);
        json_t *step = step_of(past, node, err);
        if (step == NULL) {
            result = -1;
            break;
        }
        json_object_set_new(steps, id, step);
        json_array_append_new(rollback->undone, json_pack("{s:s, s:s, s:I}", "step", node->name,
                                                          "action", node->step->call.uses,
                                                          "attempts", (json_int_t)node->attempts));
    }
    vector_release(&done.nodes);
    if (result == 0 && refused.size_bytes > 0) {
        result = error_set(err, ERROR_REFUSED, "undoing would destroy what these steps made: %s",
                           buffer_text(&refused));
        error_hint(err, "name each that may go with --destroy STEP");
    }
    return result;
}

static int plan_past(const struct past *past, const char *run_id, const char *const *destroy,
                     struct rollback *rollback, struct error *err)
{
    CLEANUP(json_cleanup) json_t *steps = json_object();
    rollback->undone = json_array();
    rollback->kept = json_array();
    rollback->plan_file = memory_text(json_get_text(past->created, "plan_file"));
    if (add_steps(past, destroy, steps, rollback, err) != 0) {
        return -1;
    }
    if (json_object_size(steps) == 0) {
        return error_set(err, ERROR_NOT_FOUND, "the run %s did nothing that drctl can undo",
                         run_id);
    }
    CLEANUP(memory_cleanup) char *summary = memory_format("Undo what the run %s did", run_id);
    CLEANUP(json_cleanup)
    json_t *plan = json_pack("{s:s, s:s, s:O, s:O}", "plan", "rollback", "summary", summary,
                             "target", json_object_get(past->created, "target"), "steps", steps);
    struct buffer text = BUFFER_INIT;
    json_append(&text, plan);
    rollback->plan_text = buffer_take(&text);
    return 0;
}

int rollback_plan(const char *state, const char *run_id, const char *const *destroy,
                  struct rollback *ret_rollback, struct error *err)
{
    struct past past = {0};
    struct rollback rollback = {0};
    int result = read_past(&past, state, run_id, err);
    if (result == 0) {
        result = plan_past(&past, run_id, destroy, &rollback, err);
    }
    past_release(&past);
    if (result != 0) {
        rollback_release(&rollback);
        return -1;
    }
    *ret_rollback = rollback;
    return 0;
}
