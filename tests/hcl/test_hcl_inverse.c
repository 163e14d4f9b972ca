/* For every configuration file of this repository: an edit and its inverse give the same bytes, and
 * what one edit changes is where it was asked for. */
#include "hcl_test.h"

#include <stdlib.h>

#include "base/file.h"
#include "hcl/glob.h"
#include "hcl/literals.h"

static const char *const patterns[] = {"examples/**/*.tf",
                                       "examples/**/*.tfvars",
                                       "tests/golden/hcl/**/*.tf",
                                       "tests/golden/hcl/**/*.tfvars",
                                       "tests/golden/hcl/**/*.tf.json",
                                       "tests/golden/hcl/**/*.tfvars.json"};

static struct buffer apply(const struct hcl_document *document, struct hcl_splices *splices)
{
    struct buffer bytes = BUFFER_INIT;
    assert_int_equal(hcl_splices_apply(splices, buffer_span(&document->bytes), &bytes, NULL), 0);
    hcl_splices_release(splices);
    return bytes;
}

static struct buffer edit_bytes(const char *name, struct span bytes, const struct hcl_edit *edit)
{
    struct hcl_document document = {0};
    struct hcl_splices splices = {0};
    struct error err = ERROR_INIT;
    if (hcl_document_init(&document, name, hcl_format_of(name), bytes, &err) != 0 ||
        hcl_edit_plan(&document, edit, &splices, &err) != 0) {
        fail_msg("%s %s: %s\n%.*s", name, edit->address, err.message, (int)bytes.size_bytes,
                 bytes.data);
    }
    struct buffer edited = apply(&document, &splices);
    hcl_document_release(&document);
    if (hcl_document_init(&document, name, hcl_format_of(name), buffer_span(&edited), &err) != 0 ||
        hcl_edit_verify(&document, edit, &err) != 0) {
        fail_msg("%s %s: %s\n%s", name, edit->address, err.message, buffer_text(&edited));
    }
    hcl_document_release(&document);
    return edited;
}

static void check_same(const char *what, struct span wanted, struct buffer *got)
{
    if (!span_equals(wanted, buffer_span(got))) {
        fail_msg("%s\n--- was\n%.*s\n--- is\n%s", what, (int)wanted.size_bytes, wanted.data,
                 buffer_text(got));
    }
    buffer_release(got);
}

/* The address of a value that can be reached by names alone, without a choice; NULL otherwise. */
static char *address_of(const struct hcl_document *document, size_t index)
{
    struct buffer address = BUFFER_INIT;
    size_t chain[HCL_DEPTH_LIMIT * 3];
    size_t depth = 0;
    for (size_t i = index; i != 0; i = hcl_tree_at(&document->tree, i)->parent) {
        chain[depth++] = i;
    }
    while (depth-- > 0) {
        const struct hcl_node *node = hcl_tree_at(&document->tree, chain[depth]);
        const struct hcl_node *above = hcl_tree_at(&document->tree, node->parent);
        if (node->kind == HCL_EXPRESSION || node->kind == HCL_TEMPLATE ||
            (above->kind == HCL_TUPLE && document->format == HCL_FORMAT_CONFIG_JSON)) {
            break;
        }
        if (above->kind == HCL_TUPLE) {
            size_t position = 0;
            for (size_t i = above->first_child; i != chain[depth];
                 i = hcl_tree_at(&document->tree, i)->next) {
                position++;
            }
            buffer_append_format(&address, "[%zu]", position);
        }
        if (node->name == NULL) {
            continue;
        }
        if (address.size_bytes == 0 &&
            !(((node->name[0] | 32) >= 'a' && (node->name[0] | 32) <= 'z') ||
              (unsigned char)node->name[0] >= 0x80)) {
            buffer_release(&address);
            return NULL;
        }
        buffer_append_format(&address, address.size_bytes == 0 ? "%s" : "[\"%s\"]", node->name);
        for (size_t i = node->first_child; node->kind == HCL_BLOCK && i != node->last_child;
             i = hcl_tree_at(&document->tree, i)->next) {
            buffer_append_format(&address, "[\"%s\"]", hcl_tree_at(&document->tree, i)->name);
        }
    }
    struct hcl_location location = {0};
    bool reached = address.size_bytes > 0 &&
                   hcl_locate_values(document, buffer_text(&address), &location, NULL) == 0 &&
                   location.places.items[0] == index;
    hcl_location_release(&location);
    if (!reached) {
        buffer_release(&address);
        return NULL;
    }
    return buffer_take(&address);
}

static size_t edits_checked;

/* Sets a string to another one and back. Only what is written in its shortest form comes back byte
 * for byte, so others are compared by what they mean. */
