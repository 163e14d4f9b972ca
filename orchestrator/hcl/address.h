/* Addresses of values: region, azs[0], tags["a.b"], terraform.backend["s3"].region,
 * resource.aws_instance.web.ami, provider["aws"][1].region, provider["aws"][alias="west"].region,
 * provider["aws"][*].region, azs[*]. */
#ifndef DRCTL_HCL_ADDRESS_H
#define DRCTL_HCL_ADDRESS_H

#include <stddef.h>

#include "base/compiler.h"
#include "base/error.h"
#include "base/vector.h"

enum hcl_step_kind {
    HCL_STEP_NAME,  /* .name or ["name"]: an attribute, a key, a block's type or label */
    HCL_STEP_INDEX, /* [1]: an element, or one of several blocks; counts from 0 */
    HCL_STEP_WHERE, /* [alias="west"]: the blocks whose attribute is that string */
    HCL_STEP_ALL,   /* [*]: every element or block */
};

struct hcl_step {
    enum hcl_step_kind kind;
    char *name;  /* NAME; WHERE: the attribute */
    char *value; /* WHERE */
    size_t index;
};

struct hcl_address {
    VECTOR(struct hcl_step)
    steps;
};

/* Parses an address; ERROR_INVALID with the column as position. */
MUST_USE int hcl_address_parse(const char *text, struct hcl_address *address, struct error *err);
void hcl_address_release(struct hcl_address *address);

#endif
