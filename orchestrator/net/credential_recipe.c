/* botocore's chain of providers, as one decision. A provider that is configured but broken is an
 * error and not passed over, since falling through would act under an identity that nobody meant.
 *
 * botocore loads a chain of profiles recursively; here the roles are collected in the order in
 * which they have to be assumed. */
#include "net/credential_recipe.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/json.h"
#include "net/uri.h"
#include "net/variables.h"

/* A chain that is longer is a mistake, and each link costs a call. */
enum { CHAIN_MAX = 8 };

struct maker {
    const struct aws_settings *settings;
    struct credential_recipe *recipe;
    const char *visited[CHAIN_MAX]; /* profiles */
    size_t visited_count;
    struct error *err;
};

static const char *variable(const struct maker *maker, const char *name)
{
    return variable_get_filled(maker->settings->environment, name);
}

static const char *setting(const struct maker *maker, const char *profile, const char *key)
{
    return aws_config_get(&maker->settings->config, profile, key);
}

/* 1: taken; 0: not configured; -1: broken. All of the following answer so. */

static int take_environment(struct maker *maker)
{
    const char *access_key = variable(maker, "AWS_ACCESS_KEY_ID");
    const char *secret_key = variable(maker, "AWS_SECRET_ACCESS_KEY");
    if (access_key == NULL) {
        return 0;
    }
    if (secret_key == NULL) {
        return error_set(maker->err, ERROR_INVALID,
                         "AWS_ACCESS_KEY_ID is set and AWS_SECRET_ACCESS_KEY is not");
    }
    const char *token = variable(maker, "AWS_SESSION_TOKEN");
    const char *expiration = variable(maker, "AWS_CREDENTIAL_EXPIRATION");
    struct credentials *keys = &maker->recipe->keys;
    if (expiration != NULL &&
        clock_parse_rfc3339(expiration, &keys->expires_at_ns, maker->err) != 0) {
        return error_context(maker->err, "AWS_CREDENTIAL_EXPIRATION");
    }
    maker->recipe->source = CREDENTIAL_KEYS;
    keys->access_key = memory_text(access_key);
    keys->secret_key = memory_text(secret_key);
    keys->token = memory_text(token != NULL ? token : variable(maker, "AWS_SECURITY_TOKEN"));
    keys->source = "environment";
    return 1;
}

static int take_static_keys(struct maker *maker, const json_t *profiles, const char *profile,
                            const char *source)
{
    const json_t *values = json_object_get(profiles, profile);
    const char *access_key = json_get_text(values, "aws_access_key_id");
    const char *secret_key = json_get_text(values, "aws_secret_access_key");
    if (access_key == NULL) {
        return 0;
    }
    if (secret_key == NULL) {
        return error_set(maker->err, ERROR_INVALID,
                         "profile \"%s\" has aws_access_key_id and no aws_secret_access_key",
                         profile);
    }
    const char *token = json_get_text(values, "aws_session_token");
    struct credentials *keys = &maker->recipe->keys;
    maker->recipe->source = CREDENTIAL_KEYS;
    keys->access_key = memory_text(access_key);
    keys->secret_key = memory_text(secret_key);
    keys->token = memory_text(token != NULL ? token : json_get_text(values, "aws_security_token"));
    keys->source = source;
    return 1;
}

static const char *web_identity_value(const struct maker *maker, const char *profile,
                                      bool with_environment, const char *key, const char *name)
{
    const char *value = with_environment ? variable(maker, name) : NULL;
    return value != NULL ? value : setting(maker, profile, key);
}

static int take_web_identity(struct maker *maker, const char *profile, bool with_environment)
{
    const char *token_file = web_identity_value(
        maker, profile, with_environment, "web_identity_token_file", "AWS_WEB_IDENTITY_TOKEN_FILE");
    const char *role =
        web_identity_value(maker, profile, with_environment, "role_arn", "AWS_ROLE_ARN");
    if (token_file == NULL || *token_file == '\0') {
        return 0;
    }
    if (role == NULL || *role == '\0') {
        return error_set(maker->err, ERROR_INVALID,
                         "web identity is configured (profile \"%s\") and no role ARN", profile);
    }
    maker->recipe->source = CREDENTIAL_WEB_IDENTITY;
    maker->recipe->token_file = memory_text(token_file);
    maker->recipe->web_role.arn = memory_text(role);
    maker->recipe->web_role.session_name = memory_text(web_identity_value(
        maker, profile, with_environment, "role_session_name", "AWS_ROLE_SESSION_NAME"));
    return 1;
}

static int take_cli(struct maker *maker, const char *profile, const char *const *keys)
{
    const json_t *values = json_object_get(maker->settings->config.profiles, profile);
    for (size_t i = 0; keys[i] != NULL; i++) {
        if (json_object_get(values, keys[i]) != NULL) {
            maker->recipe->source = CREDENTIAL_CLI;
            maker->recipe->profile = memory_text(profile);
            return 1;
        }
    }
    return 0;
}

