/* For the files that resolve templates: one walk over a tree. */
#ifndef DRCTL_PLAN_RESOLUTION_H
#define DRCTL_PLAN_RESOLUTION_H

#include "base/buffer.h"
#include "plan/resolve.h"
#include "plan/template.h"

struct resolution {
    const struct document *document;
    const struct context *context;
    struct resolved *out;  /* secrets and secret_paths are filled on the way */
    struct buffer pointer; /* JSON pointer of the value that is being resolved */
    struct error *err;
};

/* Begins a walk that fills out. */
void resolution_begin(struct resolution *r, const struct document *document,
                      const struct context *context, struct resolved *out, struct error *err);

/* Ends it with its value (taken), NULL after an error; *ret is set on success alone. */
MUST_USE int resolution_end(struct resolution *r, json_t *value, struct resolved *ret);

/* Moves the pointer down, and back to what the call before returned. */
size_t resolution_enter(struct resolution *r, const char *key);
size_t resolution_enter_index(struct resolution *r, size_t index);
void resolution_leave(struct resolution *r, size_t before);

/* The value of a node, a new reference; NULL after an error. */
json_t *resolution_node(struct resolution *r, const struct node *node);

/* The same where text is wanted: a plain 1.30 or true is what was written. */
json_t *resolution_as_text(struct resolution *r, const struct node *node);

/* The value of a node's only expression. */
json_t *resolution_evaluate(struct resolution *r, const struct node *node,
                            const struct expression *expression);

/* A map's key, which may be a template as well: text that the map does not have yet. */
json_t *resolution_key(struct resolution *r, const struct node *node, const json_t *map);

/* Adds the texts of a value that is secret as a whole. */
void resolution_note_texts(struct resolution *r, const json_t *value);

/* For an error about all of a node instead of a byte in it. */
#define RESOLUTION_WHOLE SIZE_MAX

/* Gives the error, when it has no place yet, the place of a byte of the node. Returns NULL. */
json_t *resolution_fail(struct resolution *r, const struct node *node, size_t offset);

#endif
