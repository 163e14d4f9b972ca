/* The parsers behind hcl_document_init(), and what their parts share. Nobody else includes this. */
#ifndef DRCTL_HCL_PARSER_H
#define DRCTL_HCL_PARSER_H

#include "hcl/hcl_document.h"

struct hcl_parser {
    struct hcl_document *document;
    struct error *err;
    size_t at;          /* token */
    size_t end;         /* offset behind the last token that was taken */
    size_t depth;       /* of nesting */
    bool skip_newlines; /* inside brackets a newline is white space */
    size_t for_depth;   /* inside a for expression names may be its own variables */
};

/* Fills the tree of a document whose tokens are there. */
MUST_USE int hcl_parse(struct hcl_document *document, struct error *err);

/* Fills the tree of a JSON document. */
MUST_USE int hcl_json_scan(struct hcl_document *document, struct error *err);

/* Parses one expression; *ret_node is a node without a parent. */
MUST_USE int hcl_parse_expression(struct hcl_parser *parser, size_t *ret_node);

/* The next token that is not a comment, nor a newline where those are skipped. */
const struct hcl_token *hcl_parser_peek(struct hcl_parser *parser);
const struct hcl_token *hcl_parser_next(struct hcl_parser *parser);
bool hcl_parser_is(struct hcl_parser *parser, int symbol);
/* Takes the symbol when it is next. */
bool hcl_parser_take(struct hcl_parser *parser, int symbol);

/* Decodes the quoted string whose QUOTE_OPEN is next, which must have no sequences; takes it. */
MUST_USE int hcl_parse_plain_string(struct hcl_parser *parser, const char *what, char **ret_text);

#define hcl_parser_fail(parser, token, ...)                                                        \
    hcl_document_error((parser)->document, (parser)->err, (token)->offset, __VA_ARGS__)

#endif
