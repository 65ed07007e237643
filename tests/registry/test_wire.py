"""The wire: what boto3's client of ECR says and hears, in half of its time."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.parsers import ResponseParserError
from layerguard.registry import wire
from layerguard.registry.connections import Connections
from layerguard.registry.wire import WireClient

from sandbox.ecr import Answer, Fault, SandboxEcr, oci_image

ACCOUNT, REGION, REPOSITORY = "123456789012", "eu-west-1", "shop/web"
WHERE = {"registryId": ACCOUNT, "repositoryName": REPOSITORY}


@pytest.fixture
def sandbox() -> Iterator[SandboxEcr]:
    with SandboxEcr() as ecr:
        yield ecr


@pytest.fixture
def client(sandbox: SandboxEcr) -> Iterator[Any]:
    made = boto3.Session(sandbox.keys.access_key, sandbox.keys.secret_key).client(
        "ecr",
        region_name=REGION,
        endpoint_url=sandbox.endpoint,
        config=Config(retries={"total_max_attempts": 1}, read_timeout=2),
    )
    yield made
    made.close()


@pytest.fixture
def ours(client: Any) -> WireClient:
    return WireClient(client, Connections(2, 2))


def test_every_question_gets_the_answer_that_boto3_gets(
    sandbox: SandboxEcr, client: Any, ours: WireClient
) -> None:
    pushed = sandbox.registry(ACCOUNT, REGION).push(REPOSITORY, oci_image("web"), tag="1")
    digests = [*pushed.layers, *pushed.configs, f"sha256:{'0' * 64}"]
    questions: tuple[tuple[str, dict[str, Any]], ...] = (
        ("batch_get_image", {"imageIds": [{"imageTag": "1"}, {"imageTag": "2"}]}),
        ("batch_check_layer_availability", {"layerDigests": digests}),
    )
    for name, parameters in questions:
        theirs = getattr(client, name)(**WHERE, **parameters)
        del theirs["ResponseMetadata"]
        assert getattr(ours, name)(**WHERE, **parameters) == theirs
    url = ours.get_download_url_for_layer(**WHERE, layerDigest=pushed.configs[0])["downloadUrl"]
    assert url.startswith(sandbox.endpoint)


def test_it_asks_as_who_the_client_asks_and_names_itself_as_the_client_does(
    sandbox: SandboxEcr, client: Any, ours: WireClient
) -> None:
    sandbox.registry(ACCOUNT, REGION).push(REPOSITORY, oci_image("web"), tag="1")
    for each in (client, ours):
        each.batch_get_image(**WHERE, imageIds=[{"imageTag": "1"}])
    theirs, mine = sandbox.requests
    assert mine == theirs


@pytest.mark.parametrize(
    "answer", [Answer.THROTTLED, Answer.DENIED, Answer.DENIED_BY_REPOSITORY, Answer.SERVER_ERROR]
)
def test_a_refusal_is_the_error_that_boto3_raises(
    sandbox: SandboxEcr, client: Any, ours: WireClient, answer: Answer
) -> None:
    sandbox.faults.add(Fault(answer))
    told = []
    for each in (client, ours):
        with pytest.raises(ClientError) as caught:
            each.batch_get_image(**WHERE, imageIds=[{"imageTag": "1"}])
        said = caught.value.response
        told.append((said["Error"], said["ResponseMetadata"]["HTTPStatusCode"]))
    assert told[0] == told[1]


@pytest.mark.parametrize("answer", [Answer.HTML, Answer.TRUNCATED])
def test_what_is_no_answer_of_ecrs_is_an_error_where_boto3_hears_nothing(
    sandbox: SandboxEcr, ours: WireClient, answer: Answer
) -> None:
    sandbox.registry(ACCOUNT, REGION).push(REPOSITORY, oci_image("web"), tag="1")
    sandbox.faults.add(Fault(answer))
    with pytest.raises(ResponseParserError, match="the answer to BatchGetImage is not a JSON"):
        ours.batch_get_image(**WHERE, imageIds=[{"imageTag": "1"}])


def test_it_speaks_the_protocol_that_botocores_model_describes(client: Any) -> None:
    metadata = client.meta.service_model.metadata
    assert metadata["targetPrefix"] == wire._TARGET
    assert f"application/x-amz-json-{metadata['jsonVersion']}" == wire._CONTENT_TYPE
    operations = set(client.meta.service_model.operation_names)
    assert {"BatchGetImage", "BatchCheckLayerAvailability", "GetDownloadUrlForLayer"} <= operations


def test_botocore_still_has_the_signer_that_it_keeps_to_itself(client: Any) -> None:
    assert list(inspect.signature(client._request_signer.sign).parameters)[:2] == [
        "operation_name",
        "request",
    ]
