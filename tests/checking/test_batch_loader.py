"""Each question is asked once, and those that wait at the same time are asked together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st
from layerguard.checking.batch_loader import BATCH, BatchLoader, PendingAnswers
from layerguard.reference import Repository

from tests.checking.by_hand import ByHand
from tests.fakes import WEB

OTHER = Repository("210987654321", "eu-west-1", "shop/web")


class Table:
    """Askers of a ``BatchLoader`` that answers a number of a repository with both.

    ``calls`` has the questions of each call in the order of their answers.
    """

    def __init__(self, full: int = BATCH) -> None:
        self.line = ByHand()
        self.calls: list[tuple[Repository, tuple[int, ...]]] = []
        self.answers: list[Mapping[int, tuple[Repository, int]]] = []
        self.errors: list[Exception] = []
        self.begun: list[int] = []
        self.failure: Exception | None = None
        self.once: BatchLoader[int, tuple[Repository, int]] = BatchLoader(
            self._reply, self.line, full
        )
        self.pending: dict[int, PendingAnswers[int, tuple[Repository, int]]] = {}

    def ask(self, *questions: int, of: Repository = WEB) -> None:
        """Ask alone."""
        self.ask_together((questions, of))

    def ask_together(self, *askers: tuple[Sequence[int], Repository]) -> None:
        """Ask as several do who go on at one moment."""

        def start_all() -> None:
            for questions, repository in askers:
                self.line.start(partial(self._asker, questions, repository))

        self.line.call(start_all)

    @property
    def sizes(self) -> list[int]:
        return [len(questions) for _, questions in self.calls]

    async def _asker(self, questions: Sequence[int], repository: Repository) -> None:
        number = questions[0] if questions else -1
        pending = self.once.ask(repository, questions, lambda: self.begun.append(number))
        self.pending[number] = pending
        try:
            self.answers.append(await pending.answers())
        except RuntimeError as error:
            self.errors.append(error)

    async def _reply(
        self, repository: Repository, questions: Sequence[int]
    ) -> Mapping[int, tuple[Repository, int]]:
        await self.line.answer_by_hand()
        self.calls.append((repository, tuple(questions)))
        if self.failure:
            raise self.failure
        return {question: (repository, question) for question in questions}


def test_a_question_is_asked_once_and_only_new_ones_are_sent() -> None:
    table = Table()
    for questions in ((1, 2, 2), (2, 3), (1, 3)):
        table.ask(*questions)
        table.line.answer_all()
    assert table.calls == [(WEB, (1, 2)), (WEB, (3,))]
    assert table.answers == [
        {1: (WEB, 1), 2: (WEB, 2)},
        {2: (WEB, 2), 3: (WEB, 3)},
        {1: (WEB, 1), 3: (WEB, 3)},
    ]
    assert table.once.count == 3


def test_who_asks_nothing_has_an_answer_at_once() -> None:
    table = Table()
    table.ask()
    assert table.answers == [{}]
    assert not table.line.waiting


def test_the_same_question_about_another_account_is_another_question() -> None:
    table = Table()
    table.ask(1)
    table.ask(1, of=OTHER)
    table.line.answer_all()
    assert sorted(repository.account for repository, _ in table.calls) == [
        WEB.account,
        OTHER.account,
    ]
    assert table.once.count == 2


def test_an_image_alone_does_not_wait_for_others() -> None:
    table = Table()
    table.ask(1)
    assert len(table.line.waiting) == 1


def test_who_go_on_at_one_moment_ask_together() -> None:
    table = Table()
    table.ask_together(([1], WEB), ([2, 3], WEB), ([9], OTHER))
    assert len(table.line.waiting) == 2
    table.line.answer_all()
    assert sorted(table.calls, key=str) == sorted([(WEB, (1, 2, 3)), (OTHER, (9,))], key=str)


def test_what_comes_while_a_call_waits_in_the_line_goes_with_it() -> None:
    table = Table()
    for question in range(5):
        table.ask(question)
    assert len(table.line.waiting) == 1
    table.line.answer_all()
    assert table.calls == [(WEB, (0, 1, 2, 3, 4))]


def test_what_comes_while_a_call_is_under_way_goes_together_in_the_next() -> None:
    table = Table()
    table.ask(0)
    table.line.send()
    for question in range(1, 6):
        table.ask(question)
    # At most one call that is not full is under way for a repository.
    assert (table.line.waiting, len(table.line.sent)) == ([], 1)
    table.line.answer_all()
    assert table.calls == [(WEB, (0,)), (WEB, (1, 2, 3, 4, 5))]


def test_another_repository_waits_for_nobody() -> None:
    table = Table()
    table.ask(0)
    table.line.send()
    table.ask(1, of=OTHER)
    assert len(table.line.waiting) == 1


def test_full_calls_go_at_once_although_others_are_under_way() -> None:
    table = Table()
    table.ask(-1)
    table.line.send()
    for question in range(250):
        table.ask(question)
    assert len(table.line.waiting) == 2  # and 50 are gathered
    table.line.send()
    table.line.send()
    # The gathered ones go when all that are under way have returned, and not before.
    table.line.answer()
    table.line.answer()
    assert not table.line.waiting
    table.line.answer_all()
    assert table.sizes == [1, 100, 100, 50]
    assert table.once.count == 251


def test_one_who_asks_much_is_answered_by_calls_of_at_most_100() -> None:
    table = Table()
    table.ask(*range(250))
    table.line.answer_all()
    assert sorted(table.sizes) == [50, 100, 100]
    assert table.answers == [{question: (WEB, question) for question in range(250)}]


def test_where_a_call_is_full_with_one_nobody_waits_for_another() -> None:
    table = Table(full=1)
    table.ask(1, 2, 3)
    table.ask(4)
    assert len(table.line.waiting) == 4
    table.line.answer_all()
    assert sorted(table.calls, key=str) == [(WEB, (each,)) for each in (1, 2, 3, 4)]


def test_an_error_reaches_all_who_wait_for_it_and_all_who_come_later() -> None:
    table = Table()
    table.failure = RuntimeError("broken")
    table.ask(1)
    table.ask(1, 2)
    table.line.answer_all()
    table.ask(2)
    assert table.errors == [table.failure] * 3
    assert table.sizes == [2]


def test_an_error_is_of_its_call_alone() -> None:
    table = Table()
    table.failure = RuntimeError("broken")
    table.ask(1)
    table.line.answer_all()
    table.failure = None
    table.ask(2)
    table.line.answer_all()
    assert table.answers == [{2: (WEB, 2)}]


def test_what_is_forgotten_is_asked_again_and_other_repositories_are_not() -> None:
    table = Table()
    table.ask(1)
    table.ask(1, of=OTHER)
    table.line.answer_all()
    table.once.forget(WEB)
    table.ask(1)
    table.ask(1, of=OTHER)
    table.line.answer_all()
    assert [repository for repository, _ in table.calls].count(WEB) == 2
    assert [repository for repository, _ in table.calls].count(OTHER) == 1


@pytest.mark.parametrize("is_sent", [False, True])
def test_who_waits_for_what_is_forgotten_still_gets_it(is_sent: bool) -> None:
    table = Table()
    table.ask(1)
    if is_sent:
        table.line.send()
        table.ask(2)  # is gathered
    table.once.forget(WEB)
    table.line.answer_all()
    assert table.answers == [{each: (WEB, each)} for each in ((1, 2) if is_sent else (1,))]


def test_a_question_has_begun_when_its_call_is_sent_and_not_before() -> None:
    table = Table()
    table.ask(1)
    assert table.begun == []
    table.line.send()
    assert table.begun == [1]
    table.ask(2)
    assert table.begun == [1]
    table.line.answer()
    table.line.send()
    assert table.begun == [1, 2]
    table.ask(1)
    assert table.begun == [1, 2, 1]


def test_who_is_hurried_is_sent_before_all_else_and_asked_once() -> None:
    table = Table()
    table.ask(1, of=OTHER)
    table.ask(2)
    table.line.call(table.pending[2].prioritise)
    table.line.send()
    table.line.answer()
    assert table.calls == [(WEB, (2,))]
    table.line.answer_all()
    assert table.calls == [(WEB, (2,)), (OTHER, (1,))]
    table.line.call(table.pending[2].prioritise)
    assert not table.line.waiting


def test_who_is_hurried_while_a_call_of_its_repository_is_under_way_does_not_wait_for_it() -> None:
    table = Table()
    table.ask(1)
    table.line.send()
    table.ask(2)
    table.ask(3)
    assert table.line.waiting == []
    table.line.call(table.pending[3].prioritise)
    table.line.send()
    assert len(table.line.sent) == 2
    table.line.answer_all()
    assert table.calls == [(WEB, (1,)), (WEB, (2, 3))]


ASKER = st.tuples(st.lists(st.integers(0, 12), max_size=6), st.sampled_from([WEB, OTHER]))
# What happens: some ask at one moment, a call is sent, or one returns.
EVENT = st.one_of(st.lists(ASKER, min_size=1, max_size=3), st.integers(0, 5), st.integers(-5, -1))


@given(st.lists(EVENT, max_size=40), st.integers(1, 5))
def test_however_answers_interleave_everybody_gets_his_own_and_nothing_is_asked_twice(
    events: list[list[tuple[list[int], Repository]] | int], full: int
) -> None:
    table = Table(full)
    asked: list[tuple[list[int], Repository]] = []
    for event in events:
        if isinstance(event, list):
            asked += event
            table.ask_together(*event)
        elif event >= 0 and table.line.waiting:
            table.line.send(event % len(table.line.waiting))
        elif event < 0 and table.line.sent:
            table.line.answer(event % len(table.line.sent))
    table.line.answer_all()
    expected = [
        {question: (repository, question) for question in questions}
        for questions, repository in asked
    ]
    assert sorted(table.answers, key=_sorted) == sorted(expected, key=_sorted)
    sent = [(repository, question) for repository, each in table.calls for question in each]
    assert len(sent) == len(set(sent)) == table.once.count
    assert all(1 <= size <= full for size in table.sizes)


def _sorted(answers: Mapping[int, tuple[Repository, int]]) -> str:
    return repr(sorted(answers.items()))
