/* What a batch still has to do, given what is there. An interrupted change is resumed by asking
 * this again: what was done already is not needed any more. */
#include "net/route53.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"

enum { RECORDS_MAX = 1000, VALUE_CHARACTERS_MAX = 32000 };

static bool same_text(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

bool route53_same_key(const struct route53_set *a, const struct route53_set *b)
{
    return same_text(a->name, b->name) && same_text(a->type, b->type) &&
           same_text(a->set_identifier, b->set_identifier);
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool same_values(const struct route53_set *a, const struct route53_set *b)
{
    size_t count = a->values.count;
    if (count != b->values.count) {
        return false;
    }
    char **left = memory_new(count + 1, sizeof *left);
    char **right = memory_new(count + 1, sizeof *right);
    for (size_t i = 0; i < count; i++) {
        left[i] = a->values.items[i];
        right[i] = b->values.items[i];
    }
    qsort(left, count, sizeof *left, compare_texts);
    qsort(right, count, sizeof *right, compare_texts);
    bool same = true;
    for (size_t i = 0; i < count && same; i++) {
        same = strcmp(left[i], right[i]) == 0;
    }
    free(left);
    free(right);
    return same;
}

static bool same_alias(const struct route53_set *a, const struct route53_set *b)
{
    return same_text(a->alias_name, b->alias_name) &&
           same_text(a->alias_zone_id, b->alias_zone_id) &&
           a->alias_evaluates_health == b->alias_evaluates_health;
}

bool route53_equal(const struct route53_set *a, const struct route53_set *b)
{
    return route53_same_key(a, b) && a->weight == b->weight && same_text(a->region, b->region) &&
           same_text(a->continent, b->continent) && same_text(a->country, b->country) &&
           same_text(a->subdivision, b->subdivision) && same_text(a->failover, b->failover) &&
           a->multi_value == b->multi_value && a->ttl_s == b->ttl_s && same_values(a, b) &&
           same_alias(a, b) && same_text(a->health_check_id, b->health_check_id) &&
           same_text(a->cidr_collection, b->cidr_collection) &&
           same_text(a->cidr_location, b->cidr_location) && same_text(a->unknown, b->unknown);
}

const struct route53_set *route53_find(const struct route53_sets *sets,
                                       const struct route53_set *key)
{
    vector_each (struct route53_set *, set, &sets->list) {
        if (route53_same_key(set, key)) {
            return set;
        }
    }
    return NULL;
}

static void add_change(struct route53_batch *batch, enum route53_action action,
                       const struct route53_set *set)
{
    struct route53_change *change = vector_grow(&batch->changes);
    change->action = action;
    route53_set_copy(&change->set, set);
}

static int refuse(const struct route53_set *set, struct error *err, const char *why)
{
    CLEANUP(memory_cleanup) char *name = route53_shown_name(set->name);
    return error_set(err, ERROR_REFUSED, "%s %s%s%s: %s", name, set->type,
                     set->set_identifier != NULL ? " " : "",
                     set->set_identifier != NULL ? set->set_identifier : "", why);
}

/* The last change of a key says how the batch leaves it. */
static size_t last_of_key(const struct route53_batch *batch, size_t index)
{
    size_t last = index;
    for (size_t i = index + 1; i < batch->changes.count; i++) {
        if (route53_same_key(&batch->changes.items[i].set, &batch->changes.items[index].set)) {
            last = i;
        }
    }
    return last;
}

/* Whether an earlier change of the batch takes the set away. */
static bool is_deleted_before(const struct route53_batch *batch, size_t index)
{
    for (size_t i = 0; i < index; i++) {
        const struct route53_change *change = &batch->changes.items[i];
        if (change->action == ROUTE53_DELETE &&
            route53_same_key(&change->set, &batch->changes.items[index].set)) {
            return true;
        }
    }
    return false;
}

static bool is_as_wanted(const struct route53_change *change, const struct route53_set *there)
{
    return change->action == ROUTE53_DELETE ? there == NULL
                                            : there != NULL && route53_equal(there, &change->set);
}

/* One change that is not done yet. `there` may be NULL. */
static int add_needed(struct route53_batch *needed, const struct route53_change *change,
                      const struct route53_set *there, struct error *err)
{
    bool same = there != NULL && route53_equal(there, &change->set);
    if (there != NULL && there->unknown != NULL) {
        return refuse(there, err, "it has a setting that drctl does not know and would lose");
    }
    if (change->action == ROUTE53_DELETE && !same) {
        return there == NULL ? 0
                             : refuse(there, err, "it is to be deleted, but what is there differs");
    }
    if (change->action == ROUTE53_CREATE && there != NULL) {
        return refuse(there, err, "it is to be created, but is there with other content");
    }
    add_change(needed, change->action, &change->set);
    return 0;
}

int route53_needed(const struct route53_sets *present, const struct route53_batch *wanted,
                   struct route53_batch *ret_needed, struct error *err)
{
    struct route53_batch needed = {.comment = memory_text(wanted->comment)};
    for (size_t i = 0; i < wanted->changes.count; i++) {
        const struct route53_change *change = &wanted->changes.items[i];
        const struct route53_set *there = route53_find(present, &change->set);
        if (is_as_wanted(&wanted->changes.items[last_of_key(wanted, i)], there)) {
            continue;
        }
        if (is_deleted_before(wanted, i)) {
            there = NULL;
        }
        if (add_needed(&needed, change, there, err) != 0) {
            route53_batch_release(&needed);
            return -1;
        }
    }
    *ret_needed = needed;
    return 0;
}

void route53_touched(const struct route53_sets *present, const struct route53_batch *batch,
                     struct route53_sets *ret_before)
{
    struct route53_sets before = {0};
    vector_each (struct route53_change *, change, &batch->changes) {
        const struct route53_set *there = route53_find(present, &change->set);
        if (there != NULL && route53_find(&before, &change->set) == NULL) {
            route53_set_copy(vector_grow(&before.list), there);
        }
    }
    *ret_before = before;
}

static int add_restoring(struct route53_batch *batch, const struct route53_change *done,
                         const struct route53_set *there, const struct route53_set *before,
                         struct error *err)
{
    bool was_before =
        there == NULL ? before == NULL : before != NULL && route53_equal(there, before);
    if (was_before) {
        return 0;
    }
    if (!is_as_wanted(done, there)) {
        return refuse(&done->set, err, "somebody has changed it since; it is left as it is");
    }
    if (before != NULL) {
        add_change(batch, ROUTE53_UPSERT, before);
    } else {
        add_change(batch, ROUTE53_DELETE, there);
    }
    return 0;
}

int route53_restoring(const struct route53_sets *present, const struct route53_batch *done,
                      const struct route53_sets *before, struct route53_batch *ret_batch,
                      struct error *err)
{
    struct route53_batch batch = {0};
    for (size_t i = 0; i < done->changes.count; i++) {
        const struct route53_change *change = &done->changes.items[i];
        if (last_of_key(done, i) == i &&
            add_restoring(&batch, change, route53_find(present, &change->set),
                          route53_find(before, &change->set), err) != 0) {
            route53_batch_release(&batch);
            return -1;
        }
    }
    *ret_batch = batch;
    return 0;
}

static size_t count_characters(const char *text)
{
    size_t count = 0;
    for (; *text != '\0'; text++) {
        count += ((unsigned char)*text & 0xC0) != 0x80 ? 1 : 0;
    }
    return count;
}

int route53_check_limits(const struct route53_batch *batch, struct error *err)
{
    size_t records = 0;
    size_t characters = 0;
    vector_each (struct route53_change *, change, &batch->changes) {
        size_t times = change->action == ROUTE53_UPSERT ? 2 : 1;
        records += times * change->set.values.count;
        vector_each (char **, value, &change->set.values) {
            characters += times * count_characters(*value);
        }
    }
    if (records > RECORDS_MAX || characters > VALUE_CHARACTERS_MAX ||
        batch->changes.count > RECORDS_MAX) {
        error_set(err, ERROR_INVALID,
                  "%zu changes with %zu records and %zu characters (UPSERT counts double) exceed "
                  "what Route 53 takes in one batch: %d records, %d characters",
                  batch->changes.count, records, characters, RECORDS_MAX, VALUE_CHARACTERS_MAX);
        return error_hint(err, "split them over several steps");
    }
    return 0;
}

static void show_content(const struct route53_set *set, struct buffer *out)
{
    if (set->alias_name != NULL) {
        buffer_append_format(out, "alias of %s", set->alias_name);
    } else {
        buffer_append_format(out, "%llds", (long long)set->ttl_s);
    }
    for (size_t i = 0; i < set->values.count; i++) {
        buffer_append_format(out, "%s %s", i != 0 ? "," : "", set->values.items[i]);
    }
    if (set->weight >= 0) {
        buffer_append_format(out, " weight %lld", (long long)set->weight);
    }
    if (set->failover != NULL) {
        buffer_append_format(out, " %s", set->failover);
    }
    if (set->health_check_id != NULL) {
        buffer_append_format(out, " health check %s", set->health_check_id);
    }
}

static void show_change(const struct route53_change *change, const struct route53_set *there,
                        struct buffer *out)
{
    CLEANUP(memory_cleanup) char *name = route53_shown_name(change->set.name);
    const char *sign = change->action == ROUTE53_DELETE ? "-" : there == NULL ? "+" : "~";
    buffer_append_format(out, "%s %s %s", sign, name, change->set.type);
    if (change->set.set_identifier != NULL) {
        buffer_append_format(out, " [%s]", change->set.set_identifier);
    }
    buffer_append_text(out, ": ");
    if (there != NULL) {
        show_content(there, out);
    }
    if (change->action != ROUTE53_DELETE) {
        buffer_append_text(out, there != NULL ? " → " : "");
        show_content(&change->set, out);
    }
    buffer_append_char(out, '\n');
}

void route53_show(const struct route53_sets *present, const struct route53_batch *batch,
                  struct buffer *out)
{
    vector_each (struct route53_change *, change, &batch->changes) {
        show_change(change, route53_find(present, &change->set), out);
    }
}
