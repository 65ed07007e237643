"""The event loop on which checks run, on a thread of its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from contextlib import suppress
from typing import Any

_END_SECONDS = 2.0


class BackgroundLoop:
    """Runs what it is given from whatever thread, one step at a time.

    Its thread never keeps a process alive, so a call that hangs does not hang the end of a run.
    """

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()
        started: Future[asyncio.AbstractEventLoop] = Future()
        self._thread = threading.Thread(
            target=self._run_loop, args=(started,), name="layerguard-loop", daemon=True
        )
        self._thread.start()
        self._loop = started.result()

    def call(self, function: Callable[..., object], *arguments: Any) -> None:
        """Call ``function`` soon, in the order of such calls; after the end nothing is called."""
        with suppress(RuntimeError):  # the loop is closed
            self._loop.call_soon_threadsafe(function, *arguments)

    def start(self, function: Callable[..., Coroutine[Any, Any, None]], *arguments: Any) -> None:
        """Run the coroutine that ``function`` makes, in the background."""
        self.call(self._start, function, arguments)

    def close(self) -> None:
        """Drop what has not ended, and close what it has open."""
        self.call(self._end.set)
        self._thread.join(_END_SECONDS)

    def _start(
        self, function: Callable[..., Coroutine[Any, Any, None]], arguments: tuple[Any, ...]
    ) -> None:
        # A loop alone does not keep its tasks.
        task = self._loop.create_task(function(*arguments))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _run_loop(self, started: Future[asyncio.AbstractEventLoop]) -> None:
        run = self._run(started)
        try:
            asyncio.run(run)
        except Exception as error:
            run.close()
            if started.done():
                raise
            started.set_exception(error)  # a loop takes files, and there may be too many open

    async def _run(self, started: Future[asyncio.AbstractEventLoop]) -> None:
        self._end = asyncio.Event()
        started.set_result(asyncio.get_running_loop())
        await self._end.wait()
