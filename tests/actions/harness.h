/* Runs one action as a run would: on a thread of its own beside a real event loop, its commands
 * under real shims, its journal in memory.
 *
 *     struct harness *harness = harness_new();
 *     harness_answer(harness, "approve", "go");
 *     harness_run(harness, &action_exec, "{'argv': ['true']}");
 *     assert_int_equal(harness->status, 0);  …  json_object_get(harness->outputs, "exit_code")
 *     harness_free(harness);
 *
 * Arguments are JSON in which ' stands for ". They go through the action's table as in a plan:
 * unknown, missing and mistyped ones fail the test, defaults are filled in, durations become
 * milliseconds. A harness can run any number of attempts, one after another, each in a folder of
 * its own; their work folder is the same. */
#ifndef DRCTL_TESTS_ACTIONS_HARNESS_H
#define DRCTL_TESTS_ACTIONS_HARNESS_H

#include <jansson.h>
#include <stdbool.h>

#include "actions/action.h"
#include "base/buffer.h"
#include "base/error.h"

struct harness_engine; /* harness.c */

struct harness {
    char *folder; /* of the test: work/ is the run's, plan/ the plan's, steps/N/ the attempts' */
    char *work;
    char *plan;

    /* Settings for the next attempt, kept until they are changed. */
    bool dry_run;
    int64_t timeout_ms; /* 0: none */
    /* As soon as a shown line holds this text: drctl goes away (harness_resume() comes back), or
     * the attempt is cancelled. NULL: never. */
    const char *detach_at;
    const char *cancel_at;

    /* What became of the last one. */
    int status;
    struct error error;
    bool detached;
    json_t *outputs;
    json_t *events;      /* of the last attempt and its resumes: what it put into the journal */
    struct buffer lines; /* what was shown: each line as "TASK| text" or, of the action itself,
                            "text" */

    struct harness_engine *engine;
};

struct harness *harness_new(void);
void harness_free(struct harness *harness);

/* A variable of the step's environment, which starts as that of the test. NULL takes it away. */
void harness_setenv(struct harness *harness, const char *name, const char *value);

/* All variables of a shell file with lines NAME=VALUE, such as a sandbox's env file. */
void harness_setenv_file(struct harness *harness, const char *path);

/* The answer to a question of this id. A question without an answer cancels the attempt. */
void harness_answer(struct harness *harness, const char *question, const char *answer);

/* A text that must never be seen. */
void harness_secret(struct harness *harness, const char *secret);

/* The first call of the action as a new attempt. */
void harness_run(struct harness *harness, const struct action *action, const char *arguments);
void harness_run_json(struct harness *harness, const struct action *action, json_t *arguments);

/* The same, and a failure fails the test with everything that was shown. */
void harness_run_ok(struct harness *harness, const struct action *action, const char *arguments);

/* The same attempt again, as `drctl resume` would, with what its events say. */
void harness_resume(struct harness *harness);
void harness_resume_ok(struct harness *harness);

/* Its undo. */
void harness_undo(struct harness *harness);

/* The text of an output; fails the test when it is missing or no text. Borrowed. */
const char *harness_output(const struct harness *harness, const char *name);

/* Whether a shown line holds this text. */
bool harness_shows(const struct harness *harness, const char *text);

/* How many commands of this task were started in the last attempt, its resumes included. */
size_t harness_started(const struct harness *harness, const char *task);

/* The value of the last fact of this kind, NULL when there is none. Borrowed. */
json_t *harness_fact(const struct harness *harness, const char *kind);

#endif
