"""The checker: verdicts on many image uses at a time, each image checked once."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import dataclass, replace
from functools import partial
from queue import Empty, SimpleQueue

from layerguard.bug import bug_text, log_bug
from layerguard.checking.backend import CheckBackend, CheckRequest, Counters
from layerguard.checking.limits import CONCURRENCY, EXPLANATION_SECONDS, Limits
from layerguard.discovery import ImageUse
from layerguard.reference import ImageId, ImageReference, Repository
from layerguard.registry import Registry
from layerguard.verdict import Code, State, Verdict, bug_in

_log = logging.getLogger("layerguard.checking")
_MOST_CAUSES = 20


@dataclass(frozen=True, slots=True)
class Summary:
    """A run in numbers: of the images that its resources use, each image and layer once.

    ``seconds`` is the time from when the first of them was needed to their last verdict. ``calls``
    are all that were sent: one may ask about images that are needed and others at a time.
    """

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
            f"layerguard: {_count(self.image_uses, 'image use')}, {_count(self.images, 'image')}, "
            f"{_count(self.layers, 'layer')} checked, {self.unavailable} unavailable, "
            f"{self.undetermined} undetermined, {self.pending} pending; "
            f"{_count(self.calls, 'call')} to ECR in {self.seconds:.1f} s"
        )


class _Stopwatch:
    """Measures the time in which at least one check is under way. Not thread-safe."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._under_way: set[_Check] = set()
        self._since = 0.0
        self._before = 0.0

    def start(self, check: _Check) -> None:
        if not self._under_way:
            self._since = self._clock()
        self._under_way.add(check)

    def stop(self, check: _Check) -> None:
        if check in self._under_way:
            self._before = self.seconds
            self._since = self._clock()
            self._under_way.remove(check)

    @property
    def seconds(self) -> float:
        running = self._clock() - self._since if self._under_way else 0.0
        return self._before + running


class _Check:
    """A check under way, as the listener of the backend that runs it. Thread-safe.

    The first verdict is final; an explanation changes its reason and next step only.
    """

    def __init__(
        self, ended: Callable[[_Check, Counters], None], *, is_prefetch: bool = False
    ) -> None:
        self.verdict: Future[Verdict] = Future()
        self.explanation: Future[Verdict] = Future()
        self.is_prefetch = is_prefetch
        self.is_needed = False
        self._ended = ended
        self._lock = threading.Lock()

    def decided(self, verdict: Verdict, counters: Counters, *, explaining: bool) -> None:
        with self._lock:
            if self.verdict.done():  # a backend that took over from another checks again
                return
            self._ended(self, counters)
            if not explaining:
                self.explanation.set_result(verdict)
            self.verdict.set_result(verdict)

    def explained(self, verdict: Verdict) -> None:
        with self._lock:
            if self.explanation.done() or not self.verdict.done():
                return
            final = self.verdict.result()
            if verdict.code is final.code:
                final = replace(final, reason=verdict.reason, next_step=verdict.next_step)
            self.explanation.set_result(final)


