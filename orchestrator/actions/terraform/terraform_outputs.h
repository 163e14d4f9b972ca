/* The outputs of a state. */
#ifndef DRCTL_ACTIONS_TERRAFORM_OUTPUTS_H
#define DRCTL_ACTIONS_TERRAFORM_OUTPUTS_H

#include "terraform/terraform_cli.h"

/* Two new objects, name → value: what is not sensitive, and what is. The texts of the latter are
 * hidden from now on; ret_secrets is NULL when they are not wanted. */
MUST_USE int terraform_outputs_read(const struct terraform *terraform, json_t **ret_values,
                                    json_t **ret_secrets, struct error *err);

#endif
