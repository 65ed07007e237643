"""Tests that run on an event loop, each on its own."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable, Coroutine
from typing import Any, ParamSpec

from tests.processes import PATIENCE

_Parameters = ParamSpec("_Parameters")


def on_a_loop(
    test: Callable[_Parameters, Coroutine[Any, Any, None]],
) -> Callable[_Parameters, None]:
    """Return a test that runs the coroutine ``test``."""

    @functools.wraps(test)
    def run(*args: _Parameters.args, **kwargs: _Parameters.kwargs) -> None:
        asyncio.run(test(*args, **kwargs))

    return run


async def until(is_so: Callable[[], object]) -> None:
    """Run the loop until ``is_so``; fail after PATIENCE seconds."""
    loop = asyncio.get_running_loop()
    end = loop.time() + PATIENCE
    while not is_so():
        assert loop.time() < end
        await asyncio.sleep(0.01)
