"""Blocking work on threads, so that it does not block the event loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

_Result = TypeVar("_Result")


async def on_a_thread(work: Callable[[], _Result]) -> _Result:
    """Run ``work`` on a new thread; return its result or raise its exception.

    The thread is a daemon, unlike those of asyncio's executors: work that hangs does not keep the
    process alive.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[_Result] = loop.create_future()

    def deliver(result: _Result | None, error: BaseException | None) -> None:
        if done.done():  # the caller was cancelled
            return
        if isinstance(error, StopIteration):  # which a future does not accept
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
        with suppress(RuntimeError):  # the loop may be closed already
            loop.call_soon_threadsafe(deliver, result, failure)

    threading.Thread(target=run, name="layerguard-blocking", daemon=True).start()
    return await done
