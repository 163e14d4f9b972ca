/* A saved plan carries its own backend and its own variables, so one that is older than the last
 * edit does something that nobody was shown. Beside each PLAN stands PLAN.json:
 *   {"dir", "program", "digest", "used", "options", "summary"}
 * digest is SHA-256 over the names and contents of the configuration: the root module's files,
 * those of its local modules, and the backend that init has set up. */
#include "terraform/saved_plan.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/file.h"
#include "base/json.h"
#include "terraform/plan_summary.h"
#include "terraform/state_lock.h"

enum {
    CONFIGURATION_LIMIT_BYTES = 64 * 1024 * 1024, /* of one file */
    SIDECAR_LIMIT_BYTES = 64 * 1024 * 1024,
    PLAN_GRACE_MS = 60000, /* to give the lock back */
};

/* --- digest -------------------------------------------------------------------------------- */

static bool ends_with(const char *text, const char *suffix)
{
    size_t size_bytes = strlen(text);
    size_t suffix_bytes = strlen(suffix);
    return size_bytes >= suffix_bytes && strcmp(text + size_bytes - suffix_bytes, suffix) == 0;
}

static bool is_configuration(const char *name)
{
    return ends_with(name, ".tf") || ends_with(name, ".tf.json") || ends_with(name, ".tfvars") ||
           ends_with(name, ".tfvars.json");
}

static int select_configuration(const struct dirent *entry)
{
    return is_configuration(entry->d_name);
}

static int add_file(struct buffer *all, const char *path, struct error *err)
{
    char hex[DIGEST_HEX_SIZE];
    CLEANUP(buffer_release) struct buffer content = BUFFER_INIT;
    if (file_read(path, CONFIGURATION_LIMIT_BYTES, &content, err) != 0) {
        return -1;
    }
    digest_sha256_hex(buffer_span(&content), hex);
    buffer_append_format(all, "%s %s\n", hex, path);
    return 0;
}

static int add_folder(struct buffer *all, const char *folder, struct error *err)
{
    struct dirent **entries = NULL;
    int count = scandir(folder, &entries, select_configuration, alphasort);
    if (count < 0) {
        return error_set_errno(err, errno, "cannot list %s", folder);
    }
    int result = 0;
    for (int i = 0; i < count; i++) {
        CLEANUP(memory_cleanup) char *path = file_join(folder, entries[i]->d_name);
        result = result == 0 ? add_file(all, path, err) : result;
        free(entries[i]);
    }
    free(entries);
    return result;
}

/* The folders of local modules, as init wrote them down: {"Modules": [{"Dir": …}]}. */
static int add_modules(struct buffer *all, const struct terraform *terraform, struct error *err)
{
    CLEANUP(memory_cleanup) char *data = terraform_data_directory(terraform);
    CLEANUP(memory_cleanup) char *path = file_join(data, "modules/modules.json");
    if (!file_exists(path)) {
        return add_folder(all, terraform->dir, err);
    }
    CLEANUP(json_cleanup) json_t *list = json_read_file(path, SIDECAR_LIMIT_BYTES, err);
    int result = list != NULL ? 0 : -1;
    size_t index;
    json_t *module;
    json_array_foreach (json_object_get(list, "Modules"), index, module) {
        const char *dir = json_get_text(module, "Dir");
        if (dir == NULL) {
            continue;
        }
        CLEANUP(memory_cleanup)
        char *folder = dir[0] == '/' ? memory_text(dir) : file_join(terraform->dir, dir);
        result = result == 0 ? add_folder(all, folder, err) : result;
    }
    return result;
}

static int digest_configuration(const struct terraform *terraform, const json_t *options,
                                char hex[DIGEST_HEX_SIZE], struct error *err)
{
    CLEANUP(buffer_release) struct buffer all = BUFFER_INIT;
    CLEANUP(memory_cleanup) char *data = terraform_data_directory(terraform);
    CLEANUP(memory_cleanup) char *backend = file_join(data, "terraform.tfstate");
    if (add_modules(&all, terraform, err) != 0 ||
        (file_exists(backend) && add_file(&all, backend, err) != 0)) {
        return -1;
    }
    size_t index;
    json_t *file;
    json_array_foreach (json_object_get(options, "var_files"), index, file) {
        const char *name = json_string_value(file);
        CLEANUP(memory_cleanup)
        char *path = name[0] == '/' ? memory_text(name) : file_join(terraform->dir, name);
        if (add_file(&all, path, err) != 0) {
            return -1;
        }
    }
    digest_sha256_hex(buffer_span(&all), hex);
    return 0;
}

/* --- the sidecar --------------------------------------------------------------------------- */

