/* drctl doctor: what is installed, and what is missing and how to get it. It says what is the case
 * here and asks nothing of the network; whether a plan could run now is what `check` answers. */
#include <ares.h>
#include <curl/curl.h>
#include <git2.h>
#include <libxml/xmlversion.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>
#include <uv.h>
#include <yaml.h>

#include "base/file.h"
#include "base/json.h"
#include "commands/run_reading.h"
#include "commands/tool_probe.h"
#include "net/credential_recipe.h"
#include "process/process.h"
#include "runtime/state_directory.h"

enum { NOT_READY_STATUS = 4 };
static const uint64_t LEAST_FREE_BYTES = UINT64_C(1) << 30;

static const struct tool tools[] = {
    {.name = "terraform",
     .arguments = {"version"},
     .least = "1.11.0",
     .needed = true,
     .used_for = "terraform.*; 1.11 locks its state in S3 alone",
     .get = "curl -fLO "
            "https://releases.hashicorp.com/terraform/1.11.4/terraform_1.11.4_linux_$(dpkg "
            "--print-architecture).zip\n"
            "sudo apt-get install -y unzip && sudo unzip -o terraform_1.11.4_linux_*.zip terraform "
            "-d /usr/local/bin"},
    {.name = "aws",
     .arguments = {"--version"},
     .least = "1.27.0",
     .needed = true,
     .used_for = "aws, aws.wait, eks.kubeconfig, s3.undelete",
     .get = "sudo apt-get install -y unzip && curl -fLo awscliv2.zip "
            "https://awscli.amazonaws.com/awscli-exe-linux-$(uname -m).zip\n"
            "unzip -q awscliv2.zip && sudo ./aws/install"},
    {.name = "kubectl",
     .arguments = {"version", "--client"},
     .least = "1.26.0",
     .needed = true,
     .used_for = "kubectl, kubectl.apply, kubectl.rollout",
     .get = "curl -fLO https://dl.k8s.io/release/v1.32.0/bin/linux/$(dpkg "
            "--print-architecture)/kubectl\n"
            "sudo install -m 0755 kubectl /usr/local/bin/kubectl"},
    {.name = "git",
     .arguments = {"--version"},
     .least = "2.30.0",
     .needed = true,
     .used_for = "modules that terraform takes from git (drctl itself uses libgit2)",
     .get = "sudo apt-get install -y git"},
    {.name = "mysql",
     .arguments = {"--version"},
     .least = "8.0.0",
     .needed = false,
     .used_for = "checks of restored data",
     .get = "sudo apt-get install -y default-mysql-client"},
};

struct findings {
    json_t *list; /* array of {name, status: ok | missing | old | trouble, detail, get} */
    bool ready;
};

static void add(struct findings *findings, const char *kind, const char *name, const char *status,
                bool needed, const char *detail, const char *get)
{
    bool ok = strcmp(status, "ok") == 0;
    findings->ready = findings->ready && (ok || !needed);
    json_array_append_new(findings->list,
                          json_pack("{s:s, s:s, s:s, s:b, s:s, s:s?}", "kind", kind, "name", name,
                                    "status", status, "needed", needed, "detail", detail, "get",
                                    ok ? NULL : get));
}

static void check_tools(struct findings *findings)
{
    struct tool_answer answers[ARRAY_SIZE(tools)];
    tools_probe(tools, ARRAY_SIZE(tools), answers);
    for (size_t i = 0; i < ARRAY_SIZE(tools); i++) {
        const struct tool *tool = &tools[i];
        const struct tool_answer *answer = &answers[i];
        bool old = answer->version != NULL && version_compare(answer->version, tool->least) < 0;
        CLEANUP(memory_cleanup) char *detail = NULL;
        if (answer->path == NULL) {
            detail = memory_format("not on PATH; for %s", tool->used_for);
        } else if (answer->version == NULL) {
            detail = memory_format("%s does not tell its version", answer->path);
        } else {
            detail = memory_format("%s at %s%s%s", answer->version, answer->path,
                                   old ? "; wanted is at least " : "", old ? tool->least : "");
        }
        add(findings, "tool", tool->name,
            answer->path == NULL      ? "missing"
            : answer->version == NULL ? "trouble"
            : old                     ? "old"
                                      : "ok",
            tool->needed, detail, tool->get);
        tool_answer_release(&answers[i]);
    }
}

static void check_shim(struct findings *findings)
{
    uv_loop_t loop;
    struct process_host *host = NULL;
    struct error err = ERROR_INIT;
    uv_loop_init(&loop);
    if (process_host_open(&loop, NULL, &host, &err) == 0) {
        add(findings, "tool", "drctl-shim", "ok", true, "found", NULL);
        process_host_close(host, NULL, NULL);
    } else {
        add(findings, "tool", "drctl-shim", "missing", true, err.message,
            "install it beside drctl or in ../libexec/drctl, or set DRCTL_SHIM to it");
    }
    uv_run(&loop, UV_RUN_DEFAULT);
    uv_loop_close(&loop);
    error_release(&err);
}

