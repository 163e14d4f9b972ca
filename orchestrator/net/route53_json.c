/* Record sets as the AWS CLI writes them in a change batch, which is also the form in which a run
 * remembers what was there before. A member that is not known is refused: a misspelled "Weigth"
 * would otherwise send all traffic to one side. */
#include "net/route53.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/nearest.h"

static int check_members(const json_t *object, const char *const *known, struct error *err)
{
    const char *key;
    json_t *value;
    json_object_foreach ((json_t *)(uintptr_t)object, key, value) {
        struct nearest nearest;
        nearest_init(&nearest, key);
        size_t i = 0;
        while (known[i] != NULL && strcmp(known[i], key) != 0) {
            nearest_offer(&nearest, known[i++]);
        }
        if (known[i] == NULL) {
            error_set(err, ERROR_INVALID, "unknown member \"%s\"", key);
            return nearest.best != NULL ? error_hint(err, "did you mean \"%s\"?", nearest.best)
                                        : -1;
        }
    }
    return 0;
}

/* A missing member leaves NULL. */
static int take_text(const json_t *object, const char *key, char **ret_text, struct error *err)
{
    const json_t *value = json_object_get(object, key);
    if (value == NULL) {
        return 0;
    }
    if (!json_is_string(value) || json_string_length(value) == 0) {
        return error_set(err, ERROR_INVALID, "%s must be a text", key);
    }
    free(*ret_text);
    *ret_text = memory_text(json_string_value(value));
    return 0;
}

static int take_name(const json_t *object, const char *key, char **ret_name, struct error *err)
{
    CLEANUP(memory_cleanup) char *text = NULL;
    if (take_text(object, key, &text, err) != 0) {
        return -1;
    }
    if (text == NULL) {
        return error_set(err, ERROR_INVALID, "%s is missing", key);
    }
    *ret_name = route53_normal_name(text);
    return 0;
}

static int take_integer(const json_t *object, const char *key, int64_t most, int64_t *ret_number,
                        struct error *err)
{
    const json_t *value = json_object_get(object, key);
    if (value == NULL) {
        return 0;
    }
    if (!json_is_integer(value) || json_integer_value(value) < 0 ||
        json_integer_value(value) > most) {
        return error_set(err, ERROR_INVALID, "%s must be a whole number from 0 to %lld", key,
                         (long long)most);
    }
    *ret_number = json_integer_value(value);
    return 0;
}

static int take_values(const json_t *object, struct route53_set *set, struct error *err)
{
    const json_t *records = json_object_get(object, "ResourceRecords");
    size_t i;
    json_t *record;
    if (records != NULL && !json_is_array(records)) {
        return error_set(err, ERROR_INVALID, "ResourceRecords must be a list");
    }
    json_array_foreach (records, i, record) {
        const char *value = json_get_text(record, "Value");
        if (value == NULL || json_object_size(record) != 1) {
            return error_set(err, ERROR_INVALID, "ResourceRecords[%zu] must be {\"Value\": TEXT}",
                             i);
        }
        vector_push(&set->values, memory_text(value));
    }
    return 0;
}

static int take_alias(const json_t *object, struct route53_set *set, struct error *err)
{
    static const char *const known[] = {"HostedZoneId", "DNSName", "EvaluateTargetHealth", NULL};
    const json_t *alias = json_object_get(object, "AliasTarget");
    if (alias == NULL) {
        return 0;
    }
    const json_t *evaluate = json_object_get(alias, "EvaluateTargetHealth");
    if (check_members(alias, known, err) != 0 ||
        take_name(alias, "DNSName", &set->alias_name, err) != 0 ||
        take_text(alias, "HostedZoneId", &set->alias_zone_id, err) != 0) {
        return error_context(err, "AliasTarget");
    }
    if (set->alias_zone_id == NULL || !json_is_boolean(evaluate)) {
        return error_set(err, ERROR_INVALID,
                         "AliasTarget needs HostedZoneId and EvaluateTargetHealth (true or false)");
    }
    set->alias_evaluates_health = json_is_true(evaluate);
    return 0;
}

static int take_location(const json_t *object, struct route53_set *set, struct error *err)
{
    static const char *const geo[] = {"ContinentCode", "CountryCode", "SubdivisionCode", NULL};
    static const char *const cidr[] = {"CollectionId", "LocationName", NULL};
    const json_t *place = json_object_get(object, "GeoLocation");
    const json_t *block = json_object_get(object, "CidrRoutingConfig");
    if (place != NULL && (check_members(place, geo, err) != 0 ||
                          take_text(place, geo[0], &set->continent, err) != 0 ||
                          take_text(place, geo[1], &set->country, err) != 0 ||
                          take_text(place, geo[2], &set->subdivision, err) != 0)) {
        return error_context(err, "GeoLocation");
    }
    if (block != NULL && (check_members(block, cidr, err) != 0 ||
                          take_text(block, cidr[0], &set->cidr_collection, err) != 0 ||
                          take_text(block, cidr[1], &set->cidr_location, err) != 0)) {
        return error_context(err, "CidrRoutingConfig");
    }
    return 0;
}

