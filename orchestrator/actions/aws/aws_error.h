/* What the AWS CLI says when a call fails, taken apart. */
#ifndef DRCTL_ACTIONS_AWS_ERROR_H
#define DRCTL_ACTIONS_AWS_ERROR_H

#include <stdbool.h>

#include "base/error.h"

struct aws_error {
    enum error_code kind;
    char *code;     /* the service's own, "DBInstanceNotFound"; NULL when it did not come to that */
    char *message;  /* one sentence */
    bool ambiguous; /* the request may have been carried out all the same */
};

/* Reads the last lines of a failed call's stderr. Released by the caller. */
void aws_error_parse(const char *text, struct aws_error *ret_error);

/* What kind of failure a service's error code is. */
enum error_code aws_error_kind(const char *code);

void aws_error_release(struct aws_error *error);

#endif
