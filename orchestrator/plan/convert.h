/* JSON values against the types of inputs, parameters and outputs. */
#ifndef DRCTL_PLAN_CONVERT_H
#define DRCTL_PLAN_CONVERT_H

#include <jansson.h>

#include "base/compiler.h"
#include "base/error.h"
#include "plan/catalogue.h"

enum { CHOICE_LIMIT = 64 };

struct wanted {
    enum value_type type;
    const char *const *choices; /* VALUE_CHOICE: ends with NULL */
    bool duration_as_ms; /* a duration becomes integer milliseconds instead of staying text */
};

/* A new reference to the value as that type, see enum value_type; NULL with a sentence that has no
 * place. Sentences never show a value of VALUE_SECRET. */
MUST_USE json_t *convert_value(const struct wanted *wanted, const json_t *value, struct error *err);

/* Whether a plain number or boolean is wanted as the text that was written. */
bool convert_wants_text(enum value_type type);

/* A size such as 512MiB, 2GiB, 1.5GB. ERROR_INVALID for a bare number, whose unit is a guess. */
MUST_USE int convert_size(const char *text, uint64_t *ret_bytes, struct error *err);

#endif
