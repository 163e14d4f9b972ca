/* What actions say about themselves. Every action declares one struct action_description; checking,
 * error messages, `drctl actions`, the JSON Schema, the documentation and shell completion are made
 * from it. The layer of the actions fills the tables; this layer only reads them. */
#ifndef DRCTL_PLAN_CATALOGUE_H
#define DRCTL_PLAN_CATALOGUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The types of inputs, parameters and outputs. "Arrives as" is the JSON that expressions see and
 * that an action is handed after resolve_arguments(). */
enum value_type {
    VALUE_ANY,       /* any: arrives as it is */
    VALUE_STRING,    /* string: arrives as text; a plain number or boolean as it was written */
    VALUE_SECRET,    /* secret: arrives as text and is never shown or written */
    VALUE_INTEGER,   /* integer */
    VALUE_NUMBER,    /* number: integer or real */
    VALUE_BOOLEAN,   /* boolean */
    VALUE_DURATION,  /* duration, "5m": inputs keep the text, arguments arrive as integer ms */
    VALUE_TIMESTAMP, /* timestamp, RFC 3339: arrives as text */
    VALUE_REGION,    /* region, an AWS region name: arrives as text */
    VALUE_PATH,      /* path: arrives as text, not empty */
    VALUE_CHOICE,    /* choice: one of the texts in `choices` */
    VALUE_LIST,      /* list of anything */
    VALUE_STRINGS,   /* strings: a list of text; plain numbers and booleans as they were written */
    VALUE_MAP,       /* map of anything */
    VALUE_STRING_MAP /* string_map: a map of text, such as tags or an environment */
};

struct parameter {
    const char *name; /* NULL ends a table */
    enum value_type type;
    bool required;
    bool exposed;               /* its value shows in argv or a log: a secret is refused here */
    const char *default_json;   /* what a missing value arrives as (still text for a duration); NULL
                                   leaves it out */
    const char *doc;            /* one line */
    const char *const *choices; /* for VALUE_CHOICE, ends with NULL */
    const char *one_of; /* of the parameters that share this word exactly one must be given; NULL */
};

struct output {
    const char *name; /* NULL ends a table */
    enum value_type type;
    const char *doc; /* one line */
    bool secret;
};

struct action_description {
    const char *name;                   /* "terraform.apply" */
    const char *summary;                /* one line, for lists */
    const char *doc;                    /* further paragraphs; NULL when the summary says it all */
    const struct parameter *parameters; /* NULL when there are none */
    const struct output *outputs;       /* NULL when there are none */
    bool mutates;      /* changes something outside the run directory: a dry run does not run it */
    bool open_outputs; /* further outputs, unknown before the run, are allowed to be used */
    uint64_t memory_bytes; /* what one attempt needs when the step does not say; 0 is unknown */
};

/* The actions that there are, in any order; borrowed. */
struct plan_catalogue {
    const struct action_description *const *actions;
    size_t count;
};

/* NULL when there is no such action, parameter or output. */
const struct action_description *catalogue_find(const struct plan_catalogue *catalogue,
                                                const char *name);
const struct parameter *catalogue_parameter(const struct action_description *action,
                                            const char *name);
const struct output *catalogue_output(const struct action_description *action, const char *name);

/* The known name nearest to a misspelled one, NULL when none is near. Borrowed. */
const char *catalogue_nearest(const struct plan_catalogue *catalogue, const char *name);
const char *catalogue_nearest_parameter(const struct action_description *action, const char *name);
const char *catalogue_nearest_output(const struct action_description *action, const char *name);

/* "string", "integer", …, and back (false for an unknown name). */
const char *value_type_name(enum value_type type);
bool value_type_from_name(const char *name, enum value_type *ret_type);

/* "a whole number", "text", …: for sentences. */
const char *value_type_phrase(enum value_type type);

#endif
