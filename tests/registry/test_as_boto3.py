"""Requests are those of boto3's own client: host, path, headers and body, in every region."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator, Mapping
from itertools import product
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError
from botocore.loaders import Loader
from layerguard.identity import Identity, StaticKeys
from layerguard.reference import Repository
from layerguard.registry import LayerAnswer, RegistryError
from layerguard.registry.clients import Clients
from layerguard.registry.ecr import Ecr
from layerguard.verdict import Code

from tests.fakes import digest_of
from tests.registry.certificates import certificate
from tests.registry.raw_server import RawServer, Request
from tests.registry.test_transport import WHOLE, sends

pytestmark = pytest.mark.usefixtures("no_settings")
ACCOUNT, LAYER = "123456789012", digest_of("layer")
KEYS = StaticKeys("AKIAIOSFODNN7EXAMPLE", "the-secret-key", "the-session-token")
PARTITIONS = Loader().load_data("partitions")["partitions"]
REGIONS = [
    (region, suffix)
    for partition in PARTITIONS
    for region in partition["regions"]
    if re.search(r"-\d+$", region)  # otherwise it stands for the whole partition
    for suffix in {partition["outputs"]["dnsSuffix"], partition["outputs"]["dualStackDnsSuffix"]}
]
# What differs, and why: the time of the signature, which is part of it; how often the client itself
# has tried, where Layerguard counts its own tries; and the features of the client.
OF_EACH_REQUEST = ("x-amz-date", "amz-sdk-invocation-id", "amz-sdk-request", "user-agent")


@pytest.fixture(scope="module")
def every_host(tmp_path_factory: pytest.TempPathFactory) -> Path:
    names = ("api.ecr", "ecr", "ecr-fips", "api.ecr-fips")
    hosts = [f"{name}.{region}.{suffix}" for name, (region, suffix) in product(names, REGIONS)]
    return certificate(tmp_path_factory.mktemp("tls"), "127.0.0.1", *hosts)


@pytest.fixture
def proxy(every_host: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RawServer]:
    """A proxy that answers in the place of every host."""
    monkeypatch.setenv("AWS_CA_BUNDLE", str(every_host))
    with RawServer(sends(WHOLE), tls=every_host, is_proxy=True) as made:
        monkeypatch.setenv("HTTPS_PROXY", made.url)
        monkeypatch.setenv("HTTP_PROXY", made.url)
        yield made


def comparable(request: Request) -> tuple[object, ...]:
    """Return what must be the same; of the signature, what is signed and for which region."""
    headers = {
        name: value for name, value in request.headers.items() if name not in OF_EACH_REQUEST
    }
    authorization = re.sub("Signature=.*|/[0-9]{8}/", "", headers.pop("authorization"))
    signed = set(re.split("SignedHeaders=|[;, ]+", authorization)) - {*OF_EACH_REQUEST, ""}
    return request.tunnel, request.line, headers, signed, request.body


def boto3_session() -> boto3.Session:
    return boto3.Session(KEYS.access_key, KEYS.secret_key, KEYS.token)


def posted(proxy: RawServer) -> list[Request]:
    requests = [each for each in proxy.requests if each.line.startswith("POST ")]
    proxy.requests.clear()
    return requests


def assert_same(
    proxy: RawServer, ecr: Ecr, session: boto3.Session, region: str, **options: Any
) -> bool:
    """Ask as both; return whether boto3 has an endpoint to ask.

    ``options`` are those of the client of ``session``.
    """
    repository = Repository(ACCOUNT, region, "shop/web")
    answer = asyncio.run(ecr.layers(repository, [LAYER]))[LAYER]
    mine = posted(proxy)
    try:
        client = session.client("ecr", region_name=region, **options)
        client.batch_check_layer_availability(
            repositoryName="shop/web", layerDigests=[str(LAYER)], registryId=ACCOUNT
        )
        client.close()
    except BotoCoreError as error:
        assert isinstance(answer, RegistryError), error
        assert str(error).rstrip(": ") in str(answer)
        assert answer.code is Code.UNREACHABLE
        assert not mine
        return False
    assert isinstance(answer, LayerAnswer), answer
    assert list(map(comparable, mine)) == list(map(comparable, posted(proxy)))
    return True


@pytest.mark.parametrize("fips", [False, True])
@pytest.mark.parametrize("dual_stack", [False, True])
def test_every_region_is_asked_as_boto3_asks_it(
    proxy: RawServer, *, fips: bool, dual_stack: bool
) -> None:
    identity = Identity(keys=KEYS, use_fips=fips, use_dual_stack=dual_stack)
    config = Config(use_fips_endpoint=fips, use_dualstack_endpoint=dual_stack)
    regions = {region for region, _ in REGIONS}
    ecr, session = Ecr(Clients(identity)), boto3_session()
    asked = [each for each in regions if assert_same(proxy, ecr, session, each, config=config)]
    assert len(regions) > 40
    assert len(asked) > 30


PROFILE = """[default]
services = mine
use_fips_endpoint = true
[services mine]
ecr =
  endpoint_url = http://registry.example:8080/of/the/profile
"""


@pytest.mark.parametrize(
    "variables",
    [
        {"AWS_ENDPOINT_URL": "http://registry.example"},
        {"AWS_ENDPOINT_URL": "http://one.example", "AWS_ENDPOINT_URL_ECR": "http://two.example/"},
        {"AWS_ENDPOINT_URL_ECR": "http://registry.example:8080/some/path"},
        {"AWS_ENDPOINT_URL_ECR": "http://registry.example:8080/some/path/"},
        {"AWS_USE_FIPS_ENDPOINT": "true"},
        {"AWS_USE_DUALSTACK_ENDPOINT": "true"},
        {"AWS_CONFIG_FILE": PROFILE},
        {"AWS_CONFIG_FILE": PROFILE, "AWS_ENDPOINT_URL_ECR": "http://registry.example"},
        {"AWS_CONFIG_FILE": PROFILE, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"},
    ],
)
def test_endpoints_of_the_environment_and_of_profiles_are_those_of_boto3(
    proxy: RawServer,
    variables: Mapping[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in variables.items():
        if value is PROFILE:
            (tmp_path / "config").write_text(value)
        monkeypatch.setenv(name, str(tmp_path / "config") if value is PROFILE else value)
    assert assert_same(proxy, Ecr(Clients(Identity(keys=KEYS))), boto3_session(), "us-east-1")


@pytest.mark.parametrize("url", ["http://registry.example:8080/some/path", "https://127.0.0.1"])
def test_the_endpoint_of_an_identity_takes_precedence(
    proxy: RawServer, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_ECR", "http://another.example")
    ecr = Ecr(Clients(Identity(keys=KEYS, ecr_endpoint=url)))
    assert assert_same(proxy, ecr, boto3_session(), "eu-west-1", endpoint_url=url)
