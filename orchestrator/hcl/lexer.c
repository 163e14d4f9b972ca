/* A scanner that agrees with terraform's own about where every string, heredoc and comment begins
 * and ends. Invariant: tokens are in order and do not overlap, and what lies between two of them is
 * spaces and tabs alone.
 *
 * Templates nest in strings and strings in templates, so the scanner keeps a stack of modes. What
 * is special: a heredoc ends at a line that, trimmed of all white space, is its marker, even where
 * it was not opened with "<<-"; but not when a sequence closed earlier on that line, and not at the
 * end of the file without a newline. Comments are bytes: terraform does not look into them. */
#include "hcl/lexer.h"

#include <stdarg.h>

#include "base/memory.h"
#include "base/text.h"
#include "hcl/identifier.h"

/* Deeper nesting of strings in templates than anyone writes; bounds the parser's recursion too. */
enum { MODE_LIMIT = 200 };

enum mode_kind { MODE_CODE, MODE_QUOTED, MODE_HEREDOC };

struct mode {
    enum mode_kind kind;
    size_t opened_at;   /* offset of what opened it, for errors */
    size_t braces;      /* code: '{' that are open */
    struct span marker; /* heredoc */
    bool at_line_start; /* heredoc: the marker could stand here */
};

struct lexer {
    struct span text;
    const char *name;
    size_t at;
    struct mode modes[MODE_LIMIT];
    size_t depth; /* modes in use, at least 1 */
    struct hcl_tokens *tokens;
    struct error *err;
};

size_t hcl_bom_size(struct span text)
{
    return span_starts_with(text, "\xef\xbb\xbf") ? 3 : 0;
}

void hcl_position(struct span text, size_t offset, size_t *ret_line, size_t *ret_column)
{
    size_t bom = hcl_bom_size(text);
    text_position(span_of(text.data + bom, text.size_bytes - bom), offset > bom ? offset - bom : 0,
                  ret_line, ret_column);
}

int hcl_error_at(struct error *err, const char *name, struct span text, size_t offset,
                 const char *format, ...)
{
    size_t line = 0;
    size_t column = 0;
    hcl_position(text, offset, &line, &column);
    va_list arguments;
    va_start(arguments, format);
    CLEANUP(memory_cleanup) char *message = memory_format_v(format, arguments);
    va_end(arguments);
    return error_set_at(err, ERROR_INVALID, name, line, column, "%s", message);
}

#define fail(lexer, offset, ...)                                                                   \
    hcl_error_at((lexer)->err, (lexer)->name, (lexer)->text, (offset), __VA_ARGS__)

static struct mode *mode(struct lexer *lexer)
{
    return &lexer->modes[lexer->depth - 1];
}

static size_t left(const struct lexer *lexer)
{
    return lexer->text.size_bytes - lexer->at;
}

static struct span rest(const struct lexer *lexer)
{
    return span_of(lexer->text.data + lexer->at, left(lexer));
}

/* The byte `ahead` of the current one, NUL behind the end. */
static unsigned char peek(const struct lexer *lexer, size_t ahead)
{
    return ahead < left(lexer) ? (unsigned char)lexer->text.data[lexer->at + ahead] : '\0';
}

static void emit(struct lexer *lexer, enum hcl_token_kind kind, int symbol, size_t size_bytes)
{
    vector_push(&lexer->tokens->list, ((struct hcl_token){kind, symbol, lexer->at, size_bytes}));
    lexer->at += size_bytes;
}

static int push(struct lexer *lexer, enum mode_kind kind)
{
    if (lexer->depth == MODE_LIMIT) {
        return fail(lexer, lexer->at, "templates are nested more than %d deep", MODE_LIMIT);
    }
    lexer->modes[lexer->depth++] = (struct mode){.kind = kind, .opened_at = lexer->at};
    return 0;
}

