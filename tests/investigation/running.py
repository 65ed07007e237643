"""Coroutines that need a line, run to their ends."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from layerguard.investigation.line import Line

_Result = TypeVar("_Result")


def to_its_end(make: Callable[[Line], Coroutine[Any, Any, _Result]], size: int = 2) -> _Result:
    """Return what the coroutine returns that ``make`` makes; raise what it raises."""

    async def run() -> _Result:
        return await asyncio.wait_for(make(Line(size)), 10)

    return asyncio.run(run())
