"""States of stacks as the engine writes them, and what was read of a text."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from layerguard.discovery import ImageUse
from layerguard.reference import ImageReference
from layerguard_cli.sources.recognition import read_bytes
from layerguard_cli.sources.source import Source

RECORDED = Path(__file__).parent / "recorded"
HOST = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"
FUNCTION = "aws:lambda/function:Function"
SIGNATURE = "4dabf18193072939515e22adb298388d"
SECRET = "1b47061264138c4ac30d75fd1eb44270"


def read(content: str | bytes | Any, environment: Mapping[str, str] | None = None) -> Source:
    """What is read of a text, of bytes, or of a value as JSON."""
    if not isinstance(content, (str, bytes)):
        content = json.dumps(content)
    content = content.encode() if isinstance(content, str) else content
    return read_bytes("the place", content, environment or {})


def recorded(name: str) -> Source:
    return read((RECORDED / name).read_bytes())


def urn(name: str, token: str = FUNCTION) -> str:
    return f"urn:pulumi:dev::shop::{token}::{name}"


def state(name: str, image: object, **more: Any) -> dict[str, Any]:
    """The state of a Lambda function."""
    inputs = {"packageType": "Image", "imageUri": image}
    return {"urn": urn(name), "custom": True, "type": FUNCTION, "inputs": inputs, **more}


def export(*resources: Any, version: int = 3) -> dict[str, Any]:
    return {"version": version, "deployment": {"resources": list(resources)}}


def summary_of(use: ImageUse) -> str:
    """``NAME PATH: REFERENCE``, or the code of the verdict if there is one before any question."""
    name = use.urn.rpartition("::")[2]
    target = use.identity_unknown or use.target
    if isinstance(target, ImageReference):
        what = f"{target.repository.name}:{target.image_id.tag}"
    else:
        what = target.code.text
    return f"{name} {use.path}: {what}".strip()
