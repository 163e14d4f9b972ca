/* One table of converters. They are strict: what is not clearly the wanted type is refused with
 * what was found, since a guess made here is acted upon much later. */
#include "plan/convert.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/memory.h"
#include "base/nearest.h"
#include "plan/expression.h"

static json_t *refuse(const struct wanted *wanted, const json_t *value, struct error *err)
{
    error_set(err, ERROR_INVALID, "%s is wanted, and this is %s", value_type_phrase(wanted->type),
              value_phrase(value));
    return NULL;
}

static json_t *keep(const json_t *value)
{
    return json_deep_copy(value);
}

static json_t *convert_any(const struct wanted *wanted, const json_t *value, struct error *err)
{
    (void)wanted;
    (void)err;
    return keep(value);
}

static json_t *convert_text(const struct wanted *wanted, const json_t *value, struct error *err)
{
    CLEANUP(memory_cleanup) char *text = NULL;
    if (value_to_text(value, &text, NULL) != 0) {
        return refuse(wanted, value, err);
    }
    return json_string(text);
}

static json_t *convert_integer(const struct wanted *wanted, const json_t *value, struct error *err)
{
    return json_is_integer(value) ? keep(value) : refuse(wanted, value, err);
}

static json_t *convert_number(const struct wanted *wanted, const json_t *value, struct error *err)
{
    return json_is_number(value) ? keep(value) : refuse(wanted, value, err);
}

static json_t *convert_boolean(const struct wanted *wanted, const json_t *value, struct error *err)
{
    if (json_is_boolean(value)) {
        return keep(value);
    }
    static const char *const words[] = {"yes", "no", "on", "off"};
    refuse(wanted, value, err);
    for (size_t i = 0; json_is_string(value) && i < ARRAY_SIZE(words); i++) {
        if (strcasecmp(json_string_value(value), words[i]) == 0) {
            error_hint(err, "yes, no, on and off are text in YAML 1.2");
        }
    }
    return NULL;
}

static json_t *convert_duration(const struct wanted *wanted, const json_t *value, struct error *err)
{
    int64_t duration_ms;
    if (!json_is_string(value)) {
        return refuse(wanted, value, err);
    }
    if (clock_parse_duration(json_string_value(value), &duration_ms, err) != 0) {
        return NULL;
    }
    return wanted->duration_as_ms ? json_integer(duration_ms) : keep(value);
}

static json_t *convert_timestamp(const struct wanted *wanted, const json_t *value,
                                 struct error *err)
{
    int64_t at_ns;
    if (!json_is_string(value)) {
        return refuse(wanted, value, err);
    }
    return clock_parse_rfc3339(json_string_value(value), &at_ns, err) == 0 ? keep(value) : NULL;
}

/* Letters, then words of letters, then a number: us-west-2, us-gov-east-1, eusc-de-east-1. */
static bool is_region(const char *text)
{
    size_t words = 0;
    for (;;) {
        size_t letters = 0;
        while (islower((unsigned char)text[letters])) {
            letters++;
        }
        if (letters < 2 || text[letters] != '-') {
            return false;
        }
        text += letters + 1;
        words++;
        if (isdigit((unsigned char)*text)) {
            size_t digits = strspn(text, "0123456789");
            return words >= 2 && digits <= 2 && text[digits] == '\0';
        }
    }
}

static json_t *convert_region(const struct wanted *wanted, const json_t *value, struct error *err)
{
    if (!json_is_string(value)) {
        return refuse(wanted, value, err);
    }
    if (!is_region(json_string_value(value))) {
        error_set(err, ERROR_INVALID, "'%s' is no AWS region", json_string_value(value));
        error_hint(err, "regions look like us-west-2");
        return NULL;
    }
    return keep(value);
}

static json_t *convert_path(const struct wanted *wanted, const json_t *value, struct error *err)
{
    if (!json_is_string(value)) {
        return refuse(wanted, value, err);
    }
    if (json_string_length(value) == 0) {
        error_set(err, ERROR_INVALID, "the path is empty");
        return NULL;
    }
    return keep(value);
}

