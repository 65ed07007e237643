"""Coroutines that need a line, run to their ends."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from layerguard.checking.call_queue import CallQueue

_Result = TypeVar("_Result")


def to_its_end(make: Callable[[CallQueue], Coroutine[Any, Any, _Result]], size: int = 2) -> _Result:
    """Return what the coroutine returns that ``make`` makes; raise what it raises."""

    async def run() -> _Result:
        return await asyncio.wait_for(make(CallQueue(size)), 10)

    return asyncio.run(run())
