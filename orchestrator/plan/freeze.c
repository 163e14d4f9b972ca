/* plan.json; the format is in freeze.h. The source's text is the canonical form of the plan, so
 * that there is no second serialisation of the model that could drift from the first. */
#include "plan/freeze.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"

enum { FREEZE_FORMAT = 1 };

/* The inputs without those that are secret. */
static json_t *public_inputs(const struct plan *plan, const struct context *context)
{
    json_t *inputs = json_copy(json_object_get(context->values, "inputs"));
    vector_each (const struct plan_input *, input, &plan->inputs) {
        if (input->type == VALUE_SECRET) {
            json_object_del(inputs, input->name);
        }
    }
    return inputs != NULL ? inputs : json_object();
}

char *plan_freeze(const struct plan *plan, const struct context *context,
                  char sha256[DIGEST_HEX_SIZE])
{
    json_t *site = json_object_get(context->values, "site");
    json_t *frozen = json_pack("{si ss ss ss ss so sO}", "format", FREEZE_FORMAT, "file",
                               plan->document->file, "plan", plan->name, "sha256", plan->sha256,
                               "text", plan->document->text, "inputs", public_inputs(plan, context),
                               "site", site != NULL ? site : json_null());
    char *bytes = json_canonical(frozen);
    json_decref(frozen);
    digest_sha256_hex(span_of_text(bytes), sha256);
    return bytes;
}

static int damaged(const char *file, struct error *err, const char *what)
{
    return error_set_at(err, ERROR_DAMAGED, file, 1, 0, "not a frozen plan: %s", what);
}

/* The plan in it, with its text proved to be what was frozen. */
static int thaw_plan(const json_t *frozen, const char *file, struct plan **ret_plan,
                     struct error *err)
{
    const char *source_name = json_get_text(frozen, "file");
    const char *text = json_get_text(frozen, "text");
    const char *sha256 = json_get_text(frozen, "sha256");
    if (source_name == NULL || text == NULL || sha256 == NULL) {
        return damaged(file, err, "file, text or sha256 is missing");
    }
    struct error_list errors = {.limit = 1};
    struct plan *plan = plan_parse(span_of_text(text), source_name, &errors);
    int result = 0;
    if (plan == NULL || errors.errors.count != 0) {
        result = damaged(file, err, "its text is no plan that this version of drctl reads");
        if (errors.errors.count != 0) {
            CLEANUP(memory_cleanup) char *why = error_format(&errors.errors.items[0]);
            error_hint(err, "%s", why);
        }
    } else if (strcmp(plan->sha256, sha256) != 0) {
        result = damaged(file, err, "its text is not the one that was frozen");
    }
    error_list_release(&errors);
    if (result != 0) {
        plan_free(plan);
        return -1;
    }
    *ret_plan = plan;
    return 0;
}

static void thaw_context(const struct plan *plan, const json_t *frozen, struct context *context)
{
    json_t *secrets = json_object();
    vector_each (const struct plan_input *, input, &plan->inputs) {
        if (input->type == VALUE_SECRET) {
            json_object_set_new(secrets, input->name, json_true());
        }
    }
    context_set(context, "inputs", json_incref(json_object_get(frozen, "inputs")), secrets);
    json_t *site = json_object_get(frozen, "site");
    if (!json_is_null(site)) {
        context_set(context, "site", json_incref(site), NULL);
    }
}

int plan_thaw(struct span bytes, const char *file, struct plan **ret_plan, struct context *context,
              struct error *err)
{
    struct error inner = ERROR_INIT;
    CLEANUP(json_cleanup) json_t *frozen = json_parse(bytes, file, &inner);
    if (frozen == NULL) {
        damaged(file, err, inner.message);
        error_release(&inner);
        return -1;
    }
    if (json_get_integer(frozen, "format", 0) != FREEZE_FORMAT) {
        return damaged(file, err, "its format is not 1");
    }
    if (!json_is_object(json_object_get(frozen, "inputs")) ||
        json_object_get(frozen, "site") == NULL) {
        return damaged(file, err, "inputs or site is missing");
    }
    struct plan *plan = NULL;
    if (thaw_plan(frozen, file, &plan, err) != 0) {
        return -1;
    }
    thaw_context(plan, frozen, context);
    *ret_plan = plan;
    return 0;
}

const struct plan_input *plan_missing_secret(const struct plan *plan, const struct context *context)
{
    const json_t *inputs = json_object_get(context->values, "inputs");
    vector_each (const struct plan_input *, input, &plan->inputs) {
        if (input->type == VALUE_SECRET && json_object_get(inputs, input->name) == NULL) {
            return input;
        }
    }
    return NULL;
}

void plan_thaw_secret(const struct plan_input *input, const char *text, struct context *context)
{
    json_t *inputs = json_object_get(context->values, "inputs");
    json_object_set_new(inputs, input->name, text != NULL ? json_string(text) : json_null());
}
