/* Every operation is a row of requests of the same kind: ask (after the bucket's wait), take the
 * answer, and either ask on or end. take() decides: it reads the answer into the result and sets
 * what the next request asks for. */
#include "net/route53_api.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "net/oneshot.h"

enum {
    TIMEOUT_DEFAULT_MS = 120000,
    PAGE_SETS = 300, /* the most that Route 53 gives */
    PAGE_ZONES = 100,
    /* 10,000 record sets are a zone's quota, 500 zones an account's; ten times that is no list. */
    PAGES_MAX = 350,
    /* Throttling passes, and so does PriorRequestNotComplete when the zone's other change is done:
     * it is the time that ends the waiting, at some two minutes. */
    TRIES = 12,
};

enum outcome { TAKE_FAILED, TAKE_ENDED, TAKE_ASK_ON };

struct route53_operation {
    struct route53_session *session;
    const char *name; /* of the API's operation */
    enum outcome (*take)(struct route53_operation *operation, struct span answer);
    route53_done *done;
    void *context;

    const char *method;
    char *path;
    struct uri_pairs query;
    struct buffer body;
    bool is_change;
    int64_t deadline_ns;

    struct oneshot *timer; /* before a request; then what calls done() */
    struct api_call *call;
    bool ended;
    unsigned pages;

    char *zone_name;
    enum route53_zone_kind zone_kind;
    struct route53_page page; /* the last one read */
    int64_t interval_ms;
    struct route53_result result;
    struct error err;
};

static void operation_free(struct route53_operation *operation)
{
    free(operation->path);
    uri_pairs_release(&operation->query);
    buffer_release(&operation->body);
    free(operation->zone_name);
    route53_page_release(&operation->page);
    route53_sets_release(&operation->result.sets);
    route53_zone_release(&operation->result.zone);
    free(operation->result.change.id);
    error_release(&operation->err);
    oneshot_free(operation->timer);
    free(operation);
}

static void operation_end(struct route53_operation *operation)
{
    operation->ended = true;
    oneshot_start(operation->timer, 0);
}

static int64_t left_ms(const struct route53_operation *operation)
{
    return (operation->deadline_ns - clock_monotonic_ns()) / CLOCK_NS_PER_MS;
}

/* Plans the next request: not before wait_ms, and not faster than the bucket allows. */
static void ask_after(struct route53_operation *operation, int64_t wait_ms)
{
    struct token_bucket *bucket = &operation->session->bucket;
    int64_t bucket_ms = token_bucket_take_ms(bucket, clock_monotonic_ns());
    wait_ms = bucket_ms > wait_ms ? bucket_ms : wait_ms;
    if (wait_ms >= left_ms(operation)) {
        error_set(&operation->err, ERROR_TIMEOUT, "route53 %s: not ready within its time%s",
                  operation->name, operation->interval_ms != 0 ? "; the change is PENDING" : "");
        operation_end(operation);
    } else {
        oneshot_start(operation->timer, wait_ms);
    }
}

static void on_answer(void *context, struct api_answer *answer, struct error *err)
{
    struct route53_operation *operation = context;
    operation->call = NULL;
    if (error_is_set(err)) {
        error_release(&operation->err);
        error_move(&operation->err, err);
        operation_end(operation);
        return;
    }
    if (error_is_set(&operation->err)) {
        operation_end(operation); /* cancelled meanwhile */
        return;
    }
    switch (operation->take(operation, buffer_span(&answer->body))) {
    case TAKE_FAILED:
        error_context(&operation->err, "route53 %s", operation->name);
        if (operation->is_change) {
            operation->err.code = ERROR_UNKNOWN; /* it was accepted, but not in words we read */
        }
        operation_end(operation);
        break;
    case TAKE_ENDED:
        operation_end(operation);
        break;
    case TAKE_ASK_ON:
        ask_after(operation, operation->interval_ms);
        break;
    }
}

static void ask(struct route53_operation *operation)
{
    struct http_headers headers = {0};
    if (operation->body.size_bytes != 0) {
        http_headers_add(&headers, "Content-Type", "application/xml");
    }
    struct api_request request = {
        .service = "route53",
        .operation = operation->name,
        .method = operation->method,
        .path = operation->path,
        .query = &operation->query,
        .headers = &headers,
        .body = buffer_span(&operation->body),
        .timeout_ms = left_ms(operation),
        .attempts = TRIES,
        .once = operation->is_change,
    };
    operation->call = api_call_start(operation->session->client, &request, on_answer, operation);
    http_headers_release(&headers);
}

static void on_timer(void *context)
{
    struct route53_operation *operation = context;
    if (!operation->ended) {
        ask(operation);
        return;
    }
    operation->done(operation->context, &operation->result, &operation->err);
    operation_free(operation);
}

