/* A run as its directory tells it, for commands that only look: nothing is opened for writing,
 * mended or taken up. */
#ifndef DRCTL_COMMANDS_RUN_READING_H
#define DRCTL_COMMANDS_RUN_READING_H

#include "commands/command.h"
#include "plan/context.h"
#include "plan/model.h"
#include "view/fold.h"

struct run_reading {
    char *id;
    char *directory;
    char *journal;     /* its path */
    struct plan *plan; /* validated and settled as far as goes without secrets; NULL: unreadable */
    struct context context;
};

/* given: as state_find_run() takes it, NULL for the last run. Release it in any case. */
MUST_USE int run_reading_open(struct run_reading *reading, const struct invocation *invocation,
                              const char *given, struct error *err);
void run_reading_release(struct run_reading *reading);

/* Folds the whole journal. */
MUST_USE int run_reading_fold(const struct run_reading *reading, struct fold *fold,
                              struct error *err);

/* The same for a journal by its path. */
MUST_USE int fold_journal(struct fold *fold, const char *journal, struct error *err);

/* The plan's steps and objectives, before any event. plan may be NULL. */
void fold_plan(struct fold *fold, const struct plan *plan);

/* --output json. */
bool wants_json(const struct invocation *invocation);

/* Prints a value in one line on stdout; takes the reference. */
void print_json(json_t *value);

#endif
