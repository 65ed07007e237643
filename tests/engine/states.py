"""States of stacks, as ``pulumi stack export --show-secrets`` writes them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from tests.engine.programs import FUNCTION, inputs

_STACK = "urn:pulumi:dev::layerguard-sample::"
_AWS = "pulumi:providers:aws"
_NO_KINDS: Mapping[str, str] = {}


def provider(name: str, values: Mapping[str, object]) -> dict[str, object]:
    return _state(_AWS, name, values)


def user(
    name: str, image: str, provider: str = "default", kind: str = FUNCTION
) -> dict[str, object]:
    """Return a resource that uses an image."""
    made_by = f"{_STACK}{_AWS}::{provider}::1"
    return {**_state(kind, name, inputs(kind, image)), "provider": made_by}


def _state(kind: str, name: str, values: Mapping[str, object]) -> dict[str, object]:
    urn = f"{_STACK}{kind}::{name}"
    return {
        "urn": urn,
        "custom": True,
        "id": "1",
        "type": kind,
        "inputs": values,
        "outputs": values,
    }


def write_state(path: Path, *resources: Mapping[str, object]) -> Path:
    manifest = {"time": "2026-01-01T00:00:00Z", "magic": "", "version": "v3"}
    deployment = {"manifest": manifest, "resources": resources}
    path.write_text(json.dumps({"version": 3, "deployment": deployment}))
    return path


def state_of(images: Mapping[str, str], path: Path, kinds: Mapping[str, str] = _NO_KINDS) -> Path:
    """Write a state with a user for each image: a function, unless ``kinds`` names another type."""
    users = (user(name, image, kind=kinds.get(name, FUNCTION)) for name, image in images.items())
    return write_state(path, provider("default", {}), *users)
