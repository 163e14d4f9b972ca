/* What terraform's scanner takes for a name. ASCII is answered without the table, since nearly
 * every name is ASCII. */
#include "hcl/identifier.h"

#include "base/compiler.h"
#include "base/text.h"
#include "hcl/identifier_table.h"

size_t identifier_decode(struct span text, uint32_t *ret_code_point)
{
    const unsigned char *at = (const unsigned char *)text.data;
    if (text.size_bytes == 0) {
        return 0;
    }
    size_t length = at[0] < 0x80 ? 1 : at[0] >= 0xf0 ? 4 : at[0] >= 0xe0 ? 3 : 2;
    if (length > text.size_bytes || text_valid_utf8_prefix(span_of(text.data, length)) != length) {
        return 0;
    }
    uint32_t code_point = length == 1 ? at[0] : at[0] & (0xffU >> (length + 1));
    for (size_t i = 1; i < length; i++) {
        code_point = code_point << 6 | (at[i] & 0x3fU);
    }
    *ret_code_point = code_point;
    return length;
}

static bool is_in(const uint32_t (*ranges)[2], size_t count, uint32_t code_point)
{
    size_t low = 0;
    size_t high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (code_point < ranges[middle][0]) {
            high = middle;
        } else if (code_point > ranges[middle][1]) {
            low = middle + 1;
        } else {
            return true;
        }
    }
    return false;
}

static bool is_letter(uint32_t code_point)
{
    return (code_point >= 'a' && code_point <= 'z') || (code_point >= 'A' && code_point <= 'Z') ||
           code_point == '_';
}

static bool starts(uint32_t code_point)
{
    return code_point < 0x80 ? is_letter(code_point)
                             : is_in(identifier_start, ARRAY_SIZE(identifier_start), code_point);
}

static bool continues(uint32_t code_point)
{
    return code_point < 0x80
               ? is_letter(code_point) || (code_point >= '0' && code_point <= '9') ||
                     code_point == '-'
               : is_in(identifier_continue, ARRAY_SIZE(identifier_continue), code_point);
}

size_t identifier_length(struct span text)
{
    size_t at = 0;
    for (;;) {
        uint32_t code_point = 0;
        size_t length =
            identifier_decode(span_of(text.data + at, text.size_bytes - at), &code_point);
        if (length == 0 || !(at == 0 ? starts(code_point) : continues(code_point))) {
            return at;
        }
        at += length;
    }
}

bool identifier_is(struct span text)
{
    return text.size_bytes != 0 && identifier_length(text) == text.size_bytes;
}
