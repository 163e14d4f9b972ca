/* Whatever stands between ${{ and }}: no crash, an error's offset lies in the text, a value is the
 * same when it is asked for twice, and a text that was made without the secret never holds it. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"
#include "plan/expression.h"
#include "plan/resolve.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char secret[] = "q7#Zx!m2";

static void require(bool condition)
{
    if (!condition) {
        abort();
    }
}

static void make_context(struct context *context)
{
    context_init(context);
    context->now_ns = INT64_C(1800000000000000000);
    context_set(context, "inputs",
                json_pack("{ss ss si s[iii]}", "pw", secret, "s", "abc", "n", 3, "l", 1, 2, 3),
                json_pack("{sb}", "pw", 1));
    context_set(context, "site",
                json_pack("{s[{ssss}{ssss}] s{ss}}", "list", "id", "a", "t", "2026-01-01T00:00:00Z",
                          "id", "b", "t", "2026-02-01T00:00:00Z", "m", "k", "v"),
                NULL);
    context_set(context, "run", json_pack("{ssss}", "id", "r", "at", "2026-11-22T22:00:00Z"), NULL);
}

static void check_value(const struct expression *expression, const struct context *context,
                        size_t size)
{
    struct value value;
    struct value again;
    size_t offset;
    struct error err = ERROR_INIT;
    if (expression_evaluate(expression, context, &value, &offset, &err) != 0) {
        require(err.message != NULL && offset <= size);
        require(strstr(err.message, secret) == NULL);
        error_release(&err);
        return;
    }
    require(expression_evaluate(expression, context, &again, &offset, NULL) == 0);
    require(json_equal(value.json, again.json));
    if (!value_is_secret(&value)) {
        CLEANUP(memory_cleanup) char *text = json_canonical(value.json);
        require(strstr(text, secret) == NULL);
    }
    value_release(&value);
    value_release(&again);
}

static void check_expression(const char *text, size_t size, const struct context *context)
{
    struct expression *expression;
    struct reference_list references = {0};
    size_t end;
    struct error err = ERROR_INIT;
    if (expression_parse(text, 0, false, &expression, &end, &err) != 0) {
        require(err.message != NULL && end <= size);
        error_release(&err);
        return;
    }
    require(end == size);
    expression_references(expression, &references);
    reference_list_release(&references);
    check_value(expression, context, size);
    expression_free(expression);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct context context;
    struct resolved resolved;
    struct span span = span_of((const char *)data, size);
    if (size > 4096 || memchr(data, '\0', size) != NULL || text_valid_utf8_prefix(span) != size ||
        memmem(data, size, secret, 4) != NULL) {
        return 0;
    }
    CLEANUP(memory_cleanup) char *text = memory_text_n((const char *)data, size);
    make_context(&context);
    check_expression(text, size, &context);
    if (resolve_file(span_of_text(text), "file", &context, &resolved, NULL) == 0) {
        resolved_release(&resolved);
    }
    context_release(&context);
    return 0;
}
