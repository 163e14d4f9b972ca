/* A state's lock that is in the way, and the state file that an apply could not put away. */
#ifndef DRCTL_ACTIONS_STATE_LOCK_H
#define DRCTL_ACTIONS_STATE_LOCK_H

#include "terraform/terraform_cli.h"

/* Tells of the lock and asks a person whether to break it. *ret_broken says whether it was; with
 * "stop" the caller reports the lock as its error. Never asks in a dry run. */
MUST_USE int state_lock_ask(const struct terraform *terraform, const struct terraform_lock *lock,
                            bool *ret_broken, struct error *err);

/* Pushes errored.tfstate of the module's folder, when there is one, before anything else reads the
 * state: without it terraform would not know what it has made. The file is renamed afterwards. */
MUST_USE int state_push_errored(const struct terraform *terraform, bool *ret_pushed,
                                struct error *err);

/* A private copy of the state as it is now; *ret_path (the caller frees it) stays NULL when there
 * is no state yet. */
MUST_USE int state_backup(const struct terraform *terraform, const char *name, char **ret_path,
                          struct error *err);

#endif
