/* Both kinds of lock are one conditional write; what differs is how the request and the answer
 * look, which the table of backends holds. Each call runs a loop of its own to its end, so it can
 * be made from a thread of the pool as well as before a run begins. */
#include "runtime/remote_lock.h"

#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "base/clock.h"
#include "base/json.h"
#include "net/api_call.h"

extern char **environ;

enum { CALL_TIMEOUT_MS = 20 * 1000, TAKE_TRIES = 4 };

struct lock_backend {
    const char *type;
    const char *place; /* the site's key for where the locks are */
    int (*put_if_free)(const struct remote_lock *lock, const char *text, struct error *err);
    int (*put_if_ours)(const struct remote_lock *lock, const char *run_id, const char *text,
                       struct error *err);
    int (*remove_if_ours)(const struct remote_lock *lock, const char *run_id, struct error *err);
    json_t *(*read)(const struct remote_lock *lock, struct error *err);
};

struct remote_lock {
    const struct lock_backend *backend;
    char *place; /* bucket or table */
    char *key;   /* object key or item key */
    char *region;
    char *target;
};

/* --- one call -------------------------------------------------------------------------------- */

struct exchange {
    uv_loop_t loop;
    struct api_client *client;
    struct api_answer answer;
    struct error err;
};

static void exchange_done(void *context, struct api_answer *answer, struct error *err)
{
    struct exchange *exchange = context;
    exchange->answer = *answer;
    *answer = (struct api_answer){0};
    error_move(&exchange->err, err);
    api_client_close(exchange->client);
}

static void answer_release(struct api_answer *answer)
{
    http_headers_release(&answer->headers);
    buffer_release(&answer->body);
    free(answer->code);
}

/* 0 for an answer of success. The answer's status and code are set in either case when there was an
 * answer; the caller releases it. */
static int call(const struct remote_lock *lock, struct api_request *request,
                struct api_answer *ret_answer, struct error *err)
{
    struct exchange exchange = {.err = ERROR_INIT};
    struct aws_settings settings = {0};
    *ret_answer = (struct api_answer){0};
    if (aws_settings_load(environ, NULL, lock->region, &settings, err) != 0) {
        return -1;
    }
    request->region = lock->region;
    request->timeout_ms = CALL_TIMEOUT_MS;
    uv_loop_init(&exchange.loop);
    exchange.client = api_client_new(&exchange.loop, &settings);
    api_call_start(exchange.client, request, exchange_done, &exchange);
    uv_run(&exchange.loop, UV_RUN_DEFAULT);
    uv_loop_close(&exchange.loop);
    aws_settings_release(&settings);
    *ret_answer = exchange.answer;
    if (error_is_set(&exchange.err)) {
        error_move(err, &exchange.err);
        return error_context(err, "the lock of %s in %s", lock->target, lock->region);
    }
    return 0;
}

/* --- S3 -------------------------------------------------------------------------------------- */

static char *object_path(const struct remote_lock *lock)
{
    struct buffer path = BUFFER_INIT;
    buffer_append_format(&path, "/%s/", lock->place);
    uri_encode(&path, span_of_text(lock->key), true);
    return buffer_take(&path);
}

static int s3_put(const struct remote_lock *lock, const char *text, const char *condition,
                  const char *value, struct error *err)
{
    CLEANUP(memory_cleanup) char *path = object_path(lock);
    struct http_headers headers = {0};
    http_headers_add(&headers, condition, value);
    http_headers_add(&headers, "Content-Type", "application/json");
    struct api_request request = {.service = "s3",
                                  .operation = "PutObject",
                                  .method = "PUT",
                                  .path = path,
                                  .headers = &headers,
                                  .body = span_of_text(text)};
    struct api_answer answer;
    int result = call(lock, &request, &answer, err);
    if (result != 0 && (answer.status == 412 || answer.status == 409)) {
        error_release(err);
        error_set(err, ERROR_LOCKED, "it is taken");
    }
    answer_release(&answer);
    http_headers_release(&headers);
    return result;
}

static int s3_get(const struct remote_lock *lock, struct api_answer *ret_answer, struct error *err)
{
    CLEANUP(memory_cleanup) char *path = object_path(lock);
    struct api_request request = {
        .service = "s3", .operation = "GetObject", .method = "GET", .path = path};
    int result = call(lock, &request, ret_answer, err);
    if (result != 0 && ret_answer->status == 404 && ret_answer->code != NULL &&
        strcmp(ret_answer->code, "NoSuchKey") == 0) {
        error_release(err);
        return 0;
    }
    return result;
}

