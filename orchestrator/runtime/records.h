/* What the journal says about each attempt: what it remembered, which questions it asked and which
 * answers it got, which of its tasks came to an end. attempt.h answers repeated calls from it. */
#ifndef DRCTL_RUNTIME_RECORDS_H
#define DRCTL_RUNTIME_RECORDS_H

#include <jansson.h>

#include "attempt/attempt_host.h"

struct records {
    json_t *attempts; /* "STEP/N/PHASE" → {remembered, answers, asked, ended, facts} */
};

void records_init(struct records *records);
void records_release(struct records *records);

/* Takes what an event says about an attempt; other events are passed over. */
void records_apply(struct records *records, const json_t *event);

/* The record of one attempt; borrowed, and NULL fields where there is nothing. phase may be NULL.
 */
struct attempt_record records_find(const struct records *records, const char *step, size_t attempt,
                                   const char *phase);

#endif
