/* The parameters that `aws`, `aws.wait` and probes share: which call is meant. */
#ifndef DRCTL_ACTIONS_AWS_REQUEST_H
#define DRCTL_ACTIONS_AWS_REQUEST_H

#include "aws/aws_cli.h"
#include "plan/catalogue.h"

/* For the tables of actions that make a call. */
#define AWS_REQUEST_PARAMETERS                                                                     \
    {.name = "service",                                                                            \
     .type = VALUE_STRING,                                                                         \
     .required = true,                                                                             \
     .exposed = true,                                                                              \
     .doc = "Service as the AWS CLI calls it: rds, ec2, s3api"},                                   \
        {.name = "operation",                                                                      \
         .type = VALUE_STRING,                                                                     \
         .required = true,                                                                         \
         .exposed = true,                                                                          \
         .doc = "Operation as the CLI calls it: describe-db-instances"},                           \
        {.name = "options",                                                                        \
         .type = VALUE_MAP,                                                                        \
         .exposed = true,                                                                          \
         .doc =                                                                                    \
             "Options of the CLI without their dashes: {db_instance_identifier: x, all: true}"},   \
        {.name = "args",                                                                           \
         .type = VALUE_STRINGS,                                                                    \
         .exposed = true,                                                                          \
         .doc = "Further words behind the options, as one would type them"},                       \
        {.name = "input",                                                                          \
         .type = VALUE_MAP,                                                                        \
         .doc = "The request in the API's own form, {DBInstanceIdentifier: x}; handed over in a "  \
                "private file, so that it may hold secrets and may be large"},                     \
    {                                                                                              \
        .name = "region", .type = VALUE_REGION, .exposed = true,                                   \
        .doc = "Region to ask; AWS_REGION of the step's env otherwise"                             \
    }

/* The call that the arguments of this attempt ask for. Borrowed from them. ERROR_REFUSED for one
 * that would print a credential. */
MUST_USE int aws_request_read(const struct attempt *attempt, struct aws_call *ret_call,
                              struct error *err);

#endif
