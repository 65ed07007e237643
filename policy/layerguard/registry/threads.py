"""Blocking work on threads, so that it does not block the event loop."""

from __future__ import annotations

import asyncio
import threading
import weakref
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from typing import Any, TypeAlias, TypeVar

_Result = TypeVar("_Result")
_Deliver: TypeAlias = "Callable[[Any, BaseException | None], None]"
_Job: TypeAlias = "tuple[asyncio.AbstractEventLoop, Callable[[], Any], _Deliver]"


class Threads:
    """Runs each piece of work on a thread of its own, and keeps the threads for later work.

    They are daemons, unlike those of asyncio's executors: work that hangs does not keep the process
    alive. They end when this is garbage collected. Not thread-safe; bound to the running event
    loop.
    """

    def __init__(self) -> None:
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._idle = 0
        weakref.finalize(self, self._jobs.put, None).atexit = False

    async def run(self, work: Callable[[], _Result], seconds: float | None = None) -> _Result:
        """Return the result of ``work`` or raise its exception; TimeoutError after ``seconds``.

        Work that is late, or whose caller was cancelled, goes on, and its result is dropped.
        """
        loop = asyncio.get_running_loop()
        done: asyncio.Future[_Result] = loop.create_future()

        def deliver(result: Any, error: BaseException | None) -> None:
            self._idle += 1
            end(result, error)

        def end(result: Any, error: BaseException | None) -> None:
            if done.done():
                return
            if isinstance(error, StopIteration):  # which a future does not accept
                done.set_exception(RuntimeError(f"StopIteration: {error}"))
            elif error is not None:
                done.set_exception(error)
            else:
                done.set_result(result)

        if self._idle:
            self._idle -= 1
        else:
            threading.Thread(
                target=_serve, args=(self._jobs,), name="layerguard-blocking", daemon=True
            ).start()
        self._jobs.put((loop, work, deliver))
        if seconds is None:
            return await done
        timer = loop.call_later(seconds, end, None, TimeoutError(f"no result within {seconds:g} s"))
        try:
            return await done
        finally:
            timer.cancel()


def _serve(jobs: SimpleQueue[_Job | None]) -> None:
    while (job := jobs.get()) is not None:
        loop, work, deliver = job
        result, failure = None, None
        try:
            result = work()
        except BaseException as error:
            failure = error
        with suppress(RuntimeError):  # the loop may be closed already
            loop.call_soon_threadsafe(deliver, result, failure)
        del job, loop, work, deliver, result, failure  # so that nothing is kept while it waits
    jobs.put(None)  # for the next thread
