/* A JSON reader that remembers where everything stands, which jansson does not. As strict as
 * terraform: RFC 8259, no byte order mark, no duplicate keys, nothing behind the document. */
#include "hcl/parser.h"

#include <stdlib.h>

#include "base/memory.h"
#include "base/table.h"
#include "base/text.h"

struct scanner {
    struct hcl_document *document;
    struct error *err;
    struct span text;
    size_t at;
    size_t depth;
};

#define fail(scanner, offset, ...)                                                                 \
    hcl_document_error((scanner)->document, (scanner)->err, (offset), __VA_ARGS__)

static int scan_value(struct scanner *scanner, size_t *ret_node);

static char byte_at(const struct scanner *scanner, size_t at)
{
    if (at >= scanner->text.size_bytes) {
        return '\0';
    }
    return scanner->text.data[at];
}

static char peek(const struct scanner *scanner)
{
    return byte_at(scanner, scanner->at);
}

static void skip_space(struct scanner *scanner)
{
    while (peek(scanner) != '\0' && strchr(" \t\r\n", peek(scanner)) != NULL) {
        scanner->at++;
    }
}

static bool take(struct scanner *scanner, char byte)
{
    skip_space(scanner);
    if (scanner->at >= scanner->text.size_bytes || peek(scanner) != byte) {
        return false;
    }
    scanner->at++;
    return true;
}

/* A string at the current place; decoded into *ret_text when that is not NULL. */
static int scan_string(struct scanner *scanner, char **ret_text)
{
    size_t start = scanner->at;
    if (!take(scanner, '"')) {
        return fail(scanner, scanner->at, "invalid JSON: expected a string in double quotes");
    }
    size_t inner = scanner->at;
    while (peek(scanner) != '"') {
        unsigned char byte = (unsigned char)peek(scanner);
        if (scanner->at >= scanner->text.size_bytes) {
            return fail(scanner, start, "unclosed string: there is no closing quote");
        }
        if (byte < 0x20) {
            return fail(scanner, scanner->at, "invalid JSON: a control character in a string");
        }
        scanner->at += byte == '\\' && scanner->at + 1 < scanner->text.size_bytes ? 2 : 1;
    }
    struct hcl_meaning meaning = {0};
    size_t bad = 0;
    int result =
        hcl_meaning_decode(hcl_document_span(scanner->document, inner, scanner->at - inner),
                           hcl_document_quoting(scanner->document), &meaning, &bad);
    if (result != 0) {
        fail(scanner, inner + bad, "invalid JSON: an invalid escape sequence in a string");
    } else if (ret_text != NULL) {
        *ret_text = memory_text_n(buffer_text(&meaning.text), meaning.text.size_bytes);
    }
    hcl_meaning_release(&meaning);
    scanner->at++;
    return result;
}

static int scan_key(struct scanner *scanner, size_t item, struct table *seen)
{
    struct hcl_tree *tree = &scanner->document->tree;
    size_t start = scanner->at;
    char *key = NULL;
    if (scan_string(scanner, &key) != 0) {
        return -1;
    }
    struct hcl_node *node = &tree->nodes.items[item];
    node->name = key;
    node->name_offset = start;
    node->name_size_bytes = scanner->at - start;
    if (!table_set(seen, key, item)) {
        return fail(scanner, start, "duplicate key \"%s\": each may be set once only", key);
    }
    return 0;
}

static int scan_item(struct scanner *scanner, size_t object, struct table *seen)
{
    struct hcl_tree *tree = &scanner->document->tree;
    skip_space(scanner);
    size_t item = hcl_tree_add(tree, HCL_ITEM, scanner->at);
    size_t value = 0;
    if (scan_key(scanner, item, seen) != 0) {
        return -1;
    }
    if (!take(scanner, ':')) {
        return fail(scanner, scanner->at, "invalid JSON: expected ':' behind the key");
    }
    if (scan_value(scanner, &value) != 0) {
        return -1;
    }
    hcl_tree_attach(tree, item, value);
    hcl_tree_end(tree, item, scanner->at);
    hcl_tree_attach(tree, object, item);
    return 0;
}

