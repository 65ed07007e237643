"""Requests are those of boto3's own client: URL, headers and body, in every region."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from botocore.exceptions import BotoCoreError, EndpointVariantError
from botocore.loaders import Loader
from layerguard.registry.connections import Connections, Reply
from layerguard.registry.wire import WireClient

PARTITIONS = Loader().load_data("partitions")["partitions"]
# Names without a number stand for a whole partition.
REGIONS = sorted(
    region for each in PARTITIONS for region in each["regions"] if re.search(r"-\d+$", region)
)
PARAMETERS = {
    "registryId": "123456789012",
    "repositoryName": "shop/web",
    "layerDigests": [f"sha256:{'0' * 64}"],
}
# What differs, and why: the time of the signature, which is part of it; how often a client itself
# has tried; the length, which botocore's session adds; and the features of the client.
OF_EACH_REQUEST = (
    *("x-amz-date", "amz-sdk-invocation-id", "amz-sdk-request", "user-agent", "content-length"),
)


class Recorder(Connections):
    """Records what is sent, and answers with nothing."""

    def __init__(self) -> None:
        super().__init__(1, 1)
        self.sent: list[tuple[object, ...]] = []

    async def send(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes = b"",
        most: int | None = None,  # noqa: ARG002 - the parameter's name
    ) -> Reply:
        self.sent.append(comparable(method, url, headers, body))
        return Reply(200, b"{}")


def comparable(
    method: str, url: str, headers: Mapping[str, str | bytes], body: bytes
) -> tuple[object, ...]:
    """Return what must be the same; of the signature, what is signed and for which region."""
    texts = {
        name.lower(): value if isinstance(value, str) else value.decode()
        for name, value in headers.items()
    }
    shown = {name: value for name, value in texts.items() if name not in OF_EACH_REQUEST}
    authorization = re.sub("Signature=.*|/[0-9]{8}/", "", shown.pop("authorization"))
    signed = set(re.split("SignedHeaders=|[;, ]+", authorization)) - {*OF_EACH_REQUEST, ""}
    return method, url, shown, signed, body


@pytest.mark.parametrize("fips", [False, True])
@pytest.mark.parametrize("dual_stack", [False, True])
def test_every_region_is_asked_as_boto3_asks_it(*, fips: bool, dual_stack: bool) -> None:
    session = boto3.Session("AKIAIOSFODNN7EXAMPLE", "the-secret-key", "the-session-token")
    config = Config(use_fips_endpoint=fips, use_dualstack_endpoint=dual_stack)
    asked = 0
    for region in REGIONS:
        theirs: list[tuple[object, ...]] = []

        def record(request: Any, theirs: list[tuple[object, ...]] = theirs, **_: Any) -> Any:
            theirs.append(comparable(request.method, request.url, request.headers, request.body))
            return AWSResponse(request.url, 200, {}, Answered())

        try:
            client = session.client("ecr", region_name=region, config=config)
        except EndpointVariantError:  # neither boto3 nor Layerguard can make a client
            continue
        client.meta.events.register("before-send.ecr", record)
        try:
            client.batch_check_layer_availability(**PARAMETERS)
        except BotoCoreError as error:
            with pytest.raises(type(error)):
                WireClient(client, Recorder(), lambda: None)
            continue
        recorder = Recorder()
        ours = WireClient(client, recorder, lambda: None)
        asyncio.run(ours.batch_check_layer_availability(**PARAMETERS))
        assert recorder.sent == theirs, region
        asked += 1
        client.close()
    assert len(REGIONS) > 40
    assert asked > 30


class Answered:
    """The body of an answer."""

    def stream(self, **_: Any) -> list[bytes]:
        return [b"{}"]
