/* Every piece of text of a file: mapping words in literals, and listing where words are left. */
#ifndef DRCTL_HCL_LITERALS_H
#define DRCTL_HCL_LITERALS_H

#include "base/compiler.h"
#include "base/error.h"
#include "hcl/hcl_document.h"
#include "hcl/splice.h"
#include "hcl/words.h"

/* Where a piece of text stands; bits, so that sets of them can be given. */
enum hcl_place {
    HCL_PLACE_VALUE = 1,   /* a string, or the literal text of a template */
    HCL_PLACE_HEREDOC = 2, /* literal text of a heredoc */
    HCL_PLACE_KEY = 4,     /* a key of an object, a label of a block, a name */
    HCL_PLACE_COMMENT = 8, /* a comment, or the value of "//" in JSON */
    HCL_PLACE_TEXT = 16,   /* anywhere in a file that is not configuration */
};

/* "value", "heredoc", "key", "comment", "text". */
const char *hcl_place_name(enum hcl_place place);

struct hcl_piece {
    enum hcl_place place;
    enum hcl_quoting quoting;
    size_t offset;
    size_t size_bytes;
};

/* Calls visit for each piece in file order, until it returns other than 0, which is returned. */
int hcl_pieces_visit(const struct hcl_document *document,
                     int (*visit)(void *context, const struct hcl_piece *piece), void *context);

/* Adds replacements of all words with a `to` that stand in one of the places (bits). Words are
 * found in what is meant: "us\u002deast-2" is us-east-2. Keys are left alone unless asked for,
 * since a table of regions would get two entries for one. */
void hcl_literals_map(const struct hcl_document *document, const struct hcl_words *words,
                      unsigned places, struct hcl_splices *splices);

struct hcl_finding {
    size_t line;
    size_t column;
    size_t offset;
    enum hcl_place place;
    char *word; /* owned: as found, with the letter of a zone */
};

struct hcl_findings {
    VECTOR(struct hcl_finding)
    list;
};

/* All occurrences of the words, at most `limit` of them. */
void hcl_literals_find(const struct hcl_document *document, const struct hcl_words *words,
                       size_t limit, struct hcl_findings *findings);
void hcl_findings_release(struct hcl_findings *findings);

/* ERROR_INVALID when mapping made elements of one list equal that were not, as two zones would.
 * Both documents have the same shape. */
MUST_USE int hcl_literals_check_lists(const struct hcl_document *old_document,
                                      const struct hcl_document *new_document, struct error *err);

#endif
