/* The other side of attempt.h: how the runtime starts an attempt, stops it, and hears of it. All
 * calls and callbacks are on the loop's thread. */
#ifndef DRCTL_ATTEMPT_ATTEMPT_HOST_H
#define DRCTL_ATTEMPT_ATTEMPT_HOST_H

#include "attempt/attempt.h"
#include "attempt/loop_queue.h"
#include "attempt/secrets.h"
#include "process/process.h"

typedef void (*attempt_appended)(void *data, const struct error *err);

struct attempt_host {
    void *data;

    /* Appends an event to the journal; takes the reference. done (may be NULL) comes when it is
     * there, durably when so asked, or with the error. */
    void (*append)(void *data, json_t *event, bool durable, attempt_appended done, void *done_data);

    /* A line of a task (NULL: of the action itself) for whoever watches. */
    void (*line)(void *data, const struct attempt *attempt, const char *task,
                 const struct attempt_line *line);

    /* The action's function has returned; attempt_free() may be called from here on. */
    void (*ended)(void *data, struct attempt *attempt);
};

/* What an earlier drctl's events say about this attempt. Objects, or NULL for none. */
struct attempt_record {
    json_t *remembered; /* name → value */
    json_t *answers;    /* question → answer */
    json_t *asked;      /* question → the event, for questions without an answer yet */
    json_t *ended;      /* task → true: its end is in the journal */
    json_t *facts;      /* "0", "1", … → {kind, value}, in the order in which they were told */
};

struct attempt_spec {
    struct loop_queue *queue;
    struct process_host *processes;
    const struct attempt_host *host;
    struct secrets *secrets;
    const char *run_id;
    const char *step; /* "ID" or "ID[KEY]" */
    size_t number;
    const char *phase;     /* "unless", "undo", or NULL for the step's own work; static text */
    const char *directory; /* steps/ID/N; made when missing */
    const char *work_directory;
    const char *plan_directory;
    json_t *arguments;            /* the reference is shared */
    char *const *environment;     /* copied */
    int64_t timeout_ms;           /* 0: none */
    struct attempt_record record; /* copied: the thread reads it while the run goes on */
    bool dry_run;
    bool resumed;
    bool undo;
    int (*function)(struct attempt *attempt, struct error *err);
    void *user; /* attempt_user() */
};

/* Starts the attempt's thread. Texts are copied. ended() always follows, also when the folder could
 * not be made. */
struct attempt *attempt_start(const struct attempt_spec *spec);

/* Asks it to stop: the waits of its thread end with this code, a running command is interrupted
 * and, when its grace is over, killed. forced: kill it now. May be repeated; the first code stays.
 */
void attempt_stop(struct attempt *attempt, enum error_code code, const char *why, bool forced);

/* Gives the answer to a question that it asked. */
void attempt_answer(struct attempt *attempt, const char *question, const char *answer);

/* Lets go of it without stopping anything: its commands go on under their shims, its thread ends at
 * its next wait. For the end of a drctl that leaves a run behind. ended() follows. */
void attempt_detach(struct attempt *attempt);

/* After ended(): 0 or -1 with the error (both borrowed), and the outputs. */
int attempt_outcome(const struct attempt *attempt, const struct error **ret_error,
                    json_t **ret_outputs);

/* The last lines of the last command that it ran, for messages; "" when there are none. */
const char *attempt_last_lines(const struct attempt *attempt);

/* Whether a detach, and not the work, ended it. */
bool attempt_was_detached(const struct attempt *attempt);

void *attempt_user(const struct attempt *attempt);
size_t attempt_number(const struct attempt *attempt);

/* After ended(). Waits for the thread, which has nothing left to do. */
void attempt_free(struct attempt *attempt);

#endif
