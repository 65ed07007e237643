"""Asks each question once in a process, whoever asks it and however many ask at a time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from typing import Generic, TypeVar

from layerguard.reference import Repository

_Question = TypeVar("_Question")
_Answer = TypeVar("_Answer")


class Once(Generic[_Question, _Answer]):
    """Keeps the answers of ``ask``, and lets a second asker wait for the first one's answer.

    Nobody ever waits for a question that has not been sent: the thread that takes a question
    sends it itself, so a pool of any size cannot block itself.
    """

    def __init__(
        self, ask: Callable[[Repository, Sequence[_Question]], Mapping[_Question, _Answer]]
    ) -> None:
        self._ask = ask
        self._lock = threading.Lock()
        self._answers: dict[tuple[Repository, _Question], Future[_Answer]] = {}

    def __len__(self) -> int:
        """How many distinct questions were asked."""
        return len(self._answers)

    def forget(self, repository: Repository) -> None:
        """Drop the answers about ``repository``; who waits for one still gets it."""
        with self._lock:
            for key in [key for key in self._answers if key[0] == repository]:
                del self._answers[key]

    def __call__(
        self, repository: Repository, questions: Sequence[_Question]
    ) -> Mapping[_Question, _Answer]:
        """Return the answer to each question; ask those that nobody has asked, in one go."""
        mine: dict[_Question, Future[_Answer]] = {}
        with self._lock:
            for question in questions:
                if (repository, question) not in self._answers:
                    mine[question] = self._answers[repository, question] = Future()
            wanted = {each: self._answers[repository, each] for each in questions}
        if mine:
            self._answer(repository, mine)
        return {each: answer.result() for each, answer in wanted.items()}

    def _answer(
        self, repository: Repository, questions: Mapping[_Question, Future[_Answer]]
    ) -> None:
        try:
            answers = self._ask(repository, list(questions))
            for question, answer in questions.items():
                answer.set_result(answers[question])
        except BaseException as error:
            for answer in questions.values():
                if not answer.done():
                    answer.set_exception(error)
            raise
