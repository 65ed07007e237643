"""Each question is asked once, and questions that wait at the same time are asked together."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st
from layerguard.checking.batch_loader import BatchLoader, PendingAnswers
from layerguard.reference import Repository
from layerguard.registry.answers import BATCH

from tests.checking.idle_loop import IdleLoop
from tests.checking.manual_queue import ManualQueue
from tests.fakes import WEB

OTHER = Repository("210987654321", "eu-west-1", "shop/web")


class Loads:
    """Loads from a ``BatchLoader`` whose answer to a number is the repository and the number.

    ``calls`` has the questions of each call, in the order of the answers.
    """

    def __init__(self, size: int = BATCH) -> None:
        self.loop = IdleLoop()
        self.queue = ManualQueue(self.loop)
        self.calls: list[tuple[Repository, tuple[int, ...]]] = []
        self.answers: list[Mapping[int, tuple[Repository, int]]] = []
        self.errors: list[BaseException] = []
        self.sent: list[int] = []
        self.failure: Exception | None = None
        self.loader: BatchLoader[int, tuple[Repository, int]] = BatchLoader(
            self._answer, self.queue, size
        )
        self.pending: dict[int, PendingAnswers[int, tuple[Repository, int]]] = {}
        self.tasks: dict[int, asyncio.Task[None]] = {}

    def close(self) -> None:
        self.loop.end()

    def load(self, *questions: int, of: Repository = WEB) -> None:
        """Load ``questions`` alone."""
        self.load_together((questions, of))

    def load_together(self, *loads: tuple[Sequence[int], Repository]) -> None:
        """Load in one iteration of the event loop."""
        for questions, repository in loads:
            number = questions[0] if questions else -1
            self.tasks[number] = self.loop.create_task(self._load(number, questions, repository))
        self.loop.settle()

    def prioritise(self, number: int) -> None:
        self.loop.perform(self.pending[number].prioritise)

    @property
    def sizes(self) -> list[int]:
        return [len(questions) for _, questions in self.calls]

    async def _load(self, number: int, questions: Sequence[int], repository: Repository) -> None:
        pending = self.loader.load(repository, questions, lambda: self.sent.append(number))
        self.pending[number] = pending
        try:
            self.answers.append(await pending.answers())
        except Exception as error:
            self.errors.append(error)

    async def _answer(
        self, repository: Repository, questions: Sequence[int]
    ) -> Mapping[int, tuple[Repository, int]]:
        await self.queue.until_answered()
        self.calls.append((repository, tuple(questions)))
        if self.failure:
            raise self.failure
        return {question: (repository, question) for question in questions}


@pytest.fixture
def loads() -> Iterator[Loads]:
    with closing(Loads()) as loads:
        yield loads


def test_a_question_is_asked_once_and_only_new_ones_are_sent(loads: Loads) -> None:
    for questions in ((1, 2, 2), (2, 3), (1, 3)):
        loads.load(*questions)
        loads.queue.answer_all()
    assert loads.calls == [(WEB, (1, 2)), (WEB, (3,))]
    assert loads.answers == [
        {1: (WEB, 1), 2: (WEB, 2)},
        {2: (WEB, 2), 3: (WEB, 3)},
        {1: (WEB, 1), 3: (WEB, 3)},
    ]


def test_no_question_has_an_answer_at_once(loads: Loads) -> None:
    loads.load()
    assert loads.answers == [{}]
    assert not loads.queue.waiting


def test_the_same_question_about_another_account_is_another_question(loads: Loads) -> None:
    loads.load(1)
    loads.load(1, of=OTHER)
    loads.queue.answer_all()
    assert sorted(repository.account for repository, _ in loads.calls) == [
        WEB.account,
        OTHER.account,
    ]


def test_a_single_image_does_not_wait_for_others(loads: Loads) -> None:
    loads.load(1)
    assert len(loads.queue.waiting) == 1


def test_loads_of_one_iteration_are_one_call_for_each_repository(loads: Loads) -> None:
    loads.load_together(([1], WEB), ([2, 3], WEB), ([9], OTHER))
    assert len(loads.queue.waiting) == 2
    loads.queue.answer_all()
    assert sorted(loads.calls, key=str) == sorted([(WEB, (1, 2, 3)), (OTHER, (9,))], key=str)


def test_questions_join_the_call_of_their_repository_that_waits_in_the_queue(loads: Loads) -> None:
    for question in range(5):
        loads.load(question)
    assert len(loads.queue.waiting) == 1
    loads.queue.answer_all()
    assert loads.calls == [(WEB, (0, 1, 2, 3, 4))]


def test_questions_gather_while_a_call_of_their_repository_is_under_way(loads: Loads) -> None:
    loads.load(0)
    loads.queue.send()
    for question in range(1, 6):
        loads.load(question)
    # At most one call that is not full is under way for a repository.
    assert (loads.queue.waiting, len(loads.queue.sent)) == ([], 1)
    loads.queue.answer_all()
    assert loads.calls == [(WEB, (0,)), (WEB, (1, 2, 3, 4, 5))]


def test_no_repository_waits_for_another(loads: Loads) -> None:
    loads.load(0)
    loads.queue.send()
    loads.load(1, of=OTHER)
    assert len(loads.queue.waiting) == 1


def test_full_calls_are_queued_at_once_although_others_are_under_way(loads: Loads) -> None:
    loads.load(-1)
    loads.queue.send()
    for question in range(250):
        loads.load(question)
    assert len(loads.queue.waiting) == 2  # and 50 gather
    loads.queue.send()
    loads.queue.send()
    # Those that gather are queued when all that are under way have returned, and not before.
    loads.queue.answer()
    loads.queue.answer()
    assert not loads.queue.waiting
    loads.queue.answer_all()
    assert loads.sizes == [1, 100, 100, 50]


def test_many_questions_are_answered_by_calls_of_at_most_100(loads: Loads) -> None:
    loads.load(*range(250))
    loads.queue.answer_all()
    assert sorted(loads.sizes) == [50, 100, 100]
    assert loads.answers == [{question: (WEB, question) for question in range(250)}]


def test_where_one_question_fills_a_call_none_waits_for_another() -> None:
    with closing(Loads(size=1)) as loads:
        loads.load(1, 2, 3)
        loads.load(4)
        assert len(loads.queue.waiting) == 4
        loads.queue.answer_all()
        assert sorted(loads.calls, key=str) == [(WEB, (each,)) for each in (1, 2, 3, 4)]


def test_an_error_reaches_all_loads_that_need_its_call_then_and_later(loads: Loads) -> None:
    loads.failure = RuntimeError("broken")
    loads.load(1)
    loads.load(1, 2)
    loads.queue.answer_all()
    loads.load(2)
    assert loads.errors == [loads.failure] * 3
    assert loads.sizes == [2]


def test_an_error_is_of_its_call_alone(loads: Loads) -> None:
    loads.failure = RuntimeError("broken")
    loads.load(1)
    loads.queue.answer_all()
    loads.failure = None
    loads.load(2)
    loads.queue.answer_all()
    assert loads.answers == [{2: (WEB, 2)}]


def test_a_call_that_no_load_waits_for_is_cancelled_and_its_questions_may_be_asked_again(
    loads: Loads,
) -> None:
    loads.load_together(([1, 3], WEB), ([2, 3], WEB))
    loads.queue.send()
    (call,) = loads.queue.tasks
    loads.loop.perform(loads.tasks[1].cancel)
    assert not call.done()
    loads.loop.perform(loads.tasks[2].cancel)
    assert call.done()
    loads.queue.sent.clear()  # it was cancelled
    loads.load(3, 4)
    loads.queue.answer_all()
    assert loads.answers == [{3: (WEB, 3), 4: (WEB, 4)}]
    assert loads.calls == [(WEB, (3, 4))]


def test_a_load_that_is_cancelled_takes_no_answer_from_those_that_share_its_call(
    loads: Loads,
) -> None:
    loads.load_together(([1, 3], WEB), ([2, 3], WEB))
    loads.queue.send()
    loads.loop.perform(loads.tasks[1].cancel)
    loads.queue.answer_all()
    assert loads.tasks[1].cancelled()
    assert loads.answers == [{2: (WEB, 2), 3: (WEB, 3)}]


def test_forgotten_answers_are_asked_for_again_and_those_of_other_repositories_are_not(
    loads: Loads,
) -> None:
    loads.load(1)
    loads.load(1, of=OTHER)
    loads.queue.answer_all()
    loads.loader.forget(WEB)
    loads.load(1)
    loads.load(1, of=OTHER)
    loads.queue.answer_all()
    assert [repository for repository, _ in loads.calls].count(WEB) == 2
    assert [repository for repository, _ in loads.calls].count(OTHER) == 1


@pytest.mark.parametrize("is_sent", [False, True])
def test_a_load_that_waits_for_a_forgotten_answer_still_gets_it(
    loads: Loads, is_sent: bool
) -> None:
    loads.load(1)
    if is_sent:
        loads.queue.send()
        loads.load(2)  # gathers
    loads.loader.forget(WEB)
    loads.queue.answer_all()
    assert loads.answers == [{each: (WEB, each)} for each in ((1, 2) if is_sent else (1,))]


def test_a_load_learns_when_its_call_is_sent_and_not_when_it_is_queued(loads: Loads) -> None:
    loads.load(1)
    assert loads.sent == []
    loads.queue.send()
    assert loads.sent == [1]
    loads.load(2)
    assert loads.sent == [1]
    loads.queue.answer()
    loads.queue.send()
    assert loads.sent == [1, 2]
    loads.load(1)
    assert loads.sent == [1, 2, 1]


def test_a_prioritised_question_is_sent_before_all_others_and_once(loads: Loads) -> None:
    loads.load(1, of=OTHER)
    loads.load(2)
    loads.prioritise(2)
    loads.queue.send()
    loads.queue.answer()
    assert loads.calls == [(WEB, (2,))]
    loads.queue.answer_all()
    assert loads.calls == [(WEB, (2,)), (OTHER, (1,))]
    loads.prioritise(2)
    assert not loads.queue.waiting


def test_a_prioritised_question_does_not_wait_for_a_call_that_is_under_way(loads: Loads) -> None:
    loads.load(1)
    loads.queue.send()
    loads.load(2)
    loads.load(3)
    assert loads.queue.waiting == []
    loads.prioritise(3)
    loads.queue.send()
    assert len(loads.queue.sent) == 2
    loads.queue.answer_all()
    assert loads.calls == [(WEB, (1,)), (WEB, (2, 3))]


LOAD = st.tuples(st.lists(st.integers(0, 12), max_size=6), st.sampled_from([WEB, OTHER]))
# Some load in one iteration, a call is sent, or one is answered.
EVENT = st.one_of(st.lists(LOAD, min_size=1, max_size=3), st.integers(0, 5), st.integers(-5, -1))


@given(st.lists(EVENT, max_size=40), st.integers(1, 5))
def test_in_whatever_order_calls_return_each_load_gets_its_answers_and_no_question_is_repeated(
    events: list[list[tuple[list[int], Repository]] | int], size: int
) -> None:
    with closing(Loads(size)) as loads:
        loaded: list[tuple[list[int], Repository]] = []
        for event in events:
            if isinstance(event, list):
                loaded += event
                loads.load_together(*event)
            elif event >= 0 and loads.queue.waiting:
                loads.queue.send(event % len(loads.queue.waiting))
            elif event < 0 and loads.queue.sent:
                loads.queue.answer(event % len(loads.queue.sent))
        loads.queue.answer_all()
    expected = [
        {question: (repository, question) for question in questions}
        for questions, repository in loaded
    ]
    assert sorted(loads.answers, key=_sorted) == sorted(expected, key=_sorted)
    sent = [(repository, question) for repository, each in loads.calls for question in each]
    assert len(sent) == len(set(sent))
    assert all(1 <= count <= size for count in loads.sizes)


def _sorted(answers: Mapping[int, tuple[Repository, int]]) -> str:
    return repr(sorted(answers.items()))
