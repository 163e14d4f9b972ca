/* Walks the tree one step at a time with the set of places reached so far. What makes it more than
 * a loop: a block is reached by its type and all of its labels at once, several blocks may answer
 * to the same name, and JSON writes blocks as objects or as lists of objects. */
#include "hcl/locate.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/nearest.h"

enum { KNOWN_LIMIT = 12 }; /* names that an error lists */

struct walk {
    const struct hcl_document *document;
    const struct hcl_address *address;
    size_t step_count;
    struct hcl_location *location;
};

static void walk_from(struct walk *walk, size_t place, size_t step);

static const struct hcl_node *node_at(const struct walk *walk, size_t index)
{
    return hcl_tree_at(&walk->document->tree, index);
}

static const struct hcl_step *step_at(const struct walk *walk, size_t step)
{
    return step < walk->step_count ? &walk->address->steps.items[step] : NULL;
}

/* Notes that `step` leads nowhere from place. The farthest such steps are what errors tell of. */
static void dead_end(struct walk *walk, size_t place, size_t step)
{
    struct hcl_location *location = walk->location;
    if (step > location->steps_found) {
        location->steps_found = step;
        location->reached.count = 0;
    }
    if (step == location->steps_found) {
        vector_push(&location->reached, place);
    }
}

struct group {
    VECTOR(size_t)
    places;
};

/* True when attribute `name` of a body or object is the string `value`. */
static bool has_attribute(const struct walk *walk, size_t place, const char *name,
                          const char *value)
{
    size_t attribute = hcl_tree_child_named(&walk->document->tree, place, name);
    if (attribute == 0 ||
        node_at(walk, node_at(walk, attribute)->first_child)->kind != HCL_STRING) {
        return false;
    }
    const struct hcl_node *text = node_at(walk, node_at(walk, attribute)->first_child);
    struct hcl_meaning meaning = {0};
    size_t bad = 0;
    int result = hcl_meaning_decode(
        hcl_document_span(walk->document, text->offset + 1, text->size_bytes - 2),
        hcl_document_quoting(walk->document), &meaning, &bad);
    bool equal = result == 0 && strcmp(buffer_text(&meaning.text), value) == 0;
    hcl_meaning_release(&meaning);
    return equal;
}

/* Goes on from a group of places that share a name: a selector in brackets picks from them. */
static void walk_group(struct walk *walk, const struct group *group, size_t parent, size_t step)
{
    const struct hcl_step *selector = step_at(walk, step);
    bool selects = selector != NULL && selector->kind != HCL_STEP_NAME;
    size_t taken = 0;
    for (size_t i = 0; i < group->places.count; i++) {
        size_t place = group->places.items[i];
        if (selects && ((selector->kind == HCL_STEP_INDEX && selector->index != i) ||
                        (selector->kind == HCL_STEP_WHERE &&
                         !has_attribute(walk, place, selector->name, selector->value)))) {
            continue;
        }
        walk->location->means_all |= selects && selector->kind == HCL_STEP_ALL;
        walk_from(walk, place, step + selects);
        taken++;
    }
    if (taken == 0) {
        dead_end(walk, parent, step);
    }
}

/* True when the block's labels are the steps from `step` on; *ret_after is the step behind them. */
static bool labels_match(struct walk *walk, size_t block, size_t step, size_t *ret_after)
{
    for (size_t i = node_at(walk, block)->first_child; i != 0; i = node_at(walk, i)->next) {
        if (node_at(walk, i)->kind != HCL_LABEL) {
            continue;
        }
        const struct hcl_step *wanted = step_at(walk, step);
        if (wanted == NULL || wanted->kind != HCL_STEP_NAME ||
            strcmp(wanted->name, node_at(walk, i)->name) != 0) {
            dead_end(walk, block, step);
            return false;
        }
        step++;
    }
    *ret_after = step;
    return true;
}

