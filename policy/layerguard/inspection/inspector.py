"""The inspector: judges many image uses at a time, each image once."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Coroutine, Iterable, Iterator
from concurrent.futures import Future, as_completed
from concurrent.futures import TimeoutError as FutureTimeout
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from layerguard.discovery import ImageUse
from layerguard.identity import Identity
from layerguard.inspection.advice import advise
from layerguard.inspection.image import inspect_image
from layerguard.inspection.judgement import Judgement, judge
from layerguard.inspection.limits import WORKERS, Limits
from layerguard.inspection.questions import Asked, Questions
from layerguard.inspection.scheduler import Scheduler
from layerguard.manifest import Platform
from layerguard.reference import ImageReference, Repository
from layerguard.registry import Registry
from layerguard.verdict import Code, State, Verdict

# What may still come: a replication, or a push that is still running.
_MAY_COME = (Code.IMAGE_NOT_FOUND, Code.LAYER_MISSING, Code.REPOSITORY_NOT_FOUND)
# Seconds between two looks at what is not there yet.
_FIRST_PAUSE = 1.0
_LONGEST_PAUSE = 10.0
# Seconds until it is seen again whether an inspection has begun.
_LOOK_AGAIN = 0.5


@dataclass(frozen=True, slots=True)
class Summary:
    """A run in numbers. ``seconds`` is the time from the first question to the last answer."""

    image_uses: int
    images: int
    layers: int
    unavailable: int
    undetermined: int
    pending: int
    calls: int
    seconds: float

    def __str__(self) -> str:
        return (
            f"layerguard: {self.image_uses} image uses, {self.images} images, "
            f"{self.layers} layers checked, {self.unavailable} unavailable, "
            f"{self.undetermined} undetermined, {self.pending} pending; "
            f"{self.calls} calls to ECR in {self.seconds:.1f} s"
        )


@dataclass(frozen=True, slots=True)
class _Key:
    """What an inspection is about: who asks for what, to run on which platform."""

    identity: Identity
    reference: ImageReference
    platform: Platform | None


@dataclass(slots=True)
class _Inspection:
    """An inspection under way, and when its first question was sent."""

    verdict: Future[Verdict]
    began: float | None = None


class Inspector:
    """Judges image uses with a registry. Safe to use from many threads.

    An exception inside is a verdict too: one image never hides another. Nobody waits longer than
    the limits say; what is not known by then is timed out, and stays so for the whole run.
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
        self._limits = Limits(workers=workers)
        registry.be_patient(self._limits.image / 2)
        self._cache_prefixes: tuple[str, ...] = ()
        self._lock = threading.Lock()
        self._asked: dict[Identity, Asked] = {}
        self._inspections: dict[_Key, _Inspection] = {}
        self._given_up: dict[_Key, Verdict] = {}
        self._waited = 0.0
        self._first_question: float | None = None
        self._last_answer = 0.0

    def limit(self, limits: Limits, cache_prefixes: Collection[str] = ()) -> None:
        """Set the limits, and the prefixes of pull-through caches that are known, of this run.

        What began before goes on with the limits that it had.
        """
        with self._lock:
            self._limits = limits
            self._cache_prefixes = tuple(cache_prefixes)
            self._scheduler.size = limits.workers
        self._registry.be_patient(limits.image / 2)

    def start(self, uses: Iterable[ImageUse]) -> None:
        """Begin to inspect the images of ``uses`` in the background; return at once."""
        for use in uses:
            if isinstance(use.target, ImageReference):
                self._start(_key(use, use.target))

    def judge(self, uses: Iterable[ImageUse]) -> tuple[Judgement, ...]:
        """Return a judgement for each of ``uses``, in their order; wait for what is not known."""
        uses = tuple(uses)
        self.start(uses)
        return tuple(judge(use, self._verdict(use)) for use in uses)

    def judge_each(self, uses: Iterable[ImageUse]) -> Iterator[Judgement]:
        """Yield a judgement for each of ``uses`` as soon as it is known, in no order."""
        by_verdict: dict[Future[Verdict], list[ImageUse]] = {}
        for use in uses:
            if isinstance(use.target, ImageReference):
                future = self._start(_key(use, use.target)).verdict
                by_verdict.setdefault(future, []).append(use)
            else:
                yield judge(use, use.target)
        for future in as_completed(by_verdict):
            yield from (judge(use, future.result()) for use in by_verdict[future])

    def forget(self, use: ImageUse) -> None:
        """Drop what is known of the repository of ``use``, whose images may have changed."""
        if not isinstance(use.target, ImageReference):
            return
        repository = use.target.repository
        with self._lock:
            for key in [key for key in self._inspections if key.reference.repository == repository]:
                del self._inspections[key]
        self._scheduler.call(self._forget, repository)

    def summary(self, judgements: Iterable[Judgement]) -> Summary:
        """Return the numbers of a run that came to ``judgements``; skipped uses do not count."""
        states = Counter(judgement.verdict.state for judgement in judgements)
        with self._lock:
            first, last = self._first_question, self._last_answer
            images = {
                (key.reference.repository, key.reference.image_id) for key in self._inspections
            }
            layers = sum(len(asked.layers) for asked in tuple(self._asked.values()))
        return Summary(
            sum(states.values()) - states[State.SKIPPED],
            len(images),
            layers,
            states[State.UNAVAILABLE],
            states[State.UNDETERMINED],
            states[State.PENDING],
            self._registry.calls,
            0.0 if first is None else max(0.0, last - first),
        )

    def close(self) -> None:
        """Drop what has not ended; nothing that goes on keeps the process alive."""
        self._scheduler.close()

    def _start(self, key: _Key) -> _Inspection:
        with self._lock:
            if self._first_question is None:
                self._first_question = self._clock()
            inspection = self._inspections.get(key)
            if inspection:
                return inspection
            inspection = self._inspections[key] = _Inspection(Future())
        self._scheduler.call(self._begin, key, inspection)
        return inspection

    def _begin(self, key: _Key, inspection: _Inspection) -> None:
        self._scheduler.start(self._inspect(key, inspection))

    def _forget(self, repository: Repository) -> None:
        for asked in self._asked.values():
            asked.forget(repository)

    def _verdict(self, use: ImageUse) -> Verdict:
        if isinstance(use.target, Verdict):
            return use.target
        key = _key(use, use.target)
        inspection = self._start(key)
        before = self._clock()
        try:
            return self._given_up.get(key) or self._wait_for(inspection)
        except FutureTimeout:
            with self._lock:
                verdict = Verdict(
                    Code.TIMED_OUT,
                    f"There was no answer within {self._limits.image:g} s for one image or "
                    f"{self._limits.total:g} s for the whole run.",
                    advise(Code.TIMED_OUT, key.reference, None, key.platform),
                    wanted=key.platform,
                )
                return self._given_up.setdefault(key, verdict)
        finally:
            with self._lock:
                self._waited += self._clock() - before

    def _wait_for(self, inspection: _Inspection) -> Verdict:
        """Wait within the limits; raise FutureTimeout beyond them."""
        limits = self._limits
        end = self._clock() + max(0.0, limits.total + limits.absent - self._waited)
        while True:
            now = self._clock()
            began = inspection.began
            # What waits for a thread has not begun: only the whole run's time counts then.
            limit = end if began is None else min(end, began + limits.image + limits.absent)
            if limit <= now:
                return inspection.verdict.result(0)
            pause = limit - now if began is not None else min(_LOOK_AGAIN, limit - now)
            with suppress(FutureTimeout):
                return inspection.verdict.result(pause)

    async def _inspect(self, key: _Key, inspection: _Inspection) -> None:
        try:
            verdict = await self._until_it_is_there(key, inspection)
        except Exception as error:  # the boundary: a bug is a verdict that names itself as one
            verdict = Verdict(
                Code.INTERNAL_ERROR,
                f"This is a bug of Layerguard: {type(error).__name__}: {error}",
                advise(Code.INTERNAL_ERROR, key.reference, None, key.platform),
            )
        with self._lock:
            self._last_answer = self._clock()
        inspection.verdict.set_result(verdict)

    async def _until_it_is_there(self, key: _Key, inspection: _Inspection) -> Verdict:
        """Inspect an image, again and again where it is not there and may still come."""
        called = self._clock()
        absent = self._limits.absent
        questions = self._questions_for(key, inspection)
        verdict = await inspect_image(key.reference, key.platform, questions)
        pause = _FIRST_PAUSE
        while verdict.code in _MAY_COME and (left := called + absent - self._clock()) > 0:
            await self._sleep(min(pause, left))
            pause = min(2 * pause, _LONGEST_PAUSE)
            verdict = await inspect_image(key.reference, key.platform, questions.afresh())
        if verdict.code in _MAY_COME and absent:
            waited = self._clock() - called
            words = f"{verdict.reason} It did not come within {waited:.0f} s either."
            verdict = replace(verdict, reason=words)
        return verdict

    def _questions_for(self, key: _Key, inspection: _Inspection) -> Questions:
        def begun() -> None:
            if inspection.began is None:
                inspection.began = self._clock()

        asked = self._asked.get(key.identity)
        if asked is None:
            asked = Asked(self._registry.for_identity(key.identity), self._scheduler)
            self._asked[key.identity] = asked
        return Questions(asked, self._cache_prefixes, begun)


def _key(use: ImageUse, reference: ImageReference) -> _Key:
    return _Key(use.identity, reference, use.platform)
