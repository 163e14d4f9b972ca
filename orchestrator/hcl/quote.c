/* The tables of escapes, in both directions. A template sequence is opened by "${", so "${" that is
 * meant literally is written "$${"; a '$' that no '{' follows stands for itself. */
#include "hcl/quote.h"

#include <stdint.h>

#include "base/text.h"
#include "hcl/identifier.h"

static bool is_json(enum hcl_quoting quoting)
{
    return quoting == HCL_QUOTING_JSON || quoting == HCL_QUOTING_JSON_TEMPLATE;
}

static bool has_escapes(enum hcl_quoting quoting)
{
    return quoting != HCL_QUOTING_HEREDOC && quoting != HCL_QUOTING_NONE;
}

static bool has_sequences(enum hcl_quoting quoting)
{
    return quoting != HCL_QUOTING_JSON && quoting != HCL_QUOTING_NONE;
}

static void append_code_point(struct buffer *out, uint32_t c)
{
    if (c < 0x80) {
        buffer_append_char(out, (char)c);
    } else if (c < 0x800) {
        buffer_append_char(out, (char)(0xc0 | c >> 6));
        buffer_append_char(out, (char)(0x80 | (c & 0x3f)));
    } else if (c < 0x10000) {
        buffer_append_char(out, (char)(0xe0 | c >> 12));
        buffer_append_char(out, (char)(0x80 | (c >> 6 & 0x3f)));
        buffer_append_char(out, (char)(0x80 | (c & 0x3f)));
    } else {
        buffer_append_char(out, (char)(0xf0 | c >> 18));
        buffer_append_char(out, (char)(0x80 | (c >> 12 & 0x3f)));
        buffer_append_char(out, (char)(0x80 | (c >> 6 & 0x3f)));
        buffer_append_char(out, (char)(0x80 | (c & 0x3f)));
    }
}

/* Exactly `digits` hexadecimal digits at the front of text. */
static bool read_hex(struct span text, size_t digits, uint32_t *ret_value)
{
    uint32_t value = 0;
    if (text.size_bytes < digits) {
        return false;
    }
    for (size_t i = 0; i < digits; i++) {
        char c = text.data[i];
        int digit = c >= '0' && c <= '9'   ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                           : -1;
        if (digit < 0) {
            return false;
        }
        value = value << 4 | (uint32_t)digit;
    }
    *ret_value = value;
    return true;
}

static bool is_surrogate(uint32_t c)
{
    return c >= 0xd800 && c <= 0xdfff;
}

/* \uNNNN of JSON, which writes what is above U+FFFF as two of them. The length, 0 when invalid. */
static size_t json_unicode(struct span text, uint32_t *ret_c)
{
    uint32_t low = 0;
    if (!read_hex(span_of(text.data + 2, text.size_bytes - 2), 4, ret_c)) {
        return 0;
    }
    if (!is_surrogate(*ret_c)) {
        return 6;
    }
    struct span second = span_of(text.data + 6, text.size_bytes - 6);
    if (*ret_c >= 0xdc00 || !span_starts_with(second, "\\u") ||
        !read_hex(span_of(second.data + 2, second.size_bytes - 2), 4, &low) || low < 0xdc00 ||
        low > 0xdfff) {
        return 0;
    }
    *ret_c = 0x10000 + ((*ret_c - 0xd800) << 10) + (low - 0xdc00);
    return 12;
}

/* The escape that text begins with; its length, 0 when it is invalid. */
static size_t read_escape(struct span text, bool json, uint32_t *ret_c)
{
    static const char letters[] = "nrt\"\\/bf";
    static const char meanings[] = "\n\r\t\"\\/\b\f";
    if (text.size_bytes < 2) {
        return 0;
    }
    char letter = text.data[1];
    const char *known = letter != '\0' ? strchr(letters, letter) : NULL;
    if (known != NULL && (json || known - letters < 5)) {
        *ret_c = (unsigned char)meanings[known - letters];
        return 2;
    }
    if (json) {
        return letter == 'u' ? json_unicode(text, ret_c) : 0;
    }
    size_t digits = letter == 'u' ? 4 : letter == 'U' ? 8 : 0;
    if (digits == 0 || !read_hex(span_of(text.data + 2, text.size_bytes - 2), digits, ret_c) ||
        is_surrogate(*ret_c) || *ret_c > 0x10ffff) {
        return 0;
    }
    return 2 + digits;
}

