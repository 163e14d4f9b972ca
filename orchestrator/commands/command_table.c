/* All commands, in the order in which the help lists them. */
#include "commands/command.h"

extern const struct command command_actions;
extern const struct command command_answer;
extern const struct command command_approve;
extern const struct command command_attach;
extern const struct command command_cancel;
extern const struct command command_continue;
extern const struct command command_doctor;
extern const struct command command_drills;
extern const struct command command_graph;
extern const struct command command_journal;
extern const struct command command_logs;
extern const struct command command_pause;
extern const struct command command_plans;
extern const struct command command_report;
extern const struct command command_resume;
extern const struct command command_retry;
extern const struct command command_rollback;
extern const struct command command_run;
extern const struct command command_runbook;
extern const struct command command_runs;
extern const struct command command_schema;
extern const struct command command_skip;
extern const struct command command_status;
extern const struct command command_unlock;
extern const struct command command_validate;

const struct command *const commands[] = {
    &command_plans,  &command_actions, &command_graph,    &command_validate, &command_run,
    &command_resume, &command_status,  &command_runs,     &command_attach,   &command_logs,
    &command_report, &command_runbook, &command_approve,  &command_answer,   &command_skip,
    &command_retry,  &command_pause,   &command_continue, &command_cancel,   &command_rollback,
    &command_unlock, &command_journal, &command_drills,   &command_schema,   &command_doctor,
};

const size_t commands_count = ARRAY_SIZE(commands);
