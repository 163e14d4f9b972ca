/* Applying a saved plan, across interruptions. */
#ifndef DRCTL_ACTIONS_APPLY_SAVED_H
#define DRCTL_ACTIONS_APPLY_SAVED_H

#include "terraform/saved_plan.h"

struct applied {
    json_t *summary; /* of the plan that was applied last */
    char *backup;    /* the copy of the state from before; NULL when there was none */
};

/* Applies the plan, once. When an earlier go was cut short or left its state behind, what it left
 * is put away and a fresh plan with the same options and guards is applied instead. */
MUST_USE int apply_saved(const struct terraform *terraform, struct saved_plan *plan,
                         struct applied *ret_applied, struct error *err);
void applied_release(struct applied *applied);

#endif
