"""Each question is asked once, whoever asks and however many at a time."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest
from layerguard.investigation.once import Once
from layerguard.reference import Repository

from tests.fakes import WEB

OTHER = Repository("210987654321", "eu-west-1", "shop/web")


class Counting:
    """Answers a number with its double, slowly, and keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[Repository, int]] = []
        self.calls = 0
        self._lock = threading.Lock()
        self.go_on = threading.Event()
        self.go_on.set()

    def __call__(self, repository: Repository, questions: Sequence[int]) -> Mapping[int, int]:
        self.go_on.wait(10)
        with self._lock:
            self.calls += 1
            self.asked += [(repository, question) for question in questions]
        return {question: question * 2 for question in questions}


def test_a_question_is_asked_once_and_only_new_ones_are_sent() -> None:
    ask = Counting()
    once: Once[int, int] = Once(ask)
    assert once(WEB, [1, 2, 2]) == {1: 2, 2: 4}
    assert once(WEB, [2, 3]) == {2: 4, 3: 6}
    assert once(WEB, [1, 3]) == {1: 2, 3: 6}
    assert ask.asked == [(WEB, 1), (WEB, 2), (WEB, 3)]
    assert (ask.calls, len(once)) == (2, 3)


def test_the_same_question_about_another_account_is_another_question() -> None:
    ask = Counting()
    once: Once[int, int] = Once(ask)
    once(WEB, [1])
    once(OTHER, [1])
    assert ask.asked == [(WEB, 1), (OTHER, 1)]


def test_many_that_ask_at_a_time_share_one_answer() -> None:
    ask = Counting()
    once: Once[int, int] = Once(ask)
    ask.go_on.clear()
    with ThreadPoolExecutor(8) as pool:
        answers = [pool.submit(once, WEB, [1, 2, 3]) for _ in range(8)]
        ask.go_on.set()
        assert all(answer.result() == {1: 2, 2: 4, 3: 6} for answer in answers)
    assert sorted(ask.asked) == [(WEB, 1), (WEB, 2), (WEB, 3)]


def test_an_asker_that_fails_leaves_nobody_waiting() -> None:
    def fail(_repository: Repository, _questions: Sequence[int]) -> Mapping[int, int]:
        raise RuntimeError("broken")

    once: Once[int, int] = Once(fail)
    for _ in range(2):
        with pytest.raises(RuntimeError, match="broken"):
            once(WEB, [1])
