/* The file's name decides how it is read, as it does for terraform. */
#include "hcl/hcl_document.h"

#include <stdlib.h>

#include "base/memory.h"
#include "hcl/parser.h"

static const struct {
    const char *suffix;
    enum hcl_format format;
} suffixes[] = {
    {".tfvars.json", HCL_FORMAT_VALUES_JSON}, {".tf.json", HCL_FORMAT_CONFIG_JSON},
    {".tfvars", HCL_FORMAT_VALUES},           {".tf", HCL_FORMAT_CONFIG},
    {".tfbackend", HCL_FORMAT_VALUES},        {".hcl", HCL_FORMAT_CONFIG},
};

enum hcl_format hcl_format_of(const char *name)
{
    size_t size_bytes = strlen(name);
    for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
        size_t suffix_bytes = strlen(suffixes[i].suffix);
        if (size_bytes > suffix_bytes &&
            strcmp(name + size_bytes - suffix_bytes, suffixes[i].suffix) == 0) {
            return suffixes[i].format;
        }
    }
    return HCL_FORMAT_TEXT;
}

bool hcl_format_is_json(enum hcl_format format)
{
    return format == HCL_FORMAT_CONFIG_JSON || format == HCL_FORMAT_VALUES_JSON;
}

bool hcl_format_is_native(enum hcl_format format)
{
    return format == HCL_FORMAT_CONFIG || format == HCL_FORMAT_VALUES;
}

int hcl_document_init(struct hcl_document *document, const char *name, enum hcl_format format,
                      struct span bytes, struct error *err)
{
    *document = (struct hcl_document){.name = memory_text(name), .format = format};
    int result = 0;
    if (bytes.size_bytes > HCL_FILE_LIMIT_BYTES) {
        result = error_set_at(err, ERROR_INVALID, name, 0, 0,
                              "it is larger than the limit of %d bytes", HCL_FILE_LIMIT_BYTES);
    } else {
        buffer_append_span(&document->bytes, bytes);
        if (hcl_format_is_json(format)) {
            result = hcl_json_scan(document, err);
        } else if (hcl_format_is_native(format)) {
            result = hcl_lex(bytes, name, &document->tokens, err);
            result = result == 0 ? hcl_parse(document, err) : result;
        }
    }
    if (result != 0) {
        hcl_document_release(document);
    }
    return result;
}

void hcl_document_release(struct hcl_document *document)
{
    free(document->name);
    buffer_release(&document->bytes);
    hcl_tokens_release(&document->tokens);
    hcl_tree_release(&document->tree);
    *document = (struct hcl_document){0};
}

struct span hcl_document_span(const struct hcl_document *document, size_t offset, size_t size_bytes)
{
    return span_of(buffer_text(&document->bytes) + offset, size_bytes);
}

enum hcl_quoting hcl_document_quoting(const struct hcl_document *document)
{
    return document->format == HCL_FORMAT_VALUES_JSON   ? HCL_QUOTING_JSON
           : document->format == HCL_FORMAT_CONFIG_JSON ? HCL_QUOTING_JSON_TEMPLATE
                                                        : HCL_QUOTING_TEMPLATE;
}
