/* The language inside ${{ … }}: paths, literals, comparison, boolean operators, a ? b : c and a
 * table of functions. Pure: same expression and context, same value.
 *
 *   ternary  = or [ "?" ternary ":" ternary ]
 *   or       = and { "||" and }            the first operand that is not empty, else the last
 *   and      = equality { "&&" equality }  the first operand that is empty, else the last
 *   equality = relation { ("==" | "!=") relation }
 *   relation = unary [ ("<" | "<=" | ">" | ">=") unary ]
 *   unary    = "!" unary | postfix
 *   postfix  = primary { "." NAME | "[" ternary "]" }
 *   primary  = NUMBER | 'TEXT' | true | false | null | NAME [ "(" args ")" ] | "(" ternary ")"
 *            | "[" args "]"
 *
 * Empty are null, false, 0, '', [] and {}. The text 'false' is refused as a condition, since it is
 * not empty and nobody means that. A text is compared with a number or boolean as these would be
 * written; null equals only null. A key that is not there is an error, except where default(),
 * coalesce(), exists() or the left side of || ask for it. */
#ifndef DRCTL_PLAN_EXPRESSION_H
#define DRCTL_PLAN_EXPRESSION_H

#include "base/compiler.h"
#include "base/error.h"
#include "base/vector.h"
#include "plan/context.h"

enum {
    EXPRESSION_SIZE_LIMIT = 8192, /* bytes of one expression */
    EXPRESSION_DEPTH_LIMIT = 64,
    EXPRESSION_TEXT_LIMIT = 4 * 1024 * 1024, /* bytes of a text that a function makes */
    EXPRESSION_ITEM_LIMIT = 100000           /* items of a list that a function makes */
};

enum expression_kind {
    EXPRESSION_LITERAL,
    EXPRESSION_ROOT,   /* name */
    EXPRESSION_MEMBER, /* operand 0 . name */
    EXPRESSION_INDEX,  /* operand 0 [ operand 1 ] */
    EXPRESSION_CALL,   /* function over the operands */
    EXPRESSION_LIST,
    EXPRESSION_NOT,
    EXPRESSION_AND,
    EXPRESSION_OR,
    EXPRESSION_EQUAL,
    EXPRESSION_UNEQUAL,
    EXPRESSION_LESS,
    EXPRESSION_LESS_EQUAL,
    EXPRESSION_GREATER,
    EXPRESSION_GREATER_EQUAL,
    EXPRESSION_CONDITIONAL
};

struct function; /* functions.h */

struct expression {
    enum expression_kind kind;
    size_t offset; /* byte in the text that it was parsed from */
    json_t *literal;
    char *name;
    const struct function *function;
    VECTOR(struct expression *)
    operands; /* owned */
};

/* A value and what is secret in it. */
struct value {
    json_t *json;          /* owned */
    const json_t *secrets; /* mirror as in struct context, borrowed; NULL when nothing is secret */
};

void value_release(struct value *value);

/* Whether it is secret or has something secret in it. */
bool value_is_secret(const struct value *value);

/* Parses one expression that starts at the given byte of the text. It ends at `}}` when inside a
 * template, otherwise at the end of the text; *ret_end is the byte behind it. On failure err has no
 * place, and *ret_end is the byte that is wrong. */
MUST_USE int expression_parse(const char *text, size_t start, bool in_template,
                              struct expression **ret, size_t *ret_end, struct error *err);
void expression_free(struct expression *expression);

/* On failure err has no place, and *ret_offset is the byte that it is about. */
MUST_USE int expression_evaluate(const struct expression *expression, const struct context *context,
                                 struct value *ret, size_t *ret_offset, struct error *err);

/* A path into the context that an expression mentions. */
struct reference {
    VECTOR(char *)
    parts; /* owned: "steps", "db", "outputs", "arn", as far as they are literal */
    VECTOR(size_t)
    offsets;             /* of each part */
    bool continues;      /* an index that only evaluation knows follows */
    bool may_be_missing; /* asked for by default() and the like */
};

struct reference_list {
    VECTOR(struct reference)
    items;
};

/* Adds all references of an expression. */
void expression_references(const struct expression *expression, struct reference_list *list);
void reference_list_release(struct reference_list *list);

/* Whether a function of that name is called anywhere in it. */
bool expression_calls(const struct expression *expression, const char *function_name);

/* Whether a value counts as empty; -1 with an error for the text 'false'. */
MUST_USE int value_is_empty(const json_t *value, bool *ret_empty, struct error *err);

/* "text", "a number", "a list" … */
const char *value_phrase(const json_t *value);

/* A scalar as text: numbers and booleans as JSON writes them. -1 for null, lists and maps. */
MUST_USE int value_to_text(const json_t *value, char **ret_text, struct error *err);

#endif
