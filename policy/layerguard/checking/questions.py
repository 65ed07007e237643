"""What one identity asks a registry: each question once, whoever needs the answer."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

from layerguard.checking.batch_loader import BatchLoader, PendingAnswers
from layerguard.checking.call_queue import CallQueue, Priority
from layerguard.checking.config_platforms import said_platforms
from layerguard.platform import Platform
from layerguard.reference import Digest, ImageId, Repository
from layerguard.registry import ImageAnswer, LayerAnswer, Registry, RegistryError

_EVERY_REPOSITORY = "ROOT"

_Question = TypeVar("_Question")
_Answer = TypeVar("_Answer")


class RegistryLoaders:
    """What a registry was asked, and what it answered."""

    def __init__(self, registry: Registry, line: CallQueue) -> None:
        self.registry = registry
        self.line = line
        self.images: BatchLoader[ImageId, ImageAnswer | RegistryError] = BatchLoader(
            registry.images, line
        )
        # An image that is begun is ended first: the manifests of all others need not be kept.
        self.layers: BatchLoader[Digest, LayerAnswer | RegistryError] = BatchLoader(
            registry.layers, line, turn=Priority.HIGH
        )
        # A config is a call of its own, so nothing is gained where they wait for each other.
        self.platforms: BatchLoader[Digest, Platform | None] = BatchLoader(
            self._platforms, line, full=1, turn=Priority.HIGH
        )

    def forget(self, repository: Repository) -> None:
        """Drop the answers about ``repository``."""
        for asked in (self.images, self.layers, self.platforms):
            asked.forget(repository)

    async def _platforms(
        self, repository: Repository, digests: Sequence[Digest]
    ) -> Mapping[Digest, Platform | None]:
        """Read configs, and keep of them only what is wanted."""
        return said_platforms(await self.registry.configs(repository, digests))


class Questions:
    """The questions of one check: about images, layers, configs and pull-through caches.

    ``cache_prefixes`` are prefixes of pull-through caches that are known without asking;
    ``begun`` is called when the first question is sent, and may be called again.
    """

    def __init__(
        self,
        asked: RegistryLoaders,
        cache_prefixes: Collection[str] = (),
        begun: Callable[[], None] = lambda: None,
    ) -> None:
        self._asked = asked
        self._cache_prefixes = tuple(cache_prefixes)
        self._begun = begun
        self._pending: list[PendingAnswers[Any, Any]] = []
        self._is_prioritised = False

    def prioritise(self) -> None:
        """Send these questions, and those that follow from them, before all others."""
        self._is_prioritised = True
        for each in self._pending:
            each.prioritise()

    def afresh(self) -> Questions:
        """Return the same questions without any answer."""
        asked = RegistryLoaders(self._asked.registry, self._asked.line)
        return Questions(asked, self._cache_prefixes, self._begun)

    def images(
        self, repository: Repository, ids: Sequence[ImageId]
    ) -> PendingAnswers[ImageId, ImageAnswer | RegistryError]:
        """Ask for manifests."""
        return self._noted(self._asked.images.ask(repository, ids, self._begun))

    def layers(
        self, repository: Repository, digests: Sequence[Digest]
    ) -> PendingAnswers[Digest, LayerAnswer | RegistryError]:
        """Ask whether layers are available."""
        return self._noted(self._asked.layers.ask(repository, digests))

    def platforms(
        self, repository: Repository, digests: Sequence[Digest]
    ) -> PendingAnswers[Digest, Platform | None]:
        """Ask which platforms configs say; None of one that cannot be read."""
        return self._noted(self._asked.platforms.ask(repository, digests))

    async def is_cache(self, repository: Repository) -> bool | None:
        """Tell whether a repository is filled by pulls through it; ask where it is not known.

        None where the question is refused.
        Source: ECR user guide, "Sync an upstream registry with an Amazon ECR private registry".
        """
        if _is_below(self._cache_prefixes, repository.name):
            return True
        ask = partial(self._asked.registry.cache_prefixes, repository)
        prefixes = await self._asked.line.run(ask)
        return None if prefixes is None else _is_below(prefixes, repository.name)

    def _noted(
        self, pending: PendingAnswers[_Question, _Answer]
    ) -> PendingAnswers[_Question, _Answer]:
        self._pending.append(pending)
        if self._is_prioritised:
            pending.prioritise()
        return pending


def _is_below(prefixes: Collection[str], name: str) -> bool:
    return any(
        prefix == _EVERY_REPOSITORY or name.startswith(f"{prefix.rstrip('/')}/")
        for prefix in prefixes
    )
