"""Asks each question once, and those of a repository that wait at the same time together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Generic, TypeVar

from layerguard.investigation.scheduler import Call, Scheduler
from layerguard.reference import Repository

# What ECR's batch operations take. Source: ECR API reference.
BATCH = 100

_Question = TypeVar("_Question")
_Answer = TypeVar("_Answer")


class Once(Generic[_Question, _Answer]):
    """Keeps the answers of ``ask``, which is called on the threads of ``scheduler``.

    A call leaves when it is ``full``, or when its repository has none under way: so an image alone
    never waits for others, and of many that come one after the other few calls are made. What
    comes while a call waits for a thread goes with it. What is ``urgent`` goes before what is not.
    For turns of the scheduler.
    """

    def __init__(
        self,
        ask: Callable[[Repository, Sequence[_Question]], Mapping[_Question, _Answer]],
        scheduler: Scheduler,
        full: int = BATCH,
        *,
        urgent: bool = False,
    ) -> None:
        self._ask = ask
        self._scheduler = scheduler
        self._full = full
        self._urgent = urgent
        self._desks: dict[Repository, _Desk[_Question, _Answer]] = {}
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
    ) -> Pending[_Question, _Answer]:
        """Return what becomes the answer to each question when it is awaited.

        ``begun`` is called when the first of them is sent.
        """
        desk = self._desks.get(repository)
        if desk is None:
            ask = partial(self._ask, repository)
            desk = _Desk(ask, self._scheduler, self._full, urgent=self._urgent)
            self._desks[repository] = desk
        before = len(desk.known)
        batches = {question: desk.batch_of(question) for question in questions}
        self.count += len(desk.known) - before
        for batch in set(batches.values()):
            batch.on_sending(begun)
        return Pending(batches)


class Pending(Generic[_Question, _Answer]):
    """Answers that are on their way."""

    def __init__(self, batches: Mapping[_Question, _Batch[_Question, _Answer]]) -> None:
        self._batches = batches

    async def answers(self) -> Mapping[_Question, _Answer]:
        """Return the answer to each question, when all are there."""
        answers = {batch: await batch for batch in dict.fromkeys(self._batches.values())}
        return {question: answers[batch][question] for question, batch in self._batches.items()}


class _Desk(Generic[_Question, _Answer]):
    """The questions about one repository: which were asked, and which are gathered."""

    __slots__ = ("_full", "_gathering", "_scheduler", "_under_way", "_urgent", "ask", "known")

    def __init__(
        self,
        ask: Callable[[Sequence[_Question]], Mapping[_Question, _Answer]],
        scheduler: Scheduler,
        full: int,
        *,
        urgent: bool,
    ) -> None:
        self.known: dict[_Question, _Batch[_Question, _Answer]] = {}
        self.ask = ask
        self._scheduler = scheduler
        self._full = full
        self._urgent = urgent
        self._gathering: _Batch[_Question, _Answer] | None = None
        self._under_way = 0

    def batch_of(self, question: _Question) -> _Batch[_Question, _Answer]:
        """Return the batch that ``question`` is in, or the one that gathers, with it."""
        batch = self.known.get(question)
        if batch is None:
            batch = self._gathering
            if batch is None:
                batch = self._gathering = _Batch(self)
                self._scheduler.at_end_of_turn(self._send_gathered)
            self.known[question] = batch
            batch.questions.append(question)
            if len(batch.questions) == self._full:
                self._send(batch)
                self._gathering = None
        return batch

    def sent(self, batch: _Batch[_Question, _Answer]) -> None:
        """Take note that nothing can go with ``batch`` any more."""
        if self._gathering is batch:
            self._gathering = None

    def returned(self) -> None:
        """Take note that a call has returned."""
        self._under_way -= 1
        self._scheduler.at_end_of_turn(self._send_gathered)

    def _send_gathered(self) -> None:
        if self._gathering and not self._under_way:
            self._send(self._gathering)

    def _send(self, batch: _Batch[_Question, _Answer]) -> None:
        if not batch.lined_up:
            batch.lined_up = True
            self._under_way += 1
            self._scheduler.line_up(batch, urgent=self._urgent)


class _Batch(Call[Mapping[_Question, _Answer]], Generic[_Question, _Answer]):
    """Questions that are asked in one call."""

    __slots__ = ("_begun", "_desk", "_is_sent", "lined_up", "questions")

    def __init__(self, desk: _Desk[_Question, _Answer]) -> None:
        super().__init__(lambda: desk.ask(tuple(self.questions)))
        self.questions: list[_Question] = []
        self.lined_up = False
        self._desk = desk
        self._is_sent = False
        self._begun: list[Callable[[], None]] = []

    def on_sending(self, begun: Callable[[], None]) -> None:
        """Call ``begun`` when this is sent, or now where it is already."""
        if self._is_sent:
            begun()
        else:
            self._begun.append(begun)

    def take(self) -> Callable[[], Mapping[_Question, _Answer]]:
        self._is_sent = True
        self._desk.sent(self)
        for begun in self._begun:
            begun()
        self._begun.clear()
        return super().take()

    def returned(self) -> None:
        self.questions.clear()  # there may be thousands of these, and the answers have them too
        self._desk.returned()
