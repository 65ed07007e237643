"""An event loop that a test runs step by step, each time until everything in it waits."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

_Result = TypeVar("_Result")


class _Selector(selectors.DefaultSelector):
    """Calls ``idle`` instead of waiting."""

    idle: Callable[[], None]

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None or timeout > 0:
            self.idle()
        return super().select(0)


class IdleLoop(asyncio.SelectorEventLoop):
    """Runs only in ``settle`` and ``perform``, and then until nothing is left to run."""

    def __init__(self) -> None:
        selector = _Selector()
        selector.idle = self.stop
        super().__init__(selector)

    def settle(self) -> None:
        """Run everything that does not wait for a timer or another thread."""
        self.run_forever()

    def perform(self, function: Callable[..., object], *arguments: Any) -> None:
        """Call ``function`` on the loop, and settle."""
        self.call_soon(function, *arguments)
        self.settle()

    def begin(self, coroutine: Coroutine[Any, Any, _Result]) -> asyncio.Task[_Result]:
        """Run ``coroutine`` as far as it goes."""
        task = self.create_task(coroutine)
        self.settle()
        return task

    def end(self) -> None:
        """Cancel what still waits, and close the loop."""
        for task in asyncio.all_tasks(self):
            task.cancel()
        self.settle()
        self.close()
