"""The questions that checks ask a registry, each asked once whatever needs the answer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Coroutine, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

from layerguard.checking.batch_loader import BatchLoader, PendingAnswers
from layerguard.checking.call_queue import CallQueue, Priority
from layerguard.checking.config_platforms import platforms_in
from layerguard.platform import Platform
from layerguard.reference import Digest, ImageId, Repository
from layerguard.registry import (
    ImageAnswer,
    ImageListing,
    LayerAnswer,
    Registry,
    RegistryError,
    RepositoryNames,
)
from layerguard.verdict import Code

_EVERY_REPOSITORY = "ROOT"
# Seconds for what tells the causes of a proven failure apart: a silent server must not hide it.
DISTINGUISHING_SECONDS = 5.0

_Question = TypeVar("_Question")
_Answer = TypeVar("_Answer")
_Result = TypeVar("_Result")


class RegistryLoaders:
    """What one identity asked a registry, and the answers."""

    def __init__(self, registry: Registry, queue: CallQueue) -> None:
        self.registry = registry
        self.queue = queue
        self.images: BatchLoader[ImageId, ImageAnswer | RegistryError] = BatchLoader(
            registry.images, queue
        )
        # A check that has begun is finished first: so few manifests are kept at a time.
        self.layers: BatchLoader[Digest, LayerAnswer | RegistryError] = BatchLoader(
            registry.layers, queue, priority=Priority.HIGH
        )
        # A config is a call of its own, so nothing is gained by gathering them.
        self.platforms: BatchLoader[Digest, Platform | None] = BatchLoader(
            self._platforms, queue, size=1, priority=Priority.HIGH
        )

    def forget(self, repository: Repository) -> None:
        """Drop the answers about ``repository``."""
        for loader in (self.images, self.layers, self.platforms):
            loader.forget(repository)

    async def _platforms(
        self, repository: Repository, digests: Sequence[Digest]
    ) -> Mapping[Digest, Platform | None]:
        return platforms_in(await self.registry.configs(repository, digests))


class Questions:
    """The questions of one check, which may be prioritised together.

    ``cache_prefixes`` are prefixes of pull-through caches that are known without asking, and
    ``begun`` is called when a first question is sent, and may be called again. The listing and the
    caches may take ``patience`` seconds: they only tell causes of a proven failure apart.
    Not thread-safe; bound to the running event loop.
    """

    def __init__(
        self,
        loaders: RegistryLoaders,
        cache_prefixes: Collection[str] = (),
        begun: Callable[[], None] = lambda: None,
        patience: float = DISTINGUISHING_SECONDS,
    ) -> None:
        self._loaders = loaders
        self._cache_prefixes = tuple(cache_prefixes)
        self._begun = begun
        self._patience = patience
        self._pending: list[PendingAnswers[Any, Any]] = []
        self._priority = Priority.NORMAL

    def prioritise(self) -> None:
        """Send these questions, and those that follow from them, before all others."""
        self._priority = Priority.URGENT
        for each in self._pending:
            each.prioritise()

    def fresh_copy(self) -> Questions:
        """Return the same questions without any answer."""
        loaders = RegistryLoaders(self._loaders.registry, self._loaders.queue)
        copy = Questions(loaders, self._cache_prefixes, self._begun, self._patience)
        copy._priority = self._priority
        return copy

    def images(
        self, repository: Repository, ids: Sequence[ImageId]
    ) -> PendingAnswers[ImageId, ImageAnswer | RegistryError]:
        """Ask for manifests."""
        return self._noted(self._loaders.images.load(repository, ids, self._begun))

    def layers(
        self, repository: Repository, digests: Sequence[Digest]
    ) -> PendingAnswers[Digest, LayerAnswer | RegistryError]:
        """Ask whether layers are available."""
        return self._noted(self._loaders.layers.load(repository, digests))

    def platforms(
        self, repository: Repository, digests: Sequence[Digest]
    ) -> PendingAnswers[Digest, Platform | None]:
        """Ask for the platforms in configs; None for one that cannot be read."""
        return self._noted(self._loaders.platforms.load(repository, digests))

    async def listing(self, repository: Repository) -> ImageListing | RegistryError:
        """List the images of ``repository``, archived ones included."""
        silence = RegistryError(Code.TIMED_OUT, "ECR did not list the repository's images in time.")
        return await self._within_bound(
            partial(self._loaders.registry.listing, repository), silence
        )

    async def is_cache(self, repository: Repository) -> bool | None:
        """Tell whether pulls fill ``repository`` from upstream; None where that is not known.

        Source: ECR user guide, "Sync an upstream registry with an Amazon ECR private registry".
        """
        if _is_below(self._cache_prefixes, repository.name):
            return True
        ask = partial(self._loaders.registry.cache_prefixes, repository)
        prefixes = await self._within_bound(ask, None)
        return None if prefixes is None else _is_below(prefixes, repository.name)

    async def repository_names(self, repository: Repository) -> RepositoryNames | RegistryError:
        """List the repositories beside ``repository``, for an explanation."""
        ask = partial(self._loaders.registry.repository_names, repository)
        return await self._loaders.queue.run(ask, Priority.LOW)

    async def caller(self, repository: Repository) -> str | None:
        """Return the ARN of the principal that asks, for an explanation."""
        ask = partial(self._loaders.registry.caller, repository)
        return await self._loaders.queue.run(ask, Priority.LOW)

    async def _within_bound(
        self, ask: Callable[[], Coroutine[Any, Any, _Result]], otherwise: _Result
    ) -> _Result:
        priority = min(self._priority, Priority.HIGH)
        try:
            return await asyncio.wait_for(self._loaders.queue.run(ask, priority), self._patience)
        except (TimeoutError, asyncio.TimeoutError):
            return otherwise

    def _noted(
        self, pending: PendingAnswers[_Question, _Answer]
    ) -> PendingAnswers[_Question, _Answer]:
        self._pending.append(pending)
        if self._priority is Priority.URGENT:
            pending.prioritise()
        return pending


def _is_below(prefixes: Collection[str], name: str) -> bool:
    return any(
        prefix == _EVERY_REPOSITORY or name.startswith(f"{prefix.rstrip('/')}/")
        for prefix in prefixes
    )
