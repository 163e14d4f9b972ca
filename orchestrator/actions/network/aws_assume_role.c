/* aws.assume_role: credentials of another account or role for the steps that name them in `env`.
 * They are a snapshot that ends; a step that may outlast it is better given a profile with
 * role_arn. Nothing is written down: the outputs are secret, and `drctl resume` assumes the role
 * again. */
#include <stdlib.h>
#include <string.h>

#include "actions/action.h"
#include "base/clock.h"
#include "base/json.h"
#include "network/sts_session.h"

static const struct parameter parameters[] = {
    {.name = "role_arn",
     .type = VALUE_STRING,
     .required = true,
     .exposed = true,
     .doc = "The role"},
    {.name = "external_id", .type = VALUE_SECRET, .doc = "External id that the role asks for"},
    {.name = "session_name",
     .type = VALUE_STRING,
     .exposed = true,
     .doc = "Name of the session in CloudTrail; otherwise made of the run's id"},
    {.name = "duration",
     .type = VALUE_DURATION,
     .default_json = "\"1h\"",
     .doc = "How long they shall hold, from 15m to the role's limit"},
    {.name = "account",
     .type = VALUE_STRING,
     .exposed = true,
     .doc = "The account that the role must lead to"},
    {.name = "region", .type = VALUE_REGION, .exposed = true, .doc = "Region whose STS is asked"},
    {.name = "profile", .type = VALUE_STRING, .exposed = true, .doc = "AWS profile to start from"},
    {0}};

static const struct output outputs[] = {
    {.name = "access_key_id", .type = VALUE_SECRET, .secret = true, .doc = "AWS_ACCESS_KEY_ID"},
    {.name = "secret_access_key",
     .type = VALUE_SECRET,
     .secret = true,
     .doc = "AWS_SECRET_ACCESS_KEY"},
    {.name = "session_token", .type = VALUE_SECRET, .secret = true, .doc = "AWS_SESSION_TOKEN"},
    {.name = "expires", .type = VALUE_TIMESTAMP, .doc = "When they end"},
    {.name = "account", .type = VALUE_STRING, .doc = "The role's account"},
    {.name = "arn", .type = VALUE_STRING, .doc = "Who acts with them"},
    {0}};

static int assume(struct attempt *attempt, struct net_session *session,
                  struct credentials *ret_credentials, struct error *err)
{
    CLEANUP(memory_cleanup) char *made_up = memory_format("drctl-%s", attempt_run_id(attempt));
    const char *name = attempt_text(attempt, "session_name");
    struct sts_role role = {
        .arn = attempt_text(attempt, "role_arn"),
        .session_name = name != NULL ? name : made_up,
        .external_id = attempt_text(attempt, "external_id"),
        .duration_s = attempt_duration_ms(attempt, "duration", 3600000) / 1000,
    };
    if (sts_assume_role(session, &role, ret_credentials, err) != 0) {
        return error_context(err, "%s", role.arn);
    }
    attempt_hide(attempt, ret_credentials->secret_key);
    attempt_hide(attempt, ret_credentials->access_key);
    if (ret_credentials->token != NULL) {
        attempt_hide(attempt, ret_credentials->token);
    }
    return 0;
}

static void put_outputs(struct attempt *attempt, const struct credentials *credentials,
                        const struct sts_identity *identity)
{
    char expires[CLOCK_RFC3339_SIZE];
    clock_format_rfc3339_ms(credentials->expires_at_ns, expires);
    attempt_set_output_text(attempt, "access_key_id", credentials->access_key);
    attempt_set_output_text(attempt, "secret_access_key", credentials->secret_key);
    attempt_set_output_text(attempt, "session_token",
                            credentials->token != NULL ? credentials->token : "");
    attempt_set_output_text(attempt, "expires", expires);
    attempt_set_output_text(attempt, "account", identity->account);
    attempt_set_output_text(attempt, "arn", identity->arn);
    attempt_say(attempt, "acting as %s in account %s until %s", identity->arn, identity->account,
                expires);
}

/* The role's own words, rather than what its ARN seems to say. */
static int check_role(struct attempt *attempt, struct net_session *session,
                      const struct credentials *credentials, struct error *err)
{
    struct sts_identity identity;
    const char *wanted = attempt_text(attempt, "account");
    if (sts_get_identity(session, credentials, &identity, err) != 0) {
        return -1;
    }
    int status = 0;
    if (wanted != NULL && strcmp(wanted, identity.account) != 0) {
        status = error_set(err, ERROR_REFUSED, "the role leads to account %s, and it must be %s",
                           identity.account, wanted);
    } else {
        put_outputs(attempt, credentials, &identity);
    }
    sts_identity_release(&identity);
    return status;
}

static int run(struct attempt *attempt, struct error *err)
{
    CLEANUP(net_session_cleanup) struct net_session *session = NULL;
    struct credentials credentials = {0};
    if (net_session_open_aws(attempt, attempt_text(attempt, "profile"),
                             attempt_text(attempt, "region"), &session, err) != 0) {
        return -1;
    }
    int status = assume(attempt, session, &credentials, err);
    if (status == 0) {
        status = check_role(attempt, session, &credentials, err);
    }
    credentials_release(&credentials);
    return status;
}

const struct action action_aws_assume_role = {
    .description =
        {
            .name = "aws.assume_role",
            .summary = "Get credentials of a role for later steps",
            .doc = "Put them into a step's env as AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and "
                   "AWS_SESSION_TOKEN.",
            .parameters = parameters,
            .outputs = outputs,
        },
    .run = run,
    .interrupted = "It changes nothing; the role is assumed again.",
};
