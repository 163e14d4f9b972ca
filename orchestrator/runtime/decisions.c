/* What people decide: checked against the state of the run, and appended as events with who and
 * why. The table names the verbs; nothing else knows them. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/nearest.h"
#include "runtime/run_private.h"

static json_t *with_person(json_t *event, const json_t *decision)
{
    json_object_set(event, "who", json_object_get(decision, "who"));
    if (json_get_text(decision, "why") != NULL) {
        json_object_set(event, "why", json_object_get(decision, "why"));
    }
    return event;
}

static struct engine_node *find_step(struct run *run, const json_t *decision, struct error *err)
{
    const char *name = json_get_text(decision, "step");
    if (name == NULL) {
        error_set(err, ERROR_USAGE, "which step?");
        return NULL;
    }
    struct engine_node *node = engine_find(run->engine, name);
    if (node == NULL) {
        struct nearest nearest;
        nearest_init(&nearest, name);
        for (size_t i = 0; i < engine_node_count(run->engine); i++) {
            nearest_offer(&nearest, engine_node_at(run->engine, i)->name);
        }
        error_set(err, ERROR_USAGE, "the run has no step '%s'", name);
        if (nearest.best != NULL) {
            error_hint(err, "did you mean %s?", nearest.best);
        }
    }
    return node;
}

static bool offers(const json_t *asked, const char *answer)
{
    size_t index;
    json_t *choice;
    json_array_foreach (json_object_get(asked, "choices"), index, choice) {
        if (strcmp(json_string_value(choice), answer) == 0) {
            return true;
        }
    }
    return false;
}

static void give_answer(struct run *run, struct engine_node *node, const char *answer,
                        const json_t *decision)
{
    CLEANUP(memory_cleanup) char *question = memory_text(json_get_text(node->question, "question"));
    json_t *event = event_new(EVENT_ANSWERED, node->name, node->attempts);
    if (json_object_get(node->question, "phase") != NULL) {
        json_object_set(event, "phase", json_object_get(node->question, "phase"));
    }
    json_object_set_new(event, "question", json_string(question));
    json_object_set_new(event, "answer", json_string(answer));
    run_commit(run, with_person(event, decision), JOURNAL_DURABLE, NULL, NULL);
    struct running *running = run_find_running(run, node->name);
    if (running != NULL) {
        attempt_answer(running->attempt, question, answer);
    }
}

static int answer_with(struct run *run, const json_t *decision, const char *answer, char **ret_text,
                       struct error *err)
{
    struct engine_node *node = find_step(run, decision, err);
    if (node == NULL) {
        return -1;
    }
    if (node->question == NULL) {
        return error_set(err, ERROR_REFUSED, "%s does not ask for anything; it is %s", node->name,
                         step_state_name(node->state));
    }
    if (answer == NULL || !offers(node->question, answer)) {
        CLEANUP(memory_cleanup)
        char *choices = json_canonical(json_object_get(node->question, "choices"));
        return error_set(err, ERROR_USAGE, "%s asks for one of %s", node->name, choices);
    }
    give_answer(run, node, answer, decision);
    *ret_text = memory_format("%s: %s", node->name, answer);
    return 0;
}

static int approve(struct run *run, const json_t *decision, char **ret_text, struct error *err)
{
    return answer_with(run, decision, "approve", ret_text, err);
}

static int answer(struct run *run, const json_t *decision, char **ret_text, struct error *err)
{
    return answer_with(run, decision, json_get_text(decision, "answer"), ret_text, err);
}

static int transition(struct run *run, struct engine_node *node, json_t *event,
                      const json_t *decision, struct error *err)
{
    enum event_type type = event_type_of(event);
    if (step_transition_find(node->state, type) == NULL || node->state == STEP_RUNNING) {
        json_decref(event);
        return error_set(err, ERROR_REFUSED, "%s is %s", node->name, step_state_name(node->state));
    }
    run_commit(run, with_person(event, decision), JOURNAL_DURABLE, NULL, NULL);
    return 0;
}

static int retry(struct run *run, const json_t *decision, char **ret_text, struct error *err)
{
    struct engine_node *node = find_step(run, decision, err);
    if (node == NULL) {
        return -1;
    }
    if (node->question != NULL && offers(node->question, "retry")) {
        give_answer(run, node, "retry", decision);
    } else if (transition(run, node, event_new(EVENT_STEP_RETRIED, node->name, 0), decision, err) !=
               0) {
        return -1;
    }
    *ret_text = memory_format("%s gets another attempt", node->name);
    return 0;
}

/* The steps that use what the skipped one would have given. */
static char *who_lacks_input(const struct run *run, const struct engine_node *skipped)
{
    struct buffer names = BUFFER_INIT;
    vector_each (const struct plan_step *, step, &run->plan->steps) {
        vector_each (const size_t *, need, &step->needs) {
            if (*need == skipped->step->index && !step->needs_are_implied) {
                buffer_append_format(&names, "%s%s", names.size_bytes != 0 ? ", " : "", step->id);
            }
        }
    }
    return buffer_take(&names);
}

