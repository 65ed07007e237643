"""The wire client: requests and answers as those of boto3's client of ECR."""

from __future__ import annotations

import asyncio
import inspect
import threading
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
from layerguard_sandbox.ecr import Answer, Fault, SandboxEcr, oci_image

from tests.registry.loops import on_a_loop, until

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
    return WireClient(client, Connections(20, 20), lambda: client)


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
async def test_rare_calls_go_through_one_client_of_boto3_and_do_not_block_the_loop(
    sandbox: SandboxEcr, client: Any
) -> None:
    sandbox.registry(ACCOUNT, REGION).push(REPOSITORY, oci_image("web"), tag="1")
    made: list[Any] = []
    may_end = threading.Event()

    def make() -> Any:
        made.append(client)
        assert may_end.wait(30)
        return client

    ours = WireClient(client, Connections(20, 20), make)
    registry = {"registryId": ACCOUNT}
    questions: tuple[tuple[str, dict[str, Any]], ...] = (
        ("describe_images", WHERE),
        ("describe_repositories", registry),
        ("describe_pull_through_cache_rules", registry),
    )
    calls = [
        asyncio.ensure_future(getattr(ours, name)(**parameters)) for name, parameters in questions
    ]
    await until(lambda: made)
    assert (await ours.batch_get_image(**WHERE, imageIds=[{"imageTag": "1"}]))["images"]
    assert not any(each.done() for each in calls)
    may_end.set()
    for (name, parameters), mine in zip(questions, await asyncio.gather(*calls), strict=True):
        theirs = getattr(client, name)(**parameters)
        del mine["ResponseMetadata"], theirs["ResponseMetadata"]
        assert mine == theirs
    assert len(made) == 1
    sandbox.faults.add(Fault(Answer.DENIED))
    with pytest.raises(ClientError, match="AccessDeniedException"):
        await ours.describe_images(**WHERE)


@on_a_loop
async def test_a_client_of_boto3_that_could_not_be_made_is_made_for_the_next_call(
    sandbox: SandboxEcr, client: Any
) -> None:
    sandbox.registry(ACCOUNT, REGION).push(REPOSITORY, oci_image("web"), tag="1")
    results = iter([LookupError("words"), client])

    def make() -> Any:
        result = next(results)
        if isinstance(result, Exception):
            raise result
        return result

    ours = WireClient(client, Connections(20, 20), make)
    with pytest.raises(LookupError, match="words"):
        await ours.describe_images(**WHERE)
    for _ in range(2):
        assert (await ours.describe_images(**WHERE))["imageDetails"]


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


def test_the_protocol_is_that_of_botocores_model(client: Any) -> None:
    metadata = client.meta.service_model.metadata
    assert metadata["targetPrefix"] == wire._TARGET
    assert f"application/x-amz-json-{metadata['jsonVersion']}" == wire._CONTENT_TYPE
    operations = set(client.meta.service_model.operation_names)
    assert {"BatchGetImage", "BatchCheckLayerAvailability", "GetDownloadUrlForLayer"} <= operations


def test_botocore_still_has_its_private_signer(client: Any) -> None:
    assert list(inspect.signature(client._request_signer.sign).parameters)[:2] == [
        "operation_name",
        "request",
    ]
