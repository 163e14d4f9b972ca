/* The table of functions: names, signatures and documentation, in the order in which the
 * documentation lists them. */
#include "plan/functions.h"

#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/nearest.h"
#include "plan/function_arguments.h"

const struct function expression_functions[] = {
    {"contains", "contains(text or list, what)", "whether the text or list has it", 2, 2,
     function_contains, true},
    {"startsWith", "startsWith(text, start)", "whether the text starts so", 2, 2,
     function_starts_with, true},
    {"endsWith", "endsWith(text, end)", "whether the text ends so", 2, 2, function_ends_with, true},
    {"format", "format('{0} of {1}', a, b)", "the text with {0}, {1} … replaced; {{ is a brace", 1,
     FUNCTION_ANY_COUNT, function_format, false},
    {"join", "join(list, separator)", "the items as one text; the separator is a comma by itself",
     1, 2, function_join, false},
    {"split", "split(text, separator)", "the list of the parts between separators", 2, 2,
     function_split, false},
    {"replace", "replace(text, old, new)", "the text with every old replaced by new", 3, 3,
     function_replace, false},
    {"lower", "lower(text)", "A to Z in lower case", 1, 1, function_lower, false},
    {"upper", "upper(text)", "a to z in upper case", 1, 1, function_upper, false},
    {"trim", "trim(text)", "without white space around it", 1, 1, function_trim, false},
    {"basename", "basename(path)", "what follows the last slash", 1, 1, function_basename, false},
    {"dirname", "dirname(path)", "what precedes the last slash", 1, 1, function_dirname, false},
    {"length", "length(text, list or map)", "how many characters, items or keys it has", 1, 1,
     function_length, true},
    {"keys", "keys(map)", "the list of the map's keys", 1, 1, function_keys, false},
    {"values", "values(map)", "the list of the map's values", 1, 1, function_values, false},
    {"first", "first(list)", "its first item", 1, 1, function_first, false},
    {"last", "last(list)", "its last item", 1, 1, function_last, false},
    {"pluck", "pluck(list, 'path')", "from each map of the list the value at the path", 2, 2,
     function_pluck, false},
    {"where", "where(list, 'path', value)", "the maps of the list that have the value at the path",
     3, 3, function_where, false},
    {"sortBy", "sortBy(list, 'path')", "the list sorted by the value at the path", 2, 2,
     function_sort_by, false},
    {"newest", "newest(list, 'path')", "the map of the list with the latest time at the path", 2, 2,
     function_newest, false},
    {"min", "min(list) or min(a, b, …)", "the least number", 1, FUNCTION_ANY_COUNT, function_min,
     false},
    {"max", "max(list) or max(a, b, …)", "the greatest number", 1, FUNCTION_ANY_COUNT, function_max,
     false},
    {"default", "default(path, value)", "the value at the path, or the other when it is not there",
     2, 2, NULL, false},
    {"coalesce", "coalesce(a, b, …)", "the first that is there", 1, FUNCTION_ANY_COUNT, NULL,
     false},
    {"exists", "exists(path)", "whether there is something at the path", 1, 1, NULL, true},
    {"toJSON", "toJSON(value)", "the value as JSON in one line", 1, 1, function_to_json, false},
    {"fromJSON", "fromJSON(text)", "the value that the JSON says", 1, 1, function_from_json, false},
    {"string", "string(value)", "a number or boolean as text", 1, 1, function_string, false},
    {"number", "number(text)", "the number that the text says", 1, 1, function_number, false},
    {"age", "age(timestamp)", "seconds from then to now", 1, 1, function_age, true},
    {"duration", "duration('90m')", "a duration in seconds", 1, 1, function_duration, true},
    {"formatDate", "formatDate(timestamp, '%Y%m%d-%H%M%S')",
     "the time in UTC; knows %Y %m %d %H %M %S %j %F %T %s %%", 2, 2, function_format_date, false},
    {"success", "success()", "nothing that the step waits for has failed", 0, 0, function_success,
     true},
    {"failure", "failure()", "something that the step waits for has failed", 0, 0, function_failure,
     true},
    {"cancelled", "cancelled()", "the run was cancelled", 0, 0, function_cancelled, true},
    {"always", "always()", "true; in `if` the step runs whatever happened before", 0, 0,
     function_always, true},
    {NULL, NULL, NULL, 0, 0, NULL, false},
};

const struct function *function_find(const char *name, const char **ret_nearest)
{
    struct nearest nearest;
    nearest_init(&nearest, name);
    for (const struct function *function = expression_functions; function->name != NULL;
         function++) {
        if (strcmp(function->name, name) == 0) {
            return function;
        }
        nearest_offer(&nearest, function->name);
    }
    if (ret_nearest != NULL) {
        *ret_nearest = nearest.best;
    }
    return NULL;
}

json_t *argument_refuse(const struct function_call *call, size_t i, const char *wanted,
                        struct error *err)
{
    error_set(err, ERROR_INVALID, "%s() wants %s as argument %zu and is given %s",
              call->function->name, wanted, i + 1, value_phrase(call->arguments[i]));
    error_hint(err, "%s", call->function->signature);
    return NULL;
}

char *argument_text(const struct function_call *call, size_t i, struct error *err)
{
    char *text;
    if (value_to_text(call->arguments[i], &text, NULL) != 0) {
        argument_refuse(call, i, "text", err);
        return NULL;
    }
    return text;
}

json_t *argument_list(const struct function_call *call, size_t i, struct error *err)
{
    json_t *value = call->arguments[i];
    return json_is_array(value) ? value : argument_refuse(call, i, "a list", err);
}

json_t *argument_map(const struct function_call *call, size_t i, struct error *err)
{
    json_t *value = call->arguments[i];
    return json_is_object(value) ? value : argument_refuse(call, i, "a map", err);
}

json_t *argument_at_path(json_t *value, const char *path)
{
    while (value != NULL) {
        size_t size_bytes = strcspn(path, ".");
        CLEANUP(memory_cleanup) char *key = memory_text_n(path, size_bytes);
        value = json_object_get(value, key);
        if (path[size_bytes] == '\0') {
            break;
        }
        path += size_bytes + 1;
    }
    return json_is_null(value) ? NULL : value;
}

json_t *function_text(struct buffer *text, struct error *err)
{
    json_t *value = NULL;
    if (text->size_bytes > EXPRESSION_TEXT_LIMIT) {
        error_set(err, ERROR_INVALID, "the text grows beyond %d MiB",
                  EXPRESSION_TEXT_LIMIT / 1024 / 1024);
    } else {
        value = json_stringn(buffer_text(text), text->size_bytes);
        if (value == NULL) {
            error_set(err, ERROR_INVALID, "the result is no valid UTF-8");
        }
    }
    buffer_release(text);
    return value;
}

json_t *function_nothing(const struct function_call *call, const char *why, struct error *err)
{
    if (call->lenient) {
        return json_null();
    }
    error_set(err, ERROR_INVALID, "%s() finds nothing: %s", call->function->name, why);
    return NULL;
}
