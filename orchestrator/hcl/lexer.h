/* HCL native syntax as tokens with places, so that bytes can be changed one literal at a time and
 * everything between stays as it was. */
#ifndef DRCTL_HCL_LEXER_H
#define DRCTL_HCL_LEXER_H

#include "base/compiler.h"
#include "base/error.h"
#include "base/span.h"
#include "base/vector.h"

enum hcl_token_kind {
    HCL_TOKEN_END, /* of the file; always the last token */
    HCL_TOKEN_NEWLINE,
    HCL_TOKEN_COMMENT, /* without the newline that ends it */
    HCL_TOKEN_IDENTIFIER,
    HCL_TOKEN_NUMBER,
    HCL_TOKEN_SYMBOL,        /* punctuation and operators; .symbol says which */
    HCL_TOKEN_QUOTE_OPEN,    /* " */
    HCL_TOKEN_QUOTE_CLOSE,   /* " */
    HCL_TOKEN_TEXT,          /* between quotes and sequences, escapes as written */
    HCL_TOKEN_HEREDOC_OPEN,  /* <<EOT with its newline */
    HCL_TOKEN_HEREDOC_TEXT,  /* at most one line, with its newline */
    HCL_TOKEN_HEREDOC_CLOSE, /* the closing line without its newline, indentation included */
    HCL_TOKEN_SEQUENCE_OPEN, /* ${ or %{, with its ~; .symbol is '$' or '%' */
    HCL_TOKEN_SEQUENCE_CLOSE /* } or ~} */
};

/* Operators of more than one character; all others are their character. */
enum hcl_symbol {
    HCL_SYMBOL_EQUAL = 256, /* == */
    HCL_SYMBOL_NOT_EQUAL,
    HCL_SYMBOL_LESS_EQUAL,
    HCL_SYMBOL_GREATER_EQUAL,
    HCL_SYMBOL_AND,
    HCL_SYMBOL_OR,
    HCL_SYMBOL_ARROW,    /* => */
    HCL_SYMBOL_ELLIPSIS, /* ... */
    HCL_SYMBOL_NAMESPACE /* :: */
};

struct hcl_token {
    enum hcl_token_kind kind;
    int symbol;
    size_t offset; /* of its first byte in the file */
    size_t size_bytes;
};

struct hcl_tokens {
    VECTOR(struct hcl_token)
    list;
};

/* The size of the byte order mark that text may begin with: 3 or 0. */
size_t hcl_bom_size(struct span text);

/* Line and column, from 1, of an offset; a byte order mark takes no column. */
void hcl_position(struct span text, size_t offset, size_t *ret_line, size_t *ret_column);

/* ERROR_INVALID at an offset of a file. Returns -1. */
int hcl_error_at(struct error *err, const char *name, struct span text, size_t offset,
                 const char *format, ...) PRINTF_LIKE(5, 6);

/* Splits text, which errors call by name. The tokens hold offsets, not pointers. On failure the
 * list has what came before the error. */
MUST_USE int hcl_lex(struct span text, const char *name, struct hcl_tokens *tokens,
                     struct error *err);

void hcl_tokens_release(struct hcl_tokens *tokens);

#endif