static int write_sidecar(const struct saved_plan *plan, struct error *err)
{
    CLEANUP(json_cleanup)
    json_t *value = json_pack("{s:s, s:s, s:s, s:b, s:O, s:O}", "dir", plan->dir, "program",
                              plan->program, "digest", plan->digest, "used", plan->used, "options",
                              plan->options, "summary", plan->summary);
    CLEANUP(buffer_release) struct buffer text = BUFFER_INIT;
    CLEANUP(memory_cleanup) char *path = memory_format("%s.json", plan->path);
    json_append(&text, value);
    return file_write(path, buffer_span(&text), FILE_PRIVATE_MODE, FILE_DURABLE, err);
}

int saved_plan_open(const char *path, struct saved_plan *ret_plan, struct error *err)
{
    CLEANUP(memory_cleanup) char *sidecar = memory_format("%s.json", path);
    if (!file_exists(path) || !file_exists(sidecar)) {
        error_set(err, ERROR_NOT_FOUND, "there is no plan %s that terraform.plan has saved", path);
        return error_hint(err, "a rewrite of the configuration throws plans away: plan behind it");
    }
    CLEANUP(json_cleanup) json_t *value = json_read_file(sidecar, SIDECAR_LIMIT_BYTES, err);
    if (value == NULL) {
        return -1;
    }
    const char *dir = json_get_text(value, "dir");
    const char *program = json_get_text(value, "program");
    const char *digest = json_get_text(value, "digest");
    json_t *options = json_object_get(value, "options");
    json_t *summary = json_object_get(value, "summary");
    if (dir == NULL || program == NULL || digest == NULL || !json_is_object(options) ||
        !json_is_object(summary)) {
        return error_set(err, ERROR_INVALID, "%s is not what terraform.plan writes", sidecar);
    }
    *ret_plan = (struct saved_plan){.path = memory_text(path),
                                    .dir = memory_text(dir),
                                    .program = memory_text(program),
                                    .digest = memory_text(digest),
                                    .options = json_incref(options),
                                    .summary = json_incref(summary),
                                    .used = json_is_true(json_object_get(value, "used"))};
    return 0;
}

void saved_plan_release(struct saved_plan *plan)
{
    free(plan->path);
    free(plan->dir);
    free(plan->program);
    free(plan->digest);
    json_decref(plan->options);
    json_decref(plan->summary);
    *plan = (struct saved_plan){0};
}

int saved_plan_check(const struct terraform *terraform, const struct saved_plan *plan,
                     struct error *err)
{
    char now[DIGEST_HEX_SIZE];
    if (digest_configuration(terraform, plan->options, now, err) != 0) {
        return -1;
    }
    if (strcmp(now, plan->digest) != 0) {
        error_set(err, ERROR_REFUSED,
                  "the configuration, or its backend, has changed since the plan was made");
        return error_hint(err, "plan again behind the change");
    }
    return 0;
}

int saved_plan_use(struct saved_plan *plan, struct error *err)
{
    plan->used = true;
    return write_sidecar(plan, err);
}

int saved_plan_path(const struct terraform *terraform, const char *name, char **ret_path,
                    struct error *err)
{
    CLEANUP(memory_cleanup) char *folder = file_join(terraform->store, "plans");
    if (file_make_private_directory(folder, err) != 0) {
        return -1;
    }
    *ret_path = memory_format("%s/%s.tfplan", folder, name);
    for (char *at = *ret_path + strlen(folder) + 1; *at != '\0'; at++) {
        if (*at == '/') {
            *at = '-'; /* for_each keys may hold anything */
        }
    }
    return 0;
}

static int discard_in(const char *store, size_t *count, struct error *err)
{
    CLEANUP(memory_cleanup) char *folder = file_join(store, "plans");
    DIR *stream = opendir(folder);
    if (stream == NULL) {
        return errno == ENOENT || errno == ENOTDIR
                   ? 0
                   : error_set_errno(err, errno, "cannot list %s", folder);
    }
    for (struct dirent *entry; (entry = readdir(stream)) != NULL;) {
        *count += ends_with(entry->d_name, ".tfplan");
    }
    closedir(stream);
    return file_remove_tree(folder, err);
}

int saved_plan_discard_all(const struct attempt *attempt, size_t *ret_count, struct error *err)
{
    CLEANUP(memory_cleanup) char *folder = file_join(attempt_work_directory(attempt), "terraform");
    DIR *stream = opendir(folder);
    *ret_count = 0;
    if (stream == NULL) {
        return errno == ENOENT ? 0 : error_set_errno(err, errno, "cannot list %s", folder);
    }
    int result = 0;
    for (struct dirent *entry; result == 0 && (entry = readdir(stream)) != NULL;) {
        if (entry->d_name[0] != '.') {
            CLEANUP(memory_cleanup) char *store = file_join(folder, entry->d_name);
            result = discard_in(store, ret_count, err);
        }
    }
    closedir(stream);
    return result;
}

/* --- planning ------------------------------------------------------------------------------ */

static void add_each(struct argv *argv, const char *option, const json_t *list)
{
    size_t index;
    json_t *item;
    json_array_foreach (list, index, item) {
        argv_add_format(argv, "%s=%s", option, json_string_value(item));
    }
}

