/* A configuration file in memory: its bytes, and what they say. */
#ifndef DRCTL_HCL_HCL_DOCUMENT_H
#define DRCTL_HCL_HCL_DOCUMENT_H

#include "base/buffer.h"
#include "base/compiler.h"
#include "base/error.h"
#include "hcl/lexer.h"
#include "hcl/quote.h"
#include "hcl/tree.h"

enum {
    /* A hundred times the largest hand-written file; bounds memory and time. */
    HCL_FILE_LIMIT_BYTES = 8 * 1024 * 1024,
    HCL_DEPTH_LIMIT = 200, /* of nested collections and expressions: bounds recursion */
};

enum hcl_format {
    HCL_FORMAT_CONFIG,      /* .tf, .hcl */
    HCL_FORMAT_VALUES,      /* .tfvars, .tfbackend: literals only */
    HCL_FORMAT_CONFIG_JSON, /* .tf.json */
    HCL_FORMAT_VALUES_JSON, /* .tfvars.json */
    HCL_FORMAT_TEXT,        /* anything else: not parsed */
};

struct hcl_document {
    char *name; /* what errors call it */
    enum hcl_format format;
    struct buffer bytes;
    struct hcl_tokens tokens; /* native formats */
    struct hcl_tree tree;
};

/* The format that a file's name says. */
enum hcl_format hcl_format_of(const char *name);
bool hcl_format_is_json(enum hcl_format format);
bool hcl_format_is_native(enum hcl_format format);

/* Parses a copy of bytes. On failure the error has the place at which terraform would complain, and
 * the document is empty. */
MUST_USE int hcl_document_init(struct hcl_document *document, const char *name,
                               enum hcl_format format, struct span bytes, struct error *err);
void hcl_document_release(struct hcl_document *document);

struct span hcl_document_span(const struct hcl_document *document, size_t offset,
                              size_t size_bytes);

/* How quoted text is written in this document. */
enum hcl_quoting hcl_document_quoting(const struct hcl_document *document);

/* What errors call the thing at an offset. Returns -1. */
#define hcl_document_error(document, err, offset, ...)                                             \
    hcl_error_at(err, (document)->name, buffer_span(&(document)->bytes), (offset), __VA_ARGS__)

#endif
