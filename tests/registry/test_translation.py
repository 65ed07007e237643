"""Every failure that botocore models for the operations we call has a meaning of ours."""

from __future__ import annotations

import re
from pathlib import Path

import botocore.session
import pytest
from botocore import xform_name
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    EndpointConnectionError,
    HTTPClientError,
    IncompleteReadError,
    ReadTimeoutError,
)
from botocore.model import ServiceModel
from layerguard.registry import RegistryError, ecr
from layerguard.registry.answers import Availability
from layerguard.registry.permissions import ACTIONS, OPTIONAL_ACTIONS
from layerguard.registry.translation import (
    IMAGE_FAILURES,
    LAYER_FAILURES,
    MISSING_LAYER,
    SERVICE_ERRORS,
    has_expired,
    is_transient,
    translate,
)
from layerguard.verdict import Code

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


def test_every_operation_that_is_called_is_one_that_must_be_allowed() -> None:
    source = Path(ecr.__file__).read_text(encoding="utf-8")
    called = set(re.findall(r'"((?:batch|describe|get)_[a-z_]+)"', source))
    assert called == {xform_name(operation) for operation in OPERATIONS}


def refused(code: str, status: int = 400, message: str = "words") -> ClientError:
    return ClientError(
        {
            "Error": {"Code": code, "Message": message},
            "ResponseMetadata": {"HTTPStatusCode": status},
        },
        "BatchGetImage",
    )


def test_a_code_that_nobody_has_seen_is_judged_by_its_status() -> None:
    assert isinstance(translate(refused("NewException")), NotUnderstood)
    assert isinstance(translate(refused("NewException", 503)), Unreachable)
    assert str(translate(refused("NewException"))) == "ECR says NewException: words."


def test_what_may_pass_in_a_moment_is_told_from_what_stays() -> None:
    assert is_transient(refused("ThrottlingException"))
    assert is_transient(refused("ServerException", 500))
    assert not is_transient(refused("RepositoryNotFoundException"))
    assert not is_transient(ValueError("words"))
    assert isinstance(translate(refused("ThrottlingException")), Throttled)


@pytest.mark.parametrize(
    ("error", "transient"),
    [
        (ConnectionClosedError(endpoint_url="http://x"), True),
        (IncompleteReadError(actual_bytes=1, expected_bytes=2), True),
        (EndpointConnectionError(endpoint_url="http://x"), False),
        (ReadTimeoutError(endpoint_url="http://x"), True),
    ],
)
def test_a_connection_that_breaks_may_hold_the_next_time_and_one_that_is_refused_does_not(
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


def test_a_request_that_is_repeated_in_an_error_is_left_out_of_ours() -> None:
    told = translate(refused("InvalidSignatureException", message=CANONICAL))
    assert isinstance(told, RegistryError) and told.code is Code.NO_CREDENTIALS
    assert str(told) == (
        "ECR says InvalidSignatureException: The request signature we calculated does not match "
        "the signature you provided. Check your AWS Secret Access Key and signing method. Consult "
        "the service documentation for details."
    )
    unsendable = translate(UNSENDABLE)
    assert isinstance(unsendable, RegistryError) and unsendable.code is Code.NO_CREDENTIALS
    assert str(unsendable) == (
        "The credentials hold a character, such as a line break, that no request can carry."
    )
    header = str(translate(refused("IncompleteSignature", message=INCOMPLETE)))
    assert "Credential" not in header


def test_expired_credentials_are_told_from_wrong_ones() -> None:
    assert has_expired(refused("ExpiredTokenException"))
    assert not has_expired(refused("UnrecognizedClientException"))
    assert not has_expired(ValueError("words"))
