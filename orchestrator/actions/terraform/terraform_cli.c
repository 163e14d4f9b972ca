/* One place that knows how terraform is called. Each root module gets a folder below the run's
 * working folder, named after it and after the digest of its path, so that the steps of a run share
 * an init and no two runs share anything: TF_DATA_DIR, saved plans, copies of states. */
#include "terraform/terraform_cli.h"

#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/file.h"
#include "base/json.h"

enum {
    STORE_DIGEST_DIGITS = 8,
    READ_LIMIT_BYTES = 512 * 1024 * 1024, /* the plan of a very large stack, as JSON */
};

/* Arguments from the environment would make another plan than the one that is shown. */
static const char *const cleared[] = {
    "TF_CLI_ARGS=",       "TF_CLI_ARGS_init=",   "TF_CLI_ARGS_plan=",
    "TF_CLI_ARGS_apply=", "TF_CLI_ARGS_show=",   "TF_CLI_ARGS_output=",
    "TF_CLI_ARGS_state=", "TF_CLI_ARGS_import=", "TF_CLI_ARGS_destroy=",
};

static char *store_directory(const struct attempt *attempt, const char *dir)
{
    char digest[DIGEST_HEX_SIZE];
    const char *slash = strrchr(dir, '/');
    digest_sha256_hex(span_of_text(dir), digest);
    return memory_format("%s/terraform/%s-%.*s", attempt_work_directory(attempt),
                         slash != NULL ? slash + 1 : dir, STORE_DIGEST_DIGITS, digest);
}

/* Without the slashes at its end, which would make another module of the same folder. */
static char *module_directory(const struct attempt *attempt, const char *dir)
{
    char *path = attempt_plan_path(attempt, dir);
    size_t size_bytes = strlen(path);
    while (size_bytes > 1 && path[size_bytes - 1] == '/') {
        path[--size_bytes] = '\0';
    }
    return path;
}

int terraform_open(struct attempt *attempt, const char *dir, struct terraform *ret_terraform,
                   struct error *err)
{
    const char *program = attempt_text(attempt, "program");
    struct terraform terraform = {
        .attempt = attempt,
        .dir = module_directory(attempt, dir != NULL ? dir : attempt_text(attempt, "dir")),
        .program = program != NULL ? program : "terraform",
        .lock_timeout_ms = attempt_duration_ms(attempt, "lock_timeout", 120000)};
    terraform.store = store_directory(attempt, terraform.dir);
    CLEANUP(memory_cleanup) char *data = terraform_data_directory(&terraform);
    argv_add_format(&terraform.set, "TF_DATA_DIR=%s", data);
    argv_add(&terraform.set, "TF_IN_AUTOMATION=1");
    argv_add(&terraform.set, "TF_INPUT=0");
    argv_add(&terraform.set, "CHECKPOINT_DISABLE=1");
    for (size_t i = 0; i < ARRAY_SIZE(cleared); i++) {
        argv_add(&terraform.set, cleared[i]);
    }
    int result = 0;
    if (!file_exists(terraform.dir)) {
        result = error_set(err, ERROR_NOT_FOUND, "there is no folder %s", terraform.dir);
    } else {
        result = file_make_private_directory(data, err);
    }
    if (result != 0) {
        terraform_release(&terraform);
        return -1;
    }
    *ret_terraform = terraform;
    return 0;
}

void terraform_release(struct terraform *terraform)
{
    free(terraform->dir);
    free(terraform->store);
    argv_release(&terraform->set);
    *terraform = (struct terraform){0};
}

char *terraform_data_directory(const struct terraform *terraform)
{
    return file_join(terraform->store, "data");
}

void terraform_begin(const struct terraform *terraform, struct argv *argv, const char *verb)
{
    argv_add(argv, terraform->program);
    argv_add(argv, verb);
}

void terraform_add_lock(const struct terraform *terraform, struct argv *argv)
{
    if (attempt_is_dry_run(terraform->attempt)) {
        argv_add(argv, "-lock=false");
    } else {
        argv_add_format(argv, "-lock-timeout=%llds",
                        (long long)(terraform->lock_timeout_ms + 999) / 1000);
    }
}

int terraform_run(const struct terraform *terraform, const struct terraform_call *call,
                  struct attempt_result *ret_result, struct error *err)
{
    struct argv set = terraform->set; /* argv_words() only adds the NULL that is there already */
    struct attempt_command command = {.task = call->task,
                                      .argv = argv_words(call->argv),
                                      .set = argv_words(&set),
                                      .cwd = terraform->dir,
                                      .mutates = call->mutates,
                                      .grace_ms = call->grace_ms,
                                      .probe = call->probe};
    if (call->stream != NULL) {
        command.on_line = terraform_stream_line;
        command.context = call->stream;
    }
    return attempt_run(terraform->attempt, &command, ret_result, err);
}

int terraform_read(const struct terraform *terraform, const char *task, struct argv *argv,
                   struct buffer *ret_out, struct error *err)
{
    struct argv set = terraform->set;
    struct attempt_command command = {.task = task,
                                      .argv = argv_words(argv),
                                      .set = argv_words(&set),
                                      .cwd = terraform->dir,
                                      .transient = true,
                                      .quiet = true,
                                      .stdout_limit_bytes = READ_LIMIT_BYTES};
    struct attempt_result result = {0};
    int status = attempt_run_ok(terraform->attempt, &command, &result, err);
    if (status == 0) {
        *ret_out = result.out;
        result.out = (struct buffer)BUFFER_INIT;
    }
    attempt_result_release(&result);
    return status;
}

int terraform_read_json(const struct terraform *terraform, const char *task, struct argv *argv,
                        json_t **ret_value, struct error *err)
{
    struct buffer out = BUFFER_INIT;
    if (terraform_read(terraform, task, argv, &out, err) != 0) {
        return -1;
    }
    json_t *value = json_parse(buffer_span(&out), task, err);
    buffer_release(&out);
    if (value == NULL) {
        return error_context(err, "what %s printed", terraform->program);
    }
    *ret_value = value;
    return 0;
}