static size_t newline_length(const struct lexer *lexer)
{
    return peek(lexer, 0) == '\n' && left(lexer) > 0          ? 1
           : peek(lexer, 0) == '\r' && peek(lexer, 1) == '\n' ? 2
                                                              : 0;
}

static int invalid_character(struct lexer *lexer, size_t offset)
{
    const char *at = lexer->text.data + offset;
    struct span here = span_of(at, lexer->text.size_bytes - offset);
    uint32_t code_point = 0;
    size_t length = identifier_decode(here, &code_point);
    if (length == 0) {
        return fail(lexer, offset, "invalid character encoding: all text must be UTF-8");
    }
    if (code_point == '\r') {
        return fail(lexer, offset, "invalid character: a carriage return without a line feed");
    }
    if (code_point == 0xfeff) {
        return fail(lexer, offset, "invalid character: a byte order mark inside the file");
    }
    if (code_point == '\'') {
        fail(lexer, offset, "invalid character: single quotes are not valid");
        return error_hint(lexer->err, "use double quotes");
    }
    if (code_point < 0x21 || code_point >= 0x7f) {
        return fail(lexer, offset, "invalid character U+%04X", (unsigned)code_point);
    }
    return fail(lexer, offset, "invalid character '%c': it is not used within the language",
                (int)code_point);
}

/* A '$' or '%' that opens a sequence: doubled ones are literal however many there are. */
static bool opens_sequence(const struct lexer *lexer, size_t ahead)
{
    unsigned char sign = peek(lexer, ahead);
    return (sign == '$' || sign == '%') && peek(lexer, ahead + 1) == '{';
}

/* The length of a run of signs that only makes literal text, or 0. */
static size_t literal_signs(const struct lexer *lexer, size_t ahead)
{
    unsigned char sign = peek(lexer, ahead);
    if (sign != '$' && sign != '%') {
        return 0;
    }
    size_t count = 1;
    while (peek(lexer, ahead + count) == sign) {
        count++;
    }
    if (peek(lexer, ahead + count) != '{') {
        return count;
    }
    return count > 1 ? count + 1 : 0;
}

static int open_sequence(struct lexer *lexer)
{
    if (mode(lexer)->kind == MODE_HEREDOC) {
        mode(lexer)->at_line_start = false;
    }
    if (push(lexer, MODE_CODE) != 0) {
        return -1;
    }
    emit(lexer, HCL_TOKEN_SEQUENCE_OPEN, peek(lexer, 0), peek(lexer, 2) == '~' ? 3 : 2);
    return 0;
}

/* One UTF-8 sequence of literal text, or -1. */
static int literal_character(struct lexer *lexer, size_t *size_bytes)
{
    size_t offset = lexer->at + *size_bytes;
    uint32_t code_point = 0;
    size_t length = identifier_decode(
        span_of(lexer->text.data + offset, lexer->text.size_bytes - offset), &code_point);
    if (length == 0) {
        return invalid_character(lexer, offset);
    }
    *size_bytes += length;
    return 0;
}

static int lex_quoted(struct lexer *lexer)
{
    size_t size_bytes = 0;
    while (size_bytes < left(lexer)) {
        unsigned char byte = peek(lexer, size_bytes);
        size_t signs = literal_signs(lexer, size_bytes);
        if (byte == '"' || (signs == 0 && opens_sequence(lexer, size_bytes))) {
            break;
        }
        if (byte == '\n' || byte == '\r') {
            fail(lexer, lexer->at + size_bytes,
                 "invalid multi-line string: a quoted string cannot span lines");
            return error_hint(lexer->err, "use a heredoc, or the escape \\n");
        }
        if (byte == '\\' && size_bytes + 1 < left(lexer) && peek(lexer, size_bytes + 1) >= 0x20) {
            size_bytes++;
            signs = 0;
        }
        if (signs != 0) {
            size_bytes += signs;
        } else if (literal_character(lexer, &size_bytes) != 0) {
            return -1;
        }
    }
    if (size_bytes != 0) {
        emit(lexer, HCL_TOKEN_TEXT, 0, size_bytes);
        return 0;
    }
    if (left(lexer) == 0) {
        return fail(lexer, mode(lexer)->opened_at,
                    "unterminated template string: no closing quote marker was found");
    }
    if (peek(lexer, 0) == '"') {
        emit(lexer, HCL_TOKEN_QUOTE_CLOSE, 0, 1);
        lexer->depth--;
        return 0;
    }
    return open_sequence(lexer);
}

