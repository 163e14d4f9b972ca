/* drctl graph: a plan's graph as text, DOT or Mermaid, and the step state machine from its table.
 */
#include <stdio.h>
#include <string.h>

#include "commands/plan_loading.h"
#include "engine/state.h"

static const struct command_option options[] = {
    PLAN_LOADING_OPTIONS,
    {"format", 'f', "FORMAT", false, "text (default), dot or mermaid"},
    {"states", 0, NULL, false, "the states of a step instead of a plan"},
    {NULL, 0, NULL, false, NULL},
};

enum format { FORMAT_TEXT, FORMAT_DOT, FORMAT_MERMAID };

static int parse_format(const struct invocation *invocation, enum format *ret_format,
                        struct error *err)
{
    static const char *const names[] = {"text", "dot", "mermaid"};
    const char *given = invocation_value(invocation, "format");
    *ret_format = FORMAT_TEXT;
    for (size_t i = 0; given != NULL && i < ARRAY_SIZE(names); i++) {
        if (strcmp(given, names[i]) == 0) {
            *ret_format = (enum format)i;
            return 0;
        }
    }
    return given == NULL
               ? 0
               : error_set(err, ERROR_USAGE, "--format is text, dot or mermaid, not '%s'", given);
}

/* --- a plan ---------------------------------------------------------------------------------- */

static void print_text(const struct plan *plan)
{
    size_t width = 4;
    vector_each (const struct plan_step *, step, &plan->steps) {
        width = strlen(step->id) > width ? strlen(step->id) : width;
    }
    vector_each (const struct plan_step *, step, &plan->steps) {
        printf("%-*s  %-20s", (int)width, step->id, step->call.uses);
        vector_each (const size_t *, need, &step->needs) {
            printf("%s%s", need == step->needs.items ? "  after " : ", ",
                   plan->steps.items[*need].id);
        }
        printf("\n");
    }
}

static void print_dot(const struct plan *plan)
{
    printf("digraph \"%s\" {\n    rankdir=LR;\n    node [shape=box, fontname=\"sans-serif\"];\n",
           plan->name);
    vector_each (const struct plan_step *, step, &plan->steps) {
        printf("    \"%s\" [label=\"%s\\n%s\"];\n", step->id, step->id, step->call.uses);
        vector_each (const size_t *, need, &step->needs) {
            printf("    \"%s\" -> \"%s\"%s;\n", plan->steps.items[*need].id, step->id,
                   step->needs_are_implied ? " [style=dashed]" : "");
        }
    }
    printf("}\n");
}

static void print_mermaid(const struct plan *plan)
{
    printf("flowchart LR\n");
    vector_each (const struct plan_step *, step, &plan->steps) {
        printf("    s%zu[\"%s<br/>%s\"]\n", step->index, step->id, step->call.uses);
        vector_each (const size_t *, need, &step->needs) {
            printf("    s%zu %s s%zu\n", *need, step->needs_are_implied ? "-.->" : "-->",
                   step->index);
        }
    }
}

/* --- the state machine ----------------------------------------------------------------------- */

static void print_states(enum format format)
{
    const char *head = format == FORMAT_DOT       ? "digraph states {\n"
                       : format == FORMAT_MERMAID ? "stateDiagram-v2\n"
                                                  : "";
    printf("%s", head);
    for (size_t i = 0; i < step_transitions_count; i++) {
        const struct step_transition *transition = &step_transitions[i];
        const char *from = step_state_name(transition->from);
        const char *to = step_state_name(transition->to);
        const char *event = event_type_name(transition->event);
        switch (format) {
        case FORMAT_DOT:
            printf("    %s -> %s [label=\"%s\"];\n", from, to, event);
            break;
        case FORMAT_MERMAID:
            printf("    %s --> %s: %s\n", from, to, event);
            break;
        case FORMAT_TEXT:
            printf("%-10s %-15s %-10s %s\n", from, event, to, transition->comment);
            break;
        }
    }
    printf("%s", format == FORMAT_DOT ? "}\n" : "");
}

static void print_plan(const struct plan *plan, enum format format)
{
    switch (format) {
    case FORMAT_TEXT:
        print_text(plan);
        break;
    case FORMAT_DOT:
        print_dot(plan);
        break;
    case FORMAT_MERMAID:
        print_mermaid(plan);
        break;
    }
}

static int run(const struct invocation *invocation, struct error *err)
{
    enum format format;
    if (parse_format(invocation, &format, err) != 0) {
        return -1;
    }
    const char *name = invocation_argument(invocation, 0);
    if (invocation_flag(invocation, "states")) {
        print_states(format);
        return 0;
    }
    if (name == NULL) {
        return error_set(err, ERROR_USAGE, "graph wants a plan, or --states");
    }
    struct loaded_plan loaded;
    int status = loaded_plan_load(&loaded, invocation, name, false, NULL, NULL, err);
    if (status == 0) {
        print_plan(loaded.plan, format);
    }
    loaded_plan_release(&loaded);
    return status;
}

const struct command command_graph = {
    .name = "graph",
    .arguments = "PLAN | --states",
    .summary = "a plan's steps and what they wait for, as text, DOT or Mermaid",
    .least_arguments = 0,
    .most_arguments = 1,
    .options = options,
    .run = run,
};
