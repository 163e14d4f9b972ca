/* Loading happens in the order in which a person would want to hear of mistakes: the file, its
 * form, its meaning, the site, the inputs. Nothing is touched before all of that is in order. */
#include "commands/plan_loading.h"

#include <errno.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "actions/action.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "base/vector.h"
#include "plan/inputs.h"
#include "plan/resolve.h"
#include "plan/validate.h"
#include "runtime/run.h"

enum { SECRET_LIMIT_BYTES = 64 * 1024, EXCERPT_LIMIT_BYTES = 120, EXIT_INVALID = 3 };

void loaded_plan_release(struct loaded_plan *loaded)
{
    free(loaded->file);
    plan_free(loaded->plan);
    site_free(loaded->site);
    context_release(&loaded->context);
}

char *operator_name(void)
{
    const char *given = getenv("DRCTL_OPERATOR");
    if (given != NULL && given[0] != '\0') {
        return memory_text(given);
    }
    char host[HOST_NAME_MAX + 1] = "";
    gethostname(host, sizeof host - 1);
    const struct passwd *user = getpwuid(geteuid());
    return user != NULL ? memory_format("%s@%s", user->pw_name, host)
                        : memory_format("uid-%u@%s", (unsigned)geteuid(), host);
}

/* --- errors ---------------------------------------------------------------------------------- */

static struct span line_of(const struct buffer *content, size_t line)
{
    const char *at = buffer_text(content);
    const char *end = at + content->size_bytes;
    for (size_t i = 1; i < line && at != NULL; i++) {
        at = memchr(at, '\n', (size_t)(end - at));
        at = at != NULL ? at + 1 : NULL;
    }
    if (at == NULL) {
        return span_of("", 0);
    }
    const char *newline = memchr(at, '\n', (size_t)(end - at));
    return span_of(at, (size_t)((newline != NULL ? newline : end) - at));
}

static void print_excerpt(const struct error *err)
{
    CLEANUP(buffer_release) struct buffer content = BUFFER_INIT;
    if (err->file == NULL || err->line == 0 ||
        file_read(err->file, DOCUMENT_SIZE_LIMIT, &content, NULL) != 0) {
        return;
    }
    struct span line = line_of(&content, err->line);
    if (line.size_bytes > EXCERPT_LIMIT_BYTES) {
        line.size_bytes = text_valid_utf8_prefix(span_of(line.data, EXCERPT_LIMIT_BYTES));
    }
    CLEANUP(buffer_release) struct buffer shown = BUFFER_INIT;
    text_append_safe(&shown, line, false);
    fprintf(stderr, "%6zu | %s\n", err->line, buffer_text(&shown));
    if (err->column != 0 && err->column <= EXCERPT_LIMIT_BYTES) {
        fprintf(stderr, "       | %*s^\n", (int)err->column - 1, "");
    }
}

void report_errors(const struct error_list *errors)
{
    vector_each (const struct error *, err, &errors->errors) {
        CLEANUP(memory_cleanup) char *text = error_format(err);
        CLEANUP(buffer_release) struct buffer safe = BUFFER_INIT;
        text_append_safe(&safe, span_of_text(text), false);
        fprintf(stderr, "%s\n", buffer_text(&safe));
        print_excerpt(err);
    }
    if (errors->dropped > 0) {
        fprintf(stderr, "and %zu more\n", errors->dropped);
    }
    size_t count = errors->errors.count + errors->dropped;
    fprintf(stderr, "drctl: %zu error%s; nothing was touched\n", count, count == 1 ? "" : "s");
}

/* --- finding --------------------------------------------------------------------------------- */

static char *beside_program(const char *relative)
{
    char program[PATH_MAX];
    ssize_t size = readlink("/proc/self/exe", program, sizeof program - 1);
    if (size <= 0) {
        return NULL;
    }
    program[size] = '\0';
    char *slash = strrchr(program, '/');
    return memory_format("%.*s/%s", (int)(slash - program), program, relative);
}

char **plan_folders(void)
{
    VECTOR(char *)
    folders = {0};
    vector_push(&folders, memory_text("plans"));
    const char *given = getenv("DRCTL_PLANS");
    if (given != NULL && given[0] != '\0') {
        vector_push(&folders, memory_text(given));
    }
    char *installed = beside_program("../share/drctl/plans");
    if (installed != NULL) {
        vector_push(&folders, installed);
    }
    vector_push(&folders, NULL);
    return folders.items;
}

static void free_folders(char **folders)
{
    for (char **folder = folders; *folder != NULL; folder++) {
        free(*folder);
    }
    free(folders);
}

static bool is_path(const char *name)
{
    return strchr(name, '/') != NULL || strchr(name, '.') != NULL;
}

