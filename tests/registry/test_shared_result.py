"""Results that many callers wait for together."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import NoReturn

import pytest
from layerguard.registry.shared_result import SharedResult

from tests.registry.loops import on_a_loop, until


class Computation:
    """Counts how often it is begun, and ends when it may."""

    def __init__(self) -> None:
        self.count = 0
        self.may_end = asyncio.Event()

    async def __call__(self) -> str:
        self.count += 1
        await self.may_end.wait()
        return "the result"


@on_a_loop
async def test_concurrent_and_later_callers_get_the_result_of_one_computation() -> None:
    shared: SharedResult[str] = SharedResult()
    compute = Computation()
    waiting = [asyncio.ensure_future(shared.get(compute)) for _ in range(10)]
    await until(lambda: compute.count)
    compute.may_end.set()
    assert await asyncio.gather(*waiting) == ["the result"] * 10
    assert await shared.get(compute) == "the result"
    assert compute.count == 1


@on_a_loop
async def test_a_caller_that_is_cancelled_cancels_neither_the_others_nor_the_computation() -> None:
    shared: SharedResult[str] = SharedResult()
    compute = Computation()
    first, *others = (asyncio.ensure_future(shared.get(compute)) for _ in range(10))
    await until(lambda: compute.count)
    first.cancel()
    compute.may_end.set()
    assert await asyncio.gather(*others) == ["the result"] * 9
    assert first.cancelled()
    assert compute.count == 1


@on_a_loop
async def test_after_all_callers_are_cancelled_the_result_is_there_for_the_next() -> None:
    shared: SharedResult[str] = SharedResult()
    compute = Computation()
    only = asyncio.ensure_future(shared.get(compute))
    await until(lambda: compute.count)
    only.cancel()
    compute.may_end.set()
    assert await shared.get(compute) == "the result"
    assert compute.count == 1


@on_a_loop
async def test_an_exception_is_the_result_of_all_callers() -> None:
    shared: SharedResult[NoReturn] = SharedResult()

    async def fail(numbers: list[int]) -> NoReturn:
        numbers.append(1)
        raise ZeroDivisionError

    begun: list[int] = []
    for _ in range(3):
        with pytest.raises(ZeroDivisionError):
            await shared.get(partial(fail, begun))
    assert begun == [1]
