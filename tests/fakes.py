"""A registry in memory, for tests of logic, and small manifests to put into it."""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from layerguard.discovery import ImageUse
from layerguard.identity import Identity
from layerguard.platform import Platform
from layerguard.reference import Digest, ImageId, ImageReference, Repository
from layerguard.registry import (
    Availability,
    ImageAnswer,
    ImageListing,
    LayerAnswer,
    ListedImage,
    RegistryError,
    RepositoryNames,
)
from layerguard.registry.threads import on_a_thread
from layerguard.verdict import Code, Verdict

from tests.processes import PATIENCE

OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
OCI_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
HOST = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"
WEB = Repository("123456789012", "eu-west-1", "shop/web")


def digest_of(text: str) -> Digest:
    return Digest("sha256:" + hashlib.sha256(text.encode()).hexdigest())


def reference(rest: str = "shop/web:1") -> ImageReference:
    parsed = ImageReference.parse(f"{HOST}/{rest}")
    assert parsed is not None
    return parsed


def use(
    target: ImageReference | Verdict | str = "shop/web:1",
    platform: Platform | None = None,
    container: str | None = None,
) -> ImageUse:
    if isinstance(target, str):
        target = reference(target)
    text = target.text if isinstance(target, ImageReference) else None
    return ImageUse("urn", "type", "path", container, text, target, platform)


def descriptor(content: str, media_type: str = OCI_LAYER, **more: Any) -> dict[str, Any]:
    return {
        "mediaType": media_type,
        "digest": str(digest_of(content)),
        "size": len(content),
        **more,
    }


@dataclass(frozen=True)
class Document:
    """A manifest or an index, and what points to it from an index."""

    text: str
    media_type: str

    @property
    def digest(self) -> Digest:
        return digest_of(self.text)

    def child(self, platform: str | None = None, **more: Any) -> dict[str, Any]:
        entry = descriptor(self.text, self.media_type, **more)
        if platform:
            os, architecture = platform.split("/")
            entry["platform"] = {"os": os, "architecture": architecture}
        return entry


def manifest(*layers: str, config: str = "config") -> Document:
    document = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": descriptor(config, OCI_CONFIG),
        "layers": [descriptor(layer) for layer in layers],
    }
    return Document(json.dumps(document), OCI_MANIFEST)


def index(*children: dict[str, Any]) -> Document:
    document = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": list(children)}
    return Document(json.dumps(document), OCI_INDEX)


