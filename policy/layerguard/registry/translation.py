"""From what ECR, STS and botocore say to errors of the project's own tree: the one place."""

from __future__ import annotations

import re
from collections.abc import Mapping
from traceback import walk_tb
from types import TracebackType
from typing import Any

from layerguard.registry.answers import RegistryError
from layerguard.verdict import Code

# Error codes of ECR, and of STS where a role is assumed first. Source: the API references of both
# with their "Common Errors", and botocore's models.
SERVICE_ERRORS: Mapping[str, type[RegistryError]] = {
    "AccessDenied": AccessDenied,
    "AccessDeniedException": AccessDenied,
    "ExpiredToken": NoCredentials,
    "ExpiredTokenException": NoCredentials,
    "IDPCommunicationError": Unreachable,
    "IDPRejectedClaim": NoCredentials,
    "ImageArchivedException": ImageArchived,
    "ImageNotFoundException": ImageNotFound,
    "IncompleteSignature": NoCredentials,
    "InvalidClientTokenId": NoCredentials,
    "InvalidContextAssertion": NoCredentials,
    "InvalidIdentityToken": NoCredentials,
    "InvalidParameterException": NotUnderstood,
    "InvalidSignatureException": NoCredentials,
    "KmsException": KmsFailed,
    "LayerInaccessibleException": NotUnderstood,
    "LayersNotFoundException": NotUnderstood,
    "LimitExceededException": Throttled,
    "MalformedPolicyDocument": NoCredentials,
    "MissingAuthenticationToken": NoCredentials,
    "MissingAuthenticationTokenException": NoCredentials,
    "NotAuthorized": AccessDenied,
    "OptInRequired": NoCredentials,
    "PackedPolicyTooLarge": NoCredentials,
    "PullThroughCacheRuleNotFoundException": NotUnderstood,
    "RegionDisabledException": NoCredentials,
    "RepositoryNotFoundException": RepositoryNotFound,
    "RequestExpired": NoCredentials,
    "RequestLimitExceeded": Throttled,
    "ServerException": Unreachable,
    "ServiceUnavailable": Unreachable,
    "Throttling": Throttled,
    "ThrottlingException": Throttled,
    "TooManyRequestsException": Throttled,
    "UnableToGetUpstreamImageException": UpstreamFailed,
    "UnableToGetUpstreamLayerException": UpstreamFailed,
    "UnauthorizedException": AccessDenied,
    "UnrecognizedClientException": NoCredentials,
    "ValidationException": NotUnderstood,
}
# Failure codes inside a BatchGetImage answer. Source: ECR API reference, ImageFailure.
IMAGE_FAILURES: Mapping[str, type[RegistryError]] = {
    "ImageInaccessible": NotUnderstood,
    "ImageNotFound": ImageNotFound,
    "ImageReferencedByManifestList": NotUnderstood,
    "ImageTagDoesNotMatchDigest": TagMoved,
    "InvalidImageDigest": NotUnderstood,
    "InvalidImageTag": NotUnderstood,
    "KmsError": KmsFailed,
    "MissingDigestAndTag": NotUnderstood,
    "UpstreamAccessDenied": UpstreamFailed,
    "UpstreamTooManyRequests": UpstreamFailed,
    "UpstreamUnavailable": UpstreamFailed,
}
# Failure codes inside a BatchCheckLayerAvailability answer, but for the one that is an answer: the
# layer is not there. Source: ECR API reference, LayerFailure.
MISSING_LAYER = "MissingLayerDigest"
LAYER_FAILURES: Mapping[str, type[RegistryError]] = {"InvalidLayerDigest": NotUnderstood}
# botocore's errors before or instead of an answer, by class name: importing the classes would
# import botocore. A base class stands for those derived from it.
_CLIENT_ERRORS: Mapping[str, type[RegistryError]] = {
    "ReadTimeoutError": TimedOut,
    "HTTPClientError": Unreachable,
    "IncompleteReadError": Unreachable,
    "ConnectionError": Unreachable,
    "ResponseParserError": InconsistentAnswer,
    "NoCredentialsError": NoCredentials,
    "PartialCredentialsError": NoCredentials,
    "CredentialRetrievalError": NoCredentials,
    "ProfileNotFound": NoCredentials,
    "ConfigNotFound": NoCredentials,
    "ConfigParseError": NoCredentials,
    "NoAuthTokenError": NoCredentials,
    "TokenRetrievalError": NoCredentials,
    "SSOError": NoCredentials,
    "LoginError": NoCredentials,
    "MetadataRetrievalError": NoCredentials,
    "UnknownCredentialError": NoCredentials,
    "RefreshWithMFAUnsupportedError": NoCredentials,
    "EndpointProviderError": Unreachable,
}
# What ends by itself in a moment, after boto3's own tries. Nobody listening, and no such host, is
# not of it: whoever has no network should not wait for each image.
_PASSING = (
    "ConnectionClosedError",
    "IncompleteReadError",
    "ReadTimeoutError",
    "ResponseStreamingError",
)
# AWS repeats a request that it does not accept, session token included; Python's http.client a
# header that it cannot send.
_REPEATED_REQUEST = re.compile(
    r"\s*(The Canonical String for this request|(in )?Authorization( header)?[=:]).*", re.DOTALL
)
_REPEATED_HEADER = re.compile(r"invalid header value", re.IGNORECASE)


