"""AWS errors in the shape that each protocol gives them, so that SDKs and terraform parse them."""

from __future__ import annotations

import json
import uuid
from xml.sax.saxutils import escape

from .awsrequest import AwsRequest

JSON_SERVICES = {"eks", "backup", "lambda", "elasticfilesystem", "dynamodb", "kms", "logs", "ecr",
                 "secretsmanager", "ssm", "events", "acm", "tagging"}


def render(request: AwsRequest, code: str, message: str,
           form: str = "") -> tuple[dict[str, str], bytes]:
    """Headers and body of an error answer. `form` "messages" is Route 53's older shape."""
    request_id = str(uuid.uuid4())
    headers = {"x-amzn-RequestId": request_id}
    if request.service in JSON_SERVICES or "x-amz-target" in request.headers:
        headers |= {"Content-Type": "application/json", "x-amzn-ErrorType": code}
        return headers, json.dumps({"__type": code, "code": code, "message": message}).encode()
    headers["Content-Type"] = "text/xml"
    code, message = escape(code), escape(message)
    if request.service == "ec2":
        body = (f"<Response><Errors><Error><Code>{code}</Code><Message>{message}</Message></Error>"
                f"</Errors><RequestID>{request_id}</RequestID></Response>")
    elif request.service == "s3":
        body = (f"<Error><Code>{code}</Code><Message>{message}</Message>"
                f"<RequestId>{request_id}</RequestId></Error>")
    elif form == "messages":
        body = (f'<{code} xmlns="https://route53.amazonaws.com/doc/2013-04-01/"><Messages><Message>'
                f"{message}</Message></Messages><RequestId>{request_id}</RequestId></{code}>")
    else:
        space = ' xmlns="https://route53.amazonaws.com/doc/2013-04-01/"' \
            if request.service == "route53" else ""
        body = (f"<ErrorResponse{space}><Error><Type>Sender</Type><Code>{code}</Code><Message>"
                f"{message}</Message></Error><RequestId>{request_id}</RequestId></ErrorResponse>")
    return headers, b'<?xml version="1.0"?>\n' + body.encode()
