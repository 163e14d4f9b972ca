/* Where libgit2's thread-local errors become drctl's. */
#ifndef DRCTL_GIT_LIBRARY_H
#define DRCTL_GIT_LIBRARY_H

#include "base/compiler.h"
#include "base/error.h"

/* Starts the library, once for the process. */
void library_start(void);

/* Trusts the authorities in a PEM file, in the whole process from now on; NULL changes nothing. */
MUST_USE int library_trust(const char *ca_file, struct error *err);

/* Sets err from a libgit2 status and this thread's last libgit2 error, with "what: " in front.
 * Returns -1. An error that is set already, for instance by a callback, stays. */
int library_error(struct error *err, int status, const char *format, ...) PRINTF_LIKE(3, 4);

#endif
