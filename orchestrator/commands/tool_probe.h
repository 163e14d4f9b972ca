/* Asks programs for their versions, all at the same time. */
#ifndef DRCTL_COMMANDS_TOOL_PROBE_H
#define DRCTL_COMMANDS_TOOL_PROBE_H

#include <stdbool.h>
#include <stddef.h>

struct tool {
    const char *name;         /* the program, looked up in PATH */
    const char *arguments[4]; /* that make it print its version; NULL-terminated */
    const char *least;        /* the oldest version that will do: "1.11.0" */
    bool needed;              /* else only for some plans */
    const char *used_for;
    const char *get; /* commands that get it on Debian and Ubuntu, one a line */
};

struct tool_answer {
    char *path;    /* NULL: there is no such program */
    char *version; /* NULL: it did not say */
};

/* Fills one answer for each tool; the caller releases them. A program that has not answered within
 * ten seconds is taken as one that does not say. */
void tools_probe(const struct tool *tools, size_t count, struct tool_answer *ret_answers);
void tool_answer_release(struct tool_answer *answer);

/* -1, 0 or 1 as version a is older than, the same as or newer than b; numbers with dots. */
int version_compare(const char *a, const char *b);

/* The first number with a dot in text ("git version 2.39.5" → "2.39.5"); NULL when there is none.
 * The caller frees it. */
char *version_find(const char *text);

#endif
