"""The inspector: judges many image uses at a time, each image once."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from concurrent.futures import Future, as_completed
from concurrent.futures import TimeoutError as FutureTimeout
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial

from layerguard.discovery import ImageUse
from layerguard.identity import Identity
from layerguard.inspection.advice import advise
from layerguard.inspection.image import inspect_image
from layerguard.inspection.judgement import Judgement, judge
from layerguard.inspection.limits import WORKERS, Limits
from layerguard.inspection.pool import DaemonPool
from layerguard.inspection.questions import Questions
from layerguard.manifest import Platform
from layerguard.reference import ImageReference
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
    """An inspection under way, and when a thread took it up."""

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
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._registry = registry
        self._clock = clock
        self._sleep = sleep
        self._limits = Limits(workers=workers)
        registry.be_patient(self._limits.image / 2)
        self._cache_prefixes: tuple[str, ...] = ()
        self._lock = threading.Lock()
        self._pool: DaemonPool | None = None
        self._questions: dict[Identity, Questions] = {}
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
            asked = tuple(self._questions.values())
        for questions in asked:
            questions.forget(repository)

    def summary(self, judgements: Iterable[Judgement]) -> Summary:
        """Return the numbers of a run that came to ``judgements``; skipped uses do not count."""
        states = Counter(judgement.verdict.state for judgement in judgements)
        with self._lock:
            first, last = self._first_question, self._last_answer
            images = {
                (key.reference.repository, key.reference.image_id) for key in self._inspections
            }
            layers = sum(len(questions.layers) for questions in self._questions.values())
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
        """Drop what has not begun; nothing that goes on keeps the process alive."""
        if self._pool:
            self._pool.close()

    def _start(self, key: _Key) -> _Inspection:
        with self._lock:
            if self._first_question is None:
                self._first_question = self._clock()
            if key not in self._inspections:
                self._pool = self._pool or DaemonPool(self._limits.workers)
                self._inspections[key] = _Inspection(self._pool.submit(partial(self._inspect, key)))
            return self._inspections[key]

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

    def _inspect(self, key: _Key) -> Verdict:
        began = self._clock()
        with self._lock:
            inspection = self._inspections.get(key)
            if inspection:
                inspection.began = began
            questions = self._questions.get(key.identity)
            if questions is None:
                registry = self._registry.for_identity(key.identity)
                questions = Questions(registry, self._cache_prefixes)
                self._questions[key.identity] = questions
            absent = self._limits.absent
        try:
            verdict = inspect_image(key.reference, key.platform, questions)
            pause = _FIRST_PAUSE
            while verdict.code in _MAY_COME and (left := began + absent - self._clock()) > 0:
                self._sleep(min(pause, left))
                pause = min(2 * pause, _LONGEST_PAUSE)
                verdict = inspect_image(key.reference, key.platform, questions.afresh())
            waited = self._clock() - began
            if verdict.code in _MAY_COME and absent:
                words = f"{verdict.reason} It did not come within {waited:.0f} s either."
                verdict = replace(verdict, reason=words)
            return verdict
        except Exception as error:  # the boundary: a bug is a verdict that names itself as one
            return Verdict(
                Code.INTERNAL_ERROR,
                f"This is a bug of Layerguard: {type(error).__name__}: {error}",
                advise(Code.INTERNAL_ERROR, key.reference, None, key.platform),
            )
        finally:
            with self._lock:
                self._last_answer = self._clock()


def _key(use: ImageUse, reference: ImageReference) -> _Key:
    return _Key(use.identity, reference, use.platform)
