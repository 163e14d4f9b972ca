/* Programs do not print a secret as it was given to them: kubectl shows it in base64, curl in a
 * URL, terraform inside JSON. Each such form is a pattern of its own.
 *
 * base64 is cut into groups of three bytes, so a secret in the middle of something longer (user:
 * password) has three forms, one for each place in the group; of each, the characters that the
 * secret alone decides are taken. */
#include <stdio.h>
#include <string.h>

#include "base/redact.h"

enum {
    /* A line of a longer secret; shorter ones ("}", "EOF") would blot out ordinary text. */
    REDACT_MIN_LINE_BYTES = 16,
};

static void add_form(struct redactor *redactor, const struct buffer *form)
{
    if (form->size_bytes >= REDACT_MIN_BYTES) {
        redact_add_pattern(redactor, form->data, form->size_bytes);
    }
}

static void append_base64(struct buffer *out, const unsigned char *bytes, size_t size_bytes)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t at = 0; at < size_bytes; at += 3) {
        size_t left = size_bytes - at;
        unsigned group = (unsigned)bytes[at] << 16 | (left > 1 ? (unsigned)bytes[at + 1] << 8 : 0) |
                         (left > 2 ? bytes[at + 2] : 0);
        for (size_t i = 0; i < 4 && i <= left; i++) {
            buffer_append_char(out, alphabet[group >> (18 - 6 * i) & 63]);
        }
    }
}

static void add_base64_both_alphabets(struct redactor *redactor, struct buffer *form)
{
    add_form(redactor, form);
    for (size_t i = 0; i < form->size_bytes; i++) {
        char byte = form->data[i];
        form->data[i] = (char)(byte == '+' ? '-' : byte == '/' ? '_' : byte);
    }
    add_form(redactor, form);
}

static void add_base64_forms(struct redactor *redactor, const char *bytes, size_t size_bytes)
{
    for (size_t before = 0; before < 3; before++) {
        CLEANUP(buffer_release) struct buffer padded = BUFFER_INIT;
        CLEANUP(buffer_release) struct buffer form = BUFFER_INIT;
        buffer_append(&padded, "\0\0", before);
        buffer_append(&padded, bytes, size_bytes);
        append_base64(&form, (const unsigned char *)padded.data, padded.size_bytes);
        if (before == 0) {
            add_base64_both_alphabets(redactor, &form);
        }
        buffer_truncate(&form, padded.size_bytes * 8 / 6);
        buffer_consume(&form, (before * 8 + 5) / 6);
        add_base64_both_alphabets(redactor, &form);
        explicit_bzero(padded.data, padded.size_bytes);
        explicit_bzero(form.data, form.size_bytes);
    }
}

static bool is_unreserved(unsigned char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= '0' && byte <= '9') || strchr("-_.~", byte) != NULL;
}

/* kept: bytes beside the unreserved ones that this way of encoding leaves as they are. */
static void add_url_form(struct redactor *redactor, const char *bytes, size_t size_bytes,
                         const char *kept, const char *hex_format, bool plus_for_space)
{
    CLEANUP(buffer_release) struct buffer form = BUFFER_INIT;
    for (size_t i = 0; i < size_bytes; i++) {
        unsigned char byte = (unsigned char)bytes[i];
        if (byte != 0 && (is_unreserved(byte) || strchr(kept, byte) != NULL)) {
            buffer_append_char(&form, (char)byte);
        } else if (byte == ' ' && plus_for_space) {
            buffer_append_char(&form, '+');
        } else {
            char escaped[4];
            snprintf(escaped, sizeof escaped, *hex_format == 'X' ? "%%%02X" : "%%%02x", byte);
            buffer_append_text(&form, escaped);
        }
    }
    add_form(redactor, &form);
    explicit_bzero(form.data, form.size_bytes);
}

static void add_url_forms(struct redactor *redactor, const char *bytes, size_t size_bytes)
{
    add_url_form(redactor, bytes, size_bytes, "", "X", false); /* RFC 3986 */
    add_url_form(redactor, bytes, size_bytes, "", "x", false);
    add_url_form(redactor, bytes, size_bytes, "", "X", true);           /* forms */
    add_url_form(redactor, bytes, size_bytes, "/", "X", false);         /* Python's quote() */
    add_url_form(redactor, bytes, size_bytes, "!'()*", "X", false);     /* encodeURIComponent() */
    add_url_form(redactor, bytes, size_bytes, "$&+,/:;=@", "X", false); /* Go's path escape */
}

