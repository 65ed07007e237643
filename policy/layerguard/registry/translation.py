"""From the errors of ECR, STS and botocore to RegistryError: the one place.

Every text of a service is bounded here, and loses its secrets and the credentials in its URLs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from layerguard.bug import bug_text, error_text, log_bug
from layerguard.identity import Identity
from layerguard.reference import Digest
from layerguard.registry.answers import RegistryError
from layerguard.registry.denial import Denial
from layerguard.secret_texts import without_tokens
from layerguard.verdict import Code

Redact: TypeAlias = Callable[[str], str]
"""Returns a text without the secrets that it may repeat."""

MAX_REASON = 1_000
"""Characters of a reason."""

# Error codes of ECR, and of STS where a role is assumed first. Source: the API references of both
# with their "Common Errors", and botocore's models.
# fmt: off
SERVICE_ERRORS: Mapping[str, Code] = {
    "AccessDenied":                          Code.ACCESS_DENIED,
    "AccessDeniedException":                 Code.ACCESS_DENIED,
    "ExpiredToken":                          Code.NO_CREDENTIALS,
    "ExpiredTokenException":                 Code.NO_CREDENTIALS,
    "IDPCommunicationError":                 Code.UNREACHABLE,
    "IDPRejectedClaim":                      Code.NO_CREDENTIALS,
    "ImageArchivedException":                Code.IMAGE_ARCHIVED,
    "ImageNotFoundException":                Code.IMAGE_NOT_FOUND,
    "IncompleteSignature":                   Code.NO_CREDENTIALS,
    "InvalidClientTokenId":                  Code.NO_CREDENTIALS,
    "InvalidContextAssertion":               Code.NO_CREDENTIALS,
    "InvalidIdentityToken":                  Code.NO_CREDENTIALS,
    "InvalidParameterException":             Code.INTERNAL_ERROR,
    "InvalidSignatureException":             Code.NO_CREDENTIALS,
    "KmsException":                          Code.KMS,
    "LayerInaccessibleException":            Code.INTERNAL_ERROR,
    "LayersNotFoundException":               Code.INTERNAL_ERROR,
    "LimitExceededException":                Code.THROTTLED,
    "MalformedPolicyDocument":               Code.NO_CREDENTIALS,
    "MissingAuthenticationToken":            Code.NO_CREDENTIALS,
    "MissingAuthenticationTokenException":   Code.NO_CREDENTIALS,
    "NotAuthorized":                         Code.ACCESS_DENIED,
    "OptInRequired":                         Code.NO_CREDENTIALS,
    "PackedPolicyTooLarge":                  Code.NO_CREDENTIALS,
    "PullThroughCacheRuleNotFoundException": Code.INTERNAL_ERROR,
    "RegionDisabledException":               Code.NO_CREDENTIALS,
    "RepositoryNotFoundException":           Code.REPOSITORY_NOT_FOUND,
    "RequestExpired":                        Code.NO_CREDENTIALS,
    "RequestLimitExceeded":                  Code.THROTTLED,
    "ServerException":                       Code.UNREACHABLE,
    "ServiceUnavailable":                    Code.UNREACHABLE,
    "Throttling":                            Code.THROTTLED,
    "ThrottlingException":                   Code.THROTTLED,
    "TooManyRequestsException":              Code.THROTTLED,
    "UnableToGetUpstreamImageException":     Code.UPSTREAM,
    "UnableToGetUpstreamLayerException":     Code.UPSTREAM,
    "UnauthorizedException":                 Code.ACCESS_DENIED,
    "UnrecognizedClientException":           Code.NO_CREDENTIALS,
    "ValidationException":                   Code.INTERNAL_ERROR,
}
# Failure codes inside a BatchGetImage answer. Source: ECR API reference, ImageFailure.
IMAGE_FAILURES: Mapping[str, Code] = {
    "ImageInaccessible":             Code.INTERNAL_ERROR,
    "ImageNotFound":                 Code.IMAGE_NOT_FOUND,
    "ImageReferencedByManifestList": Code.INTERNAL_ERROR,
    "ImageTagDoesNotMatchDigest":    Code.INTERNAL_ERROR,
    "InvalidImageDigest":            Code.INTERNAL_ERROR,
    "InvalidImageTag":               Code.INTERNAL_ERROR,
    "KmsError":                      Code.KMS,
    "MissingDigestAndTag":           Code.INTERNAL_ERROR,
    "UpstreamAccessDenied":          Code.UPSTREAM,
    "UpstreamTooManyRequests":       Code.UPSTREAM,
    "UpstreamUnavailable":           Code.UPSTREAM,
}
# Failure codes inside a BatchCheckLayerAvailability answer, except the one that is an answer: the
# layer is not there. Source: ECR API reference, LayerFailure.
MISSING_LAYER = "MissingLayerDigest"
LAYER_FAILURES: Mapping[str, Code] = {"InvalidLayerDigest": Code.INTERNAL_ERROR}
# botocore's errors before or instead of an answer, by class name: importing the classes would
# import botocore. A base class stands for those derived from it.
_CLIENT_ERRORS: Mapping[str, Code] = {
    "ReadTimeoutError":               Code.TIMED_OUT,
    "HTTPClientError":                Code.UNREACHABLE,
    "IncompleteReadError":            Code.UNREACHABLE,
    "ConnectionError":                Code.UNREACHABLE,
    "ResponseParserError":            Code.INCONSISTENT_ANSWER,
    "EndpointProviderError":          Code.UNREACHABLE,
    "EndpointVariantError":           Code.UNREACHABLE,
}
# fmt: on
_ISSUER = (
    "check the network path to the service that issues the credentials (AWS STS, IAM Identity "
    "Center; a proxy, AWS_ENDPOINT_URL_STS), then run it again."
)
# botocore's errors that the same question may not meet again in a moment. Refused connections and
# failed DNS lookups are not among them: without a network, each image would wait for nothing.
_TRANSIENT = (
    "ConnectionClosedError",
    "IncompleteReadError",
    "ReadTimeoutError",
    "ResponseStreamingError",
)
# What a failure to resolve credentials may mean besides no-credentials, with its next step.
_OF_CREDENTIALS: Mapping[Code, str] = {
    Code.THROTTLED: "",
    Code.TIMED_OUT: _ISSUER,
    Code.UNREACHABLE: _ISSUER,
}
_PROXY = "ProxyConnectionError"
_CREDENTIAL_PROCESS = "custom-process"
# AWS repeats a request that it does not accept, session token included; Python's http.client a
# header that it cannot send.
_REPEATED_REQUEST = re.compile(
    "The Canonical String for this request|(in )?Authorization( header)?[=:]"
)
_REPEATED_HEADER = re.compile("invalid header value", re.IGNORECASE)
# What is no URL is repeated in whole or in part, and may hold a password.
_INVALID_ENDPOINT = re.compile(
    "Invalid endpoint: |Failed to parse: |Port could not be cast to integer"
)


def translate(error: Exception, redact: Redact) -> RegistryError:
    """Return what ``error``, raised by a client of ECR, means. What is not understood is a bug."""
    known = _translate_known(error, redact)
    if known:
        return known
    text = _sentence(bug_text("in asking ECR", error), redact)
    log_bug(text, error)
    return RegistryError(Code.INTERNAL_ERROR, text)


def translate_credentials(error: Exception, identity: Identity, redact: Redact) -> RegistryError:
    """Return what ``error`` means, which was raised while credentials were resolved.

    A refused role is access-denied, and the next step names its trust policy. What a credential
    process writes, and its command line, are never repeated.
    """
    response = getattr(error, "response", None)
    if isinstance(response, dict):
        operation = str(getattr(error, "operation_name", ""))
        if not operation.startswith("AssumeRole"):
            return _of_credentials(_service_error("AWS", response, redact))
        refusal = _service_error("STS", response, redact)
        if refusal.code is Code.ACCESS_DENIED:
            return _denied_role(str(refusal), operation, identity, redact)
        return _of_credentials(refusal)
    if "BotoCoreError" not in _class_names(error):
        return RegistryError(Code.NO_CREDENTIALS, redact(_unknown_failure(error, identity)))
    if getattr(error, "kwargs", {}).get("provider") == _CREDENTIAL_PROCESS:
        return RegistryError(
            Code.NO_CREDENTIALS,
            "The credential process of the profile failed, or printed no valid credentials.",
        )
    return _of_configuration(error, redact)


def translate_configuration(error: Exception, redact: Redact) -> RegistryError:
    """Return what ``error`` means, which was raised while a client was made.

    No service was asked: what botocore refuses is in the configuration files or the environment.
    """
    if "BotoCoreError" not in _class_names(error):
        return translate(error, redact)
    text = _sentence(error_text(error), redact)
    return _translate_known(error, redact) or RegistryError(Code.NO_CREDENTIALS, text)


def is_transient(error: Exception) -> bool:
    """Tell whether the same question may be answered in a moment.

    True for throttling, server errors, and connections that break.
    """
    response = getattr(error, "response", None)
    if not isinstance(response, dict):
        return type(error).__name__ in _TRANSIENT
    code, _, status = _parts(response)
    return status >= 500 or SERVICE_ERRORS.get(code) is Code.THROTTLED


def has_expired(error: Exception) -> bool:
    """Tell whether ECR refuses credentials because they have expired."""
    response = getattr(error, "response", None)
    if not isinstance(response, dict):
        return False
    return _parts(response)[0].startswith(("ExpiredToken", "RequestExpired"))


def image_failure(code: str, reason: str, redact: Redact) -> RegistryError:
    """Return what a failure of one image inside a BatchGetImage answer means."""
    return RegistryError(
        IMAGE_FAILURES.get(code, Code.INTERNAL_ERROR),
        _sentence(f"ECR says {code}: {reason}", redact),
    )


def layer_failure(code: str, digest: Digest, reason: str, redact: Redact) -> RegistryError:
    """Return what a failure of one layer inside a BatchCheckLayerAvailability answer means."""
    return RegistryError(
        LAYER_FAILURES.get(code, Code.INTERNAL_ERROR),
        _sentence(f"ECR says {code} of the layer {digest}: {reason}", redact),
    )


def unknown_availability(value: object, digest: Digest, redact: Redact) -> RegistryError:
    """Return what a layerAvailability means that is none of those in ECR's API."""
    return RegistryError(
        Code.INTERNAL_ERROR,
        _sentence(f"ECR says '{value}' of the layer {digest}, which is no availability", redact),
    )


