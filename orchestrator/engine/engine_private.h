/* What apply.c and decide.c share: the folded state of a run. */
#ifndef DRCTL_ENGINE_ENGINE_PRIVATE_H
#define DRCTL_ENGINE_ENGINE_PRIVATE_H

#include "engine/engine.h"

struct engine_dependents {
    VECTOR(size_t)
    steps; /* indices of the steps that need this one */
};

struct engine {
    const struct plan *plan;
    struct context context;
    struct engine_limits limits;
    char *run_id;
    VECTOR(struct engine_node *)
    nodes;                                /* the plan's steps first */
    struct table names;                   /* name → index in nodes */
    struct engine_dependents *dependents; /* one for each step */
    VECTOR(struct engine_node *)
    ready; /* may begin; sorted by order in the plan */
    VECTOR(struct engine_node *)
    unsettled; /* something follows from their state, without waiting */
    VECTOR(struct engine_node *)
    active;         /* running, failing, waiting, asking */
    size_t halting; /* nodes whose end keeps anything new from starting */
    bool paused;
    bool cancelled;
    char *outcome;
};

/* True when nothing new may start but what asks for it with always() and the like. */
bool engine_is_halted(const struct engine *engine);

/* True for states in which something is still going on. */
bool engine_state_is_active(enum step_state state);

#endif
