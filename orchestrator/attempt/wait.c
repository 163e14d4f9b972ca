/* The waits of an attempt's thread, and how a stop ends them. Each looks at its condition under the
 * attempt's mutex, so that a stop or an answer cannot slip in between the look and the wait. */
#include <stdlib.h>
#include <string.h>

#include "attempt/attempt_private.h"
#include "base/clock.h"
#include "base/json.h"

int attempt_stop_error(struct attempt *attempt, struct error *err)
{
    return attempt->stopping ? error_set(err, attempt->stop_code, "%s", attempt->stop_reason) : 0;
}

int attempt_check(struct attempt *attempt, struct error *err)
{
    uv_mutex_lock(&attempt->mutex);
    int result = attempt_stop_error(attempt, err);
    uv_mutex_unlock(&attempt->mutex);
    return result;
}

int64_t attempt_left_ms(const struct attempt *attempt)
{
    if (attempt->deadline_ns == INT64_MAX) {
        return INT64_MAX;
    }
    int64_t left_ns = attempt->deadline_ns - clock_monotonic_ns();
    return left_ns > 0 ? left_ns / CLOCK_NS_PER_MS : 0;
}

int attempt_sleep(struct attempt *attempt, int64_t duration_ms, struct error *err)
{
    int64_t end_ns = clock_monotonic_ns() + duration_ms * CLOCK_NS_PER_MS;
    uv_mutex_lock(&attempt->mutex);
    while (!attempt->stopping) {
        int64_t left_ns = end_ns - clock_monotonic_ns();
        if (left_ns <= 0) {
            break;
        }
        uv_cond_timedwait(&attempt->changed, &attempt->mutex, (uint64_t)left_ns);
    }
    int result = attempt_stop_error(attempt, err);
    uv_mutex_unlock(&attempt->mutex);
    return result;
}

/* --- work on the loop ------------------------------------------------------------------------ */

struct attempt_wait {
    struct attempt *attempt;
    void (*start)(struct attempt_wait *wait, uv_loop_t *loop, void *context);
    void (*cancel)(void *context);
    void *context;
    bool started; /* L */
    bool done;    /* M */
};

static void start_wait(void *data)
{
    struct attempt_wait *wait = data;
    uv_mutex_lock(&wait->attempt->mutex);
    bool stopping = wait->attempt->stopping;
    uv_mutex_unlock(&wait->attempt->mutex);
    if (stopping) {
        attempt_wait_done(wait);
        return;
    }
    wait->started = true;
    wait->start(wait, loop_queue_loop(wait->attempt->spec.queue), wait->context);
}

static void cancel_wait(void *data)
{
    struct attempt_wait *wait = data;
    uv_mutex_lock(&wait->attempt->mutex);
    bool done = wait->done;
    uv_mutex_unlock(&wait->attempt->mutex);
    if (wait->started && !done && wait->cancel != NULL) {
        wait->cancel(wait->context);
    }
}

void attempt_wait_done(struct attempt_wait *wait)
{
    uv_mutex_lock(&wait->attempt->mutex);
    wait->done = true;
    uv_cond_broadcast(&wait->attempt->changed);
    uv_mutex_unlock(&wait->attempt->mutex);
}

struct barrier {
    struct attempt *attempt;
    bool passed; /* M */
};

static void pass_barrier(void *data)
{
    struct barrier *barrier = data;
    uv_mutex_lock(&barrier->attempt->mutex);
    barrier->passed = true;
    uv_cond_broadcast(&barrier->attempt->changed);
    uv_mutex_unlock(&barrier->attempt->mutex);
}

void attempt_drain_posts(struct attempt *attempt)
{
    struct barrier barrier = {attempt, false};
    loop_queue_post(attempt->spec.queue, pass_barrier, &barrier);
    uv_mutex_lock(&attempt->mutex);
    while (!barrier.passed) {
        uv_cond_wait(&attempt->changed, &attempt->mutex);
    }
    uv_mutex_unlock(&attempt->mutex);
}

