/* `terraform output -json` prints sensitive values in the clear, so it is read without a log. */
#include "terraform/terraform_outputs.h"

#include <string.h>

#include "base/json.h"

enum { SHORTEST_SECRET_BYTES = 4 }; /* a shorter text cannot be hidden without hiding everything */

static void hide_texts(struct attempt *attempt, const json_t *value)
{
    const char *key;
    size_t index;
    json_t *inner;
    if (json_is_string(value) && json_string_length(value) >= SHORTEST_SECRET_BYTES) {
        attempt_hide(attempt, json_string_value(value));
    }
    json_array_foreach (value, index, inner) {
        hide_texts(attempt, inner);
    }
    json_object_foreach ((json_t *)value, key, inner) {
        hide_texts(attempt, inner);
    }
}

/* What is hidden already arrives as stars, and stars must not be handed on as a password. */
static int check_readable(const char *name, const json_t *value, struct error *err)
{
    CLEANUP(memory_cleanup) char *text = json_canonical(value);
    if (strstr(text, "***") == NULL) {
        return 0;
    }
    error_set(err, ERROR_REFUSED, "the sensitive output %s is hidden in this run already", name);
    return error_hint(err, "read it once, with terraform.output, and use that step's `secrets`");
}

static int take_secret(struct attempt *attempt, const char *name, json_t *value, json_t *secrets,
                       struct error *err)
{
    if (check_readable(name, value, err) != 0) {
        return -1;
    }
    hide_texts(attempt, value);
    json_object_set(secrets, name, value);
    return 0;
}

int terraform_outputs_read(const struct terraform *terraform, json_t **ret_values,
                           json_t **ret_secrets, struct error *err)
{
    struct argv argv = {0};
    CLEANUP(json_cleanup) json_t *all = NULL;
    terraform_begin(terraform, &argv, "output");
    argv_add(&argv, "-json");
    int status = terraform_read_json(terraform, "output", &argv, &all, err);
    argv_release(&argv);
    CLEANUP(json_cleanup) json_t *values = json_object();
    CLEANUP(json_cleanup) json_t *secrets = json_object();
    const char *name;
    json_t *entry;
    json_object_foreach (all, name, entry) {
        json_t *value = json_object_get(entry, "value");
        if (!json_is_true(json_object_get(entry, "sensitive"))) {
            json_object_set(values, name, value);
        } else if (status == 0 && ret_secrets != NULL) {
            status = take_secret(terraform->attempt, name, value, secrets, err);
        }
    }
    if (status != 0) {
        return -1;
    }
    *ret_values = json_incref(values);
    if (ret_secrets != NULL) {
        *ret_secrets = json_incref(secrets);
    }
    return 0;
}
