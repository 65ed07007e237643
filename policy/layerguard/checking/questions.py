"""The questions that checks ask a registry, each asked once whatever needs the answer."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, TypeVar

from layerguard.checking.batch_loader import BatchLoader, PendingAnswers
from layerguard.checking.call_queue import CallQueue, Priority
from layerguard.checking.config_platforms import configs_in
from layerguard.checking.limits import EXPLANATION_SECONDS
from layerguard.checking.shared_calls import SharedCalls
from layerguard.manifest import ImageConfig
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

_log = logging.getLogger("layerguard.checking")
_EVERY_REPOSITORY = "ROOT"
# Seconds for what distinguishes the causes of a failure, which is proven without it too.
DISTINGUISHING_SECONDS = 5.0
# Seconds in which answers are fresh enough for what asks anew.
_MOMENT = 0.2

_Question = TypeVar("_Question")
_Answer = TypeVar("_Answer")


class RegistryLoaders:
    """What one identity asked a registry, and the answers.

    Not thread-safe; bound to the running event loop.
    """

    def __init__(
        self, registry: Registry, queue: CallQueue, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._registry = registry
        self._queue = queue
        self._clock = clock
        self.images: BatchLoader[ImageId, ImageAnswer | RegistryError] = BatchLoader(
            registry.images, queue
        )
        # A check that has begun is finished first: so few manifests are kept at a time.
        self.layers: BatchLoader[Digest, LayerAnswer | RegistryError] = BatchLoader(
            registry.layers, queue, priority=Priority.HIGH
        )
        # A config is a call of its own, so nothing is gained by gathering them.
        self.configs: BatchLoader[Digest, ImageConfig | None] = BatchLoader(
            self._configs, queue, size=1, priority=Priority.HIGH
        )
        self.urls: BatchLoader[str, LayerAnswer | RegistryError] = BatchLoader(
            self._at_urls, queue, size=1, priority=Priority.HIGH
        )
        # These distinguish the causes of a proven failure: few calls, and checks wait for them.
        self.listings = SharedCalls(registry.listing, queue, Priority.URGENT)
        self.cache_prefixes = SharedCalls(
            registry.cache_prefixes, queue, Priority.URGENT, _registry_of
        )
        self.repository_names = SharedCalls(
            registry.repository_names, queue, Priority.LOW, _registry_of
        )
        self.callers = SharedCalls(registry.caller, queue, Priority.LOW, lambda _: None)
        self._fresh: RegistryLoaders | None = None
        self._fresh_until = 0.0

    def forget(self, repository: Repository) -> None:
        """Drop the answers about ``repository``."""
        for each in (self.images, self.layers, self.configs, self.urls, self.listings):
            each.forget(repository)
        self._fresh = None

    def fresh(self) -> RegistryLoaders:
        """Return loaders without answers about repositories.

        All that want some within a moment share them, so that their questions go together.
        """
        now = self._clock()
        if self._fresh is None or now > self._fresh_until:
            self._fresh = RegistryLoaders(self._registry, self._queue, self._clock)
            self._fresh.cache_prefixes = self.cache_prefixes
            self._fresh.repository_names = self.repository_names
            self._fresh_until = now + _MOMENT
        return self._fresh

    async def _configs(
        self, repository: Repository, digests: Sequence[Digest]
    ) -> Mapping[Digest, ImageConfig | None]:
        return configs_in(await self._registry.configs(repository, digests))

    async def _at_urls(
        self, _repository: Repository, urls: Sequence[str]
    ) -> Mapping[str, LayerAnswer | RegistryError]:
        return {url: await self._registry.at_url(url) for url in urls}


class Questions:
    """The questions of one check, which may be prioritised together.

    ``cache_prefixes`` are prefixes of pull-through caches that are known without asking, and
    ``sent`` is called when a first question is sent, and may be called again. The listing and the
    caches may take ``patience`` seconds and may fail: they only distinguish the causes of a proven
    failure.
    Not thread-safe; bound to the running event loop.
    """

    def __init__(
        self,
        loaders: RegistryLoaders,
        cache_prefixes: Collection[str] = (),
        sent: Callable[[], None] = lambda: None,
        patience: float = DISTINGUISHING_SECONDS,
    ) -> None:
        self._loaders = loaders
        self._cache_prefixes = tuple(cache_prefixes)
        self._sent = sent
        self._patience = patience
        self._pending: list[PendingAnswers[Any, Any]] = []
        self._priority = Priority.NORMAL

    def prioritise(self) -> None:
        """Send these questions, and those that follow from them, before all others."""
        self._priority = Priority.URGENT
        for each in self._pending:
            each.prioritise()

    def refresh(self) -> None:
        """Drop every answer about a repository, so that all is asked anew."""
        self._loaders = self._loaders.fresh()

    def images(
        self, repository: Repository, ids: Sequence[ImageId]
    ) -> PendingAnswers[ImageId, ImageAnswer | RegistryError]:
        """Ask for manifests."""
        return self._noted(self._loaders.images.load(repository, ids, self._sent))

    def layers(
        self, repository: Repository, digests: Sequence[Digest]
    ) -> PendingAnswers[Digest, LayerAnswer | RegistryError]:
        """Ask whether layers are available."""
        return self._noted(self._loaders.layers.load(repository, digests))

    def configs(
        self, repository: Repository, digests: Sequence[Digest]
    ) -> PendingAnswers[Digest, ImageConfig | None]:
        """Ask for configs; None for one that cannot be read."""
        return self._noted(self._loaders.configs.load(repository, digests))

    def urls(
        self, repository: Repository, urls: Sequence[str]
    ) -> PendingAnswers[str, LayerAnswer | RegistryError]:
        """Ask whether there is content at the URLs that descriptors in ``repository`` have."""
        return self._noted(self._loaders.urls.load(repository, urls))

    async def listing(self, repository: Repository) -> ImageListing | RegistryError:
        """List the images of ``repository``, archived ones included."""
        try:
            return await self._loaders.listings.answer(repository, self._patience)
        except Exception as error:  # the failure is proven without it
            reason = f"ECR did not list the repository's images: {error!r}"
            _log.warning("%s: %s", repository, reason)
            return RegistryError(Code.INTERNAL_ERROR, reason)

    async def is_cache(self, repository: Repository) -> bool | None:
        """Return whether pulls fill ``repository`` from upstream; None where that is not known.

        Source: ECR user guide, "Sync an upstream registry with an Amazon ECR private registry".
        """
        if _is_below(self._cache_prefixes, repository.name):
            return True
        try:
            prefixes = await self._loaders.cache_prefixes.answer(repository, self._patience)
        except Exception as error:  # the failure is proven without it
            _log.warning("Whether %s is a cache is not known: %r", repository, error)
            return None
        return None if prefixes is None else _is_below(prefixes, repository.name)

    async def repository_names(self, repository: Repository) -> RepositoryNames | RegistryError:
        """List the repositories beside ``repository``, for an explanation."""
        return await self._loaders.repository_names.answer(repository, EXPLANATION_SECONDS)

    async def caller(self, repository: Repository) -> str | None:
        """Return the ARN of the principal that asks, for an explanation."""
        return await self._loaders.callers.answer(repository, EXPLANATION_SECONDS)

    def _noted(
        self, pending: PendingAnswers[_Question, _Answer]
    ) -> PendingAnswers[_Question, _Answer]:
        self._pending.append(pending)
        if self._priority is Priority.URGENT:
            pending.prioritise()
        return pending


def _registry_of(repository: Repository) -> tuple[str, str]:
    return repository.account, repository.region


def _is_below(prefixes: Collection[str], name: str) -> bool:
    return any(
        prefix == _EVERY_REPOSITORY or name.startswith(f"{prefix.rstrip('/')}/")
        for prefix in prefixes
    )
