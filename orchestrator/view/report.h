/* The post-incident review of a run, from its events alone.
 *
 *     struct report report = {0};
 *     for each event: report_event(&report, event);
 *     json_t *review = report_finish(&report, &fold);    (the fold of the same events)
 *     report_markdown(&out, review);  or  report_html(&out, review);  or the value itself
 */
#ifndef DRCTL_VIEW_REPORT_H
#define DRCTL_VIEW_REPORT_H

#include <jansson.h>

#include "base/buffer.h"
#include "view/fold.h"

struct report {
    json_t *timeline;  /* array of {at, step, what} */
    json_t *decisions; /* array of {at, step, who, what, why} */
    json_t *changes;   /* array of {at, step, kind, value}: the facts */
    json_t *errors;    /* array of {at, step, attempt, message, hint, tail} */
    size_t questions;  /* open now */
    int64_t asked_at_ns;
    int64_t waited_ns; /* with at least one question open */
    int64_t last_at_ns;
};

void report_event(struct report *report, const json_t *event);

/* Everything as one object, a new reference; the report is empty afterwards. */
json_t *report_finish(struct report *report, const struct fold *fold);

void report_markdown(struct buffer *out, const json_t *review);

/* One page that needs nothing else. */
void report_html(struct buffer *out, const json_t *review);

#endif
