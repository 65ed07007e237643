"""A registry in memory that holds what the truth cases need: a stand-in for ``registry.ecr.Ecr``."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from layerguard.identity import Identity
from layerguard.reference import Digest, ImageId, Repository
from layerguard.registry import (
    Availability,
    ImageAnswer,
    ImageListing,
    LayerAnswer,
    ListedImage,
    RegistryError,
    RepositoryNames,
)
from layerguard.verdict import Code

REGISTRIES = Path(__file__).with_name("registries.json")


class _Images:
    """The images, configs and layers of one repository."""

    def __init__(self) -> None:
        self.manifests: dict[Digest, str] = {}
        self.tags: dict[str, Digest] = {}
        self.configs: dict[Digest, str] = {}
        self.layers: dict[Digest, LayerAnswer] = {}

    def answer(self, image_id: ImageId, *, is_strict: bool) -> ImageAnswer | RegistryError:
        tagged = self.tags.get(image_id.tag) if image_id.tag else None
        if image_id.tag and image_id.digest and tagged != image_id.digest:
            is_absent = tagged is None and is_strict
            code = Code.IMAGE_NOT_FOUND if is_absent else Code.INTERNAL_ERROR
            return RegistryError(code, f"ECR says {code.text}.")
        digest = image_id.digest or tagged
        if digest is None or digest not in self.manifests:
            return RegistryError(Code.IMAGE_NOT_FOUND, "ECR says ImageNotFound.")
        return ImageAnswer(digest, self.manifests[digest])


class TruthRegistry:
    """Answers for the repositories of one account and region, as ``operations`` made them."""

    calls = 0
    foreign_endpoints: frozenset[str] = frozenset()

    def __init__(self, operations: Iterable[Mapping[str, Any]]) -> None:
        self._repositories: defaultdict[str, _Images] = defaultdict(_Images)
        self._is_strict = False
        for operation in operations:
            self._apply(operation)

    @classmethod
    @cache
    def named(cls, name: str) -> TruthRegistry:
        """Return the registry that the cases call ``name``."""
        return cls(json.loads(REGISTRIES.read_text())[name])

    def _apply(self, operation: Mapping[str, Any]) -> None:
        if operation["op"] == "strict":
            self._is_strict = True
            return
        images = self._repositories[operation["repo"]]
        match operation["op"]:
            case "raw":
                text = operation["manifest"]
                digest = _digest_of(text)
                images.manifests[digest] = text
                if operation.get("tag"):
                    images.tags[operation["tag"]] = digest
            case "blob":
                text = operation["text"]
                digest = _digest_of(text)
                images.configs[digest] = text
                images.layers.setdefault(digest, LayerAnswer(Availability.AVAILABLE, len(text)))
            case "state":
                answer = LayerAnswer(Availability[operation["state"]], operation.get("size"))
                images.layers[Digest(operation["digest"])] = answer
            case "tag" if not operation["digest"]:
                images.tags.pop(operation["tag"], None)
            case "tag":
                images.tags[operation["tag"]] = Digest(operation["digest"])
            case other:
                raise ValueError(f"There is no operation {other}.")

    def for_identity(self, _identity: Identity) -> TruthRegistry:
        return self

    def set_retry_seconds(self, _seconds: float) -> None:
        pass

    async def images(
        self, repository: Repository, ids: Sequence[ImageId]
    ) -> Mapping[ImageId, ImageAnswer | RegistryError]:
        images = self._repositories.get(repository.name)
        absent = RegistryError(Code.REPOSITORY_NOT_FOUND, "ECR says RepositoryNotFoundException.")
        return {
            each: images.answer(each, is_strict=self._is_strict) if images else absent
            for each in ids
        }

    async def layers(
        self, repository: Repository, digests: Sequence[Digest]
    ) -> Mapping[Digest, LayerAnswer | RegistryError]:
        known = self._repositories[repository.name].layers
        absent = LayerAnswer(Availability.UNAVAILABLE)
        return {each: known.get(each, absent) for each in digests}

    async def configs(
        self, repository: Repository, digests: Sequence[Digest]
    ) -> Mapping[Digest, str | RegistryError]:
        known = self._repositories[repository.name].configs
        absent = RegistryError(Code.INTERNAL_ERROR, "There is no such config.")
        return {each: known.get(each, absent) for each in digests}

    async def at_url(self, _url: str) -> LayerAnswer | RegistryError:
        return LayerAnswer(Availability.AVAILABLE)

    async def listing(self, repository: Repository) -> ImageListing | RegistryError:
        images = self._repositories[repository.name]
        listed = (
            ListedImage(digest, tuple(tag for tag, each in images.tags.items() if each == digest))
            for digest in images.manifests
        )
        return ImageListing(tuple(listed), complete=True)

    async def cache_prefixes(self, _repository: Repository) -> tuple[str, ...] | None:
        return ()

    async def repository_names(self, _repository: Repository) -> RepositoryNames | RegistryError:
        return RepositoryNames(tuple(self._repositories), complete=True)

    async def caller(self, _repository: Repository) -> str | None:
        return None


def _digest_of(text: str) -> Digest:
    return Digest("sha256:" + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest())
