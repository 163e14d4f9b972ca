/* The rewrite as a program, for the oracle:
 *   hcl_tool check FILE           exit 0 when the file parses, else 1 with the error
 *   hcl_tool values FILE          the values of a .tfvars as JSON
 *   hcl_tool list FILE            one line of JSON for each string value: {"address", "value"}
 *   hcl_tool rewrite ROOT REQUEST writes the files; prints the difference, or all errors (exit 1)
 */
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "hcl/rewrite_request.h"
#include "hcl/value.h"

static int report(struct error *err)
{
    CLEANUP(memory_cleanup) char *text = error_format(err);
    fprintf(stderr, "%s\n", text);
    error_release(err);
    return 1;
}

static int open_document(const char *path, struct hcl_document *document, struct error *err)
{
    CLEANUP(buffer_release) struct buffer bytes = BUFFER_INIT;
    if (file_read(path, HCL_FILE_LIMIT_BYTES, &bytes, err) != 0) {
        return -1;
    }
    return hcl_document_init(document, path, hcl_format_of(path), buffer_span(&bytes), err);
}

static void print_string(const struct hcl_document *document, const char *address, size_t node)
{
    json_t *value = hcl_value_read(document, node, NULL);
    if (json_is_string(value)) {
        json_t *line = json_pack("{s:s, s:o}", "address", address, "value", value);
        CLEANUP(memory_cleanup) char *text = json_canonical(line);
        puts(text);
        json_decref(line);
    } else {
        json_decref(value);
    }
}

/* Goes through bodies, objects and tuples; addresses as hcl_address_parse() reads them. */
static void list_strings(const struct hcl_document *document, const char *address, size_t index)
{
    size_t position = 0;
    const struct hcl_node *node = hcl_tree_at(&document->tree, index);
    print_string(document, address, index);
    for (size_t i = node->first_child; i != 0; i = hcl_tree_at(&document->tree, i)->next) {
        const struct hcl_node *child = hcl_tree_at(&document->tree, i);
        struct buffer next = BUFFER_INIT;
        buffer_append_text(&next, address);
        if (node->kind == HCL_TUPLE) {
            buffer_append_format(&next, "[%zu]", position++);
            list_strings(document, buffer_text(&next), i);
        } else if (child->name != NULL && (child->kind == HCL_ITEM || child->kind == HCL_BLOCK ||
                                           child->kind == HCL_ATTRIBUTE)) {
            buffer_append_text(&next, address[0] == '\0' ? "" : "[\"");
            hcl_quote_append(&next, span_of_text(child->name), HCL_QUOTING_JSON);
            buffer_append_text(&next, address[0] == '\0' ? "" : "\"]");
            for (size_t label = child->first_child;
                 child->kind == HCL_BLOCK && label != child->last_child;
                 label = hcl_tree_at(&document->tree, label)->next) {
                buffer_append_format(&next, "[\"%s\"]", hcl_tree_at(&document->tree, label)->name);
            }
            list_strings(document, buffer_text(&next), child->last_child);
        }
        buffer_release(&next);
    }
}

static int rewrite(const char *root, const char *request_path)
{
    struct error err = ERROR_INIT;
    struct error_list errors = {0};
    struct hcl_rewrite_request request = {0};
    struct hcl_rewrite_result result = {0};
    CLEANUP(buffer_release) struct buffer diff = BUFFER_INIT;
    json_t *object = json_read_file(request_path, HCL_FILE_LIMIT_BYTES, &err);
    int status = 0;
    if (object == NULL || hcl_rewrite_request_read(&request, root, object, &err) != 0) {
        status = report(&err);
    } else if (hcl_rewrite_compute(&request, &result, &errors) != 0) {
        vector_each (struct error *, one, &errors.errors) {
            status = report(one);
        }
    } else if (hcl_rewrite_write(root, &result, &err) != 0) {
        status = report(&err);
    } else {
        hcl_rewrite_append_diff(&diff, &result);
        fwrite(buffer_text(&diff), 1, diff.size_bytes, stdout);
    }
    hcl_rewrite_result_release(&result);
    hcl_rewrite_request_release(&request);
    error_list_release(&errors);
    json_decref(object);
    return status;
}

int main(int argc, char **argv)
{
    struct error err = ERROR_INIT;
    struct hcl_document document = {0};
    if (argc == 4 && strcmp(argv[1], "rewrite") == 0) {
        return rewrite(argv[2], argv[3]);
    }
    if (argc != 3) {
        return 2;
    }
    if (open_document(argv[2], &document, &err) != 0) {
        return report(&err);
    }
    if (strcmp(argv[1], "list") == 0) {
        list_strings(&document, "", 0);
    } else if (strcmp(argv[1], "values") == 0) {
        json_t *values = hcl_values_read(&document, &err);
        CLEANUP(memory_cleanup) char *text = values != NULL ? json_canonical(values) : NULL;
        puts(text != NULL ? text : "null");
        json_decref(values);
    }
    hcl_document_release(&document);
    return error_is_set(&err) ? report(&err) : 0;
}
