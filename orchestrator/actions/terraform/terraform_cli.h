/* Calls of terraform: never asking, with a data folder of the run's own for each root module, and
 * without what the operator's environment would add to its arguments. */
#ifndef DRCTL_ACTIONS_TERRAFORM_CLI_H
#define DRCTL_ACTIONS_TERRAFORM_CLI_H

#include "actions/argv.h"
#include "attempt/attempt.h"
#include "plan/catalogue.h"
#include "terraform/terraform_stream.h"

#define TERRAFORM_PARAMETERS                                                                       \
    {.name = "dir",                                                                                \
     .type = VALUE_PATH,                                                                           \
     .required = true,                                                                             \
     .exposed = true,                                                                              \
     .doc = "The root module"},                                                                    \
        {.name = "program",                                                                        \
         .type = VALUE_STRING,                                                                     \
         .exposed = true,                                                                          \
         .default_json = "\"terraform\"",                                                          \
         .doc = "The terraform to run, as found on PATH"},                                         \
    {                                                                                              \
        .name = "lock_timeout", .type = VALUE_DURATION, .default_json = "\"2m\"",                  \
        .doc = "How long to wait for the lock of the state"                                        \
    }

enum { TERRAFORM_MEMORY_BYTES = 700 * 1024 * 1024 }; /* with one provider process */

struct terraform {
    struct attempt *attempt;
    char *dir;           /* the root module, absolute */
    char *store;         /* the run's folder for this module: data/, plans/, states/ */
    const char *program; /* borrowed */
    int64_t lock_timeout_ms;
    struct argv set; /* settings over the step's environment */
};

/* Reads the parameters above. `dir` may be given instead of the argument; NULL takes the argument.
 */
MUST_USE int terraform_open(struct attempt *attempt, const char *dir,
                            struct terraform *ret_terraform, struct error *err);
void terraform_release(struct terraform *terraform);

/* The folder that TF_DATA_DIR names; the caller frees it. */
char *terraform_data_directory(const struct terraform *terraform);

/* "terraform VERB" and what every call with a state has: -input=false and, for verbs that lock, the
 * timeout or, in a dry run, no lock at all, since a lock is a write. */
void terraform_begin(const struct terraform *terraform, struct argv *argv, const char *verb);
void terraform_add_lock(const struct terraform *terraform, struct argv *argv);

struct terraform_call {
    const char *task;
    struct argv *argv;
    struct terraform_stream *stream; /* of a call with -json; NULL */
    bool mutates;
    int64_t grace_ms;
    enum attempt_probe_answer (*probe)(struct attempt *attempt, void *context);
};

/* Runs a call in the module's folder; as attempt_run(). */
MUST_USE int terraform_run(const struct terraform *terraform, const struct terraform_call *call,
                           struct attempt_result *ret_result, struct error *err);

/* A read whose stdout may hold secrets: it gets into no log. The caller frees ret_out. */
MUST_USE int terraform_read(const struct terraform *terraform, const char *task, struct argv *argv,
                            struct buffer *ret_out, struct error *err);

/* The same, as JSON; a new reference. */
MUST_USE int terraform_read_json(const struct terraform *terraform, const char *task,
                                 struct argv *argv, json_t **ret_value, struct error *err);

#endif
