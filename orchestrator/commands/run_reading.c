/* The frozen plan is read as the run reads it, but whatever is wrong with it only costs what it
 * would have told: the journal is what counts. */
#include "commands/run_reading.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "actions/action.h"
#include "base/file.h"
#include "base/json.h"
#include "journal/replay.h"
#include "plan/freeze.h"
#include "plan/resolve.h"
#include "plan/validate.h"
#include "runtime/state_directory.h"

enum { PLAN_JSON_LIMIT_BYTES = 64 * 1024 * 1024 };

bool wants_json(const struct invocation *invocation)
{
    const char *output = invocation_value(invocation, "output");
    return output != NULL && strcmp(output, "json") == 0;
}

void print_json(json_t *value)
{
    CLEANUP(buffer_release) struct buffer text = BUFFER_INIT;
    json_append(&text, value);
    printf("%s\n", buffer_text(&text));
    json_decref(value);
}

static void read_plan(struct run_reading *reading)
{
    CLEANUP(memory_cleanup) char *path = file_join(reading->directory, "plan.json");
    CLEANUP(buffer_release) struct buffer bytes = BUFFER_INIT;
    if (file_read(path, PLAN_JSON_LIMIT_BYTES, &bytes, NULL) != 0 ||
        plan_thaw(buffer_span(&bytes), path, &reading->plan, &reading->context, NULL) != 0) {
        return;
    }
    context_set(&reading->context, "env", json_object(), NULL);
    context_set(&reading->context, "run",
                json_pack("{s:s, s:s, s:s}", "id", reading->id, "directory", reading->directory,
                          "plan", reading->plan->name),
                NULL);
    struct error_list errors = {0};
    plan_validate(reading->plan, actions_catalogue(),
                  json_object_get(reading->context.values, "site"), &errors);
    plan_settle(reading->plan, &reading->context, &errors);
    error_list_release(&errors);
}

int run_reading_open(struct run_reading *reading, const struct invocation *invocation,
                     const char *given, struct error *err)
{
    *reading = (struct run_reading){0};
    context_init(&reading->context);
    CLEANUP(memory_cleanup) char *state = NULL;
    if (state_directory(invocation_value(invocation, "state-dir"), &state, err) != 0 ||
        state_find_run(state, given != NULL ? given : "last", &reading->id, err) != 0) {
        return -1;
    }
    reading->directory = state_run_directory(state, reading->id);
    reading->journal = file_join(reading->directory, "journal.jsonl");
    read_plan(reading);
    return 0;
}

void run_reading_release(struct run_reading *reading)
{
    free(reading->id);
    free(reading->directory);
    free(reading->journal);
    plan_free(reading->plan);
    context_release(&reading->context);
}

static int take(const struct journal_event *event, void *data, struct error *err)
{
    (void)err;
    fold_event(data, event->json);
    return 0;
}

int fold_journal(struct fold *fold, const char *journal, struct error *err)
{
    struct journal_tail tail;
    return journal_replay(journal, take, fold, &tail, err);
}

int run_reading_fold(const struct run_reading *reading, struct fold *fold, struct error *err)
{
    return fold_journal(fold, reading->journal, err);
}

void fold_plan(struct fold *fold, const struct plan *plan)
{
    if (plan == NULL) {
        return;
    }
    vector_each (const struct plan_step *, step, &plan->steps) {
        fold_add_step(fold, step->id, step->call.uses);
    }
    vector_each (const struct plan_objective *, objective, &plan->objectives) {
        bool at_step = objective->step < plan->steps.count;
        fold_add_objective(fold, objective->component,
                           at_step ? plan->steps.items[objective->step].id : NULL,
                           objective->rto_ms, objective->rpo_ms);
    }
}