def translate(error: Exception) -> RegistryError:
    """Return what ``error``, raised by a client of ECR, means. It never carries a credential."""
    response = getattr(error, "response", None)
    if isinstance(response, dict):
        return _service_error(response)
    if _is_of_an_answer(error.__traceback__):
        return RegistryError(
            Code.INCONSISTENT_ANSWER, "ECR's answer has another shape than its API describes."
        )
    if _REPEATED_HEADER.search(str(error)):
        return RegistryError(
            Code.NO_CREDENTIALS,
            "The credentials hold a character, such as a line break, that no request can carry.",
        )
    names = (cls.__name__ for cls in type(error).__mro__)
    kind = next((_CLIENT_ERRORS[name] for name in names if name in _CLIENT_ERRORS), NotUnderstood)
    return kind(_sentence(f"{type(error).__name__}: {error}"))


def is_transient(error: Exception) -> bool:
    """Tell whether the same question may be answered in a moment.

    That is throttling, server errors, and connections that break.
    """
    response = getattr(error, "response", None)
    if not isinstance(response, dict):
        return type(error).__name__ in _PASSING
    status = (response.get("ResponseMetadata") or {}).get("HTTPStatusCode", 0)
    return status >= 500 or isinstance(_service_error(response), Throttled)


def _is_of_an_answer(trace: TracebackType | None) -> bool:
    """Tell whether botocore stumbled over the shape of an answer, for which it has no error."""
    modules = [str(frame.f_globals.get("__name__")) for frame, _ in walk_tb(trace)]
    return "botocore.parsers" in modules or modules[-1:] == ["botocore.endpoint"]


def has_expired(error: Exception) -> bool:
    """Tell whether ECR refuses credentials that have expired since they were got."""
    response = getattr(error, "response", None)
    said = response.get("Error") if isinstance(response, dict) else None
    return bool(said) and str((said or {}).get("Code")).startswith(
        ("ExpiredToken", "RequestExpired")
    )


def image_failure(code: str, reason: str) -> RegistryError:
    """Return what a failure of one image inside a BatchGetImage answer means."""
    return IMAGE_FAILURES.get(code, NotUnderstood)(_sentence(f"ECR says {code}: {reason}"))


def layer_failure(code: str, digest: str, reason: str) -> RegistryError:
    """Return what a failure of one layer inside a BatchCheckLayerAvailability answer means."""
    kind = LAYER_FAILURES.get(code, NotUnderstood)
    return kind(_sentence(f"ECR says {code} of the layer {digest}: {reason}"))


def _service_error(response: dict[str, Any]) -> RegistryError:
    said = response.get("Error") or {}
    code, message = str(said.get("Code", "")), str(said.get("Message", ""))
    status = (response.get("ResponseMetadata") or {}).get("HTTPStatusCode", 0)
    kind = SERVICE_ERRORS.get(code)
    if kind is None:
        kind = Unreachable if status >= 500 else NotUnderstood
    return kind(_sentence(f"ECR says {code}: {message}"))


def _sentence(text: str) -> str:
    text = " ".join(_REPEATED_REQUEST.sub("", text).split()).rstrip(": ")
    return text if text.endswith((".", "!", "?")) else f"{text}."
