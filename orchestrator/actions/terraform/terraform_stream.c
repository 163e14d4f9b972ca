/* The JSON UI of terraform, read for what decides: errors, the lock in the way, how far it got.
 * Types and reasons that are not known are no error: newer versions add some. */
#include "terraform/terraform_stream.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/ui_line.h"

enum { ERRORS_LIMIT = 20 };

/* "ID:        1234" in the detail of a lock error; the caller frees it. */
static char *lock_field(const char *detail, const char *name)
{
    const char *at = strstr(detail, name);
    if (at == NULL) {
        return NULL;
    }
    at += strlen(name);
    at += strspn(at, " ");
    return memory_text_n(at, strcspn(at, "\n"));
}

static void read_lock(struct terraform_stream *stream, const char *detail)
{
    const char *info = strstr(detail, "Lock Info:"); /* what S3 says before it has an ID, too */
    if (stream->lock.id == NULL && info != NULL) {
        stream->lock.id = lock_field(info, "ID:");
        stream->lock.who = lock_field(info, "Who:");
        stream->lock.operation = lock_field(info, "Operation:");
        stream->lock.created = lock_field(info, "Created:");
    }
}

static void take_diagnostic(struct terraform_stream *stream, const json_t *diagnostic,
                            struct span line)
{
    const char *severity = json_get_text(diagnostic, "severity");
    const char *summary = json_get_text(diagnostic, "summary");
    const char *detail = json_get_text(diagnostic, "detail");
    if (severity == NULL || strcmp(severity, "error") != 0) {
        return;
    }
    if (detail != NULL) {
        read_lock(stream, detail);
    }
    stream->is_stale |= summary != NULL && strcmp(summary, "Saved plan is stale") == 0;
    struct buffer text = BUFFER_INIT;
    if (stream->errors.count < ERRORS_LIMIT && ui_line_append(&text, line) == UI_LINE_TEXT) {
        const char *shown = buffer_text(&text);
        shown += strncmp(shown, "Error: ", 7) == 0 ? 7 : 0;
        vector_push(&stream->errors, memory_text(shown));
    }
    buffer_release(&text);
}

static void take_hook(struct terraform_stream *stream, const char *type, const json_t *value)
{
    if (strcmp(type, "apply_complete") == 0) {
        stream->completed++;
    } else if (strcmp(type, "apply_errored") == 0) {
        const json_t *resource = json_object_get(json_object_get(value, "hook"), "resource");
        const char *address = json_get_text(resource, "addr");
        vector_push(&stream->failed, memory_text(address != NULL ? address : "?"));
    }
}

static void check_version(const struct terraform_stream *stream, const json_t *value)
{
    const char *ui = json_get_text(value, "ui");
    if (stream->attempt != NULL && (ui == NULL || strncmp(ui, "1.", 2) != 0)) {
        attempt_say(stream->attempt,
                    "this terraform speaks version %s of its JSON output; only 1 is known",
                    ui != NULL ? ui : "?");
    }
}

void terraform_stream_line(void *context, const struct attempt_line *line)
{
    struct terraform_stream *stream = context;
    if (!span_starts_with(line->text, "{\"@level\":")) {
        return;
    }
    CLEANUP(json_cleanup) json_t *value = json_parse(line->text, "line", NULL);
    const char *type = json_get_text(value, "type");
    if (type == NULL) {
        return;
    }
    if (strcmp(type, "diagnostic") == 0) {
        take_diagnostic(stream, json_object_get(value, "diagnostic"), line->text);
    } else if (strcmp(type, "version") == 0) {
        check_version(stream, value);
    } else if (strcmp(type, "log") == 0 && json_is_object(json_object_get(value, "state"))) {
        json_decref(stream->state_dump);
        stream->state_dump = json_incref(json_object_get(value, "state"));
    } else {
        take_hook(stream, type, value);
    }
}