def _translate_known(error: Exception, redact: Redact) -> RegistryError | None:
    response = getattr(error, "response", None)
    if isinstance(response, dict):
        return _service_error("ECR", response, redact)
    if _REPEATED_HEADER.search(str(error)):
        return RegistryError(
            Code.NO_CREDENTIALS,
            "The credentials hold a character, such as a line break, that no request can carry.",
        )
    if _INVALID_ENDPOINT.search(str(error)):
        return RegistryError(
            Code.UNREACHABLE, "The endpoint that is configured for ECR is not a valid URL."
        )
    names = _class_names(error)
    code = next((_CLIENT_ERRORS[each] for each in names if each in _CLIENT_ERRORS), None)
    if code is None:
        return None
    text = error_text(error)
    if _PROXY in names:  # botocore names the proxy alone, and not what it answered
        text += f" ({error_text(_first_cause(error))})"
    return RegistryError(code, _sentence(text, redact))


def _first_cause(error: BaseException) -> BaseException:
    """Return the first of the exceptions that led to ``error``."""
    seen = {id(error)}
    while (before := error.__cause__ or error.__context__) and id(before) not in seen:
        error = before
        seen.add(id(error))
    return error


def _of_configuration(error: Exception, redact: Redact) -> RegistryError:
    """Return what ``error`` of botocore means, for which it asked no service that refused."""
    text = _sentence(error_text(error), redact)
    known = _translate_known(error, redact)
    return _of_credentials(known or RegistryError(Code.NO_CREDENTIALS, text))


