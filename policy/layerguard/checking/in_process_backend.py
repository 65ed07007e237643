"""The backend that runs checks in this process, on an event loop of its own."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Collection
from dataclasses import replace
from typing import TypeAlias

from layerguard.bug import bug_text, log_bug
from layerguard.checking.backend import CheckListener, CheckRequest, Counters
from layerguard.checking.background_loop import BackgroundLoop
from layerguard.checking.call_queue import CallQueue
from layerguard.checking.explanations import explain, may_explain
from layerguard.checking.image import check_image
from layerguard.checking.limits import CONCURRENCY, EXPLANATION_SECONDS, Limits
from layerguard.checking.questions import DISTINGUISHING_SECONDS, Questions, RegistryLoaders
from layerguard.identity import Identity
from layerguard.platform import Platform
from layerguard.reference import ImageReference, Repository
from layerguard.registry import Registry
from layerguard.verdict import Code, Follows, Verdict, bug_in

_log = logging.getLogger("layerguard.checking")

Check: TypeAlias = Callable[[ImageReference, "Platform | None", Questions], Awaitable[Verdict]]
Explain: TypeAlias = Callable[[ImageReference, Verdict, Questions], Awaitable[Verdict]]

# Seconds between two checks of an image that is not there yet.
_FIRST_PAUSE = 1.0
_LONGEST_PAUSE = 10.0
# More explanations than this would take longer than a run waits for them, and hold checks up.
_MOST_EXPLAINED = 100


class InProcessBackend:
    """A ``CheckBackend`` that asks ``registry`` from this process.

    A check ends with a verdict whatever happens in it: its limit makes it ``timed-out``, and an
    exception ``internal-error``. Its explanation comes after the verdict, and is left out where it
    fails or takes too long. ``check`` and ``explain`` are the steps of a check.
    """

    def __init__(
        self,
        registry: Registry,
        concurrency: int = CONCURRENCY,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        check: Check = check_image,
        explain: Explain = explain,
    ) -> None:
        self._registry = registry
        self._clock = clock
        self._sleep = sleep
        self._check = check
        self._explain = explain
        self._loop = BackgroundLoop()
        self._queue = CallQueue(concurrency)
        self._explained_count = 0
        self._under_way: dict[CheckRequest, Questions] = {}
        self._loaders: dict[Identity, RegistryLoaders] = {}
        self._limits = Limits(concurrency=concurrency)
        self._cache_prefixes: tuple[str, ...] = ()
        registry.set_retry_seconds(self._limits.image / 2)

    def __str__(self) -> str:
        """Return where the checks run, for the log."""
        return "in this process"

    def limit(self, limits: Limits, cache_prefixes: Collection[str]) -> None:
        """Set the limits, and the prefixes of pull-through caches that are known."""
        self._limits = limits
        self._queue.size = limits.concurrency
        self._cache_prefixes = tuple(cache_prefixes)
        self._registry.set_retry_seconds(limits.image / 2)

    def start(self, request: CheckRequest, listener: CheckListener) -> None:
        """Start a check in the background; return at once."""
        self._loop.start(self._run, request, listener, self._limits, self._cache_prefixes)

    def prioritise(self, request: CheckRequest) -> None:
        """Send the questions of ``request`` before all others."""
        # A check that was started in this iteration takes its first step before.
        self._loop.call(lambda: asyncio.get_running_loop().call_soon(self._prioritise, request))

    def forget(self, repository: Repository) -> None:
        """Drop the answers about a repository."""
        self._loop.call(self._forget, repository)

    def close(self) -> None:
        """End every check."""
        self._loop.close()

    def _prioritise(self, request: CheckRequest) -> None:
        questions = self._under_way.get(request)
        if questions:
            questions.prioritise()

    def _forget(self, repository: Repository) -> None:
        for loaders in self._loaders.values():
            loaders.forget(repository)

    async def _run(
        self,
        request: CheckRequest,
        listener: CheckListener,
        limits: Limits,
        cache_prefixes: tuple[str, ...],
    ) -> None:
        questions, began = None, self._clock()
        watch = _Watch(limits.image + limits.absent)
        try:
            patience = min(DISTINGUISHING_SECONDS, limits.image / 3)
            loaders = self._loaders_of(request.identity)
            questions = Questions(loaders, cache_prefixes, watch.begin, patience)
            self._under_way[request] = questions
            verdict = await watch.over(self._until_there(request, questions, limits.absent))
        except asyncio.TimeoutError:
            reason = f"The check did not end within {limits.image:g} s (option timeoutSeconds)."
            verdict = request.failure(Code.TIMED_OUT, reason)
        except Exception as error:
            verdict = bug_in("checking", error, request.platform)
        finally:
            if self._under_way.get(request) is questions:
                self._under_way.pop(request, None)
        _log_verdict(request, verdict, self._clock() - began)
        explaining = questions is not None and self._is_worth_explaining(request, verdict)
        listener.decided(verdict, self._counters(), explaining=explaining)
        if questions and explaining:
            listener.explained(await self._explained(request, verdict, questions))

    def _is_worth_explaining(self, request: CheckRequest, verdict: Verdict) -> bool:
        try:
            is_open = may_explain(verdict)
        except Exception as error:  # the verdict is final without an explanation
            _log_dropped(request, error)
            return False
        explaining = is_open and self._explained_count < _MOST_EXPLAINED
        if is_open and not explaining:
            _log.warning("The explanation for %s is left out: too many", request.reference)
        self._explained_count += explaining
        return explaining

    async def _explained(
        self, request: CheckRequest, verdict: Verdict, questions: Questions
    ) -> Verdict:
        """Return ``verdict`` as explained, or as it is where that fails."""
        try:
            explaining = self._explain(request.reference, verdict, questions)
            explained = await asyncio.wait_for(explaining, EXPLANATION_SECONDS)
            # Whatever an explanation returns, the verdict is final.
            return replace(verdict, reason=explained.reason, next_step=explained.next_step)
        except Exception as error:
            _log_dropped(request, error)
            return verdict

    async def _until_there(
        self, request: CheckRequest, questions: Questions, absent: float
    ) -> Verdict:
        """Check an image, again and again while it is not there and may still come.

        Where the time of the image is over in a later check, the verdict before it stands.
        """
        began = self._clock()
        verdict = await self._check(request.reference, request.platform, questions)
        pause = _FIRST_PAUSE
        while _may_come(verdict) and (left := began + absent - self._clock()) > 0:
            try:
                await self._sleep(min(pause, left))
                questions.refresh()
                verdict = await self._check(request.reference, request.platform, questions)
            except asyncio.CancelledError:
                break
            _log.debug("%s is asked about again: %s", request.reference, verdict.code.text)
            pause = min(2 * pause, _LONGEST_PAUSE)
        if _may_come(verdict) and absent:
            waited = self._clock() - began
            reason = f"{verdict.reason} It did not come within {waited:.0f} s either."
            verdict = replace(verdict, reason=reason)
        return verdict

    def _loaders_of(self, identity: Identity) -> RegistryLoaders:
        loaders = self._loaders.get(identity)
        if loaders is None:
            registry = self._registry.for_identity(identity)
            loaders = RegistryLoaders(registry, self._queue, self._clock)
            self._loaders[identity] = loaders
        return loaders

    def _counters(self) -> Counters:
        return Counters(self._registry.calls, self._registry.foreign_endpoints)


class _Watch:
    """Ends a coroutine some seconds after ``begin``: time in the queue does not count."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._task: asyncio.Task[Verdict] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._is_over = False

    def begin(self) -> None:
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._seconds, self._end)

    async def over(self, work: Awaitable[Verdict]) -> Verdict:
        """Return what ``work`` returns; raise asyncio.TimeoutError when its time is over."""
        self._task = asyncio.ensure_future(work)
        try:
            return await self._task
        except asyncio.CancelledError:
            if self._is_over:
                raise asyncio.TimeoutError from None
            raise
        finally:
            if self._timer:
                self._timer.cancel()

    def _end(self) -> None:
        self._is_over = True
        if self._task:
            self._task.cancel()


def _log_verdict(request: CheckRequest, verdict: Verdict, seconds: float) -> None:
    level = logging.DEBUG if verdict.code is Code.AVAILABLE else logging.WARNING
    if _log.isEnabledFor(level):
        platform = f" for {request.platform}" if request.platform else ""
        what = f"{request.reference}{platform}, with {request.identity}"
        _log.log(level, "%s: %s in %.2f s: %s", what, verdict.code.text, seconds, verdict.reason)


def _log_dropped(request: CheckRequest, error: Exception) -> None:
    """Log that a verdict stays without its explanation, and why."""
    if isinstance(error, asyncio.TimeoutError):
        why = f"it did not come within {EXPLANATION_SECONDS:g} s"
        _log.warning("The explanation for %s is left out: %s", request.reference, why)
    else:
        log_bug(bug_text(f"in explaining {request.reference}", error), error)


def _may_come(verdict: Verdict) -> bool:
    return Follows.MAY_STILL_COME in verdict.code.follows
