#!/bin/sh
# Prints the operator's own credentials in the form of credential_process: those that the terminal
# has in its environment, else those that its profile leads to. They are passed on, not kept.
set -eu
if [ -n "${DRCTL_OPERATOR_ACCESS_KEY_ID:-}" ]; then
    printf '{"Version": 1, "AccessKeyId": "%s", "SecretAccessKey": "%s"' \
        "$DRCTL_OPERATOR_ACCESS_KEY_ID" "$DRCTL_OPERATOR_SECRET_ACCESS_KEY"
    if [ -n "${DRCTL_OPERATOR_SESSION_TOKEN:-}" ]; then
        printf ', "SessionToken": "%s"' "$DRCTL_OPERATOR_SESSION_TOKEN"
    fi
    printf '}\n'
    exit
fi
unset AWS_CONFIG_FILE AWS_PROFILE
if [ -n "${DRCTL_OPERATOR_CONFIG_FILE:-}" ]; then
    export AWS_CONFIG_FILE="$DRCTL_OPERATOR_CONFIG_FILE"
fi
if [ -n "${DRCTL_OPERATOR_PROFILE:-}" ]; then
    export AWS_PROFILE="$DRCTL_OPERATOR_PROFILE"
fi
exec aws configure export-credentials --format process
