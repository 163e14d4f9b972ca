/* The walk over all text of a file. In native syntax it goes over the tokens, which are the whole
 * file, and asks the tree only which of them are keys; so no literal can hide in an expression that
 * the tree does not take apart. */
#include "hcl/literals.h"

#include <stdlib.h>

#include "base/memory.h"
#include "base/table.h"

const char *hcl_place_name(enum hcl_place place)
{
    return place == HCL_PLACE_VALUE     ? "value"
           : place == HCL_PLACE_HEREDOC ? "heredoc"
           : place == HCL_PLACE_KEY     ? "key"
           : place == HCL_PLACE_COMMENT ? "comment"
                                        : "text";
}

/* The keys and labels of a native document in file order. */
struct keys {
    VECTOR(struct key_range {
        size_t offset;
        size_t end;
    })
    list;
    size_t at; /* the first that does not lie before the current token */
};

static void collect_keys(const struct hcl_document *document, struct keys *keys)
{
    for (size_t i = 0; i < document->tree.nodes.count; i++) {
        const struct hcl_node *node = hcl_tree_at(&document->tree, i);
        struct key_range range = {node->offset, node->offset + node->size_bytes};
        if (node->kind == HCL_ITEM) {
            range =
                (struct key_range){node->name_offset, node->name_offset + node->name_size_bytes};
        } else if (node->kind != HCL_LABEL) {
            continue;
        }
        vector_push(&keys->list, range);
    }
}

static bool is_key(struct keys *keys, size_t offset)
{
    while (keys->at < keys->list.count && keys->list.items[keys->at].end <= offset) {
        keys->at++;
    }
    return keys->at < keys->list.count && keys->list.items[keys->at].offset <= offset;
}

static enum hcl_place token_place(struct keys *keys, const struct hcl_token *token)
{
    switch (token->kind) {
    case HCL_TOKEN_COMMENT:
        return HCL_PLACE_COMMENT;
    case HCL_TOKEN_IDENTIFIER:
        return HCL_PLACE_KEY;
    case HCL_TOKEN_HEREDOC_TEXT:
        return is_key(keys, token->offset) ? HCL_PLACE_KEY : HCL_PLACE_HEREDOC;
    default:
        return is_key(keys, token->offset) ? HCL_PLACE_KEY : HCL_PLACE_VALUE;
    }
}

static int visit_tokens(const struct hcl_document *document,
                        int (*visit)(void *context, const struct hcl_piece *piece), void *context)
{
    struct keys keys = {0};
    int result = 0;
    collect_keys(document, &keys);
    for (size_t i = 0; result == 0 && i < document->tokens.list.count; i++) {
        const struct hcl_token *token = &document->tokens.list.items[i];
        bool text = token->kind == HCL_TOKEN_TEXT;
        bool heredoc = token->kind == HCL_TOKEN_HEREDOC_TEXT;
        if (!text && !heredoc && token->kind != HCL_TOKEN_COMMENT &&
            token->kind != HCL_TOKEN_IDENTIFIER) {
            continue;
        }
        struct hcl_piece piece = {.place = token_place(&keys, token),
                                  .quoting = text      ? HCL_QUOTING_TEMPLATE
                                             : heredoc ? HCL_QUOTING_HEREDOC
                                                       : HCL_QUOTING_NONE,
                                  .offset = token->offset,
                                  .size_bytes = token->size_bytes};
        result = visit(context, &piece);
    }
    vector_release(&keys.list);
    return result;
}

/* Nodes of a JSON document are in file order, since each is made where it begins. */
static int visit_json(const struct hcl_document *document,
                      int (*visit)(void *context, const struct hcl_piece *piece), void *context)
{
    int result = 0;
    for (size_t i = 0; result == 0 && i < document->tree.nodes.count; i++) {
        const struct hcl_node *node = hcl_tree_at(&document->tree, i);
        struct hcl_piece piece = {.place = HCL_PLACE_KEY,
                                  .quoting = HCL_QUOTING_JSON,
                                  .offset = node->name_offset + 1,
                                  .size_bytes = node->name_size_bytes - 2};
        if (node->kind == HCL_STRING) {
            const char *key = hcl_tree_at(&document->tree, node->parent)->name;
            bool comment = key != NULL && strcmp(key, "//") == 0;
            piece.place = comment ? HCL_PLACE_COMMENT : HCL_PLACE_VALUE;
            piece.quoting = hcl_document_quoting(document);
            piece.offset = node->offset + 1;
            piece.size_bytes = node->size_bytes - 2;
        } else if (node->kind != HCL_ITEM) {
            continue;
        }
        result = visit(context, &piece);
    }
    return result;
}

int hcl_pieces_visit(const struct hcl_document *document,
                     int (*visit)(void *context, const struct hcl_piece *piece), void *context)
{
    if (hcl_format_is_native(document->format)) {
        return visit_tokens(document, visit, context);
    }
    if (hcl_format_is_json(document->format)) {
        return visit_json(document, visit, context);
    }
    struct hcl_piece whole = {.place = HCL_PLACE_TEXT,
                              .quoting = HCL_QUOTING_NONE,
                              .size_bytes = document->bytes.size_bytes};
    return visit(context, &whole);
}

struct mapping {
    const struct hcl_document *document;
    const struct hcl_words *words;
    unsigned places;
    struct hcl_splices *splices;
};

