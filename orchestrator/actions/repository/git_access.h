/* How the actions of this folder get at remotes: the parameters that they share. */
#ifndef DRCTL_ACTIONS_GIT_ACCESS_H
#define DRCTL_ACTIONS_GIT_ACCESS_H

#include "attempt/attempt.h"
#include "git/repo.h"
#include "plan/catalogue.h"

#define GIT_ACCESS_PARAMETERS                                                                      \
    {.name = "token",                                                                              \
     .type = VALUE_SECRET,                                                                         \
     .doc = "Token or password for https; otherwise git's credential helper is asked"},            \
        {.name = "username",                                                                       \
         .type = VALUE_STRING,                                                                     \
         .exposed = true,                                                                          \
         .doc = "User that goes with the token; hosting services take any"},                       \
        {.name = "ssh_key",                                                                        \
         .type = VALUE_PATH,                                                                       \
         .exposed = true,                                                                          \
         .doc = "Private key for ssh, after the agent's; otherwise the usual ones in ~/.ssh"},     \
        {.name = "ca_file",                                                                        \
         .type = VALUE_PATH,                                                                       \
         .exposed = true,                                                                          \
         .doc = "PEM file of authorities to trust instead of the system's"},                       \
        {.name = "connect_timeout",                                                                \
         .type = VALUE_DURATION,                                                                   \
         .default_json = "\"10s\"",                                                                \
         .doc = "For each address of a host, before the next URL is tried"},                       \
    {                                                                                              \
        .name = "stall_timeout", .type = VALUE_DURATION, .default_json = "\"60s\"",                \
        .doc = "Without any sign of progress"                                                      \
    }

/* Access as the arguments say; progress is said and a cancel is heeded. Borrowed from the attempt.
 */
void git_access_read(struct attempt *attempt, struct repo_access *ret_access);

/* The texts of an argument that is a list, NULL-terminated; the array is the caller's, the texts
 * are borrowed. NULL when the list is missing or empty. */
const char **git_texts(const json_t *list);

#endif
