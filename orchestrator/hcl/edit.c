/* From "this address shall have that value" to the fewest bytes that say so. */
#include "hcl/edit.h"

#include "hcl/locate.h"
#include "hcl/value.h"

const char *hcl_document_newline(const struct hcl_document *document)
{
    struct span bytes = buffer_span(&document->bytes);
    const char *newline = memchr(bytes.data, '\n', bytes.size_bytes);
    return newline != NULL && newline > bytes.data && newline[-1] == '\r' ? "\r\n" : "\n";
}

size_t hcl_document_line_start(const struct hcl_document *document, size_t offset)
{
    size_t bom = hcl_bom_size(buffer_span(&document->bytes));
    while (offset > bom && document->bytes.data[offset - 1] != '\n') {
        offset--;
    }
    return offset;
}

struct span hcl_document_indent(const struct hcl_document *document, size_t offset)
{
    size_t start = hcl_document_line_start(document, offset);
    size_t size_bytes = 0;
    while (start + size_bytes < offset && (document->bytes.data[start + size_bytes] == ' ' ||
                                           document->bytes.data[start + size_bytes] == '\t')) {
        size_bytes++;
    }
    return hcl_document_span(document, start, size_bytes);
}

struct span hcl_document_unit(const struct hcl_document *document, size_t offset)
{
    if (span_starts_with(hcl_document_indent(document, offset), "\t")) {
        return span_of_text("\t");
    }
    for (size_t i = 1; i < document->tree.nodes.count; i++) {
        const struct hcl_node *node = hcl_tree_at(&document->tree, i);
        if (node->kind != HCL_ATTRIBUTE && node->kind != HCL_ITEM) {
            continue;
        }
        struct span own = hcl_document_indent(document, node->offset);
        struct span outer =
            hcl_document_indent(document, hcl_tree_at(&document->tree, node->parent)->offset);
        if (own.size_bytes > outer.size_bytes && own.size_bytes - outer.size_bytes <= 8) {
            return span_of(own.data + outer.size_bytes, own.size_bytes - outer.size_bytes);
        }
    }
    return span_of_text("  ");
}

static bool same_keys(const struct hcl_document *document, size_t object, const json_t *value)
{
    for (size_t i = hcl_tree_at(&document->tree, object)->first_child; i != 0;
         i = hcl_tree_at(&document->tree, i)->next) {
        const char *name = hcl_tree_at(&document->tree, i)->name;
        if (name == NULL || json_object_get(value, name) == NULL) {
            return false;
        }
    }
    return hcl_tree_child_count(&document->tree, object) == json_object_size(value);
}

static bool spans_lines(const struct hcl_document *document, const struct hcl_node *node)
{
    struct span text = hcl_document_span(document, node->offset, node->size_bytes);
    return memchr(text.data, '\n', text.size_bytes) != NULL;
}

static void replace_whole(const struct hcl_document *document, const struct hcl_node *node,
                          const json_t *value, struct hcl_splices *splices)
{
    struct hcl_layout layout = {
        .newline = hcl_document_newline(document),
        .unit = hcl_document_unit(document, node->offset),
        .indent = hcl_document_indent(document, node->offset),
        .several_lines =
            (node->kind == HCL_OBJECT || node->kind == HCL_TUPLE) && spans_lines(document, node),
    };
    CLEANUP(buffer_release) struct buffer text = BUFFER_INIT;
    hcl_value_append(&text, value, document, &layout);
    hcl_splices_add(splices, node->offset, node->size_bytes, buffer_span(&text));
}

static void replace_value(const struct hcl_document *document, size_t index, const json_t *value,
                          struct hcl_splices *splices)
{
    const struct hcl_node *node = hcl_tree_at(&document->tree, index);
    json_t *known = hcl_value_read(document, index, NULL);
    bool equal = known != NULL && json_equal(known, value);
    json_decref(known);
    if (equal) {
        return;
    }
    bool same_object =
        node->kind == HCL_OBJECT && json_is_object(value) && same_keys(document, index, value);
    bool same_tuple = node->kind == HCL_TUPLE && json_is_array(value) &&
                      json_array_size(value) == hcl_tree_child_count(&document->tree, index);
    if (!same_object && !same_tuple) {
        replace_whole(document, node, value, splices);
        return;
    }
    size_t position = 0;
    for (size_t i = node->first_child; i != 0; i = hcl_tree_at(&document->tree, i)->next) {
        const struct hcl_node *child = hcl_tree_at(&document->tree, i);
        if (same_object) {
            replace_value(document, child->first_child, json_object_get(value, child->name),
                          splices);
        } else {
            replace_value(document, i, json_array_get(value, position++), splices);
        }
    }
}