/* Notes that all bytes appended since come from source offset `from`. */
static void note_sources(struct hcl_meaning *meaning, size_t from)
{
    while (meaning->sources.count < meaning->text.size_bytes) {
        vector_push(&meaning->sources, from);
    }
}

/* Takes "$${" apart: the run of signs before a brace stands for one sign less. */
static size_t decode_signs(struct hcl_meaning *meaning, struct span source, size_t at)
{
    char sign = source.data[at];
    size_t count = 1;
    while (at + count < source.size_bytes && source.data[at + count] == sign) {
        count++;
    }
    bool brace = at + count < source.size_bytes && source.data[at + count] == '{';
    size_t shown = brace && count > 1 ? count - 1 : count;
    for (size_t i = 0; i < shown; i++) {
        buffer_append_char(&meaning->text, sign);
        note_sources(meaning, at + i);
    }
    return count;
}

int hcl_meaning_decode(struct span source, enum hcl_quoting quoting, struct hcl_meaning *meaning,
                       size_t *ret_bad_offset)
{
    for (size_t at = 0; at < source.size_bytes;) {
        char byte = source.data[at];
        struct span left = span_of(source.data + at, source.size_bytes - at);
        size_t length = 1;
        if (byte == '\\' && has_escapes(quoting)) {
            uint32_t c = 0;
            length = read_escape(left, is_json(quoting), &c);
            if (length == 0) {
                *ret_bad_offset = at;
                return -1;
            }
            append_code_point(&meaning->text, c);
        } else if ((byte == '$' || byte == '%') && has_sequences(quoting)) {
            length = decode_signs(meaning, source, at);
        } else {
            buffer_append_char(&meaning->text, byte);
        }
        note_sources(meaning, at);
        at += length;
    }
    vector_push(&meaning->sources, source.size_bytes);
    return 0;
}

void hcl_meaning_release(struct hcl_meaning *meaning)
{
    buffer_release(&meaning->text);
    vector_release(&meaning->sources);
}

static void append_escaped(struct buffer *out, unsigned char byte, enum hcl_quoting quoting)
{
    static const char *const names[] = {
        ['\n'] = "\\n", ['\r'] = "\\r", ['\t'] = "\\t", ['"'] = "\\\"", ['\\'] = "\\\\"};
    bool escapes = has_escapes(quoting);
    if (escapes && byte < ARRAY_SIZE(names) && names[byte] != NULL) {
        buffer_append_text(out, names[byte]);
    } else if (escapes && (byte < 0x20 || byte == 0x7f)) {
        buffer_append_format(out, "\\u%04x", byte);
    } else {
        buffer_append_char(out, (char)byte);
    }
}

void hcl_quote_append(struct buffer *out, struct span text, enum hcl_quoting quoting)
{
    for (size_t at = 0; at < text.size_bytes;) {
        char byte = text.data[at];
        size_t count = 1;
        if ((byte != '$' && byte != '%') || !has_sequences(quoting)) {
            append_escaped(out, (unsigned char)byte, quoting);
            at++;
            continue;
        }
        while (at + count < text.size_bytes && text.data[at + count] == byte) {
            count++;
        }
        buffer_append(out, text.data + at, count);
        at += count;
        if (at < text.size_bytes && text.data[at] == '{') {
            buffer_append_char(out, byte);
        }
    }
}

bool hcl_quote_has_sequence(struct span text)
{
    for (size_t at = 0; at + 1 < text.size_bytes; at++) {
        char sign = text.data[at];
        if (sign != '$' && sign != '%') {
            continue;
        }
        size_t count = 1;
        while (at + count < text.size_bytes && text.data[at + count] == sign) {
            count++;
        }
        if (count == 1 && text.data[at + 1] == '{') {
            return true;
        }
        at += count - 1;
    }
    return false;
}
