/* The value types and the names. Names are kept in the form in which Route 53 lists them, so that
 * comparing bytes compares names. */
#include "net/route53.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

void route53_set_init(struct route53_set *set)
{
    *set = (struct route53_set){.weight = -1, .multi_value = -1, .ttl_s = -1};
}

void route53_set_release(struct route53_set *set)
{
    char *const texts[] = {set->name,          set->type,           set->set_identifier,
                           set->region,        set->continent,      set->country,
                           set->subdivision,   set->failover,       set->alias_name,
                           set->alias_zone_id, set->cidr_location,  set->health_check_id,
                           set->unknown,       set->cidr_collection};
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        free(texts[i]);
    }
    vector_each (char **, value, &set->values) {
        free(*value);
    }
    vector_release(&set->values);
    route53_set_init(set);
}

void route53_set_copy(struct route53_set *to, const struct route53_set *from)
{
    *to = *from;
    to->name = memory_text(from->name);
    to->type = memory_text(from->type);
    to->set_identifier = memory_text(from->set_identifier);
    to->region = memory_text(from->region);
    to->continent = memory_text(from->continent);
    to->country = memory_text(from->country);
    to->subdivision = memory_text(from->subdivision);
    to->failover = memory_text(from->failover);
    to->alias_name = memory_text(from->alias_name);
    to->alias_zone_id = memory_text(from->alias_zone_id);
    to->health_check_id = memory_text(from->health_check_id);
    to->cidr_collection = memory_text(from->cidr_collection);
    to->cidr_location = memory_text(from->cidr_location);
    to->unknown = memory_text(from->unknown);
    to->values.items = NULL;
    to->values.count = to->values.capacity = 0;
    vector_each (char **, value, &from->values) {
        vector_push(&to->values, memory_text(*value));
    }
}

void route53_sets_release(struct route53_sets *sets)
{
    vector_each (struct route53_set *, set, &sets->list) {
        route53_set_release(set);
    }
    vector_release(&sets->list);
}

void route53_batch_release(struct route53_batch *batch)
{
    vector_each (struct route53_change *, change, &batch->changes) {
        route53_set_release(&change->set);
    }
    vector_release(&batch->changes);
    free(batch->comment);
    batch->comment = NULL;
}

void route53_page_release(struct route53_page *page)
{
    free(page->next_name);
    free(page->next_type);
    free(page->next_identifier);
    *page = (struct route53_page){0};
}

void route53_zone_release(struct route53_zone *zone)
{
    free(zone->id);
    free(zone->name);
    vector_each (char **, server, &zone->name_servers) {
        free(*server);
    }
    vector_release(&zone->name_servers);
    *zone = (struct route53_zone){0};
}

void route53_zones_release(struct route53_zones *zones)
{
    vector_each (struct route53_zone *, zone, &zones->list) {
        route53_zone_release(zone);
    }
    vector_release(&zones->list);
    free(zones->next_name);
    free(zones->next_id);
    zones->next_name = zones->next_id = NULL;
}

const char *route53_action_name(enum route53_action action)
{
    static const char *const names[] = {
        [ROUTE53_CREATE] = "CREATE", [ROUTE53_DELETE] = "DELETE", [ROUTE53_UPSERT] = "UPSERT"};
    return names[action];
}

static bool is_octal_escape(const char *text)
{
    return text[0] == '\\' && text[1] >= '0' && text[1] <= '3' && text[2] >= '0' &&
           text[2] <= '7' && text[3] >= '0' && text[3] <= '7';
}

static bool is_plain(unsigned char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') || byte == '-' ||
           byte == '_' || byte == '.';
}

char *route53_normal_name(const char *name)
{
    struct buffer out = BUFFER_INIT;
    for (; *name != '\0'; name++) {
        unsigned char byte = (unsigned char)*name;
        if (is_octal_escape(name)) {
            byte = (unsigned char)((name[1] - '0') * 64 + (name[2] - '0') * 8 + (name[3] - '0'));
            name += 3;
        }
        if (byte >= 'A' && byte <= 'Z') {
            byte = (unsigned char)(byte - 'A' + 'a');
        }
        /* An escaped dot is part of a label and must not become a separator. */
        if (is_plain(byte) && !(byte == '.' && *name != '.')) {
            buffer_append_char(&out, (char)byte);
        } else {
            buffer_append_format(&out, "\\%03o", byte);
        }
    }
    if (out.size_bytes == 0 || out.data[out.size_bytes - 1] != '.') {
        buffer_append_char(&out, '.');
    }
    return buffer_take(&out);
}

char *route53_shown_name(const char *normal_name)
{
    bool is_wildcard = strncmp(normal_name, "\\052.", 5) == 0;
    return is_wildcard ? memory_format("*%s", normal_name + 4) : memory_text(normal_name);
}

const char *route53_bare_id(const char *id)
{
    const char *slash = strrchr(id, '/');
    return slash != NULL ? slash + 1 : id;
}
