"""The checker: judges many image uses at a time, each image once."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator
from concurrent.futures import Future, as_completed
from concurrent.futures import TimeoutError as FutureTimeout
from contextlib import suppress
from dataclasses import dataclass

from layerguard.checking.advice import advise
from layerguard.checking.backend import CheckBackend, CheckRequest, Counters
from layerguard.checking.limits import WORKERS, Limits
from layerguard.discovery import ImageUse
from layerguard.enforcement.finding import Finding, judge
from layerguard.reference import ImageReference, Repository
from layerguard.registry import Registry
from layerguard.verdict import Code, State, Verdict

# Seconds until it is seen again whether a check has begun.
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


class _Check:
    """A check under way: what comes of it, and when its first question was sent."""

    def __init__(self, clock: Callable[[], float], ended: Callable[[Counters], None]) -> None:
        self.verdict: Future[Verdict] = Future()
        self.began: float | None = None
        self.is_ahead = False
        self._clock = clock
        self._ended = ended

    def begun(self) -> None:
        if self.began is None:
            self.began = self._clock()

    def ended(self, verdict: Verdict, effort: Counters) -> None:
        self._ended(effort)
        self.verdict.set_result(verdict)


class Checker:
    """Judges image uses by what a backend finds out. Safe to use from many threads.

    One image never hides another. Nobody waits longer than the limits say; what is not known by
    then is timed out, and stays so for the whole run.
    """

    def __init__(self, backend: CheckBackend, clock: Callable[[], float] = time.monotonic) -> None:
        self._backend = backend
        self._clock = clock
        self._limits = Limits()
        self._lock = threading.Lock()
        self._checks: dict[CheckRequest, _Check] = {}
        self._given_up: dict[CheckRequest, Verdict] = {}
        self._waited = 0.0
        self._first_question: float | None = None
        self._last_answer = 0.0
        self._effort = Counters()

    @classmethod
    def asking(
        cls,
        registry: Registry,
        workers: int = WORKERS,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] | None = None,
    ) -> Checker:
        """Return an checker that asks ``registry`` from this process."""
        import asyncio

        # The pack, which asks from another process, has no use for these.
        from layerguard.checking.in_process_backend import InProcessBackend

        here = InProcessBackend(registry, workers, clock, sleep or asyncio.sleep)
        return cls(here, clock)

    def limit(self, limits: Limits, cache_prefixes: Collection[str] = ()) -> None:
        """Set the limits, and the prefixes of pull-through caches that are known, of this run.

        What began before goes on with the limits that it had.
        """
        with self._lock:
            self._limits = limits
        self._backend.limit(limits, cache_prefixes)

    def start(self, uses: Iterable[ImageUse]) -> None:
        """Begin to inspect the images of ``uses`` in the background; return at once."""
        for use in uses:
            if isinstance(use.target, ImageReference):
                self._start(request_for(use, use.target))

    def start_ahead(self, subjects: Iterable[CheckRequest]) -> None:
        """Begin to inspect what may be used later.

        Of it only that an image is available holds then: much may have been pushed since.
        """
        for subject in subjects:
            with self._lock:
                is_news = subject not in self._checks
            if is_news:
                self._start(subject).is_ahead = True

    def judge(self, uses: Iterable[ImageUse]) -> tuple[Finding, ...]:
        """Return a finding for each of ``uses``, in their order; wait for what is not known."""
        uses = tuple(uses)
        self.start(uses)
        return tuple(judge(use, self._verdict(use)) for use in uses)

    def check_each(self, uses: Iterable[ImageUse]) -> Iterator[Finding]:
        """Yield a finding for each of ``uses`` as soon as it is known, in no order."""
        by_verdict: dict[Future[Verdict], list[ImageUse]] = {}
        for use in uses:
            if isinstance(use.target, ImageReference):
                future = self._start(request_for(use, use.target)).verdict
                by_verdict.setdefault(future, []).append(use)
            else:
                yield judge(use, use.target)
        for future in as_completed(by_verdict):
            yield from (judge(use, future.result()) for use in by_verdict[future])

    def forget(self, use: ImageUse) -> None:
        """Drop what is known of the repository of ``use``, whose images may have changed."""
        if not isinstance(use.target, ImageReference):
            return
        self._forget(use.target.repository)

    def summary(self, findings: Iterable[Finding]) -> Summary:
        """Return the numbers of a run that came to ``findings``; skipped uses do not count."""
        states = Counter(finding.verdict.state for finding in findings)
        with self._lock:
            first, last = self._first_question, self._last_answer
            images = {(each.reference.repository, each.reference.image_id) for each in self._checks}
            effort = self._effort
        return Summary(
            sum(states.values()) - states[State.SKIPPED],
            len(images),
            effort.layers,
            states[State.UNAVAILABLE],
            states[State.UNDETERMINED],
            states[State.PENDING],
            effort.calls,
            0.0 if first is None else max(0.0, last - first),
        )

    def close(self) -> None:
        """Drop what has not ended; nothing that goes on keeps the process alive."""
        self._backend.close()

    def _start(self, subject: CheckRequest) -> _Check:
        with self._lock:
            if self._first_question is None:
                self._first_question = self._clock()
            check = self._checks.get(subject)
            if check:
                return check
            check = self._checks[subject] = _Check(self._clock, self._one_ended)
        self._backend.start(subject, check)
        return check

    def _forget(self, repository: Repository) -> None:
        with self._lock:
            for subject in [
                each for each in self._checks if each.reference.repository == repository
            ]:
                del self._checks[subject]
        self._backend.forget(repository)

    def _one_ended(self, effort: Counters) -> None:
        with self._lock:
            self._last_answer = self._clock()
            self._effort = effort

    def _verdict(self, use: ImageUse) -> Verdict:
        if isinstance(use.target, Verdict):
            return use.target
        subject = request_for(use, use.target)
        before = self._clock()
        try:
            return self._given_up.get(subject) or self._wait_for(subject, self._current(subject))
        except FutureTimeout:
            with self._lock:
                verdict = Verdict(
                    Code.TIMED_OUT,
                    f"There was no answer within {self._limits.image:g} s for one image or "
                    f"{self._limits.total:g} s for the whole run.",
                    advise(Code.TIMED_OUT, subject.reference, None, subject.platform),
                    wanted=subject.platform,
                )
                return self._given_up.setdefault(subject, verdict)
        finally:
            with self._lock:
                self._waited += self._clock() - before

    def _current(self, subject: CheckRequest) -> _Check:
        """Return the check of ``subject``: a new one where the one ahead found it lacking."""
        check = self._start(subject)
        if check.is_ahead:
            if self._wait_for(subject, check).state is not State.AVAILABLE:
                self._forget(subject.reference.repository)
            check.is_ahead = False
        return self._start(subject)

    def _wait_for(self, subject: CheckRequest, check: _Check) -> Verdict:
        """Wait within the limits; raise FutureTimeout beyond them."""
        if not check.verdict.done():
            self._backend.prioritise(subject)
        limits = self._limits
        end = self._clock() + max(0.0, limits.total + limits.absent - self._waited)
        while True:
            now = self._clock()
            began = check.began
            # What waits in the line has not begun: only the whole run's time counts then.
            limit = end if began is None else min(end, began + limits.image + limits.absent)
            if limit <= now:
                return check.verdict.result(0)
            pause = limit - now if began is not None else min(_LOOK_AGAIN, limit - now)
            with suppress(FutureTimeout):
                return check.verdict.result(pause)


def request_for(use: ImageUse, reference: ImageReference) -> CheckRequest:
    """Return what a check for ``use``, of ``reference``, is about."""
    return CheckRequest(use.identity, reference, use.platform)
