/* terraform.init: a root module made ready, in a data folder of the run's own. `-reconfigure`
 * always, never `-migrate-state`: that would read the old backend, which is in the region that has
 * failed. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "actions/action.h"
#include "base/file.h"
#include "base/json.h"
#include "terraform/terraform_cli.h"

enum {
    CACHE_POLL_MS = 200,
    INIT_GRACE_MS = 60000, /* an init may not hear an interrupt, and killing one breaks nothing */
    BACKEND_LIMIT_BYTES = 1024 * 1024,
    LOCK_LOOK_MS = 20 * 1000, /* it only saves time, so it may not cost much */
};

static const struct parameter parameters[] = {
    TERRAFORM_PARAMETERS,
    {.name = "backend_config",
     .type = VALUE_MAP,
     .exposed = true,
     .default_json = "{}",
     .doc = "Settings of the backend over those of the configuration; no secrets"},
    {.name = "backend_files",
     .type = VALUE_STRINGS,
     .exposed = true,
     .default_json = "[]",
     .doc = "Files with settings of the backend, relative to `dir`"},
    {.name = "plugin_dir",
     .type = VALUE_PATH,
     .exposed = true,
     .doc = "Take providers from this folder alone, without any registry"},
    {.name = "upgrade",
     .type = VALUE_BOOLEAN,
     .default_json = "false",
     .doc = "Take newer modules and providers within the constraints"},
    {.name = "lockfile_readonly",
     .type = VALUE_BOOLEAN,
     .default_json = "false",
     .doc = "Fail where the dependency lock file would have to change"},
    {0}};

static const struct output outputs[] = {
    {.name = "version", .type = VALUE_STRING, .doc = "Of terraform"},
    {.name = "backend", .type = VALUE_STRING, .doc = "The backend's type, or local"},
    {.name = "state", .type = VALUE_MAP, .doc = "Where the state is: the backend's settings"},
    {.name = "locked_since",
     .type = VALUE_TIMESTAMP,
     .doc = "Since when the state in S3 is locked; null when it is not, or it cannot be told"},
    {.name = "data_dir", .type = VALUE_PATH, .doc = "TF_DATA_DIR of the run for this module"},
    {0}};

static void build_argv(const struct terraform *terraform, struct argv *argv)
{
    const struct attempt *attempt = terraform->attempt;
    const char *key;
    json_t *value;
    size_t index;
    terraform_begin(terraform, argv, "init");
    argv_add(argv, "-input=false");
    argv_add(argv, "-no-color");
    argv_add(argv, "-reconfigure");
    if (attempt_flag(attempt, "upgrade")) {
        argv_add(argv, "-upgrade");
    }
    if (attempt_flag(attempt, "lockfile_readonly")) {
        argv_add(argv, "-lockfile=readonly");
    }
    json_array_foreach (attempt_argument(attempt, "backend_files"), index, value) {
        argv_add_format(argv, "-backend-config=%s", json_string_value(value));
    }
    json_object_foreach ((json_t *)attempt_argument(attempt, "backend_config"), key, value) {
        CLEANUP(memory_cleanup) char *text = json_canonical(value);
        argv_add_format(argv, "-backend-config=%s=%s", key,
                        json_is_string(value) ? json_string_value(value) : text);
    }
    const char *plugin_dir = attempt_text(attempt, "plugin_dir");
    if (plugin_dir != NULL) {
        CLEANUP(memory_cleanup) char *path = attempt_plan_path(attempt, plugin_dir);
        argv_add_format(argv, "-plugin-dir=%s", path);
    }
}

/* A shared plugin cache breaks when two inits fill it at once, so they take turns. -1 in
 * *ret_descriptor when there is no cache. */
