/* Walks a template tree and evaluates what stands in it. Which leaves are secret is noted on the
 * way as JSON pointers, and the secret texts themselves for the redactor, so that an action can
 * refuse a secret where it would show. */
#include "plan/resolve.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"
#include "plan/resolution.h"
#include "plan/template.h"

void resolved_release(struct resolved *resolved)
{
    json_cleanup(&resolved->value);
    json_cleanup(&resolved->secrets);
    json_cleanup(&resolved->secret_paths);
}

bool resolved_is_secret(const struct resolved *resolved, const char *pointer)
{
    size_t i;
    json_t *path;
    json_array_foreach (resolved->secret_paths, i, path) {
        const char *text = json_string_value(path);
        size_t common = strlen(text) < strlen(pointer) ? strlen(text) : strlen(pointer);
        const char *longer = text[common] != '\0' ? text : pointer;
        if (strncmp(text, pointer, common) == 0 &&
            (longer[common] == '\0' || longer[common] == '/')) {
            return true;
        }
    }
    return false;
}

void resolution_begin(struct resolution *r, const struct document *document,
                      const struct context *context, struct resolved *out, struct error *err)
{
    *out = (struct resolved){NULL, json_array(), json_array()};
    *r = (struct resolution){document, context, out, BUFFER_INIT, err};
}

int resolution_end(struct resolution *r, json_t *value, struct resolved *ret)
{
    buffer_release(&r->pointer);
    r->out->value = value;
    if (value == NULL) {
        resolved_release(r->out);
        return -1;
    }
    *ret = *r->out;
    return 0;
}

/* --- pointers --- */

size_t resolution_enter(struct resolution *r, const char *key)
{
    size_t before = r->pointer.size_bytes;
    buffer_append_char(&r->pointer, '/');
    for (; *key != '\0'; key++) {
        if (*key == '~' || *key == '/') {
            buffer_append_text(&r->pointer, *key == '~' ? "~0" : "~1");
        } else {
            buffer_append_char(&r->pointer, *key);
        }
    }
    return before;
}

size_t resolution_enter_index(struct resolution *r, size_t index)
{
    size_t before = r->pointer.size_bytes;
    buffer_append_format(&r->pointer, "/%zu", index);
    return before;
}

void resolution_leave(struct resolution *r, size_t before)
{
    buffer_truncate(&r->pointer, before);
}

static void note_secret_path(struct resolution *r)
{
    json_array_append_new(r->out->secret_paths, json_string(buffer_text(&r->pointer)));
}

/* --- secrets --- */

/* Collects the texts of a value that is secret as a whole. */
void resolution_note_texts(struct resolution *r, const json_t *value)
{
    const char *key;
    json_t *item;
    size_t i;
    if (json_is_object(value)) {
        json_object_foreach ((json_t *)(uintptr_t)value, key, item) {
            resolution_note_texts(r, item);
        }
    } else if (json_is_array(value)) {
        json_array_foreach (value, i, item) {
            resolution_note_texts(r, item);
        }
    } else if (json_is_string(value) || json_is_number(value)) {
        char *text;
        if (value_to_text(value, &text, NULL) == 0) {
            if (*text != '\0') {
                json_array_append_new(r->out->secrets, json_string(text));
            }
            free(text);
        }
    }
}

/* Notes what is secret in a value, by its mirror. */
static void note_secrets(struct resolution *r, const json_t *value, const json_t *mirror)
{
    const char *key;
    json_t *below;
    if (json_is_true(mirror)) {
        resolution_note_texts(r, value);
        note_secret_path(r);
        return;
    }
    json_object_foreach ((json_t *)(uintptr_t)mirror, key, below) {
        const json_t *item = json_is_array(value) ? json_array_get(value, strtoul(key, NULL, 10))
                                                  : json_object_get(value, key);
        if (item != NULL) {
            size_t before = resolution_enter(r, key);
            note_secrets(r, item, below);
            resolution_leave(r, before);
        }
    }
}

/* --- nodes --- */

json_t *resolution_fail(struct resolution *r, const struct node *node, size_t offset)
{
    struct mark at =
        offset == RESOLUTION_WHOLE ? node->at : document_position(r->document, node, offset);
    if (error_is_set(r->err) && r->err->line == 0) {
        r->err->file = memory_text(r->document->file);
        r->err->line = at.line;
        r->err->column = at.column;
    }
    return NULL;
}

json_t *resolution_evaluate(struct resolution *r, const struct node *node,
                            const struct expression *expression)
{
    struct value value;
    size_t offset;
    if (expression_evaluate(expression, r->context, &value, &offset, r->err) != 0) {
        return resolution_fail(r, node, offset);
    }
    note_secrets(r, value.json, value.secrets);
    return value.json;
}

