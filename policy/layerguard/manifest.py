"""Manifests and indexes: from verified bytes to values.

JSON is read as Go's encoding/json reads it, which is what container runtimes use: of members whose
names differ in case only the later one counts, and a member of another type makes the whole
document unreadable.
"""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any
from urllib.parse import urlsplit

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
_LAYER_MEDIA_TYPES = ("application/vnd.oci.image.layer.", "application/vnd.docker.image.rootfs.")
# Configs of artifacts whose layers may have an image's types. Any other type may be an image's for
# containerd, which reads every config; only the config itself shows whether it is.
_ARTIFACT_CONFIGS = (
    *("application/vnd.buildkit.", "application/vnd.cncf.", "application/vnd.dev.cosign."),
    *("application/vnd.amazon.soci.", "application/vnd.oci.empty.", "application/vnd.in-toto"),
)
# What old registries answered, and Docker's engine therefore takes for an image's type. Source:
# moby/moby, "imageTypes" in distribution/registry.go.
_DOCKERS_MEDIA_TYPES = ("", "application/json", "application/octet-stream", "text/html")
# The members that are read; Go compares their names without case.
_MEMBERS = {
    name.casefold(): name
    for name in (
        *("schemaVersion", "mediaType", "manifests", "layers", "config", "digest", "size", "urls"),
        *("annotations", "artifactType", "platform", "os", "architecture", "variant", "os.version"),
        *("os.features", "rootfs", "diff_ids", "data"),
    )
}


class ManifestForm(Enum):
    """The four kinds of manifest that a runtime may be given."""

    OCI_INDEX = "an OCI index"
    DOCKER_LIST = "a Docker manifest list"
    OCI_MANIFEST = "an OCI manifest"
    DOCKER_MANIFEST = "a Docker manifest"

    @property
    def is_dockers(self) -> bool:
        """Whether the manifest itself has a media type of Docker's."""
        return self in (ManifestForm.DOCKER_LIST, ManifestForm.DOCKER_MANIFEST)


@dataclass(frozen=True, slots=True)
class Descriptor:
    """A pointer to content: its digest, media type and size in bytes, None if absent.

    ``urls`` are other places than the registry to download the content from, and ``content``
    the content itself where the descriptor holds it. Source: OCI image specification, "Content
    Descriptors".
    """

    digest: Digest
    media_type: str
    size: int | None
    platform: Platform | None = None
    urls: tuple[str, ...] = ()
    content: bytes | None = None
    is_attestation: bool = False

    @property
    def is_manifest(self) -> bool:
        """Whether the content is an image manifest or an index."""
        return self.media_type in (*INDEX_MEDIA_TYPES, *MANIFEST_MEDIA_TYPES)

    @property
    def is_image_config(self) -> bool:
        """Whether the content is the config of an image, which says what it runs on."""
        return self.media_type in CONFIG_MEDIA_TYPES

    @property
    def is_file_system(self) -> bool:
        """Whether runtimes unpack the content. Source: containerd, images.IsLayerType."""
        is_layer = self.media_type.startswith(_LAYER_MEDIA_TYPES)
        return is_layer and not self.media_type.endswith("+encrypted")


@dataclass(frozen=True, slots=True)
class Artifact:
    """Why a manifest is no container image; not ``certain`` where some runtimes run it.

    ``refutable`` where the type of its config is all that speaks against it: containerd runs it if
    the config's content is an image's.
    """

    reason: str
    certain: bool = True
    refutable: bool = False


