/* What a person would type instead of an action: the plain tools with the same arguments. Where one
 * action has no single command, the one that comes nearest stands here, and the arguments beside it
 * say the rest. */
#include <string.h>

#include "base/json.h"
#include "view/runbook.h"

static void word(struct buffer *out, const char *text)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "-_./:=@%+,";
    if (out->size_bytes > 0 && strchr("\n ", out->data[out->size_bytes - 1]) == NULL) {
        buffer_append_char(out, ' ');
    }
    if (*text != '\0' && text[strspn(text, plain)] == '\0') {
        buffer_append_text(out, text);
        return;
    }
    buffer_append_char(out, '\'');
    for (; *text != '\0'; text++) {
        if (*text == '\'') {
            buffer_append_text(out, "'\\''");
        } else {
            buffer_append_char(out, *text);
        }
    }
    buffer_append_char(out, '\'');
}

static void words(struct buffer *out, const char *const *list)
{
    for (; *list != NULL; list++) {
        word(out, *list);
    }
}

#define WORDS(out, ...) words(out, (const char *const[]){__VA_ARGS__, NULL})

static void value(struct buffer *out, const char *before, const json_t *item)
{
    if (item == NULL || json_is_null(item)) {
        return;
    }
    CLEANUP(memory_cleanup)
    char *text = json_is_string(item) ? memory_text(json_string_value(item)) : json_canonical(item);
    CLEANUP(memory_cleanup) char *whole = memory_format("%s%s", before, text);
    word(out, whole);
}

/* "FLAG VALUE", or nothing without the argument. */
static void option(struct buffer *out, const char *flag, const json_t *item)
{
    if (item != NULL && !json_is_null(item)) {
        word(out, flag);
        value(out, "", item);
    }
}

/* Each item of a list, or the one item. */
static void each(struct buffer *out, const char *before, const json_t *items)
{
    size_t index;
    json_t *item;
    if (!json_is_array(items)) {
        value(out, before, items);
        return;
    }
    json_array_foreach (items, index, item) {
        value(out, before, item);
    }
}

static void pairs(struct buffer *out, const char *before, const json_t *map)
{
    const char *key;
    json_t *item;
    json_object_foreach ((json_t *)map, key, item) {
        CLEANUP(memory_cleanup) char *start = memory_format("%s%s=", before, key);
        value(out, start, item);
    }
}

#define ARGUMENT(name) json_object_get(arguments, name)

static void git_checkout(struct buffer *out, const json_t *arguments)
{
    WORDS(out, "git", "clone");
    option(out, "--branch", ARGUMENT("ref"));
    value(out, "", ARGUMENT("url"));
}

static void git_commit(struct buffer *out, const json_t *arguments)
{
    WORDS(out, "git");
    option(out, "-C", ARGUMENT("path"));
    WORDS(out, "commit", "--all");
    option(out, "--message", ARGUMENT("message"));
    if (json_is_true(ARGUMENT("push"))) {
        buffer_append_char(out, '\n');
        WORDS(out, "git");
        option(out, "-C", ARGUMENT("path"));
        WORDS(out, "push", "origin", "HEAD");
    }
}

static void hcl_rewrite(struct buffer *out, const json_t *arguments)
{
    size_t index;
    json_t *item;
    json_array_foreach (ARGUMENT("forbid"), index, item) {
        buffer_append_text(out, index > 0 ? "\n" : "");
        WORDS(out, "grep", "-rnF");
        value(out, "", item);
        value(out, "", ARGUMENT("root"));
    }
}

static void terraform(struct buffer *out, const json_t *arguments)
{
    word(out, "terraform");
    value(out, "-chdir=", ARGUMENT("dir"));
}

static void terraform_init(struct buffer *out, const json_t *arguments)
{
    terraform(out, arguments);
    WORDS(out, "init", "-input=false", "-reconfigure");
    each(out, "-backend-config=", ARGUMENT("backend_files"));
    pairs(out, "-backend-config=", ARGUMENT("backend_config"));
}

static void terraform_plan(struct buffer *out, const json_t *arguments)
{
    terraform(out, arguments);
    WORDS(out, "plan", "-input=false", "-out=recovery.tfplan");
    if (json_is_true(ARGUMENT("destroy"))) {
        word(out, "-destroy");
    }
    each(out, "-var-file=", ARGUMENT("var_files"));
    pairs(out, "-var=", ARGUMENT("vars"));
    each(out, "-target=", ARGUMENT("targets"));
    each(out, "-replace=", ARGUMENT("replace"));
}

static void terraform_apply(struct buffer *out, const json_t *arguments)
{
    WORDS(out, "terraform", "apply", "-input=false");
    value(out, "", ARGUMENT("plan"));
}

static void terraform_output(struct buffer *out, const json_t *arguments)
{
    terraform(out, arguments);
    WORDS(out, "output", "-json");
}

