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

    def __call__(
        self, repository: Repository, questions: Sequence[_Question]
    ) -> Mapping[_Question, _Answer]:
        """Return the answer to each question; ask those that nobody has asked, in one go."""
        with self._lock:
            mine = [
                each for each in dict.fromkeys(questions) if (repository, each) not in self._answers
            ]
            for question in mine:
                self._answers[repository, question] = Future()
        if mine:
            self._answer(repository, mine)
        return {each: self._answers[repository, each].result() for each in questions}

    def _answer(self, repository: Repository, questions: Sequence[_Question]) -> None:
        try:
            answers = self._ask(repository, questions)
            for question in questions:
                self._answers[repository, question].set_result(answers[question])
        except BaseException as error:
            for question in questions:
                if not self._answers[repository, question].done():
                    self._answers[repository, question].set_exception(error)
            raise
