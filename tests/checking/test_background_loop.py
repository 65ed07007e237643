"""The loop: runs what any thread gives it, in order, on a thread that keeps no process alive."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from concurrent.futures import Future
from contextlib import closing

from layerguard.checking.background_loop import BackgroundLoop

from tests.processes import PATIENCE
from tests.test_architecture import ROOT


def test_calls_are_made_in_their_order_on_one_other_thread() -> None:
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


def test_coroutines_run_concurrently() -> None:
    both_ran: Future[None] = Future()

    async def meet(own: asyncio.Event, others: asyncio.Event) -> None:
        own.set()
        await others.wait()
        if not both_ran.done():
            both_ran.set_result(None)

    with closing(BackgroundLoop()) as loop:
        one, two = asyncio.Event(), asyncio.Event()
        loop.start(meet, one, two)
        loop.start(meet, two, one)
        assert both_ran.result(PATIENCE) is None


def test_close_cancels_what_has_not_ended() -> None:
    begun = threading.Event()
    steps: list[str] = []

    async def wait() -> None:
        try:
            begun.set()
            await asyncio.Event().wait()
            steps.append("went on")
        finally:
            steps.append("cleaned up")

    loop = BackgroundLoop()
    loop.start(wait)
    assert begun.wait(PATIENCE)
    loop.close()
    assert steps == ["cleaned up"]


def test_after_close_the_thread_has_ended_and_nothing_begins() -> None:
    before = set(threading.enumerate())
    begun: list[str] = []

    async def run() -> None:
        begun.append("a coroutine")

    loop = BackgroundLoop()
    loop.close()
    loop.call(begun.append, "a call")
    loop.start(run)
    loop.close()
    assert (begun, set(threading.enumerate()) - before) == ([], set())


def test_a_loop_that_hangs_keeps_no_process_alive() -> None:
    assert (
        output_of("""
import asyncio
loop, begun = BackgroundLoop(), threading.Event()
async def sleep():
    await asyncio.sleep(3600)
loop.start(sleep)
loop.call(lambda: (begun.set(), threading.Event().wait()))
assert begun.wait(60)
print("the end")
""")
        == "the end\n"
    )


def test_where_no_file_can_be_opened_making_a_loop_fails_and_does_not_hang() -> None:
    assert (
        output_of("""
import os, resource
free = os.dup(0)
os.close(free)
resource.setrlimit(resource.RLIMIT_NOFILE, (free, free))
try:
    BackgroundLoop()
except OSError:
    print("an OSError")
""")
        == "an OSError\n"
    )


def output_of(program: str) -> str:
    """Return what ``program`` prints, which has ``BackgroundLoop`` to use."""
    imports = f"""
import sys, threading
sys.path.insert(0, {str(ROOT / "policy")!r})
from layerguard.checking.background_loop import BackgroundLoop
"""
    done = subprocess.run(
        [sys.executable, "-c", imports + program],
        capture_output=True,
        text=True,
        timeout=2 * PATIENCE,
        check=True,
    )
    return done.stdout
