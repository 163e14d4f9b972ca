/* The rules of AWS's clients ("standard" mode), as a table of error codes and a few lines of
 * arithmetic. Route 53 reports throttling with status 400, so the code decides before the status
 * does. */
#include "net/retry.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/compiler.h"

enum { RETRY_AFTER_MAX_MS = 5 * 60 * 1000 };

const struct retry_policy retry_policy_default = {
    .attempts_max = 5, .base_ms = 500, .cap_ms = 20000};

static const struct {
    const char *code;
    enum retry_class class;
} codes[] = {
    {"BandwidthLimitExceeded", RETRY_THROTTLED},
    {"EC2ThrottledException", RETRY_THROTTLED},
    {"LimitExceededException", RETRY_THROTTLED},
    {"PriorRequestNotComplete", RETRY_THROTTLED},
    {"ProvisionedThroughputExceededException", RETRY_THROTTLED},
    {"RequestLimitExceeded", RETRY_THROTTLED},
    {"RequestThrottled", RETRY_THROTTLED},
    {"RequestThrottledException", RETRY_THROTTLED},
    {"SlowDown", RETRY_THROTTLED},
    {"Throttled", RETRY_THROTTLED},
    {"ThrottledException", RETRY_THROTTLED},
    {"Throttling", RETRY_THROTTLED},
    {"ThrottlingException", RETRY_THROTTLED},
    {"TooManyRequestsException", RETRY_THROTTLED},
    {"TransactionInProgressException", RETRY_THROTTLED},
    {"InternalError", RETRY_SERVER},
    {"InternalFailure", RETRY_SERVER},
    {"RequestTimeout", RETRY_SERVER},
    {"RequestTimeoutException", RETRY_SERVER},
    {"ServiceUnavailable", RETRY_SERVER},
    {"IDPCommunicationError", RETRY_SERVER},
    {"RequestExpired", RETRY_SKEW},
    {"RequestInTheFuture", RETRY_SKEW},
    {"RequestTimeTooSkewed", RETRY_SKEW},
    {"InvalidSignatureException", RETRY_SKEW},
    {"SignatureDoesNotMatch", RETRY_SKEW},
};

enum retry_class retry_classify(long status, const char *code)
{
    for (size_t i = 0; code != NULL && i < ARRAY_SIZE(codes); i++) {
        if (strcmp(codes[i].code, code) == 0) {
            return codes[i].class;
        }
    }
    if (status == 429) {
        return RETRY_THROTTLED;
    }
    return status == 500 || status == 502 || status == 503 || status == 504 ? RETRY_SERVER
                                                                            : RETRY_NEVER;
}

int64_t retry_delay_ms(const struct retry_policy *policy, unsigned attempt, double chance,
                       int64_t retry_after_ms)
{
    double most = ldexp((double)policy->base_ms, attempt > 0 ? (int)attempt - 1 : 0);
    if (most > (double)policy->cap_ms) {
        most = (double)policy->cap_ms;
    }
    int64_t delay_ms = (int64_t)(most * chance);
    return delay_ms > retry_after_ms ? delay_ms : retry_after_ms;
}

int64_t retry_parse_http_date(const char *text)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    struct tm when = {0};
    char month[4];
    char zone[4];
    if (text == NULL ||
        sscanf(text, "%*3[A-Za-z], %2d %3[A-Za-z] %4d %2d:%2d:%2d %3s", &when.tm_mday, month,
               &when.tm_year, &when.tm_hour, &when.tm_min, &when.tm_sec, zone) != 7) {
        return -1;
    }
    const char *found = strlen(month) == 3 ? strstr(months, month) : NULL;
    if (found == NULL || (found - months) % 3 != 0 || strcmp(zone, "GMT") != 0 ||
        when.tm_year < 1970 || when.tm_year > 2200) {
        return -1;
    }
    when.tm_mon = (int)((found - months) / 3);
    when.tm_year -= 1900;
    return (int64_t)timegm(&when) * CLOCK_NS_PER_S;
}

int64_t retry_after_ms(const char *value, int64_t now_ns)
{
    int64_t wait_ms = 0;
    if (value != NULL && isdigit((unsigned char)*value)) {
        double seconds = strtod(value, NULL);
        wait_ms = seconds < RETRY_AFTER_MAX_MS ? (int64_t)(seconds * 1000) : RETRY_AFTER_MAX_MS;
    } else {
        int64_t at_ns = retry_parse_http_date(value);
        wait_ms = at_ns > now_ns ? (at_ns - now_ns) / CLOCK_NS_PER_MS : 0;
    }
    return wait_ms < RETRY_AFTER_MAX_MS ? wait_ms : RETRY_AFTER_MAX_MS;
}

void token_bucket_init(struct token_bucket *bucket, double rate_per_s, double burst, int64_t now_ns)
{
    *bucket = (struct token_bucket){rate_per_s, burst, burst, now_ns};
}

int64_t token_bucket_take_ms(struct token_bucket *bucket, int64_t now_ns)
{
    double elapsed_s = (double)(now_ns - bucket->at_ns) / (double)CLOCK_NS_PER_S;
    if (elapsed_s > 0) {
        bucket->tokens += elapsed_s * bucket->rate_per_s;
        bucket->at_ns = now_ns;
    }
    if (bucket->tokens > bucket->burst) {
        bucket->tokens = bucket->burst;
    }
    bucket->tokens -= 1;
    return bucket->tokens >= 0 ? 0 : (int64_t)ceil(-bucket->tokens / bucket->rate_per_s * 1000);
}
