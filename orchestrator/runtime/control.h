/* Talking to the drctl that works on a run: RUN/control.sock, one JSON object a line each way.
 *   → {"verb": …, "step": …, "answer": …, "who": …, "why": …}   as run_decide() takes it
 *   ← {"ok": true, "text": …}  or  {"ok": false, "code": …, "message": …, "hint": …}
 * The folder is private, so whoever can connect may decide; who it is says the peer's credentials
 * beside the name that it gives. */
#ifndef DRCTL_RUNTIME_CONTROL_H
#define DRCTL_RUNTIME_CONTROL_H

#include <jansson.h>
#include <stdbool.h>

#include "base/compiler.h"
#include "base/error.h"

/* Sends a decision and waits for the answer, at most ten seconds. The caller frees *ret_text.
 * ERROR_NOT_FOUND when no drctl works on that run now. */
MUST_USE int control_send(const char *run_directory, const json_t *decision, char **ret_text,
                          struct error *err);

/* Whether a drctl works on that run now. */
bool control_is_open(const char *run_directory);

#endif
