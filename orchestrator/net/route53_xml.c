/* The XML of Route 53's API of 2013-04-01. Its schema is a sequence: elements out of order are
 * refused, so the order in append_set() is part of the format. */
#include "net/route53.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "net/xml.h"

#define NAMESPACE "https://route53.amazonaws.com/doc/2013-04-01/"

static void append_text(struct buffer *out, const char *element, const char *text)
{
    if (text != NULL) {
        buffer_append_format(out, "<%s>", element);
        xml_append_escaped(out, text);
        buffer_append_format(out, "</%s>", element);
    }
}

static void append_integer(struct buffer *out, const char *element, int64_t number)
{
    if (number >= 0) {
        buffer_append_format(out, "<%s>%lld</%s>", element, (long long)number, element);
    }
}

static void append_location(struct buffer *out, const struct route53_set *set)
{
    if (set->continent != NULL || set->country != NULL || set->subdivision != NULL) {
        buffer_append_text(out, "<GeoLocation>");
        append_text(out, "ContinentCode", set->continent);
        append_text(out, "CountryCode", set->country);
        append_text(out, "SubdivisionCode", set->subdivision);
        buffer_append_text(out, "</GeoLocation>");
    }
}

static void append_answer(struct buffer *out, const struct route53_set *set)
{
    append_integer(out, "TTL", set->ttl_s);
    if (set->values.count != 0) {
        buffer_append_text(out, "<ResourceRecords>");
        vector_each (char **, value, &set->values) {
            buffer_append_text(out, "<ResourceRecord>");
            append_text(out, "Value", *value);
            buffer_append_text(out, "</ResourceRecord>");
        }
        buffer_append_text(out, "</ResourceRecords>");
    }
    if (set->alias_name != NULL) {
        buffer_append_text(out, "<AliasTarget>");
        append_text(out, "HostedZoneId", set->alias_zone_id);
        append_text(out, "DNSName", set->alias_name);
        append_text(out, "EvaluateTargetHealth", set->alias_evaluates_health ? "true" : "false");
        buffer_append_text(out, "</AliasTarget>");
    }
}

static void append_set(struct buffer *out, const struct route53_set *set)
{
    CLEANUP(memory_cleanup) char *name = route53_shown_name(set->name);
    buffer_append_text(out, "<ResourceRecordSet>");
    append_text(out, "Name", name);
    append_text(out, "Type", set->type);
    append_text(out, "SetIdentifier", set->set_identifier);
    append_integer(out, "Weight", set->weight);
    append_text(out, "Region", set->region);
    append_location(out, set);
    append_text(out, "Failover", set->failover);
    if (set->multi_value >= 0) {
        append_text(out, "MultiValueAnswer", set->multi_value != 0 ? "true" : "false");
    }
    append_answer(out, set);
    append_text(out, "HealthCheckId", set->health_check_id);
    if (set->cidr_collection != NULL) {
        buffer_append_text(out, "<CidrRoutingConfig>");
        append_text(out, "CollectionId", set->cidr_collection);
        append_text(out, "LocationName", set->cidr_location);
        buffer_append_text(out, "</CidrRoutingConfig>");
    }
    buffer_append_text(out, "</ResourceRecordSet>");
}

void route53_batch_to_xml(const struct route53_batch *batch, struct buffer *out)
{
    buffer_append_text(out,
                       "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                       "<ChangeResourceRecordSetsRequest xmlns=\"" NAMESPACE "\"><ChangeBatch>");
    append_text(out, "Comment", batch->comment);
    buffer_append_text(out, "<Changes>");
    vector_each (struct route53_change *, change, &batch->changes) {
        buffer_append_text(out, "<Change>");
        append_text(out, "Action", route53_action_name(change->action));
        append_set(out, &change->set);
        buffer_append_text(out, "</Change>");
    }
    buffer_append_text(out, "</Changes></ChangeBatch></ChangeResourceRecordSetsRequest>");
}

static int64_t read_integer(const xmlNode *node)
{
    CLEANUP(memory_cleanup) char *text = xml_text(node);
    char *end = NULL;
    long long number = strtoll(text, &end, 10);
    return end != text && *end == '\0' && number >= 0 ? number : -1;
}

