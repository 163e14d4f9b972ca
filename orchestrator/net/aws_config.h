/* The AWS configuration files, read as botocore reads them. */
#ifndef DRCTL_NET_AWS_CONFIG_H
#define DRCTL_NET_AWS_CONFIG_H

#include <jansson.h>

#include "base/compiler.h"
#include "base/error.h"
#include "base/span.h"

/* Both files, merged. Plain values are strings; a value that starts on the line below its key is an
 * object of its own ("nested section"). May hold secrets. */
struct aws_config {
    json_t *profiles;    /* {name: {key: value}}: config file, and the credentials file over it */
    json_t *services;    /* {name: {service: {"endpoint_url": …}}} */
    json_t *credentials; /* the credentials file alone, {name: {key: value}} */
    json_t *config;      /* the profiles of the config file alone */
};

/* Parses an INI text (Python's configparser with botocore's nesting) into {section: {key: value}}.
 * Keys are in lower case. Returns a new reference, or NULL with ERROR_INVALID and the line; the
 * message never contains a value. */
MUST_USE json_t *aws_config_parse(struct span text, const char *name, struct error *err);

/* Reads AWS_CONFIG_FILE and AWS_SHARED_CREDENTIALS_FILE, or ~/.aws/config and ~/.aws/credentials;
 * a missing file is an empty one. Reads files: not for the loop's thread. */
MUST_USE int aws_config_load(char *const *environment, struct aws_config *ret_config,
                             struct error *err);

/* A string of a profile; NULL when profile or key is missing. Borrowed. */
const char *aws_config_get(const struct aws_config *config, const char *profile, const char *key);

void aws_config_release(struct aws_config *config);

#endif
