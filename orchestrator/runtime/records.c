/* A fold over the journal that keeps what attempts can ask for again. */
#include "runtime/records.h"

#include <stdlib.h>

#include "base/json.h"
#include "base/memory.h"
#include "engine/event.h"

void records_init(struct records *records)
{
    records->attempts = json_object();
}

void records_release(struct records *records)
{
    json_decref(records->attempts);
    records->attempts = NULL;
}

static char *key_of(const char *step, size_t attempt, const char *phase)
{
    return memory_format("%s/%zu/%s", step, attempt, phase != NULL ? phase : "");
}

static json_t *part_of(struct records *records, const json_t *event, const char *part)
{
    CLEANUP(memory_cleanup)
    char *key = key_of(json_get_text(event, "step"), (size_t)json_get_integer(event, "attempt", 0),
                       json_get_text(event, "phase"));
    json_t *record = json_object_get(records->attempts, key);
    if (record == NULL) {
        record = json_object();
        json_object_set_new(records->attempts, key, record);
    }
    json_t *found = json_object_get(record, part);
    if (found == NULL) {
        found = json_object();
        json_object_set_new(record, part, found);
    }
    return found;
}

static void apply_fact(struct records *records, const json_t *event)
{
    json_t *facts = part_of(records, event, "facts");
    CLEANUP(memory_cleanup) char *index = memory_format("%zu", json_object_size(facts));
    json_object_set_new(facts, index,
                        json_pack("{s:O, s:O}", "kind", json_object_get(event, "kind"), "value",
                                  json_object_get(event, "value")));
}

void records_apply(struct records *records, const json_t *event)
{
    const char *question = json_get_text(event, "question");
    switch (event_type_of(event)) {
    case EVENT_REMEMBERED:
        json_object_set(part_of(records, event, "remembered"), json_get_text(event, "name"),
                        json_object_get(event, "value"));
        break;
    case EVENT_FACT:
        apply_fact(records, event);
        break;
    case EVENT_TASK_STARTED: /* another go of a task whose end was not seen */
        json_object_del(part_of(records, event, "ended"), json_get_text(event, "task"));
        break;
    case EVENT_TASK_ENDED:
        json_object_set_new(part_of(records, event, "ended"), json_get_text(event, "task"),
                            json_true());
        break;
    case EVENT_ASKED:
        json_object_set(part_of(records, event, "asked"), question, (json_t *)event);
        break;
    case EVENT_ANSWERED:
        json_object_set(part_of(records, event, "answers"), question,
                        json_object_get(event, "answer"));
        break;
    default:
        break;
    }
}

struct attempt_record records_find(const struct records *records, const char *step, size_t attempt,
                                   const char *phase)
{
    CLEANUP(memory_cleanup) char *key = key_of(step, attempt, phase);
    const json_t *record = json_object_get(records->attempts, key);
    return (struct attempt_record){
        .remembered = json_object_get(record, "remembered"),
        .answers = json_object_get(record, "answers"),
        .asked = json_object_get(record, "asked"),
        .ended = json_object_get(record, "ended"),
        .facts = json_object_get(record, "facts"),
    };
}
