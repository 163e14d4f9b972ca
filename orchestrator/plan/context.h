/* What expressions can see while they are evaluated. The values are one JSON object with the roots
 *   inputs  site  run  env  steps  each  probe
 * of which a root that is not known (yet) is simply missing. */
#ifndef DRCTL_PLAN_CONTEXT_H
#define DRCTL_PLAN_CONTEXT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "plan/catalogue.h"

struct context {
    json_t *values;
    /* A mirror of values: `true` marks a secret with all that is below it, an object leads on to
     * secrets deeper down, a missing key means that there are none. */
    json_t *secrets;
    int64_t now_ns; /* wall clock, for age(); the layer has no clock of its own */
    bool failed;    /* failure(): a step that this one waits for, directly or not, has failed */
    bool cancelled; /* cancelled(): the run was cancelled */
};

void context_init(struct context *context);
void context_release(struct context *context);

/* A copy for one step or item: setting a root (env, each, probe) in it leaves the original as it
 * was; what is below a root, such as the steps, stays shared. */
void context_copy(struct context *to, const struct context *from);

/* Sets a root; takes the references. secrets is the mirror of value (json_true() when all of it is
 * secret), NULL when nothing is. */
void context_set(struct context *context, const char *root, json_t *value, json_t *secrets);

/* Records how a step ended: steps.ID.status and steps.ID.outputs. item_key is NULL, or for an item
 * of a for_each step its key; then the outputs are found at steps.ID.outputs[KEY]. Outputs are
 * borrowed; NULL leaves those that the step has (its items', say), an empty map at first. Those
 * that the action's table calls secret are marked. action may be NULL. */
void context_set_step(struct context *context, const char *id, const char *item_key,
                      const char *status, json_t *outputs, const struct action_description *action);

/* Marks one more output of a step (or item) as secret, for what was learnt at run time. */
void context_mark_output(struct context *context, const char *id, const char *item_key,
                         const char *output);

#endif
