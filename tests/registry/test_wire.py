"""The wire client: requests and answers as those of boto3's client of ECR."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.parsers import ResponseParserError
from layerguard.registry.wire import WireClient
from layerguard_sandbox.ecr import Answer, Fault, SandboxEcr, oci_image

from tests.registry.loops import on_a_loop

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
        config=Config(retries={"total_max_attempts": 1}, read_timeout=20),
    )
    yield made
    made.close()


@pytest.fixture
def ours(client: Any) -> WireClient:
    return WireClient(client)


@on_a_loop
async def test_every_call_returns_what_boto3_returns(
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
        assert await getattr(ours, name)(**WHERE, **parameters) == theirs
    answer = await ours.get_download_url_for_layer(**WHERE, layerDigest=pushed.configs[0])
    assert answer["downloadUrl"].startswith(sandbox.endpoint)


@on_a_loop
async def test_a_request_has_the_principal_and_the_headers_of_the_client(
    sandbox: SandboxEcr, client: Any, ours: WireClient
) -> None:
    sandbox.registry(ACCOUNT, REGION).push(REPOSITORY, oci_image("web"), tag="1")
    client.batch_get_image(**WHERE, imageIds=[{"imageTag": "1"}])
    await ours.batch_get_image(**WHERE, imageIds=[{"imageTag": "1"}])
    theirs, mine = sandbox.requests
    assert mine == theirs


@pytest.mark.parametrize(
    "answer", [Answer.THROTTLED, Answer.DENIED, Answer.DENIED_BY_REPOSITORY, Answer.SERVER_ERROR]
)
@on_a_loop
async def test_a_refusal_is_the_error_that_boto3_raises(
    sandbox: SandboxEcr, client: Any, ours: WireClient, answer: Answer
) -> None:
    sandbox.faults.add(Fault(answer))
    with pytest.raises(ClientError) as theirs:
        client.batch_get_image(**WHERE, imageIds=[{"imageTag": "1"}])
    with pytest.raises(ClientError) as mine:
        await ours.batch_get_image(**WHERE, imageIds=[{"imageTag": "1"}])
    expected, actual = (
        (each["Error"], each["ResponseMetadata"]["HTTPStatusCode"])
        for each in (theirs.value.response, mine.value.response)
    )
    assert actual == expected


@pytest.mark.parametrize("answer", [Answer.HTML, Answer.TRUNCATED])
@on_a_loop
async def test_a_body_that_is_not_json_is_an_error_although_boto3_returns_an_empty_answer(
    sandbox: SandboxEcr, ours: WireClient, answer: Answer
) -> None:
    sandbox.registry(ACCOUNT, REGION).push(REPOSITORY, oci_image("web"), tag="1")
    sandbox.faults.add(Fault(answer))
    with pytest.raises(ResponseParserError, match="the answer to BatchGetImage is not a JSON"):
        await ours.batch_get_image(**WHERE, imageIds=[{"imageTag": "1"}])