/* White space as Go's unicode.IsSpace has it, at the front of text; its length or 0. */
static size_t space_length(struct span text)
{
    uint32_t c = 0;
    size_t length = identifier_decode(text, &c);
    bool is_space = (c >= 9 && c <= 13) || c == ' ' || c == 0x85 || c == 0xa0 || c == 0x1680 ||
                    (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 || c == 0x202f ||
                    c == 0x205f || c == 0x3000;
    return length != 0 && is_space ? length : 0;
}

static bool is_marker_line(struct span line, struct span marker)
{
    for (size_t length; (length = space_length(line)) != 0;) {
        line = span_of(line.data + length, line.size_bytes - length);
    }
    if (line.size_bytes < marker.size_bytes ||
        memcmp(line.data, marker.data, marker.size_bytes) != 0) {
        return false;
    }
    line = span_of(line.data + marker.size_bytes, line.size_bytes - marker.size_bytes);
    for (size_t length; (length = space_length(line)) != 0;) {
        line = span_of(line.data + length, line.size_bytes - length);
    }
    return line.size_bytes == 0;
}

/* Ends the heredoc when the line of size_bytes, newline included, is its marker. */
static bool close_heredoc(struct lexer *lexer, size_t size_bytes)
{
    struct mode *heredoc = mode(lexer);
    if (!heredoc->at_line_start ||
        !is_marker_line(span_of(rest(lexer).data, size_bytes), heredoc->marker)) {
        return false;
    }
    size_t newline = size_bytes > 1 && peek(lexer, size_bytes - 2) == '\r' ? 2 : 1;
    emit(lexer, HCL_TOKEN_HEREDOC_CLOSE, 0, size_bytes - newline);
    lexer->depth--;
    return true;
}

static int lex_heredoc(struct lexer *lexer)
{
    size_t size_bytes = 0;
    while (size_bytes < left(lexer)) {
        size_t signs = literal_signs(lexer, size_bytes);
        unsigned char byte = peek(lexer, size_bytes);
        if (signs == 0 && opens_sequence(lexer, size_bytes)) {
            break;
        }
        if (byte == '\r' && peek(lexer, size_bytes + 1) != '\n') {
            return invalid_character(lexer, lexer->at + size_bytes);
        }
        if (signs != 0) {
            size_bytes += signs;
        } else if (literal_character(lexer, &size_bytes) != 0) {
            return -1;
        }
        if (byte == '\n') {
            if (!close_heredoc(lexer, size_bytes)) {
                emit(lexer, HCL_TOKEN_HEREDOC_TEXT, 0, size_bytes);
                mode(lexer)->at_line_start = true;
            }
            return 0;
        }
    }
    if (left(lexer) == size_bytes) {
        CLEANUP(memory_cleanup)
        char *marker = memory_text_n(mode(lexer)->marker.data, mode(lexer)->marker.size_bytes);
        return fail(lexer, mode(lexer)->opened_at,
                    "unterminated heredoc: no line with only %s and a newline behind it", marker);
    }
    if (size_bytes != 0) {
        emit(lexer, HCL_TOKEN_HEREDOC_TEXT, 0, size_bytes);
        return 0;
    }
    return open_sequence(lexer);
}

/* The size of "<<EOT\n" or "<<-EOT\n" here, and its marker; 0 when "<<" opens no heredoc. */
static size_t heredoc_open_length(const struct lexer *lexer, struct span *marker)
{
    size_t start = peek(lexer, 2) == '-' ? 3 : 2;
    if (peek(lexer, 0) != '<' || peek(lexer, 1) != '<' || left(lexer) < start) {
        return 0;
    }
    size_t length = identifier_length(span_of(rest(lexer).data + start, left(lexer) - start));
    size_t end = start + length;
    *marker = span_of(rest(lexer).data + start, length);
    if (length == 0) {
        return 0;
    }
    return peek(lexer, end) == '\n'                                   ? end + 1
           : peek(lexer, end) == '\r' && peek(lexer, end + 1) == '\n' ? end + 2
                                                                      : 0;
}

static int lex_heredoc_open(struct lexer *lexer)
{
    struct span marker = {0};
    size_t length = heredoc_open_length(lexer, &marker);
    if (length == 0) {
        fail(lexer, lexer->at, "invalid expression: '<<' opens no heredoc here");
        return error_hint(lexer->err, "write <<EOT with nothing behind it on the line");
    }
    if (push(lexer, MODE_HEREDOC) != 0) {
        return -1;
    }
    mode(lexer)->marker = marker;
    mode(lexer)->at_line_start = true;
    emit(lexer, HCL_TOKEN_HEREDOC_OPEN, 0, length);
    return 0;
}

static int lex_comment(struct lexer *lexer)
{
    size_t size_bytes = 2;
    if (peek(lexer, 0) == '/' && peek(lexer, 1) == '*') {
        while (!(peek(lexer, size_bytes) == '*' && peek(lexer, size_bytes + 1) == '/')) {
            if (size_bytes++ >= left(lexer)) {
                return fail(lexer, lexer->at, "unterminated comment: no closing */ was found");
            }
        }
        emit(lexer, HCL_TOKEN_COMMENT, 0, size_bytes + 2);
        return 0;
    }
    const char *end = memchr(rest(lexer).data, '\n', left(lexer));
    size_bytes = end != NULL ? (size_t)(end - rest(lexer).data) : left(lexer);
    if (end != NULL && end[-1] == '\r') {
        size_bytes--;
    }
    emit(lexer, HCL_TOKEN_COMMENT, 0, size_bytes);
    return 0;
}

static bool is_digit(unsigned char byte)
{
    return byte >= '0' && byte <= '9';
}

static size_t skip_digits(const struct lexer *lexer, size_t ahead)
{
    while (is_digit(peek(lexer, ahead))) {
        ahead++;
    }
    return ahead;
}

/* digits, a fraction and an exponent: each only when a digit follows. */
static void lex_number(struct lexer *lexer)
{
    size_t end = skip_digits(lexer, 0);
    if (peek(lexer, end) == '.' && is_digit(peek(lexer, end + 1))) {
        end = skip_digits(lexer, end + 1);
    }
    if (peek(lexer, end) == 'e' || peek(lexer, end) == 'E') {
        size_t sign = peek(lexer, end + 1) == '+' || peek(lexer, end + 1) == '-';
        if (is_digit(peek(lexer, end + 1 + sign))) {
            end = skip_digits(lexer, end + 1 + sign);
        }
    }
    emit(lexer, HCL_TOKEN_NUMBER, 0, end);
}

static const struct {
    const char *text;
    enum hcl_symbol symbol;
} long_symbols[] = {
    {"...", HCL_SYMBOL_ELLIPSIS},  {"==", HCL_SYMBOL_EQUAL},         {"!=", HCL_SYMBOL_NOT_EQUAL},
    {"<=", HCL_SYMBOL_LESS_EQUAL}, {">=", HCL_SYMBOL_GREATER_EQUAL}, {"&&", HCL_SYMBOL_AND},
    {"||", HCL_SYMBOL_OR},         {"=>", HCL_SYMBOL_ARROW},         {"::", HCL_SYMBOL_NAMESPACE},
};

static int lex_symbol(struct lexer *lexer)
{
    for (size_t i = 0; i < ARRAY_SIZE(long_symbols); i++) {
        if (span_starts_with(rest(lexer), long_symbols[i].text)) {
            emit(lexer, HCL_TOKEN_SYMBOL, long_symbols[i].symbol, strlen(long_symbols[i].text));
            return 0;
        }
    }
    unsigned char byte = peek(lexer, 0);
    if (byte == '\0' || strchr("{}[]().,*/+-%!<>=?:", byte) == NULL) {
        return invalid_character(lexer, lexer->at);
    }
    emit(lexer, HCL_TOKEN_SYMBOL, byte, 1);
    return 0;
}

/* Braces decide where a sequence ends. True when the byte was one of them. */
static bool lex_brace(struct lexer *lexer)
{
    unsigned char byte = peek(lexer, 0);
    bool in_sequence = lexer->depth > 1 && mode(lexer)->braces == 0;
    if (in_sequence && (byte == '}' || (byte == '~' && peek(lexer, 1) == '}'))) {
        emit(lexer, HCL_TOKEN_SEQUENCE_CLOSE, 0, byte == '~' ? 2 : 1);
        lexer->depth--;
        return true;
    }
    if (byte == '{') {
        mode(lexer)->braces++;
    } else if (byte == '}' && mode(lexer)->braces > 0) {
        mode(lexer)->braces--;
    }
    return false;
}

static int lex_code(struct lexer *lexer)
{
    unsigned char byte = peek(lexer, 0);
    size_t newline = newline_length(lexer);
    if (byte == ' ' || byte == '\t') {
        lexer->at++;
    } else if (newline != 0) {
        emit(lexer, HCL_TOKEN_NEWLINE, 0, newline);
    } else if (byte == '#' || (byte == '/' && (peek(lexer, 1) == '/' || peek(lexer, 1) == '*'))) {
        return lex_comment(lexer);
    } else if (byte == '"') {
        if (push(lexer, MODE_QUOTED) != 0) {
            return -1;
        }
        emit(lexer, HCL_TOKEN_QUOTE_OPEN, 0, 1);
    } else if (byte == '<' && peek(lexer, 1) == '<') {
        return lex_heredoc_open(lexer);
    } else if (is_digit(byte)) {
        lex_number(lexer);
    } else if (identifier_length(rest(lexer)) != 0) {
        emit(lexer, HCL_TOKEN_IDENTIFIER, 0, identifier_length(rest(lexer)));
    } else if (!lex_brace(lexer)) {
        return lex_symbol(lexer);
    }
    return 0;
}

static int lex_all(struct lexer *lexer)
{
    while (left(lexer) > 0 || mode(lexer)->kind != MODE_CODE) {
        enum mode_kind kind = mode(lexer)->kind;
        int result = kind == MODE_QUOTED    ? lex_quoted(lexer)
                     : kind == MODE_HEREDOC ? lex_heredoc(lexer)
                                            : lex_code(lexer);
        if (result != 0) {
            return -1;
        }
    }
    if (lexer->depth > 1) {
        return fail(lexer, mode(lexer)->opened_at,
                    "unclosed template interpolation sequence: there is no closing brace");
    }
    emit(lexer, HCL_TOKEN_END, 0, 0);
    return 0;
}

int hcl_lex(struct span text, const char *name, struct hcl_tokens *tokens, struct error *err)
{
    struct lexer lexer = {
        .text = text, .name = name, .tokens = tokens, .err = err, .at = hcl_bom_size(text)};
    lexer.modes[0] = (struct mode){.kind = MODE_CODE};
    lexer.depth = 1;
    return lex_all(&lexer);
}

void hcl_tokens_release(struct hcl_tokens *tokens)
{
    vector_release(&tokens->list);
}
