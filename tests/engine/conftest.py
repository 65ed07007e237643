"""The real engine, the sandbox's ECR, and the pack as it would be published."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from layerguard_sandbox.ecr import SandboxEcr
from layerguard_sandbox.ecr.registry import Registry
from layerguard_sandbox.engine import Engine

Start = Callable[..., Engine]


@pytest.fixture
def registry(ecr: SandboxEcr) -> Registry:
    return ecr.registry("123456789012", "eu-west-1")


@pytest.fixture
def start(pack: Path, ecr: SandboxEcr) -> Iterator[Start]:
    """Start an engine for a program; the sandbox is its AWS unless ``environment`` names another."""
    with ExitStack() as engines:

        def start(
            program: Callable[[], None],
            environment: Mapping[str, str] | None = None,
            pack_config: Mapping[str, Any] | None = None,
        ) -> Engine:
            variables = ecr.environment if environment is None else environment
            return engines.enter_context(Engine(program, pack, variables, pack_config))

        yield start
