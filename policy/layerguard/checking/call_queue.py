"""A priority queue of calls with a limit on how many are under way."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from enum import IntEnum
from typing import Any, TypeAlias, TypeVar

_Result = TypeVar("_Result")
Call: TypeAlias = "Callable[[], Coroutine[Any, Any, None]]"
"""Makes the coroutine of a call when it is sent, and not before."""

# Calls that are sent before the event loop runs anything else: the first of many is on its way
# while the last is still being written.
_BURST = 8


class Priority(IntEnum):
    """The order in which calls are sent."""

    URGENT = 0
    """A resource waits for it."""
    HIGH = 1
    """A check that has begun is finished before another one begins."""
    NORMAL = 2
    LOW = 3
    """It only serves an explanation."""


class CallQueue:
    """Sends calls by priority and then in order, at most ``size`` at a time.

    Not thread-safe; bound to the running event loop.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self._waiting: tuple[deque[Call], ...] = tuple(deque() for _ in Priority)
        self._under_way: set[asyncio.Task[None]] = set()
        self._is_scheduled = False

    def submit(self, call: Call, priority: Priority = Priority.NORMAL) -> None:
        """Send ``call`` when its time has come."""
        self._waiting[priority].append(call)
        self._schedule()

    async def run(
        self,
        work: Callable[[], Coroutine[Any, Any, _Result]],
        priority: Priority = Priority.NORMAL,
    ) -> _Result:
        """Wait in the queue; return what ``work`` returns, or raise what it raises.

        A caller that is cancelled leaves the queue, or ends the call.
        """
        loop = asyncio.get_running_loop()
        sent: asyncio.Future[None] = loop.create_future()
        ended: asyncio.Future[None] = loop.create_future()

        async def call() -> None:
            if not sent.done():  # otherwise the caller was cancelled
                sent.set_result(None)
                await ended

        self.submit(call, priority)
        try:
            await sent
            return await work()
        finally:
            ended.cancel()

    def _schedule(self) -> None:
        if not self._is_scheduled:
            self._is_scheduled = True
            asyncio.get_running_loop().call_soon(self._send)

    def _send(self) -> None:
        self._is_scheduled = False
        for _ in range(_BURST):
            waiting = next(filter(None, self._waiting), None)
            if waiting is None or len(self._under_way) >= self.size:
                return
            task = asyncio.ensure_future(waiting.popleft()())
            self._under_way.add(task)
            task.add_done_callback(self._ended)
        self._schedule()

    def _ended(self, task: asyncio.Task[None]) -> None:
        # The slot is freed one iteration later, so that what follows from the answer is queued
        # before the next call is chosen.
        asyncio.get_running_loop().call_soon(self._free, task)

    def _free(self, task: asyncio.Task[None]) -> None:
        self._under_way.discard(task)
        self._schedule()
