/* route53.change: the step that moves traffic. It looks first, shows the difference, remembers what
 * was there, sends one batch that takes effect as a whole, and waits until all of Route 53's
 * servers have it.
 *
 * Before anything is sent, {zone, before, batch} is remembered; it is written once, so that a
 * resume or a repeated try never takes the middle of its own work for what was there before. After
 * a request whose answer was lost the zone is listed again, and only what is missing is sent. */
#include <stdlib.h>
#include <string.h>

#include "actions/action.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "network/route53_records.h"
#include "network/route53_session.h"

enum {
    FILE_LIMIT_BYTES = 4 * 1024 * 1024, /* 1,000 records with 32,000 characters are a tenth of it */
    INTERVAL_MS = 2000,
    INSYNC_TIMEOUT_MS = 10 * 60 * 1000, /* usually within a minute */
    TRIES = 4,                          /* of a batch whose answer was lost */
};

static const struct parameter parameters[] = {
    {.name = "zone",
     .type = VALUE_STRING,
     .exposed = true,
     .one_of = "zone",
     .doc = "Name of the hosted zone, such as example.com"},
    {.name = "zone_id",
     .type = VALUE_STRING,
     .exposed = true,
     .one_of = "zone",
     .doc = "Its id, where several zones share a name"},
    {.name = "private",
     .type = VALUE_BOOLEAN,
     .default_json = "false",
     .doc = "Whether the private zone of that name is meant"},
    {.name = "records",
     .type = VALUE_LIST,
     .exposed = true,
     .one_of = "records",
     .doc = "Records as they shall be: {name, type, ttl, values} or {name, type, alias: {name, "
            "zone_id}}, with set_identifier, weight, failover …; state: absent takes one away"},
    {.name = "for",
     .type = VALUE_STRING,
     .exposed = true,
     .doc =
         "Where a record's values are a map, such as by region: the key of those that are meant; "
         "`alias: true` then makes them the name of another record of the zone"},
    {.name = "changes",
     .type = VALUE_MAP,
     .exposed = true,
     .one_of = "records",
     .doc = "A change batch in the form of the AWS CLI: {Changes: [{Action, ResourceRecordSet}]}"},
    {.name = "file",
     .type = VALUE_PATH,
     .exposed = true,
     .one_of = "records",
     .doc = "A file with such a change batch as JSON"},
    {.name = "comment", .type = VALUE_STRING, .exposed = true, .doc = "Kept by Route 53"},
    {.name = "wait",
     .type = VALUE_BOOLEAN,
     .default_json = "true",
     .doc = "Whether to wait until the change is INSYNC"},
    {.name = "interval",
     .type = VALUE_DURATION,
     .default_json = "\"2s\"",
     .doc = "Between two questions whether it is"},
    {.name = "insync_timeout",
     .type = VALUE_DURATION,
     .default_json = "\"10m\"",
     .doc = "How long to wait for that"},
    {.name = "rate",
     .type = VALUE_INTEGER,
     .default_json = "5",
     .doc = "Requests a second at most; the account shares its limit"},
    {.name = "profile", .type = VALUE_STRING, .exposed = true, .doc = "AWS profile"},
    {.name = "region",
     .type = VALUE_REGION,
     .exposed = true,
     .doc = "Region for STS and to tell the partition; Route 53 itself is global"},
    {0}};

static const struct output outputs[] = {
    {.name = "zone_id", .type = VALUE_STRING, .doc = "The zone's id"},
    {.name = "change_id",
     .type = VALUE_STRING,
     .doc = "Route 53's id of the change; null when nothing had to be changed"},
    {.name = "changed", .type = VALUE_INTEGER, .doc = "How many record sets were changed"},
    {.name = "before",
     .type = VALUE_LIST,
     .doc = "The record sets as they were, in the CLI's form"},
    {.name = "diff", .type = VALUE_STRING, .doc = "The difference, one line for each record set"},
    {0}};

