/* kubectl.apply: manifests into a cluster, in the order that a fresh cluster needs: namespaces and
 * definitions of resources first, then, once the definitions are established, what uses them. The
 * difference is shown before each of the two. Applying is idempotent: what was cut short is simply
 * applied again. */
#include <stdlib.h>
#include <string.h>

#include "actions/action.h"
#include "base/file.h"
#include "base/json.h"
#include "kubernetes/kubectl_cli.h"
#include "kubernetes/manifest.h"

static const struct parameter parameters[] = {
    {.name = "files",
     .type = VALUE_STRINGS,
     .required = true,
     .exposed = true,
     .doc = "Manifests: files, or folders whose .yaml, .yml and .json files are meant"},
    {.name = "recursive",
     .type = VALUE_BOOLEAN,
     .default_json = "false",
     .doc = "Folders in folders as well"},
    KUBECTL_PARAMETERS,
    {.name = "server_side",
     .type = VALUE_BOOLEAN,
     .default_json = "true",
     .doc = "Let the cluster merge, which reports who else owns a field"},
    {.name = "field_manager",
     .type = VALUE_STRING,
     .exposed = true,
     .default_json = "\"drctl\"",
     .doc = "Name under which the fields are owned"},
    {.name = "force_conflicts",
     .type = VALUE_BOOLEAN,
     .default_json = "false",
     .doc = "Take over fields that another manager owns"},
    {.name = "diff", .type = VALUE_BOOLEAN, .default_json = "true", .doc = "Show what will change"},
    {.name = "established_within",
     .type = VALUE_DURATION,
     .default_json = "\"1m\"",
     .doc = "How long definitions of resources may take to be established"},
    {0}};

static const struct output outputs[] = {
    {.name = "applied",
     .type = VALUE_LIST,
     .doc = "What was applied: {kind, name, namespace} of each object"},
    {.name = "changed",
     .type = VALUE_BOOLEAN,
     .doc = "Whether the difference showed any change; null when it was not looked at"},
    {0}};

/* One of the two goes over the manifests. */
struct phase {
    struct attempt *attempt;
    const struct kubectl *kubectl;
    const struct manifest_list *list;
    bool first;
    const char *path; /* the file with its documents */
    bool *changed;
};

static const char *phase_name(const struct phase *phase)
{
    return phase->first ? "first" : "rest";
}

static void add_apply_options(const struct phase *phase, struct argv *argv)
{
    const struct attempt *attempt = phase->attempt;
    if (attempt_flag(attempt, "server_side")) {
        argv_add(argv, "--server-side");
        if (attempt_flag(attempt, "force_conflicts")) {
            argv_add(argv, "--force-conflicts");
        }
    }
    argv_add_format(argv, "--field-manager=%s", attempt_text(attempt, "field_manager"));
    argv_add_format(argv, "--filename=%s", phase->path);
}

/* Says which objects are meant, where a difference cannot be had. */
static void list_objects(const struct phase *phase, const char *what)
{
    vector_each (const struct manifest *, manifest, &phase->list->items) {
        if (manifest_comes_first(manifest) == phase->first) {
            attempt_say(phase->attempt, "%s %s/%s", what, manifest->kind,
                        manifest->name != NULL ? manifest->name : "(generated)");
        }
    }
}

/* kubectl diff: 0 no difference, 1 there is one, more: it failed. */
static int show_diff(const struct phase *phase, struct error *err)
{
    struct attempt *attempt = phase->attempt;
    CLEANUP(memory_cleanup) char *task = memory_format("diff-%s", phase_name(phase));
    struct argv argv = {0};
    kubectl_begin(phase->kubectl, &argv, false);
    argv_add(&argv, "diff");
    add_apply_options(phase, &argv);
    struct attempt_command command = {.task = task, .argv = argv_words(&argv)};
    struct attempt_result result = {0};
    int status = attempt_run(attempt, &command, &result, err);
    struct error failure = ERROR_INIT;
    if (status == 0 && result.exit_code > 1) {
        (void)!kubectl_failed(&result, "kubectl diff", &failure);
    }
    *phase->changed = *phase->changed || (status == 0 && result.exit_code != 0);
    if (failure.code == ERROR_NOT_FOUND && attempt_is_dry_run(attempt)) {
        attempt_say(attempt, "cannot be compared before what comes first is there");
        list_objects(phase, "would apply");
        error_release(&failure);
    } else if (error_is_set(&failure)) {
        error_move(err, &failure);
        status = -1;
    } else if (status == 0 && result.exit_code == 0) {
        attempt_say(attempt, "no difference");
    }
    attempt_result_release(&result);
    argv_release(&argv);
    return status;
}

static enum attempt_probe_answer apply_again(struct attempt *attempt, void *context)
{
    (void)attempt;
    (void)context;
    return PROBE_NOT_STARTED;
}

static int apply(const struct phase *phase, struct error *err)
{
    CLEANUP(memory_cleanup) char *task = memory_format("apply-%s", phase_name(phase));
    struct argv argv = {0};
    kubectl_begin(phase->kubectl, &argv, false);
    argv_add(&argv, "apply");
    add_apply_options(phase, &argv);
    struct attempt_command command = {
        .task = task, .argv = argv_words(&argv), .mutates = true, .probe = apply_again};
    struct attempt_result result = {0};
    int status = attempt_run(phase->attempt, &command, &result, err);
    if (status == 0 && result.exit_code != 0) {
        status = kubectl_failed(&result, "kubectl apply", err);
    }
    attempt_result_release(&result);
    argv_release(&argv);
    return status;
}

