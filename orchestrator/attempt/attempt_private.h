/* What the files of this folder share about an attempt. Fields behind the mutex are marked M; those
 * of the loop's thread L; those of the attempt's own thread A; the others do not change. */
#ifndef DRCTL_ATTEMPT_ATTEMPT_PRIVATE_H
#define DRCTL_ATTEMPT_ATTEMPT_PRIVATE_H

#include "attempt/attempt_host.h"
#include "base/table.h"
#include "base/vector.h"

struct call; /* command.c */

struct attempt {
    struct attempt_spec spec;
    uv_thread_t thread;
    uv_mutex_t mutex;
    uv_cond_t changed;         /* M: whatever a wait of the thread looks at */
    bool stopping;             /* M */
    bool forced;               /* M */
    bool detached;             /* M */
    enum error_code stop_code; /* M */
    char *stop_reason;         /* M */
    json_t *answers;           /* M: question → answer */
    struct call *call;         /* L: the command that runs; NULL when there is none */
    uv_timer_t *deadline;      /* L: NULL without a timeout */
    int64_t deadline_ns;       /* monotonic; INT64_MAX without one */
    json_t *remembered;        /* A */
    json_t *outputs;           /* A until ended() */
    struct table calls;        /* A: task name → how often it was used */
    struct buffer last_lines;  /* A until ended() */
    int said_descriptor;       /* A: output.log of the action itself; -1 before the first line */
    VECTOR(char *)
    said;               /* A: what an earlier life of this attempt said already */
    size_t said_next;   /* A */
    size_t facts_next;  /* A: of the record's facts, the next that would be told again */
    int result;         /* A until ended() */
    struct error error; /* A until ended() */
};

/* Posts an event; with wait, returns when it is in the journal. On the attempt's thread. */
int attempt_append(struct attempt *attempt, json_t *event, bool durable, bool wait,
                   struct error *err);

/* An event of this attempt with step and attempt filled in. */
json_t *attempt_event(const struct attempt *attempt, const char *type);

/* err set to why the attempt stops, when it does; the mutex is held. */
int attempt_stop_error(struct attempt *attempt, struct error *err);

/* Returns when everything that was posted to the loop before has run. On the attempt's thread. */
void attempt_drain_posts(struct attempt *attempt);

/* Starts or adopts a command in its folder and follows it to its end; its output goes to result.
 * seen_before: views have had its lines. On the attempt's thread. */
MUST_USE int call_run(struct attempt *attempt, const struct attempt_command *command,
                      const char *directory, bool adopt, bool seen_before,
                      struct attempt_result *result, struct process_result *ret_process,
                      struct error *err);

/* Passes a stop on to the running command; on the loop's thread. */
void call_stop(struct call *call, bool forced);

/* Lets the running command go on by itself; on the loop's thread. */
void call_detach(struct call *call);

#endif
