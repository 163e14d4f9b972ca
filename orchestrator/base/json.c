/* jansson with drctl's choices in one place: duplicate keys are errors, since two readers of such a
 * document may see two different plans. */
#include "base/json.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"

json_t *json_parse(struct span text, const char *name, struct error *err)
{
    json_error_t where;
    json_t *value = json_loadb(text.data, text.size_bytes,
                               JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL, &where);
    if (value == NULL) {
        error_set_at(err, ERROR_INVALID, name, (size_t)(where.line > 0 ? where.line : 1),
                     (size_t)(where.column > 0 ? where.column : 1), "not valid JSON: %s",
                     where.text);
    }
    return value;
}

json_t *json_read_file(const char *path, size_t limit_bytes, struct error *err)
{
    CLEANUP(buffer_release) struct buffer content = BUFFER_INIT;
    if (file_read(path, limit_bytes, &content, err) != 0) {
        return NULL;
    }
    return json_parse(buffer_span(&content), path, err);
}

static int append_chunk(const char *bytes, size_t size_bytes, void *context)
{
    buffer_append(context, bytes, size_bytes);
    return 0;
}

static void dump(struct buffer *out, const json_t *value, size_t flags)
{
    if (json_dump_callback(value, append_chunk, out, flags | JSON_COMPACT | JSON_ENCODE_ANY) != 0) {
        abort();
    }
}

void json_append(struct buffer *out, const json_t *value)
{
    dump(out, value, 0);
}

char *json_canonical(const json_t *value)
{
    struct buffer out = BUFFER_INIT;
    dump(&out, value, JSON_SORT_KEYS);
    return buffer_take(&out);
}

const char *json_get_text(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

json_int_t json_get_integer(const json_t *object, const char *key, json_int_t fallback)
{
    const json_t *value = json_object_get(object, key);
    return json_is_integer(value) ? json_integer_value(value) : fallback;
}

void json_cleanup(json_t **value)
{
    json_decref(*value);
    *value = NULL;
}
