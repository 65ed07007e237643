"""A line that moves by hand: the test says when a call is sent, and when it returns."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Callable
from typing import Any

from layerguard.checking.call_queue import Call, CallQueue, Priority

# Far more steps than anything here takes from one wait to the next.
_STEPS = 20


class ByHand(CallQueue):
    """Keeps the calls that joined in ``waiting``, and what those that were sent wait for.

    Its loop runs only while the test does something.
    """

    def __init__(self) -> None:
        super().__init__(size=0)
        self.waiting: list[Call] = []
        self.sent: list[asyncio.Future[None]] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._loop = asyncio.new_event_loop()
        weakref.finalize(self, self._loop.close)

    def join(self, call: Call, turn: Priority = Priority.NORMAL) -> None:
        self.waiting.insert(0 if turn is Priority.URGENT else len(self.waiting), call)

    async def answer_by_hand(self) -> None:
        """Wait, in a call that was sent, until the test lets it return."""
        answered = asyncio.get_running_loop().create_future()
        self.sent.append(answered)
        await answered

    def call(self, function: Callable[..., object], *arguments: Any) -> None:
        """Call ``function`` on the loop, and let all go on who can."""

        async def call() -> None:
            function(*arguments)
            for _ in range(_STEPS):
                await asyncio.sleep(0)

        self._loop.run_until_complete(call())

    def start(self, call: Call) -> None:
        """Run a coroutine in the background. On the loop."""
        self._tasks.append(asyncio.ensure_future(call()))

    def send(self, position: int = 0) -> None:
        """Send a call, as a line does when its turn has come."""
        self.call(self.start, self.waiting.pop(position))

    def answer(self, position: int = 0) -> None:
        """Let a call that was sent return."""
        self.call(self.sent.pop(position).set_result, None)

    def answer_all(self) -> None:
        """Send and answer until nothing is left."""
        while self.waiting or self.sent:
            while self.waiting:
                self.send()
            if self.sent:
                self.answer()
