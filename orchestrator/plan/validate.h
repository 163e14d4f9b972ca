/* Everything about a plan that can be known without the outside world. */
#ifndef DRCTL_PLAN_VALIDATE_H
#define DRCTL_PLAN_VALIDATE_H

#include "plan/catalogue.h"
#include "plan/model.h"

/* Checks a parsed plan against the catalogue and, when it is not NULL, the site's facts; binds the
 * action of every call. Adds all errors to the list and sorts it by position. */
void plan_validate(struct plan *plan, const struct plan_catalogue *catalogue, const json_t *site,
                   struct error_list *errors);

#endif
