/* Looking things up in the tables of the actions. There are a few dozen actions of a few dozen
 * parameters each, so a walk is quick enough. */
#include "plan/catalogue.h"

#include <string.h>

#include "base/compiler.h"
#include "base/nearest.h"

static const struct {
    const char *name;
    const char *phrase;
} types[] = {
    [VALUE_ANY] = {"any", "any value"},
    [VALUE_STRING] = {"string", "text"},
    [VALUE_SECRET] = {"secret", "a secret text"},
    [VALUE_INTEGER] = {"integer", "a whole number"},
    [VALUE_NUMBER] = {"number", "a number"},
    [VALUE_BOOLEAN] = {"boolean", "true or false"},
    [VALUE_DURATION] = {"duration", "a duration such as 90s, 5m or 1h30m"},
    [VALUE_TIMESTAMP] = {"timestamp", "a time such as 2026-11-22T22:03:01Z"},
    [VALUE_REGION] = {"region", "an AWS region such as us-west-2"},
    [VALUE_PATH] = {"path", "a path"},
    [VALUE_CHOICE] = {"choice", "one of a few words"},
    [VALUE_LIST] = {"list", "a list"},
    [VALUE_STRINGS] = {"strings", "a list of texts"},
    [VALUE_MAP] = {"map", "a map"},
    [VALUE_STRING_MAP] = {"string_map", "a map of texts"},
};

const struct action_description *catalogue_find(const struct plan_catalogue *catalogue,
                                                const char *name)
{
    for (size_t i = 0; i < catalogue->count; i++) {
        if (strcmp(catalogue->actions[i]->name, name) == 0) {
            return catalogue->actions[i];
        }
    }
    return NULL;
}

const struct parameter *catalogue_parameter(const struct action_description *action,
                                            const char *name)
{
    for (const struct parameter *p = action->parameters; p != NULL && p->name != NULL; p++) {
        if (strcmp(p->name, name) == 0) {
            return p;
        }
    }
    return NULL;
}

const struct output *catalogue_output(const struct action_description *action, const char *name)
{
    for (const struct output *o = action->outputs; o != NULL && o->name != NULL; o++) {
        if (strcmp(o->name, name) == 0) {
            return o;
        }
    }
    return NULL;
}

const char *catalogue_nearest(const struct plan_catalogue *catalogue, const char *name)
{
    struct nearest nearest;
    nearest_init(&nearest, name);
    for (size_t i = 0; i < catalogue->count; i++) {
        nearest_offer(&nearest, catalogue->actions[i]->name);
    }
    return nearest.best;
}

const char *catalogue_nearest_parameter(const struct action_description *action, const char *name)
{
    struct nearest nearest;
    nearest_init(&nearest, name);
    for (const struct parameter *p = action->parameters; p != NULL && p->name != NULL; p++) {
        nearest_offer(&nearest, p->name);
    }
    return nearest.best;
}

const char *catalogue_nearest_output(const struct action_description *action, const char *name)
{
    struct nearest nearest;
    nearest_init(&nearest, name);
    for (const struct output *o = action->outputs; o != NULL && o->name != NULL; o++) {
        nearest_offer(&nearest, o->name);
    }
    return nearest.best;
}

const char *value_type_name(enum value_type type)
{
    return types[type].name;
}

bool value_type_from_name(const char *name, enum value_type *ret_type)
{
    for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
        if (strcmp(types[i].name, name) == 0) {
            *ret_type = (enum value_type)i;
            return true;
        }
    }
    return false;
}

const char *value_type_phrase(enum value_type type)
{
    return types[type].phrase;
}
