/* aws.identity: the first step of every plan that changes an account. Acting in the wrong account
 * is the worst that a recovery can do, and the credentials of the terminal decide it, so it is
 * asked. */
#include <stdlib.h>
#include <string.h>

#include "actions/action.h"
#include "base/json.h"
#include "network/sts_session.h"

static const struct parameter parameters[] = {
    {.name = "account",
     .type = VALUE_STRING,
     .exposed = true,
     .doc = "The account that it must be, twelve digits"},
    {.name = "not_accounts",
     .type = VALUE_STRINGS,
     .exposed = true,
     .default_json = "[]",
     .doc = "Accounts that it must not be"},
    {.name = "region",
     .type = VALUE_REGION,
     .exposed = true,
     .doc = "Region whose STS is asked; give the surviving one. Otherwise AWS_REGION's"},
    {.name = "profile", .type = VALUE_STRING, .exposed = true, .doc = "AWS profile"},
    {0}};

static const struct output outputs[] = {
    {.name = "account", .type = VALUE_STRING, .doc = "The account"},
    {.name = "arn", .type = VALUE_STRING, .doc = "Who is acting"},
    {.name = "user_id", .type = VALUE_STRING, .doc = "Its unique id"},
    {0}};

static int check_account(const struct attempt *attempt, const struct sts_identity *identity,
                         struct error *err)
{
    const char *wanted = attempt_text(attempt, "account");
    size_t i;
    json_t *item;
    json_array_foreach (attempt_argument(attempt, "not_accounts"), i, item) {
        if (strcmp(identity->account, json_string_value(item)) == 0) {
            return error_set(err, ERROR_REFUSED, "this is account %s, which it must not be (%s)",
                             identity->account, identity->arn);
        }
    }
    if (wanted != NULL && strcmp(wanted, identity->account) != 0) {
        error_set(err, ERROR_REFUSED, "this is account %s, and it must be %s (%s)",
                  identity->account, wanted, identity->arn);
        return error_hint(err, "set AWS_PROFILE or the credentials of the other account");
    }
    return 0;
}

static int run(struct attempt *attempt, struct error *err)
{
    CLEANUP(net_session_cleanup) struct net_session *session = NULL;
    struct sts_identity identity;
    if (net_session_open_aws(attempt, attempt_text(attempt, "profile"),
                             attempt_text(attempt, "region"), &session, err) != 0 ||
        sts_get_identity(session, NULL, &identity, err) != 0) {
        return -1;
    }
    attempt_say(attempt, "account %s as %s", identity.account, identity.arn);
    int status = check_account(attempt, &identity, err);
    if (status == 0) {
        attempt_set_output_text(attempt, "account", identity.account);
        attempt_set_output_text(attempt, "arn", identity.arn);
        attempt_set_output_text(attempt, "user_id",
                                identity.user_id != NULL ? identity.user_id : "");
    }
    sts_identity_release(&identity);
    return status;
}

const struct action action_aws_identity = {
    .description =
        {
            .name = "aws.identity",
            .summary = "Check which AWS account the credentials are for",
            .doc = "Asks the STS of one region, never the global one.",
            .parameters = parameters,
            .outputs = outputs,
        },
    .run = run,
    .interrupted = "It changes nothing and is asked again.",
};
