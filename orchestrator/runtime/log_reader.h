/* The lines of one output log (process/process.h), from its first, as far as they are there: for
 * those who only look on. Changes nothing, needs no loop, holds one chunk in memory. */
#ifndef DRCTL_RUNTIME_LOG_READER_H
#define DRCTL_RUNTIME_LOG_READER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/span.h"

struct log_reader;

struct log_line {
    int64_t at_ns;
    bool is_stderr;
    struct span text; /* without the newline; valid until the next call */
};

/* The folder with output.log and its later pieces; need not be there yet. */
struct log_reader *log_reader_new(const char *directory);
void log_reader_free(struct log_reader *reader);

/* The next line; false when there is none now. ended: nobody writes it any more, so that what is
 * left of a line that was never finished counts, too. Parts of the log that were not kept
 * appear as a line that says so. */
MUST_USE bool log_reader_next(struct log_reader *reader, bool ended, struct log_line *ret_line);

#endif