static int plan_add(const struct hcl_document *document, const struct hcl_edit *edit,
                    struct hcl_splices *splices, struct error *err)
{
    struct hcl_address address = {0};
    if (hcl_address_parse(edit->address, &address, err) != 0) {
        return -1;
    }
    size_t last = address.steps.count - 1;
    const struct hcl_step *name = &address.steps.items[last];
    struct hcl_location location = {0};
    hcl_locate(document, &address, last, &location);
    int result = 0;
    if (name->kind != HCL_STEP_NAME) {
        result = error_set_at(err, ERROR_INVALID, document->name, 0, 0,
                              "%s cannot be added: only a named value can", edit->address);
    } else if (location.places.count == 0) {
        result = error_set_at(err, ERROR_NOT_FOUND, document->name, 0, 0,
                              "%s cannot be added: the file has no place for it", edit->address);
        if (location.suggestion != NULL) {
            error_hint(err, "did you mean %s?", location.suggestion);
        }
    } else if (location.places.count > 1 && !location.means_all) {
        result = error_set_at(err, ERROR_INVALID, document->name, 0, 0,
                              "%s cannot be added: there are %zu places for it", edit->address,
                              location.places.count);
        error_hint(err, "choose one with [0], [1] …, or all with [*]");
    }
    for (size_t i = 0; result == 0 && i < location.places.count; i++) {
        result =
            hcl_insert(document, location.places.items[i], name->name, edit->value, splices, err);
    }
    hcl_location_release(&location);
    hcl_address_release(&address);
    return result;
}

static int plan_located(const struct hcl_document *document, const struct hcl_edit *edit,
                        const struct hcl_location *location, struct hcl_splices *splices,
                        struct error *err)
{
    for (size_t i = 0; i < location->places.count; i++) {
        size_t place = location->places.items[i];
        size_t holder = hcl_tree_at(&document->tree, place)->parent;
        enum hcl_node_kind kind = hcl_tree_at(&document->tree, holder)->kind;
        if (edit->mode != HCL_EDIT_REMOVE) {
            replace_value(document, place, edit->value, splices);
        } else if (kind == HCL_ATTRIBUTE || kind == HCL_ITEM) {
            hcl_remove(document, holder, splices);
        } else {
            return hcl_document_error(document, err, hcl_tree_at(&document->tree, place)->offset,
                                      "%s is an element of a list: set the whole list instead",
                                      edit->address);
        }
    }
    return 0;
}

/* ADD of what is there: done already when it is the same value. */
static int plan_present(const struct hcl_document *document, const struct hcl_edit *edit,
                        const struct hcl_location *location, struct error *err)
{
    if (hcl_edit_verify(document, edit, NULL) == 0) {
        return 0;
    }
    return hcl_document_error(
        document, err, hcl_tree_at(&document->tree, location->places.items[0])->offset,
        "%s is there already, with another value: to change it, use set", edit->address);
}

int hcl_edit_plan(const struct hcl_document *document, const struct hcl_edit *edit,
                  struct hcl_splices *splices, struct error *err)
{
    struct hcl_location location = {0};
    struct error missing = ERROR_INIT;
    int result = 0;
    if (hcl_locate_values(document, edit->address, &location, &missing) == 0) {
        result = edit->mode == HCL_EDIT_ADD ? plan_present(document, edit, &location, err)
                                            : plan_located(document, edit, &location, splices, err);
        hcl_location_release(&location);
    } else if (missing.code == ERROR_NOT_FOUND &&
               (edit->mode == HCL_EDIT_ADD || edit->mode == HCL_EDIT_PUT)) {
        result = plan_add(document, edit, splices, err);
    } else if (missing.code != ERROR_NOT_FOUND || edit->mode != HCL_EDIT_REMOVE || !edit->again) {
        if (err != NULL && !error_is_set(err)) {
            error_move(err, &missing);
        }
        result = -1;
    }
    error_release(&missing);
    return result;
}

int hcl_edit_verify(const struct hcl_document *document, const struct hcl_edit *edit,
                    struct error *err)
{
    struct hcl_location location = {0};
    struct error missing = ERROR_INIT;
    bool found = hcl_locate_values(document, edit->address, &location, &missing) == 0;
    bool good = edit->mode == HCL_EDIT_REMOVE ? !found && missing.code == ERROR_NOT_FOUND : found;
    for (size_t i = 0; good && i < location.places.count; i++) {
        json_t *value = hcl_value_read(document, location.places.items[i], &missing);
        good = value != NULL && json_equal(value, edit->value);
        json_decref(value);
    }
    hcl_location_release(&location);
    error_release(&missing);
    return good ? 0
                : error_set_at(err, ERROR_INVALID, document->name, 0, 0,
                               "%s does not have the wanted value after the edit: nothing was "
                               "written",
                               edit->address);
}
