/* Arguments reach children as words, never as a line that a shell takes apart. The list keeps its
 * closing NULL as an item, so that it can be handed on at any time. */
#include "actions/argv.h"

#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/json.h"

/* Takes ownership of word. */
static void push(struct argv *argv, char *word)
{
    if (argv->words.count == 0) {
        vector_push(&argv->words, NULL);
    }
    vector_push(&argv->words, NULL);
    argv->words.items[argv->words.count - 2] = word;
}

void argv_add(struct argv *argv, const char *word)
{
    push(argv, memory_text(word));
}

void argv_add_format(struct argv *argv, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    push(argv, memory_format_v(format, arguments));
    va_end(arguments);
}

void argv_add_option(struct argv *argv, const char *option, const char *value)
{
    if (value != NULL) {
        argv_add(argv, option);
        argv_add(argv, value);
    }
}

static char *word_of(const json_t *value)
{
    return json_is_string(value) ? memory_text(json_string_value(value)) : json_canonical(value);
}

void argv_add_list(struct argv *argv, const json_t *list)
{
    size_t index;
    json_t *word;
    json_array_foreach (list, index, word) {
        push(argv, word_of(word));
    }
}

void argv_add_settings(struct argv *argv, const json_t *map)
{
    const char *name;
    json_t *value;
    json_object_foreach ((json_t *)map, name, value) {
        CLEANUP(memory_cleanup) char *text = word_of(value);
        argv_add_format(argv, "%s=%s", name, text);
    }
}

const char *const *argv_words(struct argv *argv)
{
    if (argv->words.count == 0) {
        vector_push(&argv->words, NULL);
    }
    return (const char *const *)argv->words.items;
}

size_t argv_count(const struct argv *argv)
{
    return argv->words.count > 0 ? argv->words.count - 1 : 0;
}

static void append_quoted(struct buffer *out, const char *word)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "%+,-./:=@_";
    if (word[0] != '\0' && word[strspn(word, plain)] == '\0') {
        buffer_append_text(out, word);
        return;
    }
    buffer_append_char(out, '\'');
    for (; *word != '\0'; word++) {
        if (*word == '\'') {
            buffer_append_text(out, "'\\''");
        } else {
            buffer_append_char(out, *word);
        }
    }
    buffer_append_char(out, '\'');
}

char *argv_to_text(const char *const *words)
{
    struct buffer text = BUFFER_INIT;
    for (const char *const *word = words; *word != NULL; word++) {
        if (word != words) {
            buffer_append_char(&text, ' ');
        }
        append_quoted(&text, *word);
    }
    return buffer_take(&text);
}

void argv_release(struct argv *argv)
{
    vector_each (char **, word, &argv->words) {
        free(*word);
    }
    vector_release(&argv->words);
}
