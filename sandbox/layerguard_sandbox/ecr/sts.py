"""The three operations of STS that a client of ECR needs, in its XML protocol."""

import json
from collections.abc import Mapping
from http import HTTPStatus
from xml.sax.saxutils import escape

from moto.core.request import Request as HttpRequest

from layerguard_sandbox.ecr.faults import Faults, Reply
from layerguard_sandbox.ecr.journal import Request
from layerguard_sandbox.ecr.principals import Keys, Principals, Refused

OPERATIONS = ("GetCallerIdentity", "AssumeRole", "AssumeRoleWithWebIdentity")


class Sts:
    """Returns the identity of callers, and sessions of roles."""

    def __init__(self, principals: Principals, faults: Faults) -> None:
        self._principals, self._faults = principals, faults
        self.requests: list[Mapping[str, str]] = []

    def reply(self, request: HttpRequest, operation: str) -> Reply:
        """Record a request of one of the `OPERATIONS`, then answer it as the faults demand."""
        form = request.form.to_dict()
        self.requests.append(form)
        limits = Request(operation, "", "", "", (), (), "", "")
        reply = self._faults.reply(limits, lambda: self._answer(request, form, operation))
        return _in_xml(reply)

    def _answer(self, request: HttpRequest, form: Mapping[str, str], operation: str) -> Reply:
        try:
            if operation == "AssumeRoleWithWebIdentity":
                return _result(operation, _credentials(self._principals.assume_with_token(form)))
            caller = self._principals.signer(request)
            if operation == "AssumeRole":
                return _result(operation, _credentials(self._principals.assume(caller, form)))
        except Refused as error:
            return xml_refusal(HTTPStatus.FORBIDDEN, error.code, str(error))
        return _result(
            operation,
            f"<Arn>{escape(caller.arn)}</Arn><UserId>{caller.access_key}</UserId>"
            f"<Account>{caller.account}</Account>",
        )


def xml_refusal(status: int, code: str, message: str) -> Reply:
    """Return an error in the AWS query protocol."""
    error = f"<Code>{code}</Code><Message>{escape(message)}</Message>"
    body = f"<ErrorResponse><Error>{error}</Error></ErrorResponse>"
    return status, {"Content-Type": "text/xml"}, body


def _in_xml(reply: Reply) -> Reply:
    """Return a refusal of the faults, which is in ECR's JSON, in the XML of STS."""
    status, headers, body = reply
    if "x-amzn-ErrorType" not in headers:
        return reply
    return xml_refusal(status, headers["x-amzn-ErrorType"], json.loads(body)["message"])


def _credentials(keys: Keys) -> str:
    expires = keys.expires.strftime("%Y-%m-%dT%H:%M:%SZ") if keys.expires else ""
    return (
        f"<AssumedRoleUser><Arn>{escape(keys.arn)}</Arn>"
        f"<AssumedRoleId>{keys.access_key}</AssumedRoleId></AssumedRoleUser>"
        f"<Credentials><AccessKeyId>{keys.access_key}</AccessKeyId>"
        f"<SecretAccessKey>{keys.secret_key}</SecretAccessKey>"
        f"<SessionToken>{keys.token}</SessionToken><Expiration>{expires}</Expiration></Credentials>"
    )


def _result(operation: str, result: str) -> Reply:
    body = (
        f'<{operation}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/">'
        f"<{operation}Result>{result}</{operation}Result></{operation}Response>"
    )
    return HTTPStatus.OK, {"Content-Type": "text/xml"}, body