/* Appends one part; false after an error. */
static bool append_part(struct resolution *r, const struct node *node,
                        const struct template_part *part, struct buffer *text, bool *secret)
{
    if (part->expression == NULL) {
        buffer_append_text(text, part->literal);
        return true;
    }
    struct value value;
    size_t offset = part->expression->offset;
    if (expression_evaluate(part->expression, r->context, &value, &offset, r->err) != 0) {
        resolution_fail(r, node, offset);
        return false;
    }
    CLEANUP(memory_cleanup) char *piece = NULL;
    bool good = value_to_text(value.json, &piece, r->err) == 0;
    if (!good) {
        resolution_fail(r, node, part->expression->offset);
    } else if (value_is_secret(&value)) {
        resolution_note_texts(r, value.json);
        *secret = true;
    }
    buffer_append_text(text, good ? piece : "");
    value_release(&value);
    return good;
}

static json_t *concatenate(struct resolution *r, const struct node *node,
                           const struct template *parsed)
{
    CLEANUP(buffer_release) struct buffer text = BUFFER_INIT;
    bool secret = false;
    vector_each (const struct template_part *, part, &parsed->parts) {
        if (!append_part(r, node, part, &text, &secret)) {
            return NULL;
        }
        if (text.size_bytes > EXPRESSION_TEXT_LIMIT) {
            error_set(r->err, ERROR_INVALID, "the text grows beyond %d MiB",
                      EXPRESSION_TEXT_LIMIT / 1024 / 1024);
            return resolution_fail(r, node, RESOLUTION_WHOLE);
        }
    }
    if (secret) {
        note_secret_path(r);
    }
    return json_stringn(buffer_text(&text), text.size_bytes);
}

static json_t *resolve_text_node(struct resolution *r, const struct node *node)
{
    struct template parsed;
    size_t offset;
    if (!template_is_needed(node->text)) {
        return json_string(node->text);
    }
    if (template_parse(node->text, &parsed, &offset, r->err) != 0) {
        return resolution_fail(r, node, offset);
    }
    const struct expression *only = template_only_expression(&parsed);
    json_t *value =
        only != NULL ? resolution_evaluate(r, node, only) : concatenate(r, node, &parsed);
    template_release(&parsed);
    return value;
}

static json_t *resolve_list(struct resolution *r, const struct node *node)
{
    json_t *list = json_array();
    for (size_t i = 0; i < node->count; i++) {
        size_t before = resolution_enter_index(r, i);
        json_t *item = resolution_node(r, node->items[i]);
        resolution_leave(r, before);
        if (item == NULL) {
            json_decref(list);
            return NULL;
        }
        json_array_append_new(list, item);
    }
    return list;
}

/* A key may be a template as well. */
json_t *resolution_key(struct resolution *r, const struct node *node, const json_t *map)
{
    json_t *key = resolve_text_node(r, node);
    if (key == NULL) {
        return NULL;
    }
    if (!json_is_string(key)) {
        error_set(r->err, ERROR_INVALID, "a key has to be text, and this is %s", value_phrase(key));
    } else if (json_object_get(map, json_string_value(key)) != NULL) {
        error_set(r->err, ERROR_INVALID, "two keys of the map turn out to be the same");
    } else {
        return key;
    }
    json_decref(key);
    return resolution_fail(r, node, RESOLUTION_WHOLE);
}

static json_t *resolve_map(struct resolution *r, const struct node *node)
{
    json_t *map = json_object();
    for (size_t i = 0; i < node->count; i++) {
        CLEANUP(json_cleanup) json_t *key = resolution_key(r, node->keys[i], map);
        json_t *item = NULL;
        if (key != NULL) {
            size_t before = resolution_enter(r, json_string_value(key));
            item = resolution_node(r, node->items[i]);
            resolution_leave(r, before);
        }
        if (item == NULL) {
            json_decref(map);
            return NULL;
        }
        json_object_set_new(map, json_string_value(key), item);
    }
    return map;
}

json_t *resolution_node(struct resolution *r, const struct node *node)
{
    switch (node->kind) {
    case NODE_TEXT:
        return resolve_text_node(r, node);
    case NODE_LIST:
        return resolve_list(r, node);
    case NODE_MAP:
        return resolve_map(r, node);
    default:
        return node_to_json(node);
    }
}

int resolve_value(const struct plan *plan, const struct node *node, const struct context *context,
                  struct resolved *ret, struct error *err)
{
    struct resolution r;
    struct resolved out;
    resolution_begin(&r, plan->document, context, &out, err);
    json_t *value = resolution_node(&r, node);
    return resolution_end(&r, value, ret);
}

