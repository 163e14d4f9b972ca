/* Where an AWS service is reached for a region, and how requests to it are signed. */
#ifndef DRCTL_NET_ENDPOINT_H
#define DRCTL_NET_ENDPOINT_H

#include "base/compiler.h"
#include "base/error.h"
#include "net/aws_settings.h"

struct endpoint {
    char *url;
    char *signing_region; /* for a global service not the region that was asked for */
    const char *signing_name;
};

/* service is "route53", "sts", "s3", "dynamodb", "sns", … (botocore's client names). region may be
 * NULL for the settings' own. Configured endpoints win, in botocore's order: the service's
 * variable, AWS_ENDPOINT_URL, the profile's services section, the profile's endpoint_url; none of
 * them when they are to be ignored. Always the regional endpoint, for STS too: the global one lives
 * in us-east-1. ERROR_NOT_READY when there is no region. */
MUST_USE int endpoint_find(const struct aws_settings *settings, const char *service,
                           const char *region, struct endpoint *ret_endpoint, struct error *err);
void endpoint_release(struct endpoint *endpoint);

/* "aws", "aws-cn" or "aws-us-gov", by the region's name. */
const char *endpoint_partition(const char *region);

#endif
