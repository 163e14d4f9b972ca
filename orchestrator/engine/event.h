/* The events of a run: the only way in which its state changes, and all that its views know. Each
 * is a JSON object with "type" and the fields below (the journal adds seq, at, prev and hash).
 *
 *   run_created    run, plan, plan_sha256, target, operator, host, pid, boot_id, version,
 *                  started_at, plan_file, incident_at, dry_run, remote_lock,
 *                  secrets: names of the secret inputs that were given
 *   run_resumed    operator, host, pid, boot_id                 another drctl went on
 *   run_paused     who, why                                     nothing new starts
 *   run_continued  who
 *   run_cancelled  who, why                                     nothing new starts, all is stopped
 *   run_ended      outcome: succeeded, failed, cancelled
 *   step_expanded  step, items: [{key, value}]                  a for_each became instances
 *   step_started   step, attempt, uses                          an attempt begins
 *   step_succeeded step, attempt, outputs
 *   step_skipped   step, reason: if, unless, person; who, why
 *   attempt_failed step, attempt, error: {code, message, hint, …}, tail: [line, …]
 *   step_waiting   step, attempt, until                         the next attempt comes at that time
 *   step_failed    step, error                                  no further attempt
 *   step_cancelled step, attempt
 *   step_retried   step, who, why                               a person wants another attempt
 *   task_started   step, attempt, task, argv, mutates,          durable before the command starts
 *                  quiet, folder                                stdout is data; where its log is
 *   task_ended     step, attempt, task, exit_code | signal, duration_ms
 *   remembered     step, attempt, name, value                   durable before an effect
 *   fact           step, attempt, kind, value                   what the report is written from
 *   asked          step, attempt, question, text, evidence, choices
 *   answered       step, question, answer, who, why
 */
#ifndef DRCTL_ENGINE_EVENT_H
#define DRCTL_ENGINE_EVENT_H

#include <jansson.h>
#include <stddef.h>

enum event_type {
    EVENT_RUN_CREATED,
    EVENT_RUN_RESUMED,
    EVENT_RUN_PAUSED,
    EVENT_RUN_CONTINUED,
    EVENT_RUN_CANCELLED,
    EVENT_RUN_ENDED,
    EVENT_STEP_EXPANDED,
    EVENT_STEP_STARTED,
    EVENT_STEP_SUCCEEDED,
    EVENT_STEP_SKIPPED,
    EVENT_ATTEMPT_FAILED,
    EVENT_STEP_WAITING,
    EVENT_STEP_FAILED,
    EVENT_STEP_CANCELLED,
    EVENT_STEP_RETRIED,
    EVENT_TASK_STARTED,
    EVENT_TASK_ENDED,
    EVENT_REMEMBERED,
    EVENT_FACT,
    EVENT_ASKED,
    EVENT_ANSWERED,
    EVENT_UNKNOWN, /* from a newer drctl: kept, shown, without meaning for the state */
};

enum event_type event_type_of(const json_t *event);
const char *event_type_name(enum event_type type);

/* A new event of a type. With a step, the field is set; attempt 0 leaves its field out. */
json_t *event_new(enum event_type type, const char *step, size_t attempt);

#endif
