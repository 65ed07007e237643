"""The queue: at most so many calls under way and no fewer, sent by priority and in order."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from functools import partial

import pytest
from layerguard.checking.call_queue import CallQueue, Priority

from tests.checking.idle_loop import IdleLoop


class Calls:
    """Calls that return when the test says so; counts how many are under way at a time."""

    def __init__(self) -> None:
        self.permits = asyncio.Semaphore(0)
        self.under_way = self.most = self.ended = 0

    async def __call__(self) -> None:
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        await self.permits.acquire()
        self.under_way -= 1
        self.ended += 1


@pytest.fixture
def loop() -> Iterator[IdleLoop]:
    loop = IdleLoop()
    yield loop
    loop.end()


def submit(loop: IdleLoop, queue: CallQueue, calls: Calls, count: int) -> None:
    for _ in range(count):
        loop.call_soon(queue.submit, calls)
    loop.settle()


def let_return(loop: IdleLoop, calls: Calls, count: int) -> None:
    for _ in range(count):
        calls.permits.release()
    loop.settle()


@pytest.mark.parametrize("size", [1, 3, 20])
def test_as_many_calls_are_under_way_as_the_size_and_never_more(loop: IdleLoop, size: int) -> None:
    queue, calls = CallQueue(size), Calls()
    submit(loop, queue, calls, 30)
    assert calls.under_way == size
    let_return(loop, calls, 30)
    assert (calls.ended, calls.most) == (30, size)


def test_a_smaller_size_holds_for_later_calls_and_none_is_stuck(loop: IdleLoop) -> None:
    queue, calls = CallQueue(8), Calls()
    submit(loop, queue, calls, 16)
    assert calls.under_way == 8
    queue.size = 2
    let_return(loop, calls, 8)
    assert (calls.ended, calls.under_way) == (8, 2)
    let_return(loop, calls, 8)
    assert calls.ended == 16


def test_a_larger_size_is_used_from_the_next_call_on(loop: IdleLoop) -> None:
    queue, calls = CallQueue(1), Calls()
    submit(loop, queue, calls, 4)
    assert calls.under_way == 1
    queue.size = 5
    submit(loop, queue, calls, 1)
    assert calls.under_way == 5


def test_calls_are_sent_by_priority_and_then_in_order(loop: IdleLoop) -> None:
    order: list[str] = []

    async def call(name: str) -> None:
        order.append(name)

    queue = CallQueue(1)
    for name, priority in (
        ("low", Priority.LOW),
        ("normal 1", Priority.NORMAL),
        ("normal 2", Priority.NORMAL),
        ("high 1", Priority.HIGH),
        ("high 2", Priority.HIGH),
        ("urgent 1", Priority.URGENT),
        ("urgent 2", Priority.URGENT),
    ):
        loop.call_soon(queue.submit, partial(call, name), priority)
    loop.settle()
    assert order == ["urgent 1", "urgent 2", "high 1", "high 2", "normal 1", "normal 2", "low"]


def test_a_call_that_follows_from_an_answer_may_take_its_place(loop: IdleLoop) -> None:
    order: list[str] = []
    queue, answer = CallQueue(1), loop.create_future()

    async def first() -> None:
        order.append("first")
        answer.set_result(None)

    async def other(name: str) -> None:
        order.append(name)

    async def follow() -> None:
        await answer
        queue.submit(partial(other, "follows"), Priority.HIGH)

    loop.begin(follow())
    loop.call_soon(queue.submit, first)
    loop.call_soon(queue.submit, partial(other, "waited"))
    loop.settle()
    assert order == ["first", "follows", "waited"]


def test_the_first_of_many_calls_goes_on_before_the_last_begins(loop: IdleLoop) -> None:
    order: list[str] = []

    async def call(number: int) -> None:
        order.append(f"{number} begins")
        await asyncio.sleep(0)
        order.append(f"{number} goes on")

    queue = CallQueue(100)
    for number in range(50):
        loop.call_soon(queue.submit, partial(call, number))
    loop.settle()
    assert order.index("0 goes on") < order.index("49 begins")
    assert len(order) == 100


def test_run_returns_what_the_call_returns_and_raises_what_it_raises(loop: IdleLoop) -> None:
    async def seven() -> int:
        return 7

    async def fail() -> int:
        raise ZeroDivisionError("oh")

    queue = CallQueue(1)
    with pytest.raises(ZeroDivisionError, match="oh"):
        loop.begin(queue.run(fail)).result()
    assert loop.begin(queue.run(seven)).result() == 7


async def _hang() -> None:
    await asyncio.Event().wait()


@pytest.mark.parametrize("is_sent", [False, True])
def test_a_caller_that_is_cancelled_keeps_no_place_in_the_queue(
    loop: IdleLoop, is_sent: bool
) -> None:
    queue, order = CallQueue(1), list[str]()

    async def call(name: str) -> None:
        order.append(name)

    first = loop.begin(queue.run(_hang))
    second = loop.begin(queue.run(partial(call, "cancelled while it waited")))
    third = loop.begin(queue.run(partial(call, "third")))
    cancelled, other = (first, second) if is_sent else (second, first)
    loop.perform(cancelled.cancel)
    assert cancelled.cancelled()
    loop.perform(other.cancel)
    assert third.done()
    assert order == ["third"] if not is_sent else order[-1:] == ["third"]
