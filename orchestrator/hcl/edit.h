/* One edit of a document, as replacements of bytes. */
#ifndef DRCTL_HCL_EDIT_H
#define DRCTL_HCL_EDIT_H

#include <jansson.h>

#include "base/compiler.h"
#include "base/error.h"
#include "hcl/hcl_document.h"
#include "hcl/splice.h"

enum hcl_edit_mode {
    HCL_EDIT_SET,    /* the value must be there: a misspelled name is an error, not a new value */
    HCL_EDIT_ADD,    /* another value must not be there yet */
    HCL_EDIT_PUT,    /* either */
    HCL_EDIT_REMOVE, /* the value must be there */
};

struct hcl_edit {
    const char *address;
    enum hcl_edit_mode mode;
    const json_t *value; /* not for REMOVE */
    bool again;          /* an earlier attempt may have done it: what is gone already is fine */
};

/* Adds what the edit takes. Nothing is added where the file says it already. A collection that
 * keeps its shape is changed element by element, so that its comments stay. */
MUST_USE int hcl_edit_plan(const struct hcl_document *document, const struct hcl_edit *edit,
                           struct hcl_splices *splices, struct error *err);

/* Checks on the edited document that the edit is there. */
MUST_USE int hcl_edit_verify(const struct hcl_document *document, const struct hcl_edit *edit,
                             struct error *err);

/* --- the parts, in insert.c and remove.c --- */

/* Puts name = value behind the last argument of a BODY, or key and value behind the last item of an
 * OBJECT, in the layout that is found there. */
MUST_USE int hcl_insert(const struct hcl_document *document, size_t container, const char *name,
                        const json_t *value, struct hcl_splices *splices, struct error *err);

/* Takes out the ATTRIBUTE or ITEM `holder` with its line, or its comma. */
void hcl_remove(const struct hcl_document *document, size_t holder, struct hcl_splices *splices);

/* How the lines of a document end. */
const char *hcl_document_newline(const struct hcl_document *document);

/* The white space that the line of an offset begins with. */
struct span hcl_document_indent(const struct hcl_document *document, size_t offset);

/* One level of indentation as this document has it near an offset. */
struct span hcl_document_unit(const struct hcl_document *document, size_t offset);

/* The offset at which the line of an offset begins. */
size_t hcl_document_line_start(const struct hcl_document *document, size_t offset);

#endif
