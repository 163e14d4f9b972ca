/* Time: reading it, writing it as RFC 3339 in UTC, and the durations that plans are written in. */
#ifndef DRCTL_BASE_CLOCK_H
#define DRCTL_BASE_CLOCK_H

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/error.h"

#define CLOCK_NS_PER_MS INT64_C(1000000)
#define CLOCK_NS_PER_S INT64_C(1000000000)

/* "2026-11-22T22:03:01.123456789Z" and its NUL */
enum { CLOCK_RFC3339_SIZE = 31 };

/* Nanoseconds since 1970-01-01T00:00:00Z; may jump when the clock is set. */
int64_t clock_wall_ns(void);

/* Nanoseconds since some fixed instant; never jumps. For intervals and deadlines. */
int64_t clock_monotonic_ns(void);

/* RFC 3339 in UTC with nine digits of fraction (CRI log form). */
void clock_format_rfc3339_ns(int64_t at_ns, char text[CLOCK_RFC3339_SIZE]);

/* RFC 3339 in UTC with milliseconds, "2026-11-22T22:03:01.123Z"; fits the same buffer. */
void clock_format_rfc3339_ms(int64_t at_ns, char text[CLOCK_RFC3339_SIZE]);

/* Parses RFC 3339 (any offset, any fraction; years 1970 to 2261). ERROR_INVALID otherwise. */
MUST_USE int clock_parse_rfc3339(const char *text, int64_t *ret_at_ns, struct error *err);

/* Durations: "90s", "5m", "1h30m", "2d", "500ms"; a bare number is refused, since its unit is a
 * guess. At most 366 days. */
MUST_USE int clock_parse_duration(const char *text, int64_t *ret_duration_ms, struct error *err);

/* "1h30m", "4m05s", "12.3s": as a person says it; the caller frees it. */
char *clock_format_duration(int64_t duration_ms);

#endif