static int take_process(struct maker *maker, const char *profile)
{
    const char *command = setting(maker, profile, "credential_process");
    if (command == NULL) {
        return 0;
    }
    maker->recipe->source = CREDENTIAL_PROCESS;
    maker->recipe->command = memory_text(command);
    return 1;
}

static int take_profile(struct maker *maker, const char *profile, bool with_environment)
{
    static const char *const sso[] = {"sso_session", "sso_start_url", "sso_account_id", NULL};
    static const char *const login[] = {"login_session", NULL};
    const struct aws_config *config = &maker->settings->config;
    int taken = take_web_identity(maker, profile, with_environment);
    taken = taken != 0 ? taken : take_cli(maker, profile, sso);
    taken = taken != 0
                ? taken
                : take_static_keys(maker, config->credentials, profile, "shared-credentials-file");
    taken = taken != 0 ? taken : take_cli(maker, profile, login);
    taken = taken != 0 ? taken : take_process(maker, profile);
    taken = taken != 0 ? taken : take_static_keys(maker, config->config, profile, "config-file");
    return taken;
}

/* A token over plain HTTP may go to this machine and to the two well-known services only. */
static bool is_container_host(const char *authority)
{
    static const char *const hosts[] = {"localhost", "169.254.170.2", "169.254.170.23",
                                        "fd00:ec2::23", "::1"};
    bool bracketed = *authority == '[';
    const char *start = authority + (bracketed ? 1 : 0);
    CLEANUP(memory_cleanup)
    char *host = memory_text_n(start, strcspn(start, bracketed ? "]" : ":"));
    struct in_addr address;
    if (inet_pton(AF_INET, host, &address) == 1 && (ntohl(address.s_addr) >> 24) == 127) {
        return true;
    }
    for (size_t i = 0; i < ARRAY_SIZE(hosts); i++) {
        if (strcmp(hosts[i], host) == 0) {
            return true;
        }
    }
    return false;
}

static int check_container_url(const char *url, struct error *err)
{
    if (strncasecmp(url, "https://", 8) == 0) {
        return 0;
    }
    const char *authority = strstr(url, "://");
    if (authority == NULL || !is_container_host(authority + 3)) {
        return error_set(err, ERROR_INVALID,
                         "AWS_CONTAINER_CREDENTIALS_FULL_URI: plain HTTP only to this machine or "
                         "the container services");
    }
    return 0;
}

