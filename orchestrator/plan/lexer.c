/* Text is in 'single quotes' with '' for a quote, as in CI workflows; what people write instead
 * (double quotes, a single = or &) is recognised and answered with the right spelling. */
#include "plan/lexer.h"

#include <ctype.h>

static const struct {
    const char *spelling;
    enum token_kind kind;
} symbols[] = {
    {"&&", TOKEN_AND},
    {"||", TOKEN_OR},
    {"==", TOKEN_EQUAL},
    {"!=", TOKEN_UNEQUAL},
    {"<=", TOKEN_LESS_EQUAL},
    {">=", TOKEN_GREATER_EQUAL},
    {"<", TOKEN_LESS},
    {">", TOKEN_GREATER},
    {"!", TOKEN_NOT},
    {".", TOKEN_DOT},
    {",", TOKEN_COMMA},
    {":", TOKEN_COLON},
    {"?", TOKEN_QUESTION},
    {"(", TOKEN_OPEN_PARENTHESIS},
    {")", TOKEN_CLOSE_PARENTHESIS},
    {"[", TOKEN_OPEN_BRACKET},
    {"]", TOKEN_CLOSE_BRACKET},
};

static bool is_name_start(char c)
{
    return isalpha((unsigned char)c) || c == '_';
}

static bool is_name_part(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '-';
}

static int take(struct lexer *lexer, enum token_kind kind, size_t size_bytes)
{
    lexer->token.kind = kind;
    lexer->token.text = span_of(lexer->text + lexer->at, size_bytes);
    lexer->at += size_bytes;
    return 0;
}

static int take_text(struct lexer *lexer, struct error *err)
{
    const char *start = lexer->text + lexer->at;
    const char *at = start + 1;
    for (; *at != '\0'; at++) {
        if (*at == '\'' && at[1] != '\'') {
            return take(lexer, TOKEN_TEXT, (size_t)(at + 1 - start));
        }
        at += *at == '\'';
    }
    return error_set(err, ERROR_INVALID, "the text that starts here has no closing '");
}

static int take_number(struct lexer *lexer, struct error *err)
{
    const char *start = lexer->text + lexer->at;
    const char *at = start + (*start == '-');
    while (isdigit((unsigned char)*at)) {
        at++;
    }
    if (*at == '.' && isdigit((unsigned char)at[1])) {
        at++;
        while (isdigit((unsigned char)*at)) {
            at++;
        }
    }
    if (is_name_part(*at)) {
        error_set(err, ERROR_INVALID, "'%.*s' is no number", (int)(at + 1 - start), start);
        return error_hint(err, "text needs single quotes, durations too: duration('5m')");
    }
    return take(lexer, TOKEN_NUMBER, (size_t)(at - start));
}

/* What stands here is no token: say what to write instead. */
static int refuse(struct lexer *lexer, struct error *err)
{
    const char *at = lexer->text + lexer->at;
    static const struct {
        char found;
        const char *hint;
    } hints[] = {
        {'"', "text in an expression is written in 'single quotes'"},
        {'=', "compare with =="},
        {'&', "write &&"},
        {'|', "write ||; there are no filters, only functions: lower(x)"},
        {'+', "there is no arithmetic; join texts by ${{ a }}${{ b }} or format('{0}{1}', a, b)"},
        {'*', "there is no arithmetic"},
        {'/', "there is no arithmetic"},
        {'-', "there is no arithmetic"},
        {'$', "expressions do not nest: write the name alone"},
        {'{', "maps are written outside of expressions"},
        {'}', "an expression ends with }}"},
    };
    if (isprint((unsigned char)*at)) {
        error_set(err, ERROR_INVALID, "'%c' means nothing in an expression", *at);
    } else {
        error_set(err, ERROR_INVALID, "the byte 0x%02x means nothing in an expression",
                  (unsigned)(unsigned char)*at);
    }
    for (size_t i = 0; i < ARRAY_SIZE(hints); i++) {
        if (*at == hints[i].found) {
            return error_hint(err, "%s", hints[i].hint);
        }
    }
    return -1;
}

static int take_symbol(struct lexer *lexer, struct error *err)
{
    struct span rest = span_of_text(lexer->text + lexer->at);
    for (size_t i = 0; i < ARRAY_SIZE(symbols); i++) {
        if (span_starts_with(rest, symbols[i].spelling)) {
            return take(lexer, symbols[i].kind, strlen(symbols[i].spelling));
        }
    }
    return refuse(lexer, err);
}

int lexer_next(struct lexer *lexer, struct error *err)
{
    while (isspace((unsigned char)lexer->text[lexer->at])) {
        lexer->at++;
    }
    const char *at = lexer->text + lexer->at;
    lexer->token.offset = lexer->at;
    if (*at == '\0') {
        if (lexer->in_template) {
            error_set(err, ERROR_INVALID, "the expression has no closing }}");
            return error_hint(err, "in YAML without quotes a ' #' begins a comment");
        }
        return take(lexer, TOKEN_END, 0);
    }
    if (lexer->in_template && at[0] == '}' && at[1] == '}') {
        return take(lexer, TOKEN_END, 2);
    }
    if (is_name_start(*at)) {
        size_t size_bytes = 1;
        while (is_name_part(at[size_bytes])) {
            size_bytes++;
        }
        return take(lexer, TOKEN_NAME, size_bytes);
    }
    if (isdigit((unsigned char)*at) || (*at == '-' && isdigit((unsigned char)at[1]))) {
        return take_number(lexer, err);
    }
    return *at == '\'' ? take_text(lexer, err) : take_symbol(lexer, err);
}
