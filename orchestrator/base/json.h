/* JSON as drctl reads and writes it: strict in, canonical out. Values are jansson's. */
#ifndef DRCTL_BASE_JSON_H
#define DRCTL_BASE_JSON_H

#include <jansson.h>

#include "base/buffer.h"
#include "base/compiler.h"
#include "base/error.h"
#include "base/span.h"

/* Parses one document and nothing behind it; duplicate keys are refused. name is what errors call
 * it. Returns a new reference, or NULL with ERROR_INVALID and the position. */
MUST_USE json_t *json_parse(struct span text, const char *name, struct error *err);

/* Reads and parses a file of at most limit_bytes. */
MUST_USE json_t *json_read_file(const char *path, size_t limit_bytes, struct error *err);

/* Appends the value in one line, keys in the order in which they were set. */
void json_append(struct buffer *out, const json_t *value);

/* One line with sorted keys: equal values give equal bytes. The caller frees it. */
char *json_canonical(const json_t *value);

/* The string at key of an object, or NULL when it is missing or not a string. Borrowed. */
const char *json_get_text(const json_t *object, const char *key);

/* The integer at key, or fallback. */
json_int_t json_get_integer(const json_t *object, const char *key, json_int_t fallback);

/* For CLEANUP(): gives up the reference. */
void json_cleanup(json_t **value);

#endif
