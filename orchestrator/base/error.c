/* Errors are values: set once where they happen, given context on the way up, reported once at the
 * top. The table below is the only place that knows names and exit codes. */
#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/memory.h"

enum { ERROR_LIST_DEFAULT_LIMIT = 100 };

static const struct {
    const char *name;
    int exit_status;
} codes[] = {
    [ERROR_NONE] = {"none", 0},
    [ERROR_FAILED] = {"failed", 1},
    [ERROR_USAGE] = {"usage", 2},
    [ERROR_INVALID] = {"invalid", 3},
    [ERROR_NOT_READY] = {"not_ready", 4},
    [ERROR_REFUSED] = {"refused", 5},
    [ERROR_LOCKED] = {"locked", 6},
    [ERROR_CANCELLED] = {"cancelled", 7},
    [ERROR_WAITING] = {"waiting", 8},
    [ERROR_DAMAGED] = {"damaged", 9},
    [ERROR_IO] = {"io", 1},
    [ERROR_NETWORK] = {"network", 1},
    [ERROR_THROTTLED] = {"throttled", 1},
    [ERROR_TIMEOUT] = {"timeout", 1},
    [ERROR_UNKNOWN] = {"unknown", 1},
    [ERROR_NOT_FOUND] = {"not_found", 1},
};

PRINTF_LIKE(3, 0)
static void set_v(struct error *err, enum error_code code, const char *format, va_list arguments)
{
    err->code = code;
    err->message = memory_format_v(format, arguments);
}

int error_set(struct error *err, enum error_code code, const char *format, ...)
{
    if (err != NULL && err->code == ERROR_NONE) {
        va_list arguments;
        va_start(arguments, format);
        set_v(err, code, format, arguments);
        va_end(arguments);
    }
    return -1;
}

int error_set_at(struct error *err, enum error_code code, const char *file, size_t line,
                 size_t column, const char *format, ...)
{
    if (err != NULL && err->code == ERROR_NONE) {
        va_list arguments;
        va_start(arguments, format);
        set_v(err, code, format, arguments);
        va_end(arguments);
        err->file = memory_text(file);
        err->line = line;
        err->column = column;
    }
    return -1;
}

int error_set_errno(struct error *err, int errno_value, const char *format, ...)
{
    if (err != NULL && err->code == ERROR_NONE) {
        va_list arguments;
        va_start(arguments, format);
        CLEANUP(memory_cleanup) char *what = memory_format_v(format, arguments);
        va_end(arguments);
        err->code = ERROR_IO;
        err->message = memory_format("%s: %s", what, strerror(errno_value));
    }
    return -1;
}

int error_context(struct error *err, const char *format, ...)
{
    if (error_is_set(err)) {
        va_list arguments;
        va_start(arguments, format);
        CLEANUP(memory_cleanup) char *context = memory_format_v(format, arguments);
        va_end(arguments);
        char *message = memory_format("%s: %s", context, err->message);
        free(err->message);
        err->message = message;
    }
    return -1;
}

int error_hint(struct error *err, const char *format, ...)
{
    if (error_is_set(err)) {
        va_list arguments;
        va_start(arguments, format);
        free(err->hint);
        err->hint = memory_format_v(format, arguments);
        va_end(arguments);
    }
    return -1;
}

void error_move(struct error *to, struct error *from)
{
    if (to != NULL) {
        error_release(to);
        *to = *from;
        *from = (struct error)ERROR_INIT;
    } else {
        error_release(from);
    }
}

bool error_is_set(const struct error *err)
{
    return err != NULL && err->code != ERROR_NONE;
}

void error_release(struct error *err)
{
    if (err != NULL) {
        free(err->message);
        free(err->file);
        free(err->hint);
        *err = (struct error)ERROR_INIT;
    }
}

char *error_format(const struct error *err)
{
    struct buffer line = BUFFER_INIT;
    if (err->file != NULL) {
        buffer_append_text(&line, err->file);
        if (err->line != 0) {
            buffer_append_format(&line, ":%zu", err->line);
        }
        if (err->column != 0) {
            buffer_append_format(&line, ":%zu", err->column);
        }
        buffer_append_text(&line, ": ");
    }
    buffer_append_text(&line, err->message != NULL ? err->message : "no error");
    if (err->hint != NULL) {
        buffer_append_format(&line, " (%s)", err->hint);
    }
    return buffer_take(&line);
}

const char *error_code_name(enum error_code code)
{
    return codes[code].name;
}

enum error_code error_code_from_name(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
        if (strcmp(codes[i].name, name) == 0) {
            return (enum error_code)i;
        }
    }
    return ERROR_NONE;
}

int error_code_exit_status(enum error_code code)
{
    return codes[code].exit_status;
}

bool error_list_is_full(const struct error_list *list)
{
    size_t limit = list->limit != 0 ? list->limit : ERROR_LIST_DEFAULT_LIMIT;
    return list->errors.count >= limit;
}

void error_list_add(struct error_list *list, struct error *err)
{
    if (!error_is_set(err)) {
        return;
    }
    if (error_list_is_full(list)) {
        list->dropped++;
        error_release(err);
        return;
    }
    vector_push(&list->errors, *err);
    *err = (struct error)ERROR_INIT;
}

struct error *error_list_add_at(struct error_list *list, enum error_code code, const char *file,
                                size_t line, size_t column, const char *format, ...)
{
    if (error_list_is_full(list)) {
        list->dropped++;
        return NULL;
    }
    struct error *err = vector_grow(&list->errors);
    va_list arguments;
    va_start(arguments, format);
    set_v(err, code, format, arguments);
    va_end(arguments);
    err->file = memory_text(file);
    err->line = line;
    err->column = column;
    return err;
}

void error_list_release(struct error_list *list)
{
    vector_each (struct error *, err, &list->errors) {
        error_release(err);
    }
    vector_release(&list->errors);
}