static int take_multi_value(const json_t *object, struct route53_set *set, struct error *err)
{
    const json_t *value = json_object_get(object, "MultiValueAnswer");
    if (value != NULL && !json_is_boolean(value)) {
        return error_set(err, ERROR_INVALID, "MultiValueAnswer must be true or false");
    }
    set->multi_value = value != NULL ? json_is_true(value) : -1;
    return 0;
}

/* What Route 53 would refuse, said before anything is sent. */
static int check_set(const struct route53_set *set, struct error *err)
{
    bool is_alias = set->alias_name != NULL;
    if (set->type == NULL) {
        return error_set(err, ERROR_INVALID, "Type is missing");
    }
    if (is_alias && (set->ttl_s >= 0 || set->values.count != 0)) {
        return error_set(err, ERROR_INVALID, "an alias has neither TTL nor ResourceRecords");
    }
    if (!is_alias && (set->ttl_s < 0 || set->values.count == 0)) {
        return error_set(err, ERROR_INVALID,
                         "a set that is not an alias needs TTL and ResourceRecords");
    }
    bool is_routed = set->weight >= 0 || set->region != NULL || set->failover != NULL ||
                     set->multi_value >= 0 || set->continent != NULL || set->country != NULL ||
                     set->subdivision != NULL || set->cidr_collection != NULL;
    if (is_routed != (set->set_identifier != NULL)) {
        return error_set(err, ERROR_INVALID,
                         is_routed ? "a routed set needs a SetIdentifier"
                                   : "SetIdentifier goes with Weight, Region, Failover, "
                                     "GeoLocation, CidrRoutingConfig or MultiValueAnswer");
    }
    return 0;
}

static int take_set(const json_t *document, struct route53_set *set, struct error *err)
{
    static const char *const known[] = {"Name",
                                        "Type",
                                        "SetIdentifier",
                                        "Weight",
                                        "Region",
                                        "Failover",
                                        "MultiValueAnswer",
                                        "TTL",
                                        "ResourceRecords",
                                        "AliasTarget",
                                        "GeoLocation",
                                        "HealthCheckId",
                                        "CidrRoutingConfig",
                                        NULL};
    if (!json_is_object(document)) {
        return error_set(err, ERROR_INVALID, "must be an object");
    }
    if (check_members(document, known, err) != 0 ||
        take_name(document, "Name", &set->name, err) != 0 ||
        take_text(document, "Type", &set->type, err) != 0 ||
        take_text(document, "SetIdentifier", &set->set_identifier, err) != 0 ||
        take_integer(document, "Weight", 255, &set->weight, err) != 0 ||
        take_text(document, "Region", &set->region, err) != 0 ||
        take_text(document, "Failover", &set->failover, err) != 0 ||
        take_multi_value(document, set, err) != 0 ||
        take_integer(document, "TTL", INT32_MAX, &set->ttl_s, err) != 0 ||
        take_values(document, set, err) != 0 || take_alias(document, set, err) != 0 ||
        take_location(document, set, err) != 0 ||
        take_text(document, "HealthCheckId", &set->health_check_id, err) != 0) {
        return -1;
    }
    return check_set(set, err);
}

int route53_set_from_json(const json_t *document, struct route53_set *ret_set, struct error *err)
{
    struct route53_set set;
    route53_set_init(&set);
    if (take_set(document, &set, err) != 0) {
        route53_set_release(&set);
        return -1;
    }
    *ret_set = set;
    return 0;
}

static int take_action(const json_t *change, enum route53_action *ret_action, struct error *err)
{
    const char *name = json_get_text(change, "Action");
    for (int action = ROUTE53_CREATE; name != NULL && action <= ROUTE53_UPSERT; action++) {
        if (strcmp(name, route53_action_name((enum route53_action)action)) == 0) {
            *ret_action = (enum route53_action)action;
            return 0;
        }
    }
    return error_set(err, ERROR_INVALID, "Action must be CREATE, DELETE or UPSERT");
}

static int take_change(const json_t *item, struct route53_batch *batch, struct error *err)
{
    static const char *const known[] = {"Action", "ResourceRecordSet", NULL};
    struct route53_change change;
    if (!json_is_object(item)) {
        return error_set(err, ERROR_INVALID, "must be an object");
    }
    if (check_members(item, known, err) != 0 || take_action(item, &change.action, err) != 0) {
        return -1;
    }
    if (route53_set_from_json(json_object_get(item, "ResourceRecordSet"), &change.set, err) != 0) {
        return error_context(err, "ResourceRecordSet");
    }
    vector_push(&batch->changes, change);
    return 0;
}

