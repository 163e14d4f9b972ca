/* Functions over text. All work on bytes and split only at ASCII or at what the caller gave, so
 * that UTF-8 stays valid; length() counts characters. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "plan/function_arguments.h"

/* The first two arguments as text; false after an error. */
static bool two_texts(const struct function_call *call, char **ret_a, char **ret_b,
                      struct error *err)
{
    *ret_a = argument_text(call, 0, err);
    *ret_b = *ret_a != NULL ? argument_text(call, 1, err) : NULL;
    return *ret_b != NULL;
}

static json_t *list_contains(json_t *list, const json_t *wanted)
{
    size_t i;
    json_t *item;
    json_array_foreach (list, i, item) {
        if (json_equal(item, wanted)) {
            return json_true();
        }
    }
    return json_false();
}

FUNCTION(contains)
{
    if (json_is_array(call->arguments[0])) {
        return list_contains(call->arguments[0], call->arguments[1]);
    }
    if (json_is_object(call->arguments[0])) {
        return argument_refuse(call, 0, "text or a list", err);
    }
    CLEANUP(memory_cleanup) char *text = NULL;
    CLEANUP(memory_cleanup) char *part = NULL;
    return two_texts(call, &text, &part, err) ? json_boolean(strstr(text, part) != NULL) : NULL;
}

FUNCTION(starts_with)
{
    CLEANUP(memory_cleanup) char *text = NULL;
    CLEANUP(memory_cleanup) char *part = NULL;
    return two_texts(call, &text, &part, err) ? json_boolean(strncmp(text, part, strlen(part)) == 0)
                                              : NULL;
}

FUNCTION(ends_with)
{
    CLEANUP(memory_cleanup) char *text = NULL;
    CLEANUP(memory_cleanup) char *part = NULL;
    if (!two_texts(call, &text, &part, err)) {
        return NULL;
    }
    size_t text_size = strlen(text);
    size_t part_size = strlen(part);
    return json_boolean(part_size <= text_size && strcmp(text + text_size - part_size, part) == 0);
}

/* Appends what stands at `{`, and gives the address behind it; NULL after an error. */
static const char *append_field(const struct function_call *call, const char *at,
                                struct buffer *out, struct error *err)
{
    if (at[1] == '{') {
        buffer_append_char(out, '{');
        return at + 2;
    }
    char *end = NULL;
    unsigned long number = isdigit((unsigned char)at[1]) ? strtoul(at + 1, &end, 10) : call->count;
    if (number >= call->count - 1 || *end != '}') {
        error_set(err, ERROR_INVALID, "format() has a '{' that is no field {0} to {%zu}",
                  call->count < 2 ? 0 : call->count - 2);
        error_hint(err, "write {{ for a brace");
        return NULL;
    }
    CLEANUP(memory_cleanup) char *text = argument_text(call, number + 1, err);
    if (text == NULL) {
        return NULL;
    }
    buffer_append_text(out, text);
    return end + 1;
}

FUNCTION(format)
{
    CLEANUP(memory_cleanup) char *pattern = argument_text(call, 0, err);
    struct buffer out = BUFFER_INIT;
    for (const char *at = pattern; at != NULL && out.size_bytes <= EXPRESSION_TEXT_LIMIT;) {
        if (*at == '\0') {
            return function_text(&out, err);
        }
        if (*at == '{') {
            at = append_field(call, at, &out, err);
        } else {
            at += at[0] == '}' && at[1] == '}';
            buffer_append_char(&out, *at++);
        }
    }
    if (pattern != NULL && out.size_bytes > EXPRESSION_TEXT_LIMIT) {
        return function_text(&out, err);
    }
    buffer_release(&out);
    return NULL;
}

FUNCTION(join)
{
    json_t *list = argument_list(call, 0, err);
    CLEANUP(memory_cleanup)
    char *separator = call->count > 1 ? argument_text(call, 1, err) : memory_text(",");
    if (list == NULL || separator == NULL) {
        return NULL;
    }
    struct buffer out = BUFFER_INIT;
    size_t i;
    json_t *item;
    json_array_foreach (list, i, item) {
        CLEANUP(memory_cleanup) char *text = NULL;
        if (value_to_text(item, &text, err) != 0 || out.size_bytes > EXPRESSION_TEXT_LIMIT) {
            break;
        }
        buffer_append_text(&out, i != 0 ? separator : "");
        buffer_append_text(&out, text);
    }
    if (i < json_array_size(list) && out.size_bytes <= EXPRESSION_TEXT_LIMIT) {
        buffer_release(&out);
        return NULL;
    }
    return function_text(&out, err);
}

/* Where the word next stands, NULL when nowhere. One pass over the text in all: strstr() under a
 * sanitizer measures the whole rest each time. */
static const char *find_next(const char *at, const char *end, const char *word)
{
    size_t size_bytes = strlen(word);
    while ((size_t)(end - at) >= size_bytes) {
        at = memchr(at, word[0], (size_t)(end - at) - size_bytes + 1);
        if (at == NULL || memcmp(at, word, size_bytes) == 0) {
            return at;
        }
        at++;
    }
    return NULL;
}

