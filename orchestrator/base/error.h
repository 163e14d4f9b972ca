/* What went wrong, where, and what the caller probably meant. An error is a value owned by whoever
 * declared it: struct error err = {0}; … error_release(&err). The first error wins: setting one
 * that is set already changes nothing. Context is put in front on the way up with error_context().
 */
#ifndef DRCTL_BASE_ERROR_H
#define DRCTL_BASE_ERROR_H

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"
#include "base/vector.h"

/* What kind of failure it is: decides the exit code, whether a retry makes sense, and nothing else.
 */
enum error_code {
    ERROR_NONE,
    ERROR_FAILED,    /* the work itself failed: a child's exit status, an API's refusal */
    ERROR_USAGE,     /* the command line */
    ERROR_INVALID,   /* a plan, an input or a file that does not say what it must */
    ERROR_NOT_READY, /* something that was needed is missing: a tool, a credential */
    ERROR_REFUSED,   /* a guard refused */
    ERROR_LOCKED,    /* another run holds the target */
    ERROR_CANCELLED, /* a person asked to stop */
    ERROR_WAITING,   /* a person has to decide */
    ERROR_DAMAGED,   /* the journal does not verify */
    ERROR_IO,        /* the operating system refused: errno is part of the message */
    ERROR_NETWORK,   /* connect, TLS, name resolution, a connection that broke */
    ERROR_THROTTLED, /* the other side asked to slow down */
    ERROR_TIMEOUT,   /* a deadline passed */
    ERROR_UNKNOWN,   /* an effect may or may not have happened */
    ERROR_NOT_FOUND, /* the thing asked for does not exist */
};

struct error {
    enum error_code code;
    char *message; /* one sentence, no trailing period or newline */
    char *file;    /* NULL when the error has no place in a document */
    size_t line;   /* from 1; 0 when unknown */
    size_t column; /* from 1, in characters; 0 when unknown */
    char *hint;    /* the likely intent or the way on; NULL when there is none */
};

#define ERROR_INIT                                                                                 \
    {                                                                                              \
        ERROR_NONE, NULL, NULL, 0, 0, NULL                                                         \
    }

/* Each sets err, unless it is set already, and returns -1 so that a caller can return the call.
 * err may be NULL when the caller does not want to know. */
int error_set(struct error *err, enum error_code code, const char *format, ...) PRINTF_LIKE(3, 4);
int error_set_at(struct error *err, enum error_code code, const char *file, size_t line,
                 size_t column, const char *format, ...) PRINTF_LIKE(6, 7);

/* As error_set with ERROR_IO and ": strerror(errno_value)" behind the message. */
int error_set_errno(struct error *err, int errno_value, const char *format, ...) PRINTF_LIKE(3, 4);

/* Puts "context: " in front of the message of an error that is set. Returns -1. */
int error_context(struct error *err, const char *format, ...) PRINTF_LIKE(2, 3);

/* Says what the reader can do about it; replaces an earlier hint. Returns -1. */
int error_hint(struct error *err, const char *format, ...) PRINTF_LIKE(2, 3);

/* Moves an error to another place, leaving `from` clear. `to` is released first. */
void error_move(struct error *to, struct error *from);

bool error_is_set(const struct error *err);
void error_release(struct error *err);

/* "file:line:column: message (hint)" as one line; the caller frees it. */
char *error_format(const struct error *err);

/* The stable lower-case name of a code ("not_ready"), and back (ERROR_NONE for an unknown name). */
const char *error_code_name(enum error_code code);
enum error_code error_code_from_name(const char *name);

/* The process exit code that a command ends with for this kind of error (DESIGN.md, Commands). */
int error_code_exit_status(enum error_code code);

/* All errors of a document, in the order in which they were found. */
struct error_list {
    VECTOR(struct error)
    errors;
    size_t limit; /* errors kept at most; 0 means 100. Further ones are only counted. */
    size_t dropped;
};

/* Whether further errors would only be counted: then a costly place need not be worked out. */
bool error_list_is_full(const struct error_list *list);

/* Moves err into the list and leaves it clear, so that the same variable can be used again. */
void error_list_add(struct error_list *list, struct error *err);

/* A new entry with the given place. Returns the entry, or NULL when the list is full. */
struct error *error_list_add_at(struct error_list *list, enum error_code code, const char *file,
                                size_t line, size_t column, const char *format, ...)
    PRINTF_LIKE(6, 7);
void error_list_release(struct error_list *list);

#endif
