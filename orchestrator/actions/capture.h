/* What a command printed, as a value. */
#ifndef DRCTL_ACTIONS_CAPTURE_H
#define DRCTL_ACTIONS_CAPTURE_H

#include <jansson.h>

#include "attempt/attempt.h"
#include "base/span.h"

/* The choices of a parameter `capture`. */
extern const char *const capture_choices[];

/* What a quiet command printed, as `capture` ("text", "lines", "json") wants it: text without the
 * newlines at its end, as $(…) gives it; a list of lines; a JSON value. null without a capture or
 * when its end was not seen. */
MUST_USE int capture_take(const char *capture, const struct attempt_result *result,
                          json_t **ret_value, struct error *err);

/* Writes the argument `stdin`, if there is one, into a private file of the attempt. *ret_path stays
 * as it is without one; the caller frees it. */
MUST_USE int capture_write_stdin(struct attempt *attempt, char **ret_path, struct error *err);

#endif