class FakeRegistry:
    """Answers from memory: what was put in is there, every layer is available until lost.

    A stand-in for ``layerguard.registry.ecr.Ecr``. Every call takes ``latency`` seconds. Those
    whose names are in ``hanging`` never return, and those in ``failures`` raise. It records its
    calls by name, and the questions in them.
    """

    def __init__(self) -> None:
        self.latency = 0.0
        self.hanging: set[str] = set()
        self.failures: dict[str, Exception] = {}
        self.calls_made: list[str] = []
        self.questions: list[tuple[Repository, str]] = []
        self.config_questions: list[Digest] = []
        self.identities: list[Identity] = []
        self.retry_seconds = 0.0

        self.image_answers: dict[ImageId, ImageAnswer | RegistryError] = {}
        self.layer_answers: dict[Digest, LayerAnswer | RegistryError] = {}
        self.url_answers: dict[str, LayerAnswer | RegistryError] = {}
        self.config_texts: dict[Digest, str | RegistryError] = {}
        self.listings: dict[Repository, ImageListing | RegistryError] = {}
        self.names: RepositoryNames | RegistryError = RepositoryNames((), complete=False)
        self.principal: str | None = None
        self.prefixes: tuple[str, ...] | None = ()
        self.others: dict[Identity, FakeRegistry] = {}
        self.foreign_endpoints: frozenset[str] = frozenset()

    def put(self, document: Document, tag: str | None = None) -> Document:
        """Push an image, which then has ``tag`` too."""
        answer = ImageAnswer(document.digest, document.text)
        self.image_answers[ImageId(None, document.digest)] = answer
        if tag:
            self.image_answers[ImageId(tag, None)] = answer
        return document

    def lose(self, content: str, availability: Availability = Availability.UNAVAILABLE) -> Digest:
        """Make the layer that has ``content`` unavailable."""
        self.layer_answers[digest_of(content)] = LayerAnswer(availability)
        return digest_of(content)

    def list(self, *images: ListedImage, repository: Repository = WEB) -> None:
        """Let ``images`` be the whole listing of a repository."""
        self.listings[repository] = ImageListing(images, complete=True)

    @property
    def calls(self) -> int:
        """How many calls about images and layers were made."""
        return sum(name in ("images", "layers") for name in self.calls_made)

    def for_identity(self, identity: Identity) -> FakeRegistry:
        self.identities.append(identity)
        return self.others.get(identity, self)

    def set_retry_seconds(self, seconds: float) -> None:
        self.retry_seconds = seconds

    async def images(
        self, repository: Repository, ids: Sequence[ImageId]
    ) -> Mapping[ImageId, ImageAnswer | RegistryError]:
        await self._call("images", repository, ids)
        missing = RegistryError(
            Code.IMAGE_NOT_FOUND, "ECR says ImageNotFound: Requested image not found."
        )
        return {each: self.image_answers.get(each, missing) for each in ids}

    async def layers(
        self, repository: Repository, digests: Sequence[Digest]
    ) -> Mapping[Digest, LayerAnswer | RegistryError]:
        await self._call("layers", repository, digests)
        there = LayerAnswer(Availability.AVAILABLE)
        return {each: self.layer_answers.get(each, there) for each in digests}

    async def configs(
        self, repository: Repository, digests: Sequence[Digest]
    ) -> Mapping[Digest, str | RegistryError]:
        await self._call("configs", repository)
        self.config_questions += digests
        nothing = RegistryError(Code.INTERNAL_ERROR, "There is no such config.")
        return {each: self.config_texts.get(each, nothing) for each in digests}

    async def at_url(self, url: str) -> LayerAnswer | RegistryError:
        self.calls_made.append("at_url")
        return self.url_answers.get(url, LayerAnswer(Availability.AVAILABLE))

    async def listing(self, repository: Repository) -> ImageListing | RegistryError:
        await self._call("listing", repository)
        return self.listings.get(repository, ImageListing((), complete=False))

    async def cache_prefixes(self, repository: Repository) -> tuple[str, ...] | None:
        await self._call("cache_prefixes", repository)
        return self.prefixes

    async def repository_names(self, repository: Repository) -> RepositoryNames | RegistryError:
        await self._call("repository_names", repository)
        return self.names

    async def caller(self, repository: Repository) -> str | None:
        await self._call("caller", repository)
        return self.principal

    async def _call(
        self, name: str, repository: Repository, questions: Sequence[object] = ()
    ) -> None:
        self.calls_made.append(name)
        self.questions += [(repository, str(question)) for question in questions]
        if name in self.hanging:
            await asyncio.Event().wait()
        if self.latency:
            await asyncio.sleep(self.latency)
        if name in self.failures:
            raise self.failures[name]


class HeldRegistry(FakeRegistry):
    """Answers nothing about the images of one repository, or of all, until it is let go."""

    def __init__(self, name: str | None = None) -> None:
        super().__init__()
        self.is_asked, self.let_go = threading.Event(), threading.Event()
        self._name = name

    async def images(
        self, repository: Repository, ids: Sequence[ImageId]
    ) -> Mapping[ImageId, ImageAnswer | RegistryError]:
        if self._name in (None, repository.name):
            self.is_asked.set()
            assert await on_a_thread(lambda: self.let_go.wait(PATIENCE))
        return await super().images(repository, ids)


def without_place(text: str) -> str:
    """Return the text of a bug without MODULE:LINE, which changes with every line of the module."""
    bare, places = re.subn(r" \(layerguard[a-z_.]*:\d+\)", "", text)
    assert places, text
    return bare
