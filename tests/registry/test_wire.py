"""The wire: what boto3's client of ECR says and hears, in half of its time."""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

import boto3
import botocore.session
import pytest
from botocore.config import Config
from botocore.credentials import DeferredRefreshableCredentials, RefreshableCredentials
from botocore.exceptions import ClientError
from botocore.parsers import ResponseParserError
from layerguard.registry import wire
from layerguard.registry.connections import Connections
from layerguard.registry.wire import WireClient
from layerguard_sandbox.ecr import Answer, Fault, Keys, SandboxEcr, oci_image

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
async def test_every_question_gets_the_answer_that_boto3_gets(
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
    said = await ours.get_download_url_for_layer(**WHERE, layerDigest=pushed.configs[0])
    assert said["downloadUrl"].startswith(sandbox.endpoint)


@on_a_loop
async def test_what_is_asked_seldom_goes_through_one_client_of_boto3_and_does_not_stop_the_loop(
    sandbox: SandboxEcr, client: Any
) -> None:
    sandbox.registry(ACCOUNT, REGION).push(REPOSITORY, oci_image("web"), tag="1")
    made: list[Any] = []
    may_end = threading.Event()

    def seldom() -> Any:
        made.append(client)
        assert may_end.wait(30)
        return client

    ours = WireClient(client, Connections(20, 20), seldom)
    here = {"registryId": ACCOUNT}
    questions: tuple[tuple[str, dict[str, Any]], ...] = (
        ("describe_images", WHERE),
        ("describe_repositories", here),
        ("describe_pull_through_cache_rules", here),
    )
    asked = [
        asyncio.ensure_future(getattr(ours, name)(**parameters)) for name, parameters in questions
    ]
    await until(lambda: made)
    assert (await ours.batch_get_image(**WHERE, imageIds=[{"imageTag": "1"}]))["images"]
    assert not any(each.done() for each in asked)
    may_end.set()
    for (name, parameters), mine in zip(questions, await asyncio.gather(*asked), strict=True):
        theirs = getattr(client, name)(**parameters)
        del mine["ResponseMetadata"], theirs["ResponseMetadata"]
        assert mine == theirs
    assert len(made) == 1
    sandbox.faults.add(Fault(Answer.DENIED))
    with pytest.raises(ClientError, match="AccessDeniedException"):
        await ours.describe_images(**WHERE)


@on_a_loop
async def test_a_client_for_what_is_asked_seldom_that_could_not_be_made_is_made_the_next_time(
    sandbox: SandboxEcr, client: Any
) -> None:
    sandbox.registry(ACCOUNT, REGION).push(REPOSITORY, oci_image("web"), tag="1")
    turns = iter([LookupError("words"), client])

    def seldom() -> Any:
        turn = next(turns)
        if isinstance(turn, Exception):
            raise turn
        return turn

    ours = WireClient(client, Connections(20, 20), seldom)
    with pytest.raises(LookupError, match="words"):
        await ours.describe_images(**WHERE)
    for _ in range(2):
        assert (await ours.describe_images(**WHERE))["imageDetails"]


@on_a_loop
async def test_it_asks_as_who_the_client_asks_and_names_itself_as_the_client_does(
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
    told = [
        (said["Error"], said["ResponseMetadata"]["HTTPStatusCode"])
        for said in (theirs.value.response, mine.value.response)
    ]
    assert told[0] == told[1]


@pytest.mark.parametrize("answer", [Answer.HTML, Answer.TRUNCATED])
@on_a_loop
async def test_what_is_no_answer_of_ecrs_is_an_error_where_boto3_hears_nothing(
    sandbox: SandboxEcr, ours: WireClient, answer: Answer
) -> None:
    sandbox.registry(ACCOUNT, REGION).push(REPOSITORY, oci_image("web"), tag="1")
    sandbox.faults.add(Fault(answer))
    with pytest.raises(ResponseParserError, match="the answer to BatchGetImage is not a JSON"):
        await ours.batch_get_image(**WHERE, imageIds=[{"imageTag": "1"}])


class Source:
    """Where temporary credentials come from: it is silent until it may speak."""

    def __init__(self, keys: Keys) -> None:
        self.asked = 0
        self.may_speak = threading.Event()
        self._keys = keys

    def load_credentials(self) -> DeferredRefreshableCredentials:
        """Return the credentials; botocore asks this for them when a session is new."""
        return DeferredRefreshableCredentials(self._speak, "test")

    def _speak(self) -> dict[str, Any]:
        self.asked += 1
        assert self.may_speak.wait(30)
        return {
            "access_key": self._keys.access_key,
            "secret_key": self._keys.secret_key,
            "token": self._keys.token,
            "expiry_time": (datetime.now(timezone.utc) + timedelta(hours=1)).isoformat(),
        }


@on_a_loop
async def test_credentials_that_must_be_asked_for_first_do_not_stop_the_loop(
    sandbox: SandboxEcr, ours: WireClient
) -> None:
    sandbox.registry(ACCOUNT, REGION).push(REPOSITORY, oci_image("web"), tag="1")
    role = sandbox.principals.add_role(ACCOUNT, "reader")
    source = Source(
        sandbox.principals.assume(sandbox.keys, {"RoleArn": role, "RoleSessionName": "run"})
    )
    session = botocore.session.Session()
    session.register_component("credential_provider", source)
    client = session.create_client("ecr", region_name=REGION, endpoint_url=sandbox.endpoint)
    theirs = WireClient(client, Connections(20, 20), lambda: client)
    image = {"imageIds": [{"imageTag": "1"}]}
    asked = [asyncio.ensure_future(theirs.batch_get_image(**WHERE, **image)) for _ in range(10)]
    await until(lambda: source.asked)
    assert (await ours.batch_get_image(**WHERE, **image))["images"]
    assert not any(each.done() for each in asked)
    source.may_speak.set()
    for answer in await asyncio.gather(*asked):
        assert answer["images"]
    await theirs.batch_get_image(**WHERE, **image)
    assert source.asked == 1
    mine, *others = (request.principal for request in sandbox.requests)
    assert mine == sandbox.keys.arn
    assert others == [f"arn:aws:sts::{ACCOUNT}:assumed-role/reader/run"] * 11


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


def test_the_signer_still_has_the_credentials_that_say_whether_they_must_be_renewed(
    sandbox: SandboxEcr,
) -> None:
    source = Source(sandbox.keys)
    session = botocore.session.Session()
    session.register_component("credential_provider", source)
    client = session.create_client("ecr", region_name=REGION, endpoint_url=sandbox.endpoint)
    credentials = client._request_signer._credentials
    assert isinstance(credentials, RefreshableCredentials)
    assert credentials.refresh_needed()
    assert not source.asked
    source.may_speak.set()
    credentials.get_frozen_credentials()
    assert not credentials.refresh_needed()
