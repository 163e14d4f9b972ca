/* journal/follow: history first, then live. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/json.h"
#include "journal/follow.h"
#include "journal/journal.h"
#include "sample.h"
#include "scratch.h"

struct watcher {
    uv_loop_t loop;
    struct journal_follower *follower;
    int events;
    int events_at_catch_up; /* -1 before */
    int stop_at;            /* closes the follower at so many events */
    enum error_code failure;
};

static void on_event(void *data, const struct journal_event *event)
{
    struct watcher *watcher = data;
    watcher->events++;
    assert_int_equal(event->seq, watcher->events);
    if (watcher->events == watcher->stop_at) {
        journal_follower_close(watcher->follower);
    }
}

static void on_caught_up(void *data)
{
    struct watcher *watcher = data;
    assert_int_equal(watcher->events_at_catch_up, -1);
    watcher->events_at_catch_up = watcher->events;
}

static void on_failed(void *data, const struct error *err)
{
    struct watcher *watcher = data;
    watcher->failure = err->code;
    journal_follower_close(watcher->follower);
}

static const struct journal_follow_callbacks callbacks = {on_event, on_caught_up, on_failed};

static void start(struct watcher *watcher, const char *path, int stop_at)
{
    *watcher = (struct watcher){.events_at_catch_up = -1, .stop_at = stop_at};
    uv_loop_init(&watcher->loop);
    assert_int_equal(
        journal_follow(&watcher->loop, path, &callbacks, watcher, &watcher->follower, NULL), 0);
    assert_int_equal(watcher->events, 0);
}

static void finish(struct watcher *watcher)
{
    uv_run(&watcher->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&watcher->loop), 0);
}

struct writer {
    const struct watcher *watcher;
    struct journal *journal;
};

/* Waits until the history has been handed out, however long that takes. */
static void append_later(uv_timer_t *timer)
{
    struct writer *writer = timer->data;
    if (writer->watcher->events_at_catch_up >= 0) {
        CLEANUP(json_cleanup)
        json_t *event = sample_event((int)journal_last_seq(writer->journal) + 1);
        assert_int_equal(journal_append_now(writer->journal, event, NULL), 0);
    }
}

static void history_comes_first_and_then_what_is_appended(void **state)
{
    CLEANUP(memory_cleanup) char *path = sample_journal(*state, 1500);
    struct watcher watcher;
    struct writer writer = {.watcher = &watcher};
    assert_int_equal(journal_open(path, NULL, NULL, NULL, &writer.journal, NULL, NULL), 0);
    start(&watcher, path, 1503);
    uv_timer_t timer;
    uv_timer_init(&watcher.loop, &timer);
    timer.data = &writer;
    uv_timer_start(&timer, append_later, 20, 20);
    uv_unref((uv_handle_t *)&timer);
    uv_run(&watcher.loop, UV_RUN_DEFAULT);
    uv_close((uv_handle_t *)&timer, NULL);
    finish(&watcher);
    journal_close(writer.journal, NULL, NULL);
    assert_int_equal(watcher.events_at_catch_up, 1500);
    assert_int_equal(watcher.events, 1503);
}

static void a_torn_tail_is_waited_for(void **state)
{
    CLEANUP(memory_cleanup) char *path = sample_journal(*state, 2);
    size_t size_bytes;
    CLEANUP(memory_cleanup) char *text = scratch_read(path, &size_bytes);
    assert_int_equal(truncate(path, (off_t)size_bytes - 20), 0);
    struct watcher watcher;
    start(&watcher, path, 2);
    while (watcher.events_at_catch_up < 0) {
        uv_run(&watcher.loop, UV_RUN_ONCE);
    }
    assert_int_equal(watcher.events_at_catch_up, 1);
    scratch_write_bytes(path, text, size_bytes);
    finish(&watcher);
    assert_int_equal(watcher.events, 2);
}

static void damage_ends_the_following(void **state)
{
    CLEANUP(memory_cleanup) char *path = sample_journal(*state, 3);
    size_t size_bytes;
    CLEANUP(memory_cleanup) char *text = scratch_read(path, &size_bytes);
    text[sample_line_offset(text, 3) + 40] ^= 4;
    scratch_write_bytes(path, text, size_bytes);
    struct watcher watcher;
    start(&watcher, path, 0);
    finish(&watcher);
    assert_int_equal(watcher.events, 2);
    assert_int_equal(watcher.failure, ERROR_DAMAGED);
}

static void no_callback_comes_after_close(void **state)
{
    CLEANUP(memory_cleanup) char *path = sample_journal(*state, 3);
    struct watcher watcher;
    start(&watcher, path, 0);
    journal_follower_close(watcher.follower);
    finish(&watcher);
    assert_int_equal(watcher.events, 0);
    assert_int_equal(watcher.events_at_catch_up, -1);
}

static void a_missing_journal_cannot_be_followed(void **state)
{
    CLEANUP(memory_cleanup) char *path = scratch_path(*state, "none");
    uv_loop_t loop;
    uv_loop_init(&loop);
    struct journal_follower *follower;
    CLEANUP(error_release) struct error err = ERROR_INIT;
    assert_int_equal(journal_follow(&loop, path, &callbacks, NULL, &follower, &err), -1);
    assert_int_equal(err.code, ERROR_NOT_FOUND);
    assert_int_equal(uv_loop_close(&loop), 0);
}

int main(void)
{
#define SCRATCH_TEST(test) cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown)
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(history_comes_first_and_then_what_is_appended),
        SCRATCH_TEST(a_torn_tail_is_waited_for),
        SCRATCH_TEST(damage_ends_the_following),
        SCRATCH_TEST(no_callback_comes_after_close),
        SCRATCH_TEST(a_missing_journal_cannot_be_followed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