static int lock_plugin_cache(struct attempt *attempt, int *ret_descriptor, struct error *err)
{
    const char *cache = attempt_getenv(attempt, "TF_PLUGIN_CACHE_DIR");
    if (cache == NULL || cache[0] == '\0') {
        return 0;
    }
    CLEANUP(memory_cleanup) char *path = file_join(cache, ".drctl-init.lock");
    int descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, FILE_PRIVATE_MODE);
    if (descriptor < 0) {
        return 0; /* read-only: then nobody fills it */
    }
    bool told = false;
    while (flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
        if (!told) {
            attempt_say(attempt, "another init fills the plugin cache; waiting for it");
            told = true;
        }
        if (attempt_sleep(attempt, CACHE_POLL_MS, err) != 0) {
            close(descriptor);
            return -1;
        }
    }
    *ret_descriptor = descriptor;
    return 0;
}

static enum error_code failure_code(const char *tail)
{
    static const char *const network[] = {
        "no such host",         "connection refused",        "i/o timeout",
        "could not connect to", "Failed to query available", "request send failed",
        "TLS handshake timeout"};
    for (size_t i = 0; i < ARRAY_SIZE(network); i++) {
        if (strstr(tail, network[i]) != NULL) {
            return ERROR_NETWORK;
        }
    }
    return ERROR_FAILED;
}

/* The line behind "Error:" in what a failed init printed, or its exit status. */
static int init_failed(const struct attempt_result *result, struct error *err)
{
    const char *tail = buffer_text(&result->tail);
    const char *found = strstr(tail, "Error: ");
    if (found == NULL) {
        return error_set(err, failure_code(tail), "terraform init ended with exit status %d",
                         result->exit_code);
    }
    found += strlen("Error: ");
    error_set(err, failure_code(tail), "terraform init: %.*s", (int)strcspn(found, "\n"), found);
    if (strstr(tail, "provider") != NULL && strstr(tail, "registry") != NULL) {
        error_hint(err, "name a local mirror with `plugin_dir`, or in a CLI configuration file");
    }
    return -1;
}

static int run_init(const struct terraform *terraform, struct error *err)
{
    CLEANUP(file_close_cleanup) int cache = -1;
    if (lock_plugin_cache(terraform->attempt, &cache, err) != 0) {
        return -1;
    }
    struct argv argv = {0};
    struct attempt_result result = {0};
    build_argv(terraform, &argv);
    struct terraform_call call = {.task = "init", .argv = &argv, .grace_ms = INIT_GRACE_MS};
    int status = terraform_run(terraform, &call, &result, err);
    if (status == 0 && result.exit_code != 0) {
        status = init_failed(&result, err);
    }
    attempt_result_release(&result);
    argv_release(&argv);
    return status;
}

static bool is_secret_setting(const char *name)
{
    static const char *const parts[] = {"secret", "token", "password", "access_key", "credential"};
    for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
        if (strstr(name, parts[i]) != NULL) {
            return true;
        }
    }
    return false;
}

/* A lock file that lies in the bucket, looked for before anything waits for it. A replica bucket
 * keeps one for ever when its deletion was not replicated. Without the CLI nothing is looked for.
 */
