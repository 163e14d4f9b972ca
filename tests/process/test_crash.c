/* A campaign: commands whose shim, guard, both, or follower are taken away at random instants. Each
 * command must run once and to its end, and each of its lines must arrive once and in order.
 *
 * DRCTL_CRASHES is how many commands to try; 20 unless set. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "base/random.h"
#include "follower.h"
#include "scratch.h"

enum { LINES = 400 };

/* Prints for about 300 ms, in bursts, and leaves its mark once. */
static const char command[] =
    "echo x >> effects; i=0; while [ $i -lt 400 ]; do i=$((i + 1)); echo $i; "
    "[ $((i % 40)) = 0 ] && sleep 0.03; done; exit 5";

/* Not all three at once: what the shim has in its hands at that instant, some microseconds' worth
 * of output, is then in nobody's any more. */
enum blow { BLOW_SHIM, BLOW_GUARD, BLOW_BOTH, BLOW_DRCTL, BLOW_DRCTL_AND_SHIM, BLOWS };
static const char *const blow_names[] = {"shim", "guard", "shim and guard", "drctl",
                                         "drctl and shim"};

static void sleep_us(uint64_t duration_us)
{
    nanosleep(
        &(struct timespec){(time_t)(duration_us / 1000000), (long)(duration_us % 1000000) * 1000},
        NULL);
}

static void kill_shims(const struct follower *follower, enum blow blow)
{
    int pids[FOLLOWER_SHIMS];
    size_t count = follower_shims(follower, pids);
    if (blow == BLOW_DRCTL_AND_SHIM && count < 2) {
        return; /* there is no guard yet: it would be all three */
    }
    for (size_t i = 0; i < count && i < FOLLOWER_SHIMS; i++) {
        if (blow == BLOW_BOTH || (i == 1) == (blow == BLOW_GUARD)) {
            kill(pids[i], SIGKILL);
        }
    }
}

static bool is_over(const struct follower *follower)
{
    return follower->done;
}

/* What another drctl would keep: how far it has come, and what it has seen. */
static void adopt_again(struct follower *follower)
{
    process_free(follower->process);
    follower_adopt(follower, follower->next_offset);
}

static void on_tick(uv_timer_t *timer)
{
    uv_stop(timer->loop);
}

static void run_for_us(struct follower *follower, uint64_t duration_us)
{
    uv_timer_t timer;
    uv_timer_init(&follower->loop, &timer);
    uv_timer_start(&timer, on_tick, duration_us / 1000, 0);
    uv_run(&follower->loop, UV_RUN_DEFAULT);
    uv_close((uv_handle_t *)&timer, NULL);
    uv_run(&follower->loop, UV_RUN_NOWAIT);
}

static bool has_started(const struct follower *follower)
{
    return follower->lines > 0 || follower->done;
}

static void strike(struct follower *follower, struct buffer *blows)
{
    enum blow blow = (enum blow)random_below(BLOWS);
    run_for_us(follower, random_below(150000));
    if (follower->done) {
        return;
    }
    buffer_append_format(blows, "%s after %zu lines; ", blow_names[blow], follower->lines);
    if (blow != BLOW_DRCTL) {
        kill_shims(follower, blow);
    }
    if (blow >= BLOW_DRCTL) {
        sleep_us(random_below(30000));
        adopt_again(follower);
    }
}

static void check(struct follower *follower, const char *blows)
{
    struct buffer expected = BUFFER_INIT;
    char *effects = scratch_path(follower->folder, "effects");
    char *marks = scratch_read(effects, NULL);
    int pids[FOLLOWER_SHIMS];
    for (int i = 1; i <= LINES; i++) {
        buffer_append_format(&expected, "%d\n", i);
    }
    if (strcmp(buffer_text(&follower->text[CRI_STDOUT]), buffer_text(&expected)) != 0) {
        fail_msg("%zu lines of %d, outcome %s, %s, blows: %s", follower->lines, LINES,
                 process_outcome_name(follower->result.outcome),
                 follower->message != NULL ? follower->message : "no message", blows);
    }
    assert_string_equal(marks, "x\n");
    if (follower->result.outcome != PROCESS_LOST) {
        assert_int_equal(follower->result.outcome, PROCESS_EXITED);
        assert_int_equal(follower->result.exit_code, 5);
    }
    for (int tries = 0; follower_shims(follower, pids) != 0; tries++) {
        assert_true(tries < 1000);
        sleep_us(5000);
    }
    buffer_release(&expected);
    free(marks);
    free(effects);
}

static void whatever_is_killed_each_line_arrives_once(void **state)
{
    struct follower *follower = *state;
    const char *wanted = getenv("DRCTL_CRASHES");
    long rounds = wanted != NULL ? strtol(wanted, NULL, 10) : 20;
    size_t lost = 0;
    char *base = follower->task;
    for (long round = 0; round < rounds; round++) {
        follower->task = memory_format("%s-%ld", base, round);
        follower->spec.directory = follower->task;
        follower_start_shell(follower, command);
        follower_run_until(follower, has_started);
        CLEANUP(buffer_release) struct buffer blows = BUFFER_INIT;
        for (uint64_t left = 1 + random_below(3); left > 0 && !follower->done; left--) {
            strike(follower, &blows);
        }
        follower_run_until(follower, is_over);
        check(follower, buffer_text(&blows));
        lost += follower->result.outcome == PROCESS_LOST;
        follower_forget(follower);
        char *effects = scratch_path(follower->folder, "effects");
        assert_int_equal(remove(effects), 0);
        free(effects);
        free(follower->task);
    }
    follower->task = base;
    follower->spec.directory = base;
    print_message("%ld commands, of %zu the exit status was lost\n", rounds, lost);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(whatever_is_killed_each_line_arrives_once, follower_setup,
                                        follower_teardown),
    };
    return cmocka_run_group_tests_name("process_crash", tests, NULL, NULL);
}
