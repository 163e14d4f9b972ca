/* A plan as a document that a person can follow by hand. */
#ifndef DRCTL_VIEW_RUNBOOK_H
#define DRCTL_VIEW_RUNBOOK_H

#include "base/buffer.h"
#include "plan/context.h"
#include "plan/model.h"

/* Markdown. The plan is validated; what the context does not know appears as <…>. */
void runbook_append(struct buffer *out, const struct plan *plan, const struct context *context);

/* runbook_commands.c: the commands that do by hand what an action does with these arguments, one
 * each line; nothing when there is no command for it. */
void runbook_commands(struct buffer *out, const char *action, const json_t *arguments);

#endif
