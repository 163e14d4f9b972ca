/* Reading maps by tables, with the sentences for everything that is not as a table says. */
#include "plan/reader.h"

#include <ctype.h>
#include <stdarg.h>
#include <string.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/memory.h"
#include "base/nearest.h"
#include "plan/template.h"

enum { NAME_LIMIT = 64 };

struct error *reader_complain(struct reader *reader, const struct node *at, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    CLEANUP(memory_cleanup) char *message = memory_format_v(format, arguments);
    va_end(arguments);
    return error_list_add_at(reader->errors, ERROR_INVALID, reader->plan->document->file,
                             at->at.line, at->at.column, "%s", message);
}

static const struct key_rule *find_rule(const struct key_rule *rules, const char *key)
{
    for (; rules->key != NULL; rules++) {
        if (strcmp(rules->key, key) == 0) {
            return rules;
        }
    }
    return NULL;
}

static void unknown_key(struct reader *reader, const struct node *key, const struct key_rule *rules,
                        const struct key_advice *advice, const char *what)
{
    struct error *err = reader_complain(reader, key, "%s has no key '%s'", what, key->text);
    for (; advice != NULL && advice->key != NULL; advice++) {
        if (strcmp(advice->key, key->text) == 0) {
            error_hint(err, "%s", advice->advice);
            return;
        }
    }
    struct nearest nearest;
    nearest_init(&nearest, key->text);
    CLEANUP(buffer_release) struct buffer known = BUFFER_INIT;
    for (; rules->key != NULL; rules++) {
        nearest_offer(&nearest, rules->key);
        buffer_append_format(&known, "%s%s", known.size_bytes != 0 ? ", " : "", rules->key);
    }
    if (nearest.best != NULL) {
        error_hint(err, "did you mean '%s'?", nearest.best);
    } else {
        error_hint(err, "it knows %s", buffer_text(&known));
    }
}

void reader_map(struct reader *reader, const struct node *map, const struct key_rule *rules,
                const struct key_advice *advice, const char *what, void *target)
{
    if (map->kind != NODE_MAP) {
        reader_complain(reader, map, "%s is a map of keys, and this is %s", what,
                        node_kind_phrase(map));
        return;
    }
    for (size_t i = 0; i < map->count; i++) {
        const struct key_rule *rule = find_rule(rules, map->keys[i]->text);
        if (rule == NULL) {
            unknown_key(reader, map->keys[i], rules, advice, what);
        } else {
            rule->read(reader, target, map->items[i]);
        }
    }
    for (; rules->key != NULL; rules++) {
        if (rules->required && node_get(map, rules->key) == NULL) {
            reader_complain(reader, map, "%s lacks '%s'", what, rules->key);
        }
    }
}

const char *reader_text(struct reader *reader, const struct node *value, const char *what)
{
    if (value->text == NULL || value->kind == NODE_NULL) {
        reader_complain(reader, value, "%s is text, and this is %s", what, node_kind_phrase(value));
        return NULL;
    }
    return value->text;
}

const struct node *reader_of_kind(struct reader *reader, const struct node *value,
                                  enum node_kind kind, const char *what)
{
    if (value->kind != kind) {
        struct node wanted = {.kind = kind};
        reader_complain(reader, value, "%s is %s, and this is %s", what, node_kind_phrase(&wanted),
                        node_kind_phrase(value));
        return NULL;
    }
    return value;
}

static bool is_variable_name(const char *text)
{
    size_t size = 0;
    while (isalnum((unsigned char)text[size]) || text[size] == '_') {
        size++;
    }
    return size != 0 && text[size] == '\0' && !isdigit((unsigned char)text[0]);
}

const struct node *reader_env(struct reader *reader, const struct node *value)
{
    if (value->kind == NODE_NULL || reader_of_kind(reader, value, NODE_MAP, "env") == NULL) {
        return NULL;
    }
    for (size_t i = 0; i < value->count; i++) {
        const struct node *item = value->items[i];
        if (!is_variable_name(value->keys[i]->text)) {
            reader_complain(reader, value->keys[i], "'%s' cannot be an environment variable",
                            value->keys[i]->text);
        }
        if (item->text == NULL) {
            reader_complain(reader, item, "an environment variable is text, and this is %s",
                            node_kind_phrase(item));
        }
    }
    return value;
}

const struct node *reader_texts(struct reader *reader, const struct node *value, const char *what)
{
    if (value->text == NULL && value->kind != NODE_LIST) {
        reader_complain(reader, value, "%s is text or a list of texts, and this is %s", what,
                        node_kind_phrase(value));
        return NULL;
    }
    if (value->kind != NODE_LIST) {
        return reader_text(reader, value, what) != NULL ? value : NULL;
    }
    for (size_t i = 0; i < value->count; i++) {
        reader_text(reader, value->items[i], what);
    }
    return value;
}

bool reader_boolean(struct reader *reader, const struct node *value, bool *ret)
{
    if (value->kind == NODE_BOOLEAN) {
        *ret = value->boolean;
        return true;
    }
    struct error *err = reader_complain(reader, value, "true or false is wanted, and this is %s",
                                        node_kind_phrase(value));
    if (value->kind == NODE_TEXT && value->style == STYLE_PLAIN) {
        error_hint(err, "yes, no, on and off are text in YAML 1.2");
    }
    return false;
}

void reader_duration(struct reader *reader, const struct node *value, int64_t *ret_ms)
{
    if (node_has_expression(value)) {
        return;
    }
    const char *text = reader_text(reader, value, "a duration");
    struct error err = ERROR_INIT;
    if (text != NULL && clock_parse_duration(text, ret_ms, &err) != 0) {
        struct error *added = reader_complain(reader, value, "%s", err.message);
        if (err.hint != NULL) {
            error_hint(added, "%s", err.hint);
        }
        error_release(&err);
    }
}

bool reader_name(struct reader *reader, const struct node *key, const char *what)
{
    const char *text = key->text;
    bool good = isalpha((unsigned char)text[0]) || text[0] == '_';
    for (size_t i = 0; text[i] != '\0'; i++) {
        good = good && i < NAME_LIMIT &&
               (isalnum((unsigned char)text[i]) || text[i] == '_' || text[i] == '-');
    }
    if (!good) {
        struct error *err =
            reader_complain(reader, key, "'%s' cannot be the name of %s", text, what);
        error_hint(err, "letters, digits, - and _, a letter first, at most %d", NAME_LIMIT);
    }
    return good;
}

bool node_has_expression(const struct node *node)
{
    return node->kind == NODE_TEXT && template_is_needed(node->text);
}
