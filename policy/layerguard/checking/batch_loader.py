"""A deduplicating, batching loader: each question is asked once, many in one call.

The DataLoader pattern, with a batcher for each repository.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, Generic, TypeAlias, TypeVar

from layerguard.checking.call_queue import CallQueue, Priority
from layerguard.reference import Repository
from layerguard.registry.answers import BATCH

_Question = TypeVar("_Question")
_Answer = TypeVar("_Answer")
_Ask: TypeAlias = (
    "Callable[[Sequence[_Question]], Coroutine[Any, Any, Mapping[_Question, _Answer]]]"
)


class BatchLoader(Generic[_Question, _Answer]):
    """Keeps the answers of ``ask``, whose calls wait in ``queue`` with ``priority``.

    A batch is queued when it has ``size`` questions, or when its repository has no call under way:
    so a single image never waits for others, and many images that come one after the other take
    few calls. Questions that arrive while a batch waits in the queue join it.
    Not thread-safe; bound to the running event loop.
    """

    def __init__(
        self,
        ask: Callable[
            [Repository, Sequence[_Question]], Coroutine[Any, Any, Mapping[_Question, _Answer]]
        ],
        queue: CallQueue,
        size: int = BATCH,
        priority: Priority = Priority.NORMAL,
    ) -> None:
        self._ask = ask
        self._queue = queue
        self._size = size
        self._priority = priority
        self._batchers: dict[Repository, _RepositoryBatcher[_Question, _Answer]] = {}

    def forget(self, repository: Repository) -> None:
        """Drop the answers about ``repository``; what awaits one already still gets it."""
        self._batchers.pop(repository, None)

    def load(
        self,
        repository: Repository,
        questions: Sequence[_Question],
        sent: Callable[[], None] = lambda: None,
    ) -> PendingAnswers[_Question, _Answer]:
        """Return the pending answers to ``questions``; ``sent`` is called as a batch is sent."""
        batcher = self._batchers.get(repository)
        if batcher is None:
            ask = partial(self._ask, repository)
            batcher = _RepositoryBatcher(ask, self._queue, self._size, self._priority)
            self._batchers[repository] = batcher
        batches = {question: batcher.batch_of(question) for question in questions}
        for batch in set(batches.values()):
            batch.on_sending(sent)
        return PendingAnswers(batches)


class PendingAnswers(Generic[_Question, _Answer]):
    """The answers to some questions, which may be in several batches."""

    def __init__(self, batches: Mapping[_Question, _Batch[_Question, _Answer]]) -> None:
        self._batches = batches
        for batch in self._distinct:
            batch.waiting += 1

    def prioritise(self) -> None:
        """Send what was not sent yet before all else."""
        for batch in self._distinct:
            batch.prioritise()

    async def answers(self) -> Mapping[_Question, _Answer]:
        """Return the answer to each question when all are there. To be called once.

        A caller that is cancelled takes no answer from the others that share a batch. A call that
        no caller waits for any more is cancelled, so that it keeps no other from being sent.
        """
        try:
            answers = {batch: await asyncio.shield(batch.answers) for batch in self._distinct}
        finally:
            for batch in self._distinct:
                batch.release()
        return {question: answers[batch][question] for question, batch in self._batches.items()}

    @property
    def _distinct(self) -> Iterable[_Batch[_Question, _Answer]]:
        return dict.fromkeys(self._batches.values())


class _RepositoryBatcher(Generic[_Question, _Answer]):
    """The batches of one repository: those that were queued, and the one that gathers."""

    __slots__ = ("_ask", "_gathering", "_priority", "_queue", "_size", "_under_way", "batches")

    def __init__(
        self, ask: _Ask[_Question, _Answer], queue: CallQueue, size: int, priority: Priority
    ) -> None:
        self.batches: dict[_Question, _Batch[_Question, _Answer]] = {}
        self._ask = ask
        self._queue = queue
        self._size = size
        self._priority = priority
        self._gathering: _Batch[_Question, _Answer] | None = None
        self._under_way = 0

    def batch_of(self, question: _Question) -> _Batch[_Question, _Answer]:
        """Return the batch that has ``question``, which joins the gathering one if it is new."""
        batch = self.batches.get(question)
        if batch is None:
            batch = self._gathering
            if batch is None:
                batch = self._gathering = _Batch(self)
                self._flush_soon()
            self.batches[question] = batch
            batch.questions.append(question)
            if len(batch.questions) == self._size:
                self._gathering = None
                self.queue(batch, self._priority)
        return batch

    def queue(self, batch: _Batch[_Question, _Answer], priority: Priority) -> None:
        """Queue ``batch``, or queue it again at a higher priority; the later run does nothing."""
        if not batch.is_queued:
            batch.is_queued = True
            self._under_way += 1
        self._queue.submit(partial(self._call, batch), priority)

    def abandon(self, batch: _Batch[_Question, _Answer]) -> None:
        """Cancel the call of ``batch``, whose questions may then be asked again."""
        for question in batch.questions:
            del self.batches[question]
        if batch.call:
            batch.call.cancel()

    def _flush_soon(self) -> None:
        """Flush at the end of this event-loop iteration, when all that run in it have asked."""
        asyncio.get_running_loop().call_soon(self._flush)

    def _flush(self) -> None:
        batch = self._gathering
        if batch and not self._under_way and not batch.is_queued:
            self.queue(batch, self._priority)

    async def _call(self, batch: _Batch[_Question, _Answer]) -> None:
        if batch.is_sent:
            return
        if self._gathering is batch:  # nothing can join it any more
            self._gathering = None
        batch.sent()
        batch.call = asyncio.current_task()
        try:
            batch.answers.set_result(await self._ask(tuple(batch.questions)))
        except asyncio.CancelledError:  # nothing waits for it
            batch.answers.cancel()
        except Exception as error:
            batch.answers.set_exception(error)
            batch.answers.exception()  # every check that shares it may have been cancelled
        batch.call = None
        batch.questions.clear()  # there may be thousands, and the answers have them too
        self._under_way -= 1
        self._flush_soon()


class _Batch(Generic[_Question, _Answer]):
    """Questions that are asked in one call."""

    __slots__ = (
        "_batcher",
        "_on_sending",
        "answers",
        "call",
        "is_queued",
        "is_sent",
        "questions",
        "waiting",
    )

    def __init__(self, batcher: _RepositoryBatcher[_Question, _Answer]) -> None:
        self.questions: list[_Question] = []
        self.answers: asyncio.Future[Mapping[_Question, _Answer]]
        self.answers = asyncio.get_running_loop().create_future()
        self.call: asyncio.Task[Any] | None = None
        self.waiting = 0
        self.is_queued = False
        self.is_sent = False
        self._batcher = batcher
        self._on_sending: list[Callable[[], None]] = []

    def on_sending(self, callback: Callable[[], None]) -> None:
        """Call ``callback`` when this is sent, or now where it was."""
        if self.is_sent:
            callback()
        else:
            self._on_sending.append(callback)

    def prioritise(self) -> None:
        """Queue this before all else, unless it was sent."""
        if not self.is_sent:
            self._batcher.queue(self, Priority.URGENT)

    def release(self) -> None:
        """Take note that one caller less waits for this."""
        self.waiting -= 1
        if self.call and not self.waiting:
            self._batcher.abandon(self)

    def sent(self) -> None:
        """Mark this as sent, and call the callbacks."""
        self.is_sent = True
        for callback in self._on_sending:
            callback()
        self._on_sending.clear()
