/* Judges plans. Invariant: a plan passes only when everything that it destroys, replaces or forgets
 * was named beforehand. The provider's own answer is judged, too: when the state knows resources
 * that are not found any more, the state is most likely that of another region, and applying would
 * build everything a second time. */
#include "terraform/plan_summary.h"

#include <string.h>

#include "base/json.h"

enum { NAMED_LIMIT = 20 }; /* addresses that one message names */

static bool actions_are(const json_t *actions, const char *first, const char *second)
{
    const char *one = json_string_value(json_array_get(actions, 0));
    const char *two = json_string_value(json_array_get(actions, 1));
    return one != NULL && strcmp(one, first) == 0 &&
           (second == NULL ? json_array_size(actions) == 1
                           : two != NULL && strcmp(two, second) == 0);
}

/* The member that a change belongs to, NULL for one that changes nothing. */
static const char *kind_of(const json_t *change)
{
    const json_t *actions = json_object_get(change, "actions");
    bool replaces =
        actions_are(actions, "delete", "create") || actions_are(actions, "create", "delete");
    return replaces                                                                    ? "replace"
           : actions_are(actions, "create", NULL)                                      ? "create"
           : actions_are(actions, "update", NULL)                                      ? "update"
           : actions_are(actions, "delete", NULL)                                      ? "delete"
           : actions_are(actions, "forget", NULL)                                      ? "forget"
           : actions_are(actions, "create", "forget")                                  ? "replace"
           : json_object_get(change, "importing") != NULL                              ? "import"
           : actions_are(actions, "no-op", NULL) || actions_are(actions, "read", NULL) ? NULL
                                                                                       : "delete";
}

static void add(json_t *summary, const char *member, const char *address)
{
    json_array_append_new(json_object_get(summary, member), json_string(address));
}

static void take_change(json_t *summary, const json_t *resource)
{
    const json_t *change = json_object_get(resource, "change");
    const char *address = json_get_text(resource, "address");
    const char *reason = json_get_text(resource, "action_reason");
    const char *kind = kind_of(change);
    if (kind == NULL || address == NULL) {
        return;
    }
    add(summary, kind, address);
    if (json_object_get(change, "importing") != NULL && strcmp(kind, "import") != 0) {
        add(summary, "import", address);
    }
    if (reason != NULL && (strcmp(kind, "replace") == 0 || strcmp(kind, "delete") == 0)) {
        json_object_set_new(json_object_get(summary, "reasons"), address, json_string(reason));
    }
}

static void take_drift(json_t *summary, const json_t *resource)
{
    const json_t *actions = json_object_get(json_object_get(resource, "change"), "actions");
    const char *address = json_get_text(resource, "address");
    if (address != NULL) {
        add(summary, actions_are(actions, "delete", NULL) ? "vanished" : "drifted", address);
    }
}

static json_t *shown_variables(const json_t *plan)
{
    const json_t *declared = json_object_get(
        json_object_get(json_object_get(plan, "configuration"), "root_module"), "variables");
    json_t *shown = json_object();
    const char *name;
    json_t *variable;
    json_object_foreach (json_object_get(plan, "variables"), name, variable) {
        bool sensitive =
            json_is_true(json_object_get(json_object_get(declared, name), "sensitive"));
        json_t *value = json_object_get(variable, "value");
        if (!sensitive && value != NULL) {
            json_object_set(shown, name, value);
        }
    }
    return shown;
}

static json_int_t changed_outputs(const json_t *plan)
{
    json_int_t count = 0;
    const char *name;
    json_t *change;
    json_object_foreach (json_object_get(plan, "output_changes"), name, change) {
        count += !actions_are(json_object_get(change, "actions"), "no-op", NULL);
    }
    return count;
}

static void take_flag(json_t *summary, const json_t *plan, const char *name, bool fallback)
{
    json_t *flag = json_object_get(plan, name);
    json_object_set_new(summary, name, json_boolean(flag != NULL ? json_is_true(flag) : fallback));
}

