/* One place decides what an exhausted heap means: the process ends at once, and the next one goes
 * on from the journal. No caller has a path for it, so no such path can be wrong. */
#include "base/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static NORETURN void out_of_memory(void)
{
    fputs("drctl: out of memory; the run can be resumed\n", stderr);
    abort();
}

void *memory_new(size_t count, size_t size_bytes)
{
    void *memory = calloc(count != 0 ? count : 1, size_bytes != 0 ? size_bytes : 1);
    if (memory == NULL) {
        out_of_memory();
    }
    return memory;
}

void *memory_resize(void *memory, size_t count, size_t size_bytes)
{
    size_t total;
    if (__builtin_mul_overflow(count, size_bytes, &total)) {
        out_of_memory();
    }
    void *resized = realloc(memory, total != 0 ? total : 1);
    if (resized == NULL) {
        out_of_memory();
    }
    return resized;
}

char *memory_text_n(const char *text, size_t size_bytes)
{
    if (text == NULL) {
        return NULL;
    }
    char *copy = memory_new(size_bytes + 1, 1);
    memcpy(copy, text, size_bytes);
    return copy;
}

char *memory_text(const char *text)
{
    return text == NULL ? NULL : memory_text_n(text, strlen(text));
}

char *memory_format_v(const char *format, va_list arguments)
{
    char *text;
    if (vasprintf(&text, format, arguments) < 0) {
        out_of_memory();
    }
    return text;
}

char *memory_format(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char *text = memory_format_v(format, arguments);
    va_end(arguments);
    return text;
}

void memory_free_secret(char *text)
{
    if (text != NULL) {
        explicit_bzero(text, strlen(text));
        free(text);
    }
}

void memory_cleanup(void *pointer_variable)
{
    void **pointer = pointer_variable;
    free(*pointer);
    *pointer = NULL;
}
