"""Threads for what blocks: its result, its failure, and what it does not hold up."""

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

PATIENCE = 30


class Hanging:
    """Work that hangs until it is let go, and then says what it was told to say."""

    def __init__(self, says: str | Exception = "the end") -> None:
        self.says = says
        self.may_end = threading.Event()
        self.thread: threading.Thread | None = None

    def __call__(self) -> str:
        self.thread = threading.current_thread()
        assert self.may_end.wait(PATIENCE)
        if isinstance(self.says, Exception):
            raise self.says
        return self.says

    def end(self) -> None:
        """Let it go and wait until its thread is over: what fails there fails the test."""
        self.may_end.set()
        assert self.thread is not None
        self.thread.join(PATIENCE)
        assert not self.thread.is_alive()


@on_a_loop
async def test_what_the_work_returns_is_returned() -> None:
    assert await on_a_thread(lambda: "said") == "said"
    assert await on_a_thread(threading.current_thread) is not threading.current_thread()


@on_a_loop
async def test_what_the_work_raises_is_raised() -> None:
    def fail() -> NoReturn:
        raise LookupError("words")

    with pytest.raises(LookupError, match="words"):
        await on_a_thread(fail)


@on_a_loop
async def test_an_end_of_an_iteration_is_an_error_and_nobody_waits_for_ever() -> None:
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
async def test_the_loop_goes_on_meanwhile() -> None:
    work = Hanging()

    async def let_it_end() -> str:
        work.may_end.set()
        return "gone on"

    ended, went_on = await asyncio.gather(on_a_thread(work), let_it_end())
    assert (ended, went_on) == ("the end", "gone on")


@on_a_loop
async def test_each_work_has_a_thread_of_its_own() -> None:
    together = threading.Barrier(50)
    turns = await asyncio.gather(*(on_a_thread(lambda: together.wait(PATIENCE)) for _ in range(50)))
    assert sorted(turns) == list(range(50))


@pytest.mark.parametrize("says", ["the end", LookupError("words")])
@on_a_loop
async def test_nobody_minds_when_work_ends_for_which_nobody_waits_any_more(
    says: str | Exception,
) -> None:
    complaints: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, said: complaints.append(said))
    work = Hanging(says)
    waits = asyncio.ensure_future(on_a_thread(work))
    await until(lambda: work.thread)
    waits.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waits
    work.end()
    assert await on_a_thread(lambda: "after it") == "after it"
    assert not complaints


@pytest.mark.parametrize("says", ["the end", LookupError("words")])
def test_a_loop_that_ended_before_the_work_did_is_no_error(says: str | Exception) -> None:
    work = Hanging(says)

    @on_a_loop
    async def scenario() -> None:
        waits = asyncio.ensure_future(on_a_thread(work))
        await until(lambda: work.thread)
        assert not waits.done()

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
    waits = asyncio.ensure_future(on_a_thread(hang))
    while not begun.is_set():
        await asyncio.sleep(0.01)
    print("hangs", waits.done())

asyncio.run(main())
"""


def test_work_that_hangs_does_not_keep_a_process_alive() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", ENDS_WHILE_WORK_HANGS],
        cwd=ROOT / "policy",
        capture_output=True,
        text=True,
        timeout=2 * PATIENCE,
        check=False,
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "hangs False\n", "")