json_t *plan_summary_new(const json_t *plan)
{
    static const char *const lists[] = {"create", "update", "replace",  "delete",
                                        "forget", "import", "vanished", "drifted"};
    json_t *summary = json_object();
    for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
        json_object_set_new(summary, lists[i], json_array());
    }
    json_object_set_new(summary, "reasons", json_object());
    size_t index;
    json_t *resource;
    json_array_foreach (json_object_get(plan, "resource_changes"), index, resource) {
        take_change(summary, resource);
    }
    json_array_foreach (json_object_get(plan, "resource_drift"), index, resource) {
        take_drift(summary, resource);
    }
    bool changes = false;
    for (size_t i = 0; i < 6; i++) { /* those that applying does something for */
        changes |= json_array_size(json_object_get(summary, lists[i])) > 0;
    }
    json_int_t outputs = changed_outputs(plan);
    json_object_set_new(summary, "outputs", json_integer(outputs));
    json_object_set_new(summary, "changes", json_boolean(changes || outputs > 0));
    json_object_set_new(summary, "variables", shown_variables(plan));
    take_flag(summary, plan, "errored", false);
    take_flag(summary, plan, "applyable", true);
    take_flag(summary, plan, "complete", true);
    json_object_set(summary, "version", json_object_get(plan, "terraform_version"));
    return summary;
}

static void append_addresses(struct buffer *out, const json_t *summary, const char *member,
                             const char *what)
{
    const json_t *reasons = json_object_get(summary, "reasons");
    size_t index;
    json_t *address;
    json_array_foreach (json_object_get(summary, member), index, address) {
        const char *reason = json_get_text(reasons, json_string_value(address));
        buffer_append_format(out, "\n  %s %s%s%s%s", what, json_string_value(address),
                             reason != NULL ? " (" : "", reason != NULL ? reason : "",
                             reason != NULL ? ")" : "");
    }
}

static size_t count_of(const json_t *summary, const char *member)
{
    return json_array_size(json_object_get(summary, member));
}

void plan_summary_append(struct buffer *out, const json_t *summary)
{
    buffer_append_format(out, "plan: %zu to create, %zu to change, %zu to replace, %zu to destroy",
                         count_of(summary, "create"), count_of(summary, "update"),
                         count_of(summary, "replace"), count_of(summary, "delete"));
    if (count_of(summary, "import") > 0) {
        buffer_append_format(out, ", %zu to import", count_of(summary, "import"));
    }
    if (count_of(summary, "forget") > 0) {
        buffer_append_format(out, ", %zu to forget", count_of(summary, "forget"));
    }
    append_addresses(out, summary, "replace", "replaces");
    append_addresses(out, summary, "delete", "destroys");
    append_addresses(out, summary, "forget", "forgets");
    append_addresses(out, summary, "vanished", "not found any more:");
}

bool plan_summary_is_inside(const json_t *list, const char *address)
{
    size_t index;
    json_t *item;
    json_array_foreach (list, index, item) {
        const char *outer = json_string_value(item);
        size_t size_bytes = outer != NULL ? strlen(outer) : 0;
        if (outer == NULL) {
            continue;
        }
        if (strcmp(outer, "*") == 0 ||
            (strncmp(address, outer, size_bytes) == 0 &&
             (address[size_bytes] == '\0' || address[size_bytes] == '.' ||
              address[size_bytes] == '['))) {
            return true;
        }
    }
    return false;
}

/* Appends the addresses of a member that are not inside of the list. */
static void append_outside(struct buffer *out, const json_t *summary, const char *member,
                           const json_t *allowed, size_t *count)
{
    size_t index;
    json_t *item;
    json_array_foreach (json_object_get(summary, member), index, item) {
        const char *address = json_string_value(item);
        if (plan_summary_is_inside(allowed, address)) {
            continue;
        }
        if (*count < NAMED_LIMIT) {
            buffer_append_format(out, "%s%s", *count > 0 ? ", " : "", address);
        } else if (*count == NAMED_LIMIT) {
            buffer_append_text(out, " …");
        }
        (*count)++;
    }
}

static int guard_flags(const json_t *summary, const json_t *options, struct error *err)
{
    bool targeted = json_array_size(json_object_get(options, "targets")) > 0;
    if (json_is_true(json_object_get(summary, "errored"))) {
        return error_set(err, ERROR_REFUSED, "the plan is the rest of one that failed");
    }
    if (!targeted && !json_is_true(json_object_get(summary, "complete"))) {
        return error_set(err, ERROR_REFUSED,
                         "the plan is not complete: some changes could not be planned yet");
    }
    if (json_is_true(json_object_get(summary, "changes")) &&
        !json_is_true(json_object_get(summary, "applyable"))) {
        return error_set(err, ERROR_REFUSED, "terraform says that the plan cannot be applied");
    }
    return 0;
}

