/* Where runs live: STATE/runs/ID/{plan.json,journal.jsonl,steps/,work/,control.sock} and
 * STATE/locks/. STATE is --state-dir, else $DRCTL_STATE_DIR, else $XDG_STATE_HOME/drctl, else
 * ~/.local/state/drctl.
 */
#ifndef DRCTL_RUNTIME_STATE_DIRECTORY_H
#define DRCTL_RUNTIME_STATE_DIRECTORY_H

#include "base/compiler.h"
#include "base/error.h"
#include "base/vector.h"

/* The state directory as an absolute path, made (0700) when missing. given may be NULL. The caller
 * frees *ret_path. ERROR_NOT_READY when there is no home to put it in. */
MUST_USE int state_directory(const char *given, char **ret_path, struct error *err);

/* A new, readable, sortable run id: PLAN-YYYYMMDD-HHMMSS-xxxx. The caller frees it. */
char *state_new_run_id(const char *plan_name, int64_t now_ns);

/* The run's directory, STATE/runs/ID. The caller frees it. */
char *state_run_directory(const char *state, const char *run_id);

struct state_runs {
    VECTOR(char *)
    ids; /* sorted by time of creation, oldest first */
};

MUST_USE int state_list_runs(const char *state, struct state_runs *ret_runs, struct error *err);
void state_runs_release(struct state_runs *runs);

/* Finds a run by its id, by an unambiguous beginning or end of it, or by "last". The caller frees
 * *ret_id. ERROR_USAGE with the candidates when it is not one run. */
MUST_USE int state_find_run(const char *state, const char *given, char **ret_id, struct error *err);

/* A step's folder name: what is not [A-Za-z0-9._-] becomes %XX. The caller frees it. */
char *state_step_folder(const char *step);

#endif
