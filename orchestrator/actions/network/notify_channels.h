/* The channels that `notify` knows, each as one function. */
#ifndef DRCTL_ACTIONS_NETWORK_NOTIFY_CHANNELS_H
#define DRCTL_ACTIONS_NETWORK_NOTIFY_CHANNELS_H

#include "attempt/attempt.h"

/* Each sends the step's message by one channel. */
MUST_USE int notify_sns(struct attempt *attempt, const char *topic_arn, struct error *err);
MUST_USE int notify_webhook(struct attempt *attempt, const char *url, struct error *err);
MUST_USE int notify_pagerduty(struct attempt *attempt, const char *routing_key, struct error *err);

#endif
