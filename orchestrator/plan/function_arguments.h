/* Typed access to the arguments of a function, with the sentence when the type is wrong. */
#ifndef DRCTL_PLAN_FUNCTION_ARGUMENTS_H
#define DRCTL_PLAN_FUNCTION_ARGUMENTS_H

#include "base/buffer.h"
#include "plan/functions.h"

/* Argument i as text (numbers and booleans as well); NULL after an error. The caller frees it. */
char *argument_text(const struct function_call *call, size_t i, struct error *err);

/* Argument i as a list, as a map; NULL after an error. Borrowed. */
json_t *argument_list(const struct function_call *call, size_t i, struct error *err);
json_t *argument_map(const struct function_call *call, size_t i, struct error *err);

/* Says that argument i should have been something else. Returns NULL. */
json_t *argument_refuse(const struct function_call *call, size_t i, const char *wanted,
                        struct error *err);

/* The value at a dotted path below a map, NULL when it is not there or null. Borrowed. */
json_t *argument_at_path(json_t *value, const char *path);

/* The buffer's text as a value, within the limit of a text. Releases the buffer. */
json_t *function_text(struct buffer *text, struct error *err);

/* What a function says of an empty list: null when lenient, otherwise an error. */
json_t *function_nothing(const struct function_call *call, const char *why, struct error *err);

/* The functions, by the file that they are in. */
#define FUNCTION(name) json_t *function_##name(const struct function_call *call, struct error *err)
FUNCTION(contains);
FUNCTION(starts_with);
FUNCTION(ends_with);
FUNCTION(format);
FUNCTION(join);
FUNCTION(split);
FUNCTION(replace);
FUNCTION(lower);
FUNCTION(upper);
FUNCTION(trim);
FUNCTION(basename);
FUNCTION(dirname);
FUNCTION(length);
FUNCTION(keys);
FUNCTION(values);
FUNCTION(first);
FUNCTION(last);
FUNCTION(pluck);
FUNCTION(where);
FUNCTION(sort_by);
FUNCTION(newest);
FUNCTION(min);
FUNCTION(max);
FUNCTION(to_json);
FUNCTION(from_json);
FUNCTION(string);
FUNCTION(number);
FUNCTION(age);
FUNCTION(duration);
FUNCTION(format_date);
FUNCTION(success);
FUNCTION(failure);
FUNCTION(always);
FUNCTION(cancelled);

#endif
