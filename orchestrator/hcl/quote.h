/* String literals: from what is written to what is meant and back, knowing which bytes wrote
 * which. */
#ifndef DRCTL_HCL_QUOTE_H
#define DRCTL_HCL_QUOTE_H

#include <stdbool.h>

#include "base/buffer.h"
#include "base/compiler.h"
#include "base/span.h"
#include "base/vector.h"

enum hcl_quoting {
    HCL_QUOTING_TEMPLATE,      /* between quotes of HCL: escapes, $${ and %%{ */
    HCL_QUOTING_HEREDOC,       /* no escapes, but $${ and %%{ */
    HCL_QUOTING_JSON,          /* of .tfvars.json: escapes of JSON, nothing else */
    HCL_QUOTING_JSON_TEMPLATE, /* of .tf.json: escapes of JSON around $${ and %%{ */
    HCL_QUOTING_NONE,          /* comments, names, text of other files: bytes are what they are */
};

/* What a piece of literal text means, and where each byte of it comes from. */
struct hcl_meaning {
    struct buffer text;
    VECTOR(size_t)
    sources; /* for byte i of text the offset in the source; one more for the end */
};

/* Decodes source, the text between the quotes, which the lexer or the JSON scanner has accepted.
 * On an invalid escape returns -1 with its offset in *ret_bad_offset. */
MUST_USE int hcl_meaning_decode(struct span source, enum hcl_quoting quoting,
                                struct hcl_meaning *meaning, size_t *ret_bad_offset);
void hcl_meaning_release(struct hcl_meaning *meaning);

/* Appends text as it has to be written inside literal text of that kind, without the quotes. */
void hcl_quote_append(struct buffer *out, struct span text, enum hcl_quoting quoting);

/* True when text, seen as literal text of a template, opens a sequence. */
bool hcl_quote_has_sequence(struct span text);

#endif
