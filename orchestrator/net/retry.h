/* When to try again, and how long to wait before: exponential backoff with full jitter, and a token
 * bucket. Pure: time and chance are passed in. */
#ifndef DRCTL_NET_RETRY_H
#define DRCTL_NET_RETRY_H

#include <stdbool.h>
#include <stdint.h>

struct retry_policy {
    unsigned attempts_max; /* tries altogether; at least 1 */
    int64_t base_ms;       /* the first wait is at most this */
    int64_t cap_ms;        /* no wait is longer, Retry-After aside */
};

/* What AWS's own clients do: five tries, waits of at most 20 s. */
extern const struct retry_policy retry_policy_default;

/* How a failed answer is to be taken. */
enum retry_class {
    RETRY_NEVER,     /* asking again gives the same answer */
    RETRY_THROTTLED, /* the request was turned away untouched: ask again, slower */
    RETRY_SERVER,    /* the server failed, and may have done the work all the same */
    RETRY_SKEW,      /* the clock is wrong: correct it, ask once more at once */
};

/* Judges an HTTP status (0 when there was none) with the AWS error code (NULL when there was none).
 */
enum retry_class retry_classify(long status, const char *code);

/* The wait before try number attempt + 1, when `attempt` (from 1) failed: evenly between 0 and
 * min(cap, base * 2^(attempt-1)), by `chance`, which is evenly between 0 and 1; never shorter than
 * retry_after_ms (0 when the server did not say). */
int64_t retry_delay_ms(const struct retry_policy *policy, unsigned attempt, double chance,
                       int64_t retry_after_ms);

/* The header's value in milliseconds: a number of seconds, or an HTTP date compared with now.
 * 0 when it is missing (NULL) or not understood; at most five minutes, since a server that asks for
 * more would silently stop a recovery. */
int64_t retry_after_ms(const char *value, int64_t now_ns);

/* An HTTP date ("Sun, 06 Nov 1994 08:49:37 GMT") in nanoseconds since 1970; -1 when it is none. */
int64_t retry_parse_http_date(const char *text);

struct token_bucket {
    double rate_per_s; /* tokens that come back each second */
    double burst;      /* tokens at most */
    double tokens;
    int64_t at_ns; /* when `tokens` was true; monotonic */
};

/* A full bucket. */
void token_bucket_init(struct token_bucket *bucket, double rate_per_s, double burst,
                       int64_t now_ns);

/* Takes one token and gives 0, or takes it in advance and gives the milliseconds to wait until it
 * is there; who waits that long has kept the rate, in the order of asking. */
int64_t token_bucket_take_ms(struct token_bucket *bucket, int64_t now_ns);

#endif
