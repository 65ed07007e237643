"""A queue that sends nothing by itself: the test sends each call and lets it return."""

from __future__ import annotations

import asyncio

from layerguard.checking.call_queue import Call, CallQueue, Priority

from tests.checking.idle_loop import IdleLoop


class ManualQueue(CallQueue):
    """Keeps the calls that were submitted in ``waiting``, and those that were sent in ``sent``."""

    def __init__(self, loop: IdleLoop) -> None:
        super().__init__(size=0)
        self.waiting: list[Call] = []
        self.sent: list[asyncio.Future[None]] = []
        self.tasks: list[asyncio.Task[None]] = []
        self._loop = loop

    def submit(self, call: Call, priority: Priority = Priority.NORMAL) -> None:
        self.waiting.insert(0 if priority is Priority.URGENT else len(self.waiting), call)

    async def until_answered(self) -> None:
        """Wait, in a call that was sent, until the test answers it."""
        answered = asyncio.get_running_loop().create_future()
        self.sent.append(answered)
        await answered

    def send(self, position: int = 0) -> None:
        """Send a call, as a queue does when its time has come."""
        self.tasks.append(self._loop.begin(self.waiting.pop(position)()))

    def answer(self, position: int = 0) -> None:
        """Let a call that was sent return."""
        self._loop.perform(self.sent.pop(position).set_result, None)

    def answer_all(self) -> None:
        """Send and answer until nothing is left."""
        while self.waiting or self.sent:
            while self.waiting:
                self.send()
            if self.sent:
                self.answer()
