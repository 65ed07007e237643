"""A sandbox beside the client that asks it."""

from __future__ import annotations

import os
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


@pytest.fixture
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove what this machine has set for AWS, proxies and certificates."""
    for name in os.environ:
        if name.startswith("AWS_") or name.lower().endswith(("_proxy", "_ca_bundle")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
