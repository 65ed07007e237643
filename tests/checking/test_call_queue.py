"""The line: no more calls than wanted and as many as that, in the order of their turns."""

from __future__ import annotations

import asyncio
from functools import partial

import pytest
from layerguard.checking.call_queue import CallQueue, Priority

from tests.checking.running import to_its_end


class Calls:
    """Calls that wait until they are let go; keeps how many were under way at a time."""

    def __init__(self) -> None:
        self.let_go = asyncio.Semaphore(0)
        self.under_way = self.most = self.ended = 0

    async def __call__(self) -> None:
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        await self.let_go.acquire()
        self.under_way -= 1
        self.ended += 1


async def settle() -> None:
    """Let all go on who can."""
    for _ in range(500):
        await asyncio.sleep(0)


@pytest.mark.parametrize("size", [1, 3, 20])
def test_never_more_calls_are_under_way_than_wanted_and_as_many_as_that(size: int) -> None:
    async def scenario(line: CallQueue) -> None:
        calls = Calls()
        for _ in range(30):
            line.join(calls)
        await settle()
        assert calls.under_way == size
        for _ in range(30):
            calls.let_go.release()
        await settle()
        assert (calls.ended, calls.most) == (30, size)

    to_its_end(scenario, size)


def test_a_size_that_is_lowered_holds_for_what_comes_and_nothing_is_stuck() -> None:
    async def scenario(line: CallQueue) -> None:
        calls = Calls()
        for _ in range(16):
            line.join(calls)
        await settle()
        assert calls.under_way == 8
        line.size = 2
        for _ in range(8):
            calls.let_go.release()
        await settle()
        assert (calls.ended, calls.under_way) == (8, 2)
        for _ in range(8):
            calls.let_go.release()
        await settle()
        assert calls.ended == 16

    to_its_end(scenario, 8)


def test_a_size_that_is_raised_is_used_with_the_next_call() -> None:
    async def scenario(line: CallQueue) -> None:
        calls = Calls()
        for _ in range(4):
            line.join(calls)
        await settle()
        assert calls.under_way == 1
        line.size = 5
        line.join(calls)
        await settle()
        assert calls.under_way == 5
        for _ in range(5):
            calls.let_go.release()
        await settle()

    to_its_end(scenario, 1)


def test_calls_are_sent_in_the_order_of_their_turns_and_of_their_coming() -> None:
    order: list[str] = []

    async def call(name: str) -> None:
        order.append(name)

    async def scenario(line: CallQueue) -> None:
        for name, turn in (
            ("late", Priority.NORMAL),
            ("later", Priority.NORMAL),
            ("soon", Priority.HIGH),
            ("sooner or later", Priority.HIGH),
            ("now", Priority.URGENT),
            ("and now", Priority.URGENT),
        ):
            line.join(partial(call, name), turn)
        await settle()

    to_its_end(scenario, 1)
    assert order == ["now", "and now", "soon", "sooner or later", "late", "later"]


def test_what_comes_of_an_answer_may_take_the_place_of_its_call() -> None:
    order: list[str] = []

    async def scenario(line: CallQueue) -> None:
        answer: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        async def first() -> None:
            order.append("first")
            answer.set_result(None)

        async def other(name: str) -> None:
            order.append(name)

        async def who_waits() -> None:
            await answer
            line.join(partial(other, "what comes of it"), Priority.HIGH)

        waiting = asyncio.ensure_future(who_waits())
        line.join(first)
        line.join(partial(other, "what waited"))
        await settle()
        await waiting

    to_its_end(scenario, 1)
    assert order == ["first", "what comes of it", "what waited"]


def test_the_first_of_many_goes_on_before_the_last_begins() -> None:
    order: list[str] = []

    async def call(number: int) -> None:
        order.append(f"{number} begins")
        await asyncio.sleep(0)
        order.append(f"{number} goes on")

    async def scenario(line: CallQueue) -> None:
        for number in range(50):
            line.join(partial(call, number))
        await settle()

    to_its_end(scenario, 100)
    assert order.index("0 goes on") < order.index("49 begins")
    assert len(order) == 100


def test_what_a_call_returns_or_raises_is_there_for_who_waits_for_it() -> None:
    async def seven() -> int:
        return 7

    async def fail() -> int:
        raise ZeroDivisionError("oh")

    async def scenario(line: CallQueue) -> int:
        with pytest.raises(ZeroDivisionError, match="oh"):
            await line.run(fail)
        return await line.run(seven)

    assert to_its_end(scenario, 1) == 7
