/* Measures the process layer without the rest of drctl, for compare.sh:
 *
 *   bench_process spawn COUNT JOBS FOLDER      COUNT × /bin/true, JOBS side by side
 *   bench_process copy SECRETS FOLDER ARGV…    one command's output, logged and followed
 *
 * Prints the seconds that it took, and for copy the lines that came. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "base/clock.h"
#include "base/memory.h"
#include "process/process.h"

struct bench {
    struct process_host *host;
    const char *folder;
    const char *const *argv;
    struct span *secrets;
    size_t secret_count;
    size_t started;
    size_t done;
    size_t count;
    uint64_t lines;
};

static const char *const environment[] = {"PATH=/usr/local/bin:/usr/bin:/bin", NULL};

static void start_next(struct bench *bench);

static void on_line(struct process *process, const struct process_line *line, void *context)
{
    struct bench *bench = context;
    (void)process;
    bench->lines += !line->record.partial;
}

static void on_done(struct process *process, const struct process_result *result, void *context)
{
    struct bench *bench = context;
    if (result->outcome != PROCESS_EXITED || result->exit_code != 0) {
        fprintf(stderr, "a command failed: %s\n", process_outcome_name(result->outcome));
        exit(1);
    }
    process_free(process);
    if (++bench->done == bench->count) {
        process_host_close(bench->host, NULL, NULL);
    } else {
        start_next(bench);
    }
}

static void start_next(struct bench *bench)
{
    static const struct process_callbacks callbacks = {on_line, NULL, on_done};
    struct error err = ERROR_INIT;
    if (bench->started == bench->count) {
        return;
    }
    CLEANUP(memory_cleanup)
    char *directory = memory_format("%s/task-%zu", bench->folder, bench->started++);
    struct process_spec spec = {
        .directory = directory,
        .argv = bench->argv,
        .environment = environment,
        .cwd = "/",
        .secrets = bench->secrets,
        .secret_count = bench->secret_count,
        .log_head_bytes = UINT64_C(1) << 40,
    };
    struct process *process;
    if (process_start(bench->host, &spec, &callbacks, bench, &process, &err) != 0) {
        fprintf(stderr, "%s\n", err.message);
        exit(1);
    }
}

static void run(struct bench *bench, size_t jobs)
{
    uv_loop_t loop;
    struct error err = ERROR_INIT;
    int64_t start_ns = clock_monotonic_ns();
    uv_loop_init(&loop);
    if (process_host_open(&loop, NULL, &bench->host, &err) != 0) {
        fprintf(stderr, "%s\n", err.message);
        exit(1);
    }
    for (size_t i = 0; i < jobs; i++) {
        start_next(bench);
    }
    uv_run(&loop, UV_RUN_DEFAULT);
    uv_loop_close(&loop);
    printf("%.3f %" PRIu64 "\n", (double)(clock_monotonic_ns() - start_ns) / CLOCK_NS_PER_S,
           bench->lines);
}

static struct span *make_secrets(size_t count)
{
    struct span *secrets = memory_new(count, sizeof *secrets);
    for (size_t i = 0; i < count; i++) {
        char *secret = memory_format("wJalrXUtnFEMI/K7MDENG/bPxRfiCY%010zu", i * 7919);
        secrets[i] = span_of_text(secret);
    }
    return secrets;
}

int main(int argc, char **argv)
{
    static const char *const true_argv[] = {"/bin/true", NULL};
    struct bench bench = {.count = 1};
    if (argc == 5 && strcmp(argv[1], "spawn") == 0) {
        bench.count = strtoul(argv[2], NULL, 10);
        bench.folder = argv[4];
        bench.argv = true_argv;
        run(&bench, strtoul(argv[3], NULL, 10));
        return 0;
    }
    if (argc >= 5 && strcmp(argv[1], "copy") == 0) {
        bench.secret_count = strtoul(argv[2], NULL, 10);
        bench.secrets = make_secrets(bench.secret_count);
        bench.folder = argv[3];
        bench.argv = (const char *const *)argv + 4;
        run(&bench, 1);
        return 0;
    }
    fprintf(stderr, "usage: bench_process spawn COUNT JOBS FOLDER | copy SECRETS FOLDER ARGV…\n");
    return 2;
}
