"""A registry in memory, for tests of logic, and small manifests to put into it."""

from __future__ import annotations

import hashlib
import json
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
    RegistryError,
    RepositoryNames,
)
from layerguard.verdict import Code, Verdict

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

    A stand-in for ``layerguard.registry.ecr.Ecr``: it keeps the questions it was asked.
    """

    def __init__(self) -> None:
        self.questions: list[tuple[Repository, str]] = []
        self.image_answers: dict[ImageId, ImageAnswer | RegistryError] = {}
        self.layer_answers: dict[Digest, LayerAnswer | RegistryError] = {}
        self.config_texts: dict[Digest, str | RegistryError] = {}
        self.config_questions: list[Digest] = []
        self.identities: list[Identity] = []
        self.others: dict[Identity, FakeRegistry] = {}
        self.retry_seconds = 0.0
        self.foreign_endpoints: frozenset[str] = frozenset()
        self.listings: dict[Repository, ImageListing | RegistryError] = {}
        self.names: RepositoryNames | RegistryError = RepositoryNames((), complete=False)
        self.principal: str | None = None
        self.explanations: list[str] = []
        self.prefixes: tuple[str, ...] | None = ()
        self.cache_questions: list[Repository] = []
        self.failure: Exception | None = None
        self._calls = 0

    def for_identity(self, identity: Identity) -> FakeRegistry:
        self.identities.append(identity)
        return self.others.get(identity, self)

    def set_retry_seconds(self, seconds: float) -> None:
        self.retry_seconds = seconds

    async def cache_prefixes(self, repository: Repository) -> tuple[str, ...] | None:
        self.cache_questions.append(repository)
        return self.prefixes

    @property
    def calls(self) -> int:
        return self._calls

    def put(self, document: Document, tag: str | None = None) -> Document:
        answer = ImageAnswer(document.digest, document.text)
        self.image_answers[ImageId(None, document.digest)] = answer
        if tag:
            self.image_answers[ImageId(tag, None)] = answer
        return document

    def lose(self, content: str, availability: Availability = Availability.UNAVAILABLE) -> Digest:
        self.layer_answers[digest_of(content)] = LayerAnswer(availability)
        return digest_of(content)

    async def images(
        self, repository: Repository, ids: Sequence[ImageId]
    ) -> Mapping[ImageId, ImageAnswer | RegistryError]:
        self._ask(repository, ids)
        missing = RegistryError(
            Code.IMAGE_NOT_FOUND, "ECR says ImageNotFound: Requested image not found."
        )
        return {each: self.image_answers.get(each, missing) for each in ids}

    async def layers(
        self, repository: Repository, digests: Sequence[Digest]
    ) -> Mapping[Digest, LayerAnswer | RegistryError]:
        self._ask(repository, digests)
        there = LayerAnswer(Availability.AVAILABLE, 1)
        return {each: self.layer_answers.get(each, there) for each in digests}

    async def configs(
        self, repository: Repository, digests: Sequence[Digest]
    ) -> Mapping[Digest, str | RegistryError]:
        assert repository.name
        self.config_questions += digests
        nothing = RegistryError(Code.INTERNAL_ERROR, "There is no such config.")
        return {each: self.config_texts.get(each, nothing) for each in digests}

    async def listing(self, repository: Repository) -> ImageListing | RegistryError:
        return self.listings.get(repository, ImageListing((), complete=False))

    async def repository_names(self, repository: Repository) -> RepositoryNames | RegistryError:
        self.explanations.append(f"names beside {repository.name}")
        return self.names

    async def caller(self, repository: Repository) -> str | None:
        self.explanations.append(f"caller for {repository.name}")
        return self.principal

    def _ask(self, repository: Repository, questions: Sequence[object]) -> None:
        self._calls += 1
        self.questions += [(repository, str(question)) for question in questions]
        if self.failure:
            raise self.failure
