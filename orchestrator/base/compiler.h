/* The few attributes that gcc and clang share and that the whole program uses. */
#ifndef DRCTL_BASE_COMPILER_H
#define DRCTL_BASE_COMPILER_H

#define MUST_USE __attribute__((warn_unused_result))
#define PRINTF_LIKE(format_index, first_index)                                                     \
    __attribute__((format(printf, format_index, first_index)))
#define NORETURN __attribute__((noreturn))

/* For the rare result that changes nothing for the caller, whichever it is; say why beside it. */
#define IGNORE(call)                                                                               \
    do {                                                                                           \
        if ((call) != 0) {                                                                         \
        }                                                                                          \
    } while (0)

/* Runs release(&variable) when the variable's scope ends: CLEANUP(buffer_release) struct buffer b.
 */
#define CLEANUP(release) __attribute__((cleanup(release)))

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

#endif
