"""The line in which calls wait until fewer than the limit are under way."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from enum import IntEnum
from typing import Any, TypeAlias, TypeVar

_Result = TypeVar("_Result")
Call: TypeAlias = "Callable[[], Coroutine[Any, Any, None]]"
"""Makes the coroutine of a call when its turn has come, and not before."""

# So many calls begin before the loop looks what else there is to do: so the first of many is on
# its way while the last is still being written.
_IN_A_ROW = 8


class Priority(IntEnum):
    """When a call is sent: before all that come later in this list."""

    URGENT = 0
    HIGH = 1
    NORMAL = 2


class CallQueue:
    """Sends calls, ``size`` at a time at most, in the order of their turns and of their coming.

    Of one event loop.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self._waiting: tuple[deque[Call], ...] = tuple(deque() for _ in Priority)
        self._under_way: set[asyncio.Task[None]] = set()
        self._is_called = False

    def join(self, call: Call, turn: Priority = Priority.NORMAL) -> None:
        """Send ``call`` when its ``turn`` has come."""
        self._waiting[turn].append(call)
        self._send_soon()

    async def run(self, work: Callable[[], Coroutine[Any, Any, _Result]]) -> _Result:
        """Wait for a turn; return what ``work`` returns, or raise what it raises."""
        ended: asyncio.Future[_Result] = asyncio.get_running_loop().create_future()

        async def call() -> None:
            try:
                ended.set_result(await work())
            except Exception as error:
                ended.set_exception(error)

        self.join(call)
        return await ended

    def _send_soon(self) -> None:
        if not self._is_called:
            self._is_called = True
            asyncio.get_running_loop().call_soon(self._send)

    def _send(self) -> None:
        self._is_called = False
        for _ in range(_IN_A_ROW):
            waiting = next(filter(None, self._waiting), None)
            if waiting is None or len(self._under_way) >= self.size:
                return
            task = asyncio.ensure_future(waiting.popleft()())
            self._under_way.add(task)
            task.add_done_callback(self._ended)
        self._send_soon()

    def _ended(self, task: asyncio.Task[None]) -> None:
        # Who had its answer goes on first, and what it asks next may go before what waits.
        asyncio.get_running_loop().call_soon(self._left, task)

    def _left(self, task: asyncio.Task[None]) -> None:
        self._under_way.discard(task)
        self._send_soon()