static void build_argv(const struct terraform *terraform, const char *path, const json_t *options,
                       struct argv *argv)
{
    terraform_begin(terraform, argv, "plan");
    argv_add(argv, "-json");
    argv_add(argv, "-input=false");
    argv_add(argv, "-detailed-exitcode");
    argv_add_format(argv, "-out=%s", path);
    terraform_add_lock(terraform, argv);
    if (json_is_true(json_object_get(options, "destroy"))) {
        argv_add(argv, "-destroy");
    }
    if (json_is_true(json_object_get(options, "refresh_only"))) {
        argv_add(argv, "-refresh-only");
    } else if (json_is_false(json_object_get(options, "refresh"))) {
        argv_add(argv, "-refresh=false");
    }
    json_int_t parallelism = json_get_integer(options, "parallelism", 0);
    if (parallelism > 0) {
        argv_add_format(argv, "-parallelism=%lld", (long long)parallelism);
    }
    add_each(argv, "-var-file", json_object_get(options, "var_files"));
    if (json_get_text(options, "vars_path") != NULL) {
        argv_add_format(argv, "-var-file=%s", json_get_text(options, "vars_path"));
    }
    add_each(argv, "-target", json_object_get(options, "targets"));
    add_each(argv, "-replace", json_object_get(options, "replace"));
}

/* Runs terraform plan; a lock that a person gives free is followed by one more go. */
static int run_plan(const struct terraform *terraform, const char *task, const char *path,
                    const json_t *options, struct error *err)
{
    struct argv argv = {0};
    build_argv(terraform, path, options, &argv);
    int status = -1;
    bool again = true;
    for (int go = 0; again && go < 2; go++) {
        struct terraform_stream stream = {.attempt = terraform->attempt};
        struct attempt_result result = {0};
        struct terraform_call call = {
            .task = task, .argv = &argv, .stream = &stream, .grace_ms = PLAN_GRACE_MS};
        again = false;
        status = terraform_run(terraform, &call, &result, err);
        if (status == 0 && result.exit_code != 0 && result.exit_code != 2) {
            status = stream.lock.id != NULL && go == 0
                         ? state_lock_ask(terraform, &stream.lock, &again, err)
                         : 0;
            if (status == 0 && !again) {
                status = terraform_stream_fail(&stream, &result, "terraform plan", err);
            }
        }
        attempt_result_release(&result);
        terraform_stream_release(&stream);
    }
    argv_release(&argv);
    return status;
}

static int read_summary(const struct terraform *terraform, const char *path, json_t **ret_summary,
                        struct error *err)
{
    struct argv argv = {0};
    terraform_begin(terraform, &argv, "show");
    argv_add(&argv, "-json");
    argv_add(&argv, path);
    CLEANUP(json_cleanup) json_t *plan = NULL;
    int status = terraform_read_json(terraform, "show", &argv, &plan, err);
    argv_release(&argv);
    if (status == 0) {
        *ret_summary = plan_summary_new(plan);
    }
    return status;
}

static void show_summary(const struct terraform *terraform, const json_t *summary)
{
    CLEANUP(buffer_release) struct buffer text = BUFFER_INIT;
    plan_summary_append(&text, summary);
    attempt_say_block(terraform->attempt, buffer_span(&text));
    attempt_fact(terraform->attempt, "terraform.plan",
                 json_pack("{s:i, s:i, s:i, s:i}", "create",
                           (int)json_array_size(json_object_get(summary, "create")), "update",
                           (int)json_array_size(json_object_get(summary, "update")), "replace",
                           (int)json_array_size(json_object_get(summary, "replace")), "delete",
                           (int)json_array_size(json_object_get(summary, "delete"))));
}

int saved_plan_make(const struct terraform *terraform, const char *task, const char *path,
                    const json_t *options, struct saved_plan *ret_plan, struct error *err)
{
    char digest[DIGEST_HEX_SIZE];
    char digest_after[DIGEST_HEX_SIZE];
    json_t *summary = NULL;
    if (digest_configuration(terraform, options, digest, err) != 0 ||
        run_plan(terraform, task, path, options, err) != 0 ||
        read_summary(terraform, path, &summary, err) != 0) {
        return -1;
    }
    struct saved_plan plan = {.path = memory_text(path),
                              .dir = memory_text(terraform->dir),
                              .program = memory_text(terraform->program),
                              .digest = memory_text(digest),
                              .options = json_incref((json_t *)options),
                              .summary = summary};
    show_summary(terraform, summary);
    int status = digest_configuration(terraform, options, digest_after, err);
    if (status == 0 && strcmp(digest, digest_after) != 0) {
        status = error_set(err, ERROR_REFUSED, "the configuration changed while it was planned");
    }
    if (status != 0 || plan_summary_guard(summary, options, err) != 0 ||
        write_sidecar(&plan, err) != 0) {
        IGNORE(unlink(path));
        saved_plan_release(&plan);
        return -1;
    }
    *ret_plan = plan;
    return 0;
}
