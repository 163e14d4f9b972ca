/* What a person or a program sees of a run on stdout: the view that fits the options and the
 * terminal, and the summary at the end. */
#ifndef DRCTL_COMMANDS_SCREEN_H
#define DRCTL_COMMANDS_SCREEN_H

#include "commands/command.h"
#include "view/fold.h"
#include "view/view.h"

/* The fold knows the plan's steps by now. long_times: whole time stamps in front of plain lines. */
struct view *screen_view(const struct invocation *invocation, const struct fold *fold,
                         bool long_times);

/* The last thing on stdout. */
void screen_print_summary(const struct invocation *invocation, const struct fold *fold);

#endif