static bool read_boolean(const xmlNode *node)
{
    CLEANUP(memory_cleanup) char *text = xml_text(node);
    return text != NULL && strcmp(text, "true") == 0;
}

static void replace(char **text, char *taken)
{
    free(*text);
    *text = taken;
}

static void replace_name(char **name, const xmlNode *node)
{
    CLEANUP(memory_cleanup) char *text = xml_text(node);
    replace(name, text != NULL ? route53_normal_name(text) : NULL);
}

static void read_values(const xmlNode *records, struct route53_set *set)
{
    for (const xmlNode *record = xml_child(records, "ResourceRecord"); record != NULL;
         record = xml_next(record, "ResourceRecord")) {
        char *value = xml_child_text(record, "Value");
        vector_push(&set->values, value != NULL ? value : memory_text(""));
    }
}

static void read_alias(const xmlNode *node, struct route53_set *set)
{
    replace_name(&set->alias_name, xml_child(node, "DNSName"));
    replace(&set->alias_zone_id, xml_child_text(node, "HostedZoneId"));
    set->alias_evaluates_health = read_boolean(xml_child(node, "EvaluateTargetHealth"));
}

static void read_location(const xmlNode *node, struct route53_set *set)
{
    replace(&set->continent, xml_child_text(node, "ContinentCode"));
    replace(&set->country, xml_child_text(node, "CountryCode"));
    replace(&set->subdivision, xml_child_text(node, "SubdivisionCode"));
}

static void read_cidr(const xmlNode *node, struct route53_set *set)
{
    replace(&set->cidr_collection, xml_child_text(node, "CollectionId"));
    replace(&set->cidr_location, xml_child_text(node, "LocationName"));
}

static void read_element(const xmlNode *node, struct route53_set *set)
{
    static const struct {
        const char *element;
        size_t offset; /* of a char * in the set */
    } texts[] = {
        {"Type", offsetof(struct route53_set, type)},
        {"SetIdentifier", offsetof(struct route53_set, set_identifier)},
        {"Region", offsetof(struct route53_set, region)},
        {"Failover", offsetof(struct route53_set, failover)},
        {"HealthCheckId", offsetof(struct route53_set, health_check_id)},
    };
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        if (xml_is(node, texts[i].element)) {
            replace((char **)(void *)((char *)set + texts[i].offset), xml_text(node));
            return;
        }
    }
    if (xml_is(node, "Name")) {
        replace_name(&set->name, node);
    } else if (xml_is(node, "Weight")) {
        set->weight = read_integer(node);
    } else if (xml_is(node, "TTL")) {
        set->ttl_s = read_integer(node);
    } else if (xml_is(node, "MultiValueAnswer")) {
        set->multi_value = read_boolean(node) ? 1 : 0;
    } else if (xml_is(node, "ResourceRecords")) {
        read_values(node, set);
    } else if (xml_is(node, "AliasTarget")) {
        read_alias(node, set);
    } else if (xml_is(node, "GeoLocation")) {
        read_location(node, set);
    } else if (xml_is(node, "CidrRoutingConfig")) {
        read_cidr(node, set);
    } else {
        replace(&set->unknown, memory_text((const char *)node->name));
    }
}

static int read_set(const xmlNode *node, struct route53_sets *sets, struct error *err)
{
    struct route53_set set;
    route53_set_init(&set);
    for (const xmlNode *child = xml_child(node, NULL); child != NULL;
         child = xml_next(child, NULL)) {
        read_element(child, &set);
    }
    bool alias_is_whole = set.alias_name == NULL || set.alias_zone_id != NULL;
    if (set.name == NULL || set.type == NULL || !alias_is_whole) {
        route53_set_release(&set);
        return error_set(err, ERROR_INVALID, "a record set without its name, type or alias target");
    }
    vector_push(&sets->list, set);
    return 0;
}

static const xmlNode *root_of(const xmlDoc *document, const char *name, struct error *err)
{
    const xmlNode *root = xmlDocGetRootElement((xmlDoc *)(uintptr_t)document);
    if (!xml_is(root, name)) {
        error_set(err, ERROR_INVALID, "not a %s", name);
        return NULL;
    }
    return root;
}