static char *search_folders(const char *name)
{
    static const char *const endings[] = {"yaml", "yml", "json"};
    char **folders = plan_folders();
    char *found = NULL;
    for (char **folder = folders; *folder != NULL && found == NULL; folder++) {
        for (size_t i = 0; i < ARRAY_SIZE(endings) && found == NULL; i++) {
            char *candidate = memory_format("%s/%s.%s", *folder, name, endings[i]);
            if (file_exists(candidate)) {
                found = candidate;
            } else {
                free(candidate);
            }
        }
    }
    free_folders(folders);
    return found;
}

int plan_find_file(const char *name, char **ret_file, struct error *err)
{
    CLEANUP(memory_cleanup)
    char *found = is_path(name) ? memory_text(name) : search_folders(name);
    if (found == NULL) {
        error_set(err, ERROR_INVALID, "there is no plan '%s'", name);
        return error_hint(err, "`drctl plans` lists those that there are; a path has a / or a .");
    }
    char *absolute = realpath(found, NULL);
    if (absolute == NULL) {
        error_set(err, ERROR_INVALID, "cannot find the plan %s: %s", found, strerror(errno));
        return -1;
    }
    *ret_file = absolute;
    return 0;
}

/* --- loading --------------------------------------------------------------------------------- */

static int read_document(const char *file, struct buffer *content, struct error *err)
{
    if (file_read(file, DOCUMENT_SIZE_LIMIT, content, err) == 0) {
        return 0;
    }
    if (err->code == ERROR_NOT_FOUND) {
        err->code = ERROR_INVALID;
    }
    if (err->file == NULL) {
        err->file = memory_text(file);
        err->line = err->column = 1;
    }
    return -1;
}

static const char *site_file(const struct invocation *invocation)
{
    const char *given = invocation_value(invocation, "site");
    if (given == NULL) {
        given = getenv("DRCTL_SITE");
    }
    if (given == NULL && file_exists("site.yaml")) {
        given = "site.yaml";
    }
    return given;
}

static int load_site(struct loaded_plan *loaded, const struct invocation *invocation,
                     struct error_list *errors, struct error *err)
{
    const char *file = site_file(invocation);
    if (file == NULL) {
        context_set(&loaded->context, "site", json_object(), NULL);
        return 0;
    }
    CLEANUP(buffer_release) struct buffer content = BUFFER_INIT;
    if (read_document(file, &content, err) != 0) {
        return error_context(err, "the site");
    }
    loaded->site = site_parse(buffer_span(&content), file, errors);
    if (loaded->site != NULL) {
        context_set(&loaded->context, "site", json_incref(loaded->site->values), NULL);
    }
    return 0;
}

/* NAME=… of an option; the name is the caller's to free. */
static const char *split(const char *option, const char *given, char **ret_name, struct error *err)
{
    const char *equals = strchr(given, '=');
    if (equals == NULL || equals == given) {
        error_set(err, ERROR_USAGE, "--%s wants NAME=VALUE, not '%s'", option, given);
        return NULL;
    }
    *ret_name = memory_text_n(given, (size_t)(equals - given));
    return equals + 1;
}

static int add_given(json_t *given, const char *option, const char *pair, struct error *err)
{
    CLEANUP(memory_cleanup) char *name = NULL;
    const char *value = split(option, pair, &name, err);
    if (value == NULL) {
        return -1;
    }
    json_t *text = json_string(value);
    if (text == NULL) {
        return error_set(err, ERROR_INVALID, "the input %s is not UTF-8", name);
    }
    json_object_set_new(given, name, text);
    return 0;
}

static int add_secret(json_t *given, const char *pair, struct error *err)
{
    CLEANUP(memory_cleanup) char *name = NULL;
    const char *file = split("secret-file", pair, &name, err);
    CLEANUP(buffer_release) struct buffer content = BUFFER_INIT;
    if (file == NULL || file_read(file, SECRET_LIMIT_BYTES, &content, err) != 0) {
        return -1;
    }
    size_t size_bytes = content.size_bytes;
    while (size_bytes > 0 && strchr("\r\n", content.data[size_bytes - 1]) != NULL) {
        size_bytes--;
    }
    json_t *text = json_stringn(buffer_text(&content), size_bytes);
    if (text == NULL) {
        return error_set(err, ERROR_INVALID, "the secret input %s is not UTF-8", name);
    }
    json_object_set_new(given, name, text);
    explicit_bzero(content.data, content.size_bytes);
    return 0;
}

