/* The order of a resumed apply: errored.tfstate, the lock, a fresh plan, the guards, the apply. A
 * saved plan whose apply was begun is never applied again: an interrupted apply has made it stale,
 * and what it half built is tainted, so that the next plan may want to replace it. That plan goes
 * through the guards like the first one.
 *
 * Remembered of each go ("apply", then "apply-afresh"): the plan that it applies, so that a resume
 * follows the terraform that runs instead of planning beside it. */
#include "terraform/apply_saved.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "terraform/state_lock.h"

enum { GOES = 2 };

static const char *const tasks[GOES] = {"apply", "apply-afresh"};

/* The terraform is gone and nobody saw its end. What it did is for a fresh plan to find out, so the
 * command itself is not repeated. */
static enum attempt_probe_answer judge_by_fresh_plan(struct attempt *attempt, void *context)
{
    (void)context;
    attempt_say(attempt, "how terraform ended was not seen; a fresh plan will tell what is left");
    return PROBE_DONE;
}

/* A new plan with the options of the old one. Takes the place of *plan. */
static int plan_afresh(const struct terraform *terraform, int go, struct saved_plan *plan,
                       struct error *err)
{
    CLEANUP(memory_cleanup)
    char *name = memory_format("%s-afresh-%d", attempt_step_id(terraform->attempt), go);
    CLEANUP(memory_cleanup) char *task = memory_format("plan-afresh-%d", go);
    CLEANUP(memory_cleanup) char *path = NULL;
    struct saved_plan fresh = {0};
    attempt_say(terraform->attempt, "planning afresh behind an apply that was cut short");
    if (saved_plan_path(terraform, name, &path, err) != 0 ||
        saved_plan_make(terraform, task, path, plan->options, &fresh, err) != 0) {
        return error_context(err, "behind an apply that was cut short");
    }
    saved_plan_release(plan);
    *plan = fresh;
    return 0;
}

/* Everything up to the point where terraform apply may start. */
static int prepare(const struct terraform *terraform, int go, struct saved_plan *plan,
                   struct applied *applied, struct error *err)
{
    bool pushed = false;
    if (state_push_errored(terraform, &pushed, err) != 0) {
        return -1;
    }
    if (pushed || plan->used || go > 0) {
        if (plan_afresh(terraform, go, plan, err) != 0) {
            return -1;
        }
    } else if (saved_plan_check(terraform, plan, err) != 0) {
        return -1;
    }
    if (applied->backup == NULL &&
        state_backup(terraform, attempt_step_id(terraform->attempt), &applied->backup, err) != 0) {
        return -1;
    }
    if (saved_plan_use(plan, err) != 0) {
        return -1;
    }
    return attempt_remember(terraform->attempt, tasks[go],
                            json_pack("{s:s, s:s?}", "plan", plan->path, "backup", applied->backup),
                            err);
}

/* What an earlier drctl had prepared for this go; false when it had not come so far. */
static bool recall(const struct terraform *terraform, int go, struct saved_plan *plan,
                   struct applied *applied)
{
    CLEANUP(json_cleanup) json_t *known = attempt_recall(terraform->attempt, tasks[go]);
    const char *path = json_get_text(known, "plan");
    struct saved_plan recalled = {0};
    if (path == NULL || saved_plan_open(path, &recalled, NULL) != 0) {
        return false;
    }
    saved_plan_release(plan);
    *plan = recalled;
    free(applied->backup);
    applied->backup = memory_text(json_get_text(known, "backup"));
    return true;
}

/* A state that could be written neither to its backend nor to errored.tfstate comes in the output,
 * which went through the redactor. Where that hid nothing it is put where errored.tfstate would be,
 * so that it is pushed as usual; otherwise it is kept aside, since stars must not get into a state.
 */
static void keep_state_dump(const struct terraform *terraform,
                            const struct terraform_stream *stream, struct error *err)
{
    CLEANUP(memory_cleanup) char *errored = file_join(terraform->dir, "errored.tfstate");
    CLEANUP(memory_cleanup) char *aside = file_join(terraform->store, "emergency.tfstate");
    CLEANUP(buffer_release) struct buffer text = BUFFER_INIT;
    if (stream->state_dump == NULL || file_exists(errored)) {
        return;
    }
    json_append(&text, stream->state_dump);
    bool redacted = strstr(buffer_text(&text), "***") != NULL;
    const char *path = redacted ? aside : errored;
    if (file_write(path, buffer_span(&text), FILE_PRIVATE_MODE, FILE_DURABLE, NULL) != 0) {
        error_hint(err, "what terraform made stands in the log of this attempt alone, in the line "
                        "\"Emergency state dump\"");
    } else if (redacted) {
        error_hint(err,
                   "what terraform made is in %s alone: put back what is hidden as ***, then "
                   "terraform state push it before anything else",
                   path);
    }
}

static int run_apply(const struct terraform *terraform, int go, const struct saved_plan *plan,
                     bool *ret_unseen, struct error *err)
{
    struct argv argv = {0};
    struct attempt_result result = {0};
    struct terraform_stream stream = {.attempt = terraform->attempt};
    terraform_begin(terraform, &argv, "apply");
    argv_add(&argv, "-json");
    argv_add(&argv, "-input=false");
    terraform_add_lock(terraform, &argv);
    json_int_t parallelism = json_get_integer(plan->options, "parallelism", 0);
    if (parallelism > 0) {
        argv_add_format(&argv, "-parallelism=%lld", (long long)parallelism);
    }
    argv_add(&argv, plan->path);
    struct terraform_call call = {.task = tasks[go],
                                  .argv = &argv,
                                  .stream = &stream,
                                  .mutates = true,
                                  .grace_ms = -1,
                                  .probe = judge_by_fresh_plan};
    int status = terraform_run(terraform, &call, &result, err);
    *ret_unseen = result.found_done;
    if (status == 0 && !result.found_done && result.exit_code != 0) {
        bool pushed = false;
        status = terraform_stream_fail(&stream, &result, "terraform apply", err);
        keep_state_dump(terraform, &stream, err);
        if (state_push_errored(terraform, &pushed, NULL) != 0) {
            error_hint(err, "errored.tfstate in %s is not pushed yet: resume does that first",
                       terraform->dir);
        }
    }
    terraform_stream_release(&stream);
    attempt_result_release(&result);
    argv_release(&argv);
    return status;
}

int apply_saved(const struct terraform *terraform, struct saved_plan *plan,
                struct applied *ret_applied, struct error *err)
{
    struct applied applied = {0};
    bool unseen = true;
    int status = 0;
    for (int go = 0; status == 0 && unseen && go < GOES; go++) {
        unseen = false;
        if (!recall(terraform, go, plan, &applied)) {
            status = prepare(terraform, go, plan, &applied, err);
        }
        if (status == 0) {
            status = run_apply(terraform, go, plan, &unseen, err);
        }
    }
    if (status == 0 && unseen) {
        status = error_set(err, ERROR_UNKNOWN, "how terraform apply ended was not seen twice");
    }
    if (status != 0) {
        applied_release(&applied);
        return -1;
    }
    applied.summary = json_incref(plan->summary);
    *ret_applied = applied;
    return 0;
}

void applied_release(struct applied *applied)
{
    json_decref(applied->summary);
    free(applied->backup);
    *applied = (struct applied){0};
}
