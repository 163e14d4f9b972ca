/* The functions of expressions, as one table. */
#ifndef DRCTL_PLAN_FUNCTIONS_H
#define DRCTL_PLAN_FUNCTIONS_H

#include "plan/expression.h"

enum { FUNCTION_ANY_COUNT = 64 };

struct function_call {
    const struct function *function;
    const struct context *context;
    json_t **arguments; /* borrowed */
    size_t count;
    bool lenient; /* what is not there is null instead of an error */
};

struct function {
    const char *name;
    const char *signature; /* "join(list, separator)" */
    const char *doc;       /* one line */
    size_t least;          /* arguments */
    size_t most;
    /* Gives a new reference, NULL after an error. NULL for those that the evaluator does itself,
     * since they do not evaluate all arguments alike. */
    json_t *(*call)(const struct function_call *call, struct error *err);
    bool tells_nothing; /* its result is no secret even when its arguments are */
};

/* The table, ends with a NULL name. */
extern const struct function expression_functions[];

/* NULL when there is none; *ret_nearest (may be NULL) is then the nearest name or NULL. */
const struct function *function_find(const char *name, const char **ret_nearest);

#endif
