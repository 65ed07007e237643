"""The images of the benchmark: true manifests and configs, and layers that are digests only."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from enum import Enum
from typing import Any

ACCOUNT, REGION = "123456789012", "eu-west-1"
HOST = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com"
LAYERS = 20
SHARED_LAYERS = 10
IMAGES_PER_REPOSITORY = 10

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
LAYER_BYTES = 4_000_000


class Layout(Enum):
    """What images have in common."""

    OWN = "own"
    """Each image has a repository and all of its layers to itself."""

    SHARED = "shared"
    """Ten images a repository, and half of the layers of all of them are the same."""

    INDEX = "index"
    """As OWN, but each image is an index of two platforms, with layers of their own."""

    FUNCTION = "function"
    """As OWN, but what uses the images runs on a known platform, as functions of Lambda do."""


@dataclass(frozen=True, slots=True)
class StoredManifest:
    """A manifest or an index as a registry stores it."""

    text: str
    media_type: str

    @property
    def digest(self) -> str:
        """The digest of its bytes."""
        return sha256(self.text.encode())


@dataclass(frozen=True, slots=True)
class Image:
    """An image under its one tag: the manifest of the tag first, then those it lists."""

    repository: str
    tag: str
    manifests: tuple[StoredManifest, ...]
    layers: tuple[str, ...]
    configs: tuple[bytes, ...]

    @property
    def reference(self) -> str:
        """What a resource names."""
        return f"{HOST}/{self.repository}:{self.tag}"


def sha256(content: bytes) -> str:
    """Return the digest of ``content``."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def make_image(number: int, layout: Layout) -> Image:
    """Make an image; the same arguments make the same one on every machine."""
    group = number if layout is not Layout.SHARED else number // IMAGES_PER_REPOSITORY
    repository, tag = f"bench-{layout.value}/app{group}", f"1.{number}"
    shared = SHARED_LAYERS if layout is Layout.SHARED else 0
    if layout is not Layout.INDEX:
        manifest, layers, config = _single(f"{layout.value} {number}", "amd64", shared)
        return Image(repository, tag, (manifest,), layers, (config,))
    platforms = ("amd64", "arm64")
    children = [_single(f"index {number} {each}", each, 0) for each in platforms]
    listed = [
        _descriptor(manifest.media_type, manifest.digest, len(manifest.text))
        | {"platform": {"architecture": architecture, "os": "linux"}}
        for architecture, (manifest, _, _) in zip(platforms, children, strict=True)
    ]
    index = StoredManifest(
        _json({"schemaVersion": 2, "mediaType": INDEX, "manifests": listed}), INDEX
    )
    return Image(
        repository,
        tag,
        (index, *(manifest for manifest, _, _ in children)),
        tuple(layer for _, layers, _ in children for layer in layers),
        tuple(config for _, _, config in children),
    )


def _single(
    name: str, architecture: str, shared: int
) -> tuple[StoredManifest, tuple[str, ...], bytes]:
    layers = tuple(
        sha256(f"base {depth}".encode() if depth < shared else f"{name} {depth}".encode())
        for depth in range(LAYERS)
    )
    config = _json(
        {
            "architecture": architecture,
            "os": "linux",
            "config": {"Env": ["PATH=/usr/local/bin:/usr/bin:/bin"], "Entrypoint": [f"/{name}"]},
            "rootfs": {"type": "layers", "diff_ids": [sha256(each.encode()) for each in layers]},
        }
    ).encode()
    document = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": _descriptor(CONFIG, sha256(config), len(config)),
        "layers": [_descriptor(LAYER, layer, LAYER_BYTES) for layer in layers],
    }
    return StoredManifest(_json(document), MANIFEST), layers, config


def _descriptor(media_type: str, digest: str, size: int) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": digest, "size": size}


def _json(document: object) -> str:
    return json.dumps(document, separators=(",", ":"))