struct work {
    struct attempt *attempt;
    struct route53_calls calls;
    struct route53_zone zone;
    struct route53_batch wanted;
    char *change_id; /* of the last batch that was sent; NULL: none */
    size_t changed;
};

/* --- what is wanted ------------------------------------------------------------------------- */

static int read_file(struct attempt *attempt, const char *path, struct route53_batch *ret_batch,
                     struct error *err)
{
    CLEANUP(memory_cleanup) char *whole = attempt_plan_path(attempt, path);
    CLEANUP(json_cleanup) json_t *document = json_read_file(whole, FILE_LIMIT_BYTES, err);
    if (document == NULL) {
        return -1;
    }
    return route53_batch_from_json(document, ret_batch, err) == 0 ? 0
                                                                  : error_context(err, "%s", path);
}

static int read_wanted(struct work *work, struct error *err)
{
    struct attempt *attempt = work->attempt;
    const json_t *records = attempt_argument(attempt, "records");
    const json_t *changes = attempt_argument(attempt, "changes");
    const char *comment = attempt_text(attempt, "comment");
    int status;
    const char *key = attempt_text(attempt, "for");
    if (records != NULL) {
        CLEANUP(json_cleanup)
        json_t *chosen = key != NULL ? route53_records_for(records, key, work->zone.id, err)
                                     : json_incref((json_t *)(uintptr_t)records);
        status = chosen == NULL
                     ? -1
                     : route53_records_to_batch(chosen, work->zone.name, &work->wanted, err);
    } else if (changes != NULL) {
        status = route53_batch_from_json(changes, &work->wanted, err);
        status = status == 0 ? 0 : error_context(err, "changes");
    } else {
        status = read_file(attempt, attempt_text(attempt, "file"), &work->wanted, err);
    }
    if (status != 0 || route53_records_check_zone(&work->wanted, work->zone.name, err) != 0) {
        return -1;
    }
    if (comment != NULL) {
        free(work->wanted.comment);
        work->wanted.comment = memory_text(comment);
    }
    return 0;
}

static int find_zone(struct work *work, struct error *err)
{
    const char *id = attempt_text(work->attempt, "zone_id");
    enum route53_zone_kind kind =
        attempt_flag(work->attempt, "private") ? ROUTE53_PRIVATE : ROUTE53_PUBLIC;
    return id != NULL ? route53_calls_get_zone(&work->calls, id, &work->zone, err)
                      : route53_calls_find_zone(&work->calls, attempt_text(work->attempt, "zone"),
                                                kind, &work->zone, err);
}

/* --- what is remembered --------------------------------------------------------------------- */

static int remember_before(struct work *work, const struct route53_sets *present,
                           const struct route53_batch *batch, struct error *err)
{
    CLEANUP(json_cleanup) json_t *known = attempt_recall(work->attempt, "change");
    if (known != NULL) {
        return 0;
    }
    struct route53_sets before;
    route53_touched(present, batch, &before);
    json_t *value = json_object();
    json_object_set_new(value, "zone_id", json_string(work->zone.id));
    json_object_set_new(value, "zone", json_string(work->zone.name));
    json_object_set_new(value, "before", route53_sets_to_json(&before));
    json_object_set_new(value, "batch", route53_batch_to_json(batch));
    route53_sets_release(&before);
    return attempt_remember(work->attempt, "change", value, err);
}

static int remember_sent(struct work *work, struct error *err)
{
    return attempt_remember(work->attempt, "sent", json_string(work->change_id), err);
}

/* --- doing it ------------------------------------------------------------------------------- */

static void show(struct work *work, const struct route53_sets *present,
                 const struct route53_batch *needed, bool as_output)
{
    CLEANUP(buffer_release) struct buffer diff = BUFFER_INIT;
    route53_show(present, needed, &diff);
    if (needed->changes.count == 0) {
        attempt_say(work->attempt, "%s: nothing to change, all records are as wanted",
                    work->zone.name);
    } else {
        attempt_say(work->attempt, "%s (%s):", work->zone.name, work->zone.id);
        attempt_say_block(work->attempt, buffer_span(&diff));
    }
    if (as_output) {
        attempt_set_output_text(work->attempt, "diff", buffer_text(&diff));
    }
}

