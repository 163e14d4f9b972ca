/* The engine in virtual time: what a run would do if its attempts ended as a script says. Tests use
 * it with scripts of failures, forecasts with the durations of earlier runs. */
#ifndef DRCTL_ENGINE_SIMULATE_H
#define DRCTL_ENGINE_SIMULATE_H

#include "base/compiler.h"
#include "engine/engine.h"

/* Runs the plan from start_ns on and returns all events, each with "at", as a new array. script:
 *   {"steps": {"ID": [{"after_ms": 1000, "fail": "network", "outputs": {…}}, …]},
 *    "people": [{"at_ms": 2000, "event": {"type": "run_paused", …}}, …]}
 * The n-th entry is the n-th attempt's end, the last one serves all further attempts, and a step
 * without entries succeeds after a second; "fail" is the name of an error code. NULL with err when
 * the engine refuses an event of people. Ends with the run, or when nothing is left that could
 * happen. */
MUST_USE json_t *simulate(const struct plan *plan, const struct context *context,
                          const struct engine_limits *limits, const json_t *script,
                          int64_t start_ns, struct error *err);

#endif
