/* The states of a step, and the one table that says how events move it between them. */
#ifndef DRCTL_ENGINE_STATE_H
#define DRCTL_ENGINE_STATE_H

#include <stdbool.h>
#include <stddef.h>

#include "engine/event.h"

enum step_state {
    STEP_PENDING,  /* not begun */
    STEP_EXPANDED, /* a for_each: its instances are on their way */
    STEP_RUNNING,  /* an attempt is under way, or was when drctl went away */
    STEP_FAILING,  /* an attempt failed; what follows from that is not decided yet */
    STEP_WAITING,  /* for the time of its next attempt */
    STEP_ASKING,   /* a person decides what a failed attempt means */
    STEP_SUCCEEDED,
    STEP_SKIPPED,
    STEP_FAILED,
    STEP_CANCELLED,
};

struct step_transition {
    enum step_state from;
    enum event_type event;
    enum step_state to;
    const char *comment;
};

extern const struct step_transition step_transitions[];
extern const size_t step_transitions_count;

const char *step_state_name(enum step_state state);

/* The transition that an event causes in a state, or NULL when the two do not go together. */
const struct step_transition *step_transition_find(enum step_state from, enum event_type event);

/* An end that a later step need not wait for any longer, whether good or bad. */
bool step_state_is_final(enum step_state state);

#endif