static int scan_collection(struct scanner *scanner, size_t node, bool is_object)
{
    CLEANUP(table_release) struct table seen = {0};
    char close = is_object ? '}' : ']';
    scanner->at++;
    if (take(scanner, close)) {
        return 0;
    }
    do {
        size_t value = 0;
        if ((is_object ? scan_item(scanner, node, &seen) : scan_value(scanner, &value)) != 0) {
            return -1;
        }
        if (!is_object) {
            hcl_tree_attach(&scanner->document->tree, node, value);
        }
    } while (take(scanner, ','));
    if (!take(scanner, close)) {
        return fail(scanner, scanner->at, "invalid JSON: expected ',' or '%c'", close);
    }
    return 0;
}

static size_t skip_digits(const struct scanner *scanner, size_t at)
{
    while (at < scanner->text.size_bytes && scanner->text.data[at] >= '0' &&
           scanner->text.data[at] <= '9') {
        at++;
    }
    return at;
}

static int scan_number(struct scanner *scanner)
{
    size_t start = scanner->at + (peek(scanner) == '-');
    size_t end = skip_digits(scanner, start);
    bool valid = end > start && (byte_at(scanner, start) != '0' || end == start + 1);
    if (valid && byte_at(scanner, end) == '.') {
        size_t fraction = end + 1;
        end = skip_digits(scanner, fraction);
        valid = end > fraction;
    }
    if (valid && (byte_at(scanner, end) == 'e' || byte_at(scanner, end) == 'E')) {
        size_t digits = end + 1;
        digits += byte_at(scanner, digits) == '+' || byte_at(scanner, digits) == '-';
        end = skip_digits(scanner, digits);
        valid = end > digits;
    }
    if (!valid) {
        return fail(scanner, scanner->at, "invalid JSON: not a number");
    }
    scanner->at = end;
    return 0;
}

static int scan_keyword(struct scanner *scanner)
{
    static const char *const words[] = {"true", "false", "null"};
    struct span rest =
        span_of(scanner->text.data + scanner->at, scanner->text.size_bytes - scanner->at);
    for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
        if (span_starts_with(rest, words[i])) {
            scanner->at += strlen(words[i]);
            return 0;
        }
    }
    return fail(scanner, scanner->at, "invalid JSON: expected a value");
}

static int scan_value(struct scanner *scanner, size_t *ret_node)
{
    struct hcl_tree *tree = &scanner->document->tree;
    skip_space(scanner);
    if (++scanner->depth > HCL_DEPTH_LIMIT) {
        return fail(scanner, scanner->at, "values are nested more than %d deep", HCL_DEPTH_LIMIT);
    }
    char byte = peek(scanner);
    bool number = byte == '-' || (byte >= '0' && byte <= '9');
    size_t node = hcl_tree_add(tree,
                               byte == '{'   ? HCL_OBJECT
                               : byte == '[' ? HCL_TUPLE
                               : byte == '"' ? HCL_STRING
                               : number      ? HCL_NUMBER
                                             : HCL_KEYWORD,
                               scanner->at);
    int result = byte == '{' || byte == '[' ? scan_collection(scanner, node, byte == '{')
                 : byte == '"'              ? scan_string(scanner, NULL)
                 : number                   ? scan_number(scanner)
                                            : scan_keyword(scanner);
    hcl_tree_end(tree, node, scanner->at);
    scanner->depth--;
    *ret_node = node;
    return result;
}

int hcl_json_scan(struct hcl_document *document, struct error *err)
{
    struct scanner scanner = {
        .document = document, .err = err, .text = buffer_span(&document->bytes)};
    size_t valid = text_valid_utf8_prefix(scanner.text);
    if (valid != scanner.text.size_bytes) {
        return fail(&scanner, valid, "invalid character encoding: all text must be UTF-8");
    }
    if (hcl_bom_size(scanner.text) != 0) {
        return fail(&scanner, 0, "a byte order mark is not allowed in JSON");
    }
    size_t root = 0;
    if (scan_value(&scanner, &root) != 0) {
        return -1;
    }
    skip_space(&scanner);
    if (scanner.at != scanner.text.size_bytes) {
        return fail(&scanner, scanner.at, "extraneous data after the JSON document");
    }
    enum hcl_node_kind kind = hcl_tree_at(&document->tree, root)->kind;
    if (kind != HCL_OBJECT && !(kind == HCL_TUPLE && document->format == HCL_FORMAT_CONFIG_JSON)) {
        return fail(&scanner, hcl_tree_at(&document->tree, root)->offset,
                    "the document must be a JSON object");
    }
    return 0;
}
