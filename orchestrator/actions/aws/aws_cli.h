/* Calls of the AWS CLI, version 1 or 2: always with a region, JSON as their output, no pager, no
 * wait for a person, and no retry of the CLI's own where a call changes something. */
#ifndef DRCTL_ACTIONS_AWS_CLI_H
#define DRCTL_ACTIONS_AWS_CLI_H

#include <jansson.h>
#include <stdbool.h>

#include "actions/argv.h"
#include "attempt/attempt.h"
#include "aws/aws_error.h"

struct aws_call {
    const char *task;         /* its name within the attempt */
    const char *service;      /* "rds" */
    const char *operation;    /* "describe-db-instances" */
    const char *region;       /* aws_region() */
    const json_t *options;    /* map: option → value (aws_add_options()); NULL */
    const json_t *args;       /* further words; NULL */
    const json_t *input;      /* map in the API form, null left out, in a private file; NULL */
    const char *query;        /* JMESPath; NULL */
    const char *token_option; /* the API's idempotency token, "client-token"; NULL */
    bool mutates;
    bool transient; /* a look, one of many in a poll */
    bool text;      /* its output is text and not JSON */
    /* When its end was not seen (attempt.h). */
    enum attempt_probe_answer (*probe)(struct attempt *attempt, void *context);
    void *context;
};

struct aws_answer {
    json_t *value;          /* what it printed; json_null() for nothing; NULL after a failure */
    struct aws_error error; /* after a failure of the call itself */
    bool found_done;        /* its end was not seen, its probe says that its effect is there */
};

/* The region that calls of this step go to: the argument `region`, else AWS_REGION, else
 * AWS_DEFAULT_REGION of its environment. ERROR_INVALID when there is none: a region that nobody
 * wrote down is the wrong one in half of all recoveries. Borrowed. */
MUST_USE int aws_region(const struct attempt *attempt, const char **ret_region, struct error *err);

/* Adds a map of options: a_b or a-b becomes --a-b; true is the bare option and false --no-a-b; a
 * list of plain values becomes several words; anything with structure is JSON; null is left out. */
void aws_add_options(struct argv *argv, const json_t *options);

/* The words of a call without its input file: for showing. */
void aws_build_argv(const struct attempt *attempt, const struct aws_call *call, struct argv *argv);

/* One call, once. On failure err says why and ret_answer->error holds the parts. Released by the
 * caller in any case. */
MUST_USE int aws_call_run(struct attempt *attempt, const struct aws_call *call,
                          struct aws_answer *ret_answer, struct error *err);

void aws_answer_release(struct aws_answer *answer);

/* The same, and again after a pause as long as the service asks to slow down or, for one that only
 * looks, cannot be reached: a few minutes at most. A call that changes something and whose
 * connection broke is judged by its probe; where there is none, ERROR_UNKNOWN. */
MUST_USE int aws_call_persist(struct attempt *attempt, const struct aws_call *call,
                              struct aws_answer *ret_answer, struct error *err);

/* A read: aws_call_persist() for its value alone. Takes the reference of options (may be NULL). */
MUST_USE int aws_read(struct attempt *attempt, const char *task, const char *region,
                      const char *service, const char *operation, json_t *options,
                      const char *query, json_t **ret_value, struct error *err);

/* Whether an operation changes something, judged by its verb; true when the verb says nothing. */
bool aws_operation_mutates(const char *service, const char *operation);

/* Whether what an operation prints is a credential, which must not get into a log. */
bool aws_operation_prints_secret(const char *service, const char *operation);

/* Whether an operation prints text instead of JSON. */
bool aws_operation_prints_text(const char *service, const char *operation);

#endif
