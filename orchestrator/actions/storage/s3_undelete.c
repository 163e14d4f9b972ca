/* s3.undelete: what was deleted in a bucket with versions comes back. First the whole listing, page
 * by page, becomes a manifest; then the manifest is carried out, a thousand markers to a request.
 * How far that is, is remembered, so that an interruption costs one batch. */
#include <stdlib.h>
#include <string.h>

#include "actions/action.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/random.h"
#include "storage/s3_manifest.h"

enum { ROUNDS = 6, SHOWN_KEYS = 20 };

static const struct parameter parameters[] = {
    {.name = "bucket",
     .type = VALUE_STRING,
     .required = true,
     .exposed = true,
     .doc = "The bucket; it must have versions"},
    {.name = "keys",
     .type = VALUE_STRINGS,
     .exposed = true,
     .one_of = "scope",
     .doc = "These objects"},
    {.name = "prefix",
     .type = VALUE_STRING,
     .exposed = true,
     .one_of = "scope",
     .doc = "All objects whose key begins like this"},
    {.name = "whole_bucket", .type = VALUE_BOOLEAN, .one_of = "scope", .doc = "true: all objects"},
    {.name = "since",
     .type = VALUE_TIMESTAMP,
     .exposed = true,
     .doc = "Only deletions after this moment are undone; without it, whatever is deleted now "
            "comes back"},
    {.name = "overwritten",
     .type = VALUE_BOOLEAN,
     .default_json = "false",
     .doc = "Objects that were written over after `since` get the content of that moment again, "
            "as a new version"},
    {.name = "region",
     .type = VALUE_REGION,
     .exposed = true,
     .doc = "The bucket's region; AWS_REGION of the step's env otherwise"},
    {.name = "profile", .type = VALUE_STRING, .exposed = true, .doc = "AWS profile"},
    {0}};

static const struct output outputs[] = {
    {.name = "manifest", .type = VALUE_PATH, .doc = "What was done, one JSON line for each object"},
    {.name = "keys", .type = VALUE_INTEGER, .doc = "How many keys were looked at"},
    {.name = "undeleted", .type = VALUE_INTEGER, .doc = "How many delete markers were removed"},
    {.name = "copied", .type = VALUE_INTEGER, .doc = "How many versions were copied back"},
    {.name = "bytes", .type = VALUE_INTEGER, .doc = "Size of what came back"},
    {.name = "requests", .type = VALUE_INTEGER, .doc = "How many requests S3 was sent"},
    {0}};

/* --- the manifest ---------------------------------------------------------------------------- */

struct gathering {
    struct attempt *attempt;
    struct s3_client *s3;
    struct s3_goal goal;
    struct s3_manifest_writer *writer;
    VECTOR(struct s3_version)
    entries;              /* of the key that is being read; owned */
    const char *only_key; /* NULL: any */
    size_t shown;
};

static void forget_entries(struct gathering *gathering)
{
    vector_each (struct s3_version *, entry, &gathering->entries) {
        s3_version_release(entry);
    }
    gathering->entries.count = 0;
}

static void show_key(struct gathering *gathering, const char *what)
{
    if (gathering->shown++ < SHOWN_KEYS) {
        attempt_say(gathering->attempt, "%s %s", what, gathering->entries.items[0].key);
    } else if (gathering->shown == SHOWN_KEYS + 1) {
        attempt_say(gathering->attempt, "… all of them are in the manifest");
    }
}

/* Judges the key whose entries are complete. */
static int finish_key(struct gathering *gathering, struct error *err)
{
    if (gathering->entries.count == 0) {
        return 0;
    }
    struct s3_verdict verdict =
        s3_judge(gathering->entries.items, gathering->entries.count, &gathering->goal);
    gathering->writer->counts.keys++;
    int status = 0;
    if (verdict.too_large) {
        status = error_set(err, ERROR_REFUSED,
                           "%s is larger than %d GiB and cannot be copied back by one request",
                           gathering->entries.items[0].key, S3_COPY_LIMIT_GIB);
        error_hint(err, "copy it by hand, in parts, or leave it out");
    } else if (verdict.markers > 0 || verdict.copy != SIZE_MAX) {
        show_key(gathering, verdict.copy != SIZE_MAX ? "old content of" : "undelete");
        status = s3_manifest_add(gathering->writer, gathering->entries.items, &verdict, err);
    }
    forget_entries(gathering);
    return status;
}