/* What a failure is, by what providers and backends say; the first that fits. */
static const struct {
    const char *part;
    enum error_code code;
} kinds[] = {
    {"Error acquiring the state lock", ERROR_LOCKED},
    {"no such host", ERROR_NETWORK},
    {"connection refused", ERROR_NETWORK},
    {"connection reset", ERROR_NETWORK},
    {"i/o timeout", ERROR_NETWORK},
    {"TLS handshake timeout", ERROR_NETWORK},
    {"request send failed", ERROR_NETWORK},
    {"Throttling", ERROR_THROTTLED},
    {"Rate exceeded", ERROR_THROTTLED},
    {"RequestLimitExceeded", ERROR_THROTTLED},
    {"Invalid value for variable", ERROR_INVALID},
    {"No valid credential sources", ERROR_NOT_READY},
    {"ExpiredToken", ERROR_NOT_READY},
    {"Backend initialization required", ERROR_NOT_READY},
};

/* What to do about some of them. */
static const struct {
    const char *part;
    const char *hint;
} ways_on[] = {
    {"Backend initialization required", "terraform.init has to come behind the last rewrite"},
    {"Backend configuration changed", "terraform.init has to come behind the last rewrite"},
    {"does not have the expected content",
     "DynamoDB holds the digest of another version of the state, as after an older one was "
     "restored: correct the item's Digest to the value that terraform names"},
    {"Saved plan is stale", "somebody has changed the state since it was made: plan again"},
    {"No value for required variable", "give it with `vars`, `var_files` or TF_VAR_ in `env`"},
    {"ExpiredToken", "the credentials ran out: get new ones, then resume"},
};

static void add_hint(struct error *err, const char *text)
{
    for (size_t i = 0; i < ARRAY_SIZE(ways_on); i++) {
        if (strstr(text, ways_on[i].part) != NULL) {
            (void)!error_hint(err, "%s", ways_on[i].hint);
            return;
        }
    }
}

static enum error_code kind_of(const char *text)
{
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        if (strstr(text, kinds[i].part) != NULL) {
            return kinds[i].code;
        }
    }
    return ERROR_FAILED;
}

int terraform_stream_fail(const struct terraform_stream *stream,
                          const struct attempt_result *result, const char *what, struct error *err)
{
    if (result->out_of_memory) {
        error_set(err, ERROR_FAILED, "%s was killed by the kernel for want of memory", what);
        return error_hint(err, "give the step `memory:` so that less runs beside it");
    }
    if (stream->errors.count == 0 && result->signal != 0) {
        return error_set(err, ERROR_FAILED, "%s was ended by signal %d", what, result->signal);
    }
    if (stream->errors.count == 0) {
        enum error_code code = kind_of(buffer_text(&result->tail));
        return error_set(err, code, "%s ended with exit status %d", what, result->exit_code);
    }
    const char *first = stream->errors.items[0];
    if (stream->errors.count > 1) {
        error_set(err, kind_of(first), "%s: %s (and %zu more)", what, first,
                  stream->errors.count - 1);
    } else {
        error_set(err, kind_of(first), "%s: %s", what, first);
    }
    add_hint(err, first);
    if (stream->lock.id != NULL) {
        error_hint(err,
                   "held by %s since %s; when nothing of theirs runs any more: terraform "
                   "force-unlock %s. A replicated bucket can hold a lock that was given back long "
                   "ago",
                   stream->lock.who, stream->lock.created, stream->lock.id);
    }
    return -1;
}

void terraform_stream_release(struct terraform_stream *stream)
{
    for (size_t i = 0; i < stream->errors.count; i++) {
        free(stream->errors.items[i]);
    }
    for (size_t i = 0; i < stream->failed.count; i++) {
        free(stream->failed.items[i]);
    }
    vector_release(&stream->errors);
    vector_release(&stream->failed);
    json_decref(stream->state_dump);
    free(stream->lock.id);
    free(stream->lock.who);
    free(stream->lock.operation);
    free(stream->lock.created);
}
