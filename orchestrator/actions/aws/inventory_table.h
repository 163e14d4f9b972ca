/* What an account can hold that Terraform or a plan could have made, and how each kind is listed.
 */
#ifndef DRCTL_ACTIONS_INVENTORY_TABLE_H
#define DRCTL_ACTIONS_INVENTORY_TABLE_H

#include <stdbool.h>
#include <stddef.h>

struct inventory_kind {
    const char *name;      /* "ec2:instance": for people, and for `kinds` and `ignore` */
    const char *service;   /* of the CLI */
    const char *operation; /* lists them, all pages */
    const char *option;    /* one further option and its value; NULL */
    const char *value;
    const char *query; /* JMESPath: a list of their names, without what AWS itself puts there */
    const char *arn;   /* "service:resource-prefix" of their ARNs; NULL: none are known */
    bool global;       /* not of a region */
};

extern const struct inventory_kind inventory_kinds[];
extern const size_t inventory_kinds_count;

/* Whether a kind of the table lists what has this ARN. */
bool inventory_lists_arn(const char *arn);

#endif
