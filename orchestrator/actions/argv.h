/* A list of words that grows: the argv of a command, or NAME=VALUE settings for its environment.
 * Empty when all zero. */
#ifndef DRCTL_ACTIONS_ARGV_H
#define DRCTL_ACTIONS_ARGV_H

#include <jansson.h>
#include <stddef.h>

#include "base/compiler.h"
#include "base/vector.h"

struct argv {
    VECTOR(char *)
    words; /* owned; the last one is NULL as soon as there is any */
};

/* Each adds copies at the end. */
void argv_add(struct argv *argv, const char *word);
void argv_add_format(struct argv *argv, const char *format, ...) PRINTF_LIKE(2, 3);

/* An option and its value as two words; nothing when the value is NULL. */
void argv_add_option(struct argv *argv, const char *option, const char *value);

/* The texts of a JSON array, those that are no text in their JSON form; NULL adds nothing. */
void argv_add_list(struct argv *argv, const json_t *list);

/* "NAME=VALUE" for each text of a JSON object; NULL adds nothing. */
void argv_add_settings(struct argv *argv, const json_t *map);

/* The words with a NULL behind them; valid until the next change. */
const char *const *argv_words(struct argv *argv);

/* How many words there are, without the NULL. */
size_t argv_count(const struct argv *argv);

/* The words with blanks between them, quoted where a shell would need it: for showing. The caller
 * frees it. */
char *argv_to_text(const char *const *words);

void argv_release(struct argv *argv);

#endif
