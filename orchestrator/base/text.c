/* Child output, repository content and plans are untrusted: what a terminal would obey must not
 * reach it. The bytes on disk stay as they were; only what is shown passes through here. */
#include "base/text.h"

#include <stdint.h>

/* Length of the valid sequence at the front, 0 when there is none. */
static size_t sequence_length(const unsigned char *at, size_t left)
{
    if (at[0] < 0x80) {
        return 1;
    }
    size_t length = at[0] >= 0xf0 ? 4 : at[0] >= 0xe0 ? 3 : 2;
    if (at[0] < 0xc2 || at[0] > 0xf4 || length > left) {
        return 0;
    }
    for (size_t i = 1; i < length; i++) {
        if ((at[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    bool overlong = (at[0] == 0xe0 && at[1] < 0xa0) || (at[0] == 0xf0 && at[1] < 0x90);
    bool surrogate = at[0] == 0xed && at[1] > 0x9f;
    bool beyond = at[0] == 0xf4 && at[1] > 0x8f;
    return overlong || surrogate || beyond ? 0 : length;
}

size_t text_valid_utf8_prefix(struct span text)
{
    const unsigned char *bytes = (const unsigned char *)text.data;
    size_t at = 0;
    while (at < text.size_bytes) {
        size_t length = sequence_length(bytes + at, text.size_bytes - at);
        if (length == 0) {
            return at;
        }
        at += length;
    }
    return at;
}

/* The length of the escape sequence that starts at `at` with ESC. A sequence never reaches beyond
 * its line: one that is not closed must not swallow the lines behind it, which a reader has to see.
 */
static size_t escape_length(const unsigned char *at, size_t left)
{
    if (left < 2 || at[1] == '\n') {
        return 1;
    }
    size_t length = 2;
    if (at[1] == '[') {
        while (length < left && at[length] >= 0x20 && at[length] <= 0x3f) {
            length++;
        }
        return length < left && at[length] >= 0x40 && at[length] <= 0x7e ? length + 1 : length;
    }
    if (at[1] == ']' || at[1] == 'P' || at[1] == 'X' || at[1] == '^' || at[1] == '_') {
        while (length < left && at[length] != 0x07 && at[length] != 0x1b && at[length] != '\n') {
            length++;
        }
        return length < left && at[length] == 0x07 ? length + 1 : length;
    }
    while (length < left && at[length - 1] >= 0x20 && at[length - 1] <= 0x2f &&
           at[length] != '\n') {
        length++;
    }
    return length;
}

/* C1 controls (U+0080 to U+009F) are orders to some terminals, too. */
static bool is_c1_control(const unsigned char *at, size_t length)
{
    return length == 2 && at[0] == 0xc2 && at[1] < 0xa0;
}

/* U+202A to U+202E and U+2066 to U+2069 make a terminal show text in another order than it has. */
static bool is_direction_control(const unsigned char *at, size_t length)
{
    return length == 3 && at[0] == 0xe2 &&
           ((at[1] == 0x80 && at[2] >= 0xaa && at[2] <= 0xae) ||
            (at[1] == 0x81 && at[2] >= 0xa6 && at[2] <= 0xa9));
}

void text_append_safe(struct buffer *out, struct span text, bool keep_lines)
{
    const unsigned char *bytes = (const unsigned char *)text.data;
    for (size_t at = 0; at < text.size_bytes;) {
        size_t left = text.size_bytes - at;
        unsigned char byte = bytes[at];
        size_t length = sequence_length(bytes + at, left);
        if (byte == 0x1b) {
            length = escape_length(bytes + at, left);
        } else if (byte == '\n' && keep_lines) {
            buffer_append_char(out, '\n');
        } else if (byte == '\n') {
            buffer_append_text(out, "\\n");
        } else if (length == 0 || (byte < 0x20 && byte != '\t') || byte == 0x7f ||
                   is_c1_control(bytes + at, length) || is_direction_control(bytes + at, length)) {
            buffer_append_format(out, "\\x%02x", byte);
            length = 1;
        } else {
            buffer_append(out, bytes + at, length);
        }
        at += length;
    }
}

void text_position(struct span text, size_t offset_bytes, size_t *ret_line, size_t *ret_column)
{
    size_t line = 1;
    size_t column = 1;
    for (size_t i = 0; i < offset_bytes && i < text.size_bytes; i++) {
        unsigned char byte = (unsigned char)text.data[i];
        if (byte == '\n') {
            line++;
            column = 1;
        } else if ((byte & 0xc0) != 0x80) {
            column++;
        }
    }
    *ret_line = line;
    *ret_column = column;
}
