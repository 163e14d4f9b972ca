/* Whatever bytes a checkout holds: no crash, and what parses can be edited, mapped and put back.
 * The first byte chooses the format. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "hcl/diff.h"
#include "hcl/edit.h"
#include "hcl/literals.h"
#include "hcl/value.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
    if (!condition) {
        abort();
    }
}

/* The document with the splices applied; it has to parse. */
static struct hcl_document apply(const struct hcl_document *document, struct hcl_splices *splices)
{
    struct buffer bytes = BUFFER_INIT;
    struct hcl_document edited = {0};
    require(hcl_splices_apply(splices, buffer_span(&document->bytes), &bytes, NULL) == 0);
    require(hcl_document_init(&edited, document->name, document->format, buffer_span(&bytes),
                              NULL) == 0);
    buffer_release(&bytes);
    hcl_splices_release(splices);
    return edited;
}

static void map_words(const struct hcl_document *document)
{
    struct hcl_words words = {0};
    struct hcl_splices splices = {0};
    struct hcl_findings left = {0};
    unsigned places = HCL_PLACE_VALUE | HCL_PLACE_HEREDOC;
    hcl_words_add(&words, "us-east-2", "us-west-2");
    hcl_literals_map(document, &words, places, &splices);
    struct hcl_document mapped = apply(document, &splices);
    hcl_literals_find(&mapped, &words, 1000, &left);
    vector_each (const struct hcl_finding *, finding, &left.list) {
        require((finding->place & places) == 0);
    }
    struct buffer diff = BUFFER_INIT;
    hcl_diff_append(&diff, "x", buffer_span(&document->bytes), buffer_span(&mapped.bytes));
    buffer_release(&diff);
    hcl_findings_release(&left);
    hcl_document_release(&mapped);
    hcl_words_release(&words);
}

static void edit_value(const struct hcl_document *document, const char *address,
                       enum hcl_edit_mode mode, const json_t *value)
{
    struct hcl_edit edit = {address, mode, value, false};
    struct hcl_splices splices = {0};
    if (hcl_edit_plan(document, &edit, &splices, NULL) == 0) {
        struct hcl_document edited = apply(document, &splices);
        require(hcl_edit_verify(&edited, &edit, NULL) == 0);
        hcl_document_release(&edited);
    }
    hcl_splices_release(&splices);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hcl_document document = {0};
    if (size == 0 || hcl_document_init(&document, "x", (enum hcl_format)(data[0] % 4),
                                       span_of((const char *)data + 1, size - 1), NULL) != 0) {
        return 0;
    }
    json_t *value = json_pack("{s:[s,i], s:s}", "k", "${x} \"\n", 1, "l m", "$${");
    map_words(&document);
    edit_value(&document, "a", HCL_EDIT_PUT, value);
    edit_value(&document, "a", HCL_EDIT_REMOVE, NULL);
    edit_value(&document, "a.b", HCL_EDIT_PUT, value);
    edit_value(&document, "a.b", HCL_EDIT_REMOVE, NULL);
    edit_value(&document, "a[0]", HCL_EDIT_SET, value);
    json_decref(hcl_values_read(&document, NULL));
    json_decref(value);
    hcl_document_release(&document);
    return 0;
}
