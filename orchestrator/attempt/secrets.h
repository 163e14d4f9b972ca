/* The texts of a run that must never be seen, shared between the loop and the attempts' threads. */
#ifndef DRCTL_ATTEMPT_SECRETS_H
#define DRCTL_ATTEMPT_SECRETS_H

#include <jansson.h>
#include <stdbool.h>

#include "base/buffer.h"
#include "base/span.h"

struct secrets;

struct secrets *secrets_new(void);
void secrets_free(struct secrets *secrets);

/* Texts of less than four bytes are ignored: hiding them would hide everything. */
void secrets_add(struct secrets *secrets, const char *text);

/* Each string of a JSON array. */
void secrets_add_all(struct secrets *secrets, const json_t *texts);

/* The texts as they are now, for a shim; the array is the caller's, the texts live as long as the
 * store. */
struct span *secrets_list(struct secrets *secrets, size_t *ret_count);

/* Appends text with every secret, and its encoded forms, replaced by ***. */
void secrets_redact(struct secrets *secrets, struct span text, struct buffer *out);

/* A copy of value in which all strings are redacted. */
json_t *secrets_redact_json(struct secrets *secrets, const json_t *value);

/* True when text contains a secret. */
bool secrets_contain(struct secrets *secrets, const char *text);

#endif
