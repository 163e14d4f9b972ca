/* What a plan owns and how its parts are found. */
#include "plan/model.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static void free_names(char **names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(names[i]);
    }
}

static void release_step(struct plan_step *step)
{
    vector_release(&step->needs);
    free_names(step->lock_names.items, step->lock_names.count);
    vector_release(&step->lock_names);
}

void plan_free(struct plan *plan)
{
    if (plan == NULL) {
        return;
    }
    vector_each (struct plan_step *, step, &plan->steps) {
        release_step(step);
    }
    vector_release(&plan->steps);
    vector_release(&plan->inputs);
    vector_release(&plan->objectives);
    free_names(plan->without_regions.items, plan->without_regions.count);
    vector_release(&plan->without_regions);
    table_release(&plan->step_index);
    free(plan->target_name);
    document_free(plan->document);
    free(plan);
}

const struct plan_step *plan_find_step(const struct plan *plan, const char *id)
{
    size_t index;
    return table_get(&plan->step_index, id, &index) ? &plan->steps.items[index] : NULL;
}

const struct plan_input *plan_find_input(const struct plan *plan, const char *name)
{
    vector_each (const struct plan_input *, input, &plan->inputs) {
        if (strcmp(input->name, name) == 0) {
            return input;
        }
    }
    return NULL;
}

int plan_error(const struct plan *plan, struct mark at, struct error *err, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char *message = memory_format_v(format, arguments);
    va_end(arguments);
    error_set_at(err, ERROR_INVALID, plan->document->file, at.line, at.column, "%s", message);
    free(message);
    return -1;
}
