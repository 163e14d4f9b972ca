/* What terraform says with -json, as it goes. */
#ifndef DRCTL_ACTIONS_TERRAFORM_STREAM_H
#define DRCTL_ACTIONS_TERRAFORM_STREAM_H

#include <stddef.h>

#include "attempt/attempt.h"
#include "base/vector.h"

/* The lock that was in the way, as terraform tells of it. */
struct terraform_lock {
    char *id; /* NULL: no lock was in the way */
    char *who;
    char *operation;
    char *created;
};

struct terraform_stream {
    struct attempt *attempt; /* where an unknown version is told of; may be NULL */
    VECTOR(char *)
    errors; /* each in one line: what, detail, address, place */
    VECTOR(char *)
    failed;           /* addresses whose change failed */
    size_t completed; /* changes that are done */
    struct terraform_lock lock;
    bool is_stale;      /* the saved plan does not fit the state any more */
    json_t *state_dump; /* a state that terraform could put away nowhere; NULL */
};

/* For attempt_command.on_line; context is the stream. Lines that are not of this form are let go.
 */
void terraform_stream_line(void *context, const struct attempt_line *line);

/* Sets err from what was said, "terraform plan: …", with a code that retries can go by. Returns -1.
 */
int terraform_stream_fail(const struct terraform_stream *stream,
                          const struct attempt_result *result, const char *what, struct error *err);

void terraform_stream_release(struct terraform_stream *stream);

#endif