/* Takes an entry over. *ret_beyond: its key lies behind the only one that is wanted. */
static int take_entry(struct gathering *gathering, struct s3_version *entry, bool *ret_beyond,
                      struct error *err)
{
    if (gathering->only_key != NULL && strcmp(entry->key, gathering->only_key) != 0) {
        *ret_beyond = true;
        return 0;
    }
    bool same =
        gathering->entries.count > 0 && strcmp(gathering->entries.items[0].key, entry->key) == 0;
    if (!same && finish_key(gathering, err) != 0) {
        return -1;
    }
    vector_push(&gathering->entries, *entry);
    *entry = (struct s3_version){0};
    return 0;
}

static int take_page(struct gathering *gathering, struct s3_page *page, bool *ret_beyond,
                     struct error *err)
{
    vector_each (struct s3_version *, entry, &page->items) {
        if (take_entry(gathering, entry, ret_beyond, err) != 0) {
            return -1;
        }
        if (*ret_beyond) {
            break;
        }
    }
    return 0;
}

/* All pages below a prefix. */
static int gather(struct gathering *gathering, const char *prefix, struct error *err)
{
    struct s3_page page = {0};
    bool beyond = false;
    int status = 0;
    do {
        struct s3_page next = {0};
        status =
            s3_list_versions(gathering->s3, prefix, page.next_key, page.next_version, &next, err);
        s3_page_release(&page);
        page = next;
        if (status == 0) {
            status = take_page(gathering, &page, &beyond, err);
        }
    } while (status == 0 && page.next_key != NULL && !beyond);
    s3_page_release(&page);
    return status == 0 ? finish_key(gathering, err) : -1;
}

static int gather_scope(struct gathering *gathering, struct error *err)
{
    const struct attempt *attempt = gathering->attempt;
    const json_t *keys = attempt_argument(attempt, "keys");
    if (keys == NULL) {
        const char *prefix = attempt_text(attempt, "prefix");
        return gather(gathering, prefix != NULL ? prefix : "", err);
    }
    size_t index;
    json_t *key;
    json_array_foreach (keys, index, key) {
        gathering->only_key = json_string_value(key);
        if (gather(gathering, gathering->only_key, err) != 0) {
            return -1;
        }
    }
    return 0;
}

static int read_goal(const struct attempt *attempt, struct s3_goal *ret_goal, struct error *err)
{
    const char *since = attempt_text(attempt, "since");
    struct s3_goal goal = {INT64_MIN, attempt_flag(attempt, "overwritten")};
    if (since != NULL && clock_parse_rfc3339(since, &goal.since_ns, err) != 0) {
        return error_context(err, "`since`");
    }
    if (since == NULL && goal.overwritten) {
        return error_set(err, ERROR_INVALID,
                         "`overwritten` needs `since`, the moment whose content "
                         "is wanted");
    }
    if (attempt_argument(attempt, "whole_bucket") != NULL &&
        !attempt_flag(attempt, "whole_bucket")) {
        return error_set(err, ERROR_INVALID, "`whole_bucket: false` leaves nothing to undelete");
    }
    *ret_goal = goal;
    return 0;
}

static int require_versions(struct s3_client *s3, struct error *err)
{
    CLEANUP(memory_cleanup) char *status = NULL;
    if (s3_get_versioning(s3, &status, err) != 0) {
        return -1;
    }
    if (status == NULL || status[0] == '\0') {
        error_set(err, ERROR_REFUSED, "%s has never had versions: what was deleted there is gone",
                  s3->bucket);
        return error_hint(err, "look for a backup or a replica of it");
    }
    return 0;
}

static int write_manifest(struct attempt *attempt, struct s3_client *s3, const char *path,
                          struct s3_counts *ret_counts, struct error *err)
{
    struct s3_manifest_writer writer = {0};
    struct gathering gathering = {.attempt = attempt, .s3 = s3, .writer = &writer};
    if (read_goal(attempt, &gathering.goal, err) != 0 || require_versions(s3, err) != 0 ||
        s3_manifest_open(path, &writer, err) != 0) {
        return -1;
    }
    int status = gather_scope(&gathering, err);
    forget_entries(&gathering);
    vector_release(&gathering.entries);
    if (status == 0) {
        status = s3_manifest_finish(&writer, err);
    }
    *ret_counts = writer.counts;
    s3_manifest_release(&writer);
    return status;
}

/* --- carrying it out ------------------------------------------------------------------------- */

struct batch {
    VECTOR(json_t *)
    lines;
    bool is_copy;
};

static void batch_clear(struct batch *batch)
{
    vector_each (json_t **, line, &batch->lines) {
        json_decref(*line);
    }
    batch->lines.count = 0;
}

