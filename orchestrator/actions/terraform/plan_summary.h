/* What a terraform plan would do, and whether it may. */
#ifndef DRCTL_ACTIONS_PLAN_SUMMARY_H
#define DRCTL_ACTIONS_PLAN_SUMMARY_H

#include <jansson.h>

#include "base/buffer.h"
#include "base/compiler.h"
#include "base/error.h"

/* From `terraform show -json` of a saved plan, a new reference:
 *   {"create": [ADDRESS, …], "update": […], "replace": […], "delete": […], "forget": […],
 *    "import": […], "vanished": [what the state knows and the provider does not find any more],
 *    "drifted": […], "outputs": N of outputs that change, "changes": true when applying it would
 *    change anything, "reasons": {ADDRESS: why it is replaced or deleted},
 *    "variables": {NAME: value} without those that are sensitive,
 *    "errored", "applyable", "complete": as terraform says, "version": terraform's}
 * No values of resources are in it, since they may be secret. */
json_t *plan_summary_new(const json_t *plan);

/* "3 to create, 1 to change, 1 to replace, 0 to destroy", with the addresses that are replaced,
 * destroyed or have vanished, each on its line with the reason. */
void plan_summary_append(struct buffer *out, const json_t *summary);

/* The guards. `options` is an object with what the step allows:
 *   allow_destroy   [ADDRESS, …]: these, and what is inside of them, may be destroyed or replaced
 *   allow_vanished  [ADDRESS, …]: these may have vanished
 *   only            [ADDRESS, …]: nothing else may change; missing or empty: anything may
 *   expect          {NAME: value}: variables that prove that the right thing is planned
 *   no_changes      true: nothing may change
 *   targets         […]: a plan with targets is never complete
 * "*" names everything. ERROR_REFUSED that names all offenders, else 0. */
MUST_USE int plan_summary_guard(const json_t *summary, const json_t *options, struct error *err);

/* True when an address is one of the list, or inside of one: module.eks, module.eks[0].x and
 * module.eks.aws_y.z are inside module.eks; module.eks2 is not. */
bool plan_summary_is_inside(const json_t *list, const char *address);

#endif