static json_t *s3_read(const struct remote_lock *lock, struct error *err)
{
    struct api_answer answer;
    json_t *holder = NULL;
    if (s3_get(lock, &answer, err) == 0) {
        holder = answer.status == 404 ? json_null()
                                      : json_parse(buffer_span(&answer.body), lock->key, err);
    }
    answer_release(&answer);
    return holder;
}

static int s3_put_if_free(const struct remote_lock *lock, const char *text, struct error *err)
{
    return s3_put(lock, text, "If-None-Match", "*", err);
}

/* The entity tag of the object as long as it is ours: the next write holds only for that version.
 */
static int s3_our_tag(const struct remote_lock *lock, const char *run_id, char **ret_tag,
                      struct error *err)
{
    struct api_answer answer;
    *ret_tag = NULL;
    int result = s3_get(lock, &answer, err);
    if (result == 0 && answer.status != 404) {
        CLEANUP(json_cleanup)
        json_t *holder = json_parse(buffer_span(&answer.body), lock->key, err);
        const char *run = json_get_text(holder, "run");
        const char *tag = http_headers_get(&answer.headers, "ETag");
        if (run != NULL && strcmp(run, run_id) == 0) {
            *ret_tag = memory_text(tag != NULL ? tag : "*");
        }
        result = holder != NULL ? 0 : -1;
    }
    answer_release(&answer);
    return result;
}

static int s3_put_if_ours(const struct remote_lock *lock, const char *run_id, const char *text,
                          struct error *err)
{
    CLEANUP(memory_cleanup) char *tag = NULL;
    if (s3_our_tag(lock, run_id, &tag, err) != 0) {
        return -1;
    }
    return tag != NULL
               ? s3_put(lock, text, "If-Match", tag, err)
               : error_set(err, ERROR_LOCKED, "the lock of %s is not ours any more", lock->target);
}

static int s3_remove_if_ours(const struct remote_lock *lock, const char *run_id, struct error *err)
{
    CLEANUP(memory_cleanup) char *tag = NULL;
    if (s3_our_tag(lock, run_id, &tag, err) != 0 || tag == NULL) {
        return error_is_set(err) ? -1 : 0;
    }
    CLEANUP(memory_cleanup) char *path = object_path(lock);
    struct http_headers headers = {0};
    http_headers_add(&headers, "If-Match", tag);
    struct api_request request = {.service = "s3",
                                  .operation = "DeleteObject",
                                  .method = "DELETE",
                                  .path = path,
                                  .headers = &headers};
    struct api_answer answer;
    int result = call(lock, &request, &answer, err);
    answer_release(&answer);
    http_headers_release(&headers);
    return result;
}

/* --- DynamoDB -------------------------------------------------------------------------------- */

static int dynamodb_call(const struct remote_lock *lock, const char *operation, json_t *body,
                         struct api_answer *ret_answer, struct error *err)
{
    CLEANUP(memory_cleanup) char *text = json_canonical(body);
    CLEANUP(memory_cleanup) char *target = memory_format("DynamoDB_20120810.%s", operation);
    json_decref(body);
    struct http_headers headers = {0};
    http_headers_add(&headers, "X-Amz-Target", target);
    http_headers_add(&headers, "Content-Type", "application/x-amz-json-1.0");
    struct api_request request = {.service = "dynamodb",
                                  .operation = operation,
                                  .method = "POST",
                                  .headers = &headers,
                                  .body = span_of_text(text)};
    int result = call(lock, &request, ret_answer, err);
    if (result != 0 && ret_answer->code != NULL &&
        strcmp(ret_answer->code, "ConditionalCheckFailedException") == 0) {
        error_release(err);
        error_set(err, ERROR_LOCKED, "it is taken");
    }
    http_headers_release(&headers);
    return result;
}

