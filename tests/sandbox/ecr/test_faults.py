"""The switches: slow, unwilling and wrong answers, for the requests that they fit."""

import hashlib
import time
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError
from layerguard_sandbox.ecr import Answer, Fault, Samples, SandboxEcr

pytestmark = pytest.mark.usefixtures("samples")
DENIAL = (
    "User: arn:aws:sts::123456789012:assumed-role/sandbox/session is not authorized to perform: "
    "ecr:BatchGetImage on resource: arn:aws:ecr:eu-west-1:123456789012:repository/shop/report because"
)
ONCE = {"total_max_attempts": 1}  # a retry would hide the fault


@pytest.fixture
def client(connect: Any) -> Any:
    return connect(config=Config(retries=ONCE))


@pytest.fixture
def impatient(connect: Any) -> Any:
    return connect(config=Config(retries=ONCE, read_timeout=0.5))


def get(client: Any, **members: Any) -> Any:
    answer = client.batch_get_image(
        **{"repositoryName": "shop/report", "imageIds": [{"imageTag": "1.4.2"}], **members}
    )
    answer.pop("ResponseMetadata", None)
    return answer


def error(client: Any) -> tuple[int, str, str]:
    with pytest.raises(ClientError) as caught:
        get(client)
    response: Any = caught.value.response
    status = response["ResponseMetadata"]["HTTPStatusCode"]
    return status, response["Error"]["Code"], response["Error"]["Message"]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (Answer.THROTTLED,            (400, "ThrottlingException", "Rate exceeded")),
        (Answer.SERVER_ERROR,         (500, "ServerException", "There was an error in the backend service.")),
        (Answer.DENIED,               (400, "AccessDeniedException", f"{DENIAL} no identity-based policy allows the ecr:BatchGetImage action")),
        (Answer.DENIED_BY_REPOSITORY, (400, "AccessDeniedException", f"{DENIAL} no resource-based policy allows the ecr:BatchGetImage action")),
    ],
)  # fmt: skip
def test_refusals_are_worded_as_the_service_words_them(
    ecr: SandboxEcr, client: Any, answer: Answer, expected: tuple[int, str, str]
) -> None:
    ecr.faults.add(Fault(answer))
    assert error(client) == expected
    ecr.faults.clear()
    assert get(client)["images"]


@pytest.mark.parametrize("answer", [Answer.EMPTY_OBJECT, Answer.HTML, Answer.TRUNCATED])
def test_a_malformed_answer_looks_like_an_empty_one_to_the_sdk(
    ecr: SandboxEcr, client: Any, answer: Answer
) -> None:
    ecr.faults.add(Fault(answer))
    assert not get(client).get("images")


def test_a_manifest_can_be_no_json_or_other_bytes_than_its_digest_says(
    ecr: SandboxEcr, client: Any, samples: Samples
) -> None:
    ecr.faults.add(Fault(Answer.MANIFEST_NOT_JSON, first=1))
    ecr.faults.add(Fault(Answer.MANIFEST_OTHER_BYTES))
    assert get(client)["images"][0]["imageManifest"] == "<manifest>"
    (image,) = get(client)["images"]
    assert image["imageId"]["imageDigest"] == samples.report.digest
    hashed = hashlib.sha256(image["imageManifest"].encode()).hexdigest()
    assert f"sha256:{hashed}" != samples.report.digest


def test_an_image_can_fail_with_any_code_of_the_api(
    ecr: SandboxEcr, client: Any, samples: Samples
) -> None:
    ecr.faults.add(Fault(Answer.IMAGES_FAILED, failure_code="UpstreamUnavailable"))
    assert get(client) == {
        "images": [],
        "failures": [
            {
                "imageId": {"imageTag": "1.4.2", "imageDigest": samples.report.digest},
                "failureCode": "UpstreamUnavailable",
                "failureReason": "sandbox: UpstreamUnavailable",
            }
        ],
    }


def test_layers_can_be_dropped_from_an_answer(
    ecr: SandboxEcr, client: Any, samples: Samples
) -> None:
    ecr.faults.add(Fault(Answer.LAYERS_DROPPED))
    answer = client.batch_check_layer_availability(
        repositoryName="shop/report", layerDigests=list(samples.report.layers)
    )
    assert (answer["layers"], answer["failures"]) == ([], [])


def test_an_answer_can_be_changed_at_will_and_a_fault_be_met_anew(
    ecr: SandboxEcr, client: Any
) -> None:
    ecr.faults.add(Fault(Answer.CHANGED, change=lambda answer: answer.clear(), first=1))
    for _ in range(2):
        assert "images" not in get(client)
        assert get(client)["images"]
        ecr.faults.rewind()


def test_half_an_answer_can_be_all_that_comes(ecr: SandboxEcr, impatient: Any) -> None:
    ecr.faults.add(Fault(Answer.HALF))
    with pytest.raises(ReadTimeoutError):
        get(impatient)


def test_latency_delays_the_truth(ecr: SandboxEcr, client: Any) -> None:
    ecr.faults.add(Fault(latency=0.2))
    started = time.monotonic()
    assert get(client)["images"]
    assert time.monotonic() - started >= 0.2


def test_the_connection_is_closed_without_an_answer(ecr: SandboxEcr, client: Any) -> None:
    ecr.faults.add(Fault(Answer.CONNECTION_CLOSED))
    with pytest.raises(ConnectionClosedError):
        get(client)


def test_a_request_hangs_until_the_client_gives_up(ecr: SandboxEcr, impatient: Any) -> None:
    ecr.faults.add(Fault(Answer.HANG))
    with pytest.raises(ReadTimeoutError):
        get(impatient)


@pytest.mark.parametrize(
    "limits",
    [
        {"operation": "DescribeImages"},
        {"account": "210987654321"},
        {"region": "us-east-1"},
        {"repository": "shop/web"},
        {"operation": "BatchGetImage", "repository": "shop/web"},
        {"first": 0},
    ],
)
def test_a_fault_leaves_alone_what_is_outside_its_limits(
    ecr: SandboxEcr, client: Any, limits: Any
) -> None:
    ecr.faults.add(Fault(Answer.SERVER_ERROR, **limits))
    assert get(client)["images"]


def test_the_first_fault_that_fits_wins_and_counts_its_requests(
    ecr: SandboxEcr, client: Any
) -> None:
    ecr.faults.add(Fault(Answer.THROTTLED, operation="BatchGetImage", first=2))
    ecr.faults.add(Fault(Answer.SERVER_ERROR, repository="shop/report", first=1))
    codes = [error(client)[1] for _ in range(3)]
    assert codes == ["ThrottlingException", "ThrottlingException", "ServerException"]
    assert get(client)["images"]