static int guard_destroying(const json_t *summary, const json_t *options, struct error *err)
{
    const json_t *allowed = json_object_get(options, "allow_destroy");
    CLEANUP(buffer_release) struct buffer named = BUFFER_INIT;
    size_t count = 0;
    append_outside(&named, summary, "delete", allowed, &count);
    append_outside(&named, summary, "replace", allowed, &count);
    append_outside(&named, summary, "forget", allowed, &count);
    if (count == 0) {
        return 0;
    }
    error_set(err, ERROR_REFUSED, "the plan destroys, replaces or forgets what was not named: %s",
              buffer_text(&named));
    return error_hint(err, "when that is meant, name it in `allow_destroy`");
}

static int guard_vanished(const json_t *summary, const json_t *options, struct error *err)
{
    CLEANUP(buffer_release) struct buffer named = BUFFER_INIT;
    size_t count = 0;
    append_outside(&named, summary, "vanished", json_object_get(options, "allow_vanished"), &count);
    if (count == 0) {
        return 0;
    }
    error_set(
        err, ERROR_REFUSED,
        "the state knows %zu that are not found any more: %s. Is it the state of this region?",
        count, buffer_text(&named));
    return error_hint(err, "when they are gone indeed, name them in `allow_vanished`");
}

static int guard_scope(const json_t *summary, const json_t *options, struct error *err)
{
    static const char *const members[] = {"create", "update", "replace",
                                          "delete", "forget", "import"};
    const json_t *only = json_object_get(options, "only");
    CLEANUP(buffer_release) struct buffer named = BUFFER_INIT;
    size_t count = 0;
    for (size_t i = 0; json_array_size(only) > 0 && i < ARRAY_SIZE(members); i++) {
        append_outside(&named, summary, members[i], only, &count);
    }
    if (count == 0) {
        return 0;
    }
    return error_set(err, ERROR_REFUSED, "the plan changes what is outside of `only`: %s",
                     buffer_text(&named));
}

/* Equal, or written alike: a tfvars may hold "3" where a plan holds 3. */
static bool same_value(const json_t *a, const json_t *b)
{
    if (json_equal(a, b)) {
        return true;
    }
    CLEANUP(memory_cleanup) char *left = json_canonical(a);
    CLEANUP(memory_cleanup) char *right = json_canonical(b);
    const char *left_text = json_is_string(a) ? json_string_value(a) : left;
    const char *right_text = json_is_string(b) ? json_string_value(b) : right;
    return json_is_string(a) != json_is_string(b) && strcmp(left_text, right_text) == 0;
}

static int guard_variables(const json_t *summary, const json_t *options, struct error *err)
{
    const json_t *variables = json_object_get(summary, "variables");
    const char *name;
    json_t *wanted;
    json_object_foreach (json_object_get(options, "expect"), name, wanted) {
        const json_t *value = json_object_get(variables, name);
        CLEANUP(memory_cleanup) char *wanted_text = json_canonical(wanted);
        if (value == NULL) {
            return error_set(err, ERROR_REFUSED,
                             "the plan has no variable %s that could be %s, or it is sensitive",
                             name, wanted_text);
        }
        CLEANUP(memory_cleanup) char *text = json_canonical(value);
        if (!same_value(value, wanted)) {
            error_set(err, ERROR_REFUSED, "the plan was made with %s = %s, not %s", name, text,
                      wanted_text);
            return error_hint(err,
                              "a file that terraform reads later, or TF_VAR_%s, wins over the "
                              "edit",
                              name);
        }
    }
    return 0;
}

static int guard_no_changes(const json_t *summary, const json_t *options, struct error *err)
{
    static const char *const members[] = {"create", "update", "replace",
                                          "delete", "forget", "import"};
    if (!json_is_true(json_object_get(options, "no_changes")) ||
        !json_is_true(json_object_get(summary, "changes"))) {
        return 0;
    }
    CLEANUP(buffer_release) struct buffer named = BUFFER_INIT;
    size_t count = 0;
    for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
        append_outside(&named, summary, members[i], NULL, &count);
    }
    return error_set(err, ERROR_REFUSED, "the plan should change nothing, but changes %s",
                     count > 0 ? buffer_text(&named) : "outputs");
}

int plan_summary_guard(const json_t *summary, const json_t *options, struct error *err)
{
    if (guard_flags(summary, options, err) != 0 || guard_variables(summary, options, err) != 0 ||
        guard_vanished(summary, options, err) != 0 ||
        guard_destroying(summary, options, err) != 0 || guard_scope(summary, options, err) != 0 ||
        guard_no_changes(summary, options, err) != 0) {
        return -1;
    }
    return 0;
}
