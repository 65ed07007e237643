"""The backend that asks from this process."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection
from dataclasses import replace

from layerguard.checking.advice import advise
from layerguard.checking.backend import CheckListener, CheckRequest, Counters
from layerguard.checking.background_loop import BackgroundLoop
from layerguard.checking.call_queue import CallQueue
from layerguard.checking.image import check_image
from layerguard.checking.limits import WORKERS, Limits
from layerguard.checking.questions import Questions, RegistryLoaders
from layerguard.identity import Identity
from layerguard.reference import Repository
from layerguard.registry import Registry
from layerguard.verdict import Code, Verdict

# What may still come: a replication, or a push that is still running.
_MAY_COME = (Code.IMAGE_NOT_FOUND, Code.LAYER_MISSING, Code.REPOSITORY_NOT_FOUND)
# Seconds between two looks at what is not there yet.
_FIRST_PAUSE = 1.0
_LONGEST_PAUSE = 10.0


class InProcessBackend:
    """An ``CheckBackend`` that asks a registry from this process.

    An exception inside is a verdict too: one image never hides another.
    """

    def __init__(
        self,
        registry: Registry,
        workers: int = WORKERS,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._registry = registry
        self._clock = clock
        self._sleep = sleep
        self._loop = BackgroundLoop()
        self._line = CallQueue(workers)
        self._under_way: dict[CheckRequest, Questions] = {}
        self._asked: dict[Identity, RegistryLoaders] = {}
        self._absent = 0.0
        self._cache_prefixes: tuple[str, ...] = ()
        registry.set_retry_seconds(Limits().image / 2)

    def limit(self, limits: Limits, cache_prefixes: Collection[str]) -> None:
        """Set the limits, and the prefixes of pull-through caches that are known."""
        self._line.size = limits.workers
        self._absent = limits.absent
        self._cache_prefixes = tuple(cache_prefixes)
        self._registry.set_retry_seconds(limits.image / 2)

    def start(self, subject: CheckRequest, listener: CheckListener) -> None:
        """Begin a check in the background; return at once."""
        self._loop.start(self._inspect, subject, listener, self._absent)

    def prioritise(self, subject: CheckRequest) -> None:
        """Ask about ``subject`` before all others."""
        # What was started this moment takes its first step before.
        self._loop.call(lambda: asyncio.get_running_loop().call_soon(self._prioritise, subject))

    def forget(self, repository: Repository) -> None:
        """Drop what is known of a repository."""
        self._loop.call(self._forget, repository)

    def close(self) -> None:
        """Drop what has not ended."""
        self._loop.close()

    def _prioritise(self, subject: CheckRequest) -> None:
        questions = self._under_way.get(subject)
        if questions:
            questions.prioritise()

    def _forget(self, repository: Repository) -> None:
        for asked in self._asked.values():
            asked.forget(repository)

    async def _inspect(self, subject: CheckRequest, listener: CheckListener, absent: float) -> None:
        try:
            verdict = await self._until_it_is_there(subject, listener, absent)
        except Exception as error:  # the boundary: a bug is a verdict that names itself as one
            verdict = Verdict(
                Code.INTERNAL_ERROR,
                f"This is a bug of Layerguard: {type(error).__name__}: {error}",
                advise(Code.INTERNAL_ERROR, subject.reference, None, subject.platform),
            )
        self._under_way.pop(subject, None)
        layers = sum(asked.layers.count for asked in self._asked.values())
        listener.ended(verdict, Counters(layers, self._registry.calls))

    async def _until_it_is_there(
        self, subject: CheckRequest, listener: CheckListener, absent: float
    ) -> Verdict:
        """Inspect an image, again and again where it is not there and may still come."""
        began = self._clock()
        questions = self._questions(subject.identity, listener)
        self._under_way[subject] = questions
        verdict = await check_image(subject.reference, subject.platform, questions)
        pause = _FIRST_PAUSE
        while verdict.code in _MAY_COME and (left := began + absent - self._clock()) > 0:
            await self._sleep(min(pause, left))
            pause = min(2 * pause, _LONGEST_PAUSE)
            afresh = questions.afresh()
            verdict = await check_image(subject.reference, subject.platform, afresh)
        if verdict.code in _MAY_COME and absent:
            waited = self._clock() - began
            words = f"{verdict.reason} It did not come within {waited:.0f} s either."
            verdict = replace(verdict, reason=words)
        return verdict

    def _questions(self, identity: Identity, listener: CheckListener) -> Questions:
        asked = self._asked.get(identity)
        if asked is None:
            asked = RegistryLoaders(self._registry.for_identity(identity), self._line)
            self._asked[identity] = asked
        return Questions(asked, self._cache_prefixes, listener.begun)
