/* Everything that AWS clients take from files is read here, once and before the loop is involved,
 * so that signing and asking never wait for a disk. */
#include "net/aws_settings.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/nearest.h"
#include "net/variables.h"

static const char *first_of(char *const *environment, const char *const *names)
{
    const char *value = NULL;
    for (size_t i = 0; names[i] != NULL && value == NULL; i++) {
        value = variable_get_filled(environment, names[i]);
    }
    return value;
}

static int check_profile(const struct aws_settings *settings, struct error *err)
{
    if (json_object_get(settings->config.profiles, settings->profile) != NULL) {
        return 0;
    }
    struct nearest nearest;
    nearest_init(&nearest, settings->profile);
    const char *name;
    json_t *values;
    json_object_foreach (settings->config.profiles, name, values) {
        nearest_offer(&nearest, name);
    }
    error_set(err, ERROR_NOT_READY, "there is no AWS profile \"%s\"", settings->profile);
    return nearest.best != NULL ? error_hint(err, "did you mean \"%s\"?", nearest.best) : -1;
}

int aws_settings_load(char *const *environment, const char *profile, const char *region,
                      struct aws_settings *ret_settings, struct error *err)
{
    /* The order of the two profile variables is botocore's. */
    static const char *const profiles[] = {"AWS_DEFAULT_PROFILE", "AWS_PROFILE", NULL};
    static const char *const regions[] = {"AWS_REGION", "AWS_DEFAULT_REGION", NULL};
    struct aws_settings settings = {0};
    if (aws_config_load(environment, &settings.config, err) != 0) {
        return error_context(err, "the AWS configuration");
    }
    const char *named = profile != NULL ? profile : first_of(environment, profiles);
    settings.environment = variables_copy(environment);
    settings.profile_is_explicit = profile != NULL;
    settings.profile = memory_text(named != NULL ? named : "default");
    if (named != NULL && check_profile(&settings, err) != 0) {
        aws_settings_release(&settings);
        return -1;
    }
    const char *chosen = region != NULL ? region : first_of(environment, regions);
    if (chosen == NULL) {
        chosen = aws_config_get(&settings.config, settings.profile, "region");
    }
    settings.region = memory_text(chosen);
    *ret_settings = settings;
    return 0;
}

void aws_settings_release(struct aws_settings *settings)
{
    variables_free(settings->environment);
    aws_config_release(&settings->config);
    free(settings->profile);
    free(settings->region);
    *settings = (struct aws_settings){0};
}
