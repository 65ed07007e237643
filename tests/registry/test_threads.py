"""Blocking work on threads: its result, its failure, and what it does not block."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import NoReturn

import pytest
from layerguard.registry.threads import on_a_thread
from layerguard_sandbox.engine import ROOT

from tests.registry.loops import on_a_loop, until


class Hanging:
    """Work that hangs until it may end, and then returns or raises its result."""

    def __init__(self, result: str | Exception = "the end") -> None:
        self.result = result
        self.may_end = threading.Event()
        self.thread: threading.Thread | None = None

    def __call__(self) -> str:
        self.thread = threading.current_thread()
        assert self.may_end.wait(30)
        if isinstance(self.result, Exception):
            raise self.result
        return self.result

    def end(self) -> None:
        """Let it end and wait for its thread: an exception there fails the test."""
        self.may_end.set()
        assert self.thread is not None
        self.thread.join(30)
        assert not self.thread.is_alive()


@on_a_loop
async def test_the_result_of_the_work_is_returned() -> None:
    assert await on_a_thread(lambda: "the end") == "the end"
    assert await on_a_thread(threading.current_thread) is not threading.current_thread()


@on_a_loop
async def test_the_exception_of_the_work_is_raised() -> None:
    def fail() -> NoReturn:
        raise LookupError("words")

    with pytest.raises(LookupError, match="words"):
        await on_a_thread(fail)


@on_a_loop
async def test_a_stop_iteration_is_an_error_and_does_not_block_the_caller() -> None:
    with pytest.raises(RuntimeError, match="StopIteration: words"):
        await on_a_thread(lambda: next(iter_of_words()))


def iter_of_words() -> Iterator[NoReturn]:
    class Words:
        def __iter__(self) -> Words:
            return self

        def __next__(self) -> NoReturn:
            raise StopIteration("words")

    return iter(Words())


@on_a_loop
async def test_the_event_loop_is_not_blocked() -> None:
    work = Hanging()

    async def let_it_end() -> str:
        work.may_end.set()
        return "gone on"

    ended, went_on = await asyncio.gather(on_a_thread(work), let_it_end())
    assert (ended, went_on) == ("the end", "gone on")


@on_a_loop
async def test_every_call_has_its_own_thread() -> None:
    together = threading.Barrier(50)
    places = await asyncio.gather(*(on_a_thread(lambda: together.wait(30)) for _ in range(50)))
    assert sorted(places) == list(range(50))


@pytest.mark.parametrize("result", ["the end", LookupError("words")])
@on_a_loop
async def test_work_that_ends_after_its_caller_was_cancelled_is_no_error(
    result: str | Exception,
) -> None:
    errors: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: errors.append(context))
    work = Hanging(result)
    caller = asyncio.ensure_future(on_a_thread(work))
    await until(lambda: work.thread)
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    work.end()
    assert await on_a_thread(lambda: "after it") == "after it"
    assert not errors


@pytest.mark.parametrize("result", ["the end", LookupError("words")])
def test_a_loop_that_ended_before_the_work_did_is_no_error(result: str | Exception) -> None:
    work = Hanging(result)

    @on_a_loop
    async def scenario() -> None:
        caller = asyncio.ensure_future(on_a_thread(work))
        await until(lambda: work.thread)
        assert not caller.done()

    scenario()
    assert not work.may_end.is_set()
    work.end()


ENDS_WHILE_WORK_HANGS = """
import asyncio
import threading

from layerguard.registry.threads import on_a_thread

async def main():
    begun = threading.Event()
    def hang():
        begun.set()
        threading.Event().wait()
    caller = asyncio.ensure_future(on_a_thread(hang))
    while not begun.is_set():
        await asyncio.sleep(0.01)
    print("hangs", caller.done())

asyncio.run(main())
"""


def test_work_that_hangs_does_not_keep_a_process_alive() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", ENDS_WHILE_WORK_HANGS],
        cwd=ROOT / "policy",
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "hangs False\n", "")
