/* drctl rollback: shows what undoing a run would do, and does it when a person agrees. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "commands/plan_loading.h"
#include "commands/watching.h"
#include "runtime/rollback.h"
#include "runtime/state_directory.h"

enum { EXIT_WAITING = 8, EXIT_CANCELLED = 7 };

static const struct command_option options[] = {
    WATCHING_OPTIONS,
    {"destroy", 0, "STEP", true, "undo this step although it takes data away"},
    {"dry-run", 'n', NULL, false, "only show what would be undone"},
    {NULL, 0, NULL, false, NULL},
};

static void print_list(const char *title, const json_t *list)
{
    size_t index;
    json_t *item;
    json_array_foreach (list, index, item) {
        if (index == 0) {
            printf("%s\n", title);
        }
        printf("  %-24s %s\n", json_get_text(item, "step"), json_get_text(item, "action"));
    }
}

/* 0 when a person agrees, else the exit status to end with. */
static int ask(const struct invocation *invocation, const char *id)
{
    if (invocation_flag(invocation, "yes")) {
        return 0;
    }
    if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)) {
        printf("\nNothing was done. Do it with: drctl rollback %s --yes\n", id);
        return EXIT_WAITING;
    }
    printf("\nUndo all this, newest first? Only 'yes' is taken for an answer: ");
    fflush(stdout);
    char line[16] = "";
    bool agreed = fgets(line, sizeof line, stdin) != NULL && strcmp(line, "yes\n") == 0;
    return agreed ? 0 : EXIT_CANCELLED;
}

static int undo(const struct invocation *invocation, const char *state,
                const struct rollback *rollback, struct error *err)
{
    CLEANUP(memory_cleanup) char *who = operator_name();
    struct run_options run_options = {.state = state, .operator_name = who};
    struct loaded_plan loaded;
    int status = loaded_plan_make(&loaded, invocation, rollback->plan_text, rollback->plan_file,
                                  state, who, err);
    if (status == 0 &&
        run_create(loaded.plan, &loaded.context, loaded.file, &run_options, err) != 0) {
        status = -1;
    }
    CLEANUP(memory_cleanup)
    char *id = memory_text(json_get_text(json_object_get(loaded.context.values, "run"), "id"));
    loaded_plan_release(&loaded);
    return status != 0 ? status : watch_run(invocation, state, id, RUN_START, NULL, err);
}

static int run(const struct invocation *invocation, struct error *err)
{
    CLEANUP(memory_cleanup) char *state = NULL;
    CLEANUP(memory_cleanup) char *id = NULL;
    struct rollback rollback = {0};
    if (state_directory(invocation_value(invocation, "state-dir"), &state, err) != 0 ||
        state_find_run(state, invocation_argument(invocation, 0), &id, err) != 0 ||
        rollback_plan(state, id, invocation_values(invocation, "destroy"), &rollback, err) != 0) {
        return -1;
    }
    print_list("Will be undone, newest first:", rollback.undone);
    print_list("Stays as it is, since drctl has no way to undo it:", rollback.kept);
    int status = invocation_flag(invocation, "dry-run") ? 0 : ask(invocation, id);
    if (status == 0 && !invocation_flag(invocation, "dry-run")) {
        fflush(stdout);
        status = undo(invocation, state, &rollback, err);
    }
    rollback_release(&rollback);
    return status;
}

const struct command command_rollback = {
    .name = "rollback",
    .arguments = "RUN",
    .summary = "undo what a run did, newest first, after showing it",
    .least_arguments = 1,
    .most_arguments = 1,
    .options = options,
    .run = run,
};