static int skip(struct run *run, const json_t *decision, char **ret_text, struct error *err)
{
    struct engine_node *node = find_step(run, decision, err);
    if (node == NULL) {
        return -1;
    }
    CLEANUP(memory_cleanup) char *lacking = who_lacks_input(run, node);
    if (node->question != NULL && offers(node->question, "skip")) {
        give_answer(run, node, "skip", decision);
    } else {
        json_t *event = event_new(EVENT_STEP_SKIPPED, node->name, 0);
        json_object_set_new(event, "reason", json_string("person"));
        if (transition(run, node, event, decision, err) != 0) {
            return -1;
        }
    }
    *ret_text = memory_format("%s is skipped%s%s", node->name,
                              lacking[0] != '\0' ? "; these steps wait for it and lack what it "
                                                   "would have given: "
                                                 : "",
                              lacking);
    return 0;
}

static int pause_run(struct run *run, const json_t *decision, char **ret_text, struct error *err)
{
    (void)err;
    run_commit(run, with_person(event_new(EVENT_RUN_PAUSED, NULL, 0), decision), JOURNAL_DURABLE,
               NULL, NULL);
    *ret_text = memory_text("paused: what runs may end, nothing new starts");
    return 0;
}

static int continue_run(struct run *run, const json_t *decision, char **ret_text, struct error *err)
{
    if (!engine_is_paused(run->engine)) {
        return error_set(err, ERROR_REFUSED, "the run is not paused");
    }
    run_commit(run, with_person(event_new(EVENT_RUN_CONTINUED, NULL, 0), decision), JOURNAL_DURABLE,
               NULL, NULL);
    *ret_text = memory_text("the run goes on");
    return 0;
}

static int cancel(struct run *run, const json_t *decision, char **ret_text, struct error *err)
{
    if (engine_outcome(run->engine) != NULL) {
        return error_set(err, ERROR_REFUSED, "the run has ended: %s", engine_outcome(run->engine));
    }
    if (!engine_is_cancelled(run->engine)) {
        run_commit(run, with_person(event_new(EVENT_RUN_CANCELLED, NULL, 0), decision),
                   JOURNAL_DURABLE, NULL, NULL);
    }
    run_stop_attempts(run, ERROR_CANCELLED, "the run was cancelled", false);
    *ret_text = memory_text("cancelled: what runs was asked to stop and is waited for");
    return 0;
}

static int kill_run(struct run *run, const json_t *decision, char **ret_text, struct error *err)
{
    if (cancel(run, decision, ret_text, err) != 0) {
        return -1;
    }
    run_stop_attempts(run, ERROR_CANCELLED, "killed on request", true);
    free(*ret_text);
    *ret_text = memory_text("cancelled: what ran was killed");
    return 0;
}

static const struct {
    const char *verb;
    int (*decide)(struct run *run, const json_t *decision, char **ret_text, struct error *err);
} verbs[] = {
    {"approve", approve}, {"answer", answer},         {"retry", retry},   {"skip", skip},
    {"pause", pause_run}, {"continue", continue_run}, {"cancel", cancel}, {"kill", kill_run},
};

int run_decide(struct run *run, const json_t *decision, char **ret_text, struct error *err)
{
    const char *verb = json_get_text(decision, "verb");
    if (json_get_text(decision, "who") == NULL) {
        return error_set(err, ERROR_USAGE, "a decision has to say who takes it");
    }
    for (size_t i = 0; verb != NULL && i < ARRAY_SIZE(verbs); i++) {
        if (strcmp(verbs[i].verb, verb) == 0) {
            return verbs[i].decide(run, decision, ret_text, err);
        }
    }
    return error_set(err, ERROR_USAGE, "there is no decision '%s'", verb != NULL ? verb : "");
}

/* Approvals that were given with the command line. Only what asks for an approval: a question about
 * something unknown is never answered beforehand. */
void run_answer_beforehand(struct run *run, const json_t *asked)
{
    const char *step = json_get_text(asked, "step");
    bool given = run->approve_all;
    for (const char *const *id = run->approvals; !given && id != NULL && *id != NULL; id++) {
        given = strcmp(*id, step) == 0;
    }
    struct engine_node *node = engine_find(run->engine, step);
    if (!given || node == NULL || node->question == NULL || !offers(asked, "approve")) {
        return;
    }
    CLEANUP(json_cleanup)
    json_t *decision = json_pack("{s:s, s:s}", "who", run->operator_name, "why",
                                 run->approve_all ? "--yes" : "--approve");
    give_answer(run, node, "approve", decision);
}