/* Where text is wanted, a plain 1.30 or 012 is what was written, not a number. */
json_t *resolution_as_text(struct resolution *r, const struct node *node)
{
    bool is_plain_word =
        node->kind == NODE_INTEGER || node->kind == NODE_REAL || node->kind == NODE_BOOLEAN;
    if (is_plain_word) {
        return json_string(node->text);
    }
    if (node->kind == NODE_TEXT || node->kind == NODE_NULL || node->count == 0) {
        return resolution_node(r, node);
    }
    json_t *result = node->kind == NODE_LIST ? json_array() : json_object();
    for (size_t i = 0; i < node->count; i++) {
        CLEANUP(json_cleanup) json_t *key = NULL;
        if (node->kind == NODE_MAP && (key = resolution_key(r, node->keys[i], result)) == NULL) {
            json_decref(result);
            return NULL;
        }
        size_t before = key != NULL ? resolution_enter(r, json_string_value(key))
                                    : resolution_enter_index(r, i);
        json_t *item = resolution_as_text(r, node->items[i]);
        resolution_leave(r, before);
        if (item == NULL) {
            json_decref(result);
            return NULL;
        }
        if (key != NULL) {
            json_object_set_new(result, json_string_value(key), item);
        } else {
            json_array_append_new(result, item);
        }
    }
    return result;
}

/* --- single values --- */

/* The text of a resolved value, or why there is none. */
static int text_of(const struct plan *plan, const struct node *node,
                   const struct resolved *resolved, bool allow_secret, char **ret_text,
                   struct error *err)
{
    if (!allow_secret && json_array_size(resolved->secret_paths) != 0) {
        return plan_error(plan, node->at, err, "a secret would show here");
    }
    if (value_to_text(resolved->value, ret_text, NULL) != 0) {
        return plan_error(plan, node->at, err, "text is wanted, and this is %s",
                          value_phrase(resolved->value));
    }
    return 0;
}

int resolve_text(const struct plan *plan, const struct node *node, const struct context *context,
                 char **ret_text, bool *ret_secret, struct error *err)
{
    struct resolved resolved;
    if (node->kind == NODE_INTEGER || node->kind == NODE_REAL || node->kind == NODE_BOOLEAN) {
        *ret_text = memory_text(node->text);
        if (ret_secret != NULL) {
            *ret_secret = false;
        }
        return 0;
    }
    if (resolve_value(plan, node, context, &resolved, err) != 0) {
        return -1;
    }
    int result = text_of(plan, node, &resolved, ret_secret != NULL, ret_text, err);
    if (result == 0 && ret_secret != NULL) {
        *ret_secret = json_array_size(resolved.secret_paths) != 0;
    }
    resolved_release(&resolved);
    return result;
}

int resolve_outputs(const struct plan *plan, const struct context *context, struct resolved *ret,
                    struct error *err)
{
    if (plan->outputs != NULL) {
        return resolve_value(plan, plan->outputs, context, ret, err);
    }
    *ret = (struct resolved){json_object(), json_array(), json_array()};
    return 0;
}

/* Line and column behind the last character, in the way that libyaml counts. */
static struct mark end_of(const char *text)
{
    struct mark end = {1, 1};
    for (; *text != '\0'; text++) {
        if (*text == '\n') {
            end.line++;
            end.column = 1;
        } else if (((unsigned char)*text & 0xc0) != 0x80) {
            end.column++;
        }
    }
    return end;
}

int resolve_file(struct span text, const char *file, const struct context *context,
                 struct resolved *ret, struct error *err)
{
    if (text.size_bytes > DOCUMENT_SIZE_LIMIT || text_valid_utf8_prefix(text) != text.size_bytes ||
        memchr(text.data, '\0', text.size_bytes) != NULL) {
        return error_set_at(err, ERROR_INVALID, file, 0, 0,
                            "not a UTF-8 text of at most %d MiB without NUL bytes",
                            DOCUMENT_SIZE_LIMIT / 1024 / 1024);
    }
    CLEANUP(memory_cleanup) char *content = memory_text_n(text.data, text.size_bytes);
    CLEANUP(memory_cleanup) char *name = memory_text(file);
    struct document document = {.file = name, .text = content, .size_bytes = text.size_bytes};
    struct node node = {.kind = NODE_TEXT,
                        .style = STYLE_PLAIN,
                        .at = {1, 1},
                        .end = end_of(content),
                        .text = content};
    struct error local = ERROR_INIT;
    struct resolution r;
    struct resolved out;
    resolution_begin(&r, &document, context, &out, &local);
    json_t *value = resolve_text_node(&r, &node);
    char *result_text;
    if (value != NULL && value_to_text(value, &result_text, &local) != 0) {
        resolution_fail(&r, &node, RESOLUTION_WHOLE);
        json_cleanup(&value);
    } else if (value != NULL) {
        json_decref(value);
        value = json_string(result_text);
        free(result_text);
    }
    int result = resolution_end(&r, value, ret);
    if (result != 0) {
        error_move(err, &local);
    }
    return result;
}
