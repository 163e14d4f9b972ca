/* What a run is like now, folded from its events: the one thing that status, the summary at the
 * end, the report and the live views look at. */
#ifndef DRCTL_VIEW_FOLD_H
#define DRCTL_VIEW_FOLD_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/table.h"
#include "base/vector.h"
#include "engine/state.h"

struct fold_step {
    char *name;
    char *uses; /* NULL before it started, unless the plan said so */
    enum step_state state;
    size_t attempts;
    int64_t started_at_ns; /* of its first attempt; 0 before */
    int64_t ended_at_ns;   /* 0 while it is not over */
    char *reason;          /* of a skip: if, unless, person; NULL */
    json_t *error;         /* of its latest failure; NULL */
    json_t *tail;          /* the last lines of that; NULL */
    json_t *question;      /* an open question; NULL */
    json_t *task;          /* the latest task_started; NULL */
    json_t *facts;         /* array of {kind, value} */
};

/* What the plan promises; a time of -1 means: nothing. */
struct fold_objective {
    char *component;
    char *step; /* reached when it is done; NULL: at the end of the run */
    int64_t rto_ms;
    int64_t rpo_ms;
};

struct fold {
    VECTOR(struct fold_step)
    steps;
    VECTOR(struct fold_objective)
    objectives;
    struct table names;
    json_t *created;   /* the run_created event; NULL before */
    json_t *decisions; /* array of the events that people caused */
    int64_t first_at_ns;
    int64_t last_at_ns;
    int64_t ended_at_ns; /* 0 while the run is not over */
    bool paused;
    bool cancelled;
    char *outcome; /* NULL while the run is not over */
};

void fold_release(struct fold *fold);

/* Steps in the plan's order, so that those that did not begin show, too. uses may be NULL. */
void fold_add_step(struct fold *fold, const char *name, const char *uses);

void fold_add_objective(struct fold *fold, const char *component, const char *step, int64_t rto_ms,
                        int64_t rpo_ms);

void fold_event(struct fold *fold, const json_t *event);

/* NULL when there is none. */
const struct fold_step *fold_find(const struct fold *fold, const char *name);

/* "succeeded", "failed", "cancelled", "waiting for a person", "paused", "running". */
const char *fold_status(const struct fold *fold);

/* How many steps are in a state. */
size_t fold_count(const struct fold *fold, enum step_state state);

/* When the incident began: as it was declared, else when the run did. 0 before the first event. */
int64_t fold_incident_ns(const struct fold *fold);

/* When an objective was reached; 0 while it is not. */
int64_t fold_reached_ns(const struct fold *fold, const struct fold_objective *objective);

/* The time of an event's field in nanoseconds; 0 when it has none. */
int64_t fold_time(const json_t *event, const char *field);

#endif