struct carrying {
    struct attempt *attempt;
    struct s3_client *s3;
    struct s3_manifest_reader reader;
    struct batch batch;
    size_t done;     /* lines of the manifest that are done for certain */
    bool look_first; /* the first copies may have been made by an earlier life */
};

static struct s3_object_version version_of(const json_t *line)
{
    return (struct s3_object_version){json_get_text(line, "key"), json_get_text(line, "version"),
                                      json_get_text(line, "etag"), json_get_text(line, "class")};
}

/* Markers that the service could not remove this time are tried again, a little later. */
static int unmark(struct carrying *carrying, struct s3_object_version *versions, size_t count,
                  struct error *err)
{
    for (unsigned round = 0; count > 0; round++) {
        struct s3_indices failed = {0};
        int status = s3_delete_versions(carrying->s3, versions, count, &failed, err);
        size_t left = failed.list.count;
        for (size_t i = 0; i < left; i++) {
            versions[i] = versions[failed.list.items[i]];
        }
        vector_release(&failed.list);
        if (status != 0) {
            return -1;
        }
        count = left;
        if (count > 0 && round + 1 == ROUNDS) {
            return error_set(err, ERROR_THROTTLED, "S3 does not get to removing %zu markers",
                             count);
        }
        int64_t pause_ms = INT64_C(500) << round;
        if (count > 0 && attempt_sleep(carrying->attempt, pause_ms, err) != 0) {
            return -1;
        }
    }
    return 0;
}

static int run_batch(struct carrying *carrying, struct error *err)
{
    struct batch *batch = &carrying->batch;
    size_t count = batch->lines.count;
    if (count == 0) {
        return 0;
    }
    struct s3_object_version *versions = memory_new(count, sizeof *versions);
    for (size_t i = 0; i < count; i++) {
        versions[i] = version_of(batch->lines.items[i]);
    }
    int status = batch->is_copy
                     ? s3_copy_back(carrying->s3, versions, count, carrying->look_first, err)
                     : unmark(carrying, versions, count, err);
    free(versions);
    if (status != 0) {
        return -1;
    }
    carrying->look_first = carrying->look_first && !batch->is_copy;
    carrying->done += count;
    batch_clear(batch);
    return attempt_remember(carrying->attempt, "done", json_integer((json_int_t)carrying->done),
                            err);
}

static int add_to_batch(struct carrying *carrying, json_t *line, struct error *err)
{
    struct batch *batch = &carrying->batch;
    bool is_copy = strcmp(json_get_text(line, "op"), "copy") == 0;
    size_t limit = is_copy ? S3_COPIES_AT_ONCE : S3_DELETE_LIMIT;
    if ((batch->is_copy != is_copy || batch->lines.count >= limit) &&
        run_batch(carrying, err) != 0) {
        json_decref(line);
        return -1;
    }
    batch->is_copy = is_copy;
    vector_push(&batch->lines, line); /* NOLINT(bugprone-sizeof-expression): pointers */
    return 0;
}

/* One pass over the manifest for each kind: the order between them does not matter, since a copy
 * puts its version on top with or without the marker; and so batches are full. */
static int carry_out_kind(struct carrying *carrying, const char *path, const char *op, size_t skip,
                          struct error *err)
{
    if (s3_manifest_read(path, &carrying->reader, err) != 0) {
        return -1;
    }
    struct error failure = ERROR_INIT;
    int status = 0;
    json_t *line;
    while (status == 0 && (line = s3_manifest_next(&carrying->reader, &failure)) != NULL) {
        if (strcmp(json_get_text(line, "op"), op) != 0 || (skip > 0 && skip-- > 0)) {
            json_decref(line);
        } else {
            status = add_to_batch(carrying, line, &failure);
        }
    }
    if (status == 0 && !error_is_set(&failure)) {
        status = run_batch(carrying, &failure);
    }
    s3_manifest_close(&carrying->reader);
    if (error_is_set(&failure)) {
        error_move(err, &failure);
        return -1;
    }
    return status;
}

static int carry_out(struct attempt *attempt, struct s3_client *s3, const char *path,
                     const struct s3_counts *counts, struct error *err)
{
    CLEANUP(json_cleanup) json_t *known = attempt_recall(attempt, "done");
    size_t done = json_is_integer(known) ? (size_t)json_integer_value(known) : 0;
    struct carrying carrying = {
        .attempt = attempt, .s3 = s3, .done = done, .look_first = attempt_is_resumed(attempt)};
    size_t unmarked = done < counts->unmark ? done : counts->unmark;
    int status = carry_out_kind(&carrying, path, "unmark", unmarked, err);
    if (status == 0) {
        status = carry_out_kind(&carrying, path, "copy", done - unmarked, err);
    }
    batch_clear(&carrying.batch);
    vector_release(&carrying.batch.lines);
    return status;
}