static json_t *convert_choice(const struct wanted *wanted, const json_t *value, struct error *err)
{
    CLEANUP(memory_cleanup) char *text = NULL;
    if (value_to_text(value, &text, NULL) != 0) {
        return refuse(wanted, value, err);
    }
    struct nearest nearest;
    nearest_init(&nearest, text);
    CLEANUP(buffer_release) struct buffer known = BUFFER_INIT;
    for (const char *const *choice = wanted->choices; choice != NULL && *choice != NULL; choice++) {
        if (strcmp(*choice, text) == 0) {
            return json_string(text);
        }
        nearest_offer(&nearest, *choice);
        buffer_append_format(&known, "%s%s", known.size_bytes != 0 ? ", " : "", *choice);
    }
    error_set(err, ERROR_INVALID, "'%s' is none of %s", text, buffer_text(&known));
    if (nearest.best != NULL) {
        error_hint(err, "did you mean '%s'?", nearest.best);
    }
    return NULL;
}

static json_t *convert_list(const struct wanted *wanted, const json_t *value, struct error *err)
{
    return json_is_array(value) ? keep(value) : refuse(wanted, value, err);
}

static json_t *convert_map(const struct wanted *wanted, const json_t *value, struct error *err)
{
    return json_is_object(value) ? keep(value) : refuse(wanted, value, err);
}

static json_t *convert_strings(const struct wanted *wanted, const json_t *value, struct error *err)
{
    if (!json_is_array(value)) {
        return refuse(wanted, value, err);
    }
    json_t *result = json_array();
    size_t i;
    json_t *item;
    json_array_foreach (value, i, item) {
        CLEANUP(memory_cleanup) char *text = NULL;
        if (value_to_text(item, &text, NULL) != 0) {
            error_set(err, ERROR_INVALID, "a list of texts is wanted, and its item %zu is %s", i,
                      value_phrase(item));
            json_decref(result);
            return NULL;
        }
        json_array_append_new(result, json_string(text));
    }
    return result;
}

static json_t *convert_string_map(const struct wanted *wanted, const json_t *value,
                                  struct error *err)
{
    if (!json_is_object(value)) {
        return refuse(wanted, value, err);
    }
    json_t *result = json_object();
    const char *key;
    json_t *item;
    json_object_foreach ((json_t *)(uintptr_t)value, key, item) {
        CLEANUP(memory_cleanup) char *text = NULL;
        if (value_to_text(item, &text, NULL) != 0) {
            error_set(err, ERROR_INVALID, "a map of texts is wanted, and '%s' is %s", key,
                      value_phrase(item));
            json_decref(result);
            return NULL;
        }
        json_object_set_new(result, key, json_string(text));
    }
    return result;
}

static json_t *(*const converters[])(const struct wanted *, const json_t *, struct error *) = {
    [VALUE_ANY] = convert_any,
    [VALUE_STRING] = convert_text,
    [VALUE_SECRET] = convert_text,
    [VALUE_INTEGER] = convert_integer,
    [VALUE_NUMBER] = convert_number,
    [VALUE_BOOLEAN] = convert_boolean,
    [VALUE_DURATION] = convert_duration,
    [VALUE_TIMESTAMP] = convert_timestamp,
    [VALUE_REGION] = convert_region,
    [VALUE_PATH] = convert_path,
    [VALUE_CHOICE] = convert_choice,
    [VALUE_LIST] = convert_list,
    [VALUE_STRINGS] = convert_strings,
    [VALUE_MAP] = convert_map,
    [VALUE_STRING_MAP] = convert_string_map,
};

json_t *convert_value(const struct wanted *wanted, const json_t *value, struct error *err)
{
    return converters[wanted->type](wanted, value, err);
}

bool convert_wants_text(enum value_type type)
{
    return type == VALUE_STRING || type == VALUE_SECRET || type == VALUE_PATH ||
           type == VALUE_CHOICE || type == VALUE_STRINGS || type == VALUE_STRING_MAP;
}

int convert_size(const char *text, uint64_t *ret_bytes, struct error *err)
{
    static const struct {
        const char *unit;
        double bytes;
    } units[] = {{"KiB", 1024.0}, {"MiB", 1048576.0}, {"GiB", 1073741824.0},
                 {"KB", 1e3},     {"MB", 1e6},        {"GB", 1e9}};
    size_t digits = strspn(text, "0123456789.");
    const char *unit = text + digits + strspn(text + digits, " ");
    double number = strtod(text, NULL);
    for (size_t i = 0; digits != 0 && i < ARRAY_SIZE(units); i++) {
        double bytes = number * units[i].bytes;
        if (strcmp(unit, units[i].unit) == 0 && bytes >= 1 && bytes < 1e15) {
            *ret_bytes = (uint64_t)bytes;
            return 0;
        }
    }
    error_set(err, ERROR_INVALID, "'%s' is no size", text);
    return error_hint(err, "write it with its unit: 512MiB, 2GiB");
}