def _service_error(service: str, response: Mapping[str, Any], redact: Redact) -> RegistryError:
    code, message, status = _parts(response)
    unknown = Code.UNREACHABLE if status >= 500 else Code.INTERNAL_ERROR
    return RegistryError(
        SERVICE_ERRORS.get(code, unknown), _sentence(f"{service} says {code}: {message}", redact)
    )


def _parts(response: Mapping[str, Any]) -> tuple[str, str, int]:
    """Return the code, the message and the HTTP status of a ClientError's response."""
    error = response.get("Error") or {}
    status = (response.get("ResponseMetadata") or {}).get("HTTPStatusCode", 0)
    return str(error.get("Code", "")), str(error.get("Message", "")), status


def _denied_role(reason: str, operation: str, identity: Identity, redact: Redact) -> RegistryError:
    denial = Denial.parse(reason)
    role = denial.resource
    if role is None:
        role = redact(_role_of(identity, operation) or "") or None
        reason = f"{reason} The role is {role}." if role else reason
    return RegistryError(Code.ACCESS_DENIED, reason, denial.next_step_for_role(role))


def _role_of(identity: Identity, operation: str) -> str | None:
    """Return the ARN of the role that ``operation`` is for, None where it may be one of several."""
    if operation == "AssumeRoleWithWebIdentity":
        return identity.web_identity.arn if identity.web_identity else None
    return identity.roles[0].arn if len(identity.roles) == 1 else None


def _of_credentials(error: RegistryError) -> RegistryError:
    if error.code in _OF_CREDENTIALS:
        return RegistryError(error.code, str(error), _OF_CREDENTIALS[error.code])
    return RegistryError(Code.NO_CREDENTIALS, str(error))


def _unknown_failure(error: Exception, identity: Identity) -> str:
    """Return a reason without the text of ``error``, which may repeat anything."""
    if isinstance(error, RuntimeError) and "still expired" in str(error):
        return "The AWS credentials have expired, and their source gives no newer ones."
    file = identity.web_identity.token_file if identity.web_identity else None
    if file and isinstance(error, OSError) and error.filename == file:
        return f"The web identity token file {file} cannot be read."
    return (
        f"The AWS credentials cannot be read ({type(error).__name__}): look at the profile, and at "
        "the credential process or the files that it names."
    )


def _class_names(error: Exception) -> list[str]:
    return [cls.__name__ for cls in type(error).__mro__]


def _sentence(text: str, redact: Redact) -> str:
    """Return ``text`` as one bounded sentence without secrets."""
    text = " ".join(redact(text).split())
    if repeated := _REPEATED_REQUEST.search(text):
        text = text[: repeated.start()]
    # Secrets go first: a cut could leave the beginning of one.
    text = without_tokens(text).rstrip(": ")
    if len(text) > MAX_REASON:
        return f"{text[: MAX_REASON - 1]}…"
    return text if text.endswith((".", "!", "?")) else f"{text}."
