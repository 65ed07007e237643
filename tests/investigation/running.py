"""Coroutines of the scheduler, run to their ends."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

from layerguard.investigation.scheduler import Scheduler

_Result = TypeVar("_Result")


def to_its_end(
    make: Callable[[Scheduler], Coroutine[Any, None, _Result]], size: int = 2
) -> _Result:
    """Return what the coroutine returns that ``make`` makes; raise what it raises."""
    scheduler = Scheduler(size)
    ended: Future[_Result] = Future()

    async def run() -> None:
        try:
            ended.set_result(await make(scheduler))
        except BaseException as error:
            ended.set_exception(error)

    scheduler.call(lambda: scheduler.start(run()))
    try:
        return ended.result(10)
    finally:
        scheduler.close()
