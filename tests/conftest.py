"""The pack as it would be published, and an environment without credentials."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

# Its pytest plugin would import it at the very end, while threads of an engine still compile, and
# Python 3.11 cannot parse in two threads at once (gh-106905).
import hypothesis  # noqa: F401
import pytest
from layerguard_sandbox.engine import ROOT


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
def nobody() -> Mapping[str, str]:
    """An environment in which there are no AWS credentials to be found."""
    return {
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ENDPOINT_URL_ECR": "http://127.0.0.1:1",
    }
