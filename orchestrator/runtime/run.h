/* One execution of a plan, on the loop: the engine's effects become attempts, what the attempts do
 * becomes events, and events go through the journal into the engine.
 *
 *     run_create();  run_open();  run_execute();  run_free()
 *
 * All on one thread. */
#ifndef DRCTL_RUNTIME_RUN_H
#define DRCTL_RUNTIME_RUN_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "attempt/attempt.h"
#include "engine/engine.h"
#include "plan/context.h"
#include "plan/model.h"

struct run;

struct run_line {
    const char *step;
    size_t attempt;
    const char *task; /* NULL: said by the action itself */
    int64_t at_ns;
    bool is_stderr;
    struct span text;
};

/* Who watches from within the process; all members may be NULL. */
struct run_observer {
    void *data;
    void (*event)(void *data, const json_t *event);
    void (*line)(void *data, const struct run_line *line);
    /* What is to be said to the person at this terminal alone. */
    void (*notice)(void *data, const char *text);
    /* The run is about to close the loop: close what you added to it. */
    void (*closing)(void *data);
};

struct run_options {
    const char *state; /* state_directory() */
    const char *operator_name;
    struct run_observer observer;
    struct engine_limits limits;  /* zero: by this machine's memory */
    const char *const *approvals; /* steps whose approval is given beforehand, NULL-terminated */
    bool approve_all;
    bool stay;                /* wait for people instead of leaving with exit status 8 */
    bool without_remote_lock; /* do not take the lock that the site names */
    bool dry_run;             /* nothing is changed */
    int64_t incident_at_ns;   /* when the incident began, for the objectives; 0: with the run */
    const char *shim_path;    /* NULL: looked up */
};

/* The root `run` of expressions for a new run: id, directory, work, started_at, plan, operator. It
 * is put into the context before the inputs are resolved. A new reference. */
json_t *run_describe(const char *state, const char *plan_name, const char *operator_name);

/* Makes a new run as its context describes it: freezes the plan, takes the target, writes
 * run_created, and leaves it for run_open(). The plan is validated and settled. plan_file: where
 * the document is, absolute, for paths relative to it. ERROR_LOCKED when another run has the
 * target. */
MUST_USE int run_create(const struct plan *plan, const struct context *context,
                        const char *plan_file, const struct run_options *options,
                        struct error *err);

/* Takes up a run: a new one, or one that ended badly or was left behind. secret() is asked for each
 * secret input (it gives a text that the caller owns until run_open() returns, or NULL:
 * ERROR_NOT_READY); it may be NULL. ERROR_LOCKED when another drctl works on it, ERROR_DAMAGED when
 * its journal does not verify, ERROR_REFUSED when it has succeeded. */
MUST_USE int run_open(const char *run_id, const struct run_options *options,
                      const char *(*secret)(void *data, const char *input), void *secret_data,
                      struct run **ret_run, struct error *err);

enum run_mode {
    RUN_START,  /* a new run */
    RUN_RESUME, /* follow what runs, try again what failed */
    RUN_CANCEL, /* follow what runs in order to stop it; steps that run after a cancel run */
    RUN_REST,   /* only write down the decisions that were made since run_open() */
};

/* Works until the run has ended, a person is needed and nobody is there (options.stay), or it was
 * told to leave. *ret_exit_status is the process's exit status: 0, 1, 7 or 8. -1 when the run could
 * not go on for a reason of its own (the journal). */
MUST_USE int run_execute(struct run *run, enum run_mode mode, int *ret_exit_status,
                         struct error *err);

void run_free(struct run *run);

const char *run_id(const struct run *run);
const char *run_directory(const struct run *run);
const struct plan *run_plan(const struct run *run);
const struct engine *run_engine(const struct run *run);

/* The loop that run_execute() runs, for what a terminal adds to it; run_closing() is true when such
 * handles have to be closed. */
uv_loop_t *run_loop(struct run *run);
bool run_closing(const struct run *run);

/* Leaves the run as it is: what runs goes on under its shims. run_execute() returns soon. */
void run_leave(struct run *run, int exit_status);

/* True when the plan's document was changed after the run began (the run keeps to its own). */
bool run_plan_has_changed(const struct run *run);

/* --- decisions; the same from the control socket, a terminal, and a command on a run at rest -----
 */

/* {"verb": approve | answer | skip | retry | pause | continue | cancel | kill, "step", "answer",
 * "who", "why"}: checks it against the state and appends what it means. *ret_text says what was
 * done, for whoever asked; the caller frees it. ERROR_USAGE or ERROR_REFUSED when it does not fit.
 */
MUST_USE int run_decide(struct run *run, const json_t *decision, char **ret_text,
                        struct error *err);

#endif
