/* Reads the arguments that describe a call. */
#include "aws/aws_request.h"

int aws_request_read(const struct attempt *attempt, struct aws_call *ret_call, struct error *err)
{
    struct aws_call call = {
        .task = "call",
        .service = attempt_text(attempt, "service"),
        .operation = attempt_text(attempt, "operation"),
        .options = attempt_argument(attempt, "options"),
        .args = attempt_argument(attempt, "args"),
        .input = attempt_argument(attempt, "input"),
    };
    if (aws_region(attempt, &call.region, err) != 0) {
        return -1;
    }
    if (aws_operation_prints_secret(call.service, call.operation)) {
        error_set(err, ERROR_REFUSED, "aws %s %s prints a secret, which would be kept in the log",
                  call.service, call.operation);
        return error_hint(err,
                          "give secrets as inputs of type secret, and roles by aws.assume_role "
                          "or a profile");
    }
    call.mutates = aws_operation_mutates(call.service, call.operation);
    call.text = aws_operation_prints_text(call.service, call.operation);
    *ret_call = call;
    return 0;
}
