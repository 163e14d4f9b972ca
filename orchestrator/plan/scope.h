/* Which names an expression may use, by where it stands in the plan. */
#ifndef DRCTL_PLAN_SCOPE_H
#define DRCTL_PLAN_SCOPE_H

#include "plan/model.h"

struct graph {
    size_t count;
    bool has_cycle;
    uint64_t *ancestors; /* count rows of bits: what each step waits for, directly or not */
};

/* Works out the ancestors and reports cycles. graph_release() frees. */
void graph_init(struct graph *graph, const struct plan *plan, struct error_list *errors);
void graph_release(struct graph *graph);
bool graph_is_ancestor(const struct graph *graph, size_t ancestor, size_t step);

struct scope {
    const struct plan *plan;
    const struct graph *graph;
    const json_t *site; /* NULL when not known */
    const struct plan_catalogue *catalogue;
    struct error_list *errors;
    const struct plan_step *step; /* whose ancestors' results are known; NULL for none */
    size_t inputs_known;          /* how many of the inputs, from the first */
    bool all_steps;               /* at the end of the run */
    bool own_step;                /* undo: the step's own results are known */
    bool env;
    bool operator_env; /* without `env`: the operator's own variables, by default(env.NAME, …) */
    bool each;
    bool probe;
};

/* Checks every template below the node. */
void scope_check(const struct scope *scope, const struct node *node);

/* Checks one scalar as a condition. */
void scope_check_condition(const struct scope *scope, const struct node *node);

/* Whether the node is nothing but the path of a secret: an input or an output that is one. */
bool scope_is_secret_path(const struct scope *scope, const struct node *node);

#endif