static void aws(struct buffer *out, const json_t *arguments)
{
    word(out, "aws");
    value(out, "", ARGUMENT("service"));
    value(out, "", ARGUMENT("operation"));
    const char *key;
    json_t *item;
    json_object_foreach (ARGUMENT("options"), key, item) {
        CLEANUP(memory_cleanup) char *flag = memory_format("--%s", key);
        for (char *at = flag; *at != '\0'; at++) {
            *at = *at == '_' ? '-' : *at;
        }
        word(out, flag);
        if (!json_is_true(item)) {
            each(out, "", item);
        }
    }
    each(out, "", ARGUMENT("args"));
    option(out, "--cli-input-json", ARGUMENT("input"));
    option(out, "--region", ARGUMENT("region"));
    option(out, "--query", ARGUMENT("query"));
}

static void aws_wait(struct buffer *out, const json_t *arguments)
{
    aws(out, arguments);
    CLEANUP(memory_cleanup) char *until = json_canonical(ARGUMENT("until"));
    CLEANUP(memory_cleanup) char *fail = json_canonical(ARGUMENT("fail"));
    buffer_append_format(out, "\n# again and again, until it says one of %s", until);
    if (ARGUMENT("fail") != NULL) {
        buffer_append_format(out, "; it has failed with one of %s", fail);
    }
}

static void eks_kubeconfig(struct buffer *out, const json_t *arguments)
{
    WORDS(out, "aws", "eks", "update-kubeconfig");
    option(out, "--name", ARGUMENT("cluster"));
    option(out, "--region", ARGUMENT("region"));
    option(out, "--role-arn", ARGUMENT("role_arn"));
}

static void kubectl(struct buffer *out, const json_t *arguments)
{
    word(out, "kubectl");
    option(out, "--kubeconfig", ARGUMENT("kubeconfig"));
    option(out, "--context", ARGUMENT("context"));
    option(out, "--namespace", ARGUMENT("namespace"));
}

static void kubectl_any(struct buffer *out, const json_t *arguments)
{
    kubectl(out, arguments);
    each(out, "", ARGUMENT("args"));
}

static void kubectl_apply(struct buffer *out, const json_t *arguments)
{
    kubectl(out, arguments);
    word(out, "apply");
    const json_t *files = ARGUMENT("files");
    size_t index;
    json_t *file;
    if (!json_is_array(files)) {
        option(out, "--filename", files);
    }
    json_array_foreach (files, index, file) {
        option(out, "--filename", file);
    }
}

static void kubectl_rollout(struct buffer *out, const json_t *arguments)
{
    kubectl(out, arguments);
    WORDS(out, "rollout", "status");
    each(out, "", ARGUMENT("workloads"));
}

static void route53_change(struct buffer *out, const json_t *arguments)
{
    WORDS(out, "aws", "route53", "change-resource-record-sets");
    if (ARGUMENT("zone_id") != NULL) {
        option(out, "--hosted-zone-id", ARGUMENT("zone_id"));
    } else {
        CLEANUP(memory_cleanup) char *zone = json_canonical(ARGUMENT("zone"));
        CLEANUP(memory_cleanup) char *id = memory_format("<id of zone %s>", zone);
        WORDS(out, "--hosted-zone-id", id);
    }
    WORDS(out, "--change-batch");
    if (ARGUMENT("file") != NULL) {
        value(out, "file://", ARGUMENT("file"));
    } else {
        word(out, "file://dns-update.json");
    }
}

static void dns_verify(struct buffer *out, const json_t *arguments)
{
    WORDS(out, "dig", "+norecurse");
    value(out, "", ARGUMENT("name"));
    value(out, "", ARGUMENT("type"));
    each(out, "@", ARGUMENT("servers"));
}

static void http_check(struct buffer *out, const json_t *arguments)
{
    WORDS(out, "curl", "--fail", "--silent", "--show-error");
    option(out, "--request", ARGUMENT("method"));
    value(out, "", ARGUMENT("url"));
}

static void exec(struct buffer *out, const json_t *arguments)
{
    each(out, "", ARGUMENT("argv"));
}

static const struct {
    const char *action;
    void (*write)(struct buffer *out, const json_t *arguments);
} forms[] = {
    {"aws", aws},
    {"aws.wait", aws_wait},
    {"dns.verify", dns_verify},
    {"eks.kubeconfig", eks_kubeconfig},
    {"exec", exec},
    {"git.checkout", git_checkout},
    {"git.commit", git_commit},
    {"hcl.rewrite", hcl_rewrite},
    {"http.check", http_check},
    {"kubectl", kubectl_any},
    {"kubectl.apply", kubectl_apply},
    {"kubectl.rollout", kubectl_rollout},
    {"route53.change", route53_change},
    {"terraform.apply", terraform_apply},
    {"terraform.init", terraform_init},
    {"terraform.output", terraform_output},
    {"terraform.plan", terraform_plan},
};

void runbook_commands(struct buffer *out, const char *action, const json_t *arguments)
{
    for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
        if (strcmp(forms[i].action, action) == 0) {
            CLEANUP(buffer_release) struct buffer text = BUFFER_INIT;
            forms[i].write(&text, arguments);
            buffer_append_span(out, buffer_span(&text));
        }
    }
}
