/* Tokens of an expression. */
#ifndef DRCTL_PLAN_LEXER_H
#define DRCTL_PLAN_LEXER_H

#include "base/compiler.h"
#include "base/error.h"
#include "base/span.h"

enum token_kind {
    TOKEN_END, /* of the text, or `}}` in a template */
    TOKEN_NAME,
    TOKEN_NUMBER,
    TOKEN_TEXT,
    TOKEN_DOT,
    TOKEN_COMMA,
    TOKEN_COLON,
    TOKEN_QUESTION,
    TOKEN_OPEN_PARENTHESIS,
    TOKEN_CLOSE_PARENTHESIS,
    TOKEN_OPEN_BRACKET,
    TOKEN_CLOSE_BRACKET,
    TOKEN_NOT,
    TOKEN_AND,
    TOKEN_OR,
    TOKEN_EQUAL,
    TOKEN_UNEQUAL,
    TOKEN_LESS,
    TOKEN_LESS_EQUAL,
    TOKEN_GREATER,
    TOKEN_GREATER_EQUAL
};

struct token {
    enum token_kind kind;
    struct span text; /* as written, quotes included */
    size_t offset;
};

struct lexer {
    const char *text;
    size_t at;        /* byte behind the current token */
    bool in_template; /* `}}` ends the expression, the end of the text does not */
    struct token token;
};

/* Reads the next token into lexer->token. On failure lexer->token.offset says where. */
MUST_USE int lexer_next(struct lexer *lexer, struct error *err);

#endif
