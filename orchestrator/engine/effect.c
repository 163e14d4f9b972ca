/* Effects → the events that announce them: the same for every driver of the engine. */
#include <stdlib.h>

#include "base/clock.h"
#include "base/json.h"
#include "engine/engine.h"

void engine_effect_release(struct engine_effect *effect)
{
    json_decref(effect->value);
    effect->value = NULL;
    error_release(&effect->error);
}

static json_t *failure_question(const struct engine_node *node)
{
    json_t *event = event_new(EVENT_ASKED, node->name, node->attempts);
    const char *message = json_get_text(node->error, "message");
    CLEANUP(memory_cleanup) char *text = memory_format("%s failed. What now?", node->step->name);
    json_object_set_new(event, "question", json_string("failure"));
    json_object_set_new(event, "text", json_string(text));
    json_object_set_new(event, "evidence", json_string(message != NULL ? message : ""));
    json_object_set_new(event, "choices", json_pack("[s, s, s]", "stop", "retry", "skip"));
    return event;
}

static json_t *error_of(const struct error *err)
{
    json_t *value =
        json_pack("{s:s, s:s}", "code", error_code_name(err->code), "message", err->message);
    if (err->hint != NULL) {
        json_object_set_new(value, "hint", json_string(err->hint));
    }
    if (err->file != NULL) {
        json_object_set_new(value, "file", json_string(err->file));
        json_object_set_new(value, "line", json_integer((json_int_t)err->line));
        json_object_set_new(value, "column", json_integer((json_int_t)err->column));
    }
    return value;
}

static void set_time(json_t *event, const char *field, int64_t at_ns)
{
    char text[CLOCK_RFC3339_SIZE];
    clock_format_rfc3339_ms(at_ns, text);
    json_object_set_new(event, field, json_string(text));
}

json_t *engine_effect_event(const struct engine_effect *effect)
{
    static const enum event_type types[] = {
        [ENGINE_START] = EVENT_STEP_STARTED,    [ENGINE_EXPAND] = EVENT_STEP_EXPANDED,
        [ENGINE_SKIP] = EVENT_STEP_SKIPPED,     [ENGINE_SUCCEED] = EVENT_STEP_SUCCEEDED,
        [ENGINE_WAIT] = EVENT_STEP_WAITING,     [ENGINE_ASK] = EVENT_ASKED,
        [ENGINE_RETRY] = EVENT_STEP_RETRIED,    [ENGINE_FAIL] = EVENT_STEP_FAILED,
        [ENGINE_CANCEL] = EVENT_STEP_CANCELLED, [ENGINE_END] = EVENT_RUN_ENDED,
    };
    if (effect->kind == ENGINE_ASK) {
        return failure_question(effect->node);
    }
    json_t *event = event_new(types[effect->kind], effect->node != NULL ? effect->node->name : NULL,
                              effect->attempt);
    switch (effect->kind) {
    case ENGINE_START:
        json_object_set_new(event, "uses", json_string(effect->node->step->call.uses));
        break;
    case ENGINE_EXPAND:
        json_object_set(event, "items", effect->value);
        break;
    case ENGINE_SUCCEED:
        json_object_set(event, "outputs", effect->value);
        break;
    case ENGINE_SKIP:
        json_object_set_new(event, "reason", json_string(effect->reason));
        break;
    case ENGINE_END:
        json_object_set_new(event, "outcome", json_string(effect->reason));
        break;
    case ENGINE_WAIT:
        set_time(event, "until", effect->until_ns);
        break;
    case ENGINE_FAIL:
        json_object_set_new(event, "error", error_of(&effect->error));
        break;
    default:
        break;
    }
    return event;
}