int attempt_await(struct attempt *attempt,
                  void (*start)(struct attempt_wait *wait, uv_loop_t *loop, void *context),
                  void (*cancel)(void *context), void *context, struct error *err)
{
    struct attempt_wait wait = {attempt, start, cancel, context, false, false};
    loop_queue_post(attempt->spec.queue, start_wait, &wait);
    bool cancelled = false;
    uv_mutex_lock(&attempt->mutex);
    while (!wait.done) {
        if (attempt->stopping && !cancelled) {
            cancelled = true;
            loop_queue_post(attempt->spec.queue, cancel_wait, &wait);
        }
        uv_cond_wait(&attempt->changed, &attempt->mutex);
    }
    int result = attempt_stop_error(attempt, err);
    uv_mutex_unlock(&attempt->mutex);
    if (cancelled) {
        /* The memory of a wait must outlive the post that cancels it. */
        attempt_drain_posts(attempt);
    }
    return result;
}

void attempt_post(struct attempt *attempt, void (*function)(void *data), void *data)
{
    loop_queue_post(attempt->spec.queue, function, data);
}

/* --- people ---------------------------------------------------------------------------------- */

static int announce_question(struct attempt *attempt, const struct attempt_question *question,
                             struct error *err)
{
    if (json_object_get(attempt->spec.record.asked, question->id) != NULL) {
        return 0;
    }
    json_t *choices = json_array();
    for (const char *const *choice = question->choices; *choice != NULL; choice++) {
        json_array_append_new(choices, json_string(*choice));
    }
    json_t *event = attempt_event(attempt, "asked");
    json_object_set_new(event, "question", json_string(question->id));
    json_object_set_new(event, "text", json_string(question->text));
    if (question->evidence != NULL) {
        json_object_set_new(event, "evidence", json_string(question->evidence));
    }
    json_object_set_new(event, "choices", choices);
    return attempt_append(attempt, event, true, true, err);
}

int attempt_ask(struct attempt *attempt, const struct attempt_question *question,
                const char **ret_answer, struct error *err)
{
    uv_mutex_lock(&attempt->mutex);
    bool known = json_object_get(attempt->answers, question->id) != NULL;
    uv_mutex_unlock(&attempt->mutex);
    if (!known && announce_question(attempt, question, err) != 0) {
        return -1;
    }
    uv_mutex_lock(&attempt->mutex);
    const char *answer;
    while ((answer = json_get_text(attempt->answers, question->id)) == NULL && !attempt->stopping) {
        uv_cond_wait(&attempt->changed, &attempt->mutex);
    }
    int result = answer == NULL ? attempt_stop_error(attempt, err) : 0;
    for (const char *const *choice = question->choices; answer != NULL && *choice != NULL;
         choice++) {
        if (strcmp(*choice, answer) == 0) {
            *ret_answer = *choice;
            answer = NULL;
        }
    }
    if (answer != NULL) {
        result = error_set(err, ERROR_INVALID, "'%s' is no answer to the question %s", answer,
                           question->id);
    }
    uv_mutex_unlock(&attempt->mutex);
    return result;
}

/* --- from the loop's thread ------------------------------------------------------------------ */

void attempt_answer(struct attempt *attempt, const char *question, const char *answer)
{
    uv_mutex_lock(&attempt->mutex);
    json_object_set_new(attempt->answers, question, json_string(answer));
    uv_cond_broadcast(&attempt->changed);
    uv_mutex_unlock(&attempt->mutex);
}

static void request_stop(struct attempt *attempt, enum error_code code, const char *why)
{
    uv_mutex_lock(&attempt->mutex);
    if (!attempt->stopping) {
        attempt->stopping = true;
        attempt->stop_code = code;
        attempt->stop_reason = memory_text(why);
    }
    uv_cond_broadcast(&attempt->changed);
    uv_mutex_unlock(&attempt->mutex);
}

void attempt_stop(struct attempt *attempt, enum error_code code, const char *why, bool forced)
{
    request_stop(attempt, code, why);
    if (attempt->call != NULL) {
        call_stop(attempt->call, forced);
    }
}

void attempt_detach(struct attempt *attempt)
{
    uv_mutex_lock(&attempt->mutex);
    attempt->detached = true;
    uv_mutex_unlock(&attempt->mutex);
    request_stop(attempt, ERROR_CANCELLED, "drctl went away and left the run as it is");
    if (attempt->call != NULL) {
        call_detach(attempt->call);
    }
}
