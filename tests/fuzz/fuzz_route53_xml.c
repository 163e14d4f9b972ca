/* An answer that anybody may have written in Route 53's place: no crash, and what is read can be
 * written and read again as the same. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "net/api_error.h"
#include "net/dns_message.h"
#include "net/route53.h"

/* Sets that JSON can hold come back from it equal. */
static void check_round_trip(const struct route53_sets *sets)
{
    json_t *json = route53_sets_to_json(sets);
    struct route53_sets again;
    if (route53_sets_from_json(json, &again, NULL) == 0) {
        for (size_t i = 0; i < again.list.count; i++) {
            struct route53_set *set = &sets->list.items[i];
            if (set->unknown == NULL && !route53_equal(set, &again.list.items[i])) {
                abort();
            }
        }
        route53_sets_release(&again);
    }
    json_decref(json);
}

static void read_page(struct span text)
{
    struct route53_sets sets = {0};
    struct route53_page page;
    if (route53_page_from_xml(text, &sets, &page, NULL) == 0) {
        check_round_trip(&sets);
        route53_page_release(&page);
    }
    route53_sets_release(&sets);
}

static void read_others(struct span text)
{
    struct route53_change_info info;
    struct route53_zones zones;
    struct api_error error;
    struct http_headers headers = {0};
    struct dns_answer answer;
    if (route53_change_info_from_xml(text, &info, NULL) == 0) {
        free(info.id);
    }
    if (route53_zones_from_xml(text, &zones, NULL) == 0) {
        route53_zones_release(&zones);
    }
    api_error_parse(400, &headers, text, &error);
    if (error.code == NULL || error.code[0] == '\0') {
        abort();
    }
    api_error_release(&error);
    if (dns_message_parse(text, &answer, NULL) == 0) {
        dns_answer_release(&answer);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size_bytes)
{
    struct span text = span_of((const char *)data, size_bytes);
    read_page(text);
    read_others(text);
    return 0;
}
