/* When to try again, and how long to wait. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "net/retry.h"

static void throttling_is_known_by_its_code_whatever_the_status(void **state)
{
    (void)state;
    assert_int_equal(retry_classify(400, "Throttling"), RETRY_THROTTLED);
    assert_int_equal(retry_classify(400, "PriorRequestNotComplete"), RETRY_THROTTLED);
    assert_int_equal(retry_classify(503, "SlowDown"), RETRY_THROTTLED);
    assert_int_equal(retry_classify(429, NULL), RETRY_THROTTLED);
}

static void server_failures_and_refusals_are_told_apart(void **state)
{
    (void)state;
    assert_int_equal(retry_classify(500, NULL), RETRY_SERVER);
    assert_int_equal(retry_classify(503, "Whatever"), RETRY_SERVER);
    assert_int_equal(retry_classify(400, "InvalidChangeBatch"), RETRY_NEVER);
    assert_int_equal(retry_classify(501, NULL), RETRY_NEVER);
    assert_int_equal(retry_classify(403, "RequestTimeTooSkewed"), RETRY_SKEW);
}

static void waits_double_up_to_the_cap_and_are_jittered_in_full(void **state)
{
    (void)state;
    const struct retry_policy policy = {5, 500, 3000};
    assert_int_equal(retry_delay_ms(&policy, 1, 0.999999, 0), 499);
    assert_int_equal(retry_delay_ms(&policy, 2, 0.5, 0), 500);
    assert_int_equal(retry_delay_ms(&policy, 3, 0.0, 0), 0);
    assert_int_equal(retry_delay_ms(&policy, 10, 0.5, 0), 1500);
    assert_int_equal(retry_delay_ms(&policy, 4000, 0.5, 0), 1500);
}

static void what_the_server_asks_for_is_the_least_wait(void **state)
{
    (void)state;
    const struct retry_policy policy = {5, 500, 3000};
    assert_int_equal(retry_delay_ms(&policy, 1, 0.1, 7000), 7000);
}

static void retry_after_takes_seconds_and_dates(void **state)
{
    (void)state;
    int64_t now_ns = INT64_C(784111777) * CLOCK_NS_PER_S; /* Sun, 06 Nov 1994 08:49:37 GMT */
    assert_int_equal(retry_after_ms("2", now_ns), 2000);
    assert_int_equal(retry_after_ms("Sun, 06 Nov 1994 08:49:40 GMT", now_ns), 3000);
    assert_int_equal(retry_after_ms("Sun, 06 Nov 1994 08:49:30 GMT", now_ns), 0);
    assert_int_equal(retry_after_ms("99999999999999999999", now_ns), 300000);
    assert_int_equal(retry_after_ms("soon", now_ns), 0);
    assert_int_equal(retry_after_ms(NULL, now_ns), 0);
}

static void http_dates_are_read_strictly(void **state)
{
    (void)state;
    assert_int_equal(retry_parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT"),
                     INT64_C(784111777) * CLOCK_NS_PER_S);
    assert_int_equal(retry_parse_http_date("Sun, 06 Nov 1994 08:49:37 CET"), -1);
    assert_int_equal(retry_parse_http_date("Sun, 06 Foo 1994 08:49:37 GMT"), -1);
    assert_int_equal(retry_parse_http_date("yesterday"), -1);
    assert_int_equal(retry_parse_http_date(NULL), -1);
}

static void a_bucket_gives_its_burst_at_once_and_then_its_rate(void **state)
{
    (void)state;
    struct token_bucket bucket;
    token_bucket_init(&bucket, 5, 3, 0);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(token_bucket_take_ms(&bucket, 0), 0);
    }
    assert_int_equal(token_bucket_take_ms(&bucket, 0), 200);
    assert_int_equal(token_bucket_take_ms(&bucket, 0), 400);
    assert_int_equal(token_bucket_take_ms(&bucket, 10 * CLOCK_NS_PER_S), 0);
}

static void a_bucket_never_holds_more_than_its_burst(void **state)
{
    (void)state;
    struct token_bucket bucket;
    token_bucket_init(&bucket, 5, 2, 0);
    assert_int_equal(token_bucket_take_ms(&bucket, 3600 * CLOCK_NS_PER_S), 0);
    assert_int_equal(token_bucket_take_ms(&bucket, 3600 * CLOCK_NS_PER_S), 0);
    assert_int_equal(token_bucket_take_ms(&bucket, 3600 * CLOCK_NS_PER_S), 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(throttling_is_known_by_its_code_whatever_the_status),
        cmocka_unit_test(server_failures_and_refusals_are_told_apart),
        cmocka_unit_test(waits_double_up_to_the_cap_and_are_jittered_in_full),
        cmocka_unit_test(what_the_server_asks_for_is_the_least_wait),
        cmocka_unit_test(retry_after_takes_seconds_and_dates),
        cmocka_unit_test(http_dates_are_read_strictly),
        cmocka_unit_test(a_bucket_gives_its_burst_at_once_and_then_its_rate),
        cmocka_unit_test(a_bucket_never_holds_more_than_its_burst),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
