"""The scheduler: inspections go on, step by step, on the threads that bring their answers.

An inspection is a coroutine that awaits calls. There is no event loop between the threads that
send calls: the one that has an answer runs the steps that wait for it, and takes up the next call
itself, without a hand-over to a loop's thread and back.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Coroutine, Generator
from typing import Any, Generic, TypeAlias, TypeVar

_Result = TypeVar("_Result")
Step: TypeAlias = "Coroutine[Awaited[Any], None, None]"
"""An inspection under way: it awaits nothing but what the scheduler knows."""


class Awaited(Generic[_Result]):
    """Something that is there later; coroutines of the scheduler await it."""

    __slots__ = ("_error", "_is_there", "_result", "waiting")

    def __init__(self) -> None:
        self.waiting: list[Step] = []
        self._is_there = False
        self._result: _Result
        self._error: BaseException | None = None

    def __await__(self) -> Generator[Awaited[Any], None, _Result]:
        if not self._is_there:
            yield self
        if self._error:
            raise self._error
        return self._result

    def arrive(self, result: _Result) -> None:
        """Set the result."""
        self._is_there, self._result = True, result

    def fail(self, error: BaseException) -> None:
        """Set an error, which is raised in everybody who awaits this."""
        self._is_there, self._error = True, error


class Call(Awaited[_Result]):
    """A call that is sent when a thread is free; the scheduler takes ``work`` only then."""

    __slots__ = ("_work",)

    def __init__(self, work: Callable[[], _Result]) -> None:
        super().__init__()
        self._work = work

    def take(self) -> Callable[[], _Result]:
        """Return what is to be done on a thread; from now on nothing may be added."""
        return self._work

    def returned(self) -> None:
        """Take note that the call is over, before those who await it go on."""


class Scheduler:
    """Runs steps one at a time, and ``size`` calls at most. Safe to use from many threads.

    What is registered with ``at_end_of_turn`` runs when all who go on in this turn have gone on.
    Threads are started when the others are busy; they never keep a process alive, so a call that
    hangs does not hang the end of a run.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self._turn = threading.Lock()
        self._work_is_there = threading.Condition(self._turn)
        self._calls: deque[Call[Any]] = deque()
        self._endings: list[Callable[[], None]] = []
        self._threads = 0
        self._idle = 0
        self._under_way = 0
        self._closed = False

    def call(self, function: Callable[..., None], *arguments: Any) -> None:
        """Call ``function`` in a turn of its own; after the end nothing is called any more."""
        with self._turn:
            if not self._closed:
                function(*arguments)
                self._end_turn()

    def start(self, coroutine: Step) -> None:
        """Run ``coroutine`` until it awaits something, and later to its end. For a turn."""
        try:
            awaited = coroutine.send(None)
        except StopIteration:
            return
        awaited.waiting.append(coroutine)

    def line_up(self, call: Call[Any], *, urgent: bool = False) -> None:
        """Send ``call`` when a thread is free; if it is ``urgent``, before others. For a turn."""
        if urgent:
            self._calls.appendleft(call)
        else:
            self._calls.append(call)

    def at_end_of_turn(self, function: Callable[[], None]) -> None:
        """Call ``function`` at the end of the turn that is on. For a turn."""
        self._endings.append(function)

    async def run(self, work: Callable[[], _Result]) -> _Result:
        """Return what ``work`` returns, from a thread."""
        call = Call(work)
        self.line_up(call)
        return await call

    async def sleep(self, seconds: float) -> None:
        """Go on after ``seconds``."""
        nap: Awaited[None] = Awaited()

        def wake() -> None:
            nap.arrive(None)
            self._go_on(nap)

        timer = threading.Timer(seconds, self.call, (wake,))
        timer.daemon = True
        timer.start()
        await nap

    def close(self) -> None:
        """Drop what has not ended, and let each thread end after what it does."""
        with self._turn:
            self._closed = True
            self._calls.clear()
            self._work_is_there.notify_all()

    def _go_on(self, awaited: Awaited[Any]) -> None:
        waiting, awaited.waiting = awaited.waiting, []
        for coroutine in waiting:
            self.start(coroutine)

    def _end_turn(self, takes: int = 0) -> None:
        """End a turn, after which who ends it ``takes`` so many of the calls that wait."""
        while self._endings:
            endings, self._endings = self._endings, []
            for ending in endings:
                ending()
        wanted = len(self._calls) - takes
        self._work_is_there.notify(max(0, min(wanted, self._idle)))
        for _ in range(min(wanted - self._idle, self.size - self._threads)):
            self._threads += 1
            name = f"layerguard-{self._threads}"
            threading.Thread(target=self._serve, name=name, daemon=True).start()

    def _serve(self) -> None:
        with self._turn:
            while not self._closed:
                # There may be more threads than calls are wanted now.
                if not self._calls or self._under_way >= self.size:
                    self._idle += 1
                    self._work_is_there.wait()
                    self._idle -= 1
                    continue
                call = self._calls.popleft()
                work = call.take()
                self._under_way += 1
                self._turn.release()
                try:
                    call.arrive(work())
                except BaseException as error:
                    call.fail(error)
                finally:
                    self._turn.acquire()
                    self._under_way -= 1
                if not self._closed:
                    call.returned()
                    self._go_on(call)
                    self._end_turn(takes=1)
