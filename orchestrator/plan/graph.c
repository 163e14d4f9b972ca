/* Cycles and ancestors of the steps' graph. Cycles are reported as the path that a reader can
 * follow with a finger; with one in it the graph has no ancestors worth the name, and none are
 * claimed. */
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "plan/scope.h"

enum mark_of_visit { UNSEEN, ON_PATH, DONE };

struct visit {
    const struct plan *plan;
    struct error_list *errors;
    enum mark_of_visit *marks;
    size_t *path;      /* the steps on the way, by index */
    size_t *next_need; /* of each step on the way, which need comes next */
    size_t depth;
    size_t *order; /* steps, each behind those that it waits for */
    size_t done;
    bool has_cycle;
};

/* The path runs from a step to what it waits for; it is told from the first to the last. */
static void report_cycle(struct visit *visit, size_t first)
{
    CLEANUP(buffer_release) struct buffer text = BUFFER_INIT;
    const struct plan_step *steps = visit->plan->steps.items;
    const struct plan_step *implied = NULL;
    size_t start = visit->depth;
    while (visit->path[start - 1] != first) {
        start--;
    }
    buffer_append_text(&text, steps[first].id);
    for (size_t i = visit->depth; i >= start; i--) {
        buffer_append_format(&text, " → %s", steps[visit->path[i - 1]].id);
        if (steps[visit->path[i - 1]].needs_are_implied) {
            implied = &steps[visit->path[i - 1]];
        }
    }
    const struct plan_step *at = &steps[first];
    struct error *err = error_list_add_at(
        visit->errors, ERROR_INVALID, visit->plan->document->file, at->at.line, at->at.column,
        "steps wait for each other in a circle: %s", buffer_text(&text));
    if (implied != NULL) {
        error_hint(err, "'%s' has no needs and so waits for '%s' above it", implied->id,
                   steps[implied->index - 1].id);
    }
    visit->has_cycle = true;
}

static void enter(struct visit *visit, size_t step)
{
    visit->marks[step] = ON_PATH;
    visit->path[visit->depth] = step;
    visit->next_need[visit->depth++] = 0;
}

/* Depth first without recursion: a plan may be one chain of thousands. */
static void walk(struct visit *visit, size_t start)
{
    enter(visit, start);
    while (visit->depth > 0) {
        size_t step = visit->path[visit->depth - 1];
        const struct plan_step *at = &visit->plan->steps.items[step];
        size_t next = visit->next_need[visit->depth - 1]++;
        if (next == at->needs.count) {
            visit->marks[step] = DONE;
            visit->order[visit->done++] = step;
            visit->depth--;
        } else if (visit->marks[at->needs.items[next]] == ON_PATH) {
            report_cycle(visit, at->needs.items[next]);
        } else if (visit->marks[at->needs.items[next]] == UNSEEN) {
            enter(visit, at->needs.items[next]);
        }
    }
}

static size_t words_of(size_t count)
{
    return (count + 63) / 64;
}

static void collect_ancestors(struct graph *graph, const struct plan *plan, const size_t *order)
{
    size_t words = words_of(graph->count);
    for (size_t i = 0; i < graph->count; i++) {
        uint64_t *row = graph->ancestors + order[i] * words;
        vector_each (const size_t *, need, &plan->steps.items[order[i]].needs) {
            const uint64_t *other = graph->ancestors + *need * words;
            for (size_t w = 0; w < words; w++) {
                row[w] |= other[w];
            }
            row[*need / 64] |= UINT64_C(1) << (*need % 64);
        }
    }
}

void graph_init(struct graph *graph, const struct plan *plan, struct error_list *errors)
{
    size_t count = plan->steps.count;
    struct visit visit = {
        .plan = plan,
        .errors = errors,
        .marks = memory_new(count + 1, sizeof *visit.marks),
        .path = memory_new(count + 1, sizeof *visit.path),
        .next_need = memory_new(count + 1, sizeof *visit.next_need),
        .order = memory_new(count + 1, sizeof *visit.order),
    };
    for (size_t i = 0; i < count; i++) {
        if (visit.marks[i] == UNSEEN) {
            walk(&visit, i);
        }
    }
    *graph = (struct graph){.count = count, .has_cycle = visit.has_cycle};
    graph->ancestors = memory_new(count * words_of(count) + 1, sizeof *graph->ancestors);
    if (!graph->has_cycle) {
        collect_ancestors(graph, plan, visit.order);
    }
    free(visit.marks);
    free(visit.path);
    free(visit.next_need);
    free(visit.order);
}

void graph_release(struct graph *graph)
{
    free(graph->ancestors);
    graph->ancestors = NULL;
}

bool graph_is_ancestor(const struct graph *graph, size_t ancestor, size_t step)
{
    const uint64_t *row = graph->ancestors + step * words_of(graph->count);
    return (row[ancestor / 64] >> (ancestor % 64)) & 1;
}
