"""Runs a coroutine of the scheduler to its end, and waits for it."""

from __future__ import annotations

from collections.abc import Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

from layerguard.investigation.scheduler import Awaited, Scheduler

_Result = TypeVar("_Result")


def started(
    scheduler: Scheduler, coroutine: Coroutine[Awaited[Any], None, _Result]
) -> Future[_Result]:
    """Start ``coroutine`` in a turn; return what becomes its result or its error."""
    future: Future[_Result] = Future()

    async def to_its_end() -> None:
        try:
            future.set_result(await coroutine)
        except Exception as error:
            future.set_exception(error)

    scheduler.call(scheduler.start, to_its_end())
    return future


def run(scheduler: Scheduler, coroutine: Coroutine[Awaited[Any], None, _Result]) -> _Result:
    """Return what ``coroutine`` returns, or raise what it raises."""
    return started(scheduler, coroutine).result(30)
