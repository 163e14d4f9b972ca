/* What a step's environment and the AWS configuration files say: profile, region, endpoints. */
#ifndef DRCTL_NET_AWS_SETTINGS_H
#define DRCTL_NET_AWS_SETTINGS_H

#include <stdbool.h>

#include "base/compiler.h"
#include "base/error.h"
#include "net/aws_config.h"

struct aws_settings {
    char **environment; /* a copy */
    struct aws_config config;
    char *profile; /* never NULL; "default" when nothing names one */
    /* The plan named the profile: keys in the environment then do not count, as with --profile. */
    bool profile_is_explicit;
    char *region; /* NULL when nothing names one */
};

/* profile and region may be NULL: then the environment and the profile decide. Reads files: call it
 * on the action's thread and not on the loop's. */
MUST_USE int aws_settings_load(char *const *environment, const char *profile, const char *region,
                               struct aws_settings *ret_settings, struct error *err);
void aws_settings_release(struct aws_settings *settings);

#endif
