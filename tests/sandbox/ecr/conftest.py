"""A sandbox, its samples, and boto3 pointed at it by the environment that it gives."""

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import boto3
import pytest
from layerguard_sandbox.ecr import Registry, Samples, SandboxEcr, fill

ACCOUNT = "123456789012"
REGION = "eu-west-1"

Connect = Callable[..., Any]


_session = cache(boto3.session.Session)  # loads the API models once; reads the environment late


@pytest.fixture
def ecr(aws: SandboxEcr) -> SandboxEcr:
    return aws


@pytest.fixture
def connect(ecr: SandboxEcr) -> Iterator[Connect]:  # noqa: ARG001 - it must run, and end after us
    """Make clients: `connect("ecr", region_name=...)`."""
    clients = []

    def connect_to(service: str = "ecr", **options: Any) -> Any:
        client = _session().client(service, **options)
        clients.append(client)
        return client

    yield connect_to
    for client in clients:
        client.close()


@pytest.fixture
def client(connect: Connect) -> Any:
    return connect()


@pytest.fixture
def registry(ecr: SandboxEcr) -> Registry:
    return ecr.registry(ACCOUNT, REGION)


@pytest.fixture
def samples(ecr: SandboxEcr) -> Samples:
    return fill(ecr, ACCOUNT, REGION)