static void walk_body(struct walk *walk, size_t body, size_t step)
{
    const struct hcl_step *wanted = step_at(walk, step);
    struct group group = {0};
    size_t after = step + 1;
    bool found = false;
    for (size_t i = node_at(walk, body)->first_child; i != 0; i = node_at(walk, i)->next) {
        const struct hcl_node *node = node_at(walk, i);
        if (wanted->kind != HCL_STEP_NAME || strcmp(node->name, wanted->name) != 0) {
            continue;
        }
        found = true;
        if (node->kind == HCL_ATTRIBUTE) {
            walk_from(walk, node->first_child, step + 1);
        } else if (labels_match(walk, i, step + 1, &after)) {
            vector_push(&group.places, node->last_child);
        }
    }
    if (!found) {
        dead_end(walk, body, step);
    } else if (group.places.count > 0) {
        walk_group(walk, &group, body, after);
    }
    vector_release(&group.places);
}

static void walk_tuple(struct walk *walk, size_t tuple, size_t step)
{
    struct group group = {0};
    for (size_t i = node_at(walk, tuple)->first_child; i != 0; i = node_at(walk, i)->next) {
        vector_push(&group.places, i);
    }
    const struct hcl_step *wanted = step_at(walk, step);
    bool is_block_list = walk->document->format == HCL_FORMAT_CONFIG_JSON;
    if (wanted->kind == HCL_STEP_NAME && !is_block_list) {
        dead_end(walk, tuple, step);
    } else {
        walk_group(walk, &group, tuple, step);
    }
    vector_release(&group.places);
}

static void walk_object(struct walk *walk, size_t object, size_t step)
{
    const struct hcl_step *wanted = step_at(walk, step);
    if (wanted->kind == HCL_STEP_NAME) {
        size_t item = hcl_tree_child_named(&walk->document->tree, object, wanted->name);
        if (item == 0) {
            dead_end(walk, object, step);
        } else {
            walk_from(walk, node_at(walk, item)->first_child, step + 1);
        }
        return;
    }
    struct group single = {0};
    vector_push(&single.places, object);
    if (walk->document->format == HCL_FORMAT_CONFIG_JSON) {
        walk_group(walk, &single, object, step);
    } else {
        dead_end(walk, object, step);
    }
    vector_release(&single.places);
}

static void walk_from(struct walk *walk, size_t place, size_t step)
{
    if (step == walk->step_count) {
        vector_push(&walk->location->places, place);
        return;
    }
    switch (node_at(walk, place)->kind) {
    case HCL_BODY:
        walk_body(walk, place, step);
        break;
    case HCL_OBJECT:
        walk_object(walk, place, step);
        break;
    case HCL_TUPLE:
        walk_tuple(walk, place, step);
        break;
    default:
        dead_end(walk, place, step);
    }
}

static void offer(struct nearest *nearest, struct buffer *known, size_t *count, const char *name)
{
    if (name == NULL || (*count)++ >= KNOWN_LIMIT) {
        return;
    }
    buffer_append_format(known, "%s%s", known->size_bytes > 0 ? ", " : "", name);
    nearest_offer(nearest, name);
}

/* What could have stood where the walk ended. */
static void suggest(struct walk *walk)
{
    struct hcl_location *location = walk->location;
    const struct hcl_step *wanted = step_at(walk, location->steps_found);
    struct nearest nearest;
    struct buffer known = BUFFER_INIT;
    size_t count = 0;
    nearest_init(&nearest, wanted->name != NULL ? wanted->name : "");
    for (size_t r = 0; r < location->reached.count; r++) {
        const struct hcl_node *reached = node_at(walk, location->reached.items[r]);
        for (size_t i = reached->first_child; i != 0; i = node_at(walk, i)->next) {
            const struct hcl_node *child = node_at(walk, i);
            bool fits = reached->kind == HCL_BLOCK ? child->kind == HCL_LABEL : child->name != NULL;
            offer(&nearest, &known, &count, fits ? child->name : NULL);
        }
    }
    if (wanted->kind == HCL_STEP_NAME) {
        location->suggestion = memory_text(nearest.best);
    }
    if (count > 0 && count <= KNOWN_LIMIT) {
        location->known = buffer_take(&known);
    }
    buffer_release(&known);
}