int route53_page_from_xml(struct span xml, struct route53_sets *sets, struct route53_page *ret_page,
                          struct error *err)
{
    CLEANUP(xml_free) xmlDoc *document = xml_parse(xml, "the list of record sets", err);
    const xmlNode *root =
        document != NULL ? root_of(document, "ListResourceRecordSetsResponse", err) : NULL;
    if (root == NULL) {
        return -1;
    }
    const xmlNode *list = xml_child(root, "ResourceRecordSets");
    for (const xmlNode *node = xml_child(list, "ResourceRecordSet"); node != NULL;
         node = xml_next(node, "ResourceRecordSet")) {
        if (read_set(node, sets, err) != 0) {
            return -1;
        }
    }
    struct route53_page page = {
        .is_truncated = read_boolean(xml_child(root, "IsTruncated")),
        .next_name = xml_child_text(root, "NextRecordName"),
        .next_type = xml_child_text(root, "NextRecordType"),
        .next_identifier = xml_child_text(root, "NextRecordIdentifier"),
    };
    if (page.is_truncated && (page.next_name == NULL || page.next_type == NULL)) {
        route53_page_release(&page);
        return error_set(err, ERROR_INVALID, "a truncated list that does not say how to go on");
    }
    *ret_page = page;
    return 0;
}

int route53_change_info_from_xml(struct span xml, struct route53_change_info *ret_info,
                                 struct error *err)
{
    CLEANUP(xml_free) xmlDoc *document = xml_parse(xml, "the change's state", err);
    if (document == NULL) {
        return -1;
    }
    const xmlNode *info = xml_child(xmlDocGetRootElement(document), "ChangeInfo");
    CLEANUP(memory_cleanup) char *id = xml_child_text(info, "Id");
    CLEANUP(memory_cleanup) char *status = xml_child_text(info, "Status");
    if (id == NULL || status == NULL) {
        return error_set(err, ERROR_INVALID, "the change's state lacks Id or Status");
    }
    ret_info->id = memory_text(route53_bare_id(id));
    ret_info->is_insync = strcmp(status, "INSYNC") == 0;
    return 0;
}

static int read_zone(const xmlNode *node, struct route53_zones *zones, struct error *err)
{
    CLEANUP(memory_cleanup) char *id = xml_child_text(node, "Id");
    CLEANUP(memory_cleanup) char *name = xml_child_text(node, "Name");
    if (id == NULL || name == NULL) {
        return error_set(err, ERROR_INVALID, "a hosted zone without its Id or Name");
    }
    struct route53_zone *zone = vector_grow(&zones->list);
    zone->id = memory_text(route53_bare_id(id));
    zone->name = route53_normal_name(name);
    zone->is_private = read_boolean(xml_child(xml_child(node, "Config"), "PrivateZone"));
    return 0;
}

static void read_name_servers(const xmlNode *root, struct route53_zones *zones)
{
    const xmlNode *servers = xml_child(xml_child(root, "DelegationSet"), "NameServers");
    for (const xmlNode *server = xml_child(servers, "NameServer"); server != NULL;
         server = xml_next(server, "NameServer")) {
        vector_push(&zones->list.items[0].name_servers, xml_text(server));
    }
}

static int read_zones(const xmlNode *root, struct route53_zones *zones, struct error *err)
{
    const xmlNode *list = xml_child(root, "HostedZones");
    const xmlNode *single = xml_child(root, "HostedZone");
    if (single != NULL) {
        if (read_zone(single, zones, err) != 0) {
            return -1;
        }
        read_name_servers(root, zones);
    }
    for (const xmlNode *node = xml_child(list, "HostedZone"); node != NULL;
         node = xml_next(node, "HostedZone")) {
        if (read_zone(node, zones, err) != 0) {
            return -1;
        }
    }
    zones->is_truncated = read_boolean(xml_child(root, "IsTruncated"));
    zones->next_name = xml_child_text(root, "NextDNSName");
    zones->next_id = xml_child_text(root, "NextHostedZoneId");
    return 0;
}

int route53_zones_from_xml(struct span xml, struct route53_zones *ret_zones, struct error *err)
{
    CLEANUP(xml_free) xmlDoc *document = xml_parse(xml, "the hosted zones", err);
    struct route53_zones zones = {0};
    if (document == NULL || read_zones(xmlDocGetRootElement(document), &zones, err) != 0) {
        route53_zones_release(&zones);
        return -1;
    }
    *ret_zones = zones;
    return 0;
}
