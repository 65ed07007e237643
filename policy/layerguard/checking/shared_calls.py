"""Calls about a whole repository or registry, each made once for all checks that need it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from functools import partial
from typing import Any, Generic, TypeVar

from layerguard.checking.call_queue import CallQueue, Priority
from layerguard.reference import Repository

_Answer = TypeVar("_Answer")


class SharedCalls(Generic[_Answer]):
    """Keeps the answers of ``ask``, whose calls wait in ``queue`` with ``priority``.

    Repositories of one ``key`` share an answer; by default each has its own.
    Not thread-safe; bound to the running event loop.
    """

    def __init__(
        self,
        ask: Callable[[Repository], Coroutine[Any, Any, _Answer]],
        queue: CallQueue,
        priority: Priority,
        key: Callable[[Repository], Hashable] = lambda repository: repository,
    ) -> None:
        self._ask = ask
        self._queue = queue
        self._priority = priority
        self._key = key
        self._tasks: dict[Hashable, asyncio.Task[_Answer]] = {}

    def forget(self, repository: Repository) -> None:
        """Drop the answer about ``repository``; what awaits it already still gets it."""
        self._tasks.pop(self._key(repository), None)

    async def answer(self, repository: Repository, seconds: float) -> _Answer:
        """Return the answer; raise what ``ask`` raises, or asyncio.TimeoutError after ``seconds``.

        All that wait at the same time get the same; after an exception ``ask`` is called again. A
        caller that is cancelled takes no answer from the others.
        """
        key = self._key(repository)
        task = self._tasks.get(key)
        if task is None:
            work = self._queue.run(partial(self._ask, repository), self._priority)
            task = self._tasks[key] = asyncio.ensure_future(asyncio.wait_for(work, seconds))
            task.add_done_callback(partial(self._drop_failure, key))
        return await asyncio.shield(task)

    def _drop_failure(self, key: Hashable, task: asyncio.Task[_Answer]) -> None:
        has_failed = task.cancelled() or task.exception() is not None
        if has_failed and self._tasks.get(key) is task:
            del self._tasks[key]
