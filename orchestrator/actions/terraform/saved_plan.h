/* Saved plans of a run: what they were made from, what they would do, and whether they may still be
 * applied. */
#ifndef DRCTL_ACTIONS_SAVED_PLAN_H
#define DRCTL_ACTIONS_SAVED_PLAN_H

#include "terraform/terraform_cli.h"

/* Options of a plan as they are kept beside it, so that the same plan can be made afresh: an object
 * with the members var_files, targets, replace, refresh, refresh_only, destroy, parallelism,
 * vars_path (a private file) and those of plan_summary_guard(). */

struct saved_plan {
    char *path; /* absolute */
    char *dir;  /* of its root module */
    char *program;
    json_t *options;
    json_t *summary; /* plan_summary_new() */
    char *digest;    /* of the configuration that it was made from */
    bool used;       /* an apply of it was begun */
};

/* Plans into path, which is replaced, shows what the plan would do and judges it by the guards of
 * the options. A lock in the way is asked about. task names the command. */
MUST_USE int saved_plan_make(const struct terraform *terraform, const char *task, const char *path,
                             const json_t *options, struct saved_plan *ret_plan, struct error *err);

/* Reads what is kept beside a plan. ERROR_NOT_FOUND when it is not one of drctl's, or was thrown
 * away by a rewrite. */
MUST_USE int saved_plan_open(const char *path, struct saved_plan *ret_plan, struct error *err);

/* ERROR_REFUSED when the configuration or the backend is no longer what the plan was made from: it
 * would be applied to the old backend all the same. */
MUST_USE int saved_plan_check(const struct terraform *terraform, const struct saved_plan *plan,
                              struct error *err);

/* Notes durably that an apply of it begins. */
MUST_USE int saved_plan_use(struct saved_plan *plan, struct error *err);

/* Removes every saved plan of the run: after a rewrite none of them is true any more. */
MUST_USE int saved_plan_discard_all(const struct attempt *attempt, size_t *ret_count,
                                    struct error *err);

void saved_plan_release(struct saved_plan *plan);

/* "STORE/plans/NAME.tfplan", its folder made; the caller frees it. */
MUST_USE int saved_plan_path(const struct terraform *terraform, const char *name, char **ret_path,
                             struct error *err);

#endif
