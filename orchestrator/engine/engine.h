/* The engine: what has happened (events) → what is to be done now (effects). It does no I/O and has
 * no clock: the real runtime, the forecast of a dry run and the tests drive the same code.
 *
 *     engine_apply(engine, event)      for each event, in the journal's order
 *     engine_decide(engine, now, &e)   gives one effect; the driver appends the event that belongs
 * to it, applies that, starts the work, and asks again until NONE
 *
 * Ends well for who waits: a step that succeeded, that was skipped, or that failed with on_failure:
 * continue. After any other failure, and after a cancel, nothing new starts but steps whose `if`
 * asks for always(), failure() or cancelled(); they start when nothing that stands before them in
 * the graph is under way any more. */
#ifndef DRCTL_ENGINE_ENGINE_H
#define DRCTL_ENGINE_ENGINE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/table.h"
#include "base/vector.h"
#include "engine/state.h"
#include "plan/context.h"
#include "plan/model.h"

/* A step, or one instance of a for_each step. */
struct engine_node {
    const struct plan_step *step;
    char *name;                 /* "ID", or "ID[KEY]" for an instance */
    char *key;                  /* of an instance; NULL otherwise */
    json_t *value;              /* each.value of an instance; NULL otherwise */
    struct engine_node *parent; /* of an instance; NULL otherwise */
    json_t *items;              /* of an expanded step: KEY → value; NULL otherwise */
    size_t instances_left;      /* of an expanded step: instances that did not end yet */
    enum step_state state;
    size_t attempts;       /* begun so far; the number of the latest */
    size_t attempts_spent; /* of those, the ones that count against retry.attempts */
    size_t blockers;       /* needs that did not end well (yet); of a step only */
    int64_t retry_at_ns;   /* while waiting */
    int64_t started_at_ns; /* of the latest attempt; 0 before */
    int64_t ended_at_ns;   /* 0 before */
    json_t *question;      /* the open `asked` event; NULL when nobody has to answer */
    json_t *answer;        /* the `answered` event of on_failure: ask; NULL */
    json_t *outputs;       /* once it succeeded; NULL before */
    json_t *error;         /* of the latest failure; NULL */
    uint64_t memory_bytes; /* what it needs while it runs */
    bool satisfied;        /* who waits for it may go on */
    bool queued;           /* stands in the ready queue */
};

struct engine_limits {
    size_t running;        /* attempts at one time; 0: no limit */
    uint64_t memory_bytes; /* of all attempts that run; 0: no limit. One step always fits. */
};

enum engine_effect_kind {
    ENGINE_NONE,    /* nothing now: wait for an event, or until engine_next_time_ns() */
    ENGINE_START,   /* → step_started, then run attempt number `attempt` */
    ENGINE_EXPAND,  /* → step_expanded with `value` (KEY → value) */
    ENGINE_SKIP,    /* → step_skipped for `reason` */
    ENGINE_SUCCEED, /* → step_succeeded with `value` as outputs; of an expanded step */
    ENGINE_WAIT,    /* → step_waiting until `until_ns` */
    ENGINE_ASK,     /* → asked, question "failure": retry, skip or stop */
    ENGINE_RETRY,   /* → step_retried: a person chose so */
    ENGINE_FAIL,    /* → step_failed with `error` */
    ENGINE_CANCEL,  /* → step_cancelled */
    ENGINE_END,     /* → run_ended with `reason` as its outcome */
};

struct engine_effect {
    enum engine_effect_kind kind;
    struct engine_node *node; /* NULL for ENGINE_END */
    size_t attempt;
    int64_t until_ns;
    const char *reason; /* static */
    json_t *value;      /* owned by the effect */
    struct error error; /* owned by the effect */
};

void engine_effect_release(struct engine_effect *effect);

/* The event that the driver appends for an effect. A new reference. */
json_t *engine_effect_event(const struct engine_effect *effect);

struct engine;

/* The plan is validated and settled and outlives the engine. The context holds inputs, site, run
 * and env; it is copied. run_id makes the jitter of retries differ between runs. */
struct engine *engine_new(const struct plan *plan, const struct context *context,
                          const struct engine_limits *limits, const char *run_id);
void engine_free(struct engine *engine);

/* Applies an event that carries "at" (the journal sets it). ERROR_DAMAGED when it does not go
 * together with the state. */
MUST_USE int engine_apply(struct engine *engine, const json_t *event, struct error *err);

/* The next thing to do; released by the caller. */
void engine_decide(struct engine *engine, int64_t now_ns, struct engine_effect *ret_effect);

/* When a waiting step's time comes; INT64_MAX when none waits. */
int64_t engine_next_time_ns(const struct engine *engine);

/* The context that a node's expressions see, each included. Released by the caller. */
void engine_context(const struct engine *engine, const struct engine_node *node, int64_t now_ns,
                    struct context *ret_context);

/* What outputs really are where the event had to hide a secret; the reference is taken. */
void engine_reveal_outputs(struct engine *engine, struct engine_node *node, json_t *outputs);

/* Nodes in order: steps as in the plan, instances in the order of their making. */
size_t engine_node_count(const struct engine *engine);
struct engine_node *engine_node_at(const struct engine *engine, size_t index);

/* By name; NULL when there is none. */
struct engine_node *engine_find(const struct engine *engine, const char *name);

/* True when a resume gives the node another attempt: it failed or was cancelled and nobody goes on
 * without it, or it ran because of such a failure. */
bool engine_is_retried_on_resume(const struct engine *engine, const struct engine_node *node);

bool engine_is_paused(const struct engine *engine);
bool engine_is_cancelled(const struct engine *engine);

/* "succeeded", "failed", "cancelled" after run_ended; NULL before, and again once it was resumed.
 */
const char *engine_outcome(const struct engine *engine);

/* Attempts under way, and of those the ones that wait for a person. */
size_t engine_running_count(const struct engine *engine);
size_t engine_asking_count(const struct engine *engine);

#endif