static int send_batch(struct work *work, const struct route53_batch *batch, struct error *err)
{
    free(work->change_id);
    work->change_id = NULL;
    if (route53_calls_change(&work->calls, work->zone.id, batch, &work->change_id, err) != 0) {
        return -1;
    }
    work->changed += batch->changes.count;
    attempt_say(work->attempt, "sent: change %s", work->change_id);
    return remember_sent(work, err);
}

/* Lists, shows and sends once. *ret_again is set when the answer was lost, so that it has to be
 * looked at again. */
static int change_once(struct work *work, bool first, bool *ret_again, struct error *err)
{
    struct route53_sets present = {0};
    struct route53_batch needed = {0};
    struct error own = ERROR_INIT;
    int status = route53_calls_list(&work->calls, work->zone.id, &present, err);
    if (status == 0) {
        status = route53_needed(&present, &work->wanted, &needed, err);
    }
    if (status == 0) {
        show(work, &present, &needed, first);
        status = route53_check_limits(&needed, err);
    }
    *ret_again = false;
    if (status == 0 && needed.changes.count != 0 && !attempt_is_dry_run(work->attempt)) {
        status = remember_before(work, &present, &needed, err);
        if (status == 0 && send_batch(work, &needed, &own) != 0) {
            *ret_again = own.code == ERROR_UNKNOWN;
            attempt_say(work->attempt, "%s", own.message);
            error_move(err, &own);
            status = -1;
        }
    }
    error_release(&own);
    route53_batch_release(&needed);
    route53_sets_release(&present);
    return status;
}

static int change(struct work *work, struct error *err)
{
    bool again = true;
    int status = -1;
    for (unsigned i = 0; i < TRIES && again; i++) {
        error_release(err);
        if (i != 0) {
            attempt_say(work->attempt, "the answer was lost: looking at what is there");
        }
        status = change_once(work, i == 0, &again, err);
    }
    return status;
}

static int wait_insync(struct work *work, struct error *err)
{
    struct attempt *attempt = work->attempt;
    CLEANUP(json_cleanup) json_t *sent = attempt_recall(attempt, "sent");
    const char *id = json_string_value(sent);
    if (id == NULL || !attempt_flag(attempt, "wait")) {
        return 0;
    }
    int64_t started_ns = clock_monotonic_ns();
    if (route53_calls_wait(&work->calls, id, attempt_duration_ms(attempt, "interval", INTERVAL_MS),
                           attempt_duration_ms(attempt, "insync_timeout", INSYNC_TIMEOUT_MS),
                           err) != 0) {
        return error_context(err, "waiting for change %s to be INSYNC", id);
    }
    CLEANUP(memory_cleanup)
    char *took = clock_format_duration((clock_monotonic_ns() - started_ns) / CLOCK_NS_PER_MS);
    attempt_say(attempt, "INSYNC after %s", took);
    return 0;
}

static void report(struct work *work)
{
    struct attempt *attempt = work->attempt;
    CLEANUP(json_cleanup) json_t *known = attempt_recall(attempt, "change");
    CLEANUP(json_cleanup) json_t *sent = attempt_recall(attempt, "sent");
    json_t *before = json_object_get(known, "before");
    const json_t *batch = json_object_get(known, "batch");
    size_t changed = json_array_size(json_object_get(batch, "Changes"));
    attempt_set_output_text(attempt, "zone_id", work->zone.id);
    attempt_set_output(attempt, "change_id", sent != NULL ? json_incref(sent) : json_null());
    attempt_set_output(attempt, "changed", json_integer((json_int_t)changed));
    attempt_set_output(attempt, "before", before != NULL ? json_incref(before) : json_array());
    if (known != NULL) {
        attempt_fact(attempt, "dns.change", json_incref(known));
    }
}

