/* What an action works with. An action is a plain function that reads from top to bottom: it has a
 * thread of its own, and everything that it does to the outside goes through the calls below, which
 * wait on that thread while the work itself is done by children under their shims and by the one
 * event loop. Every wait ends early when the attempt is cancelled or out of time, with
 * ERROR_CANCELLED or ERROR_TIMEOUT.
 *
 * Interruption: when drctl is gone and the run is resumed, the action's function is called again
 * from its top, with the same arguments. Calls that were made before answer from the record: a
 * finished command gives the result that it had, a running one is followed on, a question that was
 * answered gives its answer, a remembered value is recalled. So an action that does its effects
 * through attempt_run(), or between attempt_remember() and attempt_recall(), does each of them
 * once. */
#ifndef DRCTL_ATTEMPT_ATTEMPT_H
#define DRCTL_ATTEMPT_ATTEMPT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/buffer.h"
#include "base/compiler.h"
#include "base/error.h"

struct attempt;

/* --- what was asked ------------------------------------------------------------------------- */

/* The step's `with`, resolved, checked against the action's table, defaults filled in. Borrowed. */
const json_t *attempt_arguments(const struct attempt *attempt);

/* One argument: NULL, false, fallback when it was not given. Durations are in milliseconds. Lists
 * and maps are borrowed. */
const json_t *attempt_argument(const struct attempt *attempt, const char *name);
const char *attempt_text(const struct attempt *attempt, const char *name);
bool attempt_flag(const struct attempt *attempt, const char *name);
int64_t attempt_integer(const struct attempt *attempt, const char *name, int64_t fallback);
int64_t attempt_duration_ms(const struct attempt *attempt, const char *name, int64_t fallback_ms);

const char *attempt_run_id(const struct attempt *attempt);
const char *attempt_step_id(const struct attempt *attempt);

/* The run's private working folder (checkouts, plan files, kubeconfig, caches), made beforehand. */
const char *attempt_work_directory(const struct attempt *attempt);

/* This attempt's own folder, steps/ID/N. */
const char *attempt_directory(const struct attempt *attempt);

/* A path argument taken relative to the folder of the plan's document. The caller frees it. */
char *attempt_plan_path(const struct attempt *attempt, const char *path);

/* True when nothing may be changed: the action shows what it would do and makes only reads. */
bool attempt_is_dry_run(const struct attempt *attempt);

/* True when an earlier drctl had begun this attempt and nobody saw its end. */
bool attempt_is_resumed(const struct attempt *attempt);

/* True when the action is asked to undo; the facts of the attempt that is undone are recalled. */
bool attempt_is_undo(const struct attempt *attempt);

/* For the action that undoes others: from here on the attempt has these arguments, recalls these
 * values where it has not remembered something itself, and attempt_is_undo(). */
void attempt_assume(struct attempt *attempt, const json_t *arguments, const json_t *remembered);

/* The environment that commands of this step start from ("NAME=VALUE", NULL-terminated): drctl's
 * own, the plan's and the step's `env`, and what protects a run (TF_IN_AUTOMATION, AWS_PAGER="",
 * …). */
char *const *attempt_environment(const struct attempt *attempt);

/* The value of a variable in that environment, or NULL. */
const char *attempt_getenv(const struct attempt *attempt, const char *name);

/* --- what is said and kept ------------------------------------------------------------------ */

/* One line for whoever watches; also kept in the attempt's output.log. Redacted on the way. */
void attempt_say(struct attempt *attempt, const char *format, ...) PRINTF_LIKE(2, 3);

/* As attempt_say for text of several lines, for instance a diff. */
void attempt_say_block(struct attempt *attempt, struct span text);

/* Sets an output. The value's reference is taken. */
void attempt_set_output(struct attempt *attempt, const char *name, json_t *value);
void attempt_set_output_text(struct attempt *attempt, const char *name, const char *value);

/* Puts a fact into the journal (kind such as "terraform.summary", "dns.change", "data.age"): what
 * the report is written from. The value's reference is taken. Does not wait. */
void attempt_fact(struct attempt *attempt, const char *kind, json_t *value);

/* A value that a later call of the same attempt can recall; durable when this returns. The value's
 * reference is taken. This is how an effect is announced before it is started: remember what will
 * be done and what was there before, do it, and on a resume look at the world first. */
MUST_USE int attempt_remember(struct attempt *attempt, const char *name, json_t *value,
                              struct error *err);

/* The remembered value, or NULL. A new reference. */
json_t *attempt_recall(struct attempt *attempt, const char *name);

/* Text that must never be seen from now on: hidden in every log, event and view of the run. */
void attempt_hide(struct attempt *attempt, const char *secret);

/* --- commands ------------------------------------------------------------------------------- */

struct attempt_line {
    int64_t at_ns;
    bool is_stderr;
    struct span text; /* without the newline; redacted */
};

/* What a look at the world says about a command whose end nobody saw. */
enum attempt_probe_answer {
    PROBE_DONE,        /* its effect is there: do not repeat it */
    PROBE_NOT_STARTED, /* certainly nothing happened: repeat it */
    PROBE_UNKNOWN,     /* cannot tell: a person is asked */
};

