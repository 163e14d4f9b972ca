/* What is written here is read back by the same file after every edit (rewrite.c), so that a value
 * that does not survive the round trip is never put on disk. */
#include "hcl/value.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "hcl/heredoc.h"
#include "hcl/identifier.h"

static struct span node_span(const struct hcl_document *document, const struct hcl_node *node)
{
    return hcl_document_span(document, node->offset, node->size_bytes);
}

static json_t *read_string(const struct hcl_document *document, const struct hcl_node *node,
                           struct error *err)
{
    struct span quoted = node_span(document, node);
    struct hcl_meaning meaning = {0};
    size_t bad = 0;
    json_t *value = NULL;
    if (document->format == HCL_FORMAT_CONFIG_JSON &&
        hcl_quote_has_sequence(span_of(quoted.data + 1, quoted.size_bytes - 2))) {
        hcl_document_error(document, err, node->offset, "it is a template, not a constant");
        return NULL;
    }
    if (hcl_meaning_decode(span_of(quoted.data + 1, quoted.size_bytes - 2),
                           hcl_document_quoting(document), &meaning, &bad) == 0) {
        value = json_stringn(buffer_text(&meaning.text), meaning.text.size_bytes);
    } else {
        hcl_document_error(document, err, node->offset + 1 + bad, "invalid escape sequence");
    }
    hcl_meaning_release(&meaning);
    return value;
}

/* The text of a double that gives the same double back, as short as it can be. */
static void append_real(struct buffer *out, double number)
{
    char text[40];
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, number);
        if (strtod(text, NULL) == number) {
            break;
        }
    }
    buffer_append_text(out, text);
}

static json_t *read_number(const struct hcl_document *document, const struct hcl_node *node,
                           bool negative, struct error *err)
{
    struct span text = node_span(document, node);
    CLEANUP(memory_cleanup)
    char *digits = memory_format("%s%.*s", negative ? "-" : "", (int)text.size_bytes, text.data);
    char *end = NULL;
    errno = 0;
    long long integer = strtoll(digits, &end, 10);
    if (*end == '\0' && errno == 0) {
        return json_integer(integer);
    }
    bool whole = *end == '\0';
    double real = strtod(digits, NULL);
    if (whole || !isfinite(real)) {
        hcl_document_error(document, err, node->offset,
                           "the number %s is larger than can be kept exactly", digits);
        return NULL;
    }
    if (real > -9e15 && real < 9e15 && real == (double)(json_int_t)real) {
        return json_integer((json_int_t)real);
    }
    return json_real(real);
}

static json_t *read_keyword(const struct hcl_document *document, const struct hcl_node *node)
{
    struct span text = node_span(document, node);
    return span_is(text, "true")    ? json_true()
           : span_is(text, "false") ? json_false()
                                    : json_null();
}

static json_t *read_object(const struct hcl_document *document, size_t index, struct error *err)
{
    json_t *object = json_object();
    for (size_t i = hcl_tree_at(&document->tree, index)->first_child; i != 0;
         i = hcl_tree_at(&document->tree, i)->next) {
        const struct hcl_node *item = hcl_tree_at(&document->tree, i);
        json_t *value = NULL;
        if (item->name == NULL) {
            hcl_document_error(document, err, item->offset, "a computed key is not a constant");
        } else {
            value = hcl_value_read(document, item->first_child, err);
        }
        if (value == NULL) {
            json_decref(object);
            return NULL;
        }
        json_object_set_new(object, item->name, value);
    }
    return object;
}

static json_t *read_tuple(const struct hcl_document *document, size_t index, struct error *err)
{
    json_t *array = json_array();
    for (size_t i = hcl_tree_at(&document->tree, index)->first_child; i != 0;
         i = hcl_tree_at(&document->tree, i)->next) {
        json_t *value = hcl_value_read(document, i, err);
        if (value == NULL) {
            json_decref(array);
            return NULL;
        }
        json_array_append_new(array, value);
    }
    return array;
}

/* "-1": the only operator that a constant may have. */
static json_t *read_expression(const struct hcl_document *document, const struct hcl_node *node,
                               struct error *err)
{
    const struct hcl_node *inner = hcl_tree_at(&document->tree, node->first_child);
    if (node->first_child != 0 && inner->kind == HCL_NUMBER && inner->next == 0 &&
        span_starts_with(node_span(document, node), "-") &&
        inner->offset + inner->size_bytes == node->offset + node->size_bytes) {
        struct span sign = hcl_document_span(document, node->offset, inner->offset - node->offset);
        if (memchr(sign.data + 1, '-', sign.size_bytes - 1) == NULL &&
            memchr(sign.data + 1, '!', sign.size_bytes - 1) == NULL) {
            return read_number(document, inner, true, err);
        }
    }
    hcl_document_error(document, err, node->offset, "it is an expression, not a constant");
    return NULL;
}

json_t *hcl_value_read(const struct hcl_document *document, size_t index, struct error *err)
{
    const struct hcl_node *node = hcl_tree_at(&document->tree, index);
    switch (node->kind) {
    case HCL_STRING:
        return read_string(document, node, err);
    case HCL_NUMBER:
        return read_number(document, node, false, err);
    case HCL_KEYWORD:
        return read_keyword(document, node);
    case HCL_OBJECT:
        return read_object(document, index, err);
    case HCL_TUPLE:
        return read_tuple(document, index, err);
    case HCL_EXPRESSION:
        return read_expression(document, node, err);
    case HCL_HEREDOC:
        if (!node->has_sequences) {
            return hcl_heredoc_read(node_span(document, node));
        }
        /* fall through */
    default:
        hcl_document_error(document, err, node->offset, "it is a template, not a constant");
        return NULL;
    }
}

