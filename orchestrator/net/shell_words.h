/* A command line split into words as Python's shlex.split() does it, which is how botocore reads
 * credential_process and section names. */
#ifndef DRCTL_NET_SHELL_WORDS_H
#define DRCTL_NET_SHELL_WORDS_H

#include "base/compiler.h"
#include "base/error.h"
#include "base/span.h"
#include "base/vector.h"

struct shell_words {
    VECTOR(char *)
    list;
};

/* Quotes and backslashes as in a POSIX shell; no variables, no comments, no globs. ERROR_INVALID
 * for a quotation without end. */
MUST_USE int shell_words_split(struct span text, struct shell_words *ret_words, struct error *err);
void shell_words_release(struct shell_words *words);

#endif
