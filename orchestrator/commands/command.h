/* A command of drctl: one const struct in a file of its own, and the table of all of them. Parsing,
 * `--help` and the errors about options are made from it. */
#ifndef DRCTL_COMMANDS_COMMAND_H
#define DRCTL_COMMANDS_COMMAND_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"
#include "base/error.h"

enum { COMMAND_OPTION_LIMIT = 24 };

struct command_option {
    const char *name;  /* without the dashes; NULL ends a table */
    char letter;       /* 0: none */
    const char *value; /* what the help calls its value; NULL: a flag */
    bool repeatable;
    const char *doc; /* one line */
};

struct invocation;

struct command {
    const char *name;
    const char *arguments; /* for the usage line: "PLAN", "RUN [STEP]" */
    const char *summary;   /* one line */
    const char *doc;       /* further paragraphs; NULL */
    size_t least_arguments;
    size_t most_arguments;
    const struct command_option *options; /* beside those that all commands have; NULL */
    /* Returns the exit status, or -1 with err, which is then reported and decides the status. */
    int (*run)(const struct invocation *invocation, struct error *err);
};

/* All commands, in the order of the help. */
extern const struct command *const commands[];
extern const size_t commands_count;

/* --- what a command is given ----------------------------------------------------------------- */

/* The argument at an index; NULL behind the last. */
const char *invocation_argument(const struct invocation *invocation, size_t index);
size_t invocation_argument_count(const struct invocation *invocation);

bool invocation_flag(const struct invocation *invocation, const char *option);

/* The (last) value of an option; NULL when it was not given. */
const char *invocation_value(const struct invocation *invocation, const char *option);

/* All values of a repeatable option, NULL-terminated. Borrowed. */
const char *const *invocation_values(const struct invocation *invocation, const char *option);

/* --- the whole ------------------------------------------------------------------------------- */

/* argv → command → exit status. Reports errors on stderr. */
int command_main(int argc, char **argv);

/* The help of a command, or of all (NULL), on stdout. */
void command_help(const struct command *command);

/* Options that every command takes. */
extern const struct command_option command_common_options[];

#endif