static int try_to_write(const char *state, struct error *err)
{
    CLEANUP(memory_cleanup) char *path = memory_format("%s/.doctor-%d", state, (int)getpid());
    if (file_write(path, span_of_text("drctl\n"), FILE_PRIVATE_MODE, FILE_DURABLE, err) != 0) {
        return -1;
    }
    (void)unlink(path);
    struct statvfs status;
    if (statvfs(state, &status) != 0 ||
        (uint64_t)status.f_bavail * status.f_frsize >= LEAST_FREE_BYTES) {
        return 0;
    }
    error_set(err, ERROR_NOT_READY, "%s has less than 1 GiB free: journal and output go there",
              state);
    return error_hint(err, "make space, or choose another with --state-dir");
}

static void check_state(struct findings *findings, const struct invocation *invocation)
{
    CLEANUP(memory_cleanup) char *state = NULL;
    struct error err = ERROR_INIT;
    if (state_directory(invocation_value(invocation, "state-dir"), &state, &err) == 0 &&
        try_to_write(state, &err) == 0) {
        add(findings, "state", "state directory", "ok", true, state, NULL);
    } else {
        add(findings, "state", "state directory", "trouble", true, err.message,
            err.hint != NULL ? err.hint : "choose another with --state-dir or DRCTL_STATE_DIR");
    }
    error_release(&err);
}

static void check_credentials(struct findings *findings)
{
    static const char *const sources[] = {
        [CREDENTIAL_KEYS] = "keys",
        [CREDENTIAL_WEB_IDENTITY] = "a web identity token",
        [CREDENTIAL_CLI] = "the login of the AWS CLI",
        [CREDENTIAL_PROCESS] = "credential_process",
        [CREDENTIAL_CONTAINER] = "the container's endpoint",
    };
    static const char get[] = "aws configure sso     (or: aws configure; or set AWS_PROFILE)";
    extern char **environ;
    struct aws_settings settings = {0};
    struct credential_recipe recipe = {0};
    struct error err = ERROR_INIT;
    if (aws_settings_load(environ, NULL, NULL, &settings, &err) != 0 ||
        credential_recipe_make(&settings, &recipe, &err) != 0) {
        add(findings, "credentials", "AWS credentials", "missing", true, err.message, get);
    } else if (recipe.source == CREDENTIAL_METADATA) {
        add(findings, "credentials", "AWS credentials", "missing", true,
            "none are configured; on an EC2 instance its own would be used", get);
    } else {
        CLEANUP(memory_cleanup)
        char *detail = memory_format("%s (profile %s%s); not tried", sources[recipe.source],
                                     settings.profile, recipe.roles.count > 0 ? ", a role" : "");
        add(findings, "credentials", "AWS credentials", "ok", true, detail, NULL);
    }
    credential_recipe_release(&recipe);
    aws_settings_release(&settings);
    error_release(&err);
}

static void check_libraries(struct findings *findings)
{
    int major;
    int minor;
    int patch;
    git_libgit2_version(&major, &minor, &patch);
    CLEANUP(memory_cleanup) char *git = memory_format("%d.%d.%d", major, minor, patch);
    const struct {
        const char *name;
        const char *version;
    } libraries[] = {
        {"libuv", uv_version_string()},
        {"libgit2", git},
        {"libcurl", curl_version()},
        {"jansson", jansson_version_str()},
        {"OpenSSL", OpenSSL_version(OPENSSL_VERSION)},
        {"libyaml", yaml_get_version_string()},
        {"libxml2", LIBXML_DOTTED_VERSION},
        {"c-ares", ares_version(NULL)},
    };
    for (size_t i = 0; i < ARRAY_SIZE(libraries); i++) {
        add(findings, "library", libraries[i].name, "ok", false, libraries[i].version, NULL);
    }
}

static void print_indented(const char *text)
{
    while (*text != '\0') {
        size_t size_bytes = strcspn(text, "\n");
        printf("            %.*s\n", (int)size_bytes, text);
        text += size_bytes + (text[size_bytes] == '\n');
    }
}

static void print_findings(const struct findings *findings)
{
    size_t index;
    json_t *finding;
    json_array_foreach (findings->list, index, finding) {
        const char *status = json_get_text(finding, "status");
        bool ok = strcmp(status, "ok") == 0;
        bool needed = json_is_true(json_object_get(finding, "needed"));
        printf("%-10s  %-16s %s%s\n",
               ok       ? "ok"
               : needed ? status
                        : "optional",
               json_get_text(finding, "name"), json_get_text(finding, "detail"),
               ok || needed ? "" : " (not every plan needs it)");
        if (!ok && json_get_text(finding, "get") != NULL) {
            print_indented(json_get_text(finding, "get"));
        }
    }
    printf("\n%s\n", findings->ready ? "Ready." : "Not ready: see above for what gets it.");
}

static int run(const struct invocation *invocation, struct error *err)
{
    (void)err;
    struct findings findings = {json_array(), true};
    check_tools(&findings);
    check_shim(&findings);
    check_state(&findings, invocation);
    check_credentials(&findings);
    check_libraries(&findings);
    if (wants_json(invocation)) {
        print_json(json_pack("{s:b, s:O}", "ready", findings.ready, "findings", findings.list));
    } else {
        print_findings(&findings);
    }
    json_decref(findings.list);
    return findings.ready ? 0 : NOT_READY_STATUS;
}

const struct command command_doctor = {
    .name = "doctor",
    .arguments = "",
    .summary = "what is installed, which versions, what is missing and how to get it",
    .least_arguments = 0,
    .most_arguments = 0,
    .run = run,
};