static void work_release(struct work *work)
{
    route53_zone_release(&work->zone);
    route53_batch_release(&work->wanted);
    free(work->change_id);
}

static int run(struct attempt *attempt, struct error *err)
{
    struct work work = {.attempt = attempt};
    CLEANUP(net_session_cleanup) struct net_session *session = NULL;
    if (net_session_open_aws(attempt, attempt_text(attempt, "profile"),
                             attempt_text(attempt, "region"), &session, err) != 0) {
        return -1;
    }
    route53_calls_init(&work.calls, session, attempt_integer(attempt, "rate", 0));
    int status = find_zone(&work, err);
    status = status == 0 ? read_wanted(&work, err) : status;
    status = status == 0 ? change(&work, err) : status;
    if (status == 0 && !attempt_is_dry_run(attempt)) {
        status = wait_insync(&work, err);
    }
    if (status == 0) {
        report(&work);
    }
    work_release(&work);
    return status;
}

/* --- undoing it ----------------------------------------------------------------------------- */

static int undo_once(struct work *work, const json_t *known, bool *ret_again, struct error *err)
{
    struct route53_sets present = {0};
    struct route53_sets before = {0};
    struct route53_batch done = {0};
    struct route53_batch back = {0};
    int status = route53_sets_from_json(json_object_get(known, "before"), &before, err);
    if (status == 0) {
        status = route53_batch_from_json(json_object_get(known, "batch"), &done, err);
    }
    if (status == 0) {
        status = route53_calls_list(&work->calls, work->zone.id, &present, err);
    }
    if (status == 0) {
        status = route53_restoring(&present, &done, &before, &back, err);
    }
    *ret_again = false;
    if (status == 0) {
        show(work, &present, &back, false);
    }
    if (status == 0 && back.changes.count != 0 && !attempt_is_dry_run(work->attempt)) {
        status = send_batch(work, &back, err);
        *ret_again = status != 0 && err->code == ERROR_UNKNOWN;
    }
    route53_batch_release(&back);
    route53_batch_release(&done);
    route53_sets_release(&before);
    route53_sets_release(&present);
    return status;
}

static int undo_known(struct work *work, const json_t *known, struct error *err)
{
    work->zone.id = memory_text(json_get_text(known, "zone_id"));
    work->zone.name = memory_text(json_get_text(known, "zone"));
    bool again = true;
    int status = -1;
    for (unsigned i = 0; i < TRIES && again; i++) {
        error_release(err);
        status = undo_once(work, known, &again, err);
    }
    if (status == 0 && work->change_id != NULL) {
        status = wait_insync(work, err);
    }
    return status;
}

static int undo(struct attempt *attempt, struct error *err)
{
    struct work work = {.attempt = attempt};
    CLEANUP(json_cleanup) json_t *known = attempt_recall(attempt, "change");
    CLEANUP(net_session_cleanup) struct net_session *session = NULL;
    if (known == NULL) {
        attempt_say(attempt, "no record was changed");
        return 0;
    }
    if (net_session_open_aws(attempt, attempt_text(attempt, "profile"),
                             attempt_text(attempt, "region"), &session, err) != 0) {
        return -1;
    }
    route53_calls_init(&work.calls, session, attempt_integer(attempt, "rate", 0));
    int status = undo_known(&work, known, err);
    work_release(&work);
    return status;
}

const struct action action_route53_change = {
    .description =
        {
            .name = "route53.change",
            .summary = "Change DNS records in Route 53, as one batch",
            .doc = "Lists what is there, shows the difference, sends what is missing as one batch "
                   "that takes effect as a whole, and waits until it is INSYNC. A record that is "
                   "to be deleted or created and is there with other content is left alone.",
            .parameters = parameters,
            .outputs = outputs,
            .mutates = true,
        },
    .run = run,
    .undo = undo,
    .interrupted = "The zone is listed again and only what is missing is sent; what was there "
                   "before is known from the first look.",
    .shows_dry_run = true,
};
