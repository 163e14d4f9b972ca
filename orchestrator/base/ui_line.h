/* Lines that are JSON for machines, as people read them. */
#ifndef DRCTL_BASE_UI_LINE_H
#define DRCTL_BASE_UI_LINE_H

#include <stdbool.h>

#include "base/buffer.h"
#include "base/span.h"

enum ui_line_kind {
    UI_LINE_PLAIN,  /* not of this form: to be shown as it is */
    UI_LINE_TEXT,   /* text was appended */
    UI_LINE_HIDDEN, /* nothing that a person needs */
};

/* Terraform's JSON UI ({"@level": …, "@message": …, "type": …}): appends its message in one line, a
 * diagnostic with its detail and place. The raw line stays in the log; every view shows it through
 * here, live and afterwards alike. */
enum ui_line_kind ui_line_append(struct buffer *out, struct span line);

#endif
