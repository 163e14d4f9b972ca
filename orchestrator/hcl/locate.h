/* From an address to the places in a file that it names. */
#ifndef DRCTL_HCL_LOCATE_H
#define DRCTL_HCL_LOCATE_H

#include "base/compiler.h"
#include "base/error.h"
#include "hcl/address.h"
#include "hcl/hcl_document.h"

struct hcl_location {
    /* Nodes: values, or the BODY of a block when the address ends at one. In file order. */
    VECTOR(size_t)
    places;
    bool means_all; /* the address has a [*], so that several places are no ambiguity */

    /* When nothing was found: how many steps lead somewhere, where they lead to, and what the next
     * step should perhaps have been. */
    size_t steps_found;
    VECTOR(size_t)
    reached;
    char *suggestion; /* NULL: nothing is near */
    char *known;      /* what there is instead, "a, b, c"; NULL when it is nothing or too much */
};

/* Follows the first step_count steps of the address. Never fails; see places. A name in a
 * .tf.json goes through lists of blocks as terraform does. */
void hcl_locate(const struct hcl_document *document, const struct hcl_address *address,
                size_t step_count, struct hcl_location *location);
void hcl_location_release(struct hcl_location *location);

/* The one value (or, with [*], the values) at an address that is written in text. ERROR_NOT_FOUND
 * with the likely intent when there is none; ERROR_INVALID that names each line when there are
 * several, or when it is a block. */
MUST_USE int hcl_locate_values(const struct hcl_document *document, const char *text,
                               struct hcl_location *location, struct error *err);

#endif
