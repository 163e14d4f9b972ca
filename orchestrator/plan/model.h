/* A plan as the engine sees it: inputs, objectives and a graph of steps. Texts and nodes are
 * borrowed from the document, which the plan owns, so that errors found at run time can still cite
 * file:line:column.
 *
 * The life of a plan:
 *   plan_parse()      source → model; unknown keys and wrong shapes are reported
 *   plan_validate()   (validate.h) everything else that can be known; binds uses → action tables
 *   inputs_resolve()  (inputs.h) --input texts and defaults → inputs
 *   plan_settle()     (resolve.h) target, timeouts, locks, objectives, whose values may need inputs
 *   plan_freeze()     (freeze.h) → the bytes of plan.json; plan_thaw() goes back
 *
 * for_each: a step with it stands for one instance for each item, made when the step starts:
 * resolve_items() gives an object KEY → value. A map gives its own keys; a list of texts, numbers
 * or booleans is keyed by the items themselves, any other list by 0, 1, 2 …; keys are unique and
 * have no control characters. An instance is called `ID[KEY]` and sees each.key and each.value. The
 * step itself has succeeded when all its instances have (no items: at once), and
 * steps.ID.outputs is then a map KEY → outputs of that instance. */
#ifndef DRCTL_PLAN_MODEL_H
#define DRCTL_PLAN_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/table.h"
#include "base/vector.h"
#include "plan/catalogue.h"
#include "plan/document.h"

enum { PLAN_STEP_LIMIT = 2000 };

enum plan_on_failure {
    PLAN_ON_FAILURE_STOP,     /* nothing new is started, what runs may end */
    PLAN_ON_FAILURE_CONTINUE, /* who waits for the step goes on as if it had succeeded */
    PLAN_ON_FAILURE_ASK       /* a person decides: retry, skip or stop */
};

struct plan_input {
    const char *name;
    enum value_type type;
    bool required; /* no default and no env: has to be given */
    const char *description;
    const struct node *default_value; /* a template over site, env, run; NULL */
    const char *env_name; /* the environment variable that gives a value that is missing; NULL */
    const struct node *choices; /* NODE_LIST of NODE_TEXT for VALUE_CHOICE; NULL */
    const char *pattern;        /* POSIX extended, must match the whole text; NULL */
    struct mark at;
};

struct plan_objective {
    const char *component;
    const struct node *rto; /* templates; NULL when there is none ("N/A") */
    const struct node *rpo;
    int64_t rto_ms; /* settled; -1 when there is none */
    int64_t rpo_ms;
    size_t step; /* index of reached_by; SIZE_MAX when it names none (then: the end of the run) */
    struct mark at;
};

/* An action with its arguments: of a step, of its probe, of its undo. */
struct plan_call {
    const char *uses;                        /* NULL when there is no such call */
    const struct node *with;                 /* NODE_MAP of templates; NULL when there are none */
    struct mark at;                          /* of the action's name */
    const struct action_description *action; /* bound by plan_validate(); NULL before */
};

struct plan_retry {
    unsigned attempts;  /* in all, at least 1 */
    int64_t backoff_ms; /* before the second attempt; doubles, full jitter */
    int64_t max_backoff_ms;
    uint32_t on; /* bit (1u << code) for each enum error_code that is worth another attempt */
};

struct plan_step {
    const char *id;
    size_t index;     /* in plan->steps */
    const char *name; /* for people: `name`, else the id */
    const char *description;
    struct plan_call call;
    VECTOR(size_t)
    needs;                        /* indices, sorted, all different */
    bool needs_are_implied;       /* by standing below another step */
    const struct node *condition; /* `if`; NULL when there is none */
    bool runs_after_failure; /* the condition asks for always(), failure() or cancelled(): it is
                                evaluated even when what the step waits for has failed */
    struct plan_call probe;  /* `unless`: the step is already done when the probe succeeds … */
    const struct node *probe_expect; /* … and this holds over probe.outputs, probe.status; NULL */
    const struct node *probe_outputs; /* the step's outputs in that case: NODE_MAP; NULL */
    const struct node *env;           /* NODE_MAP; NULL */
    const struct node *timeout;       /* NULL when there is none */
    int64_t timeout_ms;               /* settled, of one attempt; 0 for no limit */
    struct plan_retry retry;
    enum plan_on_failure on_failure;
    struct plan_call undo;
    const struct node *undo_env; /* NULL */
    const struct node *for_each; /* NULL */
    const struct node *locks;    /* template or NODE_LIST of templates; NULL */
    VECTOR(char *)
    lock_names;                 /* settled; steps that share a name run one after another */
    const struct node *memory;  /* NULL */
    uint64_t memory_bytes;      /* settled; else the action's own figure; 0 is unknown */
    const struct node *confirm; /* a question that a person must answer first: template; NULL */
    struct mark at;             /* of the id */
};

struct plan {
    const char *name;
    const char *summary;
    const char *description;
    const char *duration_text; /* how long the runbook gives it, as written ("30m-60m"); NULL */
    int64_t duration_ms;       /* its upper end; 0 when there is none */
    VECTOR(struct plan_input)
    inputs;
    VECTOR(struct plan_objective)
    objectives;
    VECTOR(struct plan_step)
    steps;                  /* in the order of the document */
    const struct node *env; /* NODE_MAP, for every step and as env.NAME; NULL */
    const struct node
        *without; /* region or list of regions that the recovery must not need; NULL */
    VECTOR(char *)
    without_regions;              /* settled */
    const struct node *target;    /* what a run locks: template; NULL for site.name/environment */
    char *target_name;            /* settled */
    const struct node *outputs;   /* NODE_MAP of templates, for a plan inside a plan; NULL */
    char sha256[DIGEST_HEX_SIZE]; /* of the source */
    struct table step_index;      /* id → index */
    struct document *document;
};

/* Reads a plan. Every problem goes to errors. NULL when there is no plan to go on with; otherwise a
 * plan that plan_validate() may look at, fit to run only when errors stayed empty. */
MUST_USE struct plan *plan_parse(struct span source, const char *file, struct error_list *errors);
void plan_free(struct plan *plan);

/* NULL when there is none of that name. */
const struct plan_step *plan_find_step(const struct plan *plan, const char *id);
const struct plan_input *plan_find_input(const struct plan *plan, const char *name);

/* An error at a place of the plan's document. Returns -1. */
int plan_error(const struct plan *plan, struct mark at, struct error *err, const char *format, ...)
    PRINTF_LIKE(4, 5);

#endif