@dataclass(frozen=True, slots=True)
class Manifest:
    """An image manifest: its config and its layers, in order, duplicates included."""

    config: Descriptor
    layers: tuple[Descriptor, ...]
    form: ManifestForm = ManifestForm.OCI_MANIFEST

    @property
    def descriptors(self) -> tuple[Descriptor, ...]:
        """What a runtime downloads: layers and config, duplicates included."""
        return tuple(each for each in (*self.layers, self.config) if each.content is None)

    @property
    def blobs(self) -> tuple[Descriptor, ...]:
        """What a runtime downloads: layers and config, each digest once."""
        return tuple({blob.digest: blob for blob in self.descriptors}.values())

    @property
    def artifact(self) -> Artifact | None:
        """Why this is no container image, going by its media types; None where it is one.

        Source: containerd, images.IsConfigType and images.IsLayerType, which its unpacker asks.
        """
        kind = self.config.media_type
        if kind.startswith("application/vnd.wasm."):
            return Artifact(
                f"It is a WebAssembly module (its config has the type {kind}), which only a "
                "runtime with a WebAssembly shim runs.",
                certain=False,
            )
        if not self.config.is_image_config:
            refutable = bool(self.layers) and all(each.is_file_system for each in self.layers)
            return Artifact(
                f"Its config has the type '{kind}', which is not that of an image.",
                certain=kind not in _DOCKERS_MEDIA_TYPES,
                refutable=refutable and not kind.startswith(_ARTIFACT_CONFIGS),
            )
        odd = dict.fromkeys(each.media_type for each in self.layers if not each.is_file_system)
        if not odd:
            return None
        types = ", ".join(f"'{each}'" for each in odd)
        if any(_may_be_unpacked(each) for each in self.layers):
            return Artifact(
                f"It has layers of the type {types}, which containerd does not unpack.",
                certain=False,
            )
        return Artifact(f"Its layers are of the type {types}, which no runtime unpacks.")

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
        """The children that some runtime may choose.

        No attestation, and nothing whose type or platform no runtime asks for.
        """
        return tuple(
            child
            for child in self.children
            if not child.is_attestation
            and (child.is_manifest or not child.media_type)
            and (child.platform is None or child.platform.is_runnable)
        )

    def choices(self, wanted: Platform) -> tuple[Descriptor, ...]:
        """Return the children that serve ``wanted``, the one that is taken first."""
        candidates = [child for child in self.children if not child.is_attestation]
        positions = wanted.choices([child.platform for child in candidates])
        return tuple(candidates[position] for position in positions)


@dataclass(frozen=True, slots=True)
class ImageConfig:
    """What is read of an image's config: its platform, and how many layers it lists.

    ``layer_count`` is None where the list is empty. Runtimes do not unpack such a config beside
    layers, but tools that only write manifests leave one behind.
    """

    platform: Platform | None
    layer_count: int | None = None


def parse_manifest(text: str, digest: Digest) -> Manifest | Index:
    """Return what ``text`` is, judged by its content and not by a media type beside it.

    Accepts Docker schema 2, OCI manifests, OCI indexes and Docker manifest lists.
    Raises DigestMismatch when the bytes do not hash to ``digest``, ManifestInvalid when they
    hash to it and still are nothing of the above.
    """
    _verify(text, digest, "manifest")
    document = _json(text, f"The manifest {digest}")
    try:
        match document:
            case {"manifests": [*children]}:
                _annotations(document)
                return Index(tuple(map(_child, children)), _form(document))
            case {"config": config}:
                _annotations(document)
                layers = _list(document, "layers")
                return Manifest(_config(config), tuple(map(_descriptor, layers)), _form(document))
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


def parse_config(text: str, digest: Digest) -> ImageConfig:
    """Return what the image config ``text`` says; text that is not JSON lists no layers.

    Raises DigestMismatch when the bytes do not hash to ``digest``. Source: OCI image
    specification, "Image Configuration".
    """
    _verify(text, digest, "config")
    try:
        document = _json(text, f"The config {digest}")
    except ManifestInvalid:
        return ImageConfig(None, 0)
    match document:
        case {"rootfs": {"diff_ids": [*layers]}}:
            return ImageConfig(Platform.of_config(document), len(layers) or None)
    return ImageConfig(Platform.of_config(document), 0)


def _verify(text: str, digest: Digest, what: str) -> None:
    actual = "sha256:" + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    if actual != digest.text:
        raise DigestMismatch(
            f"ECR's {what} for {digest} hashes to {actual}: these are not the image's bytes."
        )


def _json(text: str, what: str) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_as_go_decodes)
    except (ValueError, RecursionError) as error:
        raise ManifestInvalid(f"{what} is not JSON.") from error