static int collect_given(const struct invocation *invocation, json_t **ret_given, struct error *err)
{
    CLEANUP(json_cleanup) json_t *given = json_object();
    const char *file = invocation_value(invocation, "inputs");
    if (file != NULL) {
        json_t *value = json_read_file(file, DOCUMENT_SIZE_LIMIT, err);
        if (!json_is_object(value)) {
            json_decref(value);
            return error_set(err, ERROR_INVALID, "%s is not a JSON object of inputs", file);
        }
        json_decref(given);
        given = value;
    }
    for (const char *const *pair = invocation_values(invocation, "input"); *pair != NULL; pair++) {
        if (add_given(given, "input", *pair, err) != 0) {
            return -1;
        }
    }
    for (const char *const *pair = invocation_values(invocation, "secret-file"); *pair != NULL;
         pair++) {
        if (add_secret(given, *pair, err) != 0) {
            return -1;
        }
    }
    *ret_given = json_incref(given);
    return 0;
}

static const char *getenv_for_inputs(const char *name, void *data)
{
    (void)data;
    return getenv(name);
}

static void set_environment(struct context *context)
{
    extern char **environ;
    json_t *values = json_object();
    for (char *const *entry = environ; *entry != NULL; entry++) {
        const char *equals = strchr(*entry, '=');
        json_t *value = equals != NULL ? json_string(equals + 1) : NULL;
        if (value != NULL && equals != *entry) {
            CLEANUP(memory_cleanup) char *name = memory_text_n(*entry, (size_t)(equals - *entry));
            json_object_set_new(values, name, value);
        } else {
            json_decref(value);
        }
    }
    context_set(context, "env", values, NULL);
}

static int settle_plan(struct loaded_plan *loaded, const struct invocation *invocation,
                       const char *state, const char *who, struct error_list *errors,
                       struct error *err)
{
    CLEANUP(json_cleanup) json_t *given = NULL;
    if (collect_given(invocation, &given, err) != 0) {
        return -1;
    }
    set_environment(&loaded->context);
    context_set(&loaded->context, "run", run_describe(state, loaded->plan->name, who), NULL);
    struct inputs_source source = {given, getenv_for_inputs, NULL};
    inputs_resolve(loaded->plan, &source, &loaded->context, errors);
    if (errors->errors.count == 0) {
        plan_settle(loaded->plan, &loaded->context, errors);
    }
    return 0;
}

static int finish(struct loaded_plan *loaded, const struct invocation *invocation,
                  struct span source, bool settle, const char *state, const char *who,
                  struct error_list *errors, struct error *err)
{
    if (load_site(loaded, invocation, errors, err) != 0) {
        return -1;
    }
    loaded->plan = plan_parse(source, loaded->file, errors);
    if (loaded->plan != NULL) {
        plan_validate(loaded->plan, actions_catalogue(),
                      loaded->site != NULL ? loaded->site->values : NULL, errors);
    }
    return settle && errors->errors.count == 0
               ? settle_plan(loaded, invocation, state, who, errors, err)
               : 0;
}

static int report(int status, struct error_list *errors)
{
    if (status == 0 && errors->errors.count > 0) {
        report_errors(errors);
        status = EXIT_INVALID;
    }
    error_list_release(errors);
    return status;
}

int loaded_plan_load(struct loaded_plan *loaded, const struct invocation *invocation,
                     const char *name, bool settle, const char *state, const char *who,
                     struct error *err)
{
    *loaded = (struct loaded_plan){0};
    context_init(&loaded->context);
    struct error_list errors = {0};
    CLEANUP(buffer_release) struct buffer source = BUFFER_INIT;
    int status = 0;
    if (plan_find_file(name, &loaded->file, err) != 0) {
        status = -1;
    } else if (read_document(loaded->file, &source, err) != 0) {
        error_list_add(&errors, err);
    } else {
        status = finish(loaded, invocation, buffer_span(&source), settle, state, who, &errors, err);
    }
    return report(status, &errors);
}

int loaded_plan_make(struct loaded_plan *loaded, const struct invocation *invocation,
                     const char *text, const char *file, const char *state, const char *who,
                     struct error *err)
{
    *loaded = (struct loaded_plan){.file = memory_text(file)};
    context_init(&loaded->context);
    struct error_list errors = {0};
    int status = finish(loaded, invocation, span_of_text(text), true, state, who, &errors, err);
    return report(status, &errors);
}

int site_load(const struct invocation *invocation, struct site **ret_site, struct error *err)
{
    struct loaded_plan loaded = {0};
    context_init(&loaded.context);
    struct error_list errors = {0};
    int status = report(load_site(&loaded, invocation, &errors, err), &errors);
    if (status == 0) {
        *ret_site = loaded.site;
        loaded.site = NULL;
    }
    loaded_plan_release(&loaded);
    return status;
}