struct attempt_command {
    const char *task;        /* its name within the attempt, [a-z0-9-]: "plan", "apply" */
    const char *const *argv; /* NULL-terminated; argv[0] is looked up in the step's PATH */
    const char *const *set;  /* "NAME=VALUE" over attempt_environment(), NULL-terminated, or NULL */
    const char *cwd;         /* NULL: the run's working folder */
    const char *stdin_path;  /* NULL: nothing */
    const char *private_path; /* a file that it reads and that may hold secrets: removed as soon as
                                 it has ended, or was found never to have begun; NULL */
    bool mutates;             /* it changes the world: when its end was not seen, ask `probe` */
    bool transient;           /* a read, one of many in a poll: neither journalled nor kept */
    bool quiet;               /* stdout is data: kept in result.out and not shown (stderr is) */
    int64_t timeout_ms;       /* 0: what is left of the step's time */
    int64_t grace_ms; /* between asking it to stop and killing it; 0: ten seconds; -1: no end */
    size_t stdout_limit_bytes; /* of a quiet command; 0: 16 MiB. More is an error. */
    /* Each line as it comes, on the attempt's thread; on a resume, all of them again. May be NULL.
     */
    void (*on_line)(void *context, const struct attempt_line *line);
    enum attempt_probe_answer (*probe)(struct attempt *attempt, void *context);
    void *context;
};

struct attempt_result {
    int exit_code;      /* -1 when it ended by a signal, or was found done by its probe */
    int signal;         /* 0 when it exited */
    bool out_of_memory; /* the kernel killed it for memory */
    bool found_done;    /* its end was not seen, its probe says that the effect is there */
    struct buffer out;  /* its stdout */
    struct buffer tail; /* its last lines, both streams, for messages */
};

void attempt_result_release(struct attempt_result *result);

/* Runs a command under its shim to its end. 0 says that it ended, whatever its exit code; -1 that
 * it could not start, was stopped (ERROR_CANCELLED, ERROR_TIMEOUT) or that its end is not known and
 * a person decided not to go on. The task is announced durably in the journal before it starts.
 * argv that contains a secret is refused. ret_result is set in all cases and released by the
 * caller. */
MUST_USE int attempt_run(struct attempt *attempt, const struct attempt_command *command,
                         struct attempt_result *ret_result, struct error *err);

/* The same, and an exit code other than 0 is ERROR_FAILED with the command and its last lines. */
MUST_USE int attempt_run_ok(struct attempt *attempt, const struct attempt_command *command,
                            struct attempt_result *ret_result, struct error *err);

/* attempt_run_ok() of a quiet command whose stdout is one JSON document. A new reference in
 * *ret_value; json_null() when it printed nothing. */
MUST_USE int attempt_run_json(struct attempt *attempt, const struct attempt_command *command,
                              json_t **ret_value, struct error *err);

/* --- waiting -------------------------------------------------------------------------------- */

/* Waits; for the intervals of a poll. */
MUST_USE int attempt_sleep(struct attempt *attempt, int64_t duration_ms, struct error *err);

/* -1 with the reason when the attempt should stop; for long work on the action's own thread. */
MUST_USE int attempt_check(struct attempt *attempt, struct error *err);

/* Milliseconds until the step's deadline, INT64_MAX without one. */
int64_t attempt_left_ms(const struct attempt *attempt);

/* Work on the event loop (HTTP, DNS): start() is called on the loop's thread and begins it; when it
 * is over, whoever runs it calls attempt_wait_done() there, once. When the attempt has to stop,
 * cancel() is called on the loop's thread and the work then has to end soon, with
 * attempt_wait_done() as ever. attempt_await() returns after attempt_wait_done(): 0, or -1 when it
 * was cancelled meanwhile. */
struct attempt_wait;
MUST_USE int attempt_await(struct attempt *attempt,
                           void (*start)(struct attempt_wait *wait, uv_loop_t *loop, void *context),
                           void (*cancel)(void *context), void *context, struct error *err);
void attempt_wait_done(struct attempt_wait *wait);

/* Calls function(data) on the event loop soon, in the order of these calls, and does not wait for
 * it. It is called even when the attempt has to stop: this is how an action gives back what it
 * holds on the loop. */
void attempt_post(struct attempt *attempt, void (*function)(void *data), void *data);

/* --- people --------------------------------------------------------------------------------- */

struct attempt_question {
    const char *id;             /* its name within the attempt: "approve", "lost-apply" */
    const char *text;           /* one sentence */
    const char *evidence;       /* what is known, several lines; NULL when there is none */
    const char *const *choices; /* NULL-terminated; the first one is the careful one */
};

/* Asks a person, in every terminal that is attached, and waits for the answer as long as it takes.
 * *ret_answer is one of the choices; borrowed from them. */
MUST_USE int attempt_ask(struct attempt *attempt, const struct attempt_question *question,
                         const char **ret_answer, struct error *err);

#endif
