"""The investigator: finds out about many images at a time, each question asked once."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Coroutine
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Protocol

from layerguard.identity import Identity
from layerguard.investigation.advice import advise
from layerguard.investigation.image import inspect_image
from layerguard.investigation.limits import WORKERS, Limits
from layerguard.investigation.questions import Asked, Questions
from layerguard.investigation.scheduler import Scheduler
from layerguard.manifest import Platform
from layerguard.reference import ImageReference, Repository
from layerguard.registry import Registry
from layerguard.verdict import Code, Verdict

# What may still come: a replication, or a push that is still running.
_MAY_COME = (Code.IMAGE_NOT_FOUND, Code.LAYER_MISSING, Code.REPOSITORY_NOT_FOUND)
# Seconds between two looks at what is not there yet.
_FIRST_PAUSE = 1.0
_LONGEST_PAUSE = 10.0


@dataclass(frozen=True, slots=True)
class Subject:
    """What an inspection is about: who asks for what, to run on which platform."""

    identity: Identity
    reference: ImageReference
    platform: Platform | None


@dataclass(frozen=True, slots=True)
class Effort:
    """What was done so far: how many layers were asked about, and calls sent."""

    layers: int = 0
    calls: int = 0


class Listener(Protocol):
    """Hears of an inspection. Called from any thread, and never for long."""

    def begun(self) -> None:
        """The first question was sent; may be called again, or not where the end comes at once."""

    def ended(self, verdict: Verdict, effort: Effort) -> None:
        """The inspection is over; ``effort`` is that of all inspections so far."""


class Investigator(Protocol):
    """Inspects images, here or elsewhere. Safe to use from many threads."""

    def limit(self, limits: Limits, cache_prefixes: Collection[str]) -> None:
        """Set the limits, and the prefixes of pull-through caches that are known.

        What began before goes on with the limits that it had.
        """

    def start(self, subject: Subject, listener: Listener) -> None:
        """Begin an inspection in the background; return at once."""

    def forget(self, repository: Repository) -> None:
        """Drop what is known of a repository, whose images may have changed."""

    def close(self) -> None:
        """Drop what has not ended; nothing that goes on keeps the process alive."""


class HereInvestigator:
    """An ``Investigator`` that asks a registry from this process.

    An exception inside is a verdict too: one image never hides another.
    """

    def __init__(
        self,
        registry: Registry,
        workers: int = WORKERS,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Coroutine[Any, None, None]] | None = None,
    ) -> None:
        self._registry = registry
        self._clock = clock
        self._scheduler = Scheduler(workers)
        self._sleep = sleep or self._scheduler.sleep
        self._asked: dict[Identity, Asked] = {}
        self._absent = 0.0
        self._cache_prefixes: tuple[str, ...] = ()
        registry.be_patient(Limits().image / 2)

    def limit(self, limits: Limits, cache_prefixes: Collection[str]) -> None:
        """Set the limits, and the prefixes of pull-through caches that are known."""
        self._scheduler.size = limits.workers
        self._absent = limits.absent
        self._cache_prefixes = tuple(cache_prefixes)
        self._registry.be_patient(limits.image / 2)

    def start(self, subject: Subject, listener: Listener) -> None:
        """Begin an inspection in the background; return at once."""
        self._scheduler.call(
            lambda: self._scheduler.start(self._inspect(subject, listener, self._absent))
        )

    def forget(self, repository: Repository) -> None:
        """Drop what is known of a repository."""
        self._scheduler.call(partial(self._forget, repository))

    def close(self) -> None:
        """Drop what has not ended."""
        self._scheduler.close()

    def _forget(self, repository: Repository) -> None:
        for asked in self._asked.values():
            asked.forget(repository)

    async def _inspect(self, subject: Subject, listener: Listener, absent: float) -> None:
        try:
            verdict = await self._until_it_is_there(subject, listener, absent)
        except Exception as error:  # the boundary: a bug is a verdict that names itself as one
            verdict = Verdict(
                Code.INTERNAL_ERROR,
                f"This is a bug of Layerguard: {type(error).__name__}: {error}",
                advise(Code.INTERNAL_ERROR, subject.reference, None, subject.platform),
            )
        layers = sum(asked.layers.count for asked in self._asked.values())
        listener.ended(verdict, Effort(layers, self._registry.calls))

    async def _until_it_is_there(
        self, subject: Subject, listener: Listener, absent: float
    ) -> Verdict:
        """Inspect an image, again and again where it is not there and may still come."""
        began = self._clock()
        questions = self._questions(subject.identity, listener)
        verdict = await inspect_image(subject.reference, subject.platform, questions)
        pause = _FIRST_PAUSE
        while verdict.code in _MAY_COME and (left := began + absent - self._clock()) > 0:
            await self._sleep(min(pause, left))
            pause = min(2 * pause, _LONGEST_PAUSE)
            afresh = questions.afresh()
            verdict = await inspect_image(subject.reference, subject.platform, afresh)
        if verdict.code in _MAY_COME and absent:
            waited = self._clock() - began
            words = f"{verdict.reason} It did not come within {waited:.0f} s either."
            verdict = replace(verdict, reason=words)
        return verdict

    def _questions(self, identity: Identity, listener: Listener) -> Questions:
        asked = self._asked.get(identity)
        if asked is None:
            asked = Asked(self._registry.for_identity(identity), self._scheduler)
            self._asked[identity] = asked
        return Questions(asked, self._cache_prefixes, listener.begun)
