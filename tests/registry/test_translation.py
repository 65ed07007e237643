"""Every failure that botocore models for the operations that are called has a code."""

from __future__ import annotations

import re
from pathlib import Path

import botocore.session
import pytest
from botocore import xform_name
from botocore.exceptions import (
    ConnectionClosedError,
    EndpointConnectionError,
    HTTPClientError,
    IncompleteReadError,
    ReadTimeoutError,
)
from botocore.model import ServiceModel
from hypothesis import given
from hypothesis import strategies as st
from layerguard.registry import ecr
from layerguard.registry.answers import Availability
from layerguard.registry.permissions import ACTIONS, OPTIONAL_ACTIONS
from layerguard.registry.translation import (
    IMAGE_FAILURES,
    LAYER_FAILURES,
    MAX_REASON,
    MISSING_LAYER,
    SERVICE_ERRORS,
    Redact,
    has_expired,
    is_transient,
    translate,
)
from layerguard.verdict import Code

from tests.registry.factories import refusal

OPERATIONS = tuple(action.partition(":")[2] for action in (*ACTIONS, *OPTIONAL_ACTIONS))


@pytest.fixture(scope="module")
def model() -> ServiceModel:
    return botocore.session.Session().get_service_model("ecr")


@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_error_shape_of_an_operation_is_translated(
    model: ServiceModel, operation: str
) -> None:
    shapes = {shape.name for shape in model.operation_model(operation).error_shapes}
    assert shapes
    assert shapes <= set(SERVICE_ERRORS)


@pytest.mark.parametrize("operation", ["AssumeRole", "AssumeRoleWithWebIdentity"])
def test_every_error_of_sts_on_the_way_to_a_role_is_translated(operation: str) -> None:
    model = botocore.session.Session().get_service_model("sts")
    codes = {shape.error_code for shape in model.operation_model(operation).error_shapes}
    assert codes
    assert codes <= set(SERVICE_ERRORS)


def test_every_failure_code_inside_an_answer_is_translated(model: ServiceModel) -> None:
    assert set(model.shape_for("ImageFailureCode").enum) == set(IMAGE_FAILURES)
    assert set(model.shape_for("LayerFailureCode").enum) == {MISSING_LAYER, *LAYER_FAILURES}
    assert set(model.shape_for("LayerAvailability").enum) == {each.value for each in Availability}


def test_every_operation_that_is_called_is_in_the_permissions() -> None:
    source = Path(ecr.__file__).read_text(encoding="utf-8")
    called = set(re.findall(r'"((?:batch|describe|get)_[a-z_]+)"', source))
    assert called == {xform_name(operation) for operation in OPERATIONS}


def translated(error: Exception, redact: Redact = str) -> tuple[Code, str]:
    made = translate(error, redact)
    return made.code, str(made)


def test_an_unknown_error_code_is_translated_by_its_status() -> None:
    reason = "ECR says NewException: words."
    assert translated(refusal("NewException")) == (Code.INTERNAL_ERROR, reason)
    assert translated(refusal("NewException", 503)) == (Code.UNREACHABLE, reason)
    assert translated(refusal("ThrottlingException"))[0] is Code.THROTTLED


@pytest.mark.parametrize(
    ("error", "transient"),
    [
        (refusal("ThrottlingException"), True),
        (refusal("ServerException", 500), True),
        (refusal("RepositoryNotFoundException"), False),
        (ConnectionClosedError(endpoint_url="http://x"), True),
        (IncompleteReadError(actual_bytes=1, expected_bytes=2), True),
        (EndpointConnectionError(endpoint_url="http://x"), False),
        (ReadTimeoutError(endpoint_url="http://x"), True),
        (ValueError("words"), False),
    ],
)
def test_throttling_and_broken_connections_are_transient_and_refused_ones_are_not(
    error: Exception, *, transient: bool
) -> None:
    assert is_transient(error) is transient


# What AWS answers to a signature that it does not accept, and http.client to a token with a line
# break.
CANONICAL = (
    "The request signature we calculated does not match the signature you provided. Check your AWS "
    "Secret Access Key and signing method. Consult the service documentation for details.\n\nThe "
    "Canonical String for this request should have been\n'POST\n/\n\nhost:api.ecr.eu-west-1."
    "amazonaws.com\nx-amz-security-token:SECRETTOKEN\n'"
)
INCOMPLETE = (
    "'SECRETKEY/2026' not a valid key=value pair (missing equal-sign) in Authorization header: "
    "'AWS4-HMAC-SHA256 Credential=SECRETKEY/2026'."
)
UNSENDABLE = HTTPClientError(error=ValueError(r"Invalid header value b'SECRETTOKEN\n'"))


def test_a_request_that_an_error_repeats_is_left_out() -> None:
    assert translated(refusal("InvalidSignatureException", message=CANONICAL)) == (
        Code.NO_CREDENTIALS,
        "ECR says InvalidSignatureException: The request signature we calculated does not match "
        "the signature you provided. Check your AWS Secret Access Key and signing method. Consult "
        "the service documentation for details.",
    )
    assert translated(UNSENDABLE) == (
        Code.NO_CREDENTIALS,
        "The credentials hold a character, such as a line break, that no request can carry.",
    )
    _, incomplete = translated(refusal("IncompleteSignature", message=INCOMPLETE))
    assert "Credential" not in incomplete


def test_credentials_in_a_url_are_left_out() -> None:
    url = "https://user:p@ssword@registry.example:8443/path?mail=a@b"
    error = EndpointConnectionError(endpoint_url=url)
    assert translated(error) == (
        Code.UNREACHABLE,
        "EndpointConnectionError: Could not connect to the endpoint URL: "
        '"https://registry.example:8443/path?mail=a@b".',
    )


def test_a_web_token_is_left_out() -> None:
    token = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJwb2QifQ.c2lnbmF0dXJl"
    _, reason = translated(refusal("InvalidIdentityToken", message=f"The token {token} is odd"))
    assert reason == "ECR says InvalidIdentityToken: The token *** is odd."


def test_a_reason_is_bounded_after_its_secrets_are_taken_out() -> None:
    # A secret at the place of the cut, where its beginning would otherwise stay.
    secret = "wJalrXUtnFEMI/K7MDENG"
    message = "x" * (MAX_REASON - 40) + secret + "y" * 3_000_000
    _, reason = translated(
        refusal("ServerException", message=message), lambda text: text.replace(secret, "***")
    )
    assert len(reason) == MAX_REASON
    assert "wJal" not in reason


@given(st.text())
def test_a_reason_is_one_bounded_line(text: str) -> None:
    _, reason = translated(refusal("ServerException", message=text))
    assert len(reason) <= MAX_REASON + 1
    assert len(reason.splitlines()) == 1
    _, of_another_error = translated(ValueError(text))
    assert len(of_another_error.splitlines()) == 1


def test_expired_credentials_are_distinguished_from_wrong_ones() -> None:
    assert has_expired(refusal("ExpiredTokenException"))
    assert not has_expired(refusal("UnrecognizedClientException"))
    assert not has_expired(ValueError("words"))
