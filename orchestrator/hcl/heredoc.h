/* What a heredoc means. */
#ifndef DRCTL_HCL_HEREDOC_H
#define DRCTL_HCL_HEREDOC_H

#include <jansson.h>

#include "base/span.h"

/* The value of a heredoc without sequences, given from its "<<" to its closing marker. */
json_t *hcl_heredoc_read(struct span heredoc);

#endif
