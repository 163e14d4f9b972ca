/* Names for actions: asked of the system's resolver, or of DRCTL_RESOLVER ("HOST:PORT", separated
 * by commas), which stands in for it where names are not to be had from the system: in the sandbox,
 * or when the usual resolvers are part of what failed. */
#ifndef DRCTL_ACTIONS_NETWORK_RESOLVER_H
#define DRCTL_ACTIONS_NETWORK_RESOLVER_H

#include "attempt/attempt.h"
#include "base/vector.h"

struct texts {
    VECTOR(char *)
    list; /* ends with a NULL that count does not include, once it was closed */
};

void texts_add(struct texts *texts, const char *text);

/* The parts of a list that is separated by commas or blanks. */
void texts_add_separated(struct texts *texts, const char *list);

/* The items as a NULL-terminated array; borrowed. */
const char *const *texts_close(struct texts *texts);
void texts_release(struct texts *texts);

/* Appends the values that a name has. ERROR_NOT_FOUND and the like when it has none. */
MUST_USE int resolver_ask(struct attempt *attempt, const char *name, const char *type,
                          struct texts *values, struct error *err);

/* With DRCTL_RESOLVER: "ADDRESS:PORT" for a host, which the caller frees. Without it, or for a host
 * that is an address already: NULL, and the system does the resolving. */
MUST_USE int resolver_connect_to(struct attempt *attempt, const char *host, const char *port,
                                 char **ret_connect_to, struct error *err);

#endif
