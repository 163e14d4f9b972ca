/* For the files that read a plan's maps: keys as tables, so that unknown keys, suggestions and the
 * JSON Schema come from the same place as the reading. */
#ifndef DRCTL_PLAN_READER_H
#define DRCTL_PLAN_READER_H

#include "plan/model.h"

struct reader {
    struct plan *plan;
    struct error_list *errors;
};

struct key_rule {
    const char *key; /* NULL ends a table */
    bool required;
    /* Takes the value into target, which the table's user knows. */
    void (*read)(struct reader *reader, void *target, const struct node *value);
    const char *schema; /* JSON Schema of the value; NULL: made by schema.c */
    const char *doc;    /* one line */
};

/* What people write who come from elsewhere: key → what to write here. */
struct key_advice {
    const char *key;
    const char *advice;
};

/* The tables, for schema.c. */
extern const struct key_rule plan_rules[];
extern const struct key_rule input_rules[];
extern const struct key_rule objective_rules[];
extern const struct key_rule step_rules[];
extern const struct key_rule retry_rules[];
extern const struct key_rule probe_rules[];
extern const struct key_rule undo_rules[];

/* Reads a map by its table. what is "a step", "the plan", for sentences. */
void reader_map(struct reader *reader, const struct node *map, const struct key_rule *rules,
                const struct key_advice *advice, const char *what, void *target);

/* A new error at a node. */
struct error *reader_complain(struct reader *reader, const struct node *at, const char *format, ...)
    PRINTF_LIKE(3, 4);

/* Each gives the value, or reports and gives NULL / false. */
const char *reader_text(struct reader *reader, const struct node *value, const char *what);
const struct node *reader_of_kind(struct reader *reader, const struct node *value,
                                  enum node_kind kind, const char *what);
bool reader_boolean(struct reader *reader, const struct node *value, bool *ret);

/* Text that is a duration or has an expression: what is literal is checked and read now. */
void reader_duration(struct reader *reader, const struct node *value, int64_t *ret_ms);

/* A map of scalars with names that an environment can have. */
const struct node *reader_env(struct reader *reader, const struct node *value);

/* Text or a list of texts. */
const struct node *reader_texts(struct reader *reader, const struct node *value, const char *what);

/* Whether a word can be the name of a step or input; reports when not. */
bool reader_name(struct reader *reader, const struct node *key, const char *what);

/* Reads `steps`. */
void reader_steps(struct reader *reader, const struct node *steps);

/* Whether a scalar is text with an expression in it. */
bool node_has_expression(const struct node *node);

#endif