class Checker:
    """Returns verdicts on image uses, which a backend finds. Thread-safe.

    One image never hides another. No method waits longer than the limits; what is not known by
    then is ``timed-out``, and stays so for the whole run.
    """

    def __init__(self, backend: CheckBackend, clock: Callable[[], float] = time.monotonic) -> None:
        self._backend = backend
        self._clock = clock
        self._limits = Limits()
        self._lock = threading.Lock()
        self._checks: dict[CheckRequest, _Check] = {}
        self._given_up: dict[CheckRequest, Verdict] = {}
        self._images: set[tuple[Repository, ImageId]] = set()
        self._stopwatch = _Stopwatch(clock)
        self._explaining = 0.0
        self._first_question: float | None = None
        self._last_verdict = 0.0
        self._counters = Counters()
        self._logged = ""

    @classmethod
    def in_process(
        cls,
        registry: Registry,
        concurrency: int = CONCURRENCY,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] | None = None,
    ) -> Checker:
        """Return a checker that asks ``registry`` from this process."""
        import asyncio

        # The pack, whose worker asks, never needs it.
        from layerguard.checking.in_process_backend import InProcessBackend

        backend = InProcessBackend(registry, concurrency, clock, sleep or asyncio.sleep)
        return cls(backend, clock)

    @property
    def foreign_endpoints(self) -> frozenset[str]:
        """The URLs of endpoints that were asked and are not AWS's own."""
        with self._lock:
            return self._counters.foreign_endpoints

    def limit(self, limits: Limits, cache_prefixes: Collection[str] = ()) -> None:
        """Set the limits, and the prefixes of pull-through caches that are known, of this run.

        A check that is under way keeps the limits that it started with.
        """
        with self._lock:
            self._limits = limits
        self._backend.limit(limits, cache_prefixes)

    def start(self, uses: Iterable[ImageUse]) -> None:
        """Start to check the images of ``uses`` in the background; return at once."""
        for use in uses:
            if isinstance(use.target, ImageReference):
                self._start(request_for(use, use.target))

    def prefetch(self, requests: Iterable[CheckRequest]) -> None:
        """Start to check what may be used later.

        Only that an image is available is taken from such a check: it may have been pushed since.
        """
        for request in requests:
            self._start(request, is_prefetch=True)

    def check(self, uses: Iterable[ImageUse]) -> tuple[Verdict, ...]:
        """Return a verdict for each of ``uses``, in their order."""
        uses = tuple(uses)
        self.start(uses)
        known = [self._verdict(use) for use in uses]
        # All verdicts are known: they share what is left of the time for explanations.
        return tuple(self._explained(verdict, check) for verdict, check in known)

    def known(self, uses: Iterable[ImageUse]) -> Iterator[tuple[ImageUse, Verdict]]:
        """Yield those of ``uses`` whose verdict is known by now, with it; wait for nothing."""
        for use in uses:
            if isinstance(use.target, Verdict):
                yield use, use.target
                continue
            request = request_for(use, use.target)
            with self._lock:
                verdict, check = self._given_up.get(request), self._checks.get(request)
            if verdict is None and check and not check.is_prefetch and check.verdict.done():
                verdict = check.verdict.result()
            if verdict:
                yield use, verdict

    def check_each(self, uses: Iterable[ImageUse]) -> Iterator[tuple[ImageUse, Verdict]]:
        """Yield each of ``uses`` with its verdict as soon as it is known, in no order."""
        waiting: dict[_Check, list[ImageUse]] = {}
        for use in uses:
            if isinstance(use.target, ImageReference):
                check = self._start(request_for(use, use.target))
                waiting.setdefault(check, []).append(use)
            else:
                yield use, use.target
        known: SimpleQueue[_Check] = SimpleQueue()
        for check in waiting:
            check.verdict.add_done_callback(partial(_put, known, check))
        while waiting:
            try:
                checks = [known.get(timeout=self._left())]
            except Empty:  # the time is used up: the verdicts of the others say so
                checks = list(waiting)
            for each in checks:
                for use in waiting.pop(each):
                    yield use, self._explained(*self._verdict(use))

    def forget(self, use: ImageUse) -> None:
        """Drop what is known of the repository of ``use``, whose images may have changed."""
        if isinstance(use.target, ImageReference):
            self._forget(use.target.repository)

    def summary(self, verdicts: Iterable[Verdict]) -> Summary:
        """Return the numbers of a run with ``verdicts``; skipped uses do not count."""
        verdicts = tuple(verdicts)
        states = Counter(verdict.state for verdict in verdicts)
        layers: frozenset[int] = frozenset().union(*(verdict.layers for verdict in verdicts))
        with self._lock:
            first, last = self._first_question, self._last_verdict
            images, counters = len(self._images), self._counters
        summary = Summary(
            sum(states.values()) - states[State.SKIPPED],
            images,
            len(layers),
            states[State.UNAVAILABLE],
            states[State.UNDETERMINED],
            states[State.PENDING],
            counters.calls,
            0.0 if first is None else max(0.0, last - first),
        )
        self._log_summary(str(summary), verdicts)
        return summary

    def close(self) -> None:
        """End every check; nothing that is left keeps the process alive."""
        self._backend.close()

    def _log_summary(self, summary: str, verdicts: Iterable[Verdict]) -> None:
        """Log a run in numbers and what was wrong in it, the most frequent last, once."""
        if summary == self._logged or not _log.isEnabledFor(logging.INFO):
            return
        self._logged = summary
        _log.info("%s; checked %s", summary.removeprefix("layerguard: "), self._backend)
        causes = Counter(
            (verdict.code.text, verdict.reason)
            for verdict in verdicts
            if verdict.state in (State.UNAVAILABLE, State.UNDETERMINED)
        )
        for (code, reason), number in reversed(causes.most_common(_MOST_CAUSES)):
            _log.info("%s: %s: %s", _count(number, "image use"), code, reason)

    def _start(self, request: CheckRequest, *, is_prefetch: bool = False) -> _Check:
        """Return the check of ``request``, which is started if there is none.

        The time of a prefetch counts only from when its image is needed.
        """
        with self._lock:
            known = self._checks.get(request)
            check = known or _Check(self._ended, is_prefetch=is_prefetch)
            self._checks[request] = check
            if not is_prefetch:
                check.is_needed = True
                if self._first_question is None:
                    self._first_question = self._clock()
                self._images.add((request.reference.repository, request.reference.image_id))
                if not check.verdict.done():
                    self._stopwatch.start(check)
        if known:
            return check
        try:
            self._backend.start(request, check)
        except Exception as error:
            bug = bug_in("starting a check", error, request.platform)
            check.decided(bug, Counters(), explaining=False)
        return check

    def _forget(self, repository: Repository) -> None:
        with self._lock:
            for request in [
                each for each in self._checks if each.reference.repository == repository
            ]:
                del self._checks[request]
        self._backend.forget(repository)

    def _ended(self, check: _Check, counters: Counters) -> None:
        with self._lock:
            self._stopwatch.stop(check)
            if check.is_needed:
                self._last_verdict = self._clock()
            self._counters = self._counters.and_later(counters)

    def _verdict(self, use: ImageUse) -> tuple[Verdict, _Check | None]:
        """Return the verdict on ``use`` within the limits, and the check that came to it."""
        if isinstance(use.target, Verdict):
            return use.target, None
        request = request_for(use, use.target)
        given_up = self._given_up.get(request)
        if given_up:
            return given_up, None
        check = self._current(request)
        return self._wait_for(request, check), check

    def _explained(self, verdict: Verdict, check: _Check | None) -> Verdict:
        """Return ``verdict`` as explained, if that comes within the time that is left."""
        if check is None or verdict.code is Code.TIMED_OUT:
            return verdict
        began = self._clock()
        try:
            return check.explanation.result(max(0.0, EXPLANATION_SECONDS - self._explaining))
        except FutureTimeout:
            _log.warning("An explanation is left out, the time for all is over: %s", verdict.reason)
            return verdict
        finally:
            with self._lock:
                self._explaining += self._clock() - began

    def _current(self, request: CheckRequest) -> _Check:
        """Return the check of ``request``: a new one where a prefetch found the image lacking."""
        check = self._start(request)
        if check.is_prefetch:
            if self._wait_for(request, check).state is not State.AVAILABLE:
                self._forget(request.reference.repository)
            check.is_prefetch = False
        return self._start(request)

    def _wait_for(self, request: CheckRequest, check: _Check) -> Verdict:
        if not check.verdict.done():
            try:
                self._backend.prioritise(request)
            except Exception as error:  # it only makes the verdict come earlier
                log_bug(bug_text("in prioritising a check", error), error)
        try:
            return check.verdict.result(self._left())
        except FutureTimeout:
            reason = (
                f"The time of the whole run, {self._limits.total:g} s in which checks are under "
                "way (option totalTimeoutSeconds), is used up."
            )
            verdict = request.failure(Code.TIMED_OUT, reason)
            with self._lock:
                return self._given_up.setdefault(request, verdict)

    def _left(self) -> float:
        """Return how many seconds are left of the run's time."""
        with self._lock:
            limits = self._limits
            return max(0.0, limits.total + limits.absent - self._stopwatch.seconds)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _put(known: SimpleQueue[_Check], check: _Check, _: Future[Verdict]) -> None:
    known.put(check)


def request_for(use: ImageUse, reference: ImageReference) -> CheckRequest:
    """Return the request to check ``reference`` for ``use``."""
    return CheckRequest(use.identity, reference, use.platform)
