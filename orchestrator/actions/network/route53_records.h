/* The records of a plan, in the words of a plan, as a batch of changes. */
#ifndef DRCTL_ACTIONS_NETWORK_ROUTE53_RECORDS_H
#define DRCTL_ACTIONS_NETWORK_ROUTE53_RECORDS_H

#include "net/route53.h"

/* A list of {name, type, ttl, values | alias: {name, zone_id, evaluate_target_health},
 * set_identifier, weight, region, failover, health_check_id, multi_value, geo, state: present |
 * absent}. zone_name, in normal form, is put behind a name that does not lie in it ("www", "@");
 * NULL: names are whole. The caller releases the batch. */
MUST_USE int route53_records_to_batch(const json_t *records, const char *zone_name,
                                      struct route53_batch *ret_batch, struct error *err);

/* The same records for one of several places. A record whose `values` are a map (by region, say)
 * has those at the key, and with `alias: true` they are the name of another record of the same
 * zone, of which the id is zone_id. A new reference; NULL with ERROR_INVALID when a map lacks the
 * key. */
MUST_USE json_t *route53_records_for(const json_t *records, const char *key, const char *zone_id,
                                     struct error *err);

/* Refuses a batch that touches a name outside the zone. */
MUST_USE int route53_records_check_zone(const struct route53_batch *batch, const char *zone_name,
                                        struct error *err);

#endif
