/* plan.json: the plan and what it was told, as one run sees them from its start to its end.
 * Format 1, canonical JSON (one line, keys sorted):
 *   {"file": …, "format": 1, "inputs": {…}, "plan": NAME, "sha256": …, "site": {…}, "text": …}
 * text is the plan's source and sha256 its digest: the model is made from the same bytes by the
 * same parser, so every later error cites the place that the author knows. Secret inputs are left
 * out: a resumed run asks for them again. */
#ifndef DRCTL_PLAN_FREEZE_H
#define DRCTL_PLAN_FREEZE_H

#include "plan/context.h"
#include "plan/model.h"

/* The bytes of plan.json from a plan and the context's inputs and site; the caller frees them.
 * sha256 is the digest of those bytes, for the journal. */
char *plan_freeze(const struct plan *plan, const struct context *context,
                  char sha256[DIGEST_HEX_SIZE]);

/* Back: the model, and inputs and site into the context. Secret inputs are missing there;
 * plan_thaw_secret() puts them back one by one. ERROR_DAMAGED when the bytes are not a frozen plan
 * or the text is not the one that was frozen. plan_validate() and plan_settle() come next, as they
 * did at the start. */
MUST_USE int plan_thaw(struct span bytes, const char *file, struct plan **ret_plan,
                       struct context *context, struct error *err);

/* The first secret input that the context still lacks, NULL when none. */
const struct plan_input *plan_missing_secret(const struct plan *plan,
                                             const struct context *context);

/* Gives a secret input its text. */
void plan_thaw_secret(const struct plan_input *input, const char *text, struct context *context);

#endif
