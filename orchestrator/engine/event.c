/* Names of events, in one table. */
#include "engine/event.h"

#include <string.h>

#include "base/compiler.h"
#include "base/json.h"

static const char *const names[] = {
    [EVENT_RUN_CREATED] = "run_created",
    [EVENT_RUN_RESUMED] = "run_resumed",
    [EVENT_RUN_PAUSED] = "run_paused",
    [EVENT_RUN_CONTINUED] = "run_continued",
    [EVENT_RUN_CANCELLED] = "run_cancelled",
    [EVENT_RUN_ENDED] = "run_ended",
    [EVENT_STEP_EXPANDED] = "step_expanded",
    [EVENT_STEP_STARTED] = "step_started",
    [EVENT_STEP_SUCCEEDED] = "step_succeeded",
    [EVENT_STEP_SKIPPED] = "step_skipped",
    [EVENT_ATTEMPT_FAILED] = "attempt_failed",
    [EVENT_STEP_WAITING] = "step_waiting",
    [EVENT_STEP_FAILED] = "step_failed",
    [EVENT_STEP_CANCELLED] = "step_cancelled",
    [EVENT_STEP_RETRIED] = "step_retried",
    [EVENT_TASK_STARTED] = "task_started",
    [EVENT_TASK_ENDED] = "task_ended",
    [EVENT_REMEMBERED] = "remembered",
    [EVENT_FACT] = "fact",
    [EVENT_ASKED] = "asked",
    [EVENT_ANSWERED] = "answered",
};

enum event_type event_type_of(const json_t *event)
{
    const char *name = json_get_text(event, "type");
    for (size_t i = 0; name != NULL && i < ARRAY_SIZE(names); i++) {
        if (strcmp(names[i], name) == 0) {
            return (enum event_type)i;
        }
    }
    return EVENT_UNKNOWN;
}

const char *event_type_name(enum event_type type)
{
    return type < EVENT_UNKNOWN ? names[type] : "unknown";
}

json_t *event_new(enum event_type type, const char *step, size_t attempt)
{
    json_t *event = json_object();
    json_object_set_new(event, "type", json_string(event_type_name(type)));
    if (step != NULL) {
        json_object_set_new(event, "step", json_string(step));
    }
    if (attempt != 0) {
        json_object_set_new(event, "attempt", json_integer((json_int_t)attempt));
    }
    return event;
}