json_t *hcl_values_read(const struct hcl_document *document, struct error *err)
{
    json_t *values = json_object();
    for (size_t i = hcl_tree_at(&document->tree, 0)->first_child; i != 0;
         i = hcl_tree_at(&document->tree, i)->next) {
        const struct hcl_node *attribute = hcl_tree_at(&document->tree, i);
        json_t *value = attribute->kind == HCL_ATTRIBUTE || attribute->kind == HCL_ITEM
                            ? hcl_value_read(document, attribute->first_child, err)
                            : NULL;
        if (value == NULL) {
            hcl_document_error(document, err, attribute->offset, "it is not a constant");
            json_decref(values);
            return NULL;
        }
        json_object_set_new(values, attribute->name, value);
    }
    return values;
}

struct writer {
    struct buffer *out;
    const struct hcl_document *document;
    const struct hcl_layout *layout;
    bool json;
};

static void append_value(struct writer *writer, const json_t *value, size_t level, bool lines);

static void append_break(struct writer *writer, size_t level)
{
    buffer_append_text(writer->out, writer->layout->newline);
    buffer_append_span(writer->out, writer->layout->indent);
    for (size_t i = 0; i < level; i++) {
        buffer_append_span(writer->out, writer->layout->unit);
    }
}

static void append_string(struct writer *writer, struct span text)
{
    buffer_append_char(writer->out, '"');
    hcl_quote_append(writer->out, text, hcl_document_quoting(writer->document));
    buffer_append_char(writer->out, '"');
}

static void append_array(struct writer *writer, const json_t *array, size_t level, bool lines)
{
    lines = lines && json_array_size(array) > 0;
    buffer_append_char(writer->out, '[');
    for (size_t i = 0; i < json_array_size(array); i++) {
        if (lines) {
            append_break(writer, level + 1);
        }
        append_value(writer, json_array_get(array, i), level + 1, false);
        bool last = i + 1 == json_array_size(array);
        if (!last || (lines && !writer->json)) {
            buffer_append_text(writer->out, lines ? "," : ", ");
        }
    }
    if (lines) {
        append_break(writer, level);
    }
    buffer_append_char(writer->out, ']');
}

static size_t longest_key(struct writer *writer, const json_t *object)
{
    size_t longest = 0;
    const char *key;
    json_t *value;
    json_object_foreach ((json_t *)object, key, value) {
        struct buffer text = BUFFER_INIT;
        hcl_key_append(&text, key, writer->document);
        longest = text.size_bytes > longest ? text.size_bytes : longest;
        buffer_release(&text);
    }
    return longest;
}

/* "key = " with the equals signs below each other, or "key": in JSON. */
static void append_key(struct writer *writer, const char *key, size_t width)
{
    size_t start = writer->out->size_bytes;
    hcl_key_append(writer->out, key, writer->document);
    while (!writer->json && writer->out->size_bytes - start < width) {
        buffer_append_char(writer->out, ' ');
    }
    buffer_append_text(writer->out, writer->json ? ": " : " = ");
}

static void append_object(struct writer *writer, const json_t *object, size_t level, bool lines)
{
    lines = lines && json_object_size(object) > 0;
    size_t width = lines ? longest_key(writer, object) : 0;
    size_t left = json_object_size(object);
    const char *key;
    json_t *value;
    buffer_append_char(writer->out, '{');
    json_object_foreach ((json_t *)object, key, value) {
        if (lines) {
            append_break(writer, level + 1);
        } else if (!writer->json && left == json_object_size(object)) {
            buffer_append_char(writer->out, ' ');
        }
        append_key(writer, key, width);
        append_value(writer, value, level + 1, lines);
        if (--left > 0 && (!lines || writer->json)) {
            buffer_append_text(writer->out, lines ? "," : ", ");
        }
    }
    if (lines) {
        append_break(writer, level);
    } else if (!writer->json && json_object_size(object) > 0) {
        buffer_append_char(writer->out, ' ');
    }
    buffer_append_char(writer->out, '}');
}

static void append_value(struct writer *writer, const json_t *value, size_t level, bool lines)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        append_object(writer, value, level, lines);
        break;
    case JSON_ARRAY:
        append_array(writer, value, level, lines);
        break;
    case JSON_STRING:
        append_string(writer, span_of(json_string_value(value), json_string_length(value)));
        break;
    case JSON_INTEGER:
        buffer_append_format(writer->out, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
        break;
    case JSON_REAL:
        append_real(writer->out, json_real_value(value));
        break;
    default:
        buffer_append_text(writer->out, json_is_true(value)    ? "true"
                                        : json_is_false(value) ? "false"
                                                               : "null");
    }
}

void hcl_value_append(struct buffer *out, const json_t *value, const struct hcl_document *document,
                      const struct hcl_layout *layout)
{
    struct writer writer = {out, document, layout, hcl_format_is_json(document->format)};
    append_value(&writer, value, 0, layout->several_lines);
}

void hcl_key_append(struct buffer *out, const char *key, const struct hcl_document *document)
{
    if (hcl_format_is_native(document->format) && identifier_is(span_of_text(key)) &&
        strcmp(key, "for") != 0) {
        buffer_append_text(out, key);
        return;
    }
    buffer_append_char(out, '"');
    hcl_quote_append(out, span_of_text(key), hcl_document_quoting(document));
    buffer_append_char(out, '"');
}
