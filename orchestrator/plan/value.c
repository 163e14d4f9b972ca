/* What a JSON value counts as: empty or not, as text, in a sentence. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "plan/expression.h"

void value_release(struct value *value)
{
    json_decref(value->json);
    *value = (struct value){NULL, NULL};
}

static bool mirror_has_secret(const json_t *secrets)
{
    const char *key;
    json_t *below;
    json_object_foreach ((json_t *)(uintptr_t)secrets, key, below) {
        if (mirror_has_secret(below)) {
            return true;
        }
    }
    return json_is_true(secrets);
}

bool value_is_secret(const struct value *value)
{
    return mirror_has_secret(value->secrets);
}

int value_is_empty(const json_t *value, bool *ret_empty, struct error *err)
{
    switch (json_typeof(value)) {
    case JSON_STRING:
        if (strcasecmp(json_string_value(value), "false") == 0) {
            error_set(err, ERROR_INVALID, "the text 'false' is used as a condition");
            return error_hint(err, "compare it: … == 'true'");
        }
        *ret_empty = json_string_length(value) == 0;
        return 0;
    case JSON_INTEGER:
        *ret_empty = json_integer_value(value) == 0;
        return 0;
    case JSON_REAL:
        *ret_empty = !(json_real_value(value) < 0 || json_real_value(value) > 0);
        return 0;
    case JSON_ARRAY:
        *ret_empty = json_array_size(value) == 0;
        return 0;
    case JSON_OBJECT:
        *ret_empty = json_object_size(value) == 0;
        return 0;
    default:
        *ret_empty = !json_is_true(value);
        return 0;
    }
}

const char *value_phrase(const json_t *value)
{
    static const char *const phrases[] = {
        [JSON_OBJECT] = "a map",     [JSON_ARRAY] = "a list",  [JSON_STRING] = "text",
        [JSON_INTEGER] = "a number", [JSON_REAL] = "a number", [JSON_TRUE] = "true",
        [JSON_FALSE] = "false",      [JSON_NULL] = "nothing",
    };
    return phrases[json_typeof(value)];
}

int value_to_text(const json_t *value, char **ret_text, struct error *err)
{
    if (json_is_null(value) || json_is_array(value) || json_is_object(value)) {
        error_set(err, ERROR_INVALID, "%s cannot become part of a text", value_phrase(value));
        if (!json_is_null(value)) {
            error_hint(err, "use join() or toJSON()");
        }
        return -1;
    }
    if (json_is_string(value)) {
        *ret_text = memory_text(json_string_value(value));
        return 0;
    }
    struct buffer text = BUFFER_INIT;
    json_append(&text, value);
    *ret_text = buffer_take(&text);
    return 0;
}
