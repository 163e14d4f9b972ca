/* A small helper program on the loop, whose standard output is kept in memory: for credentials,
 * which must reach no file and no log. Work of a run goes through the shim instead. */
#ifndef DRCTL_NET_HELPER_H
#define DRCTL_NET_HELPER_H

#include <uv.h>

#include "base/buffer.h"
#include "base/error.h"

/* Ends a helper, once and never from inside helper_start(). out is the program's standard output
 * when err is clear: it exited with status 0. It is overwritten and freed afterwards. */
typedef void helper_done(void *context, const struct buffer *out, struct error *err);

struct helper;

/* Starts argv (NULL-terminated; argv[0] is looked up in the PATH of environment). Standard input is
 * empty and standard error thrown away, since it may tell secrets. After timeout_ms, or when it
 * prints more than a credential can be, it is killed. */
struct helper *helper_start(uv_loop_t *loop, const char *const *argv, char *const *environment,
                            int64_t timeout_ms, helper_done *done, void *context);

/* Kills the program; done() is not called any more. */
void helper_forget(struct helper *helper);

#endif