static int take_changes(const json_t *document, struct route53_batch *batch, struct error *err)
{
    static const char *const known[] = {"Comment", "Changes", NULL};
    const json_t *changes = json_object_get(document, "Changes");
    size_t i;
    json_t *item;
    if (check_members(document, known, err) != 0 ||
        take_text(document, "Comment", &batch->comment, err) != 0) {
        return -1;
    }
    if (!json_is_array(changes) || json_array_size(changes) == 0) {
        return error_set(err, ERROR_INVALID, "Changes must be a list with something in it");
    }
    json_array_foreach (changes, i, item) {
        if (take_change(item, batch, err) != 0) {
            return error_context(err, "Changes[%zu]", i);
        }
    }
    return 0;
}

int route53_batch_from_json(const json_t *document, struct route53_batch *ret_batch,
                            struct error *err)
{
    const json_t *inner = json_object_get(document, "ChangeBatch");
    struct route53_batch batch = {0};
    if (take_changes(inner != NULL ? inner : document, &batch, err) != 0) {
        route53_batch_release(&batch);
        return -1;
    }
    *ret_batch = batch;
    return 0;
}

int route53_sets_from_json(const json_t *list, struct route53_sets *ret_sets, struct error *err)
{
    struct route53_sets sets = {0};
    size_t i;
    json_t *item;
    json_array_foreach (list, i, item) {
        struct route53_set set;
        if (route53_set_from_json(item, &set, err) != 0) {
            route53_sets_release(&sets);
            return error_context(err, "[%zu]", i);
        }
        vector_push(&sets.list, set);
    }
    *ret_sets = sets;
    return 0;
}

static void put_text(json_t *object, const char *key, const char *text)
{
    if (text != NULL) {
        json_object_set_new(object, key, json_string(text));
    }
}

static void put_routing(json_t *object, const struct route53_set *set)
{
    put_text(object, "SetIdentifier", set->set_identifier);
    if (set->weight >= 0) {
        json_object_set_new(object, "Weight", json_integer(set->weight));
    }
    put_text(object, "Region", set->region);
    if (set->continent != NULL || set->country != NULL || set->subdivision != NULL) {
        json_t *place = json_object();
        put_text(place, "ContinentCode", set->continent);
        put_text(place, "CountryCode", set->country);
        put_text(place, "SubdivisionCode", set->subdivision);
        json_object_set_new(object, "GeoLocation", place);
    }
    put_text(object, "Failover", set->failover);
    if (set->multi_value >= 0) {
        json_object_set_new(object, "MultiValueAnswer", json_boolean(set->multi_value));
    }
}

json_t *route53_set_to_json(const struct route53_set *set)
{
    json_t *object = json_object();
    put_text(object, "Name", set->name);
    put_text(object, "Type", set->type);
    put_routing(object, set);
    if (set->ttl_s >= 0) {
        json_object_set_new(object, "TTL", json_integer(set->ttl_s));
    }
    if (set->alias_name != NULL) {
        json_object_set_new(object, "AliasTarget",
                            json_pack("{ss ss sb}", "HostedZoneId", set->alias_zone_id, "DNSName",
                                      set->alias_name, "EvaluateTargetHealth",
                                      (int)set->alias_evaluates_health));
    } else {
        json_t *records = json_array();
        vector_each (char **, value, &set->values) {
            json_array_append_new(records, json_pack("{ss}", "Value", *value));
        }
        json_object_set_new(object, "ResourceRecords", records);
    }
    put_text(object, "HealthCheckId", set->health_check_id);
    if (set->cidr_collection != NULL) {
        json_t *block = json_object();
        put_text(block, "CollectionId", set->cidr_collection);
        put_text(block, "LocationName", set->cidr_location);
        json_object_set_new(object, "CidrRoutingConfig", block);
    }
    return object;
}

json_t *route53_sets_to_json(const struct route53_sets *sets)
{
    json_t *list = json_array();
    vector_each (struct route53_set *, set, &sets->list) {
        json_array_append_new(list, route53_set_to_json(set));
    }
    return list;
}

json_t *route53_batch_to_json(const struct route53_batch *batch)
{
    json_t *document = json_object();
    json_t *changes = json_array();
    put_text(document, "Comment", batch->comment);
    vector_each (struct route53_change *, change, &batch->changes) {
        json_t *item = json_object();
        put_text(item, "Action", route53_action_name(change->action));
        json_object_set_new(item, "ResourceRecordSet", route53_set_to_json(&change->set));
        json_array_append_new(changes, item);
    }
    json_object_set_new(document, "Changes", changes);
    return document;
}
