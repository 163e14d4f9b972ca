/* Templates (the nodes of a plan) and a context → values, when a step is about to start. Errors are
 * ERROR_INVALID at the file:line:column of the expression. */
#ifndef DRCTL_PLAN_RESOLVE_H
#define DRCTL_PLAN_RESOLVE_H

#include "plan/context.h"
#include "plan/model.h"

enum { RESOLVE_ITEM_LIMIT = 1000, RESOLVE_ITEM_KEY_LIMIT = 128 };

struct resolved {
    json_t *value;
    json_t *secrets;      /* array of the secret texts in it, for the redactor */
    json_t *secret_paths; /* array of JSON pointers ("/args/3") to the values that are secret */
};

void resolved_release(struct resolved *resolved);

/* True when the value at the JSON pointer is, lies inside or holds something secret. */
bool resolved_is_secret(const struct resolved *resolved, const char *pointer);

/* The arguments of a call: templates evaluated, defaults of the action's table filled in, types
 * checked and converted as enum value_type says. *ret is set on success alone. */
MUST_USE int resolve_arguments(const struct plan *plan, const struct plan_call *call,
                               const struct context *context, struct resolved *ret,
                               struct error *err);

/* Any other template. */
MUST_USE int resolve_value(const struct plan *plan, const struct node *node,
                           const struct context *context, struct resolved *ret, struct error *err);

/* A template that has to give text (`confirm`); the caller frees *ret_text. *ret_secret says
 * whether a secret is part of it; when it is NULL, a secret is an error. */
MUST_USE int resolve_text(const struct plan *plan, const struct node *node,
                          const struct context *context, char **ret_text, bool *ret_secret,
                          struct error *err);

/* `if`: true when there is none. It sees the env that the step would have. */
MUST_USE int resolve_condition(const struct plan *plan, const struct plan_step *step,
                               const struct context *context, bool *ret_holds, struct error *err);

/* The plan's env and the step's over it, as an object of texts, or of null for a variable that the
 * step takes away; the step's own values may use the plan's by env.NAME. step may be NULL. */
MUST_USE int resolve_env(const struct plan *plan, const struct plan_step *step,
                         const struct context *context, struct resolved *ret, struct error *err);

/* Lays such an environment over the context's root env, with its secrets. */
void resolve_overlay_env(struct context *context, const struct resolved *environment);

/* The same for the step's undo. */
MUST_USE int resolve_undo_env(const struct plan *plan, const struct plan_step *step,
                              const struct context *context, struct resolved *ret,
                              struct error *err);

/* `for_each`: *ret->value is an object KEY → value in order (model.h has the rule). Secrets are
 * refused, since the items are journalled. */
MUST_USE int resolve_items(const struct plan *plan, const struct plan_step *step,
                           const struct context *context, struct resolved *ret, struct error *err);

/* After a probe succeeded with root `probe` in the context: whether its `expect` holds (true when
 * there is none), and if so the outputs that the step is given (an empty object without any). */
MUST_USE int resolve_probe(const struct plan *plan, const struct plan_step *step,
                           const struct context *context, bool *ret_done, struct resolved *ret,
                           struct error *err);

/* Fills in what must be known before the run begins and may need inputs, site, env or run: target,
 * without_regions, timeouts, locks, memory, objectives. Errors go to the list. Repeatable. */
void plan_settle(struct plan *plan, const struct context *context, struct error_list *errors);

/* The plan's outputs at its end. */
MUST_USE int resolve_outputs(const struct plan *plan, const struct context *context,
                             struct resolved *ret, struct error *err);

/* Expands a whole text file that is written in the plan's expressions; file is what errors call
 * it. *ret->value is the text. */
MUST_USE int resolve_file(struct span text, const char *file, const struct context *context,
                          struct resolved *ret, struct error *err);

#endif
