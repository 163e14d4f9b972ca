/* The values that expressions see, with the mirror that says which of them are secret. A copy
 * shares everything below the roots, so that making one for every step costs nothing. */
#include "plan/context.h"

#include <string.h>

#include "base/json.h"

void context_init(struct context *context)
{
    *context = (struct context){.values = json_object(), .secrets = json_object()};
    /* There from the start, so that copies share them. */
    json_object_set_new(context->values, "steps", json_object());
    json_object_set_new(context->secrets, "steps", json_object());
}

void context_release(struct context *context)
{
    json_cleanup(&context->values);
    json_cleanup(&context->secrets);
}

void context_copy(struct context *to, const struct context *from)
{
    *to = *from;
    to->values = json_copy(from->values);
    to->secrets = json_copy(from->secrets);
}

void context_set(struct context *context, const char *root, json_t *value, json_t *secrets)
{
    json_object_set_new(context->values, root, value);
    if (secrets == NULL && strcmp(root, "steps") == 0) {
        secrets = json_object();
    }
    if (secrets != NULL) {
        json_object_set_new(context->secrets, root, secrets);
    } else {
        json_object_del(context->secrets, root);
    }
}

/* The object at key, made when it is missing. */
static json_t *child(json_t *object, const char *key)
{
    json_t *value = json_object_get(object, key);
    if (!json_is_object(value)) {
        value = json_object();
        json_object_set_new(object, key, value);
    }
    return value;
}

/* Where the mirror of the outputs of a step or item is. */
static json_t *output_secrets(struct context *context, const char *id, const char *item_key)
{
    json_t *outputs = child(child(child(context->secrets, "steps"), id), "outputs");
    return item_key != NULL ? child(outputs, item_key) : outputs;
}

void context_set_step(struct context *context, const char *id, const char *item_key,
                      const char *status, json_t *outputs, const struct action_description *action)
{
    json_t *step = child(child(context->values, "steps"), id);
    json_t *known = item_key == NULL ? json_object_get(step, "outputs") : NULL;
    json_t *value = outputs != NULL ? json_incref(outputs)
                    : known != NULL ? json_incref(known)
                                    : json_object();
    if (item_key != NULL) {
        json_object_set_new(child(step, "outputs"), item_key, value);
        json_object_set_new(child(step, "items"), item_key, json_string(status));
    } else {
        json_object_set_new(step, "outputs", value);
        json_object_set_new(step, "status", json_string(status));
    }
    for (const struct output *o = action != NULL ? action->outputs : NULL;
         o != NULL && o->name != NULL; o++) {
        if (o->secret) {
            context_mark_output(context, id, item_key, o->name);
        }
    }
}

void context_mark_output(struct context *context, const char *id, const char *item_key,
                         const char *output)
{
    json_object_set_new(output_secrets(context, id, item_key), output, json_true());
}