static int dynamodb_put(const struct remote_lock *lock, const char *text, const char *condition,
                        const char *run_id, struct error *err)
{
    CLEANUP(json_cleanup) json_t *holder = json_parse(span_of_text(text), "the holder", err);
    if (holder == NULL) {
        return -1;
    }
    json_t *body =
        json_pack("{s:s, s:{s:{s:s}, s:{s:s}, s:{s:s}}, s:s}", "TableName", lock->place, "Item",
                  "LockID", "S", lock->key, "Run", "S", json_get_text(holder, "run"), "Holder", "S",
                  text, "ConditionExpression", condition);
    if (run_id != NULL) {
        json_object_set_new(body, "ExpressionAttributeNames", json_pack("{s:s}", "#run", "Run"));
        json_object_set_new(body, "ExpressionAttributeValues",
                            json_pack("{s:{s:s}}", ":run", "S", run_id));
    }
    struct api_answer answer;
    int result = dynamodb_call(lock, "PutItem", body, &answer, err);
    answer_release(&answer);
    return result;
}

static int dynamodb_put_if_free(const struct remote_lock *lock, const char *text, struct error *err)
{
    return dynamodb_put(lock, text, "attribute_not_exists(LockID)", NULL, err);
}

static int dynamodb_put_if_ours(const struct remote_lock *lock, const char *run_id,
                                const char *text, struct error *err)
{
    return dynamodb_put(lock, text, "#run = :run", run_id, err);
}

static json_t *dynamodb_key(const struct remote_lock *lock)
{
    return json_pack("{s:s, s:{s:{s:s}}}", "TableName", lock->place, "Key", "LockID", "S",
                     lock->key);
}

static int dynamodb_remove_if_ours(const struct remote_lock *lock, const char *run_id,
                                   struct error *err)
{
    json_t *body = dynamodb_key(lock);
    json_object_set_new(body, "ConditionExpression", json_string("#run = :run"));
    json_object_set_new(body, "ExpressionAttributeNames", json_pack("{s:s}", "#run", "Run"));
    json_object_set_new(body, "ExpressionAttributeValues",
                        json_pack("{s:{s:s}}", ":run", "S", run_id));
    struct api_answer answer;
    int result = dynamodb_call(lock, "DeleteItem", body, &answer, err);
    answer_release(&answer);
    if (result != 0 && err->code == ERROR_LOCKED) {
        error_release(err);
        return 0;
    }
    return result;
}

static json_t *dynamodb_read(const struct remote_lock *lock, struct error *err)
{
    json_t *body = dynamodb_key(lock);
    json_object_set_new(body, "ConsistentRead", json_true());
    struct api_answer answer;
    json_t *holder = NULL;
    if (dynamodb_call(lock, "GetItem", body, &answer, err) == 0) {
        CLEANUP(json_cleanup) json_t *item = json_parse(buffer_span(&answer.body), "GetItem", err);
        const char *text =
            json_get_text(json_object_get(json_object_get(item, "Item"), "Holder"), "S");
        holder = item == NULL   ? NULL
                 : text == NULL ? json_null()
                                : json_parse(span_of_text(text), lock->key, err);
    }
    answer_release(&answer);
    return holder;
}

/* --- both ------------------------------------------------------------------------------------ */

static const struct lock_backend backends[] = {
    {"s3", "bucket", s3_put_if_free, s3_put_if_ours, s3_remove_if_ours, s3_read},
    {"dynamodb", "table", dynamodb_put_if_free, dynamodb_put_if_ours, dynamodb_remove_if_ours,
     dynamodb_read},
};

int remote_lock_new(const json_t *site, const char *target, struct remote_lock **ret_lock,
                    struct error *err)
{
    *ret_lock = NULL;
    const json_t *wanted = json_object_get(site, "lock");
    if (wanted == NULL || json_is_null(wanted)) {
        return 0;
    }
    const char *type = json_get_text(wanted, "type");
    const struct lock_backend *backend = NULL;
    for (size_t i = 0; i < ARRAY_SIZE(backends); i++) {
        backend = type != NULL && strcmp(type, backends[i].type) == 0 ? &backends[i] : backend;
    }
    if (backend == NULL) {
        return error_set(err, ERROR_INVALID, "the site's lock has to be of type s3 or dynamodb");
    }
    const char *place = json_get_text(wanted, backend->place);
    const char *region = json_get_text(wanted, "region");
    if (place == NULL || region == NULL) {
        return error_set(err, ERROR_INVALID, "the site's lock of type %s needs %s and region", type,
                         backend->place);
    }
    const char *prefix = json_get_text(wanted, "prefix");
    struct remote_lock *lock = memory_new(1, sizeof *lock);
    lock->backend = backend;
    lock->place = memory_text(place);
    lock->region = memory_text(region);
    lock->target = memory_text(target);
    lock->key = memory_format("%s%s.json", prefix != NULL ? prefix : "drctl/locks/", target);
    *ret_lock = lock;
    return 0;
}

