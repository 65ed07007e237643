"""A sandbox beside the client that asks it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from layerguard_sandbox.ecr import Pushed, SandboxEcr, oci_image


@pytest.fixture
def sandbox() -> Iterator[SandboxEcr]:
    with SandboxEcr() as sandbox:
        yield sandbox


@pytest.fixture
def pushed(sandbox: SandboxEcr) -> Pushed:
    registry = sandbox.registry("123456789012", "eu-west-1")
    return registry.push("shop/web", oci_image("web"), tag="1")
