/* Why a workload is not rolled out. */
#ifndef DRCTL_ACTIONS_ROLLOUT_EXPLAIN_H
#define DRCTL_ACTIONS_ROLLOUT_EXPLAIN_H

#include "kubernetes/kubectl_cli.h"

/* Shows the pods of a workload (an object as kubectl gives it), the warnings of its namespace and
 * the last log lines of pods that are not ready. What cannot be had is left out. */
void rollout_explain(struct attempt *attempt, const struct kubectl *kubectl,
                     const json_t *workload);

#endif
