/* notify: tells people. A recovery must not stop because a chat service is down, so a plan gives
 * this step `on_failure: continue`; the step itself is honest about what was sent. */
#include <stdlib.h>
#include <string.h>

#include "actions/action.h"
#include "base/json.h"
#include "network/notify_channels.h"

static const struct parameter parameters[] = {
    {.name = "message",
     .type = VALUE_STRING,
     .required = true,
     .exposed = true,
     .doc = "What to say"},
    {.name = "subject", .type = VALUE_STRING, .exposed = true, .doc = "In one short line"},
    {.name = "details",
     .type = VALUE_MAP,
     .exposed = true,
     .default_json = "{}",
     .doc = "Further facts, name → value"},
    {.name = "topic",
     .type = VALUE_STRING,
     .exposed = true,
     .one_of = "channel",
     .doc = "ARN of an SNS topic; its own region is asked"},
    {.name = "webhook",
     .type = VALUE_SECRET,
     .one_of = "channel",
     .doc = "URL that takes a POST of JSON, such as a chat's"},
    {.name = "pagerduty",
     .type = VALUE_SECRET,
     .one_of = "channel",
     .doc = "Routing key of a PagerDuty service"},
    {.name = "body",
     .type = VALUE_MAP,
     .doc = "The webhook's JSON; otherwise {\"text\": subject, message and details}"},
    {.name = "severity",
     .type = VALUE_CHOICE,
     .default_json = "\"critical\"",
     .choices = (const char *const[]){"critical", "error", "warning", "info", NULL},
     .doc = "For PagerDuty"},
    {.name = "event",
     .type = VALUE_CHOICE,
     .default_json = "\"trigger\"",
     .choices = (const char *const[]){"trigger", "acknowledge", "resolve", NULL},
     .doc = "For PagerDuty: what happens to the incident"},
    {.name = "dedup_key",
     .type = VALUE_STRING,
     .exposed = true,
     .doc = "For PagerDuty: the incident; otherwise made of run and step"},
    {.name = "events_url",
     .type = VALUE_STRING,
     .exposed = true,
     .default_json = "\"https://events.pagerduty.com/v2/enqueue\"",
     .doc = "For PagerDuty: where events are sent"},
    {.name = "profile", .type = VALUE_STRING, .exposed = true, .doc = "AWS profile, for SNS"},
    {0}};

static const struct output outputs[] = {
    {.name = "channel", .type = VALUE_STRING, .doc = "sns, webhook or pagerduty"}, {0}};

static const struct channel {
    const char *parameter;
    const char *name;
    int (*send)(struct attempt *attempt, const char *address, struct error *err);
} channels[] = {
    {"topic", "sns", notify_sns},
    {"webhook", "webhook", notify_webhook},
    {"pagerduty", "pagerduty", notify_pagerduty},
};

/* The one that was given; the table sees to it that one was. */
static const struct channel *chosen(const struct attempt *attempt)
{
    size_t i = 0;
    while (i + 1 < ARRAY_SIZE(channels) && attempt_text(attempt, channels[i].parameter) == NULL) {
        i++;
    }
    return &channels[i];
}

static int run(struct attempt *attempt, struct error *err)
{
    const struct channel *channel = chosen(attempt);
    attempt_set_output_text(attempt, "channel", channel->name);
    if (attempt_is_dry_run(attempt)) {
        attempt_say(attempt, "would tell %s: %s", channel->name, attempt_text(attempt, "message"));
        return 0;
    }
    CLEANUP(json_cleanup) json_t *sent = attempt_recall(attempt, "sent");
    if (sent != NULL) {
        return 0;
    }
    if (channel->send(attempt, attempt_text(attempt, channel->parameter), err) != 0) {
        return error_context(err, "%s", channel->name);
    }
    attempt_say(attempt, "told %s: %s", channel->name, attempt_text(attempt, "message"));
    return attempt_remember(attempt, "sent", json_true(), err);
}

const struct action action_notify = {
    .description =
        {
            .name = "notify",
            .summary = "Tell people by SNS, a webhook or PagerDuty",
            .parameters = parameters,
            .outputs = outputs,
            .mutates = true,
        },
    .run = run,
    .interrupted = "A message that was sent is not sent again; one that may have been sent is, "
                   "since twice is better than never.",
    .shows_dry_run = true,
};
