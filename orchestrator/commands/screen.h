/* What a person or a program sees of a run on stdout: the view that fits the options and the
 * terminal, kept up to date, and the summary at the end. */
#ifndef DRCTL_COMMANDS_SCREEN_H
#define DRCTL_COMMANDS_SCREEN_H

#include <uv.h>

#include "commands/command.h"
#include "view/fold.h"
#include "view/view.h"

struct screen {
    const struct invocation *invocation;
    const struct fold *fold;
    struct view *view;
    uv_timer_t timer;
    uv_signal_t resized;
    bool handles_open;
    bool soon; /* the timer is set for a change */
};

struct screen_options {
    bool long_times; /* whole time stamps in front of plain lines */
    bool status;     /* on a terminal, with the block that says where the run stands */
};

/* The fold knows the plan's steps by now, and gets each event before the screen. */
void screen_open(struct screen *screen, const struct invocation *invocation,
                 const struct fold *fold, const struct screen_options *options, uv_loop_t *loop);

void screen_event(struct screen *screen, const json_t *event);
void screen_line(struct screen *screen, const struct view_line *line);
void screen_notice(struct screen *screen, const char *text);

/* A person has ended a line at the terminal. */
void screen_typed(struct screen *screen);

/* Closes what is on the loop. */
void screen_close(struct screen *screen);

/* Shows what is left, and with summary the summary as the last thing on stdout. */
void screen_finish(struct screen *screen, bool summary);

void screen_release(struct screen *screen);

#endif
