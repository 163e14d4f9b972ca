/* Record sets of Route 53, and what is done with them without asking anybody: reading, writing,
 * comparing. Pure; route53_api.h makes the calls. */
#ifndef DRCTL_NET_ROUTE53_H
#define DRCTL_NET_ROUTE53_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/compiler.h"
#include "base/error.h"
#include "base/span.h"
#include "base/vector.h"

/* One resource record set. NULL and -1 mean "not given". */
struct route53_set {
    char *name; /* in the form of route53_normal_name() */
    char *type;
    char *set_identifier;
    int64_t weight;
    char *region;
    char *continent; /* GeoLocation */
    char *country;
    char *subdivision;
    char *failover;  /* "PRIMARY" or "SECONDARY" */
    int multi_value; /* 0 or 1 */
    int64_t ttl_s;
    VECTOR(char *)
    values;
    char *alias_name; /* an alias when this is set; then no TTL and no values */
    char *alias_zone_id;
    bool alias_evaluates_health;
    char *health_check_id;
    char *cidr_collection; /* CidrRoutingConfig */
    char *cidr_location;
    /* An element that this program does not know: such a set is shown and never written, since
     * writing it would lose what the element said. */
    char *unknown;
};

struct route53_sets {
    VECTOR(struct route53_set)
    list;
};

enum route53_action { ROUTE53_CREATE, ROUTE53_DELETE, ROUTE53_UPSERT };

struct route53_change {
    enum route53_action action;
    struct route53_set set;
};

/* Changes that take effect together or not at all. */
struct route53_batch {
    char *comment; /* NULL: none */
    VECTOR(struct route53_change)
    changes;
};

void route53_set_init(struct route53_set *set);
void route53_set_release(struct route53_set *set);
void route53_set_copy(struct route53_set *to, const struct route53_set *from);
void route53_sets_release(struct route53_sets *sets);
void route53_batch_release(struct route53_batch *batch);

/* "CREATE", "DELETE", "UPSERT". */
const char *route53_action_name(enum route53_action action);

/* --- names */

/* As Route 53 lists it: lower case, a dot at the end, everything but a-z 0-9 - _ . as \ooo; the
 * wildcard is \052. The caller frees it. */
char *route53_normal_name(const char *name);

/* As people write it: a leading \052 is "*". The caller frees it. */
char *route53_shown_name(const char *normal_name);

/* The id without "/hostedzone/" or "/change/" in front. Borrowed from id. */
const char *route53_bare_id(const char *id);

/* --- JSON, in the form of the AWS CLI */

/* {"Comment", "Changes": [{"Action", "ResourceRecordSet"}]}, or the same under "ChangeBatch".
 * Errors say which change and which member. */
MUST_USE int route53_batch_from_json(const json_t *document, struct route53_batch *ret_batch,
                                     struct error *err);
MUST_USE int route53_set_from_json(const json_t *document, struct route53_set *ret_set,
                                   struct error *err);

/* New references. */
json_t *route53_set_to_json(const struct route53_set *set);
json_t *route53_sets_to_json(const struct route53_sets *sets);
json_t *route53_batch_to_json(const struct route53_batch *batch);
MUST_USE int route53_sets_from_json(const json_t *list, struct route53_sets *ret_sets,
                                    struct error *err);

/* --- XML */

/* The body of ChangeResourceRecordSets. */
void route53_batch_to_xml(const struct route53_batch *batch, struct buffer *out);

/* One page of ListResourceRecordSets: its sets are appended. */
struct route53_page {
    bool is_truncated;
    char *next_name; /* all three are needed to go on */
    char *next_type;
    char *next_identifier; /* NULL: the next set has none */
};
MUST_USE int route53_page_from_xml(struct span xml, struct route53_sets *sets,
                                   struct route53_page *ret_page, struct error *err);
void route53_page_release(struct route53_page *page);

struct route53_change_info {
    char *id; /* bare */
    bool is_insync;
};
MUST_USE int route53_change_info_from_xml(struct span xml, struct route53_change_info *ret_info,
                                          struct error *err);

struct route53_zone {
    char *id;   /* bare */
    char *name; /* normal form */
    bool is_private;
    VECTOR(char *)
    name_servers; /* of GetHostedZone; empty in a list */
};
struct route53_zones {
    VECTOR(struct route53_zone)
    list;
    bool is_truncated;
    char *next_name;
    char *next_id;
};
/* ListHostedZonesByName, and GetHostedZone (one zone in the list). */
MUST_USE int route53_zones_from_xml(struct span xml, struct route53_zones *ret_zones,
                                    struct error *err);
void route53_zone_release(struct route53_zone *zone);
void route53_zones_release(struct route53_zones *zones);

/* --- comparing */

/* Same name, type and set identifier: what Route 53 takes for the same set. */
bool route53_same_key(const struct route53_set *a, const struct route53_set *b);

/* Same in everything; the order of values does not count. */
bool route53_equal(const struct route53_set *a, const struct route53_set *b);

/* The set with that key; NULL when there is none. Borrowed. */
const struct route53_set *route53_find(const struct route53_sets *sets,
                                       const struct route53_set *key);

/* What of a wanted batch is still to be done when `present` is there: UPSERT and CREATE of what is
 * so already, and DELETE of what is gone, are left out; a DELETE takes the present values.
 * ERROR_REFUSED when CREATE meets another set of the same key, DELETE names other values than are
 * there, or a set would be written that has an unknown element. */
MUST_USE int route53_needed(const struct route53_sets *present, const struct route53_batch *wanted,
                            struct route53_batch *ret_needed, struct error *err);

/* The sets of `present` whose keys a batch touches: what an undo needs. */
void route53_touched(const struct route53_sets *present, const struct route53_batch *batch,
                     struct route53_sets *ret_before);

/* The batch that leads from `present` back to `before` for the keys of `done`. A set that is
 * neither as `done` left it nor as it was before has been changed by somebody else: ERROR_REFUSED.
 */
MUST_USE int route53_restoring(const struct route53_sets *present, const struct route53_batch *done,
                               const struct route53_sets *before, struct route53_batch *ret_batch,
                               struct error *err);

/* Route 53's limits for one batch: 1,000 ResourceRecord elements, 32,000 characters of values, an
 * UPSERT counting double. ERROR_INVALID beyond them. */
MUST_USE int route53_check_limits(const struct route53_batch *batch, struct error *err);

/* For people: one line for each change, "~ www.example.com. A: 60s 192.0.2.1 → 60s 198.51.100.7".
 */
void route53_show(const struct route53_sets *present, const struct route53_batch *batch,
                  struct buffer *out);

#endif
