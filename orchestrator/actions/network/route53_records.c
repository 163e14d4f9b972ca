/* A plan says `values: [192.0.2.1]` where the CLI wants [{"Value": "192.0.2.1"}]. The short form is
 * turned into the CLI's and read by the same code, so that both are checked alike. */
#include "network/route53_records.h"

#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/nearest.h"

static const struct {
    const char *word;
    const char *member;
} words[] = {
    {"name", "Name"},
    {"type", "Type"},
    {"ttl", "TTL"},
    {"set_identifier", "SetIdentifier"},
    {"weight", "Weight"},
    {"region", "Region"},
    {"failover", "Failover"},
    {"health_check_id", "HealthCheckId"},
    {"multi_value", "MultiValueAnswer"},
    {"geo", "GeoLocation"},
    {"values", "ResourceRecords"},
    {"alias", "AliasTarget"},
    {"state", NULL},
};

static const char *member_of(const char *word, struct nearest *nearest)
{
    nearest_init(nearest, word);
    for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
        if (strcmp(words[i].word, word) == 0) {
            return words[i].member != NULL ? words[i].member : "";
        }
        nearest_offer(nearest, words[i].word);
    }
    return NULL;
}

static json_t *long_values(const json_t *values)
{
    json_t *list = json_array();
    size_t i;
    json_t *value;
    if (json_is_string(values)) {
        json_array_append_new(list, json_pack("{sO}", "Value", values));
    }
    json_array_foreach (values, i, value) {
        json_array_append_new(list, json_pack("{sO}", "Value", value));
    }
    return list;
}

static json_t *long_alias(const json_t *alias)
{
    json_t *target = json_object();
    const json_t *evaluate = json_object_get(alias, "evaluate_target_health");
    json_object_set(target, "DNSName", json_object_get(alias, "name"));
    json_object_set(target, "HostedZoneId", json_object_get(alias, "zone_id"));
    json_object_set_new(target, "EvaluateTargetHealth",
                        json_boolean(evaluate == NULL || json_is_true(evaluate)));
    return target;
}

static bool lies_in(const char *name, const char *zone_name)
{
    size_t name_size = strlen(name);
    size_t zone_size = strlen(zone_name);
    return name_size >= zone_size && strcmp(name + name_size - zone_size, zone_name) == 0 &&
           (name_size == zone_size || name[name_size - zone_size - 1] == '.');
}

/* "www" in example.com. is "www.example.com."; "@" is the zone itself. */
static json_t *whole_name(const json_t *name, const char *zone_name)
{
    const char *text = json_string_value(name);
    if (text == NULL || zone_name == NULL) {
        return json_incref((json_t *)(uintptr_t)name);
    }
    if (strcmp(text, "@") == 0) {
        return json_string(zone_name);
    }
    CLEANUP(memory_cleanup) char *normal = route53_normal_name(text);
    if (lies_in(normal, zone_name) || text[strlen(text) - 1] == '.') {
        return json_string(text);
    }
    CLEANUP(memory_cleanup) char *joined = memory_format("%s%s", normal, zone_name);
    return json_string(joined);
}

static json_t *long_value(const char *member, const json_t *value, const char *zone_name)
{
    if (strcmp(member, "Name") == 0) {
        return whole_name(value, zone_name);
    }
    if (strcmp(member, "ResourceRecords") == 0) {
        return long_values(value);
    }
    if (strcmp(member, "AliasTarget") == 0) {
        return long_alias(value);
    }
    return json_incref((json_t *)(uintptr_t)value);
}

/* The record set in the CLI's form, NULL when a word is not known. */
static json_t *long_form(const json_t *record, const char *zone_name, struct error *err)
{
    json_t *set = json_object();
    const char *word;
    json_t *value;
    json_object_foreach ((json_t *)(uintptr_t)record, word, value) {
        struct nearest nearest;
        const char *member = member_of(word, &nearest);
        if (member == NULL) {
            error_set(err, ERROR_INVALID, "\"%s\" is no part of a record", word);
            if (nearest.best != NULL) {
                error_hint(err, "did you mean \"%s\"?", nearest.best);
            }
            json_decref(set);
            return NULL;
        }
        if (*member != '\0') {
            json_object_set_new(set, member, long_value(member, value, zone_name));
        }
    }
    return set;
}

static int add_record(struct route53_batch *batch, const json_t *record, const char *zone_name,
                      struct error *err)
{
    const char *state = json_get_text(record, "state");
    bool absent = state != NULL && strcmp(state, "absent") == 0;
    if (!json_is_object(record)) {
        return error_set(err, ERROR_INVALID, "a record must be a map");
    }
    if (state != NULL && !absent && strcmp(state, "present") != 0) {
        return error_set(err, ERROR_INVALID, "state must be present or absent");
    }
    CLEANUP(json_cleanup) json_t *set = long_form(record, zone_name, err);
    struct route53_change change = {.action = absent ? ROUTE53_DELETE : ROUTE53_UPSERT};
    if (set == NULL || route53_set_from_json(set, &change.set, err) != 0) {
        return -1;
    }
    vector_push(&batch->changes, change);
    return 0;
}

int route53_records_to_batch(const json_t *records, const char *zone_name,
                             struct route53_batch *ret_batch, struct error *err)
{
    struct route53_batch batch = {0};
    size_t i;
    json_t *record;
    json_array_foreach (records, i, record) {
        if (add_record(&batch, record, zone_name, err) != 0) {
            route53_batch_release(&batch);
            return error_context(err, "records[%zu]", i);
        }
    }
    if (batch.changes.count == 0) {
        return error_set(err, ERROR_INVALID, "there are no records to change");
    }
    *ret_batch = batch;
    return 0;
}

static json_t *record_for(const json_t *record, const char *key, const char *zone_id,
                          struct error *err)
{
    const json_t *values = json_object_get(record, "values");
    json_t *copy = json_copy((json_t *)(uintptr_t)record);
    if (!json_is_object(values)) {
        return copy;
    }
    json_t *value = json_object_get(values, key);
    if (value == NULL) {
        const char *name = json_get_text(record, "name");
        error_set(err, ERROR_INVALID, "the record %s has no values for %s",
                  name != NULL ? name : "without a name", key);
        json_decref(copy);
        return NULL;
    }
    if (json_is_true(json_object_get(record, "alias"))) {
        json_object_del(copy, "values");
        json_object_set_new(copy, "alias",
                            json_pack("{s:O, s:s}", "name", value, "zone_id", zone_id));
    } else {
        json_object_set(copy, "values", value);
    }
    return copy;
}

json_t *route53_records_for(const json_t *records, const char *key, const char *zone_id,
                            struct error *err)
{
    json_t *list = json_array();
    size_t i;
    json_t *record;
    json_array_foreach (records, i, record) {
        json_t *one = record_for(record, key, zone_id, err);
        if (one == NULL) {
            json_decref(list);
            return NULL;
        }
        json_array_append_new(list, one);
    }
    return list;
}

int route53_records_check_zone(const struct route53_batch *batch, const char *zone_name,
                               struct error *err)
{
    vector_each (struct route53_change *, change, &batch->changes) {
        if (!lies_in(change->set.name, zone_name)) {
            return error_set(err, ERROR_INVALID, "%s does not lie in the zone %s", change->set.name,
                             zone_name);
        }
    }
    return 0;
}
