"""From what ECR and botocore say to errors of the project's own tree: the one place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from layerguard.errors import (
    AccessDenied,
    ImageArchived,
    ImageNotFound,
    InconsistentAnswer,
    KmsFailed,
    NoCredentials,
    NotUnderstood,
    RegistryError,
    RepositoryNotFound,
    TagMoved,
    Throttled,
    TimedOut,
    Unreachable,
    UpstreamFailed,
)

# Error codes of the service. Source: ECR API reference, "Common Errors", and botocore's ECR model.
SERVICE_ERRORS: Mapping[str, type[RegistryError]] = {
    "AccessDenied": AccessDenied,
    "AccessDeniedException": AccessDenied,
    "ExpiredToken": NoCredentials,
    "ExpiredTokenException": NoCredentials,
    "ImageArchivedException": ImageArchived,
    "ImageNotFoundException": ImageNotFound,
    "IncompleteSignature": NoCredentials,
    "InvalidClientTokenId": NoCredentials,
    "InvalidParameterException": NotUnderstood,
    "InvalidSignatureException": NoCredentials,
    "KmsException": KmsFailed,
    "LayerInaccessibleException": NotUnderstood,
    "LayersNotFoundException": NotUnderstood,
    "LimitExceededException": Throttled,
    "MissingAuthenticationToken": NoCredentials,
    "MissingAuthenticationTokenException": NoCredentials,
    "NotAuthorized": AccessDenied,
    "OptInRequired": AccessDenied,
    "PullThroughCacheRuleNotFoundException": NotUnderstood,
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


def translate(error: Exception) -> RegistryError:
    """Return what ``error``, raised by a client of ECR, means. It never carries a credential."""
    response = getattr(error, "response", None)
    if isinstance(response, dict):
        return _service_error(response)
    names = (cls.__name__ for cls in type(error).__mro__)
    kind = next((_CLIENT_ERRORS[name] for name in names if name in _CLIENT_ERRORS), NotUnderstood)
    return kind(_sentence(f"{type(error).__name__}: {error}"))


def is_transient(error: Exception) -> bool:
    """Tell whether the same question may be answered in a moment: throttling, server errors."""
    response = getattr(error, "response", None)
    if not isinstance(response, dict):
        return False
    status = (response.get("ResponseMetadata") or {}).get("HTTPStatusCode", 0)
    return status >= 500 or isinstance(_service_error(response), Throttled)


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
    text = " ".join(text.split()).rstrip(": ")
    return text if text.endswith((".", "!", "?")) else f"{text}."