/* --- the action ------------------------------------------------------------------------------ */

static json_t *counts_to_json(const struct s3_counts *counts, const char *path)
{
    return json_pack("{s:s, s:I, s:I, s:I, s:I}", "path", path, "keys", (json_int_t)counts->keys,
                     "unmark", (json_int_t)counts->unmark, "copy", (json_int_t)counts->copy,
                     "bytes", (json_int_t)counts->bytes);
}

static void counts_from_json(const json_t *value, struct s3_counts *counts)
{
    *counts = (struct s3_counts){
        .keys = (size_t)json_get_integer(value, "keys", 0),
        .unmark = (size_t)json_get_integer(value, "unmark", 0),
        .copy = (size_t)json_get_integer(value, "copy", 0),
        .bytes = json_get_integer(value, "bytes", 0),
    };
}

/* Writes the manifest, or takes the one that an earlier life of this attempt has written. */
static int have_manifest(struct attempt *attempt, struct s3_client *s3, const char *path,
                         struct s3_counts *ret_counts, struct error *err)
{
    CLEANUP(json_cleanup) json_t *known = attempt_recall(attempt, "manifest");
    if (known != NULL && file_exists(path)) {
        counts_from_json(known, ret_counts);
        attempt_say(attempt, "going on with the manifest");
        return 0;
    }
    if (write_manifest(attempt, s3, path, ret_counts, err) != 0) {
        return -1;
    }
    attempt_say(attempt, "%zu keys: %zu delete markers to remove, %zu versions to copy back",
                ret_counts->keys, ret_counts->unmark, ret_counts->copy);
    return attempt_is_dry_run(attempt)
               ? 0
               : attempt_remember(attempt, "manifest", counts_to_json(ret_counts, path), err);
}

static void report(struct attempt *attempt, const struct s3_client *s3,
                   const struct s3_counts *counts, const char *path)
{
    attempt_set_output_text(attempt, "manifest", path);
    attempt_set_output(attempt, "keys", json_integer((json_int_t)counts->keys));
    attempt_set_output(attempt, "undeleted", json_integer((json_int_t)counts->unmark));
    attempt_set_output(attempt, "copied", json_integer((json_int_t)counts->copy));
    attempt_set_output(attempt, "bytes", json_integer((json_int_t)counts->bytes));
    attempt_set_output(attempt, "requests", json_integer((json_int_t)s3->requests));
    json_t *fact = counts_to_json(counts, path);
    json_object_set_new(fact, "bucket", json_string(s3->bucket));
    json_object_set_new(fact, "requests", json_integer((json_int_t)s3->requests));
    attempt_fact(attempt, "s3.undelete", fact);
}

static int run(struct attempt *attempt, struct error *err)
{
    CLEANUP(net_session_cleanup) struct net_session *session = NULL;
    CLEANUP(memory_cleanup)
    char *path = file_join(attempt_directory(attempt), "manifest.jsonl");
    if (net_session_open_aws(attempt, attempt_text(attempt, "profile"),
                             attempt_text(attempt, "region"), &session, err) != 0) {
        return -1;
    }
    struct s3_client s3 = {.session = session, .bucket = attempt_text(attempt, "bucket")};
    struct s3_counts counts = {0};
    if (have_manifest(attempt, &s3, path, &counts, err) != 0) {
        return -1;
    }
    if (!attempt_is_dry_run(attempt) && carry_out(attempt, &s3, path, &counts, err) != 0) {
        return -1;
    }
    report(attempt, &s3, &counts, path);
    return 0;
}

const struct action action_s3_undelete = {
    .description =
        {
            .name = "s3.undelete",
            .summary = "Bring back what was deleted or written over in a bucket with versions",
            .doc = "A manifest of everything that will be done is written first. Nothing that was "
                   "not deleted is touched, no version of an object is removed, and a second run "
                   "finds nothing to do.",
            .parameters = parameters,
            .outputs = outputs,
            .mutates = true,
        },
    .run = run,
    .interrupted = "It goes on with the manifest that was written, behind the last batch that is "
                   "known to be done. Removing a marker twice does nothing; a copy is looked for "
                   "before it is made again.",
    .shows_dry_run = true,
};
