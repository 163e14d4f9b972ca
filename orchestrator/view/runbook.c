/* The plan's own words, in its own order. An argument that only a run can know is shown as the
 * expression that gives it, in <…>, so that a person sees where to take it from. */
#include "view/runbook.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "plan/resolve.h"

static bool is_known_later(struct span expression)
{
    return memmem(expression.data, expression.size_bytes, "steps.", 6) != NULL ||
           memmem(expression.data, expression.size_bytes, "each.", 5) != NULL ||
           memmem(expression.data, expression.size_bytes, "probe.", 6) != NULL;
}

/* One "${{ … }}": its value, or its text in <…>. */
static void append_part(struct buffer *out, struct span part, const struct context *context)
{
    struct resolved resolved = {0};
    if (!is_known_later(part) && resolve_file(part, "", context, &resolved, NULL) == 0) {
        bool secret = json_array_size(resolved.secrets) > 0;
        buffer_append_text(out, secret ? "***" : json_string_value(resolved.value));
        resolved_release(&resolved);
        return;
    }
    const char *start = part.data + 3;
    size_t size_bytes = part.size_bytes - 5;
    while (size_bytes > 0 && *start == ' ') {
        start++;
        size_bytes--;
    }
    while (size_bytes > 0 && start[size_bytes - 1] == ' ') {
        size_bytes--;
    }
    buffer_append_format(out, "<%.*s>", (int)size_bytes, start);
}

/* "${{ steps.a.outputs.id }}/${{ inputs.x }}" → "<steps.a.outputs.id>/value" */
static char *placeholders(const char *text, const struct context *context)
{
    struct buffer out = BUFFER_INIT;
    while (*text != '\0') {
        const char *end = strncmp(text, "${{", 3) == 0 ? strstr(text, "}}") : NULL;
        if (end == NULL) {
            buffer_append_char(&out, *text++);
            continue;
        }
        append_part(&out, span_of(text, (size_t)(end + 2 - text)), context);
        text = end + 2;
    }
    return buffer_take(&out);
}

static json_t *known_scalar(const struct plan *plan, const struct node *node,
                            const struct context *context)
{
    struct resolved resolved = {0};
    const char *text = node->text != NULL ? node->text : "";
    if (!is_known_later(span_of_text(text)) &&
        resolve_value(plan, node, context, &resolved, NULL) == 0) {
        json_t *value = json_array_size(resolved.secrets) > 0 ? json_string("***")
                                                              : json_incref(resolved.value);
        resolved_release(&resolved);
        return value;
    }
    CLEANUP(memory_cleanup) char *open = placeholders(text, context);
    return json_string(open);
}

static json_t *known_value(const struct plan *plan, const struct node *node,
                           const struct context *context)
{
    if (node->kind == NODE_MAP) {
        json_t *map = json_object();
        for (size_t i = 0; i < node->count; i++) {
            CLEANUP(memory_cleanup) char *key = placeholders(node->keys[i]->text, context);
            json_object_set_new(map, key, known_value(plan, node->items[i], context));
        }
        return map;
    }
    if (node->kind == NODE_LIST) {
        json_t *list = json_array();
        for (size_t i = 0; i < node->count; i++) {
            json_array_append_new(list, known_value(plan, node->items[i], context));
        }
        return list;
    }
    return known_scalar(plan, node, context);
}

static void append_env(struct buffer *out, const struct plan *plan, const struct node *env,
                       const char *before, const struct context *context)
{
    if (env == NULL) {
        return;
    }
    CLEANUP(json_cleanup) json_t *values = known_value(plan, env, context);
    CLEANUP(buffer_release) struct buffer lines = BUFFER_INIT;
    const char *key;
    json_t *value;
    json_object_foreach (values, key, value) {
        CLEANUP(memory_cleanup)
        char *text =
            json_is_string(value) ? memory_text(json_string_value(value)) : json_canonical(value);
        buffer_append_format(&lines, "%sexport %s='%s'", lines.size_bytes > 0 ? "\n" : "", key,
                             text);
    }
    buffer_append_format(out, "\n%s\n\n```bash\n%s\n```\n", before, buffer_text(&lines));
}

static void append_block(struct buffer *out, const char *kind, const char *text)
{
    buffer_append_format(out, "\n```%s\n%s\n```\n", kind, text);
}