static void look_for_lock(struct attempt *attempt, const char *type, const json_t *settings)
{
    const char *bucket = json_get_text(settings, "bucket");
    const char *key = json_get_text(settings, "key");
    const char *region = json_get_text(settings, "region");
    if (strcmp(type, "s3") != 0 || bucket == NULL || key == NULL || region == NULL ||
        !json_is_true(json_object_get(settings, "use_lockfile")) ||
        json_object_get(settings, "assume_role") != NULL ||
        json_object_get(settings, "endpoints") != NULL) {
        return;
    }
    struct argv argv = {0};
    struct attempt_result result = {0};
    argv_add(&argv, "aws");
    argv_add(&argv, "s3api");
    argv_add(&argv, "list-objects-v2");
    argv_add_option(&argv, "--bucket", bucket);
    argv_add_format(&argv, "--prefix=%s.tflock", key);
    argv_add_option(&argv, "--region", region);
    argv_add_option(&argv, "--profile", json_get_text(settings, "profile"));
    argv_add_option(&argv, "--query", "Contents[0].LastModified");
    argv_add_option(&argv, "--output", "json");
    struct attempt_command command = {.task = "look-for-lock",
                                      .argv = argv_words(&argv),
                                      .transient = true,
                                      .quiet = true,
                                      .timeout_ms = LOCK_LOOK_MS};
    if (attempt_run(attempt, &command, &result, NULL) == 0 && result.exit_code == 0) {
        CLEANUP(json_cleanup) json_t *since = json_parse(buffer_span(&result.out), "aws", NULL);
        if (json_is_string(since)) {
            attempt_say(attempt,
                        "the state is locked since %s (s3://%s/%s.tflock); if nobody works on it, "
                        "the lock was left behind or replicated",
                        json_string_value(since), bucket, key);
            attempt_set_output_text(attempt, "locked_since", json_string_value(since));
        }
    }
    attempt_result_release(&result);
    argv_release(&argv);
}

/* The backend as init wrote it down, without what is null or may be secret. */
static int set_backend(const struct terraform *terraform, struct error *err)
{
    struct attempt *attempt = terraform->attempt;
    CLEANUP(memory_cleanup) char *data = terraform_data_directory(terraform);
    CLEANUP(memory_cleanup) char *path = file_join(data, "terraform.tfstate");
    json_t *state = json_object();
    const char *type = "local";
    CLEANUP(json_cleanup) json_t *file = NULL;
    if (file_exists(path)) {
        file = json_read_file(path, BACKEND_LIMIT_BYTES, err);
        if (file == NULL) {
            json_decref(state);
            return -1;
        }
        const json_t *backend = json_object_get(file, "backend");
        const char *name;
        json_t *value;
        type = json_get_text(backend, "type") != NULL ? json_get_text(backend, "type") : type;
        json_object_foreach (json_object_get(backend, "config"), name, value) {
            if (!json_is_null(value) && !is_secret_setting(name)) {
                json_object_set(state, name, value);
            }
        }
    }
    attempt_set_output_text(attempt, "backend", type);
    attempt_set_output(attempt, "locked_since", json_null());
    look_for_lock(attempt, type, state);
    attempt_fact(attempt, "terraform.backend",
                 json_pack("{s:s, s:O}", "type", type, "settings", state));
    attempt_set_output(attempt, "state", state);
    attempt_set_output_text(attempt, "data_dir", data);
    return 0;
}

static int set_version(const struct terraform *terraform, struct error *err)
{
    struct argv argv = {0};
    CLEANUP(json_cleanup) json_t *version = NULL;
    terraform_begin(terraform, &argv, "version");
    argv_add(&argv, "-json");
    int status = terraform_read_json(terraform, "version", &argv, &version, err);
    argv_release(&argv);
    if (status == 0) {
        attempt_set_output_text(terraform->attempt, "version",
                                json_get_text(version, "terraform_version"));
    }
    return status;
}

static int run(struct attempt *attempt, struct error *err)
{
    struct terraform terraform;
    if (terraform_open(attempt, NULL, &terraform, err) != 0) {
        return -1;
    }
    int status = run_init(&terraform, err);
    if (status == 0) {
        status = set_version(&terraform, err);
    }
    if (status == 0) {
        status = set_backend(&terraform, err);
    }
    terraform_release(&terraform);
    return status;
}

const struct action action_terraform_init = {
    .description =
        {
            .name = "terraform.init",
            .summary = "Make a Terraform root module ready",
            .doc = "The backend is set up afresh (-reconfigure) in a data folder that only this "
                   "run uses; no state is moved and an old backend is not asked.",
            .parameters = parameters,
            .outputs = outputs,
            .memory_bytes = 200 << 20,
        },
    .run = run,
    .interrupted =
        "An init that still runs is followed; otherwise it is done again, which is safe.",
    .shows_dry_run = true,
};
