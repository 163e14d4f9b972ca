/* Which drill is due, and how the past ones went: a function of the site file, the runs that this
 * machine knows, and the time. */
#ifndef DRCTL_RUNTIME_DRILL_CALENDAR_H
#define DRCTL_RUNTIME_DRILL_CALENDAR_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/compiler.h"
#include "base/error.h"

/* The row of each drill in site.drills, in its order. A drill is {id, every, plan, inputs,
 * environment, objective, summary}; rto and rpo come from
 * site.environments[environment].objectives[objective].
 *   runs: [{run, plan, inputs, started_at, outcome, took_s, data_age_s}], oldest first; a run is a
 *         drill's when it is one of its plan, with its inputs
 *   row:  {id, summary, plan, every, status: ok|due|overdue, last, next, run, done, failed_since,
 *         took_s, rto_s, rto_met, data_age_s, rpo_s, rpo_met, trend_percent}; null: not known
 * ERROR_INVALID names what the site says wrongly. */
MUST_USE int drill_calendar(const json_t *site, const json_t *runs, int64_t now_ns,
                            json_t **ret_rows, struct error *err);

bool drill_calendar_is_overdue(const json_t *rows);

/* For people: a table, one line for each drill. */
void drill_calendar_append_table(struct buffer *out, const json_t *rows);

/* For the text file collector of Prometheus' node exporter. */
void drill_calendar_append_metrics(struct buffer *out, const json_t *rows, int64_t now_ns);

#endif
