/* Where credentials come from, decided from settings alone: a source, and the roles that are then
 * assumed one after the other. Pure; credential_provider.h carries it out. */
#ifndef DRCTL_NET_CREDENTIAL_RECIPE_H
#define DRCTL_NET_CREDENTIAL_RECIPE_H

#include <stdint.h>

#include "base/compiler.h"
#include "base/error.h"
#include "base/vector.h"
#include "net/aws_settings.h"
#include "net/credentials.h"

enum credential_source {
    CREDENTIAL_KEYS,         /* keys that are there already */
    CREDENTIAL_WEB_IDENTITY, /* a token file, exchanged by STS */
    CREDENTIAL_CLI,          /* `aws configure export-credentials`, for SSO and login */
    CREDENTIAL_PROCESS,      /* credential_process */
    CREDENTIAL_CONTAINER,    /* ECS or EKS pod identity */
    CREDENTIAL_METADATA,     /* IMDSv2 */
};

struct credential_role {
    char *arn;
    char *session_name; /* NULL: one is made up */
    char *external_id;  /* NULL: none */
    int64_t duration_s; /* 0: STS's default */
};

struct credential_recipe {
    enum credential_source source;
    struct credentials keys;         /* CREDENTIAL_KEYS */
    char *token_file;                /* CREDENTIAL_WEB_IDENTITY; and CREDENTIAL_CONTAINER or NULL */
    struct credential_role web_role; /* CREDENTIAL_WEB_IDENTITY */
    char *profile;                   /* CREDENTIAL_CLI */
    char *command;                   /* CREDENTIAL_PROCESS */
    char *container_url;             /* CREDENTIAL_CONTAINER */
    char *container_token;           /* CREDENTIAL_CONTAINER; NULL: none, or in token_file */
    VECTOR(struct credential_role)
    roles; /* in the order in which they are assumed */
};

/* Follows botocore's order: environment, assume-role profile, web identity, SSO, credentials file,
 * login, credential_process, config file, container, instance metadata. ERROR_NOT_READY when
 * nothing is configured or a person would be needed (MFA); ERROR_INVALID for contradictions. */
MUST_USE int credential_recipe_make(const struct aws_settings *settings,
                                    struct credential_recipe *ret_recipe, struct error *err);
void credential_recipe_release(struct credential_recipe *recipe);

#endif