static struct route53_operation *operation_new(struct route53_session *session, const char *name,
                                               route53_done *done, void *context)
{
    struct route53_operation *operation = memory_new(1, sizeof *operation);
    int64_t timeout_ms = session->timeout_ms > 0 ? session->timeout_ms : TIMEOUT_DEFAULT_MS;
    operation->session = session;
    operation->name = name;
    operation->done = done;
    operation->context = context;
    operation->method = "GET";
    operation->deadline_ns = clock_monotonic_ns() + timeout_ms * CLOCK_NS_PER_MS;
    operation->timer = oneshot_new(api_client_loop(session->client), on_timer, operation);
    return operation;
}

/* "/2013-04-01/hostedzone/ID" and a suffix; ids come from plans and are encoded. */
static char *path_of(const char *kind, const char *id, const char *suffix)
{
    struct buffer path = BUFFER_INIT;
    buffer_append_format(&path, "/2013-04-01/%s/", kind);
    uri_encode(&path, span_of_text(route53_bare_id(id)), false);
    buffer_append_text(&path, suffix);
    return buffer_take(&path);
}

static int count_page(struct route53_operation *operation)
{
    if (++operation->pages > PAGES_MAX) {
        return error_set(&operation->err, ERROR_INVALID, "the list does not end after %d pages",
                         PAGES_MAX);
    }
    return 0;
}

static bool is_same_page(const struct route53_page *a, const struct route53_page *b)
{
    return a->next_name != NULL && b->next_name != NULL &&
           strcmp(a->next_name, b->next_name) == 0 && strcmp(a->next_type, b->next_type) == 0 &&
           (a->next_identifier == NULL || b->next_identifier == NULL ||
            strcmp(a->next_identifier, b->next_identifier) == 0);
}

static enum outcome take_sets(struct route53_operation *operation, struct span answer)
{
    struct route53_page page;
    if (route53_page_from_xml(answer, &operation->result.sets, &page, &operation->err) != 0 ||
        count_page(operation) != 0) {
        return TAKE_FAILED;
    }
    bool stuck = page.is_truncated && is_same_page(&page, &operation->page);
    route53_page_release(&operation->page);
    operation->page = page;
    if (stuck) {
        error_set(&operation->err, ERROR_INVALID, "the list does not advance");
        return TAKE_FAILED;
    }
    if (!page.is_truncated) {
        return TAKE_ENDED;
    }
    uri_pairs_release(&operation->query);
    uri_pairs_add_integer(&operation->query, "maxitems", PAGE_SETS);
    uri_pairs_add(&operation->query, "name", page.next_name);
    uri_pairs_add(&operation->query, "type", page.next_type);
    if (page.next_identifier != NULL) {
        uri_pairs_add(&operation->query, "identifier", page.next_identifier);
    }
    return TAKE_ASK_ON;
}

struct route53_operation *route53_list(struct route53_session *session, const char *zone_id,
                                       route53_done *done, void *context)
{
    struct route53_operation *operation =
        operation_new(session, "ListResourceRecordSets", done, context);
    operation->path = path_of("hostedzone", zone_id, "/rrset");
    operation->take = take_sets;
    uri_pairs_add_integer(&operation->query, "maxitems", PAGE_SETS);
    ask_after(operation, 0);
    return operation;
}

/* Moves the zone with the wanted name and kind into the result. -1 when it is the second one. */
static int take_matching(struct route53_operation *operation, struct route53_zones *zones)
{
    vector_each (struct route53_zone *, zone, &zones->list) {
        bool is_kind = zone->is_private == (operation->zone_kind == ROUTE53_PRIVATE);
        if (strcmp(zone->name, operation->zone_name) != 0 || !is_kind) {
            continue;
        }
        struct route53_zone *found = &operation->result.zone;
        if (found->id != NULL) {
            error_set(&operation->err, ERROR_INVALID, "there are several %s zones %s: %s and %s",
                      zone->is_private ? "private" : "public", zone->name, found->id, zone->id);
            return error_hint(&operation->err, "give the zone's id");
        }
        *found = *zone;
        *zone = (struct route53_zone){0};
    }
    return 0;
}

static enum outcome zones_end(struct route53_operation *operation)
{
    if (operation->result.zone.id != NULL) {
        return TAKE_ENDED;
    }
    error_set(&operation->err, ERROR_NOT_FOUND, "there is no %s hosted zone %s",
              operation->zone_kind == ROUTE53_PRIVATE ? "private" : "public", operation->zone_name);
    return TAKE_FAILED;
}

