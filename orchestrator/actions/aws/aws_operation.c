/* What can be known of an operation from its name. The verbs are those of all services' API models;
 * where a verb is not in the list the answer is the careful one. */
#include <string.h>

#include "aws/aws_cli.h"

static const char *const reading_verbs[] = {
    "batch-get", "check",    "describe", "detect",   "estimate", "filter",  "get",  "head",
    "list",      "lookup",   "ls",       "preview",  "query",    "resolve", "scan", "search",
    "select",    "simulate", "test",     "validate", "verify",   "wait",
};

bool aws_operation_mutates(const char *service, const char *operation)
{
    if (strcmp(service, "s3") == 0 && strcmp(operation, "presign") == 0) {
        return false;
    }
    for (size_t i = 0; i < ARRAY_SIZE(reading_verbs); i++) {
        size_t size_bytes = strlen(reading_verbs[i]);
        if (strncmp(operation, reading_verbs[i], size_bytes) == 0 &&
            (operation[size_bytes] == '-' || operation[size_bytes] == '\0')) {
            return false;
        }
    }
    return true;
}

struct operation {
    const char *service;
    const char *operation;
};

static const struct operation secret_operations[] = {
    {"codeartifact", "get-authorization-token"},
    {"ecr", "get-authorization-token"},
    {"ecr", "get-login"},
    {"ecr", "get-login-password"},
    {"eks", "get-token"},
    {"iam", "create-access-key"},
    {"iam", "create-service-specific-credential"},
    {"rds", "generate-db-auth-token"},
    {"redshift", "get-cluster-credentials"},
    {"s3", "presign"},
    {"secretsmanager", "batch-get-secret-value"},
    {"secretsmanager", "get-random-password"},
    {"secretsmanager", "get-secret-value"},
    {"sso", "get-role-credentials"},
    {"sts", "assume-role"},
    {"sts", "assume-role-with-saml"},
    {"sts", "assume-role-with-web-identity"},
    {"sts", "get-federation-token"},
    {"sts", "get-session-token"},
};

/* "*" stands for every operation of a service. */
static const struct operation text_operations[] = {
    {"eks", "update-kubeconfig"},
    {"logs", "tail"},
    {"s3", "*"},
};

static bool is_listed(const struct operation *list, size_t count, const char *service,
                      const char *operation)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(list[i].service, service) == 0 &&
            (strcmp(list[i].operation, operation) == 0 || strcmp(list[i].operation, "*") == 0)) {
            return true;
        }
    }
    return false;
}

bool aws_operation_prints_secret(const char *service, const char *operation)
{
    return is_listed(secret_operations, ARRAY_SIZE(secret_operations), service, operation);
}

bool aws_operation_prints_text(const char *service, const char *operation)
{
    return is_listed(text_operations, ARRAY_SIZE(text_operations), service, operation);
}
