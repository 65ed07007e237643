"""The questions that a registry answers, and the shape of its answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from typing import Protocol

from layerguard.errors import LayerguardError
from layerguard.identity import Identity
from layerguard.reference import Digest, ImageId, Repository
from layerguard.verdict import Code

BATCH = 100
"""Questions in one call about images or layers. Source: ECR API reference."""


class RegistryError(LayerguardError):
    """ECR did not answer a question. ``code`` is the code of the verdict that follows from it.

    ``next_step`` is what can be done, where the error itself knows it better than its code.
    """

    def __init__(self, code: Code, reason: str, next_step: str = "") -> None:
        super().__init__(reason)
        self.code = code
        self.next_step = next_step

    def __reduce__(self) -> tuple[type[RegistryError], tuple[Code, str, str]]:
        return type(self), (self.code, str(self), self.next_step)

    def with_reason(self, reason: str) -> RegistryError:
        """Return the same error with another reason."""
        return type(self)(self.code, reason, self.next_step)


class Availability(Enum):
    """The availability of a layer. Source: ECR API reference, ``Layer.layerAvailability``."""

    AVAILABLE = "AVAILABLE"
    UNAVAILABLE = "UNAVAILABLE"
    ARCHIVED = "ARCHIVED"


@dataclass(frozen=True, slots=True)
class ImageAnswer:
    """A manifest or an index as ECR sends it: its digest and its text, not yet verified."""

    digest: Digest
    manifest: str


@dataclass(frozen=True, slots=True)
class LayerAnswer:
    """The availability of one digest. ``size`` is in bytes, None if absent."""

    availability: Availability
    size: int | None = None


@dataclass(frozen=True, slots=True)
class ListedImage:
    """An image in the listing of a repository. ``pushed_at`` sorts by time, empty if absent."""

    digest: Digest
    tags: tuple[str, ...]
    is_archived: bool = False
    pushed_at: str = ""


@dataclass(frozen=True)
class ImageListing:
    """The images of a repository, archived ones included; not all where it is not ``complete``."""

    images: tuple[ListedImage, ...]
    complete: bool

    def find(self, image_id: ImageId) -> ListedImage | None:
        """Return the image that has the digest and the tag of ``image_id``, None if absent."""
        tag, digest = image_id.tag, image_id.digest
        found = self._by_digest.get(digest) if digest else self._by_tag.get(str(tag))
        return found if found and tag in (None, *found.tags) else None

    @cached_property
    def _by_digest(self) -> Mapping[Digest, ListedImage]:
        return {each.digest: each for each in self.images}

    @cached_property
    def _by_tag(self) -> Mapping[str, ListedImage]:
        return {tag: each for each in self.images for tag in each.tags}


@dataclass(frozen=True, slots=True)
class RepositoryNames:
    """The names of a registry's repositories; not all where it is not ``complete``."""

    names: tuple[str, ...]
    complete: bool


class Registry(Protocol):
    """Answers questions about the images and layers of any account and region.

    Not thread-safe; bound to the running event loop, except ``set_retry_seconds``. Questions are
    answered with values: one image never fails because of another.
    """

    def for_identity(self, identity: Identity) -> Registry:
        """Return the registry as ``identity`` sees it. Nothing is shared between identities."""

    def set_retry_seconds(self, seconds: float) -> None:
        """Set for how long each call is tried again while the trouble is transient."""

    @property
    def calls(self) -> int:
        """How many requests were sent so far, retries not counted."""

    @property
    def foreign_endpoints(self) -> frozenset[str]:
        """The URLs of endpoints that were asked and are not AWS's own, without credentials."""

    async def images(
        self, repository: Repository, ids: Sequence[ImageId]
    ) -> Mapping[ImageId, ImageAnswer | RegistryError]:
        """Return an answer for each of ``ids``: the image, or why there is none."""

    async def layers(
        self, repository: Repository, digests: Sequence[Digest]
    ) -> Mapping[Digest, LayerAnswer | RegistryError]:
        """Return an answer for each of ``digests``: what ECR says, or why it does not."""

    async def configs(
        self, repository: Repository, digests: Sequence[Digest]
    ) -> Mapping[Digest, str | RegistryError]:
        """Return the text of each image config in ``digests``, unverified, or why there is none."""

    async def at_url(self, url: str) -> LayerAnswer | RegistryError:
        """Return whether there is content at ``url``, which a descriptor has; downloads nothing."""

    async def listing(self, repository: Repository) -> ImageListing | RegistryError:
        """Return the images of ``repository``, archived ones included, in a bounded number."""

    async def cache_prefixes(self, repository: Repository) -> tuple[str, ...] | None:
        """Return the prefixes of pull-through caches in the registry of ``repository``.

        ``ROOT`` stands for every repository. None where the question is refused.
        """

    async def repository_names(self, repository: Repository) -> RepositoryNames | RegistryError:
        """Return the names of the repositories beside ``repository``; only for explanations."""

    async def caller(self, repository: Repository) -> str | None:
        """Return the ARN of the principal that asks, None if unknown; only for explanations."""
