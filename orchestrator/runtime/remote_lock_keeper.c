/* Renewing is done on the thread pool, one write at a time. A renewal that cannot be made is said
 * and tried again: the lock does not expire, so nothing is lost by it. A lock that turns out not to
 * be ours any more pauses the run: somebody has broken it, and may be at work. */
#include "runtime/remote_lock_keeper.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "runtime/remote_lock.h"
#include "runtime/run_private.h"

enum { RENEW_EVERY_MS = 30 * 1000 };

struct remote_lock_keeper {
    struct run *run;
    struct remote_lock *lock;
    char *since;
    uv_timer_t timer;
    uv_work_t work;
    json_t *holder; /* what is being written */
    struct error err;
    bool working;
    bool closing;
    bool failing; /* the last renewal failed: said once */
};

static size_t steps_done(const struct run *run)
{
    size_t done = 0;
    for (size_t i = 0; i < engine_node_count(run->engine); i++) {
        enum step_state state = engine_node_at(run->engine, i)->state;
        done += state == STEP_SUCCEEDED || state == STEP_SKIPPED;
    }
    return done;
}

static json_t *describe_holder(const struct remote_lock_keeper *keeper)
{
    char host[HOST_NAME_MAX + 1] = "";
    gethostname(host, sizeof host - 1);
    char now[CLOCK_RFC3339_SIZE];
    clock_format_rfc3339_ms(clock_wall_ns(), now);
    const struct run *run = keeper->run;
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:I}", "run", run->id, "operator",
                     run->operator_name, "host", host, "since",
                     keeper->since != NULL ? keeper->since : now, "renewed_at", now, "steps_done",
                     (json_int_t)steps_done(run));
}

static bool is_without(const struct plan *plan, const char *region)
{
    vector_each (char *const *, lost, &plan->without_regions) {
        if (strcmp(*lost, region) == 0) {
            return true;
        }
    }
    return false;
}

/* --- renewing -------------------------------------------------------------------------------- */

static void renew(uv_work_t *work)
{
    struct remote_lock_keeper *keeper = work->data;
    IGNORE(remote_lock_renew(keeper->lock, keeper->holder, &keeper->err)); /* renewed() looks */
}

static void lock_is_lost(struct remote_lock_keeper *keeper)
{
    struct run *run = keeper->run;
    uv_timer_stop(&keeper->timer);
    run_notice(run, "%s: the run is paused; what runs may end", keeper->err.message);
    json_t *event = event_new(EVENT_RUN_PAUSED, NULL, 0);
    json_object_set_new(event, "who", json_string("drctl"));
    json_object_set_new(event, "why", json_string(keeper->err.message));
    run_commit(run, event, JOURNAL_DURABLE, NULL, NULL);
}

static void renewed(uv_work_t *work, int status)
{
    (void)status;
    struct remote_lock_keeper *keeper = work->data;
    keeper->working = false;
    json_decref(keeper->holder);
    keeper->holder = NULL;
    bool failed = error_is_set(&keeper->err);
    if (!keeper->closing && keeper->err.code == ERROR_LOCKED) {
        lock_is_lost(keeper);
    } else if (!keeper->closing && failed && !keeper->failing) {
        run_notice(keeper->run, "the remote lock cannot be renewed: %s", keeper->err.message);
    }
    keeper->failing = failed;
    error_release(&keeper->err);
}

static void on_timer(uv_timer_t *timer)
{
    struct remote_lock_keeper *keeper = timer->data;
    if (keeper->working) {
        return;
    }
    keeper->working = true;
    keeper->holder = describe_holder(keeper);
    keeper->work.data = keeper;
    uv_queue_work(timer->loop, &keeper->work, renew, renewed);
}

/* --- life ------------------------------------------------------------------------------------ */

static int take(struct remote_lock_keeper *keeper, struct error *err)
{
    const struct plan *plan = keeper->run->plan;
    const char *region = remote_lock_region(keeper->lock);
    if (is_without(plan, region)) {
        error_set(err, ERROR_NOT_READY,
                  "the site's lock is in %s, which this recovery must do without", region);
        return error_hint(err, "name one in the region that survives, or say --no-remote-lock");
    }
    CLEANUP(json_cleanup) json_t *holder = describe_holder(keeper);
    keeper->since = memory_text(json_get_text(holder, "since"));
    return remote_lock_take(keeper->lock, holder, err);
}

int remote_lock_keeper_open(struct run *run, struct remote_lock_keeper **ret_keeper,
                            struct error *err)
{
    struct remote_lock *lock = NULL;
    *ret_keeper = NULL;
    if (remote_lock_new(json_object_get(run->context.values, "site"), run->plan->target_name, &lock,
                        err) != 0) {
        return -1;
    }
    if (lock == NULL) {
        return 0;
    }
    struct remote_lock_keeper *keeper = memory_new(1, sizeof *keeper);
    keeper->run = run;
    keeper->lock = lock;
    if (take(keeper, err) != 0) {
        IGNORE(remote_lock_keeper_free(keeper, false, NULL)); /* only frees */
        return -1;
    }
    keeper->timer.data = keeper;
    uv_timer_init(&run->loop, &keeper->timer);
    uv_timer_start(&keeper->timer, on_timer, RENEW_EVERY_MS, RENEW_EVERY_MS);
    *ret_keeper = keeper;
    return 0;
}

void remote_lock_keeper_close(struct remote_lock_keeper *keeper)
{
    if (keeper != NULL && !keeper->closing) {
        keeper->closing = true;
        uv_close((uv_handle_t *)&keeper->timer, NULL);
    }
}

int remote_lock_keeper_free(struct remote_lock_keeper *keeper, bool run_is_over, struct error *err)
{
    if (keeper == NULL) {
        return 0;
    }
    int result = run_is_over ? remote_lock_release(keeper->lock, keeper->run->id, err) : 0;
    remote_lock_free(keeper->lock);
    error_release(&keeper->err);
    free(keeper->since);
    free(keeper);
    return result;
}
