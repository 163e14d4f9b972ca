/* What a plan is told before it runs: texts of the command line → typed values. */
#ifndef DRCTL_PLAN_INPUTS_H
#define DRCTL_PLAN_INPUTS_H

#include "plan/context.h"
#include "plan/model.h"

/* The value of an environment variable, NULL when it is not set. */
typedef const char *inputs_getenv(const char *name, void *data);

struct inputs_source {
    const json_t *given; /* object: name → text (--input name=text) or any JSON (--inputs FILE) */
    inputs_getenv *getenv_function; /* for inputs with `env`; NULL: nothing is set */
    void *getenv_data;
};

/* Resolves all inputs of a plan and sets the root `inputs` of the context, which holds site, run
 * and env already (defaults may use them). All errors go to the list, names that the plan does not
 * know included; the context's inputs hold what could be resolved. */
void inputs_resolve(const struct plan *plan, const struct inputs_source *source,
                    struct context *context, struct error_list *errors);

/* One text of the command line as a value of the input's type. *ret_value is a new reference. */
MUST_USE int inputs_convert(const struct plan_input *input, const char *text, json_t **ret_value,
                            struct error *err);

#endif