FUNCTION(split)
{
    CLEANUP(memory_cleanup) char *text = NULL;
    CLEANUP(memory_cleanup) char *separator = NULL;
    if (!two_texts(call, &text, &separator, err)) {
        return NULL;
    }
    if (*separator == '\0') {
        error_set(err, ERROR_INVALID, "split() needs a separator");
        return NULL;
    }
    json_t *list = json_array();
    const char *at = text;
    const char *end = text + strlen(text);
    for (const char *next; (next = find_next(at, end, separator)) != NULL;
         at = next + strlen(separator)) {
        if (json_array_size(list) >= EXPRESSION_ITEM_LIMIT) {
            json_decref(list);
            error_set(err, ERROR_INVALID, "split() makes more than %d parts",
                      EXPRESSION_ITEM_LIMIT);
            return NULL;
        }
        json_array_append_new(list, json_stringn(at, (size_t)(next - at)));
    }
    json_array_append_new(list, json_string(at));
    return list;
}

FUNCTION(replace)
{
    CLEANUP(memory_cleanup) char *text = NULL;
    CLEANUP(memory_cleanup) char *old = NULL;
    CLEANUP(memory_cleanup) char *new_text = NULL;
    if (!two_texts(call, &text, &old, err) || (new_text = argument_text(call, 2, err)) == NULL) {
        return NULL;
    }
    if (*old == '\0') {
        error_set(err, ERROR_INVALID, "replace() needs a text to replace");
        return NULL;
    }
    struct buffer out = BUFFER_INIT;
    const char *at = text;
    const char *end = text + strlen(text);
    for (const char *next;
         out.size_bytes <= EXPRESSION_TEXT_LIMIT && (next = find_next(at, end, old)) != NULL;
         at = next + strlen(old)) {
        buffer_append(&out, at, (size_t)(next - at));
        buffer_append_text(&out, new_text);
    }
    buffer_append_text(&out, at);
    return function_text(&out, err);
}

static json_t *map_bytes(const struct function_call *call, int (*change)(int), struct error *err)
{
    CLEANUP(memory_cleanup) char *text = argument_text(call, 0, err);
    if (text == NULL) {
        return NULL;
    }
    for (char *at = text; *at != '\0'; at++) {
        *at = isascii(*at) ? (char)change(*at) : *at;
    }
    return json_string(text);
}

FUNCTION(lower)
{
    return map_bytes(call, tolower, err);
}

FUNCTION(upper)
{
    return map_bytes(call, toupper, err);
}

FUNCTION(trim)
{
    CLEANUP(memory_cleanup) char *text = argument_text(call, 0, err);
    if (text == NULL) {
        return NULL;
    }
    static const char blanks[] = " \t\r\n";
    const char *start = text + strspn(text, blanks);
    size_t size_bytes = strlen(start);
    while (size_bytes > 0 && strchr(blanks, start[size_bytes - 1]) != NULL) {
        size_bytes--;
    }
    return json_stringn(start, size_bytes);
}

/* The path without slashes at its end; "/" stays. */
static char *path_argument(const struct function_call *call, struct error *err)
{
    char *path = argument_text(call, 0, err);
    for (size_t size = path != NULL ? strlen(path) : 0; size > 1 && path[size - 1] == '/';) {
        path[--size] = '\0';
    }
    return path;
}

FUNCTION(basename)
{
    CLEANUP(memory_cleanup) char *path = path_argument(call, err);
    if (path == NULL) {
        return NULL;
    }
    const char *slash = strrchr(path, '/');
    return json_string(slash != NULL && slash[1] != '\0' ? slash + 1 : path);
}

FUNCTION(dirname)
{
    CLEANUP(memory_cleanup) char *path = path_argument(call, err);
    if (path == NULL) {
        return NULL;
    }
    const char *slash = strrchr(path, '/');
    if (slash == NULL) {
        return json_string(".");
    }
    return json_stringn(path, slash == path ? 1 : (size_t)(slash - path));
}

static size_t count_characters(const char *text)
{
    size_t count = 0;
    for (; *text != '\0'; text++) {
        count += ((unsigned char)*text & 0xc0) != 0x80;
    }
    return count;
}

FUNCTION(length)
{
    const json_t *value = call->arguments[0];
    switch (json_typeof(value)) {
    case JSON_STRING:
        return json_integer((json_int_t)count_characters(json_string_value(value)));
    case JSON_ARRAY:
        return json_integer((json_int_t)json_array_size(value));
    case JSON_OBJECT:
        return json_integer((json_int_t)json_object_size(value));
    default:
        return argument_refuse(call, 0, "text, a list or a map", err);
    }
}

FUNCTION(to_json)
{
    struct buffer out = BUFFER_INIT;
    json_append(&out, call->arguments[0]);
    return function_text(&out, err);
}

FUNCTION(from_json)
{
    CLEANUP(memory_cleanup) char *text = argument_text(call, 0, err);
    if (text == NULL) {
        return NULL;
    }
    struct error inner = ERROR_INIT;
    json_t *value = json_parse(span_of_text(text), "text", &inner);
    if (value == NULL) {
        error_set(err, ERROR_INVALID, "the text is no valid JSON (its line %zu, column %zu)",
                  inner.line, inner.column);
        error_release(&inner);
    }
    return value;
}

FUNCTION(string)
{
    CLEANUP(memory_cleanup) char *text = argument_text(call, 0, err);
    return text != NULL ? json_string(text) : NULL;
}

FUNCTION(number)
{
    CLEANUP(memory_cleanup) char *text = argument_text(call, 0, err);
    if (text == NULL) {
        return NULL;
    }
    json_t *value = json_parse(span_of_text(text), "text", NULL);
    if (!json_is_number(value)) {
        json_decref(value);
        error_set(err, ERROR_INVALID, "number() is given a text that is no number");
        return NULL;
    }
    return value;
}
