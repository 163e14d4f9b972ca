/* Two parties hold a job: the thread that works and the caller that waits. Whoever lets go last
 * frees it; a flag under the lock says who that is. */
#include "git/job.h"

#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <time.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/memory.h"
#include "git/library.h"

enum {
    DEFAULT_STALL_MS = 60 * 1000,
    LOOK_INTERVAL_MS = 100,
    LEAVING_GRACE_MS = 1000, /* for a job that notices by itself, in a callback */
};

struct job {
    pthread_mutex_t lock;
    pthread_cond_t ended;
    struct job_work work;
    void *context;
    int64_t touched_ns;
    struct buffer lines; /* not shown yet, each with its newline */
    bool is_over;
    bool is_stopping;  /* the caller wants to go */
    bool is_abandoned; /* the caller has gone */
    int result;
    struct error err;
};

static struct job *job_new(const struct job_work *work, void *context)
{
    struct job *job = memory_new(1, sizeof *job);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&job->ended, &attributes);
    pthread_condattr_destroy(&attributes);
    pthread_mutex_init(&job->lock, NULL);
    job->work = *work;
    job->context = context;
    job->touched_ns = clock_monotonic_ns();
    return job;
}

static void job_free(struct job *job)
{
    pthread_mutex_destroy(&job->lock);
    pthread_cond_destroy(&job->ended);
    buffer_release(&job->lines);
    error_release(&job->err);
    free(job);
}

void job_touch(struct job *job)
{
    pthread_mutex_lock(&job->lock);
    job->touched_ns = clock_monotonic_ns();
    pthread_mutex_unlock(&job->lock);
}

void job_say(struct job *job, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    pthread_mutex_lock(&job->lock);
    job->touched_ns = clock_monotonic_ns();
    if (!job->is_abandoned) {
        buffer_append_format_v(&job->lines, format, arguments);
        buffer_append_char(&job->lines, '\n');
    }
    pthread_mutex_unlock(&job->lock);
    va_end(arguments);
}

bool job_is_stopping(struct job *job)
{
    pthread_mutex_lock(&job->lock);
    bool is_stopping = job->is_stopping;
    pthread_mutex_unlock(&job->lock);
    return is_stopping;
}

static void *run_thread(void *argument)
{
    struct job *job = argument;
    struct error err = ERROR_INIT;
    int result = job->work.run(job, job->context, &err);

    pthread_mutex_lock(&job->lock);
    bool is_abandoned = job->is_abandoned;
    job->is_over = true;
    job->result = result;
    error_move(&job->err, &err);
    pthread_cond_signal(&job->ended);
    pthread_mutex_unlock(&job->lock);
    if (is_abandoned) {
        job->work.free_context(job->context);
        job_free(job);
    }
    return NULL;
}

/* With all signals blocked: a broken connection must not raise SIGPIPE, and the process's signals
 * are the event loop's business. */
static void start_thread(struct job *job)
{
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_t thread;
    if (pthread_create(&thread, NULL, run_thread, job) != 0) {
        abort(); /* for want of memory */
    }
    pthread_detach(thread);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static void show_lines(const struct repo_access *access, struct buffer *lines)
{
    char *rest = lines->data;
    for (char *line; lines->size_bytes > 0 && (line = strsep(&rest, "\n")) != NULL;) {
        if (line[0] != '\0' && access->progress != NULL) {
            access->progress(access->data, line);
        }
    }
}

/* Waits a moment, with the lock held. */
static void wait_for_end(struct job *job, int64_t duration_ms)
{
    int64_t until_ns = clock_monotonic_ns() + duration_ms * CLOCK_NS_PER_MS;
    struct timespec until = {.tv_sec = until_ns / CLOCK_NS_PER_S,
                             .tv_nsec = until_ns % CLOCK_NS_PER_S};
    int result = 0;
    while (!job->is_over && result == 0) {
        result = pthread_cond_timedwait(&job->ended, &job->lock, &until);
    }
}

/* Callbacks of the caller's run without the lock, as they may take their time. */
static void check_on_job(struct job *job, const struct repo_access *access, struct error *err)
{
    struct buffer lines = job->lines;
    job->lines = (struct buffer)BUFFER_INIT;
    int64_t idle_ms = (clock_monotonic_ns() - job->touched_ns) / CLOCK_NS_PER_MS;
    pthread_mutex_unlock(&job->lock);

    show_lines(access, &lines);
    buffer_release(&lines);
    int64_t limit_ms = access->stall_timeout_ms > 0 ? access->stall_timeout_ms : DEFAULT_STALL_MS;
    if (access->cancelled != NULL && access->cancelled(access->data)) {
        error_set(err, ERROR_CANCELLED, "cancelled");
    } else if (idle_ms > limit_ms) {
        error_set(err, ERROR_TIMEOUT, "nothing moved for %lld seconds",
                  (long long)(limit_ms / 1000));
    }
    pthread_mutex_lock(&job->lock);
}

int job_run(const struct repo_access *access, const struct job_work *work, void **context,
            struct error *err)
{
    library_start();
    struct job *job = job_new(work, *context);
    start_thread(job);
    CLEANUP(error_release) struct error verdict = ERROR_INIT;
    pthread_mutex_lock(&job->lock);
    for (bool is_over = false; !is_over && !error_is_set(&verdict);) {
        wait_for_end(job, LOOK_INTERVAL_MS);
        is_over = job->is_over;
        check_on_job(job, access, &verdict);
    }
    if (!job->is_over) {
        job->is_stopping = true;
        wait_for_end(job, LEAVING_GRACE_MS);
    }
    bool is_over = job->is_over;
    job->is_abandoned = !is_over;
    pthread_mutex_unlock(&job->lock);
    if (!is_over) {
        *context = NULL;
        error_move(err, &verdict);
        return -1;
    }
    int result = job->result;
    if (result != 0) {
        error_move(err, error_is_set(&verdict) ? &verdict : &job->err);
    }
    job_free(job);
    return result;
}