void hcl_locate(const struct hcl_document *document, const struct hcl_address *address,
                size_t step_count, struct hcl_location *location)
{
    struct walk walk = {document, address, step_count, location};
    *location = (struct hcl_location){0};
    walk_from(&walk, 0, 0);
    if (location->places.count == 0) {
        suggest(&walk);
    }
}

void hcl_location_release(struct hcl_location *location)
{
    vector_release(&location->places);
    vector_release(&location->reached);
    free(location->suggestion);
    free(location->known);
    *location = (struct hcl_location){0};
}

static int not_found(const struct hcl_document *document, const struct hcl_address *address,
                     const char *text, const struct hcl_location *location, struct error *err)
{
    size_t reached = location->reached.count > 0 ? location->reached.items[0] : 0;
    const struct hcl_node *node = hcl_tree_at(&document->tree, reached);
    const struct hcl_step *step = &address->steps.items[location->steps_found];
    struct error found = ERROR_INIT;
    if (node->kind >= HCL_STRING && node->kind <= HCL_EXPRESSION) {
        hcl_document_error(document, &found, node->offset,
                           "there is no %s: what stands here has no parts", text);
    } else if (address->steps.count == 1) {
        hcl_document_error(document, &found, node->offset, "there is no %s", text);
    } else if (step->kind == HCL_STEP_NAME) {
        hcl_document_error(document, &found, node->offset, "there is no %s: no '%s' here", text,
                           step->name);
    } else {
        hcl_document_error(document, &found, node->offset, "there is no %s: nothing fits step %zu",
                           text, location->steps_found + 1);
    }
    found.code = ERROR_NOT_FOUND;
    if (location->suggestion != NULL) {
        error_hint(&found, "did you mean %s?", location->suggestion);
    } else if (location->known != NULL) {
        error_hint(&found, "there is: %s", location->known);
    }
    if (!error_is_set(err)) {
        error_move(err, &found);
    }
    error_release(&found);
    return -1;
}

static int ambiguous(const struct hcl_document *document, const char *text,
                     const struct hcl_location *location, struct error *err)
{
    CLEANUP(buffer_release) struct buffer lines = BUFFER_INIT;
    for (size_t i = 0; i < location->places.count; i++) {
        size_t line = 0;
        size_t column = 0;
        hcl_position(buffer_span(&document->bytes),
                     hcl_tree_at(&document->tree, location->places.items[i])->offset, &line,
                     &column);
        buffer_append_format(&lines, "%s%zu", i > 0 ? ", " : "", line);
    }
    hcl_document_error(
        document, err, hcl_tree_at(&document->tree, location->places.items[0])->offset,
        "%s is there %zu times, on lines %s", text, location->places.count, buffer_text(&lines));
    return error_hint(err,
                      "choose one with [0], [1] … or [name=\"value\"] behind its block, or all "
                      "with [*]");
}

int hcl_locate_values(const struct hcl_document *document, const char *text,
                      struct hcl_location *location, struct error *err)
{
    struct hcl_address address = {0};
    if (hcl_address_parse(text, &address, err) != 0) {
        return -1;
    }
    hcl_locate(document, &address, address.steps.count, location);
    int result = 0;
    if (location->places.count == 0) {
        result = not_found(document, &address, text, location, err);
    } else if (location->places.count > 1 && !location->means_all) {
        result = ambiguous(document, text, location, err);
    }
    for (size_t i = 0; result == 0 && i < location->places.count; i++) {
        const struct hcl_node *node = hcl_tree_at(&document->tree, location->places.items[i]);
        if (node->kind == HCL_BODY) {
            result =
                hcl_document_error(document, err, node->offset, "%s is a block, not a value", text);
        }
    }
    hcl_address_release(&address);
    if (result != 0) {
        hcl_location_release(location);
    }
    return result;
}
