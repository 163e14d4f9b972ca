/* drctl journal verify: is what the journal says what was written? */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "commands/command.h"
#include "journal/replay.h"
#include "runtime/state_directory.h"

static void print_summary(const char *id, const struct journal_summary *summary)
{
    char first[CLOCK_RFC3339_SIZE];
    char last[CLOCK_RFC3339_SIZE];
    clock_format_rfc3339_ms(summary->first_at_ns, first);
    clock_format_rfc3339_ms(summary->last_at_ns, last);
    printf("%s: sound, %llu events from %s to %s\nhead %s\n", id,
           (unsigned long long)summary->events, first, last, summary->head);
    if (summary->tail.size_bytes > 0) {
        printf("behind the last event: %llu bytes of a line that was not finished\n",
               (unsigned long long)summary->tail.size_bytes);
    }
}

static int run(const struct invocation *invocation, struct error *err)
{
    if (strcmp(invocation_argument(invocation, 0), "verify") != 0) {
        return error_set(err, ERROR_USAGE, "journal knows one verb: verify");
    }
    CLEANUP(memory_cleanup) char *state = NULL;
    CLEANUP(memory_cleanup) char *id = NULL;
    if (state_directory(invocation_value(invocation, "state-dir"), &state, err) != 0 ||
        state_find_run(state, invocation_argument(invocation, 1), &id, err) != 0) {
        return -1;
    }
    CLEANUP(memory_cleanup) char *directory = state_run_directory(state, id);
    CLEANUP(memory_cleanup) char *path = file_join(directory, "journal.jsonl");
    struct journal_summary summary;
    if (journal_verify(path, &summary, err) != 0) {
        return -1;
    }
    print_summary(id, &summary);
    return 0;
}

const struct command command_journal = {
    .name = "journal",
    .arguments = "verify RUN",
    .summary = "prove that a run's journal is as it was written, or name the line that is not",
    .least_arguments = 2,
    .most_arguments = 2,
    .run = run,
};