static int take_container(struct maker *maker)
{
    const char *relative = variable(maker, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
    const char *full = variable(maker, "AWS_CONTAINER_CREDENTIALS_FULL_URI");
    const char *token = variable(maker, "AWS_CONTAINER_AUTHORIZATION_TOKEN");
    if (relative == NULL && full == NULL) {
        return 0;
    }
    if (relative == NULL && check_container_url(full, maker->err) != 0) {
        return -1;
    }
    struct credential_recipe *recipe = maker->recipe;
    recipe->source = CREDENTIAL_CONTAINER;
    recipe->container_url =
        relative != NULL ? memory_format("http://169.254.170.2%s", relative) : memory_text(full);
    recipe->token_file = memory_text(variable(maker, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"));
    recipe->container_token = recipe->token_file == NULL ? memory_text(token) : NULL;
    return 1;
}

static int take_metadata(struct maker *maker)
{
    if (variable_is_true(variable(maker, "AWS_EC2_METADATA_DISABLED"))) {
        return 0;
    }
    maker->recipe->source = CREDENTIAL_METADATA;
    return 1;
}

static bool has_role(const struct maker *maker, const char *profile)
{
    return setting(maker, profile, "role_arn") != NULL &&
           setting(maker, profile, "web_identity_token_file") == NULL;
}

static bool has_static_keys(const struct maker *maker, const char *profile)
{
    return setting(maker, profile, "aws_access_key_id") != NULL ||
           setting(maker, profile, "aws_secret_access_key") != NULL;
}

static int take_named_source(struct maker *maker, const char *profile, const char *source)
{
    int taken = 0;
    if (strcasecmp(source, "Environment") == 0) {
        taken = take_environment(maker);
    } else if (strcasecmp(source, "EcsContainer") == 0) {
        taken = take_container(maker);
    } else if (strcasecmp(source, "Ec2InstanceMetadata") == 0) {
        taken = take_metadata(maker);
    } else {
        return error_set(maker->err, ERROR_INVALID,
                         "profile \"%s\": credential_source \"%s\" is none of Environment, "
                         "EcsContainer, Ec2InstanceMetadata",
                         profile, source);
    }
    return taken != 0 ? taken
                      : error_set(maker->err, ERROR_NOT_READY,
                                  "profile \"%s\": credential_source %s has no credentials",
                                  profile, source);
}

static int check_source_profile(struct maker *maker, const char *profile, const char *source)
{
    if (json_object_get(maker->settings->config.profiles, source) == NULL) {
        return error_set(maker->err, ERROR_INVALID,
                         "profile \"%s\": its source_profile \"%s\" does not exist", profile,
                         source);
    }
    bool visited = false;
    for (size_t i = 0; i < maker->visited_count; i++) {
        visited = visited || strcmp(maker->visited[i], source) == 0;
    }
    bool own_keys = strcmp(source, profile) == 0 && has_static_keys(maker, source);
    if ((visited && !own_keys) || maker->visited_count == CHAIN_MAX) {
        return error_set(maker->err, ERROR_INVALID,
                         "profile \"%s\": its source_profile \"%s\" leads round in a circle",
                         profile, source);
    }
    return 0;
}

static int take_role(struct maker *maker, const char *profile);

static int take_source_profile(struct maker *maker, const char *profile, const char *source)
{
    if (check_source_profile(maker, profile, source) != 0) {
        return -1;
    }
    maker->visited[maker->visited_count++] = source;
    if (!has_static_keys(maker, source) && has_role(maker, source)) {
        return take_role(maker, source);
    }
    int taken = take_profile(maker, source, false);
    return taken != 0 ? taken
                      : error_set(maker->err, ERROR_INVALID,
                                  "profile \"%s\": its source_profile \"%s\" has no credentials",
                                  profile, source);
}

static int check_role(struct maker *maker, const char *profile)
{
    if (setting(maker, profile, "mfa_serial") != NULL) {
        error_set(maker->err, ERROR_NOT_READY,
                  "profile \"%s\" wants an MFA code, which nobody can type in the middle of a run",
                  profile);
        return error_hint(maker->err, "get a session beforehand and put its AWS_ACCESS_KEY_ID, "
                                      "AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN into the "
                                      "environment");
    }
    bool has_source = setting(maker, profile, "credential_source") != NULL;
    bool has_profile = setting(maker, profile, "source_profile") != NULL;
    if (has_source == has_profile) {
        return error_set(maker->err, ERROR_INVALID,
                         "profile \"%s\" needs one of source_profile and credential_source, and %s",
                         profile, has_source ? "has both" : "has neither");
    }
    return 0;
}

/* Takes the source of a profile with a role, then adds the role. */
static int take_role(struct maker *maker, const char *profile)
{
    if (check_role(maker, profile) != 0) {
        return -1;
    }
    const char *source = setting(maker, profile, "credential_source");
    int taken = source != NULL ? take_named_source(maker, profile, source)
                               : take_source_profile(maker, profile,
                                                     setting(maker, profile, "source_profile"));
    if (taken == 1) {
        struct credential_role *role = vector_grow(&maker->recipe->roles);
        const char *duration = setting(maker, profile, "duration_seconds");
        role->arn = memory_text(setting(maker, profile, "role_arn"));
        role->session_name = memory_text(setting(maker, profile, "role_session_name"));
        role->external_id = memory_text(setting(maker, profile, "external_id"));
        role->duration_s = duration != NULL ? strtoll(duration, NULL, 10) : 0;
    }
    return taken;
}

static int take_first(struct maker *maker)
{
    const struct aws_settings *settings = maker->settings;
    const char *profile = settings->profile;
    bool with_environment = !settings->profile_is_explicit;
    int taken = with_environment ? take_environment(maker) : 0;
    if (taken == 0 && has_role(maker, profile)) {
        maker->visited[maker->visited_count++] = profile;
        return take_role(maker, profile);
    }
    taken = taken != 0 ? taken : take_profile(maker, profile, with_environment);
    taken = taken != 0 ? taken : take_container(maker);
    taken = taken != 0 ? taken : take_metadata(maker);
    if (taken == 0) {
        error_set(maker->err, ERROR_NOT_READY, "no AWS credentials are configured");
        error_hint(maker->err,
                   "looked in the environment, in profile \"%s\" of the AWS files and "
                   "for a container's; instance metadata is switched off",
                   profile);
    }
    return taken;
}

int credential_recipe_make(const struct aws_settings *settings,
                           struct credential_recipe *ret_recipe, struct error *err)
{
    struct credential_recipe recipe = {0};
    struct maker maker = {.settings = settings, .recipe = &recipe, .err = err};
    if (take_first(&maker) != 1) {
        credential_recipe_release(&recipe);
        return -1;
    }
    *ret_recipe = recipe;
    return 0;
}

static void role_release(struct credential_role *role)
{
    free(role->arn);
    free(role->session_name);
    free(role->external_id);
}

void credential_recipe_release(struct credential_recipe *recipe)
{
    credentials_release(&recipe->keys);
    free(recipe->token_file);
    role_release(&recipe->web_role);
    free(recipe->profile);
    memory_free_secret(recipe->command);
    free(recipe->container_url);
    memory_free_secret(recipe->container_token);
    vector_each (struct credential_role *, role, &recipe->roles) {
        role_release(role);
    }
    vector_release(&recipe->roles);
    *recipe = (struct credential_recipe){0};
}
