"""Manifests and indexes: from verified bytes to values."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

from layerguard.errors import DigestMismatch, ManifestInvalid, ReferenceInvalid
from layerguard.platform import Platform
from layerguard.reference import Digest

INDEX_MEDIA_TYPES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
MANIFEST_MEDIA_TYPES = (
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
CONFIG_MEDIA_TYPES = (
    "application/vnd.oci.image.config.v1+json",
    "application/vnd.docker.container.image.v1+json",
)


class ManifestForm(Enum):
    """The four kinds of manifest that a runtime may be given."""

    OCI_INDEX = "an OCI index"
    DOCKER_LIST = "a Docker manifest list"
    OCI_MANIFEST = "an OCI manifest"
    DOCKER_MANIFEST = "a Docker manifest"


@dataclass(frozen=True, slots=True)
class Descriptor:
    """A pointer to content: its digest, media type and size in bytes.

    Source: OCI image specification, "Content Descriptors".
    """

    digest: Digest
    media_type: str
    size: int | None
    platform: Platform | None = None
    runnable: bool = True

    @property
    def is_image_config(self) -> bool:
        """Whether the content is the config of an image, which says what it runs on."""
        return self.media_type in CONFIG_MEDIA_TYPES

    @property
    def is_foreign(self) -> bool:
        """Whether a registry never holds the content: foreign and non-distributable layers."""
        return "foreign" in self.media_type or "nondistributable" in self.media_type


@dataclass(frozen=True, slots=True)
class Manifest:
    """An image manifest: its config and its layers, in order, duplicates included."""

    config: Descriptor
    layers: tuple[Descriptor, ...]
    form: ManifestForm = ManifestForm.OCI_MANIFEST

    @property
    def blobs(self) -> tuple[Descriptor, ...]:
        """Everything that must be in the registry: layers and config, each digest once."""
        wanted = (*(layer for layer in self.layers if not layer.is_foreign), self.config)
        return tuple({blob.digest: blob for blob in wanted}.values())

    @property
    def compressed(self) -> int:
        """How many bytes a pull takes at least: each layer once, those of a known size."""
        return sum({layer.digest: layer.size or 0 for layer in self.layers}.values())


@dataclass(frozen=True, slots=True)
class Index:
    """An image index or Docker manifest list."""

    children: tuple[Descriptor, ...]
    form: ManifestForm = ManifestForm.OCI_INDEX

    @property
    def runnable(self) -> tuple[Descriptor, ...]:
        """The children that a runtime may choose: no attestations and no artifacts."""
        return tuple(child for child in self.children if child.runnable)


def parse_manifest(text: str, digest: Digest) -> Manifest | Index:
    """Return what ``text`` is, judged by its content and not by a media type beside it.

    Accepts Docker schema 2, OCI manifests, OCI indexes and Docker manifest lists.
    Raises DigestMismatch when the bytes do not hash to ``digest``, ManifestInvalid when they
    hash to it and still are nothing of the above.
    """
    _verify(text, digest, "manifest")
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ManifestInvalid(f"The manifest {digest} is not JSON.") from error
    try:
        match document:
            case {"manifests": [*children]}:
                return Index(tuple(_child(child) for child in children), _form(document))
            case {"layers": [*layers], "config": config}:
                return Manifest(
                    _config(config),
                    tuple(_descriptor(each) for each in layers),
                    _form(document),
                )
            case {"schemaVersion": 1}:
                raise ManifestInvalid(
                    f"The manifest {digest} has Docker's schema 1, which lists no layer digests "
                    "that can be checked."
                )
    except (KeyError, TypeError, AttributeError, ReferenceInvalid) as error:
        raise ManifestInvalid(
            f"The manifest {digest} has a descriptor that cannot be read: {error}"
        ) from error
    raise ManifestInvalid(f"The manifest {digest} is neither an image manifest nor an index.")


def parse_config(text: str, digest: Digest) -> Platform | None:
    """Return the platform in the image config ``text``; None where it does not say one.

    Raises DigestMismatch when the bytes do not hash to ``digest``, ManifestInvalid when they
    are not JSON. Source: OCI image specification, "Image Configuration".
    """
    _verify(text, digest, "config")
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ManifestInvalid(f"The config {digest} is not JSON.") from error
    return Platform.of_config(document)


def _verify(text: str, digest: Digest, what: str) -> None:
    actual = "sha256:" + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    if actual != digest.text:
        raise DigestMismatch(
            f"ECR's {what} for {digest} hashes to {actual}: these are not the image's bytes."
        )


def _form(document: dict[str, Any]) -> ManifestForm:
    """Tell the form by the media type inside: Docker's have one, OCI's may leave it out."""
    docker = str(document.get("mediaType", "")).startswith("application/vnd.docker.")
    if "manifests" in document:
        return ManifestForm.DOCKER_LIST if docker else ManifestForm.OCI_INDEX
    return ManifestForm.DOCKER_MANIFEST if docker else ManifestForm.OCI_MANIFEST


def _descriptor(document: dict[str, Any]) -> Descriptor:
    size = document.get("size")
    return Descriptor(
        Digest.parse(document["digest"]),
        str(document.get("mediaType", "")),
        size if isinstance(size, int) else None,
    )


def _config(document: dict[str, Any]) -> Descriptor:
    return replace(_descriptor(document), platform=Platform.of_config(document.get("platform")))


def _child(document: dict[str, Any]) -> Descriptor:
    plain = _descriptor(document)
    platform = Platform.of_index_entry(document.get("platform"))
    annotations = document.get("annotations") or {}
    return Descriptor(
        plain.digest,
        plain.media_type,
        plain.size,
        platform,
        # buildx writes unknown/unknown and the annotation on attestations; artifacts (signatures,
        # SOCI indexes) carry an artifactType or a media type that is no image's.
        runnable=not (
            (platform is not None and platform.is_unknown)
            or "vnd.docker.reference.type" in annotations
            or "artifactType" in document
            or plain.media_type not in ("", *INDEX_MEDIA_TYPES, *MANIFEST_MEDIA_TYPES)
        ),
    )
