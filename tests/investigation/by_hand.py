"""A scheduler without threads: the test says when a call is sent, and when it returns."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from layerguard.investigation.scheduler import Call, Scheduler


class ByHand(Scheduler):
    """Keeps the calls that are lined up in ``waiting``, and those that were sent in ``sent``."""

    def __init__(self) -> None:
        super().__init__(size=0)
        self.waiting: list[Call[Any]] = []
        self.sent: list[tuple[Call[Any], Callable[[], Any]]] = []

    def line_up(self, call: Call[Any], *, urgent: bool = False) -> None:
        self.waiting.insert(0 if urgent else len(self.waiting), call)

    def send(self, position: int = 0) -> None:
        """Send a call, as a thread that is free does."""
        self.call(lambda: self._send(self.waiting.pop(position)))

    def answer(self, position: int = 0) -> None:
        """Let a call that was sent return, as its thread does."""
        call, work = self.sent.pop(position)
        try:
            call.arrive(work())
        except Exception as error:
            call.fail(error)
        self.call(lambda: self._returned(call))

    def answer_all(self) -> None:
        """Send and answer until nothing is left."""
        while self.waiting or self.sent:
            while self.waiting:
                self.send()
            self.answer()

    def _send(self, call: Call[Any]) -> None:
        self.sent.append((call, call.take()))

    def _returned(self, call: Call[Any]) -> None:
        call.returned()
        self._go_on(call)
