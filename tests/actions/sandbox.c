#include "sandbox.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "actions/argv.h"
#include "base/file.h"
#include "scratch.h"

#define SANDBOX_PROGRAM DRCTL_SOURCE_DIR "/examples/sandbox/sandbox"

static char *folder;
static char *directory; /* the sandbox's own, in it */

const char *sandbox_folder(void)
{
    return directory;
}

/* cmocka calls no teardown after a setup that failed, and a sandbox outlives its test. */
static void stop_what_is_left(void)
{
    if (directory != NULL) {
        (void)sandbox_down(NULL);
    }
}

int sandbox_up(void **state)
{
    (void)state;
    (void)atexit(stop_what_is_left);
    folder = scratch_new();
    directory = file_join(folder, "sandbox");
    free(scratch_run(folder, (const char *const[]){SANDBOX_PROGRAM, "up", "--dir", directory,
                                                   "--seed", "none", NULL}));
    return 0;
}

int sandbox_down(void **state)
{
    (void)state;
    free(sandbox_call("down", NULL));
    scratch_free(folder);
    free(directory);
    directory = NULL;
    return 0;
}

char *sandbox_call(const char *verb, ...)
{
    struct argv argv = {0};
    argv_add(&argv, SANDBOX_PROGRAM);
    argv_add(&argv, verb);
    argv_add_option(&argv, "--dir", directory);
    va_list words;
    va_start(words, verb);
    for (const char *word; (word = va_arg(words, const char *)) != NULL;) {
        argv_add(&argv, word);
    }
    va_end(words);
    char *out = scratch_run(folder, argv_words(&argv));
    argv_release(&argv);
    return out;
}

struct harness *sandbox_harness(void)
{
    struct harness *harness = harness_new();
    CLEANUP(memory_cleanup) char *path = file_join(directory, "env");
    harness_setenv_file(harness, path);
    harness_setenv(harness, "AWS_REGION", "us-west-2");
    harness_setenv(harness, "AWS_PROFILE", NULL);
    return harness;
}

json_t *sandbox_aws(const char *words)
{
    CLEANUP(memory_cleanup)
    char *line = memory_format("set -a; . '%s/env'; exec aws --region us-west-2 --output json %s",
                               directory, words);
    CLEANUP(memory_cleanup)
    char *out = scratch_run(folder, (const char *const[]){"sh", "-c", line, NULL});
    json_t *value = out[0] != '\0' ? json_loads(out, JSON_DECODE_ANY, NULL) : json_null();
    assert_non_null(value);
    return value;
}
