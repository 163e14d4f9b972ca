/* drctl plans, drctl actions, drctl schema: what there is. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "actions/action.h"
#include "base/file.h"
#include "base/json.h"
#include "commands/plan_loading.h"
#include "commands/run_reading.h"
#include "plan/schema.h"

/* --- plans ----------------------------------------------------------------------------------- */

static int is_plan_name(const struct dirent *entry)
{
    const char *dot = strrchr(entry->d_name, '.');
    return entry->d_name[0] != '.' && dot != NULL &&
           (strcmp(dot, ".yaml") == 0 || strcmp(dot, ".yml") == 0);
}

static void list_plan(const char *folder, const char *name, json_t *list)
{
    CLEANUP(memory_cleanup) char *path = file_join(folder, name);
    CLEANUP(buffer_release) struct buffer source = BUFFER_INIT;
    struct error_list errors = {0};
    if (file_read(path, DOCUMENT_SIZE_LIMIT, &source, NULL) != 0) {
        return;
    }
    struct plan *plan = plan_parse(buffer_span(&source), path, &errors);
    const char *summary =
        plan != NULL && plan->summary != NULL ? plan->summary : "not a valid plan: see validate";
    json_array_append_new(list, json_pack("{s:s%, s:s, s:s?, s:s}", "name", name,
                                          strcspn(name, "."), "summary", summary, "duration",
                                          plan != NULL ? plan->duration_text : NULL, "file", path));
    plan_free(plan);
    error_list_release(&errors);
}

static json_t *list_plans(void)
{
    json_t *list = json_array();
    char **folders = plan_folders();
    for (char **folder = folders; *folder != NULL; folder++) {
        struct dirent **entries;
        int count = scandir(*folder, &entries, is_plan_name, alphasort);
        for (int i = 0; i < count; i++) {
            list_plan(*folder, entries[i]->d_name, list);
            free(entries[i]);
        }
        if (count >= 0) {
            free(entries);
        }
        free(*folder);
    }
    free(folders);
    return list;
}

static int run_plans(const struct invocation *invocation, struct error *err)
{
    (void)err;
    json_t *list = list_plans();
    if (wants_json(invocation)) {
        print_json(list);
        return 0;
    }
    size_t index;
    json_t *plan;
    json_array_foreach (list, index, plan) {
        const char *duration = json_get_text(plan, "duration");
        printf("%-24s %-10s %s\n", json_get_text(plan, "name"), duration != NULL ? duration : "",
               json_get_text(plan, "summary"));
    }
    json_decref(list);
    return 0;
}

/* --- actions --------------------------------------------------------------------------------- */

static json_t *describe(const struct action *action)
{
    json_t *parameters = json_array();
    const struct parameter *parameter = action->description.parameters;
    for (; parameter != NULL && parameter->name != NULL; parameter++) {
        json_array_append_new(
            parameters, json_pack("{s:s, s:s, s:b, s:s?, s:s}", "name", parameter->name, "type",
                                  value_type_name(parameter->type), "required", parameter->required,
                                  "default", parameter->default_json, "doc", parameter->doc));
    }
    json_t *outputs = json_array();
    const struct output *output = action->description.outputs;
    for (; output != NULL && output->name != NULL; output++) {
        json_array_append_new(outputs, json_pack("{s:s, s:s, s:b, s:s}", "name", output->name,
                                                 "type", value_type_name(output->type), "secret",
                                                 output->secret, "doc", output->doc));
    }
    return json_pack("{s:s, s:s, s:s?, s:b, s:s?, s:b, s:o, s:o}", "name", action->description.name,
                     "summary", action->description.summary, "doc", action->description.doc,
                     "mutates", action->description.mutates, "interrupted", action->interrupted,
                     "undo", action->undo != NULL, "parameters", parameters, "outputs", outputs);
}

static void print_action(const struct action *action)
{
    const struct action_description *description = &action->description;
    printf("%s: %s\n", description->name, description->summary);
    if (description->doc != NULL) {
        printf("\n%s\n", description->doc);
    }
    printf("\nParameters\n");
    const struct parameter *parameter = description->parameters;
    for (; parameter != NULL && parameter->name != NULL; parameter++) {
        printf("  %-18s %-10s %s%s%s%s%s\n", parameter->name, value_type_name(parameter->type),
               parameter->doc, parameter->required ? " (required)" : "",
               parameter->default_json != NULL ? " (default " : "",
               parameter->default_json != NULL ? parameter->default_json : "",
               parameter->default_json != NULL ? ")" : "");
    }
    printf("\nOutputs\n");
    const struct output *output = description->outputs;
    for (; output != NULL && output->name != NULL; output++) {
        printf("  %-18s %-10s %s%s\n", output->name, value_type_name(output->type), output->doc,
               output->secret ? " (secret)" : "");
    }
    printf("\nChanges the world: %s. Can be undone: %s.\nWhen interrupted: %s\n",
           description->mutates ? "yes" : "no", action->undo != NULL ? "yes" : "no",
           action->interrupted != NULL ? action->interrupted : "");
}

static int run_actions(const struct invocation *invocation, struct error *err)
{
    const char *name = invocation_argument(invocation, 0);
    if (name != NULL) {
        const struct action *action = action_find(name);
        if (action == NULL) {
            const char *nearest = catalogue_nearest(actions_catalogue(), name);
            error_set(err, ERROR_USAGE, "there is no action '%s'", name);
            return nearest != NULL ? error_hint(err, "did you mean %s?", nearest) : -1;
        }
        if (wants_json(invocation)) {
            print_json(describe(action));
        } else {
            print_action(action);
        }
        return 0;
    }
    json_t *list = json_array();
    for (size_t i = 0; i < actions_count; i++) {
        if (wants_json(invocation)) {
            json_array_append_new(list, describe(actions[i]));
        } else {
            printf("%-20s %s\n", actions[i]->description.name, actions[i]->description.summary);
        }
    }
    if (wants_json(invocation)) {
        print_json(list);
    } else {
        json_decref(list);
    }
    return 0;
}

static int run_schema(const struct invocation *invocation, struct error *err)
{
    (void)invocation;
    (void)err;
    print_json(schema_of_plans(actions_catalogue()));
    return 0;
}

const struct command command_plans = {
    .name = "plans",
    .arguments = "",
    .summary = "the plans that there are",
    .least_arguments = 0,
    .most_arguments = 0,
    .run = run_plans,
};

const struct command command_actions = {
    .name = "actions",
    .arguments = "[ACTION]",
    .summary = "the actions that steps can use, or all about one",
    .least_arguments = 0,
    .most_arguments = 1,
    .run = run_actions,
};

const struct command command_schema = {
    .name = "schema",
    .arguments = "",
    .summary = "a JSON Schema of plans, for editors",
    .least_arguments = 0,
    .most_arguments = 0,
    .run = run_schema,
};
