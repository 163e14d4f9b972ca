/* libyaml's complaints in words that help: what is wrong, where it begins, what was probably meant.
 */
#ifndef DRCTL_PLAN_YAML_EXPLAIN_H
#define DRCTL_PLAN_YAML_EXPLAIN_H

#include <yaml.h>

#include "plan/document.h"

/* Sets err from a parser that has just failed. */
void yaml_explain(const yaml_parser_t *parser, const struct document *document, struct error *err);

/* JSON writes characters beyond U+FFFF as two \u escapes, which YAML refuses: a copy of the source
 * of a .json file with each such pair as one \U escape; NULL for other files. */
char *yaml_join_surrogates(const struct document *document);

#endif
