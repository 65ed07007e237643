"""The questions that a registry answers, and the shape of its answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from layerguard.errors import RegistryError
from layerguard.identity import Identity
from layerguard.reference import Digest, ImageId, Repository


class Availability(Enum):
    """What ECR says of a layer. Source: ECR API reference, ``Layer.layerAvailability``."""

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
    """What ECR says of one digest. ``size`` is in bytes, None where ECR does not say."""

    availability: Availability
    size: int | None = None


class Registry(Protocol):
    """Answers questions about the images and layers of any account and region.

    Of one event loop: ``be_patient`` alone may be called from elsewhere. Implementations never
    raise for one image what belongs to another, and count their calls.
    """

    def for_identity(self, identity: Identity) -> Registry:
        """Return the registry as ``identity`` sees it. Nothing is shared between identities."""

    def be_patient(self, seconds: float) -> None:
        """Set for how long each call is tried again while the trouble is transient."""

    async def cache_prefixes(self, repository: Repository) -> tuple[str, ...] | None:
        """Return the prefixes of pull-through caches in the registry of ``repository``.

        ``ROOT`` stands for every repository. Where the question is refused that is None.
        """

    @property
    def calls(self) -> int:
        """How many requests were sent so far, retries not counted."""

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
