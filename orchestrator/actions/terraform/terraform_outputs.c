/* `terraform output -json` prints sensitive values in the clear, so it is read without a log. */
#include "terraform/terraform_outputs.h"

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

int terraform_outputs_read(const struct terraform *terraform, json_t **ret_values,
                           json_t **ret_secrets, struct error *err)
{
    struct argv argv = {0};
    CLEANUP(json_cleanup) json_t *all = NULL;
    terraform_begin(terraform, &argv, "output");
    argv_add(&argv, "-json");
    int status = terraform_read_json(terraform, "output", &argv, &all, err);
    argv_release(&argv);
    if (status != 0) {
        return -1;
    }
    json_t *values = json_object();
    json_t *secrets = json_object();
    const char *name;
    json_t *entry;
    json_object_foreach (all, name, entry) {
        json_t *value = json_object_get(entry, "value");
        if (json_is_true(json_object_get(entry, "sensitive"))) {
            hide_texts(terraform->attempt, value);
            json_object_set(secrets, name, value);
        } else {
            json_object_set(values, name, value);
        }
    }
    *ret_values = values;
    *ret_secrets = secrets;
    return 0;
}