void remote_lock_free(struct remote_lock *lock)
{
    if (lock != NULL) {
        free(lock->place);
        free(lock->key);
        free(lock->region);
        free(lock->target);
        free(lock);
    }
}

const char *remote_lock_region(const struct remote_lock *lock)
{
    return lock->region;
}

json_t *remote_lock_read(const struct remote_lock *lock, struct error *err)
{
    return lock->backend->read(lock, err);
}

static int refuse(const struct remote_lock *lock, const json_t *holder, struct error *err)
{
    const char *run = json_get_text(holder, "run");
    const char *who = json_get_text(holder, "operator");
    const char *host = json_get_text(holder, "host");
    const char *since = json_get_text(holder, "since");
    const char *renewed = json_get_text(holder, "renewed_at");
    error_set(err, ERROR_LOCKED,
              "%s is being recovered by the run %s of %s on %s since %s; its last sign of life was "
              "at %s, with %d steps done",
              lock->target, run != NULL ? run : "?", who != NULL ? who : "?",
              host != NULL ? host : "?", since != NULL ? since : "?",
              renewed != NULL ? renewed : "?", (int)json_get_integer(holder, "steps_done", 0));
    return error_hint(err,
                      "talk to them; when that run is certainly dead: drctl unlock %s --run %s "
                      "--why TEXT --site FILE",
                      lock->target, run != NULL ? run : "RUN");
}

/* One look at a lock that could not be taken: 1 when it is ours, 0 when it is free again, -1 when
 * somebody else has it. */
static int look_at_holder(const struct remote_lock *lock, const char *run_id, struct error *err)
{
    CLEANUP(json_cleanup) json_t *holder = remote_lock_read(lock, err);
    if (holder == NULL) {
        return -1;
    }
    if (json_is_null(holder)) {
        return 0;
    }
    const char *run = json_get_text(holder, "run");
    return run != NULL && strcmp(run, run_id) == 0 ? 1 : refuse(lock, holder, err);
}

int remote_lock_take(const struct remote_lock *lock, const json_t *holder, struct error *err)
{
    CLEANUP(memory_cleanup) char *text = json_canonical(holder);
    const char *run_id = json_get_text(holder, "run");
    for (int i = 0; i < TAKE_TRIES; i++) {
        struct error own = ERROR_INIT;
        if (lock->backend->put_if_free(lock, text, &own) == 0) {
            return 0;
        }
        bool look = own.code == ERROR_LOCKED || own.code == ERROR_UNKNOWN;
        if (!look) {
            error_move(err, &own);
            return -1;
        }
        error_release(&own);
        int found = look_at_holder(lock, run_id, err);
        if (found != 0) {
            return found > 0 ? 0 : -1;
        }
    }
    return error_set(err, ERROR_LOCKED, "the lock of %s changes hands all the time", lock->target);
}

int remote_lock_renew(const struct remote_lock *lock, const json_t *holder, struct error *err)
{
    CLEANUP(memory_cleanup) char *text = json_canonical(holder);
    return lock->backend->put_if_ours(lock, json_get_text(holder, "run"), text, err);
}

int remote_lock_release(const struct remote_lock *lock, const char *run_id, struct error *err)
{
    return lock->backend->remove_if_ours(lock, run_id, err);
}

/* The record is a lock that nobody releases: the same place, a key with the time in it. */
int remote_lock_record_break(const struct remote_lock *lock, const json_t *holder, const char *who,
                             const char *why, struct error *err)
{
    char now[CLOCK_RFC3339_SIZE];
    clock_format_rfc3339_ms(clock_wall_ns(), now);
    CLEANUP(memory_cleanup) char *key = memory_format("%s.broken-%s", lock->key, now);
    struct remote_lock record = *lock;
    record.key = key;
    CLEANUP(json_cleanup)
    json_t *value = json_pack("{s:O, s:s, s:s, s:s, s:O?}", "holder", holder, "who", who, "why",
                              why, "at", now, "run", json_object_get(holder, "run"));
    CLEANUP(memory_cleanup) char *text = json_canonical(value);
    return lock->backend->put_if_free(&record, text, err);
}