static void append_call(struct buffer *out, const struct plan *plan, const struct plan_call *call,
                        const struct context *context)
{
    CLEANUP(json_cleanup)
    json_t *arguments = call->with != NULL ? known_value(plan, call->with, context) : json_object();
    CLEANUP(buffer_release) struct buffer commands = BUFFER_INIT;
    runbook_commands(&commands, call->uses, arguments);
    if (commands.size_bytes > 0) {
        append_block(out, "bash", buffer_text(&commands));
    }
    const char *key;
    json_t *value;
    bool first = true;
    json_object_foreach (arguments, key, value) {
        CLEANUP(memory_cleanup)
        char *text =
            json_is_string(value) ? memory_text(json_string_value(value)) : json_canonical(value);
        bool lines = strchr(text, '\n') != NULL;
        buffer_append_format(out, "%s- %s: %s%s%s\n", first ? "\n" : "", key, lines ? "" : "`",
                             lines ? "(several lines)" : text, lines ? "" : "`");
        if (lines) {
            append_block(out, "", text);
        }
        first = false;
    }
}

static void append_needs(struct buffer *out, const struct plan *plan, const struct plan_step *step)
{
    if (step->needs_are_implied || step->needs.count == 0) {
        buffer_append_text(out, step->needs.count == 0 && step->index > 0
                                    ? "\nNeeds nothing above: can be done at once.\n"
                                    : "");
        return;
    }
    buffer_append_text(out, "\nOnly when these are done: ");
    vector_each (const size_t *, need, &step->needs) {
        buffer_append_format(out, "%s%s", need == step->needs.items ? "" : ", ",
                             plan->steps.items[*need].id);
    }
    buffer_append_text(out, ".\n");
}

static void append_template(struct buffer *out, const char *what, const struct plan *plan,
                            const struct node *node, const struct context *context)
{
    if (node != NULL) {
        CLEANUP(json_cleanup) json_t *value = known_value(plan, node, context);
        CLEANUP(memory_cleanup)
        char *text =
            json_is_string(value) ? memory_text(json_string_value(value)) : json_canonical(value);
        buffer_append_format(out, "\n%s: %s\n", what, text);
    }
}

static void append_step(struct buffer *out, const struct plan *plan, const struct plan_step *step,
                        const struct context *context)
{
    buffer_append_format(out, "\n## %zu. %s\n\n", step->index + 1, step->name);
    if (step->description != NULL) {
        buffer_append_format(out, "%s\n\n", step->description);
    }
    buffer_append_format(out, "%s (`%s`, step `%s`).\n",
                         step->call.action != NULL ? step->call.action->summary : "",
                         step->call.uses, step->id);
    append_needs(out, plan, step);
    if (step->condition != NULL) {
        CLEANUP(memory_cleanup) char *text = placeholders(step->condition->text, context);
        buffer_append_format(out, "\nOnly if: `%s`\n", text);
    }
    append_template(out, "For each of", plan, step->for_each, context);
    append_template(out, "First let a second person agree", plan, step->confirm, context);
    append_env(out, plan, step->env, "For this step alone:", context);
    if (step->probe.uses != NULL) {
        buffer_append_text(out, "\nLook first whether it is done already:\n");
        append_call(out, plan, &step->probe, context);
        buffer_append_text(out, "\nIf not:\n");
    }
    append_call(out, plan, &step->call, context);
    if (step->retry.attempts > 1) {
        buffer_append_format(out, "\nWhen it fails: up to %u attempts.\n", step->retry.attempts);
    }
}

static void append_objectives(struct buffer *out, const struct plan *plan)
{
    if (plan->objectives.count == 0) {
        return;
    }
    buffer_append_text(out, "\n| Component | RTO | RPO | Reached by |\n|---|---|---|---|\n");
    vector_each (const struct plan_objective *, objective, &plan->objectives) {
        CLEANUP(memory_cleanup) char *rto = clock_format_duration(objective->rto_ms);
        CLEANUP(memory_cleanup) char *rpo = clock_format_duration(objective->rpo_ms);
        buffer_append_format(
            out, "| %s | %s | %s | %s |\n", objective->component,
            objective->rto_ms > 0 ? rto : "N/A", objective->rpo_ms > 0 ? rpo : "N/A",
            objective->step < plan->steps.count ? plan->steps.items[objective->step].id
                                                : "the end");
    }
}

void runbook_append(struct buffer *out, const struct plan *plan, const struct context *context)
{
    buffer_append_format(out, "# %s\n\n%s\n", plan->name,
                         plan->summary != NULL ? plan->summary : "");
    if (plan->description != NULL) {
        buffer_append_format(out, "\n%s\n", plan->description);
    }
    if (plan->duration_text != NULL) {
        buffer_append_format(out, "\nEstimated time: %s\n", plan->duration_text);
    }
    append_objectives(out, plan);
    buffer_append_text(out,
                       "\nWhat stands in `<…>` is found out on the way: by an earlier step, or "
                       "from an input.\n");
    append_env(out, plan, plan->env,
               "First of all, in the shell that is used for everything:", context);
    vector_each (const struct plan_step *, step, &plan->steps) {
        append_step(out, plan, step, context);
    }
}