static enum outcome take_zones(struct route53_operation *operation, struct span answer)
{
    struct route53_zones zones;
    if (route53_zones_from_xml(answer, &zones, &operation->err) != 0) {
        return TAKE_FAILED;
    }
    enum outcome outcome = TAKE_FAILED;
    if (take_matching(operation, &zones) == 0 && count_page(operation) == 0) {
        /* The list goes on behind the name when the next page starts with another one. */
        CLEANUP(memory_cleanup)
        char *next = zones.next_name != NULL ? route53_normal_name(zones.next_name) : NULL;
        bool goes_on = zones.is_truncated && next != NULL && zones.next_id != NULL &&
                       strcmp(next, operation->zone_name) == 0;
        outcome = goes_on ? TAKE_ASK_ON : zones_end(operation);
        if (goes_on) {
            uri_pairs_release(&operation->query);
            uri_pairs_add(&operation->query, "dnsname", zones.next_name);
            uri_pairs_add(&operation->query, "hostedzoneid", route53_bare_id(zones.next_id));
            uri_pairs_add_integer(&operation->query, "maxitems", PAGE_ZONES);
        }
    }
    route53_zones_release(&zones);
    return outcome;
}

struct route53_operation *route53_find_zone(struct route53_session *session, const char *name,
                                            enum route53_zone_kind kind, route53_done *done,
                                            void *context)
{
    struct route53_operation *operation =
        operation_new(session, "ListHostedZonesByName", done, context);
    operation->path = memory_text("/2013-04-01/hostedzonesbyname");
    operation->take = take_zones;
    operation->zone_name = route53_normal_name(name);
    operation->zone_kind = kind;
    uri_pairs_add(&operation->query, "dnsname", operation->zone_name);
    uri_pairs_add_integer(&operation->query, "maxitems", PAGE_ZONES);
    ask_after(operation, 0);
    return operation;
}

static enum outcome take_zone(struct route53_operation *operation, struct span answer)
{
    struct route53_zones zones;
    if (route53_zones_from_xml(answer, &zones, &operation->err) != 0) {
        return TAKE_FAILED;
    }
    bool found = zones.list.count != 0;
    if (found) {
        operation->result.zone = zones.list.items[0];
        zones.list.items[0] = (struct route53_zone){0};
    } else {
        error_set(&operation->err, ERROR_INVALID, "the answer holds no zone");
    }
    route53_zones_release(&zones);
    return found ? TAKE_ENDED : TAKE_FAILED;
}

struct route53_operation *route53_get_zone(struct route53_session *session, const char *zone_id,
                                           route53_done *done, void *context)
{
    struct route53_operation *operation = operation_new(session, "GetHostedZone", done, context);
    operation->path = path_of("hostedzone", zone_id, "");
    operation->take = take_zone;
    ask_after(operation, 0);
    return operation;
}

static enum outcome take_change_info(struct route53_operation *operation, struct span answer)
{
    free(operation->result.change.id);
    operation->result.change.id = NULL;
    if (route53_change_info_from_xml(answer, &operation->result.change, &operation->err) != 0) {
        return TAKE_FAILED;
    }
    bool polls = operation->interval_ms != 0;
    return polls && !operation->result.change.is_insync ? TAKE_ASK_ON : TAKE_ENDED;
}

struct route53_operation *route53_change(struct route53_session *session, const char *zone_id,
                                         const struct route53_batch *batch, route53_done *done,
                                         void *context)
{
    struct route53_operation *operation =
        operation_new(session, "ChangeResourceRecordSets", done, context);
    operation->method = "POST";
    operation->path = path_of("hostedzone", zone_id, "/rrset/");
    operation->take = take_change_info;
    operation->is_change = true;
    route53_batch_to_xml(batch, &operation->body);
    ask_after(operation, 0);
    return operation;
}

struct route53_operation *route53_wait_insync(struct route53_session *session,
                                              const char *change_id, int64_t interval_ms,
                                              int64_t timeout_ms, route53_done *done, void *context)
{
    struct route53_operation *operation = operation_new(session, "GetChange", done, context);
    operation->path = path_of("change", change_id, "");
    operation->take = take_change_info;
    operation->interval_ms = interval_ms > 0 ? interval_ms : 1;
    operation->deadline_ns = clock_monotonic_ns() + timeout_ms * CLOCK_NS_PER_MS;
    ask_after(operation, 0);
    return operation;
}

void route53_cancel(struct route53_operation *operation)
{
    if (operation->ended || error_is_set(&operation->err)) {
        return;
    }
    error_set(&operation->err, ERROR_CANCELLED, "route53 %s was cancelled", operation->name);
    if (operation->call != NULL) {
        api_call_cancel(operation->call);
    } else {
        operation_end(operation);
    }
}
