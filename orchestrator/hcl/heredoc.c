/* A heredoc's value is its lines, each with its newline (a CR stays). "<<-" takes the indentation
 * of the least indented line off all of them; lines that are blank neither count nor lose anything.
 */
#include "hcl/heredoc.h"

#include <stdint.h>

#include "base/buffer.h"
#include "hcl/identifier.h"
#include "hcl/quote.h"

static struct span take_line(struct span *text)
{
    const char *end = memchr(text->data, '\n', text->size_bytes);
    size_t size_bytes = end != NULL ? (size_t)(end - text->data) + 1 : text->size_bytes;
    struct span line = span_of(text->data, size_bytes);
    *text = span_of(text->data + size_bytes, text->size_bytes - size_bytes);
    return line;
}

/* White space characters at the front of a line, at most `most`; their bytes. */
static size_t indentation(struct span line, size_t most, size_t *ret_count)
{
    size_t at = 0;
    size_t count = 0;
    while (count < most && at < line.size_bytes) {
        uint32_t c = 0;
        size_t length = identifier_decode(span_of(line.data + at, line.size_bytes - at), &c);
        if (length == 0 || !(c == ' ' || (c >= 9 && c <= 13) || c == 0x85 || c == 0xa0)) {
            break;
        }
        at += length;
        count++;
    }
    *ret_count = count;
    return at;
}

static size_t least_indentation(struct span text)
{
    size_t least = SIZE_MAX;
    while (text.size_bytes > 0) {
        struct span line = take_line(&text);
        size_t count = 0;
        if (indentation(line, SIZE_MAX, &count) < line.size_bytes && count < least) {
            least = count;
        }
    }
    return least;
}

json_t *hcl_heredoc_read(struct span heredoc)
{
    bool flush = heredoc.size_bytes > 2 && heredoc.data[2] == '-';
    struct span text = heredoc;
    take_line(&text);
    while (text.size_bytes > 0 && text.data[text.size_bytes - 1] != '\n') {
        text.size_bytes--; /* the closing line */
    }
    size_t least = flush ? least_indentation(text) : 0;
    struct hcl_meaning meaning = {0};
    while (text.size_bytes > 0) {
        struct span line = take_line(&text);
        size_t count = 0;
        size_t size_bytes = indentation(line, SIZE_MAX, &count);
        bool blank = size_bytes == line.size_bytes;
        size_t cut = blank ? 0 : indentation(line, least, &count);
        size_t bad = 0;
        int result = hcl_meaning_decode(span_of(line.data + cut, line.size_bytes - cut),
                                        HCL_QUOTING_HEREDOC, &meaning, &bad);
        (void)result; /* heredocs have no escapes that could be invalid */
    }
    json_t *value = json_stringn(buffer_text(&meaning.text), meaning.text.size_bytes);
    hcl_meaning_release(&meaning);
    return value;
}
