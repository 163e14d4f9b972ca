/* Gathers what a review asks for. What is not in the journal is left out, never guessed: the root
 * cause is for people to find. */
#include "view/report.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "engine/event.h"

static json_t *list_of(json_t **slot)
{
    if (*slot == NULL) {
        *slot = json_array();
    }
    return *slot;
}

static json_t *entry_of(const json_t *event)
{
    return json_pack("{s:s?, s:s?}", "at", json_get_text(event, "at"), "step",
                     json_get_text(event, "step"));
}

static const char *text_of(const json_t *event, const char *key)
{
    const char *text = json_get_text(event, key);
    return text != NULL ? text : "";
}

/* --- the timeline ---------------------------------------------------------------------------- */

/* NULL for what a timeline does not need. The caller frees it. */
static char *describe(const json_t *event)
{
    long long attempt = (long long)json_get_integer(event, "attempt", 1);
    switch (event_type_of(event)) {
    case EVENT_RUN_CREATED:
        return memory_format("the run begins, by %s on %s", text_of(event, "operator"),
                             text_of(event, "host"));
    case EVENT_RUN_RESUMED:
        return memory_format("resumed by %s", text_of(event, "operator"));
    case EVENT_RUN_PAUSED:
        return memory_format("paused by %s", text_of(event, "who"));
    case EVENT_RUN_CONTINUED:
        return memory_format("continued by %s", text_of(event, "who"));
    case EVENT_RUN_CANCELLED:
        return memory_format("cancelled by %s", text_of(event, "who"));
    case EVENT_RUN_ENDED:
        return memory_format("the run has %s", text_of(event, "outcome"));
    case EVENT_STEP_STARTED:
        return attempt > 1
                   ? memory_format("%s begins, attempt %lld", text_of(event, "uses"), attempt)
                   : memory_format("%s begins", text_of(event, "uses"));
    case EVENT_STEP_SUCCEEDED:
        return memory_text("done");
    case EVENT_STEP_SKIPPED:
        return memory_format("skipped (%s)", text_of(event, "reason"));
    case EVENT_ATTEMPT_FAILED:
        return memory_format("failed: %s", text_of(json_object_get(event, "error"), "message"));
    case EVENT_STEP_CANCELLED:
        return memory_text("cancelled");
    case EVENT_STEP_RETRIED:
        return memory_format("another attempt, asked for by %s", text_of(event, "who"));
    case EVENT_ASKED:
        return memory_format("asks: %s", text_of(event, "text"));
    case EVENT_ANSWERED:
        return memory_format("%s answers: %s", text_of(event, "who"), text_of(event, "answer"));
    default:
        return NULL;
    }
}

static void add_to_timeline(struct report *report, const json_t *event)
{
    CLEANUP(memory_cleanup) char *what = describe(event);
    if (what != NULL) {
        json_t *entry = entry_of(event);
        json_object_set_new(entry, "what", json_string(what));
        json_array_append_new(list_of(&report->timeline), entry);
    }
}

/* --- decisions, facts, errors ---------------------------------------------------------------- */

static void add_decision(struct report *report, const json_t *event)
{
    if (json_get_text(event, "who") == NULL) {
        return;
    }
    bool answered = event_type_of(event) == EVENT_ANSWERED;
    CLEANUP(memory_cleanup)
    char *what = answered
                     ? memory_format("%s: %s", text_of(event, "question"), text_of(event, "answer"))
                     : memory_text(event_type_name(event_type_of(event)));
    json_t *entry = entry_of(event);
    json_object_set(entry, "who", json_object_get(event, "who"));
    json_object_set_new(entry, "what", json_string(what));
    json_object_set_new(entry, "why",
                        json_get_text(event, "why") != NULL ? json_string(text_of(event, "why"))
                                                            : json_null());
    json_array_append_new(list_of(&report->decisions), entry);
}

static void add_fact(struct report *report, const json_t *event)
{
    json_t *entry = entry_of(event);
    json_object_set(entry, "kind", json_object_get(event, "kind"));
    json_object_set(entry, "value", json_object_get(event, "value"));
    json_array_append_new(list_of(&report->changes), entry);
}

static void add_error(struct report *report, const json_t *event)
{
    const json_t *error = json_object_get(event, "error");
    json_t *entry = entry_of(event);
    json_object_set_new(entry, "attempt", json_integer(json_get_integer(event, "attempt", 1)));
    json_object_set_new(entry, "message", json_string(text_of(error, "message")));
    if (json_get_text(error, "hint") != NULL) {
        json_object_set(entry, "hint", json_object_get(error, "hint"));
    }
    if (json_is_array(json_object_get(event, "tail"))) {
        json_object_set(entry, "tail", json_object_get(event, "tail"));
    }
    json_array_append_new(list_of(&report->errors), entry);
}

/* A question of a step whose attempt ended is no longer asked. */
static void count_questions(struct report *report, const json_t *event, bool asked, bool over)
{
    int64_t at_ns = fold_time(event, "at");
    if (asked && report->questions++ == 0) {
        report->asked_at_ns = at_ns;
    }
    if (over && report->questions > 0 && --report->questions == 0) {
        report->waited_ns += at_ns - report->asked_at_ns;
    }
}

void report_event(struct report *report, const json_t *event)
{
    enum event_type type = event_type_of(event);
    report->last_at_ns = fold_time(event, "at");
    add_to_timeline(report, event);
    add_decision(report, event);
    count_questions(report, event, type == EVENT_ASKED, type == EVENT_ANSWERED);
    if (type == EVENT_FACT) {
        add_fact(report, event);
    } else if (type == EVENT_ATTEMPT_FAILED) {
        add_error(report, event);
    }
}