static void set_and_back(const struct hcl_document *document, size_t index)
{
    CLEANUP(memory_cleanup) char *address = address_of(document, index);
    json_t *value = address != NULL ? hcl_value_read(document, index, NULL) : NULL;
    if (!json_is_string(value)) {
        json_decref(value);
        return;
    }
    const struct hcl_node *node = hcl_tree_at(&document->tree, index);
    json_t *other = json_string("changed \"${x}\" \\ and\nmore");
    struct hcl_edit there = {address, HCL_EDIT_SET, other, false};
    struct hcl_edit back = {address, HCL_EDIT_SET, value, false};
    struct span old_bytes = buffer_span(&document->bytes);
    struct buffer changed = edit_bytes(document->name, old_bytes, &there);
    size_t tail = old_bytes.size_bytes - node->offset - node->size_bytes;
    assert_memory_equal(changed.data, old_bytes.data, node->offset);
    assert_memory_equal(changed.data + changed.size_bytes - tail,
                        old_bytes.data + node->offset + node->size_bytes, tail);
    struct buffer again = edit_bytes(document->name, buffer_span(&changed), &back);
    struct buffer shortest = BUFFER_INIT;
    buffer_append_char(&shortest, '"');
    hcl_quote_append(&shortest, span_of(json_string_value(value), json_string_length(value)),
                     hcl_document_quoting(document));
    buffer_append_char(&shortest, '"');
    if (span_equals(buffer_span(&shortest),
                    hcl_document_span(document, node->offset, node->size_bytes))) {
        check_same(address, old_bytes, &again);
        edits_checked++;
    }
    buffer_release(&again);
    buffer_release(&shortest);
    buffer_release(&changed);
    json_decref(other);
    json_decref(value);
}

/* Adds a name to a body or object and removes it. */
static void add_and_remove(const struct hcl_document *document, size_t index)
{
    const struct hcl_node *node = hcl_tree_at(&document->tree, index);
    bool root = index == 0 && document->format != HCL_FORMAT_CONFIG;
    CLEANUP(memory_cleanup) char *prefix = root ? memory_text("") : NULL;
    if (node->kind == HCL_OBJECT && index != 0) {
        prefix = address_of(document, index);
    }
    if (prefix == NULL) {
        return;
    }
    CLEANUP(memory_cleanup)
    char *address = memory_format(prefix[0] != '\0' ? "%s.added" : "%sadded", prefix);
    json_t *value = json_pack("{s:[i,s], s:b}", "k", 1, "${x}", "l", 1);
    struct hcl_edit add = {address, HCL_EDIT_ADD, value, false};
    struct hcl_edit take = {address, HCL_EDIT_REMOVE, NULL, false};
    struct span old_bytes = buffer_span(&document->bytes);
    struct buffer changed = edit_bytes(document->name, old_bytes, &add);
    struct buffer again = edit_bytes(document->name, buffer_span(&changed), &take);
    bool was_empty = node->first_child == 0; /* then a blank or a newline is left between */
    if (!was_empty) {
        check_same(address, old_bytes, &again);
        edits_checked++;
    }
    buffer_release(&again);
    buffer_release(&changed);
    json_decref(value);
}

/* Maps a region to one that occurs nowhere, and back. */
static void map_and_back(const struct hcl_document *document)
{
    struct hcl_words there = {0};
    struct hcl_words back = {0};
    struct hcl_splices splices = {0};
    unsigned places = HCL_PLACE_VALUE | HCL_PLACE_HEREDOC | HCL_PLACE_KEY | HCL_PLACE_COMMENT;
    hcl_words_add(&there, "us-east-2", "ap-southeast-7");
    hcl_words_add(&back, "ap-southeast-7", "us-east-2");
    struct hcl_findings left = {0};
    hcl_literals_map(document, &there, places, &splices);
    size_t count = splices.list.count;
    bool escaped = false;
    for (size_t i = 0; i < count; i++) {
        escaped |= splices.list.items[i].removed_bytes > strlen("us-east-2") + 1;
    }
    struct buffer changed = apply(document, &splices);
    struct hcl_document moved = {0};
    assert_int_equal(
        hcl_document_init(&moved, document->name, document->format, buffer_span(&changed), NULL),
        0);
    hcl_literals_find(&moved, &there, 10, &left);
    assert_int_equal(left.list.count, 0);
    hcl_literals_map(&moved, &back, places, &splices);
    assert_int_equal(splices.list.count, count);
    struct buffer again = apply(&moved, &splices);
    if (!escaped) {
        check_same(document->name, buffer_span(&document->bytes), &again);
        edits_checked += count;
    }
    buffer_release(&again);
    buffer_release(&changed);
    hcl_findings_release(&left);
    hcl_document_release(&moved);
    hcl_words_release(&there);
    hcl_words_release(&back);
}

static void an_edit_and_its_inverse_give_the_same_bytes(void **state)
{
    (void)state;
    struct hcl_paths paths = {0};
    assert_int_equal(hcl_glob_list(DRCTL_SOURCE_DIR, patterns, ARRAY_SIZE(patterns), &paths, NULL),
                     0);
    assert_true(paths.list.count >= 27);
    for (size_t i = 0; i < paths.list.count; i++) {
        struct buffer bytes = BUFFER_INIT;
        CLEANUP(memory_cleanup) char *path = file_join(DRCTL_SOURCE_DIR, paths.list.items[i]);
        struct error err = ERROR_INIT;
        struct hcl_document document = {0};
        assert_int_equal(file_read(path, HCL_FILE_LIMIT_BYTES, &bytes, NULL), 0);
        if (hcl_document_init(&document, path, hcl_format_of(path), buffer_span(&bytes), &err) !=
            0) {
            error_release(&err); /* golden folders hold broken files on purpose */
            assert_non_null(strstr(path, "tests/golden/hcl/broken-"));
            buffer_release(&bytes);
            continue;
        }
        for (size_t node = 0; node < document.tree.nodes.count; node++) {
            set_and_back(&document, node);
            add_and_remove(&document, node);
        }
        map_and_back(&document);
        hcl_document_release(&document);
        buffer_release(&bytes);
    }
    print_message("%zu edits undone in %zu files\n", edits_checked, paths.list.count);
    assert_true(edits_checked > 150);
    hcl_paths_release(&paths);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_edit_and_its_inverse_give_the_same_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
