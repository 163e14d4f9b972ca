/* Allocation that cannot fail: out of memory aborts, and the journal makes that safe. */
#ifndef DRCTL_BASE_MEMORY_H
#define DRCTL_BASE_MEMORY_H

#include <stdarg.h>
#include <stddef.h>

#include "base/compiler.h"

/* Zeroed memory for count items; never NULL. The caller frees it with free(). */
void *memory_new(size_t count, size_t size_bytes);

/* As realloc for count items, with the multiplication checked; never NULL. */
void *memory_resize(void *memory, size_t count, size_t size_bytes);

/* Copies of text, and of its first size_bytes bytes with a NUL behind them. NULL stays NULL. */
char *memory_text(const char *text);
char *memory_text_n(const char *text, size_t size_bytes);

/* A newly formatted string. */
char *memory_format(const char *format, ...) PRINTF_LIKE(1, 2);
char *memory_format_v(const char *format, va_list arguments) PRINTF_LIKE(1, 0);

/* Overwrites a secret in a way that the compiler keeps, then frees it. NULL is accepted. */
void memory_free_secret(char *text);

/* For CLEANUP(): frees the pointer that the variable holds. */
void memory_cleanup(void *pointer_variable);

#endif