static int map_piece(void *context, const struct hcl_piece *piece)
{
    struct mapping *mapping = context;
    if ((mapping->places & piece->place) == 0) {
        return 0;
    }
    struct hcl_meaning meaning = {0};
    size_t bad = 0;
    struct span source = hcl_document_span(mapping->document, piece->offset, piece->size_bytes);
    int result = hcl_meaning_decode(source, piece->quoting, &meaning, &bad);
    struct span text = buffer_span(&meaning.text);
    struct hcl_word_hit hit = {0};
    for (size_t at = 0; result == 0 && hcl_words_find(mapping->words, text, at, &hit);
         at = hit.offset + hit.size_bytes) {
        if (hit.word->to == NULL) {
            continue;
        }
        CLEANUP(buffer_release) struct buffer replacement = BUFFER_INIT;
        CLEANUP(buffer_release) struct buffer quoted = BUFFER_INIT;
        hcl_words_append_replacement(&replacement, text, &hit);
        hcl_quote_append(&quoted, buffer_span(&replacement), piece->quoting);
        size_t from = meaning.sources.items[hit.offset];
        size_t end = meaning.sources.items[hit.offset + hit.size_bytes];
        hcl_splices_add(mapping->splices, piece->offset + from, end - from, buffer_span(&quoted));
    }
    hcl_meaning_release(&meaning);
    return 0;
}

void hcl_literals_map(const struct hcl_document *document, const struct hcl_words *words,
                      unsigned places, struct hcl_splices *splices)
{
    struct mapping mapping = {document, words, places, splices};
    int result = hcl_pieces_visit(document, map_piece, &mapping);
    (void)result; /* map_piece never stops the walk */
}

struct search {
    const struct hcl_document *document;
    const struct hcl_words *words;
    size_t limit;
    struct hcl_findings *findings;
    size_t offset; /* whose line and column are known, so that a file is counted through once */
    size_t line;
    size_t column;
};

static void advance_to(struct search *search, size_t offset)
{
    const char *bytes = buffer_text(&search->document->bytes);
    for (; search->offset < offset; search->offset++) {
        unsigned char byte = (unsigned char)bytes[search->offset];
        if (byte == '\n') {
            search->line++;
            search->column = 1;
        } else if ((byte & 0xc0) != 0x80) {
            search->column++;
        }
    }
}

static int find_in_piece(void *context, const struct hcl_piece *piece)
{
    struct search *search = context;
    struct hcl_meaning meaning = {0};
    size_t bad = 0;
    struct span source = hcl_document_span(search->document, piece->offset, piece->size_bytes);
    int result = hcl_meaning_decode(source, piece->quoting, &meaning, &bad);
    struct span text = buffer_span(&meaning.text);
    struct hcl_word_hit hit = {0};
    for (size_t at = 0; result == 0 && hcl_words_find(search->words, text, at, &hit);
         at = hit.offset + hit.size_bytes) {
        if (search->findings->list.count == search->limit) {
            result = 1;
            break;
        }
        size_t offset = piece->offset + meaning.sources.items[hit.offset];
        advance_to(search, offset);
        struct hcl_finding finding = {.line = search->line,
                                      .column = search->column,
                                      .offset = offset,
                                      .place = piece->place,
                                      .word =
                                          memory_text_n(text.data + hit.offset, hit.size_bytes)};
        vector_push(&search->findings->list, finding);
    }
    hcl_meaning_release(&meaning);
    return result > 0;
}

void hcl_literals_find(const struct hcl_document *document, const struct hcl_words *words,
                       size_t limit, struct hcl_findings *findings)
{
    struct search search = {
        document, words, limit, findings, hcl_bom_size(buffer_span(&document->bytes)), 1, 1};
    int stopped = hcl_pieces_visit(document, find_in_piece, &search);
    (void)stopped; /* at the limit: the list shows it */
}

void hcl_findings_release(struct hcl_findings *findings)
{
    vector_each (struct hcl_finding *, finding, &findings->list) {
        free(finding->word);
    }
    vector_release(&findings->list);
}

/* The number of different strings among the elements of a tuple. A repeated one is *ret_repeated.
 */
static size_t different_strings(const struct hcl_document *document, size_t tuple,
                                size_t *ret_repeated)
{
    CLEANUP(table_release) struct table seen = {0};
    size_t count = 0;
    for (size_t i = hcl_tree_at(&document->tree, tuple)->first_child; i != 0;
         i = hcl_tree_at(&document->tree, i)->next) {
        const struct hcl_node *node = hcl_tree_at(&document->tree, i);
        if (node->kind != HCL_STRING) {
            continue;
        }
        struct span text = hcl_document_span(document, node->offset, node->size_bytes);
        CLEANUP(memory_cleanup) char *key = memory_text_n(text.data, text.size_bytes);
        if (table_set(&seen, key, i)) {
            count++;
        } else {
            *ret_repeated = i;
        }
    }
    return count;
}

int hcl_literals_check_lists(const struct hcl_document *old_document,
                             const struct hcl_document *new_document, struct error *err)
{
    for (size_t i = 0; i < old_document->tree.nodes.count; i++) {
        if (hcl_tree_at(&old_document->tree, i)->kind != HCL_TUPLE) {
            continue;
        }
        size_t repeated = 0;
        size_t before = different_strings(old_document, i, &repeated);
        if (different_strings(new_document, i, &repeated) < before) {
            const struct hcl_node *node = hcl_tree_at(&new_document->tree, repeated);
            struct span text = hcl_document_span(new_document, node->offset, node->size_bytes);
            hcl_document_error(new_document, err, node->offset,
                               "mapping puts %.*s into this list twice", (int)text.size_bytes,
                               text.data);
            return error_hint(err, "set the list itself");
        }
    }
    return 0;
}
