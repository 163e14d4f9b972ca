/* One struct and one done() for all of them, since every operation of net/ ends in the same way;
 * what differs is how it is started. */
#include "network/route53_session.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/memory.h"

struct route53_wait {
    struct net_wait net;
    struct route53_session *session;
    struct route53_operation *(*begin)(struct route53_wait *wait);
    struct route53_operation *operation;
    const char *id; /* of the zone or the change; or the zone's name */
    enum route53_zone_kind kind;
    const struct route53_batch *batch;
    int64_t interval_ms;
    int64_t timeout_ms;
    struct route53_result result;
};

void route53_calls_init(struct route53_calls *calls, struct net_session *session,
                        int64_t rate_per_s)
{
    double rate = rate_per_s > 0 ? (double)rate_per_s : ROUTE53_RATE_DEFAULT_PER_S;
    *calls = (struct route53_calls){.session = session,
                                    .route53 = {.client = net_session_client(session)}};
    token_bucket_init(&calls->route53.bucket, rate, ROUTE53_BURST_DEFAULT, clock_monotonic_ns());
}

static void on_done(void *context, struct route53_result *result, struct error *err)
{
    struct route53_wait *wait = context;
    wait->result = *result;
    *result = (struct route53_result){0};
    error_move(&wait->net.err, err);
    attempt_wait_done(wait->net.wait);
}

static void start(struct attempt_wait *attempt_wait, uv_loop_t *loop, void *context)
{
    struct route53_wait *wait = context;
    (void)loop;
    wait->net.wait = attempt_wait;
    wait->operation = wait->begin(wait);
}

static void cancel(void *context)
{
    struct route53_wait *wait = context;
    route53_cancel(wait->operation);
}

static int run(struct route53_calls *calls, struct route53_wait *wait, struct error *err)
{
    wait->session = &calls->route53;
    int status =
        net_wait_run(net_session_attempt(calls->session), &wait->net, start, cancel, wait, err);
    if (status != 0) {
        route53_sets_release(&wait->result.sets);
        route53_zone_release(&wait->result.zone);
        free(wait->result.change.id);
    }
    return status;
}

static struct route53_operation *begin_list(struct route53_wait *wait)
{
    return route53_list(wait->session, wait->id, on_done, wait);
}

int route53_calls_list(struct route53_calls *calls, const char *zone_id,
                       struct route53_sets *ret_sets, struct error *err)
{
    struct route53_wait wait = {.begin = begin_list, .id = zone_id};
    if (run(calls, &wait, err) != 0) {
        return -1;
    }
    *ret_sets = wait.result.sets;
    return 0;
}

static struct route53_operation *begin_find(struct route53_wait *wait)
{
    return route53_find_zone(wait->session, wait->id, wait->kind, on_done, wait);
}

int route53_calls_find_zone(struct route53_calls *calls, const char *name,
                            enum route53_zone_kind kind, struct route53_zone *ret_zone,
                            struct error *err)
{
    struct route53_wait wait = {.begin = begin_find, .id = name, .kind = kind};
    if (run(calls, &wait, err) != 0) {
        return -1;
    }
    *ret_zone = wait.result.zone;
    return 0;
}

static struct route53_operation *begin_get(struct route53_wait *wait)
{
    return route53_get_zone(wait->session, wait->id, on_done, wait);
}

int route53_calls_get_zone(struct route53_calls *calls, const char *zone_id,
                           struct route53_zone *ret_zone, struct error *err)
{
    struct route53_wait wait = {.begin = begin_get, .id = zone_id};
    if (run(calls, &wait, err) != 0) {
        return -1;
    }
    *ret_zone = wait.result.zone;
    return 0;
}

static struct route53_operation *begin_change(struct route53_wait *wait)
{
    return route53_change(wait->session, wait->id, wait->batch, on_done, wait);
}

int route53_calls_change(struct route53_calls *calls, const char *zone_id,
                         const struct route53_batch *batch, char **ret_id, struct error *err)
{
    struct route53_wait wait = {.begin = begin_change, .id = zone_id, .batch = batch};
    if (run(calls, &wait, err) != 0) {
        return -1;
    }
    *ret_id = wait.result.change.id;
    return 0;
}

static struct route53_operation *begin_wait(struct route53_wait *wait)
{
    return route53_wait_insync(wait->session, wait->id, wait->interval_ms, wait->timeout_ms,
                               on_done, wait);
}

int route53_calls_wait(struct route53_calls *calls, const char *change_id, int64_t interval_ms,
                       int64_t timeout_ms, struct error *err)
{
    struct route53_wait wait = {
        .begin = begin_wait, .id = change_id, .interval_ms = interval_ms, .timeout_ms = timeout_ms};
    if (run(calls, &wait, err) != 0) {
        return -1;
    }
    free(wait.result.change.id);
    return 0;
}
