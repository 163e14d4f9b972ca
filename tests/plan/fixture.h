/* What the tests of the plan layer share: a catalogue that looks like the real one, and ways from a
 * text to a plan. */
#ifndef DRCTL_TESTS_PLAN_FIXTURE_H
#define DRCTL_TESTS_PLAN_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/json.h"
#include "plan/context.h"
#include "plan/model.h"

extern const struct plan_catalogue fixture_catalogue;

/* A plan that has to be without errors, validated; the caller frees it. */
struct plan *fixture_plan(const char *yaml);

/* All errors of a text, parsed and validated, one a line; the caller frees it. site may be NULL. */
char *fixture_errors(const char *yaml, const json_t *site);

/* JSON from text in which ' stands for ". A new reference. */
json_t *fixture_json(const char *text);

/* The value as canonical JSON, compared with the text in which ' stands for ". */
void assert_json(const json_t *value, const char *text);

/* A context with site, run and the given inputs; context_release() frees. */
void fixture_context(struct context *context, const char *inputs);

/* The whole error as error_format() has it, compared; releases it. */
void assert_error(struct error *err, const char *expected);

#endif
