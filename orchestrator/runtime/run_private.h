/* What the files of the runtime share about a run. */
#ifndef DRCTL_RUNTIME_RUN_PRIVATE_H
#define DRCTL_RUNTIME_RUN_PRIVATE_H

#include <uv.h>

#include "actions/action.h"
#include "attempt/attempt_host.h"
#include "journal/journal.h"
#include "runtime/records.h"
#include "runtime/run.h"

enum { RUN_SIGNAL_COUNT = 4 };

struct control;            /* control.c */
struct remote_lock_keeper; /* remote_lock_keeper.h */

/* An attempt that runs now. */
struct running {
    struct running *next;
    struct run *run;
    struct engine_node *node;
    const char *phase;           /* "unless" for the step's probe; NULL for its action */
    const struct action *action; /* of the phase */
    char *confirm;               /* what a person has to agree to first; NULL */
    json_t *environment;         /* the step's env, for what follows the probe */
    struct attempt *attempt;
};

struct run {
    uv_loop_t loop;
    char *state;
    char *id;
    char *directory;
    char *work_directory;
    char *plan_directory;
    char *plan_file;
    char *operator_name;
    struct run_observer observer;
    const char *const *approvals;
    bool approve_all;
    bool stay;
    bool dry_run;
    bool plan_changed;

    struct plan *plan;
    struct context context; /* inputs, site, env, run */
    struct engine *engine;
    struct journal *journal;
    struct records records;
    struct secrets *secrets;
    struct loop_queue *queue;
    struct process_host *processes;
    struct attempt_host host;
    struct control *control;
    struct remote_lock_keeper *remote_lock; /* NULL: none is kept */
    bool without_remote_lock;               /* the operator said so when the run began */
    bool discard;                           /* it never got to begin: run_free() removes it */
    struct running *running;

    uv_timer_t timer; /* the next retry, or the next try of a stalled journal */
    uv_signal_t signals[RUN_SIGNAL_COUNT];
    uv_prepare_t advance; /* decides once per turn of the loop, when something has changed */
    bool advance_wanted;
    bool handles_open;
    bool resuming; /* engine nodes that run have no attempt yet */
    bool stalled;
    bool leaving;  /* attempts are detached, the loop is about to end */
    bool finished; /* run_ended is durable */
    unsigned interrupts;
    int exit_status;
    struct error error; /* why the run cannot go on */
};

/* Appends an event, redacted, and folds it; takes the reference. done may be NULL. */
void run_commit(struct run *run, json_t *event, enum journal_durability durability,
                attempt_appended done, void *done_data);

/* Asks for decisions at the end of this turn of the loop. */
void run_want_advance(struct run *run);

/* attempts.c */
struct attempt_host run_attempt_host(struct run *run);
void run_start_step(struct run *run, struct engine_node *node, bool resumed);
void run_stop_attempts(struct run *run, enum error_code code, const char *why, bool forced);
void run_detach_attempts(struct run *run);
struct running *run_find_running(struct run *run, const char *step);

/* environment.c: "NAME=VALUE" list for a step from its resolved env; the caller frees both. */
char **run_environment(const struct run *run, const json_t *step_env);
void run_environment_free(char **environment);
json_t *run_environment_values(void);
void run_hide_environment_secrets(struct secrets *secrets);

/* execute.c */
MUST_USE int run_open_handles(struct run *run, struct error *err);
void run_notice(struct run *run, const char *format, ...) PRINTF_LIKE(2, 3);

/* decisions.c */
void run_answer_beforehand(struct run *run, const json_t *asked);

/* control.c */
MUST_USE int control_open(struct run *run, struct control **ret_control, struct error *err);
void control_close(struct control *control);

#endif