enum json_style {
    JSON_PLAIN, /* what must be escaped */
    JSON_HTML,  /* and < > &, as Go does: terraform, kubectl */
    JSON_SLASH, /* and / */
    JSON_ASCII, /* and everything beyond ASCII, as Python does: the aws CLI */
    JSON_STYLES,
};

/* The UTF-8 sequence at bytes as a code point and its length; length 1 for what is not one. */
static size_t decode_utf8(const unsigned char *bytes, size_t left_bytes, unsigned *ret_code)
{
    size_t length = *bytes >= 0xf0 ? 4 : *bytes >= 0xe0 ? 3 : *bytes >= 0xc0 ? 2 : 1;
    if (length > left_bytes || length == 1) {
        *ret_code = *bytes;
        return 1;
    }
    unsigned code = *bytes & (0xffu >> (length + 1));
    for (size_t i = 1; i < length; i++) {
        code = code << 6 | (bytes[i] & 0x3f);
    }
    *ret_code = code;
    return length;
}

static void append_json_ascii(struct buffer *form, unsigned code)
{
    if (code >= 0x10000) {
        buffer_append_format(form, "\\u%04x\\u%04x", 0xd800 + ((code - 0x10000) >> 10),
                             0xdc00 + ((code - 0x10000) & 0x3ff));
    } else {
        buffer_append_format(form, "\\u%04x", code);
    }
}

static size_t append_json(struct buffer *form, const unsigned char *at, size_t left_bytes,
                          enum json_style style)
{
    static const char short_from[] = "\"\\\n\r\t\b\f";
    static const char short_to[] = "\"\\nrtbf";
    const char *found = *at != 0 ? strchr(short_from, *at) : NULL;
    unsigned code;
    if (found != NULL) {
        buffer_append_char(form, '\\');
        buffer_append_char(form, short_to[found - short_from]);
    } else if (*at < 0x20 || (style == JSON_HTML && strchr("<>&", *at) != NULL)) {
        buffer_append_format(form, "\\u%04x", *at);
    } else if (style == JSON_SLASH && *at == '/') {
        buffer_append_text(form, "\\/");
    } else if (style == JSON_ASCII && *at >= 0x80) {
        size_t length = decode_utf8(at, left_bytes, &code);
        append_json_ascii(form, code);
        return length;
    } else {
        buffer_append_char(form, (char)*at);
    }
    return 1;
}

static void add_json_forms(struct redactor *redactor, const char *bytes, size_t size_bytes)
{
    for (enum json_style style = JSON_PLAIN; style < JSON_STYLES; style++) {
        CLEANUP(buffer_release) struct buffer form = BUFFER_INIT;
        for (size_t i = 0; i < size_bytes;) {
            i += append_json(&form, (const unsigned char *)bytes + i, size_bytes - i, style);
        }
        add_form(redactor, &form);
        explicit_bzero(form.data, form.size_bytes);
    }
}

/* A key in PEM form is printed indented by some programs: then only its lines are the same. */
static void add_lines(struct redactor *redactor, const char *bytes, size_t size_bytes)
{
    const char *end = bytes + size_bytes;
    if (memchr(bytes, '\n', size_bytes) == NULL) {
        return;
    }
    while (bytes < end) {
        const char *newline = memchr(bytes, '\n', (size_t)(end - bytes));
        const char *line_end = newline != NULL ? newline : end;
        const char *trimmed_end = line_end;
        while (bytes < trimmed_end && strchr(" \t\r", *bytes) != NULL && *bytes != '\0') {
            bytes++;
        }
        while (bytes < trimmed_end && strchr(" \t\r", trimmed_end[-1]) != NULL) {
            trimmed_end--;
        }
        if (trimmed_end - bytes >= REDACT_MIN_LINE_BYTES) {
            redact_add_pattern(redactor, bytes, (size_t)(trimmed_end - bytes));
        }
        bytes = line_end + 1;
    }
}

bool redact_add_secret(struct redactor *redactor, const void *bytes, size_t size_bytes)
{
    if (size_bytes < REDACT_MIN_BYTES) {
        return false;
    }
    redact_add_pattern(redactor, bytes, size_bytes);
    add_base64_forms(redactor, bytes, size_bytes);
    add_url_forms(redactor, bytes, size_bytes);
    add_json_forms(redactor, bytes, size_bytes);
    add_lines(redactor, bytes, size_bytes);
    return true;
}
