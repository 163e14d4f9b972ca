/* Runs or takes up one command and says in one line what came of it, for tests that must do this in
 * a process of its own (test_faults.c):
 *
 *   run_one start|adopt TASK CWD ARGV…
 *
 * "OUTCOME CODE LINES PARTS LOST-RECORDS MESSAGE", or "error CODE MESSAGE". */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#include "process/process.h"

struct one {
    struct process_host *host;
    size_t lines;
    size_t parts;
};

static void on_line(struct process *process, const struct process_line *line, void *context)
{
    struct one *one = context;
    (void)process;
    one->lines += !line->record.partial;
    one->parts += line->record.partial;
}

static void on_done(struct process *process, const struct process_result *result, void *context)
{
    struct one *one = context;
    printf("%s %d %zu %zu %" PRIu64 " %s\n", process_outcome_name(result->outcome),
           result->exit_code, one->lines, one->parts, result->lost_records,
           result->message != NULL ? result->message : "-");
    process_free(process);
    process_host_close(one->host, NULL, NULL);
}

static int fail(const struct error *err)
{
    printf("error %s %s\n", error_code_name(err->code), err->message);
    return 1;
}

int main(int argc, char **argv)
{
    static const struct process_callbacks callbacks = {on_line, NULL, on_done};
    static const char *const environment[] = {"PATH=/usr/bin:/bin", NULL};
    struct error err = ERROR_INIT;
    struct one one = {0};
    struct process *process;
    uv_loop_t loop;
    if (argc < 5 || uv_loop_init(&loop) != 0) {
        return 2;
    }
    struct process_spec spec = {
        .directory = argv[2],
        .cwd = argv[3],
        .argv = (const char *const *)argv + 4,
        .environment = environment,
    };
    alarm(30);
    if (process_host_open(&loop, NULL, &one.host, &err) != 0) {
        return fail(&err);
    }
    int result = strcmp(argv[1], "start") == 0
                     ? process_start(one.host, &spec, &callbacks, &one, &process, &err)
                     : process_adopt(one.host, &spec, 0, &callbacks, &one, &process, &err);
    if (result != 0) {
        process_host_close(one.host, NULL, NULL);
    }
    uv_run(&loop, UV_RUN_DEFAULT);
    uv_loop_close(&loop);
    return result != 0 ? fail(&err) : 0;
}
