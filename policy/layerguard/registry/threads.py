"""Threads for what blocks: the event loop goes on while botocore or a name server is silent."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

_Result = TypeVar("_Result")


async def on_a_thread(work: Callable[[], _Result]) -> _Result:
    """Return what ``work`` returns, or raise what it raises, from a thread of its own.

    The thread never keeps a process alive, as those of asyncio's executors do: work that hangs
    does not hang the end of a run.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[_Result] = loop.create_future()

    def deliver(result: _Result | None, error: BaseException | None) -> None:
        if done.done():  # nobody waits any more
            return
        if isinstance(error, StopIteration):  # a future takes it for its own end
            done.set_exception(RuntimeError(f"StopIteration: {error}"))
        elif error is not None:
            done.set_exception(error)
        else:
            done.set_result(result)  # type: ignore[arg-type]

    def run() -> None:
        result, failure = None, None
        try:
            result = work()
        except BaseException as error:
            failure = error
        with suppress(RuntimeError):  # the loop may end first
            loop.call_soon_threadsafe(deliver, result, failure)

    threading.Thread(target=run, name="layerguard-blocking", daemon=True).start()
    return await done
