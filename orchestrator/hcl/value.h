/* Constant values between HCL and JSON. */
#ifndef DRCTL_HCL_VALUE_H
#define DRCTL_HCL_VALUE_H

#include <jansson.h>

#include "base/buffer.h"
#include "base/compiler.h"
#include "base/error.h"
#include "hcl/hcl_document.h"

/* The value of a node as a new reference, or NULL with ERROR_INVALID and the place of the first
 * part that is not constant (a sequence, a reference, a function call, a number that a double would
 * change). */
MUST_USE json_t *hcl_value_read(const struct hcl_document *document, size_t node,
                                struct error *err);

/* The values of all top-level attributes of a .tfvars or .tfvars.json, as an object. */
MUST_USE json_t *hcl_values_read(const struct hcl_document *document, struct error *err);

/* How a value is laid out where it is put. */
struct hcl_layout {
    const char *newline; /* "\n" or "\r\n" */
    struct span unit;    /* one level of indentation */
    struct span indent;  /* of the line on which the value starts */
    bool several_lines;  /* one line for each element at the outermost level */
};

/* Appends the value as an expression of the document's format. */
void hcl_value_append(struct buffer *out, const json_t *value, const struct hcl_document *document,
                      const struct hcl_layout *layout);

/* Appends text as a key of an object: bare where that is possible. */
void hcl_key_append(struct buffer *out, const char *key, const struct hcl_document *document);

#endif
