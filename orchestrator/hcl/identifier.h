/* Identifiers of HCL: UAX #31 with '-' inside and '_' everywhere. */
#ifndef DRCTL_HCL_IDENTIFIER_H
#define DRCTL_HCL_IDENTIFIER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/span.h"

/* The code point at the front of text and its length in bytes; 0 when the bytes are not UTF-8 or
 * there are none. */
size_t identifier_decode(struct span text, uint32_t *ret_code_point);

/* The length in bytes of the identifier at the front of text; 0 when there is none. */
size_t identifier_length(struct span text);

/* True when the whole of text is one identifier. */
bool identifier_is(struct span text);

#endif