def _as_go_decodes(members: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return the object of ``members``: names are compared without case, and objects merged."""
    document: dict[str, Any] = {}
    for written, value in members:
        name = _MEMBERS.get(written.casefold(), written)
        before = document.get(name)
        if isinstance(before, dict) and isinstance(value, dict):
            before.update(value)
        else:
            document[name] = value
    return document


def _form(document: dict[str, Any]) -> ManifestForm:
    """Tell the form by the media type inside: Docker's have one, OCI's may leave it out."""
    docker = _text(document, "mediaType").startswith("application/vnd.docker.")
    if "manifests" in document:
        return ManifestForm.DOCKER_LIST if docker else ManifestForm.OCI_INDEX
    return ManifestForm.DOCKER_MANIFEST if docker else ManifestForm.OCI_MANIFEST


def _descriptor(document: dict[str, Any]) -> Descriptor:
    _annotations(document)
    size = document.get("size")
    if isinstance(size, bool) or not isinstance(size, int | None):
        raise TypeError(f"the size {size!r} is not a number of bytes")
    digest = Digest.parse(document["digest"])
    return Descriptor(
        digest,
        _text(document, "mediaType"),
        size,
        urls=_urls(document),
        content=_content(_text(document, "data"), digest, size),
    )


def _urls(document: dict[str, Any]) -> tuple[str, ...]:
    """Return the URLs that runtimes use. Source: containerd, ``Fetch`` in docker/fetcher.go."""
    urls = _list(document, "urls")
    if not all(isinstance(each, str | None) for each in urls):
        raise TypeError("a URL is not a text")
    return tuple(each for each in urls if each and _is_http(each))


def _is_http(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)


def _content(data: str, digest: Digest, size: int | None) -> bytes | None:
    """Return ``data``, in base64, if it is the content itself, which is then not downloaded.

    Go's decoder, which skips line breaks, refuses a manifest in which it is not base64. Source: OCI
    image specification, "Embedded Content"; containerd, ``Fetch`` in handlers.go.
    """
    try:
        content = base64.b64decode(data.replace("\r", "").replace("\n", ""), validate=True)
    except ValueError as error:  # binascii.Error, or a character that is not of ASCII
        raise TypeError(f"the data is not base64: {error}") from error
    is_whole = bool(data) and len(content) == size
    is_it = is_whole and digest.text == "sha256:" + hashlib.sha256(content).hexdigest()
    return content if is_it else None


def _config(document: dict[str, Any]) -> Descriptor:
    return replace(_descriptor(document), platform=Platform.of_config(document.get("platform")))


def _child(document: dict[str, Any]) -> Descriptor:
    platform = Platform.of_index_entry(document.get("platform"))
    return replace(
        _descriptor(document),
        platform=platform,
        # buildx writes both on attestations; SOCI indexes and other artifacts have configs of
        # their own types, and an artifactType takes nothing away: containerd does not read it.
        is_attestation="vnd.docker.reference.type" in _annotations(document)
        or (platform is not None and platform.is_unknown),
    )


def _may_be_unpacked(layer: Descriptor) -> bool:
    """Tell whether some runtime may unpack ``layer``."""
    is_layer = layer.media_type.startswith(_LAYER_MEDIA_TYPES)
    return is_layer or layer.media_type in _DOCKERS_MEDIA_TYPES


def _text(document: dict[str, Any], name: str) -> str:
    value = document.get(name)
    if not isinstance(value, str | None):
        raise TypeError(f"{name} is {value!r}, which is not a text")
    return value or ""


def _list(document: dict[str, Any], name: str) -> list[Any]:
    value = document.get(name)
    if not isinstance(value, list | None):
        raise TypeError(f"{name} is {value!r}, which is not a list")
    return value or []


def _annotations(document: dict[str, Any]) -> dict[str, Any]:
    annotations = document.get("annotations")
    if annotations is None:
        return {}
    if not all(isinstance(value, str | None) for value in annotations.values()):
        raise TypeError("an annotation is not a text")
    return dict(annotations)
