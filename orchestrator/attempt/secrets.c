/* A redactor behind a mutex. Texts are only ever added, never removed, so that a list handed out
 * stays valid for as long as the store does. */
#include "attempt/secrets.h"

#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "base/memory.h"
#include "base/redact.h"
#include "base/vector.h"

struct secrets {
    uv_mutex_t mutex;
    struct redactor redactor;
    VECTOR(char *)
    texts;
};

struct secrets *secrets_new(void)
{
    struct secrets *secrets = memory_new(1, sizeof *secrets);
    if (uv_mutex_init(&secrets->mutex) != 0) {
        abort();
    }
    return secrets;
}

void secrets_free(struct secrets *secrets)
{
    if (secrets == NULL) {
        return;
    }
    vector_each (char **, text, &secrets->texts) {
        memory_free_secret(*text);
    }
    vector_release(&secrets->texts);
    redact_release(&secrets->redactor);
    uv_mutex_destroy(&secrets->mutex);
    free(secrets);
}

static bool is_known(const struct secrets *secrets, const char *text)
{
    vector_each (char *const *, known, &secrets->texts) {
        if (strcmp(*known, text) == 0) {
            return true;
        }
    }
    return false;
}

void secrets_add(struct secrets *secrets, const char *text)
{
    uv_mutex_lock(&secrets->mutex);
    if (!is_known(secrets, text) && redact_add_secret(&secrets->redactor, text, strlen(text))) {
        vector_push(&secrets->texts, memory_text(text));
    }
    uv_mutex_unlock(&secrets->mutex);
}

void secrets_add_all(struct secrets *secrets, const json_t *texts)
{
    size_t index;
    json_t *text;
    json_array_foreach (texts, index, text) {
        if (json_is_string(text)) {
            secrets_add(secrets, json_string_value(text));
        }
    }
}

struct span *secrets_list(struct secrets *secrets, size_t *ret_count)
{
    uv_mutex_lock(&secrets->mutex);
    size_t count = secrets->texts.count;
    struct span *list = memory_new(count, sizeof *list);
    for (size_t i = 0; i < count; i++) {
        list[i] = span_of_text(secrets->texts.items[i]);
    }
    uv_mutex_unlock(&secrets->mutex);
    *ret_count = count;
    return list;
}

void secrets_redact(struct secrets *secrets, struct span text, struct buffer *out)
{
    uv_mutex_lock(&secrets->mutex);
    redact_text(&secrets->redactor, text, out);
    uv_mutex_unlock(&secrets->mutex);
}

static json_t *redact_string(struct secrets *secrets, const json_t *value)
{
    CLEANUP(buffer_release) struct buffer text = BUFFER_INIT;
    secrets_redact(secrets, span_of(json_string_value(value), json_string_length(value)), &text);
    return json_stringn(buffer_text(&text), text.size_bytes);
}

json_t *secrets_redact_json(struct secrets *secrets, const json_t *value)
{
    if (json_is_string(value)) {
        return redact_string(secrets, value);
    }
    if (json_is_array(value)) {
        json_t *copy = json_array();
        size_t index;
        json_t *item;
        json_array_foreach (value, index, item) {
            json_array_append_new(copy, secrets_redact_json(secrets, item));
        }
        return copy;
    }
    if (json_is_object(value)) {
        json_t *copy = json_object();
        const char *key;
        json_t *item;
        json_object_foreach ((json_t *)value, key, item) {
            json_object_set_new(copy, key, secrets_redact_json(secrets, item));
        }
        return copy;
    }
    return json_incref((json_t *)value);
}

bool secrets_contain(struct secrets *secrets, const char *text)
{
    CLEANUP(buffer_release) struct buffer redacted = BUFFER_INIT;
    secrets_redact(secrets, span_of_text(text), &redacted);
    return strcmp(buffer_text(&redacted), text) != 0;
}
