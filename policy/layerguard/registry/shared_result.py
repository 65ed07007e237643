"""A result that many callers wait for together."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeVar

_Result = TypeVar("_Result")


class SharedResult(Generic[_Result]):
    """Computes a result once: concurrent and later callers get the same.

    A caller that is cancelled cancels neither the others nor the computation. An exception is a
    result too. Not thread-safe; bound to the running event loop.
    """

    def __init__(self) -> None:
        self._task: asyncio.Task[_Result] | None = None

    async def get(self, compute: Callable[[], Coroutine[Any, Any, _Result]]) -> _Result:
        """Return the result; only the first caller's ``compute`` is called."""
        if self._task is None:
            self._task = asyncio.ensure_future(compute())
        return await asyncio.shield(self._task)
