"""The loop: what it is given from any thread, one step at a time, and nothing after its end."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from concurrent.futures import Future
from contextlib import closing

from layerguard.checking.background_loop import BackgroundLoop

from tests.test_architecture import ROOT

PATIENCE = 20.0


def test_calls_are_made_in_their_order_on_one_thread_that_is_not_the_callers() -> None:
    made: list[tuple[int, int]] = []
    ended = threading.Event()
    with closing(BackgroundLoop()) as loop:
        for number in range(50):
            loop.call(lambda number=number: made.append((number, threading.get_ident())))
        loop.call(ended.set)
        assert ended.wait(PATIENCE)
    assert [number for number, _ in made] == list(range(50))
    threads = {thread for _, thread in made}
    assert len(threads) == 1
    assert threading.get_ident() not in threads


def test_coroutines_run_beside_each_other() -> None:
    met: Future[None] = Future()

    async def meet(here: asyncio.Event, there: asyncio.Event) -> None:
        here.set()
        await there.wait()
        if not met.done():
            met.set_result(None)

    with closing(BackgroundLoop()) as loop:
        one, two = asyncio.Event(), asyncio.Event()
        loop.start(meet, one, two)
        loop.start(meet, two, one)
        assert met.result(PATIENCE) is None


def test_what_has_not_ended_is_dropped_with_all_that_it_has_open() -> None:
    begun = threading.Event()
    said: list[str] = []

    async def wait() -> None:
        try:
            begun.set()
            await asyncio.Event().wait()
            said.append("never")
        finally:
            said.append("closed")

    loop = BackgroundLoop()
    loop.start(wait)
    assert begun.wait(PATIENCE)
    loop.close()
    assert said == ["closed"]


def test_nothing_begins_after_the_end_and_the_thread_ends() -> None:
    before = set(threading.enumerate())
    said: list[str] = []

    async def run() -> None:
        said.append("a coroutine")

    loop = BackgroundLoop()
    loop.close()
    loop.call(said.append, "a call")
    loop.start(run)
    loop.close()
    assert (said, set(threading.enumerate()) - before) == ([], set())


def test_what_hangs_on_the_loop_keeps_no_process_alive() -> None:
    program = f"""
import sys, threading
sys.path.insert(0, {str(ROOT / "policy")!r})
from layerguard.checking.background_loop import BackgroundLoop
loop, begun = BackgroundLoop(), threading.Event()
async def doze():
    import asyncio
    await asyncio.sleep(3600)
loop.start(doze)
loop.call(lambda: (begun.set(), threading.Event().wait()))
assert begun.wait(20)
print("the end")
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True
    )
    assert (done.stdout, done.stderr) == ("the end\n", "")
