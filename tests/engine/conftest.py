"""The real engine, the sandbox's ECR, and the pack as it would be published."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from sandbox.ecr import SandboxEcr
from sandbox.ecr.registry import Registry
from sandbox.engine import ROOT, Engine

Start = Callable[..., Engine]


@pytest.fixture(scope="session")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of policy/ alone, under another name, as `pulumi policy publish` leaves it.

    Its virtual environment is policy/venv, which has policy/requirements.txt and nothing else.
    """
    copy = tmp_path_factory.mktemp("published") / "package"
    ignored = shutil.ignore_patterns("venv", "__pycache__", "*.egg-info")
    shutil.copytree(ROOT / "policy", copy, ignore=ignored)
    (copy / "venv").symlink_to(ROOT / "policy" / "venv", target_is_directory=True)
    return copy


@pytest.fixture
def ecr() -> Iterator[SandboxEcr]:
    with SandboxEcr() as ecr:
        yield ecr


@pytest.fixture
def registry(ecr: SandboxEcr) -> Registry:
    return ecr.registry("123456789012", "eu-west-1")


@pytest.fixture
def nobody() -> Mapping[str, str]:
    """An environment in which there are no AWS credentials to be found."""
    return {
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ENDPOINT_URL_ECR": "http://127.0.0.1:1",
    }


@pytest.fixture
def start(pack: Path, ecr: SandboxEcr) -> Iterator[Start]:
    """Start an engine for a program; the sandbox's ECR is its AWS unless told otherwise."""
    with ExitStack() as engines:

        def start(
            program: Callable[[], None],
            environment: Mapping[str, str] | None = None,
            pack_config: Mapping[str, Any] | None = None,
        ) -> Engine:
            variables = ecr.environment if environment is None else environment
            return engines.enter_context(Engine(program, pack, variables, pack_config))

        yield start
