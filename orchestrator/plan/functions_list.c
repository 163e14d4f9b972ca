/* Functions over lists and maps, above all for picking one of the many things that an AWS answer
 * lists. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "plan/function_arguments.h"

FUNCTION(keys)
{
    json_t *map = argument_map(call, 0, err);
    if (map == NULL) {
        return NULL;
    }
    json_t *list = json_array();
    const char *key;
    json_t *unused;
    json_object_foreach (map, key, unused) {
        json_array_append_new(list, json_string(key));
    }
    return list;
}

FUNCTION(values)
{
    json_t *map = argument_map(call, 0, err);
    if (map == NULL) {
        return NULL;
    }
    json_t *list = json_array();
    const char *unused;
    json_t *value;
    json_object_foreach (map, unused, value) {
        json_array_append(list, value);
    }
    return list;
}

static json_t *item_at(const struct function_call *call, bool from_end, struct error *err)
{
    json_t *list = argument_list(call, 0, err);
    if (list == NULL) {
        return NULL;
    }
    size_t count = json_array_size(list);
    if (count == 0) {
        return function_nothing(call, "the list is empty", err);
    }
    return json_incref(json_array_get(list, from_end ? count - 1 : 0));
}

FUNCTION(first)
{
    return item_at(call, false, err);
}

FUNCTION(last)
{
    return item_at(call, true, err);
}

/* The list of argument 0 and the path of argument 1; NULL after an error. */
static json_t *list_and_path(const struct function_call *call, char **ret_path, struct error *err)
{
    json_t *list = argument_list(call, 0, err);
    *ret_path = list != NULL ? argument_text(call, 1, err) : NULL;
    return *ret_path != NULL ? list : NULL;
}

FUNCTION(pluck)
{
    CLEANUP(memory_cleanup) char *path = NULL;
    json_t *list = list_and_path(call, &path, err);
    if (list == NULL) {
        return NULL;
    }
    json_t *result = json_array();
    size_t i;
    json_t *item;
    json_array_foreach (list, i, item) {
        json_t *value = argument_at_path(item, path);
        json_array_append_new(result, value != NULL ? json_incref(value) : json_null());
    }
    return result;
}

FUNCTION(where)
{
    CLEANUP(memory_cleanup) char *path = NULL;
    json_t *list = list_and_path(call, &path, err);
    if (list == NULL) {
        return NULL;
    }
    json_t *result = json_array();
    size_t i;
    json_t *item;
    json_array_foreach (list, i, item) {
        json_t *value = argument_at_path(item, path);
        if (value != NULL && json_equal(value, call->arguments[2])) {
            json_array_append(result, item);
        }
    }
    return result;
}

struct ranked {
    json_t *item;
    json_t *by;
    size_t index;
};

/* Numbers before texts, each in its order; equal ones stay as they were. */
static int compare_ranked(const void *left, const void *right)
{
    const struct ranked *a = left;
    const struct ranked *b = right;
    int order = json_is_string(a->by) - json_is_string(b->by);
    if (order == 0 && json_is_string(a->by)) {
        order = strcmp(json_string_value(a->by), json_string_value(b->by));
    } else if (order == 0) {
        double x = json_number_value(a->by);
        double y = json_number_value(b->by);
        order = (x > y) - (x < y);
    }
    return order != 0 ? order : (a->index > b->index) - (a->index < b->index);
}

FUNCTION(sort_by)
{
    CLEANUP(memory_cleanup) char *path = NULL;
    json_t *list = list_and_path(call, &path, err);
    if (list == NULL) {
        return NULL;
    }
    size_t count = json_array_size(list);
    CLEANUP(memory_cleanup) struct ranked *ranked = memory_new(count + 1, sizeof *ranked);
    size_t i;
    json_t *item;
    json_array_foreach (list, i, item) {
        json_t *by = argument_at_path(item, path);
        if (!json_is_string(by) && !json_is_number(by)) {
            error_set(err, ERROR_INVALID, "item %zu of the list has no text or number at '%s'", i,
                      path);
            return NULL;
        }
        ranked[i] = (struct ranked){item, by, i};
    }
    qsort(ranked, count, sizeof *ranked, compare_ranked);
    json_t *result = json_array();
    for (i = 0; i < count; i++) {
        json_array_append(result, ranked[i].item);
    }
    return result;
}

/* RFC 3339, or seconds since 1970 as some AWS answers have them. */
static bool read_time(const json_t *value, int64_t *ret_at_ns)
{
    if (json_is_string(value)) {
        return clock_parse_rfc3339(json_string_value(value), ret_at_ns, NULL) == 0;
    }
    double seconds = json_number_value(value);
    if (!json_is_number(value) || !(seconds >= 0 && seconds < 9e9)) {
        return false;
    }
    *ret_at_ns = (int64_t)(seconds * 1e9);
    return true;
}

FUNCTION(newest)
{
    CLEANUP(memory_cleanup) char *path = NULL;
    json_t *list = list_and_path(call, &path, err);
    if (list == NULL) {
        return NULL;
    }
    json_t *best = NULL;
    int64_t best_at_ns = 0;
    size_t i;
    json_t *item;
    json_array_foreach (list, i, item) {
        int64_t at_ns;
        json_t *time = argument_at_path(item, path);
        if (time != NULL && !read_time(time, &at_ns)) {
            error_set(err, ERROR_INVALID, "item %zu of the list has no time at '%s'", i, path);
            return NULL;
        }
        if (time != NULL && (best == NULL || at_ns > best_at_ns)) {
            best = item;
            best_at_ns = at_ns;
        }
    }
    return best != NULL ? json_incref(best)
                        : function_nothing(call, "no item of the list has a time there", err);
}

/* The least (sign -1) or greatest (sign 1) of the arguments or of the list. */
static json_t *extreme(const struct function_call *call, int sign, struct error *err)
{
    json_t *list = call->count == 1 ? argument_list(call, 0, err) : NULL;
    size_t count = list != NULL ? json_array_size(list) : call->count;
    if (call->count == 1 && list == NULL) {
        return NULL;
    }
    json_t *best = NULL;
    for (size_t i = 0; i < count; i++) {
        json_t *item = list != NULL ? json_array_get(list, i) : call->arguments[i];
        if (!json_is_number(item)) {
            error_set(err, ERROR_INVALID, "%s() is given %s among its numbers",
                      call->function->name, value_phrase(item));
            return NULL;
        }
        if (best == NULL || sign * (json_number_value(item) - json_number_value(best)) > 0) {
            best = item;
        }
    }
    return best != NULL ? json_incref(best) : function_nothing(call, "the list is empty", err);
}

FUNCTION(min)
{
    return extreme(call, -1, err);
}

FUNCTION(max)
{
    return extreme(call, 1, err);
}
