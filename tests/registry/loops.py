"""Tests that run on an event loop: each on one of its own, which ends with it."""

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
    """Make a test of a coroutine."""

    @functools.wraps(test)
    def run(*args: _Parameters.args, **kwargs: _Parameters.kwargs) -> None:
        asyncio.run(test(*args, **kwargs))

    return run


async def until(is_so: Callable[[], object]) -> None:
    """Let the loop go on until something is so; fail where it does not become so."""
    loop = asyncio.get_running_loop()
    end = loop.time() + PATIENCE
    while not is_so():
        assert loop.time() < end
        await asyncio.sleep(0.01)
