"""A sandbox with images in it."""

from __future__ import annotations

import pytest
from layerguard_sandbox.ecr import SandboxEcr, fill


@pytest.fixture
def ecr(ecr: SandboxEcr) -> SandboxEcr:
    fill(ecr)
    return ecr