/* --- objectives ------------------------------------------------------------------------------ */

/* How old the data was that a component came back with, in ms; -1 when nothing says so. Where it is
 * known of when the data is, what was lost runs from there to the declared incident. */
static int64_t data_age_ms(const struct report *report, const struct fold *fold,
                           const char *component)
{
    int64_t age_ms = -1;
    size_t index;
    json_t *change;
    json_array_foreach (report->changes, index, change) {
        const json_t *value = json_object_get(change, "value");
        const char *of = json_get_text(value, "component");
        if (strcmp(text_of(change, "kind"), "data.age") != 0 ||
            (of != NULL && strcmp(of, component) != 0)) {
            continue;
        }
        const json_t *age = json_object_get(value, "age_s");
        int64_t created_ns = fold_time(value, "created_at");
        if (created_ns != 0 && json_get_text(fold->created, "incident_at") != NULL) {
            age_ms = (fold_incident_ns(fold) - created_ns) / CLOCK_NS_PER_MS;
            age_ms = age_ms < 0 ? 0 : age_ms;
        } else if (json_is_number(age)) {
            age_ms = (int64_t)(json_number_value(age) * 1000);
        }
    }
    return age_ms;
}

static json_t *objective_json(const struct report *report, const struct fold *fold,
                              const struct fold_objective *objective)
{
    int64_t reached_ns = fold_reached_ns(fold, objective);
    int64_t took_ms =
        reached_ns != 0 ? (reached_ns - fold_incident_ns(fold)) / CLOCK_NS_PER_MS : -1;
    int64_t age_ms = data_age_ms(report, fold, objective->component);
    json_t *value =
        json_pack("{s:s, s:I, s:I, s:I, s:I}", "component", objective->component, "rto_ms",
                  (json_int_t)objective->rto_ms, "took_ms", (json_int_t)took_ms, "rpo_ms",
                  (json_int_t)objective->rpo_ms, "age_ms", (json_int_t)age_ms);
    if (objective->rto_ms >= 0) {
        const char *rto = took_ms < 0                    ? "not reached"
                          : took_ms <= objective->rto_ms ? "met"
                                                         : "missed";
        json_object_set_new(value, "rto", json_string(rto));
    }
    if (objective->rpo_ms >= 0) {
        const char *rpo = age_ms < 0                    ? "not measured"
                          : age_ms <= objective->rpo_ms ? "met"
                                                        : "missed";
        json_object_set_new(value, "rpo", json_string(rpo));
    }
    return value;
}

static void set_time(json_t *value, const char *key, int64_t at_ns)
{
    char text[CLOCK_RFC3339_SIZE];
    clock_format_rfc3339_ms(at_ns, text);
    json_object_set_new(value, key, at_ns != 0 ? json_string(text) : json_null());
}

static json_t *steps_json(const struct fold *fold, int64_t now_ns)
{
    json_t *steps = json_array();
    vector_each (const struct fold_step *, step, &fold->steps) {
        int64_t end_ns = step->ended_at_ns != 0 ? step->ended_at_ns : now_ns;
        int64_t lasted_ms =
            step->started_at_ns != 0 ? (end_ns - step->started_at_ns) / CLOCK_NS_PER_MS : 0;
        json_t *value =
            json_pack("{s:s, s:s?, s:s, s:s?, s:I, s:I}", "name", step->name, "uses", step->uses,
                      "state", step_state_name(step->state), "reason", step->reason, "attempts",
                      (json_int_t)step->attempts, "duration_ms", (json_int_t)lasted_ms);
        set_time(value, "started_at", step->started_at_ns);
        json_array_append_new(steps, value);
    }
    return steps;
}

json_t *report_finish(struct report *report, const struct fold *fold)
{
    int64_t end_ns = fold->ended_at_ns != 0 ? fold->ended_at_ns : report->last_at_ns;
    if (report->questions > 0) {
        report->waited_ns += end_ns - report->asked_at_ns;
    }
    json_t *objectives = json_array();
    vector_each (const struct fold_objective *, objective, &fold->objectives) {
        json_array_append_new(objectives, objective_json(report, fold, objective));
    }
    json_t *review = json_pack(
        "{s:s, s:s, s:s, s:s, s:s, s:b, s:I, s:I, s:o, s:o, s:o, s:o, s:o, s:o}", "run",
        text_of(fold->created, "run"), "plan", text_of(fold->created, "plan"), "target",
        text_of(fold->created, "target"), "operator", text_of(fold->created, "operator"), "status",
        fold_status(fold), "dry_run", json_is_true(json_object_get(fold->created, "dry_run")),
        "duration_ms", (json_int_t)((end_ns - fold->first_at_ns) / CLOCK_NS_PER_MS), "waited_ms",
        (json_int_t)(report->waited_ns / CLOCK_NS_PER_MS), "objectives", objectives, "steps",
        steps_json(fold, end_ns), "decisions", list_of(&report->decisions), "changes",
        list_of(&report->changes), "errors", list_of(&report->errors), "timeline",
        list_of(&report->timeline));
    set_time(review, "incident_at", fold_incident_ns(fold));
    set_time(review, "started_at", fold->first_at_ns);
    set_time(review, "ended_at", fold->ended_at_ns);
    *report = (struct report){0};
    return review;
}
