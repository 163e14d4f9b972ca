/* A JSON Schema of plans, made from the tables, for editors. */
#ifndef DRCTL_PLAN_SCHEMA_H
#define DRCTL_PLAN_SCHEMA_H

#include <jansson.h>

#include "plan/catalogue.h"

/* Draft 2020-12. A new reference. */
json_t *schema_of_plans(const struct plan_catalogue *catalogue);

#endif
