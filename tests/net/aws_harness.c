/* PATH is passed through, since credential_process needs it. */
#include "aws_harness.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/memory.h"

enum { VARIABLES_MAX = 20 };

void aws_harness_open(struct aws_harness *harness, const char *const *variables)
{
    char *environment[VARIABLES_MAX + 3] = {NULL};
    size_t count = 0;
    for (; variables[count] != NULL && count < VARIABLES_MAX; count++) {
        environment[count] = memory_text(variables[count]);
    }
    environment[count++] = memory_format("PATH=%s", getenv("PATH"));
    environment[count++] = memory_text("HOME=/nonexistent");
    struct aws_settings settings;
    *harness = (struct aws_harness){0};
    assert_int_equal(uv_loop_init(&harness->loop), 0);
    assert_int_equal(aws_settings_load(environment, NULL, NULL, &settings, NULL), 0);
    harness->client = api_client_new(&harness->loop, &settings);
    for (size_t i = 0; i < count; i++) {
        free(environment[i]);
    }
}

void aws_harness_run(struct aws_harness *harness)
{
    while (!harness->is_done) {
        uv_run(&harness->loop, UV_RUN_ONCE);
    }
    harness->is_done = false;
}

void aws_harness_close(struct aws_harness *harness)
{
    api_client_close(harness->client);
    uv_run(&harness->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&harness->loop), 0);
}
