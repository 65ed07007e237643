"""Asks each question once, and those of a repository that wait at the same time together."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from functools import partial
from typing import Any, Generic, TypeAlias, TypeVar

from layerguard.checking.call_queue import CallQueue, Priority
from layerguard.reference import Repository

# What ECR's batch operations take. Source: ECR API reference.
BATCH = 100

_Question = TypeVar("_Question")
_Answer = TypeVar("_Answer")
_Asks: TypeAlias = (
    "Callable[[Sequence[_Question]], Coroutine[Any, Any, Mapping[_Question, _Answer]]]"
)


class BatchLoader(Generic[_Question, _Answer]):
    """Keeps the answers of ``ask``, whose calls wait in ``line``. Of one event loop.

    A call leaves when it is ``full``, or when its repository has none under way: so an image alone
    never waits for others, and of many that come one after the other few calls are made. What
    comes while a call waits in the line goes with it. ``turn`` is when the calls are sent.
    """

    def __init__(
        self,
        ask: Callable[
            [Repository, Sequence[_Question]], Coroutine[Any, Any, Mapping[_Question, _Answer]]
        ],
        line: CallQueue,
        full: int = BATCH,
        turn: Priority = Priority.NORMAL,
    ) -> None:
        self._ask = ask
        self._line = line
        self._full = full
        self._turn = turn
        self._desks: dict[Repository, _RepositoryBatcher[_Question, _Answer]] = {}
        self.count = 0
        """How many distinct questions were asked."""

    def forget(self, repository: Repository) -> None:
        """Drop the answers about ``repository``; who waits for one still gets it."""
        self._desks.pop(repository, None)

    def ask(
        self,
        repository: Repository,
        questions: Sequence[_Question],
        begun: Callable[[], None] = lambda: None,
    ) -> PendingAnswers[_Question, _Answer]:
        """Return what becomes the answer to each question when it is awaited.

        ``begun`` is called when the first of them is sent.
        """
        desk = self._desks.get(repository)
        if desk is None:
            ask = partial(self._ask, repository)
            desk = _RepositoryBatcher(ask, self._line, self._full, self._turn)
            self._desks[repository] = desk
        before = len(desk.known)
        batches = {question: desk.batch_of(question) for question in questions}
        self.count += len(desk.known) - before
        for batch in set(batches.values()):
            batch.on_sending(begun)
        return PendingAnswers(batches)


class PendingAnswers(Generic[_Question, _Answer]):
    """Answers that are on their way."""

    def __init__(self, batches: Mapping[_Question, _Batch[_Question, _Answer]]) -> None:
        self._batches = batches

    def prioritise(self) -> None:
        """Send what was not sent yet before all else."""
        for batch in dict.fromkeys(self._batches.values()):
            batch.prioritise()

    async def answers(self) -> Mapping[_Question, _Answer]:
        """Return the answer to each question, when all are there."""
        answers = {batch: await batch.answers for batch in dict.fromkeys(self._batches.values())}
        return {question: answers[batch][question] for question, batch in self._batches.items()}


class _RepositoryBatcher(Generic[_Question, _Answer]):
    """The questions about one repository: which were asked, and which are gathered."""

    __slots__ = ("_ask", "_full", "_gathering", "_line", "_turn", "_under_way", "known")

    def __init__(
        self, ask: _Asks[_Question, _Answer], line: CallQueue, full: int, turn: Priority
    ) -> None:
        self.known: dict[_Question, _Batch[_Question, _Answer]] = {}
        self._ask = ask
        self._line = line
        self._full = full
        self._turn = turn
        self._gathering: _Batch[_Question, _Answer] | None = None
        self._under_way = 0

    def batch_of(self, question: _Question) -> _Batch[_Question, _Answer]:
        """Return the batch that ``question`` is in, or the one that gathers, with it."""
        batch = self.known.get(question)
        if batch is None:
            batch = self._gathering
            if batch is None:
                batch = self._gathering = _Batch(self)
                self._send_what_is_gathered_soon()
            self.known[question] = batch
            batch.questions.append(question)
            if len(batch.questions) == self._full:
                self._gathering = None
                self._send(batch)
        return batch

    def prioritise(self, batch: _Batch[_Question, _Answer]) -> None:
        """Send ``batch`` before all else; where it waits already, it waits twice."""
        if not batch.is_queued:
            batch.is_queued = True
            self._under_way += 1
        self._line.join(partial(self._call, batch), Priority.URGENT)

    def _send_what_is_gathered_soon(self) -> None:
        """Send it when all have asked who go on at this moment."""
        asyncio.get_running_loop().call_soon(self._send_gathered)

    def _send_gathered(self) -> None:
        if self._gathering and not self._under_way:
            self._send(self._gathering)

    def _send(self, batch: _Batch[_Question, _Answer]) -> None:
        if not batch.is_queued:
            batch.is_queued = True
            self._under_way += 1
            self._line.join(partial(self._call, batch), self._turn)

    async def _call(self, batch: _Batch[_Question, _Answer]) -> None:
        if batch.is_sent:
            return
        if self._gathering is batch:  # nothing can go with it any more
            self._gathering = None
        batch.sent()
        try:
            batch.answers.set_result(await self._ask(tuple(batch.questions)))
        except Exception as error:
            batch.answers.set_exception(error)
        batch.questions.clear()  # there may be thousands of these, and the answers have them too
        self._under_way -= 1
        self._send_what_is_gathered_soon()


class _Batch(Generic[_Question, _Answer]):
    """Questions that are asked in one call."""

    __slots__ = ("_begun", "_desk", "answers", "is_queued", "is_sent", "questions")

    def __init__(self, desk: _RepositoryBatcher[_Question, _Answer]) -> None:
        self.questions: list[_Question] = []
        self.answers: asyncio.Future[Mapping[_Question, _Answer]]
        self.answers = asyncio.get_running_loop().create_future()
        self.is_queued = False
        self.is_sent = False
        self._desk = desk
        self._begun: list[Callable[[], None]] = []

    def on_sending(self, begun: Callable[[], None]) -> None:
        """Call ``begun`` when this is sent, or now where it is already."""
        if self.is_sent:
            begun()
        else:
            self._begun.append(begun)

    def prioritise(self) -> None:
        """Send this before all else, unless it is sent."""
        if not self.is_sent:
            self._desk.prioritise(self)

    def sent(self) -> None:
        """Take note that this is sent."""
        self.is_sent = True
        for begun in self._begun:
            begun()
        self._begun.clear()