/* `kubectl wait` on nothing fails at once, so it is called when there is something to wait for. */
static int wait_for_definitions(const struct phase *phase, struct error *err)
{
    struct attempt *attempt = phase->attempt;
    struct argv argv = {0};
    kubectl_begin_anywhere(phase->kubectl, &argv, true);
    argv_add(&argv, "wait");
    argv_add(&argv, "--for=condition=established");
    argv_add_format(&argv, "--timeout=%llds",
                    (long long)attempt_duration_ms(attempt, "established_within", 60000) / 1000);
    size_t before = argv_count(&argv);
    vector_each (const struct manifest *, manifest, &phase->list->items) {
        if (strcmp(manifest->kind, "CustomResourceDefinition") == 0 && manifest->name != NULL) {
            argv_add_format(&argv, "customresourcedefinition/%s", manifest->name);
        }
    }
    int status = 0;
    if (argv_count(&argv) > before) {
        struct attempt_command command = {.task = "wait-definitions", .argv = argv_words(&argv)};
        struct attempt_result result = {0};
        status = attempt_run(attempt, &command, &result, err);
        if (status == 0 && result.exit_code != 0) {
            status = kubectl_failed(&result, "kubectl wait", err);
        }
        attempt_result_release(&result);
    }
    argv_release(&argv);
    return status;
}

/* Writes the documents of a phase beside the attempt's logs; NULL in *ret_path when there are none.
 */
static int write_documents(struct attempt *attempt, const struct manifest_list *list, bool first,
                           char **ret_path, struct error *err)
{
    CLEANUP(buffer_release) struct buffer text = BUFFER_INIT;
    if (!manifest_join(list, first, &text)) {
        return 0;
    }
    char *path = file_join(attempt_directory(attempt), first ? "first.yaml" : "rest.yaml");
    if (file_write(path, buffer_span(&text), FILE_PRIVATE_MODE, FILE_ATOMIC, err) != 0) {
        free(path);
        return -1;
    }
    *ret_path = path;
    return 0;
}

static int run_phase(struct attempt *attempt, const struct kubectl *kubectl,
                     const struct manifest_list *list, bool first, bool *changed, struct error *err)
{
    CLEANUP(memory_cleanup) char *path = NULL;
    if (write_documents(attempt, list, first, &path, err) != 0) {
        return -1;
    }
    if (path == NULL) {
        return 0;
    }
    struct phase phase = {attempt, kubectl, list, first, path, changed};
    bool dry_run = attempt_is_dry_run(attempt);
    if ((dry_run || attempt_flag(attempt, "diff")) && show_diff(&phase, err) != 0) {
        return -1;
    }
    if (dry_run) {
        return 0;
    }
    if (apply(&phase, err) != 0) {
        return -1;
    }
    return first ? wait_for_definitions(&phase, err) : 0;
}

static int read_manifests(struct attempt *attempt, struct manifest_list *list, struct error *err)
{
    size_t index;
    json_t *file;
    json_array_foreach (attempt_argument(attempt, "files"), index, file) {
        CLEANUP(memory_cleanup) char *path = attempt_plan_path(attempt, json_string_value(file));
        if (manifest_read(path, attempt_flag(attempt, "recursive"), list, err) != 0) {
            return -1;
        }
    }
    if (list->items.count == 0) {
        error_set(err, ERROR_INVALID, "there is no manifest in what `files` names");
        return error_hint(err, "folders in a folder are read with `recursive: true` alone");
    }
    return 0;
}

static void set_outputs(struct attempt *attempt, const struct manifest_list *list, bool changed)
{
    json_t *applied = json_array();
    vector_each (const struct manifest *, manifest, &list->items) {
        json_array_append_new(applied,
                              json_pack("{s:s, s:s?, s:s?}", "kind", manifest->kind, "name",
                                        manifest->name, "namespace", manifest->name_space));
    }
    attempt_set_output(attempt, "applied", applied);
    attempt_set_output(attempt, "changed",
                       attempt_flag(attempt, "diff") ? json_boolean(changed) : json_null());
    attempt_fact(attempt, "kubernetes.applied", json_incref(applied));
}

static int apply_all(struct attempt *attempt, const struct kubectl *kubectl, struct error *err)
{
    struct manifest_list list = {0};
    bool changed = false;
    int status = read_manifests(attempt, &list, err);
    if (status == 0) {
        status = run_phase(attempt, kubectl, &list, true, &changed, err);
    }
    if (status == 0) {
        status = run_phase(attempt, kubectl, &list, false, &changed, err);
    }
    if (status == 0 && !attempt_is_dry_run(attempt)) {
        set_outputs(attempt, &list, changed);
    }
    manifest_list_release(&list);
    return status;
}

static int run(struct attempt *attempt, struct error *err)
{
    struct kubectl kubectl;
    if (kubectl_open(attempt, &kubectl, err) != 0) {
        return -1;
    }
    int status = apply_all(attempt, &kubectl, err);
    kubectl_release(&kubectl);
    return status;
}

const struct action action_kubectl_apply = {
    .description =
        {
            .name = "kubectl.apply",
            .summary = "Apply Kubernetes manifests",
            .doc = "Namespaces and definitions of resources come first, whatever the order of the "
                   "files; the rest follows once the definitions are established. Nothing is "
                   "pruned.",
            .parameters = parameters,
            .outputs = outputs,
            .mutates = true,
            .memory_bytes = UINT64_C(100) * 1024 * 1024,
        },
    .run = run,
    .interrupted = "A kubectl that still runs is followed. When its end was not seen the manifests "
                   "are applied again, which changes nothing that was applied already.",
    .shows_dry_run = true,
};
